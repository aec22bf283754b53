#include "bernstein/planner/answer.hpp"

#include <algorithm>
#include <set>
#include <utility>
#include <variant>

#include "bernstein/base/check.hpp"
#include "bernstein/plan/plan.hpp"
#include "bernstein/plan/write.hpp"
#include "find_plan.hpp"

namespace bernstein::planner {
namespace {

// At most k_answer_faults_max, and one that counts the rest.
std::vector<std::string> cut(std::vector<std::string> sentences, bool are_more) {
  if (sentences.size() <= k_answer_faults_max) return sentences;
  const std::size_t rest = sentences.size() - k_answer_faults_max;
  sentences.resize(k_answer_faults_max);
  sentences.push_back("and " + std::string(are_more ? "at least " : "") + std::to_string(rest) + " more");
  return sentences;
}

std::vector<std::string> sentences_of(plan::Faults faults) {
  // With very many, the first says that there are more than were kept.
  constexpr std::size_t k_kept = 1000;
  const bool are_more = faults.size() > k_kept;
  if (are_more) faults.erase(faults.begin());
  std::vector<std::string> sentences;
  for (plan::Fault& fault : faults) {
    // What is about the text as a whole is written to stand behind the name of a file.
    const bool has_no_subject = fault.message.starts_with("is ") || fault.message.starts_with("has ");
    sentences.push_back((has_no_subject ? "the answer " : "") + std::move(fault.message));
  }
  return cut(std::move(sentences), are_more);
}

Answer refused(plan::Faults faults) {
  Answer answer;
  answer.faults = sentences_of(std::move(faults));
  return answer;
}

plan::PlanOptions options_for(const Rules& rules) {
  plan::PlanOptions options;
  options.file = "the answer";
  options.by_model = plan::ModelRules{.gates = rules.gates, .tasks_max = rules.tasks_max};
  if (rules.whole) {
    options.by_model->tasks_max = std::min(rules.tasks_max, k_parts_max);
    options.by_model->role = rules.whole->role;
    options.by_model->priority = rules.whole->priority;
  }
  return options;
}

// For each task of a plan the indexes of those that it waits for, directly or because its stage does.
std::vector<std::set<std::size_t>> waits_of(const plan::Plan& plan) {
  std::vector<std::set<std::size_t>> waits(plan.tasks.size());
  for (std::size_t i = 0; i < plan.tasks.size(); ++i) {
    const TaskSpec& task = plan.tasks[i];
    for (const TaskId other : task.depends_on) waits[i].insert(other.number - 1);
    for (std::size_t j = 0; j < plan.tasks.size(); ++j) {
      const std::vector<std::uint32_t>& stages = task.depends_on_stages;
      if (std::find(stages.begin(), stages.end(), plan.tasks[j].stage) != stages.end()) waits[i].insert(j);
    }
  }
  return waits;
}

// The indexes of tasks, none before one that it waits for; otherwise as they stand in the answer.
std::vector<std::size_t> order_of(const std::vector<std::set<std::size_t>>& waits) {
  std::vector<std::size_t> order;
  std::set<std::size_t> placed;
  while (order.size() < waits.size()) {
    const std::size_t before = order.size();
    for (std::size_t i = 0; i < waits.size() && order.size() == before; ++i) {
      if (placed.contains(i) || !std::includes(placed.begin(), placed.end(), waits[i].begin(), waits[i].end()))
        continue;
      order.push_back(i);
      placed.insert(i);
    }
    BERNSTEIN_CHECK(order.size() > before, "an accepted plan has no cycle");
  }
  return order;
}

// The plan's tasks in the order of their work, as t1, t2, ... of one stage; the last one waits for all others.
std::vector<TaskSpec> in_order_of_work(const plan::Plan& plan) {
  const std::vector<std::set<std::size_t>> waits = waits_of(plan);
  const std::vector<std::size_t> order = order_of(waits);
  std::vector<std::uint32_t> numbers(order.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) numbers[order[i]] = i + 1;
  std::vector<TaskSpec> parts;
  for (const std::size_t index : order) {
    TaskSpec& part = parts.emplace_back(plan.tasks[index]);
    part.id = TaskId{numbers[index]};
    part.stage = 0;
    part.depends_on_stages.clear();
    part.depends_on.clear();
    const bool is_last = parts.size() == order.size();
    for (std::size_t other = 0; other < order.size(); ++other) {
      const bool waits_for = is_last ? other != index : waits[index].contains(other);
      if (waits_for) part.depends_on.push_back(TaskId{numbers[other]});
    }
    std::sort(part.depends_on.begin(), part.depends_on.end());
  }
  return parts;
}

// What a part takes over from the whole.
void inherit(TaskSpec& part, const TaskSpec& whole) {
  part.agent = whole.agent;
  part.model = whole.model;
  part.effort = whole.effort;
  if (part.files.empty()) part.files = whole.files;
}

void give_keys(std::vector<TaskSpec>& parts, const TaskSpec& whole) {
  const std::string prefix = to_string(whole.id) + "-";
  std::set<std::string> taken;
  for (TaskSpec& part : parts) {
    if (!part.key.empty()) taken.insert(part.key = prefix + part.key);
  }
  for (TaskSpec& part : parts) {
    if (!part.key.empty()) continue;
    part.key = prefix + std::to_string(part.id.number);
    while (!taken.insert(part.key).second) part.key += "-part";
  }
}

// From a place within the parts to one within the run.
void place(TaskSpec& part, const TaskSpec& whole, TaskId first_id) {
  const auto in_run = [&](TaskId id) { return TaskId{first_id.number + id.number - 1}; };
  part.id = in_run(part.id);
  for (TaskId& other : part.depends_on) other = in_run(other);
  part.stage = whole.stage;
  part.part_of = whole.id;
}

Answer split(plan::Plan plan, const TaskSpec& whole, TaskId first_id) {
  Answer answer;
  if (plan.tasks.size() < k_parts_min) {
    answer.faults.push_back("the plan has " + std::to_string(plan.tasks.size()) + " step; a task is split into " +
                            std::to_string(k_parts_min) + " to " + std::to_string(k_parts_max));
    return answer;
  }
  answer.name = plan.name;
  plan.tasks = in_order_of_work(plan);
  plan.stages = {StageSpec{{}, "parts of " + to_string(whole.id), static_cast<std::uint32_t>(plan.tasks.size())}};
  for (TaskSpec& part : plan.tasks) inherit(part, whole);
  give_keys(plan.tasks, whole);
  std::vector<CheckSpec>& signals = plan.tasks.back().signals;
  signals.insert(signals.end(), whole.signals.begin(), whole.signals.end());
  plan::make_names_unique(signals);
  answer.yaml = plan::write_plan(plan);
  plan::PlanResult result = plan::parse_plan(answer.yaml, {});
  if (plan::Faults* faults = std::get_if<plan::Faults>(&result)) return refused(std::move(*faults));
  for (TaskSpec& part : plan.tasks) place(part, whole, first_id);
  answer.tasks = std::move(plan.tasks);
  return answer;
}

// The plan as it is read from its own text, so that what is used is what is shown: the ids that writing makes up are
// those of the tasks. Escapes and indentation can make that text longer than a document may be; that is a fault.
Answer whole_plan(const plan::Plan& written) {
  Answer answer;
  answer.yaml = plan::write_plan(written);
  plan::PlanResult result = plan::parse_plan(answer.yaml, {});
  if (plan::Faults* faults = std::get_if<plan::Faults>(&result)) return refused(std::move(*faults));
  plan::Plan& read = std::get<plan::Plan>(result);
  answer.name = std::move(read.name);
  answer.stages = std::move(read.stages);
  answer.tasks = std::move(read.tasks);
  return answer;
}

}  // namespace

Answer read_answer(std::string_view text, const Rules& rules) {
  Answer answer;
  const plan::PlanOptions options = options_for(rules);
  const std::uint32_t steps_max = options.by_model->tasks_max;
  const FoundPlan found = find_plan(text, steps_max);
  if (!found.fault.empty()) {
    answer.faults.push_back(found.fault);
    return answer;
  }
  if (found.steps > steps_max) {
    answer.faults.push_back(plan::too_many_steps(found.steps, steps_max));
    return answer;
  }
  plan::PlanResult result = plan::parse_plan(found.yaml, options);
  if (plan::Faults* faults = std::get_if<plan::Faults>(&result)) return refused(std::move(*faults));
  plan::Plan& plan = std::get<plan::Plan>(result);
  std::vector<std::string> warnings = cut(std::move(plan.warnings), false);
  answer = rules.whole ? split(std::move(plan), *rules.whole, rules.first_id) : whole_plan(plan);
  answer.warnings = std::move(warnings);
  return answer;
}

}  // namespace bernstein::planner
