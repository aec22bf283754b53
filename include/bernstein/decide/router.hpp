#pragma once
// Which agent and model works on a task's next attempt, and why.
//
//     if (std::optional<RouteChosen> route = choose_route(state, task)) ...      // route->arm, route->why
//
// The arms are ordered from the cheapest to the strongest (RunConfig::arms); arms beside each other whose tier has the
// same word stand on one step. What restricts the choice, in this order:
//   pins      of the task, then of its role: they leave the arms of that agent, or the one arm with that model
//   floors    roles whose mistakes are expensive (manager, architect, security) never get the cheapest step; after an
//             attempt that failed by the task's fault, only the steps above its arm's, or the highest one
//   presence  agents that may not take a session now (state/credentials.hpp), or have all they may have, are passed
//   over,
//             and with nothing in flight also arms that the budgets do not allow; when no arm is left, the task waits
// Who chooses among the arms that are left, the eligible ones (`rule` of RouteChosen):
//   pin       one arm is left by the pins: that one
//   static    low complexity starts on the lowest step, medium in the middle, high on the highest; each failed attempt
//             moves one step up. The first eligible arm of that step, else of the next one above it, else below it
//   warmup    mode is bandit, and the run's arms have fewer than `warmup` rewarded attempts over all runs: as static
//   bandit    mode is bandit: the highest score of LinUCB (bandit/linucb.hpp); of equal ones the first
//   conflict  a conflict is resolved by who made it, then by the arm next to it (decide/retry.hpp)
// In mode bandit, explore_ppm of the choices, cold start included, is spread evenly over the eligible arms, the best
// one too; which choice that is, the run's seed and the attempt's name say (base/random.hpp). So each eligible arm has
// a known probability, above 0 with explore_ppm > 0, and what another policy would have done can be estimated from the
// log (inverse propensity weighting). In mode shadow the cascade chooses, and what LinUCB would choose is recorded.
//
// Scores of the cascade are minus the distance in steps from the wanted one, so the best is 0. In mode shadow they are
// LinUCB's, once there is enough experience.

#include <optional>
#include <string>
#include <vector>

#include "bernstein/bandit/features.hpp"
#include "bernstein/event/event.hpp"
#include "bernstein/state/run_state.hpp"

namespace bernstein {

// What a choice may depend on.
Features route_features(const RunState& state, const Task& task);

// The arms that the pins leave, cheapest first; never empty. A pinned model that the agent does not list is passed on.
std::vector<Arm> eligible_arms(const RunConfig& config, const TaskSpec& spec);

// The next stronger arm of those, or the next cheaper one where there is none and the role may have it; nothing when
// there is no other.
std::optional<Arm> other_arm(const RunState& state, const Task& task, const Arm& arm);

// The route of the task's next attempt; nothing while no arm that it may have is there.
std::optional<RouteChosen> choose_route(const RunState& state, const Task& task);

// The same as if every agent were there and money were no object.
RouteChosen foresee_route(const RunState& state, const Task& task);

// Whether the agent of an arm that it may have is there. Depends on the task's Lane alone, and on no score.
bool has_route(const RunState& state, const Task& task);

// Whether the budgets allow an attempt by an arm that it may have, be its agent there or not.
bool can_be_paid(const RunState& state, const Task& task);

// Which agents the task waits for, and why each is not there: "agent 'claude' may not work now: ...". Requires that it
// has no route.
std::string missing_agents(const RunState& state, const Task& task);

}  // namespace bernstein
