#pragma once
// plan.yaml: text in, tasks out.
//
//     PlanResult result = parse_plan(text, options);
//     if (auto* faults = std::get_if<Faults>(&result)) std::cerr << format("plan.yaml", *faults);
//
// A plan is a list of stages, each a list of steps; every step becomes a task, numbered t1, t2, ... in the order of the
// file. The keys and their defaults are in docs/plan.md. Plans of the Python Bernstein load unchanged; a key that has
// no meaning here is named in a warning, a key that is probably a typing error in a fault.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "bernstein/base/units.hpp"
#include "bernstein/event/spec.hpp"
#include "bernstein/plan/faults.hpp"

namespace bernstein::plan {

inline constexpr std::size_t k_document_bytes_max = 10 << 20;

// What stands at the top of a plan overrides bernstein.yaml; what stands on the command line overrides both.
struct PlanSettings {
  std::string agent;  // `cli:`; "" when absent or "auto"
  std::string model;
  std::optional<UsdMicros> budget;
  std::optional<std::int64_t> budget_tokens;
  std::optional<std::uint32_t> max_agents;
  std::vector<std::string> constraints;
  std::vector<std::string> context_files;
};

struct Plan {
  std::string name;
  std::string description;
  PlanSettings settings;
  std::vector<StageSpec> stages;
  std::vector<TaskSpec> tasks;
  std::vector<std::string> warnings;  // one sentence each, with file line: "plan.yaml:7: key 'repo' is not used here"
};

// What a plan may not do when a model wrote it. A person decides what is run and what is spent: such a plan has no
// command (`test_passes`), and no `cli`, `model`, `effort`, `budget`, `budget_tokens`, `max_agents`, `constraints` or
// `context_files`. Each is a fault that says so, and so are titles, ids and descriptions that are too long for their
// places, and roles that are no word (small letters, digits, '-', '_'). Texts of a signal that are empty count as
// absent, because an answer that is held to a schema names every field. Faults and warnings name steps and no lines:
// nobody has seen the text.
struct ModelRules {
  std::vector<std::string> gates = {};  // names of the project's, for signals of type `gate`
  std::uint32_t tasks_max = 100;        // more steps are one fault, and nothing more is said about them
  std::string role = "backend";         // of steps that name none
  std::uint32_t priority = 2;           // likewise, 1 to 5
};

struct PlanOptions {
  std::string file = "plan.yaml";                       // as the person named it; for warnings
  Micros check_timeout_us = 10 * k_minute;              // for test_passes without a timeout of its own
  std::optional<std::vector<std::string>> agents = {};  // that there are; nothing: `cli:` is not checked
  bool agent_is_given = false;                          // on the command line: it stands for the plan's own `cli:`
  std::optional<std::vector<std::string>> gates = {};   // names of the project's; nothing: `gate` is not checked
  std::optional<ModelRules> by_model = {};              // nothing: a person wrote the plan
};

using PlanResult = std::variant<Plan, Faults>;

PlanResult parse_plan(std::string_view text, const PlanOptions& options);

// The fault of a plan with more steps than ModelRules::tasks_max, for those who count them before the plan is read.
std::string too_many_steps(std::size_t steps, std::uint32_t tasks_max);

// Adds " (2)", " (3)", ... to names of checks that stand more than once, in order.
void make_names_unique(std::vector<CheckSpec>& checks);

}  // namespace bernstein::plan
