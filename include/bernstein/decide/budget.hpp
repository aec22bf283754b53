#pragma once
// Money: what an attempt may cost, and whether there is enough left to start one.
//
// Budget by reservation: spent + reserved <= budget holds in every prefix of the log as long as agents cost what was
// reserved; an attempt reserves its task's ceiling before it starts. When less than a ceiling is left and nothing is in
// flight, the last attempt gets what is left. So an agent that costs more than its reservation overshoots by one
// attempt.

#include <optional>

#include "bernstein/state/run_state.hpp"

namespace bernstein {

// What one attempt of the task is expected to cost at most: low $0.25, medium $1, high $3; half for small scope, double
// for large.
UsdMicros attempt_ceiling(const TaskSpec& spec);

// What the next attempt would reserve; nothing when there is not enough left for it now.
std::optional<UsdMicros> reservation(const RunState& state, const TaskSpec& spec);

}  // namespace bernstein
