#pragma once
// Which agent and model works on a task's next attempt, and why.
//
//     RouteChosen route = choose_route(state, task);      // route.arm, route.why
//
// Static cascade: the arms are ordered from cheapest to strongest; low complexity starts at the cheapest, medium in the
// middle, high at the strongest; roles whose mistakes are expensive (manager, architect, security) never start at the
// cheapest; every attempt that failed by the task's fault moves one step up. Pins of the task, then of its role, win.
// A conflict is resolved by who made it, then by the arm next to it (decide/retry.hpp).
// Agents that may not work now (state/credentials.hpp) are passed over as long as there is another one.
// A score is minus the distance from the wanted step, so the best is 0.

#include "bernstein/event/event.hpp"
#include "bernstein/state/run_state.hpp"

namespace bernstein {

// What a choice may depend on. docs/event-log.md has the table (meaning, range, unit).
std::map<std::string, std::int64_t> route_features(const RunState& state, const Task& task);

// The arms that the pins leave, cheapest first; never empty. A pinned model that the agent does not list is passed on.
std::vector<Arm> eligible_arms(const RunConfig& config, const TaskSpec& spec);

// The next stronger arm of those, or the next cheaper one where there is none; nothing when there is no other.
std::optional<Arm> other_arm(const RunState& state, const Task& task, const Arm& arm);

// The arm of choose_route() alone, without the features, scores and reasons that go into the log.
Arm choose_arm(const RunState& state, const Task& task);

RouteChosen choose_route(const RunState& state, const Task& task);

}  // namespace bernstein
