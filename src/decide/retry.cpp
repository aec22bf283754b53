#include "bernstein/decide/retry.hpp"

#include "bernstein/decide/parks.hpp"
#include "bernstein/decide/router.hpp"

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
  if (conflicts <= k_same_agent_max && !is_without_agent(task)) {
    return TaskRetried{failure.why + "; the same agent resolves that on the target as it is now (" +
                       std::to_string(conflicts) + " of at most " + std::to_string(k_same_agent_max) + " times)"};
  }
  if (conflicts == k_same_agent_max + 1 && !is_without_agent(task) && other_arm(state, task, task.attempts.back().arm))
    return TaskRetried{failure.why + "; another model resolves that"};
  const AttemptId persons{task.spec.id, static_cast<std::uint32_t>(task.attempts.size()) + 1};
  return TaskFailed{failure.why + "; a person resolves that in .sdd/worktrees/" + session_name(state.run, persons) +
                    ", then `bernstein retry " + to_string(state.run) + "/" + to_string(task.spec.id) + "`"};
}

}  // namespace

std::variant<TaskRetried, TaskFailed, SplitWanted> after_failure(const RunState& state, const Task& task,
                                                                 const AttemptFailed& failure) {
  if (failure.class_ == FailureClass::environment) {
    return TaskRetried{"not the task's fault: it starts again once the cause is mended"};
  }
  if (failure.class_ == FailureClass::conflict) return after_conflict(state, task, failure);
  if (failure.class_ == FailureClass::task && is_without_agent(task)) return TaskFailed{failure.why};
  if (failure.class_ == FailureClass::task) {
    const std::uint32_t used = task.failures + 1;
    const std::uint32_t limit = config_of(state).limits.attempts;
    const std::string why =
        "attempt " + std::to_string(used) + " of " + std::to_string(limit) + " failed: " + failure.why;
    if (used < limit) return TaskRetried{why};
    if (may_be_split(state, task)) return SplitWanted{why};
    return TaskFailed{why};
  }
  if (failure.class_ == FailureClass::quota) {
    if (!said_until_when(task.attempts.back()) && task.parks + 1 >= config_of(state).limits.quota_attempts)
      return TaskFailed{std::to_string(task.parks + 1) +
                        " attempts ended because an agent may not work: " + failure.why};
    return TaskRetried{"its agent may not work now, which uses up no attempt: " + failure.why};
  }
  const std::uint32_t losses = task.losses + 1;
  if (losses >= k_losses_max) {
    return TaskFailed{"lost " + std::to_string(losses) + " attempts without a fault of the task: " + failure.why};
  }
  return TaskRetried{"the attempt was lost, which uses up none: " + failure.why};
}

bool goes_to_a_person(const Task& task, const AttemptFailed& failure) {
  if (task.spec.undoes) return false;
  return failure.class_ == FailureClass::conflict || (failure.class_ == FailureClass::task && is_without_agent(task));
}

}  // namespace bernstein
