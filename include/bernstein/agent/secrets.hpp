#pragma once
// Secrets of a run: values of variables that its agents get (`env` of an agent) and whose names say that they are some.
// They reach the agents and nothing else: no log, blob, event, prompt or argument has them.
//
//     Secrets secrets = agent::secrets_of(config.agents, environment);      // {"MY_AGENT_KEY", "sk-..."}
//     std::set<std::string> found = agent::redact_inputs(secrets, config, plan);

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "bernstein/agent/command.hpp"
#include "bernstein/base/redact.hpp"
#include "bernstein/event/event.hpp"

namespace bernstein::agent {

// Shorter values would take ordinary words with them.
inline constexpr std::size_t k_secret_bytes_min = 8;

// Whether KEY, TOKEN, SECRET, PASSWORD or CREDENTIAL is in it, in capitals or not.
bool is_secret_name(std::string_view name);

// Of all agents together: a task may go to one of them and hold the key of another.
Secrets secrets_of(const std::vector<AgentSpec>& agents, const Environment& environment);

// Takes secrets out of what a person wrote to be read or run: names, titles, descriptions, constraints and commands.
// Paths, and names by which things are found, stay. The names of the secrets that were found.
std::set<std::string> redact_inputs(const Secrets& secrets, RunConfig& config, PlanAccepted& plan);

}  // namespace bernstein::agent
