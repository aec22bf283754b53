#pragma once
// What the router has learnt, over all runs of a workspace: read from the log, and shown in a file.
//
//     BERNSTEIN_TRY(const Policy policy, learnt_policy(*log, config.routing.ridge_ppm));
//     started.policy = experiences_for(config, policy);
//     BERNSTEIN_TRY_VOID(export_policy(policy, ridge_ppm, sdd));        // .sdd/routing/policy.json
//
// The file is for people and programs that want to look; nothing reads it back. It is replaced as a whole, so whoever
// reads it finds the old one or the new one.

#include <string>
#include <vector>

#include "bernstein/bandit/policy.hpp"
#include "bernstein/port/event_log.hpp"

namespace bernstein::cli {

// The fold over every reward in the log and the features of the route that it is for.
Result<Policy> learnt_policy(port::EventReader& log, std::int64_t ridge_ppm);

// Of those the arms of agents that a run with this configuration has: a pin may name any of their models.
std::vector<ArmExperience> experiences_for(const RunConfig& config, const Policy& policy);

// {"completions", "ridge", "arms": [{"agent", "model", "completions", "mean_reward", "mean_cost_usd", "theta": {by name
// of the component}}]}, arms by agent and model.
std::string policy_json(const Policy& policy, std::int64_t ridge_ppm);
Status export_policy(const Policy& policy, std::int64_t ridge_ppm, const std::string& sdd);

}  // namespace bernstein::cli
