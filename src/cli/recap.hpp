#pragma once
// The recap: one screen at the end of a run. What landed, what did not and where its work is kept, what it cost, how
// much time was saved, and what to do next.

#include <string>

#include "bernstein/state/run_state.hpp"
#include "tally.hpp"

namespace bernstein::cli {

// The tasks of a plan that waits for a person's look, a few lines each; "" when none does.
std::string waiting_plan(const RunState& state);

// Where the plan is kept that was made for a goal; relative to the repository.
std::string plan_file_of(RunId run);

std::string recap(const RunState& state, const Tally& tally);

}  // namespace bernstein::cli
