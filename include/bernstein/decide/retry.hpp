#pragma once
// What happens to a task whose attempt failed.
//
//   task          uses up one of limits.attempts: again with the evidence; when none is left it is split where the run
//                 has a planner (decide/planning.hpp), or failed
//   orchestrator  again without penalty, at most k_losses_max times in the life of the task
//   quota         the agent's credential is parked (decide/parks.hpp); again without penalty. When its service does not
//                 say until when, at most limits.quota_attempts times in the life of the task
//   conflict      a ladder: the same agent, in a worktree that holds its earlier work merged with the target as it is
//   now,
//                 at most k_same_agent_max times; another model, once, where there is one; then a person, in such a
//                 worktree. Resolvers work one at a time. None of it uses up an attempt
//   environment   the task stays ready, but nothing new starts: the run ends and says what is missing
//
// Whatever the failure, a task that has used up its own ceiling (`limits.task_cost`, a step's `budget`) is not tried
// again by agents: it fails, or its conflict goes to a person. Nor is it split, which would cost more than it may.

#include <variant>

#include "bernstein/state/run_state.hpp"

namespace bernstein {

inline constexpr std::uint32_t k_same_agent_max = 2;
inline constexpr std::uint32_t k_losses_max = 5;  // also of interruptions of one attempt's checks

// What becomes of a task whose current attempt ends in this failure (not yet applied).
std::variant<TaskRetried, TaskFailed, SplitWanted> after_failure(const RunState& state, const Task& task,
                                                                 const AttemptFailed& failure);

// Whether a failure that ends the task leaves a person a worktree to go on in.
bool goes_to_a_person(const Task& task, const AttemptFailed& failure);

}  // namespace bernstein
