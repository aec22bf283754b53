#include "bernstein/decide/planning.hpp"

#include "bernstein/base/text.hpp"
#include "bernstein/decide/budget.hpp"
#include "bernstein/decide/parks.hpp"
#include "bernstein/decide/retry.hpp"
#include "bernstein/state/credentials.hpp"
#include "steps.hpp"
#include "words.hpp"

namespace bernstein {
namespace {

std::string question_in_words(const RunState& state, TaskId question) {
  if (question == k_planning) return "the goal needs a plan";
  return to_string(question) + " '" + task_of(state, question).spec.title + "' is to be split";
}

// Why the planner is not asked again after this failure; "" when it is.
std::string gives_up(const RunState& state, const AttemptFailed& failure) {
  const Task& planning = state.planning.task;
  switch (failure.class_) {
    case FailureClass::task:
      return planning.failures + 1 < k_answers_max
                 ? ""
                 : plural(planning.failures + 1, "session") + " of the planner failed";
    case FailureClass::quota:
      return said_until_when(planning.attempts.back()) || planning.parks + 1 < config_of(state).limits.quota_attempts
                 ? ""
                 : plural(planning.parks + 1, "session") + " of the planner ended because its agent may not work";
    case FailureClass::orchestrator:
      return planning.losses + 1 < k_losses_max ? ""
                                                : plural(planning.losses + 1, "session") + " of the planner were lost";
    case FailureClass::environment:
    case FailureClass::conflict:  // nothing of a planner's lands
    case FailureClass::count_:
      break;
  }
  return "";  // the run halts, and a resume asks again
}

}  // namespace

Arm arm_of(const PlannerSpec& planner) {
  return {.agent = planner.agent, .model = planner.model, .tier = planner.model};
}

std::vector<Draft> ask_planner(const RunState& state) {
  const std::optional<TaskId> question = open_question(state);
  if (!question || is_planner_at_work(state) || !may_start(state)) return {};
  const PlannerSpec& planner = *config_of(state).planner;
  const Task& planning = state.planning.task;
  const std::optional<Outlay> reserved = reservation(state, planning, arm_of(planner));
  if (!reserved || !may_take_one(state, planner.agent) || agent_is_full(state, planner.agent) > 0) return {};
  if (role_is_full(state, planning.spec.role)) return {};
  const AttemptId session{k_planning, static_cast<std::uint32_t>(planning.attempts.size()) + 1};
  std::string why = question_in_words(state, *question);
  if (planning.failures > 0 && state.planning.question) {
    why += "; answer " + std::to_string(planning.failures + 1) + " of at most " + std::to_string(k_answers_max);
  }
  return {{about(session),
           TaskAssigned{planner.agent, planner.model, {}, reserved->micros, reserved->tokens, std::move(why)}}};
}

std::vector<Draft> judge_answer(const RunState& state, const Attempt& session) {
  const PlanRead& read = *session.answer;
  if (!read.faults.empty()) {
    std::string why = "its answer cannot be used: " + read.faults.front();
    if (read.faults.size() > 1) why += " (and " + plural(read.faults.size() - 1, "more fault") + ")";
    return fail(state, state.planning.task, session, {.evidence = {{why, read.answer}}, .why = why});
  }
  const TaskId question = *state.planning.question;
  const std::string tasks = plural(read.tasks.size(), "task");
  std::vector<Draft> drafts;
  if (question == k_planning) {
    drafts.push_back(
        {about(session.id), PlanAdopted{"a plan of " + tasks + " in " + plural(read.stages.size(), "stage")}});
  } else {
    TaskSplit split{.why = to_string(session.id) + " split it into " + tasks};
    for (const TaskSpec& part : read.tasks) split.parts.push_back(part.id);
    drafts.push_back({about(session.id), PlanAdopted{tasks + " in place of " + to_string(question)}});
    drafts.push_back({about(question), std::move(split)});
  }
  drafts.push_back({about(session.id), WorktreeRemoveRequested{}});
  return drafts;
}

std::vector<Draft> after_failed_session(const RunState& state, const AttemptFailed& failure) {
  const std::string why = gives_up(state, failure);
  if (why.empty()) return {};
  const TaskId question = *state.planning.question;
  if (question == k_planning)
    return {{about_run(), PlanFailed{"there is no plan: " + why + "; the last one: " + failure.why}}};
  return {
      {about(question), TaskFailed{task_of(state, question).why + "; it could not be split either: " + failure.why}}};
}

}  // namespace bernstein
