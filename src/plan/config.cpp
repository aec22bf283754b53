#include "bernstein/plan/config.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "agents.hpp"
#include "bernstein/base/text.hpp"
#include "reader.hpp"
#include "yaml.hpp"

namespace bernstein::plan {
namespace {

constexpr std::uint32_t k_agents_max = 1000;
constexpr std::uint32_t k_attempts_max = 100;
constexpr std::uint32_t k_checks_max = 64;
constexpr std::uint32_t k_quota_attempts_max = 10'000;
constexpr std::uint32_t k_planned_tasks_max = 10'000;
constexpr std::size_t k_role_bytes_max = 8 << 10;
constexpr std::uint32_t k_processes_max = 4'000'000;  // what the kernel can number
constexpr std::uint32_t k_file_mb_max = 1'000'000;
constexpr std::uint32_t k_warmup_max = 1'000'000;
constexpr std::int64_t k_million = 1'000'000;
constexpr std::uint32_t k_landing_batch_max = 64;

class ConfigReader {
 public:
  explicit ConfigReader(const std::string& file) : report_(file) {}

  ConfigResult read(std::string_view text) {
    YamlDocument document = parse_yaml(text);
    for (Fault& fault : document.faults) report_.fault(fault.line, std::move(fault.message));
    if (report_.clean() && document.root != nullptr && document.root->kind != YamlNode::Kind::null) {
      read_document(*document.root);
    }
    if (!report_.clean()) return report_.take_faults();
    config_.warnings = report_.take_warnings();
    return std::move(config_);
  }

 private:
  void read_document(const YamlNode& root) {
    if (root.kind != YamlNode::Kind::map) {
      return report_.fault(root.line, "is " + std::string(name_of(root.kind)) + "; write a map, such as max_agents: 4");
    }
    MapReader top(root, "the configuration", report_);
    std::string agent = top.line("cli").value_or("");
    config_.agent = agent == "auto" ? "" : agent;
    config_.max_agents = top.number("max_agents", 1, k_agents_max).value_or(config_.max_agents);
    config_.budget = top.usd("budget");
    config_.budget_tokens = top.tokens("budget_tokens");
    for (Located& constraint : top.texts("constraints")) config_.constraints.push_back(std::move(constraint.text));
    config_.context_files = top.paths("context_files");
    if (const YamlNode* limits = top.map("limits", "{attempts: 3, agent_timeout: 30m}")) read_limits(*limits);
    if (const YamlNode* agents = top.map("agents", "{my-agent: {command: [my-agent]}}")) {
      for (CatalogEntry& entry : read_agents(*agents, report_)) {
        config_.agent_facts[entry.spec.name] = std::move(entry.facts);
        config_.agents.push_back(std::move(entry.spec));
      }
    }
    if (const YamlNode* prices = top.map("prices", "{opus: {input: 5, cached: 0.50, output: 25}}")) {
      config_.prices = read_prices(*prices, report_);
    }
    if (const YamlNode* roles = top.map("role_model_policy", "{docs: {cli: claude, model: haiku}}")) {
      for (const YamlEntry& entry : roles->entries) read_role_policy(entry);
    }
    if (const YamlNode* roles = top.map("roles", "{docs: \"Write for a reader in a hurry.\"}")) read_roles(*roles);
    if (const YamlNode* slots = top.map("role_slots", "{docs: 1}")) read_role_slots(*slots);
    if (const YamlNode* setup = top.map("worktree_setup", "{setup_command: \"npm ci\"}")) read_worktree_setup(*setup);
    if (const YamlNode* gates = top.map("quality_gates", "{tests: \"make test\"}")) {
      for (const YamlEntry& entry : gates->entries) read_gate(entry);
    }
    read_landing(top);
    if (const YamlNode* routing = top.map("routing", "{mode: static}")) read_routing(*routing);
    read_sandbox(top);
    top.finish({}, UnknownKeys::refuse);
  }

  void read_limits(const YamlNode& node) {
    MapReader limits(node, "limits", report_);
    Limits& read = config_.limits;
    read.attempts = limits.number("attempts", 1, k_attempts_max).value_or(read.attempts);
    read.adopt_timeout_us = limits.duration("adopt_timeout").value_or(read.adopt_timeout_us);
    read.agent_timeout_us = limits.duration("agent_timeout").value_or(read.agent_timeout_us);
    read.breaker = limits.number("breaker", 0, k_attempts_max).value_or(read.breaker);
    read.check_timeout_us = limits.duration("check_timeout").value_or(read.check_timeout_us);
    read.no_progress_us = limits.duration_or_off("no_progress").value_or(read.no_progress_us);
    read.quota_attempts = limits.number("quota_attempts", 1, k_quota_attempts_max).value_or(read.quota_attempts);
    read.quota_wait_us = limits.duration("quota_wait").value_or(read.quota_wait_us);
    read.trial_us = limits.duration("trial").value_or(read.trial_us);
    read.planned_tasks = limits.number("planned_tasks", 1, k_planned_tasks_max).value_or(read.planned_tasks);
    read.planner_timeout_us = limits.duration("planner_timeout").value_or(read.planner_timeout_us);
    read.task_cost_micros = limits.usd("task_cost");
    read.processes = limits.number("processes", 1, k_processes_max).value_or(read.processes);
    if (const auto megabytes = limits.number("file_mb", 1, k_file_mb_max)) {
      read.file_bytes = std::int64_t{*megabytes} << 20;
    }
    limits.finish({}, UnknownKeys::refuse);
  }

  void read_role_policy(const YamlEntry& entry) {
    std::string what = "role_model_policy of role " + quoted(entry.key);
    if (entry.value->kind != YamlNode::Kind::map) {
      return report_.fault(entry.line, what + " is " + std::string(name_of(entry.value->kind)) +
                                           "; write a map: {cli: claude, model: haiku}");
    }
    MapReader role(*entry.value, what, report_);
    RolePolicy policy;
    policy.agent = role.line("cli").value_or("");
    policy.model = role.line("model").value_or("");
    if (policy.agent == "auto") policy.agent.clear();
    if (policy.model == "auto") policy.model.clear();
    if (policy.model.find('/') != std::string::npos) check_arm(policy.model, what, role.line_of("model"));
    role.finish({}, UnknownKeys::refuse);
    config_.role_policy[entry.key] = policy;
  }

  void read_roles(const YamlNode& node) {
    MapReader roles(node, "roles", report_);
    for (const YamlEntry& entry : node.entries) {
      const std::optional<std::string> text = roles.text(entry.key);
      if (text && text->size() > k_role_bytes_max) {
        roles.fault(entry.line, "has a text of " + std::to_string(text->size()) + " bytes for " + quoted(entry.key) +
                                    "; at most " + std::to_string(k_role_bytes_max) + " go into a prompt");
      } else if (text) {
        config_.roles[entry.key] = *text;
      }
    }
  }

  void read_role_slots(const YamlNode& node) {
    MapReader slots(node, "role_slots", report_);
    for (const YamlEntry& entry : node.entries) {
      if (auto number = slots.number(entry.key, 1, k_agents_max)) config_.role_slots[entry.key] = *number;
    }
  }

  void read_worktree_setup(const YamlNode& node) {
    MapReader setup(node, "worktree_setup", report_);
    config_.worktree_setup.symlink_dirs = read_entries(setup, "symlink_dirs");
    config_.worktree_setup.copy_files = read_entries(setup, "copy_files");
    config_.worktree_setup.command = setup.text("setup_command").value_or("");
    // An empty list is not the same as none: nothing is known of what the command depends on.
    const auto is_inputs = [](const YamlEntry& entry) {
      return entry.key == "inputs" && entry.value->kind != YamlNode::Kind::null;
    };
    std::vector<std::string> inputs = setup.paths("inputs");
    if (std::any_of(node.entries.begin(), node.entries.end(), is_inputs)) {
      config_.worktree_setup.inputs = std::move(inputs);
    }
    setup.finish({}, UnknownKeys::refuse);
  }

  // Paths of single files or directories: a last '/' says nothing here.
  static std::vector<std::string> read_entries(MapReader& setup, const std::string& key) {
    std::vector<std::string> paths = setup.paths(key);
    for (std::string& path : paths) {
      if (path.ends_with('/')) path.pop_back();
    }
    return paths;
  }

  void read_gate(const YamlEntry& entry) {
    std::string what = "quality gate " + quoted(entry.key);
    CheckSpec gate;
    gate.type = CheckType::command;
    gate.name = on_one_line(entry.key);
    gate.timeout_us = config_.limits.check_timeout_us;
    if (gate.name.empty()) return report_.fault(entry.line, "a quality gate has no name; write name: command");
    const YamlNode* command = entry.value;
    if (command->kind == YamlNode::Kind::map) {
      MapReader reader(*command, what, report_);
      command = reader.value("command");
      gate.timeout_us = reader.duration("timeout").value_or(gate.timeout_us);
      gate.flaky = reader.flag("flaky").value_or(false);
      reader.finish({}, UnknownKeys::refuse);
    }
    bool empty = command == nullptr || command->kind == YamlNode::Kind::null ||
                 (command->kind == YamlNode::Kind::scalar && trim(command->text).empty());
    if (empty) return report_.fault(entry.line, what + " has no command; write " + gate_example(entry.key));
    if (command->kind != YamlNode::Kind::scalar) {
      return report_.fault(entry.line, what + " has " + std::string(name_of(command->kind)) +
                                           " for its command; write " + gate_example(entry.key));
    }
    // Elsewhere gates are switched on by a yes; here `true` would be a program that never fails.
    if (command->plain && (command->text == "true" || command->text == "false")) {
      return report_.fault(entry.line, what + " is " + command->text + "; write the command, or quote \"" +
                                           command->text + "\" if you mean the program of that name");
    }
    gate.command = command->text;
    config_.gates.push_back(std::move(gate));
  }

  static std::string gate_example(const std::string& name) { return shortened(name, 40) + ": \"make test\""; }

  // max_checks and skip_intermediate may stand at the top too, where they are found without knowing of `landing`.
  void read_landing(MapReader& top) {
    LandingRules& read = config_.landing;
    const auto checks = top.number("max_checks", 1, k_checks_max);
    const auto skip = top.flag("skip_intermediate");
    read.max_checks = checks.value_or(read.max_checks);
    read.skip_intermediate = skip.value_or(read.skip_intermediate);
    const YamlNode* node = top.map("landing", "{method: squash, max_checks: 2}");
    if (node == nullptr) return;
    MapReader landing(*node, "landing", report_);
    read.method = landing.word<LandingMethod>("method").value_or(read.method);
    read.max_checks = landing.number("max_checks", 1, k_checks_max).value_or(read.max_checks);
    read.skip_intermediate = landing.flag("skip_intermediate").value_or(read.skip_intermediate);
    for (const char* key : {"max_checks", "skip_intermediate"}) {
      if (!top.has(key) || !landing.has(key)) continue;
      landing.fault(landing.line_of(key), "has '" + std::string(key) + "', and so has the top of the file, in line " +
                                              std::to_string(top.line_of(key)) + "; remove one");
    }
    read_batch(landing);
    for (auto [key, files] : {std::pair{"union_files", &read.union_files}, {"check_files", &read.check_files}}) {
      std::vector<std::string> patterns = landing.paths(key);
      if (landing.has(key)) *files = std::move(patterns);  // an empty list has none
    }
    landing.finish({}, UnknownKeys::refuse);
  }

  void read_batch(MapReader& landing) {
    config_.landing.batch =
        landing.number_or("batch", 1, k_landing_batch_max, "auto", 0).value_or(config_.landing.batch);
  }

  void read_routing(const YamlNode& node) {
    MapReader routing(node, "routing", report_);
    RoutingSettings& read = config_.routing;
    read.rules.mode = routing.word<RoutingMode>("mode").value_or(read.rules.mode);
    std::set<std::string> seen;
    for (const Located& arm : routing.texts("arms")) {
      std::string name = on_one_line(arm.text);
      if (!seen.insert(name).second) {
        routing.fault(arm.line, "has the arm " + quoted(name) + " twice; remove one");
      } else if (check_arm(name, "routing", arm.line)) {
        read.arms.push_back(name);
      }
    }
    read.rules.warmup = routing.number("warmup", 0, k_warmup_max).value_or(read.rules.warmup);
    constexpr std::int64_t k_weight_max = 1'000;
    read_fraction(routing, "alpha", 0, k_weight_max, read.rules.alpha_ppm);
    read_fraction(routing, "explore", 0, 1, read.rules.explore_ppm);
    read_fraction(routing, "ridge", 1, k_weight_max, read.rules.ridge_ppm);
    routing.finish({}, UnknownKeys::refuse);
  }

  // A fraction with at most six decimals is a number of millionths, which is what an amount of money is too.
  static void read_fraction(MapReader& routing, const std::string& key, std::int64_t least_ppm, std::int64_t most,
                            std::int64_t& ppm) {
    auto text = routing.text(key);
    if (!text) return;
    bool digits = text->find_first_not_of("0123456789.") == std::string::npos;
    auto fraction = digits ? parse_usd(*text) : std::nullopt;
    if (fraction && fraction->value >= least_ppm && fraction->value <= most * k_million) {
      ppm = fraction->value;
    } else {
      routing.fault(routing.line_of(key), "has " + quoted(*text) + " for '" + key + "'; write a number " +
                                              (least_ppm > 0 ? "above 0, up to " : "from 0 to ") +
                                              std::to_string(most) + ", with at most six decimals");
    }
  }

  // "agent/tier". An agent that is not defined here may be one of the catalog, which is complete elsewhere: only a name
  // that is near one of the file's own is refused.
  bool check_arm(const std::string& arm, const std::string& what, int line) {
    std::size_t slash = arm.find('/');
    if (slash == std::string::npos || slash == 0 || slash + 1 == arm.size()) {
      report_.fault(line, what + " has the arm " + quoted(arm) + "; write agent/tier, such as claude/cheap");
      return false;
    }
    std::string agent = arm.substr(0, slash);
    std::string tier = arm.substr(slash + 1);
    const AgentSpec* known = find_agent(agent);
    if (known == nullptr) return !is_misspelt(agent, what, line);
    std::vector<std::string> tiers;
    for (const ModelSpec& model : known->models) tiers.push_back(model.tier);
    if (std::find(tiers.begin(), tiers.end(), tier) != tiers.end()) return true;
    if (std::ranges::find(known->models, tier, &ModelSpec::name) != known->models.end()) return true;
    report_.fault(line, what + " has the arm " + quoted(arm) + ", but agent " + quoted(agent) + " has no model " +
                            quoted(tier) + report_.suggest(tier, tiers, "; its models are " + join(tiers, ", ")));
    return false;
  }

  const AgentSpec* find_agent(const std::string& name) const {
    const auto own = std::ranges::find(config_.agents, name, &AgentSpec::name);
    if (own != config_.agents.end()) return &*own;
    const CatalogEntry* entry = find_in_catalog(name);
    return entry == nullptr ? nullptr : &entry->spec;
  }

  bool is_misspelt(const std::string& agent, const std::string& what, int line) {
    if (find_in_catalog(agent) != nullptr) return false;
    std::vector<std::string> names;
    for (const AgentSpec& spec : config_.agents) names.push_back(spec.name);
    std::string clause = report_.suggest(agent, names, "");
    if (clause.empty()) return false;
    report_.fault(line, what + " names the unknown agent " + quoted(agent) + clause);
    return true;
  }

  void read_sandbox(MapReader& top) {
    static const std::vector<std::string> modes{"auto", "off", "strict"};
    from_word(top.one_of("sandbox", modes).value_or("auto"), config_.sandbox);
  }

  Report report_;
  Config config_;
};

}  // namespace

LandingRules usual_landing_rules() {
  LandingRules rules;
  rules.union_files = {"**/CHANGELOG.md", "**/CHANGES.md"};
  rules.check_files = {
      // what runs checks elsewhere
      ".github/**", ".gitlab-ci.yml", ".gitlab/**", ".circleci/**", ".travis.yml", "azure-pipelines.yml",
      ".azure-pipelines/**", "Jenkinsfile", ".buildkite/**", "bitbucket-pipelines.yml", ".drone.yml", ".cirrus.yml",
      "appveyor.yml", ".appveyor.yml", ".woodpecker.yml", ".woodpecker/**", ".teamcity/**", ".pre-commit-config.yaml",
      "codecov.yml", ".codecov.yml",
      // what tests are run with
      "**/pytest.ini", "**/tox.ini", "**/noxfile.py", "**/.coveragerc", "**/jest.config.*", "**/vitest.config.*",
      "**/.mocharc*", "**/karma.conf*", "**/playwright.config.*", "**/cypress.config.*", "**/.nycrc*", "**/.rspec",
      "**/phpunit.xml*",
      // and ours
      "bernstein.yaml"};
  return rules;
}

ConfigResult parse_config(std::string_view text, const std::string& file) {
  return ConfigReader(file).read(text);
}

}  // namespace bernstein::plan
