#pragma once
// What the router is to learn from an attempt.

#include "bernstein/state/run_state.hpp"

namespace bernstein {

// reward = quality × (1 − cost ÷ the attempt's ceiling), both factors between 0 and 1. Normalised by the task's own
// ceiling and not by the run's budget, or the term would vanish in long runs.
//   quality   1 when it landed, half when it landed and nobody checked it, 0 when it did not: also when its agent
//             crashed, ran out of time or was killed, with what that cost
//   cost      where it is unknown, half of the ceiling: as much as a forecast expects
RewardRecorded reward_of(const RunState& state, const Task& task, const Attempt& attempt);

}  // namespace bernstein
