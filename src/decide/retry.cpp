#include "bernstein/decide/retry.hpp"

#include "bernstein/decide/budget.hpp"
#include "bernstein/decide/router.hpp"
#include "bernstein/state/credentials.hpp"

namespace bernstein {
namespace {

// Its last attempt was a person's, or takes back a landing.
bool is_without_agent(const Task& task) {
  return !task.attempts.empty() && !task.attempts.back().exit;
}

std::variant<TaskRetried, TaskFailed, SplitWanted> after_conflict(const RunState& state, const Task& task,
                                                                  const AttemptFailed& failure) {
  if (task.spec.undoes) return TaskFailed{failure.why};
  const std::uint32_t conflicts = task.conflicts + 1;
  const std::string used_up = own_ceiling_in_words(state, task);
  const bool may_agents_try = used_up.empty() && !is_without_agent(task);
  if (conflicts <= k_same_agent_max && may_agents_try) {
    return TaskRetried{failure.why + "; the same agent resolves that on the target as it is now (" +
                       std::to_string(conflicts) + " of at most " + std::to_string(k_same_agent_max) + " times)"};
  }
  if (conflicts == k_same_agent_max + 1 && may_agents_try && other_arm(state, task, task.attempts.back().arm))
    return TaskRetried{failure.why + "; another model resolves that"};
  const AttemptId persons{task.spec.id, static_cast<std::uint32_t>(task.attempts.size()) + 1};
  return TaskFailed{failure.why + (used_up.empty() ? "" : "; " + used_up) +
                    "; a person resolves that in .sdd/worktrees/" + session_name(state.run, persons) +
                    ", then `bernstein retry " + to_string(state.run) + "/" + to_string(task.spec.id) + "`"};
}

std::variant<TaskRetried, TaskFailed, SplitWanted> after_own_fault(const RunState& state, const Task& task,
                                                                   const AttemptFailed& failure) {
  if (is_without_agent(task)) return TaskFailed{failure.why};
  const std::uint32_t used = task.failures + 1;
  const std::uint32_t limit = config_of(state).limits.attempts;
  const std::string why =
      "attempt " + std::to_string(used) + " of " + std::to_string(limit) + " failed: " + failure.why;
  if (used < limit) return TaskRetried{why};
  if (may_be_split(state, task)) return SplitWanted{why};
  return TaskFailed{why};
}

std::variant<TaskRetried, TaskFailed, SplitWanted> after_quota(const RunState& state, const Task& task,
                                                               const AttemptFailed& failure) {
  const bool is_charged = !said_until_when(task.attempts.back());
  if (is_charged && task.parks + 1 >= config_of(state).limits.quota_attempts)
    return TaskFailed{std::to_string(task.parks + 1) + " attempts ended because an agent may not work: " + failure.why};
  return TaskRetried{"its agent may not work now, which uses up no attempt: " + failure.why};
}

std::variant<TaskRetried, TaskFailed, SplitWanted> after_loss(const Task& task, const AttemptFailed& failure) {
  const std::uint32_t losses = task.losses + 1;
  if (losses >= k_losses_max) {
    return TaskFailed{"lost " + std::to_string(losses) + " attempts without a fault of the task: " + failure.why};
  }
  return TaskRetried{"the attempt was lost, which uses up none: " + failure.why};
}

// As if money were no object.
std::variant<TaskRetried, TaskFailed, SplitWanted> after_any(const RunState& state, const Task& task,
                                                             const AttemptFailed& failure) {
  switch (failure.class_) {
    case FailureClass::environment:
      return TaskRetried{"not the task's fault: it starts again once the cause is mended"};
    case FailureClass::conflict:
      return after_conflict(state, task, failure);
    case FailureClass::task:
      return after_own_fault(state, task, failure);
    case FailureClass::quota:
      return after_quota(state, task, failure);
    case FailureClass::orchestrator:
    case FailureClass::count_:
      break;
  }
  return after_loss(task, failure);
}

}  // namespace

std::variant<TaskRetried, TaskFailed, SplitWanted> after_failure(const RunState& state, const Task& task,
                                                                 const AttemptFailed& failure) {
  auto next = after_any(state, task, failure);
  if (!std::holds_alternative<TaskRetried>(next)) return next;
  const std::string used_up = own_ceiling_in_words(state, task);
  if (used_up.empty()) return next;
  return TaskFailed{failure.why + "; " + used_up};
}

bool goes_to_a_person(const Task& task, const AttemptFailed& failure) {
  if (task.spec.undoes) return false;
  return failure.class_ == FailureClass::conflict || (failure.class_ == FailureClass::task && is_without_agent(task));
}

}  // namespace bernstein
