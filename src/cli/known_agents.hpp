#pragma once
// The agents that need no configuration: those of the catalog, and the scripted one that is part of us.

#include <string>
#include <vector>

#include "bernstein/cli/context.hpp"
#include "settings.hpp"

namespace bernstein::cli {

// `directory`: what relative programs are looked up in.
KnownAgents known_agents(const Context& context, const std::string& directory);

}  // namespace bernstein::cli
