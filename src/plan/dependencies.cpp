#include "dependencies.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

#include "bernstein/base/text.hpp"

namespace bernstein::plan {
namespace {

constexpr std::size_t k_cycles_max = 20;
constexpr std::size_t k_cycle_names_max = 20;
constexpr std::size_t k_listed_max = 8;

template <class T>
void sort_unique(std::vector<T>& values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

// Who has a name: the first, and whether there are others.
struct Holder {
  std::uint32_t index = 0;
  bool unique = true;
};
using Holders = std::map<std::string_view, Holder>;

class Resolver {
 public:
  Resolver(const std::vector<StageNames>& stages, const std::vector<StepNames>& steps, Report& report)
      : stages_(stages), steps_(steps), report_(report) {}

  Dependencies resolve() {
    index_names();
    Dependencies found;
    for (const StageNames& stage : stages_) found.stages.push_back(stages_named_by(stage));
    for (const StepNames& step : steps_) found.steps.push_back(steps_named_by(step));
    return found;
  }

 private:
  void index_names() {
    for (std::uint32_t i = 0; i < stages_.size(); ++i) {
      const StageNames& stage = stages_[i];
      if (stage.name.empty()) continue;
      auto [holder, is_new] = stage_holders_.emplace(stage.name, Holder{i});
      if (is_new) {
        stage_words_.push_back(stage.name);
      } else {
        refuse_twice(stage.line, "stage name", stage.name, stages_[holder->second.index].line);
      }
    }
    for (std::uint32_t i = 0; i < steps_.size(); ++i) {
      const StepNames& step = steps_[i];
      if (step.id.empty()) continue;
      auto [holder, is_new] = id_holders_.emplace(step.id, Holder{i});
      if (is_new) {
        step_words_.push_back(step.id);
      } else {
        refuse_twice(step.line, "step id", step.id, steps_[holder->second.index].line);
      }
    }
    for (std::uint32_t i = 0; i < steps_.size(); ++i) {
      if (steps_[i].title.empty()) continue;
      auto [holder, is_new] = title_holders_.emplace(steps_[i].title, Holder{i});
      if (is_new) step_words_.push_back(steps_[i].title);
      holder->second.unique = is_new;
    }
  }

  void refuse_twice(int line, const std::string& kind, const std::string& name, int first_line) {
    const std::string first = report_.names_lines() ? ", first at line " + std::to_string(first_line) : "";
    report_.fault(line, kind + " " + quoted(name) + " stands twice" + first + "; rename one");
  }

  std::vector<std::uint32_t> stages_named_by(const StageNames& stage) {
    std::vector<std::uint32_t> found;
    for (const Located& name : stage.depends_on) {
      auto holder = stage_holders_.find(on_one_line(name.text));
      if (holder != stage_holders_.end() && &stages_[holder->second.index] == &stage) {
        report_.fault(name.line, "stage " + quoted(stage.name) + " waits for itself: " + stage.name + " -> " +
                                     stage.name + "; remove that");
      } else if (holder != stage_holders_.end()) {
        found.push_back(holder->second.index);
      } else {
        report_.fault(name.line, "stage " + quoted(stage.name) + " depends on unknown stage " + quoted(name.text) +
                                     report_.suggest(name.text, stage_words_, listed("stages", stage_words_)));
      }
    }
    sort_unique(found);
    return found;
  }

  std::vector<TaskId> steps_named_by(const StepNames& step) {
    std::vector<TaskId> found;
    for (const Located& name : step.depends_on) {
      std::string word = on_one_line(name.text);
      auto holder = id_holders_.find(word);
      bool by_id = holder != id_holders_.end();
      if (!by_id) holder = title_holders_.find(word);
      if (!by_id && holder == title_holders_.end()) {
        refuse_unknown_step(step, name);
      } else if (!holder->second.unique) {
        report_.fault(name.line, step.what + " depends on " + quoted(word) +
                                     ", which is the title of several steps; give that step an id and name it");
      } else if (&steps_[holder->second.index] == &step) {
        report_.fault(name.line, step.what + " waits for itself: " + word + " -> " + word + "; remove that");
      } else {
        found.push_back(TaskId{holder->second.index + 1});
      }
    }
    sort_unique(found);
    return found;
  }

  void refuse_unknown_step(const StepNames& step, const Located& name) {
    std::string remedy;
    if (stage_holders_.contains(name.text)) {
      remedy = "; it is a stage: name it in 'depends_on' of stage " + quoted(stages_[step.stage].name);
    } else {
      remedy = report_.suggest(name.text, step_words_, "; name an id or a title of a step");
    }
    report_.fault(name.line, step.what + " depends on unknown step " + quoted(name.text) + remedy);
  }

  static std::string listed(const std::string& kind, const std::vector<std::string>& words) {
    if (words.empty()) return "; remove it";
    std::vector<std::string> shown(words.begin(),
                                   words.begin() + static_cast<std::ptrdiff_t>(std::min(words.size(), k_listed_max)));
    for (std::string& word : shown) word = shortened(word, 40);
    return "; " + kind + " are " + join(shown, ", ") + (words.size() > shown.size() ? ", ..." : "");
  }

  const std::vector<StageNames>& stages_;
  const std::vector<StepNames>& steps_;
  Report& report_;
  Holders stage_holders_;
  Holders id_holders_;
  Holders title_holders_;
  std::vector<std::string> stage_words_;
  std::vector<std::string> step_words_;
};

// Who waits for whom, with two nodes a stage so that the graph stays as small as the file: "begin" waits for the "end"
// of the stages it names, "end" waits for the stage's steps, a step waits for its stage's "begin" and the steps it
// names.
class WaitGraph {
 public:
  WaitGraph(const std::vector<StageNames>& stages, const std::vector<StepNames>& steps, const Dependencies& found)
      : stages_(stages), steps_(steps), waits_for_(stages.size() * 2 + steps.size()) {
    for (std::size_t s = 0; s < stages.size(); ++s) {
      for (std::uint32_t other : found.stages[s]) waits_for_[begin_of(s)].push_back(end_of(other));
      waits_for_[end_of(s)].push_back(begin_of(s));  // also without steps
    }
    for (std::size_t t = 0; t < steps.size(); ++t) {
      std::size_t node = stages.size() * 2 + t;
      waits_for_[node].push_back(begin_of(steps[t].stage));
      waits_for_[end_of(steps[t].stage)].push_back(node);
      for (TaskId other : found.steps[t]) waits_for_[node].push_back(stages.size() * 2 + other.number - 1);
    }
  }

  // Depth first, without recursion: a chain may be as long as the plan. Of cycles that share a node, one is reported.
  void report_cycles(Report& report) {
    enum class Mark { unseen, open, done };
    std::vector<Mark> marks(waits_for_.size(), Mark::unseen);
    std::vector<std::size_t> next(waits_for_.size(), 0);
    std::set<std::size_t> reported;
    std::size_t cycles = 0;
    for (std::size_t start = 0; start < waits_for_.size(); ++start) {
      if (marks[start] != Mark::unseen) continue;
      std::vector<std::size_t> path{start};
      marks[start] = Mark::open;
      while (!path.empty()) {
        std::size_t node = path.back();
        if (next[node] == waits_for_[node].size()) {
          marks[node] = Mark::done;
          path.pop_back();
          continue;
        }
        std::size_t other = waits_for_[node][next[node]++];
        if (marks[other] == Mark::unseen) {
          marks[other] = Mark::open;
          path.push_back(other);
        } else if (marks[other] == Mark::open && !reported.contains(node) && !reported.contains(other)) {
          auto from = std::find(path.rbegin(), path.rend(), other).base() - 1;
          std::vector<std::size_t> cycle(from, path.end());
          if (std::any_of(cycle.begin(), cycle.end(), [&](std::size_t n) { return reported.contains(n); })) continue;
          reported.insert(cycle.begin(), cycle.end());
          report_cycle(cycle, report);
          if (++cycles == k_cycles_max) return;
        }
      }
    }
  }

 private:
  static std::size_t begin_of(std::size_t stage) { return 2 * stage; }
  static std::size_t end_of(std::size_t stage) { return 2 * stage + 1; }
  bool is_step(std::size_t node) const { return node >= stages_.size() * 2; }

  struct Label {
    std::size_t place = 0;  // begin and end of a stage share theirs
    int line = 0;
    std::string name;
  };

  Label label_of(std::size_t node) const {
    if (!is_step(node)) return {node / 2, stages_[node / 2].line, stages_[node / 2].name};
    const StepNames& step = steps_[node - stages_.size() * 2];
    return {node, step.line, step.id.empty() ? step.title : step.id};
  }

  // A step is named when it waits for a step or a step waits for it; else only its stage matters.
  void report_cycle(const std::vector<std::size_t>& cycle, Report& report) const {
    std::vector<Label> labels;
    for (std::size_t i = 0; i < cycle.size(); ++i) {
      std::size_t before = cycle[(i + cycle.size() - 1) % cycle.size()];
      std::size_t after = cycle[(i + 1) % cycle.size()];
      if (is_step(cycle[i]) && !is_step(before) && !is_step(after)) continue;
      Label label = label_of(cycle[i]);
      if (labels.empty() || labels.back().place != label.place) labels.push_back(label);
    }
    if (labels.size() > 1 && labels.front().place == labels.back().place) labels.pop_back();
    auto first =
        std::min_element(labels.begin(), labels.end(), [](const Label& a, const Label& b) { return a.line < b.line; });
    std::rotate(labels.begin(), first, labels.end());
    std::string chain;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      if (i == k_cycle_names_max) {
        chain += "... (" + std::to_string(labels.size() - i) + " more) -> ";
        break;
      }
      chain += shortened(labels[i].name, 40) + " -> ";
    }
    chain += shortened(labels.front().name, 40);
    report.fault(labels.front().line, "these wait for each other: " + chain + "; remove one of the dependencies");
  }

  const std::vector<StageNames>& stages_;
  const std::vector<StepNames>& steps_;
  std::vector<std::vector<std::size_t>> waits_for_;
};

}  // namespace

Dependencies resolve_dependencies(const std::vector<StageNames>& stages, const std::vector<StepNames>& steps,
                                  Report& report) {
  Dependencies found = Resolver(stages, steps, report).resolve();
  WaitGraph(stages, steps, found).report_cycles(report);
  return found;
}

}  // namespace bernstein::plan
