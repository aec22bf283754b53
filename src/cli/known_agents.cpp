#include "known_agents.hpp"

#include <algorithm>
#include <utility>

#include "bernstein/agent/script.hpp"
#include "bernstein/plan/catalog.hpp"
#include "discovery.hpp"
#include "program.hpp"

namespace bernstein::cli {

KnownAgents known_agents(const Context& context, const std::string& directory) {
  KnownAgents known{.specs = {agent::scripted_agent_spec(context.program)},
                    .automatic = automatic_agents(context, directory, {})};
  for (const plan::CatalogEntry& entry : plan::catalog()) known.specs.push_back(entry.spec);
  return known;
}

std::vector<std::string> automatic_agents(const Context& context, const std::string& directory,
                                          const plan::Config& config) {
  std::vector<std::pair<std::uint32_t, std::string>> ranked;
  for (const plan::CatalogEntry& entry : all_agents(config)) {
    if (entry.facts.rank == 0 || !program_of(entry.spec, context.environment, directory)) continue;
    ranked.emplace_back(entry.facts.rank, entry.spec.name);
  }
  std::ranges::sort(ranked);
  std::vector<std::string> names;
  for (auto& [rank, name] : ranked) names.push_back(std::move(name));
  return names;
}

}  // namespace bernstein::cli
