#pragma once
// The steps of decide(), one function each. Each returns the drafts of one step, or none when it has nothing to decide.

#include <vector>

#include "bernstein/state/run_state.hpp"

namespace bernstein {

// decide/attempt.cpp: what follows for the first attempt whose step waits for a decision.
std::vector<Draft> decide_attempt(const RunState& state);

// decide/schedule.cpp
std::vector<Draft> create_tasks(const RunState& state);
std::vector<Draft> ready_or_block(const RunState& state);
std::vector<Draft> take_up_landing(const RunState& state);
std::vector<Draft> assign(const RunState& state);
std::vector<Draft> finish(const RunState& state);

}  // namespace bernstein
