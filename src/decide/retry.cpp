#include "bernstein/decide/retry.hpp"

namespace bernstein {

std::variant<TaskRetried, TaskFailed, SplitWanted> after_failure(const RunState& state, const Task& task,
                                                                 const AttemptFailed& failure) {
  if (failure.class_ == FailureClass::environment) {
    return TaskRetried{"not the task's fault: it starts again once the cause is mended"};
  }
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
    if (task.parks + 1 >= config_of(state).limits.quota_attempts)
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

}  // namespace bernstein
