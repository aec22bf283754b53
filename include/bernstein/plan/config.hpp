#pragma once
// bernstein.yaml: text in, settings out. The keys and their defaults are in docs/config.md; `bernstein init` writes a
// commented one.
//
//     ConfigResult result = parse_config(text, "bernstein.yaml");
//
// Every key is optional; an empty document is a valid configuration. Unknown keys are faults with "did you mean".

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "bernstein/base/units.hpp"
#include "bernstein/event/spec.hpp"
#include "bernstein/plan/catalog.hpp"
#include "bernstein/plan/faults.hpp"

namespace bernstein::plan {

struct RoutingSettings {
  std::vector<std::string> arms;  // "agent/tier", cheapest first; empty: all models of the chosen agent
  RoutingRules rules{.mode = RoutingMode::bandit};
};

// How work lands where bernstein.yaml says nothing of it: change logs take the lines of both sides, and what only says
// how checks run stays as the target has it unless a task owns it.
LandingRules usual_landing_rules();

struct Config {
  std::string agent;  // `cli:`; "" for auto
  std::uint32_t max_agents = 4;
  std::optional<UsdMicros> budget;
  std::optional<std::int64_t> budget_tokens;
  std::vector<std::string> constraints;
  std::vector<std::string> context_files;
  std::map<std::string, RolePolicy> role_policy;    // `role_model_policy:`
  std::map<std::string, std::uint32_t> role_slots;  // `role_slots: {docs: 1}`
  std::map<std::string, std::string> roles;         // `roles: {docs: "Write for ..."}`: instead of the built-in text
  WorktreeSetup worktree_setup;
  std::vector<CheckSpec> gates;   // `quality_gates:`, in file order
  std::vector<AgentSpec> agents;  // `agents:`, in file order; those of the catalog with what is said of them anew
  std::map<std::string, AgentFacts> agent_facts;  // of the same
  std::map<std::string, TokenPrice> prices;       // `prices:`, by model: instead of those that agents have for it
  RoutingSettings routing;
  LandingRules landing = usual_landing_rules();
  Limits limits;
  SandboxMode sandbox = SandboxMode::automatic;
  std::vector<std::string> warnings;
};

using ConfigResult = std::variant<Config, Faults>;

ConfigResult parse_config(std::string_view text, const std::string& file);

}  // namespace bernstein::plan
