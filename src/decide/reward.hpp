#pragma once
// What the router is to learn from an attempt.

#include "bernstein/state/run_state.hpp"

namespace bernstein {

// reward = quality × (1 − cost ÷ the attempt's ceiling), with quality 1 when it landed and 0 when not, and the share of
// cost between 0 and 1. Normalised by the task's own ceiling and not by the run's budget, or the term would vanish in
// long runs. An unknown cost counts as what was reserved.
RewardRecorded reward_of(const Task& task, const Attempt& attempt);

}  // namespace bernstein
