#pragma once
// decide: what follows from the state. Pure: no clock, no randomness, no I/O; reads the state and nothing else.
//
//     while (true) {
//       std::vector<Draft> drafts = decide(state);
//       if (drafts.empty()) break;
//       for (const Draft& draft : drafts) apply(state, seal(draft));
//     }
//
// Each call gives the drafts of one step, in order; they are applied before the next call. The run is quiescent when
// there are none: then only an input or a result can move it. So "the decisions that follow from an input" is what this
// loop gives after the input was applied (settle(), below), live and in replay alike.
//
// Order of the steps, first that applies:
//   1. tasks of an accepted plan are created, and one for each landing that is to be taken back
//   2. attempts whose step waits for a decision, by id (decide/attempt.cpp)
//   3. tasks are blocked, then readied, by id
//   4. the landing queue goes on (decide/landing.hpp)
//   5. the best ready task that fits gets a route, a slot and a worktree (decide/schedule.cpp)
//   6. the planner is asked, where a goal or a task that failed waits for it (decide/planning.hpp)
//   7. the run ends, when nothing is left that could move

#include <functional>
#include <vector>

#include "bernstein/base/result.hpp"
#include "bernstein/state/run_state.hpp"

namespace bernstein {

// Version of the rules in this room. A run is decided by one version from start to end; RunStarted records it.
inline constexpr std::uint32_t k_rules_version = 3;

std::vector<Draft> decide(const RunState& state);

// Gives a draft its place in the log (seq, time, cause) as an event.
using Seal = std::function<Event(Draft)>;

// Applies `input`, then decides and applies until nothing follows any more. Returns the events that followed, in order.
Result<std::vector<Event>> settle(RunState& state, const Event& input, const Seal& seal);

}  // namespace bernstein
