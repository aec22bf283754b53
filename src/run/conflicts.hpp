#pragma once
// Conflicts of a task's earlier attempts.

#include <string>
#include <vector>

#include "bernstein/state/run_state.hpp"

namespace bernstein::run {

// Each path once, as the last attempt that met it found it.
std::vector<ConflictedPath> conflicts_of_earlier_attempts(const Task& task);

// Paths of the conflict that an attempt began with; empty when it began with none.
std::vector<std::string> conflicts_to_resolve(const RunState& state, AttemptId attempt);

}  // namespace bernstein::run
