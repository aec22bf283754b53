#include "bernstein/decide/router.hpp"

#include <algorithm>
#include <utility>

#include "bernstein/base/check.hpp"
#include "bernstein/decide/retry.hpp"
#include "bernstein/state/credentials.hpp"

namespace bernstein {
namespace {

struct Pins {
  std::string agent;
  std::string model;
  std::string by;  // "the task", "role 'docs'", "the task and role 'docs'"
};

// The task's own pins win over its role's, each on its own.
Pins pins_of(const RunConfig& config, const TaskSpec& spec) {
  Pins pins{.agent = spec.agent, .model = spec.model, .by = "the task"};
  auto policy = config.role_policy.find(spec.role);
  if (policy == config.role_policy.end()) return pins;
  const bool by_task = !pins.agent.empty() || !pins.model.empty();
  if (pins.agent.empty()) pins.agent = policy->second.agent;
  if (pins.model.empty()) pins.model = policy->second.model;
  const bool by_role = pins.agent != spec.agent || pins.model != spec.model;
  if (by_role) pins.by = (by_task ? "the task and role '" : "role '") + spec.role + "'";
  return pins;
}

bool is_high_stakes(const std::string& role) {
  return role == "architect" || role == "manager" || role == "security";
}

std::size_t starting_step(Complexity complexity, std::size_t arms) {
  switch (complexity) {
    case Complexity::low:
      return 0;
    case Complexity::medium:
      return (arms - 1) / 2;
    case Complexity::high:
      return arms - 1;
    case Complexity::count_:
      break;
  }
  return 0;
}

// An integer as C's %a prints it as a double, for the small whole numbers that scores of the static rule are.
std::string hex_float(std::int64_t value) {
  if (value == 0) return "0x0p+0";
  const bool negative = value < 0;
  auto magnitude = static_cast<std::uint64_t>(negative ? -value : value);
  int exponent = 0;
  while ((magnitude >> exponent) > 1) ++exponent;
  std::uint64_t fraction = magnitude - (std::uint64_t{1} << exponent);
  std::string digits;
  for (int bits = exponent; fraction != 0; bits -= 4) {
    const std::uint64_t digit = bits >= 4 ? fraction >> (bits - 4) : fraction << (4 - bits);
    digits += "0123456789abcdef"[digit & 15U];
    fraction = bits >= 4 ? fraction & ((std::uint64_t{1} << (bits - 4)) - 1) : 0;
  }
  return std::string(negative ? "-" : "") + "0x1" + (digits.empty() ? "" : "." + digits) + "p+" +
         std::to_string(exponent);
}

// Of the eligible arms those whose agent may work now; all of them when none may: the task waits then.
std::vector<Arm> arms_at_work(const RunState& state, const Task& task) {
  std::vector<Arm> arms = eligible_arms(config_of(state), task.spec);
  const auto has_to_wait = [&](const Arm& arm) { return !may_take_one(state, arm.agent); };
  if (!std::ranges::all_of(arms, has_to_wait)) std::erase_if(arms, has_to_wait);
  return arms;
}

// Where on the way from the cheapest arm to the strongest a task's next attempt stands.
struct Cascade {
  std::vector<Arm> arms;
  std::size_t start;   // by complexity
  std::size_t floor;   // by role
  std::size_t wanted;  // by both and the attempts that failed

  Cascade(const RunState& state, const Task& task)
      : arms(arms_at_work(state, task)),
        start(starting_step(task.spec.complexity, arms.size())),
        floor(is_high_stakes(task.spec.role) ? 1 : 0),
        wanted(std::min(std::max(start, floor) + task.failures, arms.size() - 1)) {}
};

}  // namespace

std::map<std::string, std::int64_t> route_features(const RunState& state, const Task& task) {
  const TaskSpec& spec = task.spec;
  std::size_t prompt_bytes = spec.title.size() + spec.description.size();
  for (const std::string& sentence : config_of(state).constraints) prompt_bytes += sentence.size();
  return {
      {"bias", 1},
      {"complexity", static_cast<std::int64_t>(spec.complexity)},
      {"failures", task.failures},
      {"files", static_cast<std::int64_t>(spec.files.size())},
      {"high_stakes", is_high_stakes(spec.role) ? 1 : 0},
      {"minutes", spec.estimated_minutes},
      {"priority", spec.priority},
      {"prompt_tokens", static_cast<std::int64_t>(prompt_bytes / 4)},  // the usual rule of thumb for English and code
      {"scope", static_cast<std::int64_t>(spec.scope)},
  };
}

std::vector<Arm> eligible_arms(const RunConfig& config, const TaskSpec& spec) {
  const Pins pins = pins_of(config, spec);
  std::vector<Arm> arms = config.arms;
  if (!pins.agent.empty()) {
    // The agent's arms in the router's order; all its models when the router has none of it.
    std::erase_if(arms, [&](const Arm& arm) { return arm.agent != pins.agent; });
    if (arms.empty()) {
      if (const AgentSpec* agent = find_agent(config, pins.agent)) {
        for (const ModelSpec& model : agent->models) arms.push_back({agent->name, model.name, model.tier});
      }
    }
  }
  BERNSTEIN_CHECK(!arms.empty(), "a run starts only when every pinned agent is known");
  if (pins.model.empty()) return arms;
  std::vector<Arm> named;
  for (const Arm& arm : arms) {
    if (arm.model == pins.model || arm.tier == pins.model) named.push_back(arm);
  }
  if (named.empty()) named.push_back({arms.front().agent, pins.model, pins.model});
  return {named.front()};
}

std::optional<Arm> other_arm(const RunState& state, const Task& task, const Arm& arm) {
  const std::vector<Arm> arms = eligible_arms(config_of(state), task.spec);
  const auto found = std::ranges::find(arms, arm);
  if (found == arms.end()) return std::nullopt;
  if (std::next(found) != arms.end()) return *std::next(found);
  if (found != arms.begin()) return *std::prev(found);
  return std::nullopt;
}

namespace {

// Who resolves the task's conflict: who made it, as long as that is allowed, then another one.
std::optional<Arm> arm_to_resolve(const RunState& state, const Task& task) {
  if (!task.resolver) return std::nullopt;
  return task.conflicts > k_same_agent_max ? other_arm(state, task, *task.resolver) : task.resolver;
}

}  // namespace

Arm choose_arm(const RunState& state, const Task& task) {
  if (std::optional<Arm> resolver = arm_to_resolve(state, task)) return *std::move(resolver);
  Cascade cascade(state, task);
  return std::move(cascade.arms[cascade.wanted]);
}

RouteChosen choose_route(const RunState& state, const Task& task) {
  if (const std::optional<Arm> resolver = arm_to_resolve(state, task)) {
    const bool is_same = *resolver == *task.resolver;
    return {.arm = *resolver,
            .features = route_features(state, task),
            .probabilities_ppm = {{to_string(*resolver), 1'000'000}},
            .rule = "conflict",
            .scores = {{to_string(*resolver), hex_float(0)}},
            .why = is_same ? "resolves the conflict of its own work"
                           : "another model for a conflict that was not resolved"};
  }
  const Pins pins = pins_of(config_of(state), task.spec);
  const auto [arms, start, floor, wanted] = Cascade(state, task);

  RouteChosen route{.arm = arms[wanted], .features = route_features(state, task)};
  for (std::size_t i = 0; i < arms.size(); ++i) {
    const auto distance = static_cast<std::int64_t>(i > wanted ? i - wanted : wanted - i);
    route.scores[to_string(arms[i])] = hex_float(-distance);
    route.probabilities_ppm[to_string(arms[i])] = i == wanted ? 1'000'000 : 0;
  }
  if (arms.size() == 1 && !(pins.agent.empty() && pins.model.empty())) {
    route.rule = "pin";
    route.why = "pinned by " + pins.by;
    return route;
  }
  route.rule = "static";
  if (!pins.agent.empty()) route.why = "agent '" + pins.agent + "' is pinned by " + pins.by + "; ";
  route.why += std::string(to_word(task.spec.complexity)) + " complexity starts at step " + std::to_string(start + 1) +
               " of " + std::to_string(arms.size());
  if (floor > start && arms.size() > 1) route.why += "; role '" + task.spec.role + "' never starts at the cheapest";
  if (task.failures > 0) {
    route.why += "; " + std::to_string(task.failures) + (task.failures == 1 ? " failed attempt" : " failed attempts") +
                 " before";
  }
  return route;
}

}  // namespace bernstein
