#include "known_agents.hpp"

#include <algorithm>
#include <utility>

#include "bernstein/agent/script.hpp"
#include "bernstein/plan/catalog.hpp"
#include "program.hpp"

namespace bernstein::cli {

KnownAgents known_agents(const Context& context, const std::string& directory) {
  KnownAgents known{.specs = {agent::scripted_agent_spec(context.program)}, .automatic = {}};
  std::vector<std::pair<std::uint32_t, std::string>> ranked;
  for (const plan::CatalogEntry& entry : plan::catalog()) {
    known.specs.push_back(entry.spec);
    if (entry.facts.rank == 0 || !program_of(entry.spec, context.environment, directory)) continue;
    ranked.emplace_back(entry.facts.rank, entry.spec.name);
  }
  std::ranges::sort(ranked);
  for (auto& [rank, name] : ranked) known.automatic.push_back(std::move(name));
  return known;
}

}  // namespace bernstein::cli
