#include "bernstein/plan/plan.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "dependencies.hpp"
#include "reader.hpp"
#include "signals.hpp"
#include "yaml.hpp"

namespace bernstein::plan {
namespace {

// Keys of the Python Bernstein that have no meaning here. They are listed where one of ours is spelled like them.
const std::vector<std::string> k_unused_in_plan{"repos"};
const std::vector<std::string> k_unused_in_stage{"description", "repo"};
const std::vector<std::string> k_unused_in_step{"mode", "repo", "depends_on_repo", "phases", "attachments"};

// Words that are far from ours in spelling and the same in meaning: passed over, they would cost a dependency or a
// check.
constexpr std::array<std::pair<const char*, const char*>, 8> k_other_words{{{"depends", "depends_on"},
                                                                            {"needs", "depends_on"},
                                                                            {"after", "depends_on"},
                                                                            {"owned_files", "files"},
                                                                            {"signals", "completion_signals"},
                                                                            {"checks", "completion_signals"},
                                                                            {"agent", "cli"},
                                                                            {"tasks", "steps"}}};

// What a person decides, in a plan that a model wrote.
const std::vector<std::string> k_persons_in_plan{"cli",           "agent",      "model",       "budget",
                                                 "budget_tokens", "max_agents", "constraints", "context_files"};
const std::vector<std::string> k_persons_in_step{"cli", "agent", "model", "effort", "budget"};

const std::vector<std::string> k_efforts{"low", "normal", "high", "max", "auto"};

constexpr std::uint32_t k_agents_max = 1000;
constexpr std::uint32_t k_minutes_max = 100'000;
constexpr std::size_t k_model_title_bytes_max = 300;
constexpr std::size_t k_model_word_bytes_max = 64;
constexpr std::size_t k_model_description_bytes_max = 32 << 10;

class PlanReader {
 public:
  explicit PlanReader(const PlanOptions& options)
      : options_(options),
        report_(options.file, options.by_model ? Report::Lines::left_out : Report::Lines::named),
        signal_rules_{.check_timeout_us = options.check_timeout_us,
                      .gates = options.gates ? &*options.gates : nullptr,
                      .by_model = options.by_model.has_value()} {
    if (options.by_model) signal_rules_.gates = &options.by_model->gates;
  }

  PlanResult read(std::string_view text) {
    YamlDocument document = parse_yaml(text);
    for (Fault& fault : document.faults) report_.fault(fault.line, std::move(fault.message));
    if (report_.clean()) read_document(document);
    if (!report_.clean()) return report_.take_faults();
    plan_.warnings = report_.take_warnings();
    return std::move(plan_);
  }

 private:
  void read_document(const YamlDocument& document) {
    constexpr const char* k_remedy = "; write a map with 'stages:', a list of stages with steps";
    if (document.root == nullptr || document.root->kind == YamlNode::Kind::null) {
      return report_.fault(0, std::string("is empty") + k_remedy);
    }
    if (document.root->kind != YamlNode::Kind::map) {
      return report_.fault(document.root->line, "is " + std::string(name_of(document.root->kind)) + k_remedy);
    }
    MapReader top(*document.root, "the plan", report_);
    read_settings(top);
    const YamlNode* stages = top.list("stages", "stages: [{name: build, steps: [...]}]");
    bool missing = !top.has("stages") || (stages != nullptr && stages->items.empty());
    if (missing) top.fault(top.line_of("stages"), "has no stages; write at least one stage with a step");
    refuse_other_words(top, {"stages"});
    top.finish(k_unused_in_plan, UnknownKeys::warn);
    if (stages == nullptr || has_too_many_steps(*stages)) return;
    for (const YamlNode* stage : stages->items) read_stage(*stage);
    resolve();
  }

  // Of a plan that is far too large, the one thing to say is that it is.
  bool has_too_many_steps(const YamlNode& stages) {
    if (!options_.by_model) return false;
    std::size_t count = 0;
    for (const YamlNode* stage : stages.items) {
      for (const YamlEntry& entry : stage->entries) {
        if (entry.key == "steps") count += entry.value->items.size();
      }
    }
    const std::uint32_t most = options_.by_model->tasks_max;
    if (count <= most) return false;
    report_.fault(0, too_many_steps(count, most));
    return true;
  }

  void read_settings(MapReader& top) {
    plan_.name = top.line("name").value_or("plan");
    plan_.description = top.text("description").value_or("");
    if (options_.by_model) return refuse_persons(top, k_persons_in_plan);
    PlanSettings& settings = plan_.settings;
    settings.agent = pin(top, "cli");
    if (!options_.agent_is_given) check_agent(top, settings.agent);
    settings.model = pin(top, "model");
    settings.budget = top.usd("budget");
    settings.budget_tokens = top.tokens("budget_tokens");
    settings.max_agents = top.number("max_agents", 1, k_agents_max);
    for (Located& constraint : top.texts("constraints")) settings.constraints.push_back(std::move(constraint.text));
    settings.context_files = top.paths("context_files");
  }

  void read_stage(const YamlNode& node) {
    std::string number = std::to_string(stage_names_.size() + 1);
    StageNames& names = stage_names_.emplace_back();
    names.line = node.line;
    plan_.stages.emplace_back();
    if (node.kind != YamlNode::Kind::map) {
      return report_.fault(node.line, "stage " + number + " is " + std::string(name_of(node.kind)) +
                                          "; write a map: {name: build, steps: [...]}");
    }
    names.name = name_in(node, "name");
    std::string what = names.name.empty() ? "stage " + number : "stage " + quoted(names.name);
    MapReader stage(node, what, report_);
    if (!stage.line("name") && !stage.is_wrong("name")) stage.fault(node.line, "has no name; write name: build");
    names.depends_on = stage.texts("depends_on");
    plan_.stages.back().name = names.name;
    const YamlNode* steps = stage.list("steps", "steps: [{title: \"...\"}]");
    bool missing = !stage.has("steps") || (steps != nullptr && steps->items.empty());
    if (missing) stage.fault(stage.line_of("steps"), "has no steps; add a step or remove the stage");
    refuse_other_words(stage, {"depends_on", "steps"});
    stage.finish(k_unused_in_stage, UnknownKeys::warn);
    if (steps == nullptr) return;
    plan_.stages.back().tasks = static_cast<std::uint32_t>(steps->items.size());
    std::size_t position = 0;
    for (const YamlNode* step : steps->items) read_step(*step, "step " + std::to_string(++position) + " of " + what);
  }

  // `place` names a step that has no title: "step 2 of stage 'docs'".
  void read_step(const YamlNode& node, const std::string& place) {
    StepNames& names = step_names_.emplace_back();
    TaskSpec& task = plan_.tasks.emplace_back();
    names.line = node.line;
    names.stage = static_cast<std::uint32_t>(plan_.stages.size() - 1);
    names.what = place;
    task.stage = names.stage;
    task.id = TaskId{static_cast<std::uint32_t>(plan_.tasks.size())};
    if (node.kind != YamlNode::Kind::map) {
      return report_.fault(
          node.line, place + " is " + std::string(name_of(node.kind)) + "; write a map with a title: {title: \"...\"}");
    }
    const char* title_key = !name_in(node, "title").empty() ? "title" : "goal";
    names.title = name_in(node, title_key);
    if (!names.title.empty()) names.what = "step " + quoted(names.title);
    MapReader step(node, names.what, report_);
    bool has_title = step.line("title") || (title_key == std::string_view("goal") && step.line("goal"));
    if (!has_title && !step.is_wrong("title") && !step.is_wrong("goal")) {
      step.fault(node.line, "has no title; write title: \"...\"");
    }
    task.title = names.title;
    task.description = step.text("description").value_or(task.title);
    names.id = task.key = step.line("id").value_or("");
    names.depends_on = step.texts("depends_on");
    read_work(step, task);
    read_pins(step, task);
    if (options_.by_model) limit_texts(step, task);
    if (const YamlNode* signals = step.list("completion_signals", "[{type: path_exists, path: src/a.py}]")) {
      task.signals = read_signals(*signals, names.what, signal_rules_, report_);
    }
    refuse_other_words(step, {"depends_on", "files", "completion_signals", "cli"});
    step.finish(k_unused_in_step, UnknownKeys::warn);
  }

  void read_work(MapReader& step, TaskSpec& task) {
    if (options_.by_model) {
      task.role = options_.by_model->role;
      task.priority = options_.by_model->priority;
    }
    task.role = step.line("role").value_or(task.role);
    task.priority = read_priority(step).value_or(task.priority);
    task.scope = step.word<Scope>("scope").value_or(task.scope);
    task.complexity = step.word<Complexity>("complexity").value_or(task.complexity);
    task.estimated_minutes = step.number("estimated_minutes", 1, k_minutes_max).value_or(task.estimated_minutes);
    task.files = step.paths("files");
    std::sort(task.files.begin(), task.files.end());
    task.files.erase(std::unique(task.files.begin(), task.files.end()), task.files.end());
  }

  // What a person writes is as long as they want it; a model's goes into tables, arguments and prompts as it is.
  static void limit_texts(MapReader& step, const TaskSpec& task) {
    const auto limit = [&](const std::string& key, const std::string& text, std::size_t bytes_max) {
      if (text.size() <= bytes_max) return;
      step.fault(step.line_of(key), "has " + std::to_string(text.size()) + " bytes for '" + key + "'; at most " +
                                        std::to_string(bytes_max) + " are all right");
    };
    limit("title", task.title, k_model_title_bytes_max);
    limit("id", task.key, k_model_word_bytes_max);
    limit("description", task.description, k_model_description_bytes_max);
    const bool is_word =
        task.role.size() <= k_model_word_bytes_max && std::all_of(task.role.begin(), task.role.end(), [](char c) {
          return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
        });
    if (!is_word || task.role.starts_with('-')) {
      step.fault(step.line_of("role"), "has " + quoted(task.role) + " for 'role'; write one word in small letters, " +
                                           "such as " + quoted("backend"));
    }
  }

  void read_pins(MapReader& step, TaskSpec& task) {
    if (options_.by_model) return refuse_persons(step, k_persons_in_step);
    task.agent = pin(step, "cli");
    check_agent(step, task.agent);
    task.model = pin(step, "model");
    task.budget_micros = step.usd("budget");
    std::string effort = step.one_of("effort", k_efforts).value_or("");
    task.effort = effort == "auto" ? "" : effort;
  }

  // 1 to 5, or p0 to p4.
  static std::optional<std::uint32_t> read_priority(MapReader& step) {
    std::string word = step.line("priority").value_or("");
    if (word.size() == 2 && (word[0] == 'p' || word[0] == 'P')) {
      if (word[1] >= '0' && word[1] <= '4') return static_cast<std::uint32_t>(word[1] - '0' + 1);
    } else if (word.size() == 1 && word[0] >= '1' && word[0] <= '5') {
      return static_cast<std::uint32_t>(word[0] - '0');
    }
    if (step.has("priority") && !step.is_wrong("priority")) {
      step.fault(step.line_of("priority"),
                 "has " + quoted(word) + " for 'priority'; write 1 (most urgent) to 5, or p0 to p4");
    }
    return std::nullopt;
  }

  // An agent or model that is fixed; "auto" fixes nothing.
  static std::string pin(MapReader& reader, const std::string& key) {
    std::string name = reader.line(key).value_or("");
    return name == "auto" ? "" : name;
  }

  void check_agent(MapReader& reader, const std::string& agent) {
    const auto& known = options_.agents;
    if (!known || agent.empty() || std::find(known->begin(), known->end(), agent) != known->end()) return;
    reader.fault(reader.line_of("cli"), "names the unknown agent " + quoted(agent) +
                                            report_.suggest(agent, *known, "; add it under agents: in bernstein.yaml"));
  }

  static void refuse_persons(MapReader& reader, const std::vector<std::string>& keys) {
    for (const std::string& key : keys) {
      if (!reader.has(key)) continue;
      reader.fault(reader.line_of(key), "has '" + key + "', which the person decides and not the plan; leave it out");
      reader.accept(key);
    }
  }

  void refuse_other_words(MapReader& reader, const std::vector<std::string>& ours) {
    for (auto [word, meant] : k_other_words) {
      bool applies = std::find(ours.begin(), ours.end(), meant) != ours.end();
      bool is_persons = options_.by_model && meant == std::string_view("cli");  // a fault already
      if (!applies || is_persons || !reader.has(word)) continue;
      reader.fault(reader.line_of(word),
                   "has the unknown key '" + std::string(word) + "'; did you mean '" + meant + "'?");
      reader.accept(word);
    }
  }

  void resolve() {
    Dependencies found = resolve_dependencies(stage_names_, step_names_, report_);
    for (std::size_t i = 0; i < plan_.stages.size(); ++i) plan_.stages[i].depends_on = std::move(found.stages[i]);
    for (std::size_t i = 0; i < plan_.tasks.size(); ++i) {
      TaskSpec& task = plan_.tasks[i];
      task.depends_on = std::move(found.steps[i]);
      task.depends_on_stages = plan_.stages[task.stage].depends_on;
    }
  }

  const PlanOptions& options_;
  Report report_;
  SignalRules signal_rules_;
  Plan plan_;
  std::vector<StageNames> stage_names_;
  std::vector<StepNames> step_names_;
};

}  // namespace

std::string too_many_steps(std::size_t steps, std::uint32_t tasks_max) {
  return "the plan has " + std::to_string(steps) + " steps, and may have at most " + std::to_string(tasks_max) +
         "; plan fewer and larger steps";
}

PlanResult parse_plan(std::string_view text, const PlanOptions& options) {
  return PlanReader(options).read(text);
}

}  // namespace bernstein::plan
