#pragma once
// The agents that need no configuration: those of the catalog, and the scripted one that is part of us.

#include <string>
#include <vector>

#include "bernstein/cli/context.hpp"
#include "bernstein/plan/config.hpp"
#include "settings.hpp"

namespace bernstein::cli {

// `directory`: what relative programs are looked up in.
KnownAgents known_agents(const Context& context, const std::string& directory);

// What `cli: auto` picks from: the installed ones with a rank, the best first. By what bernstein.yaml says of them.
std::vector<std::string> automatic_agents(const Context& context, const std::string& directory,
                                          const plan::Config& config);

}  // namespace bernstein::cli
