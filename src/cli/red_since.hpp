#pragma once
// Since when the target fails its own checks.

#include <string>

#include "bernstein/port/event_log.hpp"
#include "bernstein/port/workspace.hpp"
#include "bernstein/state/run_state.hpp"

namespace bernstein::cli {

// How many commits back a passed verdict is looked for.
inline constexpr std::size_t k_history_max = 1000;

// "it passed at 0123456 "Add x"; the first that may have broken it is 89abcde "Mend y" by Ann, of 3 since then", by the
// verdicts that this and earlier runs reached in the same environment. "" when the target is not red, or nothing can be
// told.
std::string red_since(const RunState& state, port::Workspace& workspace, port::EventReader& log);

}  // namespace bernstein::cli
