#pragma once
// What the router is to learn from an attempt.

#include "bernstein/state/run_state.hpp"

namespace bernstein {

// reward = quality × (1 − cost ÷ ceiling). The ceiling is that of an attempt of such a task (decide/budget.hpp), or
// what the task may cost where that is less; not the run's budget, or the term would vanish in long runs. The second
// factor is at least a tenth: what lands is better than what does not, however dear.
//   quality   1 when it landed, half when it landed and nobody checked it, 0 when it did not: also when its agent
//             crashed, ran out of time or was killed, with what that cost
//   cost      where it is unknown, half of the ceiling: as much as a forecast expects
RewardRecorded reward_of(const RunState& state, const Task& task, const Attempt& attempt);

}  // namespace bernstein
