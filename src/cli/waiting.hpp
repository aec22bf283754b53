#pragma once
// What a run waits for because of limits of services, in words for people.

#include <string>
#include <vector>

#include "bernstein/state/run_state.hpp"

namespace bernstein::cli {

// A line for each credential that is not free (state/credentials.hpp), printable:
//
//     waiting for claude until 14:05: agent 'claude' may not work now: 429 too many requests
//     codex is tried with t4.2 first
//
// Times are local ones, with the date when it is not that of `now_wall_us`. A credential with another name than its
// agents' is shown with these: "waiting for work (claude, claude-fast) until ...".
std::vector<std::string> waiting_lines(const RunState& state, Micros now_wall_us);

}  // namespace bernstein::cli
