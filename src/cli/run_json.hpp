#pragma once
// The JSON object that `run --json` and `status --json` print: the same for a run that is over and for one under way.
//
//     context.out << run_json(state, events) << '\n';
//
// Keys: run, outcome (null while the run goes on, unless the caller has a word for it), tasks, cost_usd, wall_s,
// events; where there is something to say also flaky, red_target and waiting (credential, its agents, until when in UTC
// or null while one session is tried first, why). A cost that no agent told is null, never 0; where only some told, it
// is their sum. wall_s is the run's logical clock at its last event.

#include <cstdint>
#include <optional>
#include <string>

#include "bernstein/state/run_state.hpp"

namespace bernstein::cli {

// One line, without a newline at the end. `events`: how many of the run's events `state` is the fold of. `unfinished`:
// the outcome to print when the run has not ended; "" prints null.
std::string run_json(const RunState& state, std::int64_t events, const std::string& unfinished = "");

// What the attempts of a task cost, as far as their agents told. Nothing when there are attempts whose agent has exited
// and none of them told; $0 before any agent has exited.
std::optional<UsdMicros> known_cost(const Task& task);
// The same over all tasks.
std::optional<UsdMicros> known_cost(const RunState& state);

}  // namespace bernstein::cli
