#include <utility>

#include "applier.hpp"

namespace bernstein {

Status Applier::on(const PlanWanted&) {
  if (state_.plan || state_.planning.wanted) return corrupt("comes after a plan or a goal");
  if (!config_of(state_).planner) return corrupt("is for a planner, and the run has none");
  state_.planning.wanted = true;
  return Ok{};
}

Status Applier::on(const PlanReadRequested&) {
  BERNSTEIN_TRY(Attempt * attempt, the_attempt(Step::captured));
  if (attempt->id.task != k_planning) return corrupt("reads the answer of no planner");
  return open_intent(*attempt, Step::reading);
}

Status Applier::on(const PlanRead& e) {
  BERNSTEIN_TRY_VOID(close_intent<PlanReadRequested>());
  BERNSTEIN_TRY(Attempt * attempt, the_attempt(Step::reading));
  attempt->answer = e;
  set_step(*attempt, Step::answered);
  return Ok{};
}

Status Applier::on(const PlanAdopted&) {
  BERNSTEIN_TRY(Attempt * attempt, the_attempt(Step::answered));
  const PlanRead& read = *attempt->answer;
  if (!read.faults.empty() || !state_.planning.question) return corrupt("adopts what cannot be used");
  if (!state_.planned.empty()) return corrupt("adopts a second answer to one question");
  if (*state_.planning.question == k_planning) {
    BERNSTEIN_TRY_VOID(take_plan({read.name, read.source, read.stages, read.tasks}));
  } else {
    BERNSTEIN_TRY_VOID(take_parts(read, state_.tasks.at(*state_.planning.question)));
  }
  end_flight(*attempt, Step::ended);
  return Ok{};
}

Status Applier::on(const PlanFailed& e) {
  if (state_.planning.question != k_planning || is_planner_at_work(state_)) return corrupt("fails no plan");
  state_.planning.question.reset();
  state_.planning.failed = e.why;
  return Ok{};
}

Status Applier::on(const SplitWanted& e) {
  BERNSTEIN_TRY(Task * task, the_task_in_flight());
  if (!may_be_split(state_, *task)) return corrupt("asks nobody to split a task, or a part");
  if (!state_.planning.to_split.insert(task->spec.id).second) return corrupt("asks twice to split a task");
  set_status(*task, TaskStatus::waiting, e.why);
  return Ok{};
}

Status Applier::on(const TaskSplit& e) {
  BERNSTEIN_TRY(Task * task, the_task(TaskStatus::waiting));
  const TaskId whole = task->spec.id;
  if (state_.planning.question != whole || state_.planned.empty()) return corrupt("splits a task into nothing");
  std::vector<TaskId> parts;
  for (const TaskSpec& part : state_.planned) parts.push_back(part.id);
  if (e.parts != parts) return corrupt("names other parts than the planner did");
  state_.planning.question.reset();
  state_.planning.to_split.erase(whole);
  task->parts = e.parts;
  // The last part waits for the others: whoever waited for the whole waits for it.
  if (auto waiting = state_.dependents.extract(whole); !waiting.empty()) {
    waiting.key() = parts.back();
    state_.dependents.insert(std::move(waiting));
  }
  state_.stages[task->spec.stage].unlanded += static_cast<std::uint32_t>(parts.size()) - 1;
  set_status(*task, TaskStatus::split, e.why);
  return Ok{};
}

// The same of the parts of a task (planner/answer.hpp).
Status Applier::check_parts(const std::vector<TaskSpec>& parts, const TaskSpec& whole) const {
  const std::size_t first = state_.tasks.size() + 1;
  if (parts.empty()) return corrupt("splits a task into nothing");
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const TaskSpec& part = parts[i];
    if (part.id.number != first + i) return corrupt("does not number the parts behind the other tasks");
    if (part.part_of != whole.id || part.stage != whole.stage || !part.depends_on_stages.empty())
      return corrupt("has a part that is none");
    for (TaskId needed : part.depends_on) {
      if (needed.number < first || needed.number >= part.id.number)
        return corrupt("has a part that depends on none before it");
    }
  }
  const std::set<TaskId> last_waits_for(parts.back().depends_on.begin(), parts.back().depends_on.end());
  if (last_waits_for.size() != parts.size() - 1) return corrupt("has a last part that does not wait for the others");
  return Ok{};
}

Status Applier::take_parts(const PlanRead& read, const Task& whole) {
  BERNSTEIN_TRY_VOID(check_parts(read.tasks, whole.spec));
  state_.planned = read.tasks;
  return Ok{};
}

Status Applier::assign_planner(const TaskAssigned& e) {
  Planning& planning = state_.planning;
  const std::optional<TaskId> question = open_question(state_);
  const std::optional<PlannerSpec>& planner = config_of(state_).planner;
  const bool is_answered = !state_.planned.empty() && planning.question;
  if (!question || !planner || is_answered || is_planner_at_work(state_))
    return corrupt("has nothing to ask the planner");
  if (event_.subject.attempt != planning.task.attempts.size() + 1) return corrupt("skips a session");
  if (!planning.question) {
    planning.question = question;
    planning.first_session = planning.task.attempts.size();
    planning.task.failures = planning.task.losses = planning.task.parks = 0;
  }
  begin_attempt(planning.task, e, {.agent = e.agent, .model = e.model, .tier = tier_of(e.agent, e.model)});
  return Ok{};
}

// What the run's agents call the model; the model itself where they do not list it.
std::string Applier::tier_of(const std::string& name, const std::string& model) const {
  const AgentSpec* agent = find_agent(config_of(state_), name);
  const ModelSpec* listed = agent == nullptr ? nullptr : find_model(*agent, model);
  return listed == nullptr ? model : listed->tier;
}

}  // namespace bernstein
