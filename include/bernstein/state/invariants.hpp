#pragma once
// What must hold in every state of every run, whatever happened. Tests call it after each event; audit at the end.

#include <string>
#include <vector>

#include "bernstein/state/run_state.hpp"

namespace bernstein {

// One sentence for each broken invariant; empty when all hold.
std::vector<std::string> broken_invariants(const RunState& state);

}  // namespace bernstein
