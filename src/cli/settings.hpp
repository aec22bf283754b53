#pragma once
// What a run is to go by: bernstein.yaml, overridden by what stands at the top of the plan, overridden by flags.
//
//     MergeResult merged = merge_settings(config, plan, options, known_agents(context));
//     if (auto* refusal = std::get_if<Refusal>(&merged)) ...
//
// Pure. Names of agents are checked against those that there are: bernstein.yaml's and the built-in ones. Those in the
// plan have been, where it was read: a fault there has a line.

#include <string>
#include <variant>
#include <vector>

#include "bernstein/cli/commands.hpp"
#include "bernstein/cli/context.hpp"
#include "bernstein/event/spec.hpp"
#include "bernstein/plan/config.hpp"
#include "bernstein/plan/plan.hpp"

namespace bernstein::cli {

// Why nothing is started: every reason, a sentence each.
struct Refusal {
  Exit exit = Exit::bad_input;
  std::vector<std::string> reasons;
};

struct Settings {
  RunConfig config;                // its agents are those that this plan's tasks can get, no others
  std::vector<std::string> notes;  // for the person: settings that this version does not follow
};

using MergeResult = std::variant<Settings, Refusal>;

// The agent that bernstein.yaml wants for tasks that name none; "" when the catalog is to choose.
std::string preferred_agent(const plan::Config& config);

// Agents that need no configuration; bernstein.yaml may override them by name.
struct KnownAgents {
  std::vector<AgentSpec> specs;
  std::vector<std::string> automatic;  // what `cli: auto` picks from, the best first
};

MergeResult merge_settings(const plan::Config& config, const plan::Plan& plan, const RunOptions& options,
                           const KnownAgents& built_in);

}  // namespace bernstein::cli
