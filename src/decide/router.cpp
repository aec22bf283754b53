#include "bernstein/decide/router.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "bernstein/base/check.hpp"
#include "bernstein/base/random.hpp"
#include "bernstein/base/text.hpp"
#include "bernstein/decide/budget.hpp"
#include "bernstein/decide/decide.hpp"
#include "bernstein/decide/retry.hpp"
#include "bernstein/state/credentials.hpp"
#include "steps.hpp"
#include "words.hpp"

namespace bernstein {
namespace {

constexpr std::int64_t k_million = 1'000'000;

struct Pins {
  std::string agent;
  std::string model;
  std::string by;  // "the task", "role 'docs'", "the task and role 'docs'"; "" without a pin
};

// The task's own pins win over its role's, each on its own.
Pins pins_of(const RunConfig& config, const TaskSpec& spec) {
  Pins pins{.agent = spec.agent, .model = spec.model, .by = ""};
  const bool by_task = !pins.agent.empty() || !pins.model.empty();
  if (by_task) pins.by = "the task";
  auto policy = config.role_policy.find(spec.role);
  if (policy == config.role_policy.end()) return pins;
  if (pins.agent.empty()) pins.agent = policy->second.agent;
  if (pins.model.empty()) pins.model = policy->second.model;
  const bool by_role = pins.agent != spec.agent || pins.model != spec.model;
  if (by_role) pins.by = (by_task ? "the task and role '" : "role '") + spec.role + "'";
  return pins;
}

bool is_high_stakes(const std::string& role) {
  return role == "architect" || role == "manager" || role == "security";
}

std::size_t starting_step(Complexity complexity, std::size_t steps) {
  switch (complexity) {
    case Complexity::low:
      return 0;
    case Complexity::medium:
      return (steps - 1) / 2;
    case Complexity::high:
      return steps - 1;
    case Complexity::count_:
      break;
  }
  return 0;
}

// The step that each arm stands on, from 0.
std::vector<std::size_t> steps_of(const std::vector<Arm>& arms) {
  std::vector<std::size_t> steps;
  for (std::size_t i = 0; i < arms.size(); ++i) {
    const bool is_higher = i > 0 && arms[i].tier != arms[i - 1].tier;
    steps.push_back(i == 0 ? 0 : steps.back() + (is_higher ? 1 : 0));
  }
  return steps;
}

// Why the agent cannot take a session now; "" when it can.
std::string absence_of(const RunState& state, const std::string& agent) {
  if (std::string why = why_not_now(state, agent); !why.empty()) return why;
  const std::uint32_t at_once = agent_is_full(state, agent);
  return at_once == 0 ? "" : "agent '" + agent + "' works " + plural(at_once, "time") + " at once already";
}

// The same of an arm. What is in flight may give money back, so only then it says no for ever.
std::string absence_of(const RunState& state, const Task& task, const Arm& arm) {
  if (std::string why = absence_of(state, arm.agent); !why.empty()) return why;
  if (!is_idle(state) || reservation(state, task, arm)) return "";
  return shortage_in_words(state, expected_outlay(state, task, arm));
}

bool is_there(const RunState& state, const std::string& agent) {
  return may_take_one(state, agent) && agent_is_full(state, agent) == 0;
}

// The arms that the pins leave, and the lowest step that the task may have.
struct Ladder {
  std::vector<Arm> arms;
  std::vector<std::size_t> steps;  // of each arm
  std::size_t top;
  std::size_t floor_of_role;
  std::size_t floor_of_failure;

  Ladder(const RunState& state, const Task& task)
      : arms(eligible_arms(config_of(state), task.spec)),
        steps(steps_of(arms)),
        top(steps.back()),
        floor_of_role(is_high_stakes(task.spec.role) ? std::min<std::size_t>(1, top) : 0),
        floor_of_failure(0) {
    if (!task.failed_arm) return;
    const auto failed = std::ranges::find(arms, *task.failed_arm);
    if (failed != arms.end()) floor_of_failure = std::min(step_of(failed - arms.begin()) + 1, top);
  }

  std::size_t step_of(std::ptrdiff_t arm) const { return steps[static_cast<std::size_t>(arm)]; }
  std::size_t floor() const { return std::max(floor_of_role, floor_of_failure); }
  std::size_t start(Complexity complexity) const { return starting_step(complexity, top + 1); }

  std::string floor_in_words(const Task& task) const {
    std::vector<std::string> reasons;
    if (floor_of_role > 0) reasons.push_back("role '" + task.spec.role + "' never gets the cheapest");
    if (floor_of_failure > 0) reasons.push_back("an attempt at " + to_string(*task.failed_arm) + " failed");
    return join(reasons, "; ");
  }
};

// The eligible arms as indexes into the ladder's, by what `is_present` says of them.
template <class F>
std::vector<std::size_t> eligible_of(const Ladder& ladder, F&& is_present) {
  std::vector<std::size_t> eligible;
  for (std::size_t i = 0; i < ladder.arms.size(); ++i) {
    if (ladder.steps[i] >= ladder.floor() && is_present(ladder.arms[i])) eligible.push_back(i);
  }
  return eligible;
}

// Who resolves the task's conflict: who made it, as long as that is allowed, then another one.
std::optional<Arm> arm_to_resolve(const RunState& state, const Task& task) {
  if (!task.resolver) return std::nullopt;
  return task.conflicts > k_same_agent_max ? other_arm(state, task, *task.resolver) : task.resolver;
}

// Indexes into what is eligible, and a score for each.
struct Ranking {
  std::vector<double> scores;
  std::size_t best = 0;
  std::string why;
};

Ranking rank_by_cascade(const Ladder& ladder, const std::vector<std::size_t>& eligible, const Task& task) {
  const std::size_t start = ladder.start(task.spec.complexity);
  const std::size_t wanted = std::min(std::max(start, ladder.floor_of_role) + task.failures, ladder.top);
  Ranking ranking;
  // The arm of a step that is nearer goes first; of two as near the one above.
  const auto distance = [&](std::size_t at) {
    const std::size_t step = ladder.steps[eligible[at]];
    return step >= wanted ? step - wanted : ladder.top + wanted - step;
  };
  for (std::size_t at = 0; at < eligible.size(); ++at) {
    // Negated as an integer: of doubles, g++ 12 makes 0.0 - 0.0 a -0 where the 0 was an integer.
    const auto steps_off = static_cast<std::int64_t>(ladder.steps[eligible[at]]) - static_cast<std::int64_t>(wanted);
    ranking.scores.push_back(static_cast<double>(steps_off > 0 ? -steps_off : steps_off));
    if (distance(at) < distance(ranking.best)) ranking.best = at;
  }
  ranking.why = std::string(to_word(task.spec.complexity)) + " complexity starts at step " + std::to_string(start + 1) +
                " of " + std::to_string(ladder.top + 1);
  if (ladder.floor_of_role > start) ranking.why += "; role '" + task.spec.role + "' never starts at the cheapest";
  if (task.failures > 0) ranking.why += "; " + plural(task.failures, "failed attempt") + " before";
  return ranking;
}

// A number of a score in words: thousandths are as much as a person wants.
std::string thousandths(double value) {
  const std::int64_t rounded = std::llround(value * 1e3);
  const std::int64_t magnitude = rounded < 0 ? -rounded : rounded;
  std::string fraction = std::to_string(magnitude % 1'000);
  fraction.insert(0, 3 - fraction.size(), '0');
  return (rounded < 0 ? "-" : "") + std::to_string(magnitude / 1'000) + "." + fraction;
}

Ranking rank_by_bandit(const RunState& state, const Ladder& ladder, const std::vector<std::size_t>& eligible,
                       const Features& features) {
  const double alpha = static_cast<double>(config_of(state).routing.alpha_ppm) / 1e6;
  const Context context = context_of(features);
  Ranking ranking;
  Estimate best;
  for (std::size_t at = 0; at < eligible.size(); ++at) {
    const Estimate estimate = state.policy.model_of(ladder.arms[eligible[at]]).at(context);
    ranking.scores.push_back(upper_bound(estimate, alpha));
    if (at == 0 || ranking.scores[at] > ranking.scores[ranking.best]) {
      ranking.best = at;
      best = estimate;
    }
  }
  ranking.why =
      "the best of " + plural(eligible.size(), "arm") + " by what " +
      plural(static_cast<std::size_t>(state.policy.completions_of(ladder.arms[eligible[ranking.best]])), "attempt") +
      " of it taught: expects a reward of " + thousandths(best.mean) + ", and adds " +
      thousandths(alpha * best.deviation) + " for what is not known";
  return ranking;
}

std::int64_t completions(const RunState& state) {
  std::int64_t sum = 0;
  for (const Arm& arm : config_of(state).arms) sum += state.policy.completions_of(arm);
  return sum;
}

// One of so many with these probabilities, by the run's seed and the attempt's name.
std::size_t draw(const RunState& state, const Task& task, const std::vector<std::int64_t>& probabilities_ppm) {
  const std::uint64_t attempt = (std::uint64_t{task.spec.id.number} << 32U) | (task.attempts.size() + 1);
  std::int64_t point = random_below(random_at(state.started->seed, attempt), k_million);
  for (std::size_t i = 0; i < probabilities_ppm.size(); ++i) {
    point -= probabilities_ppm[i];
    if (point < 0) return i;
  }
  BERNSTEIN_CHECK(false, "probabilities add up to 1");
  return 0;
}

// explore_ppm of the choices go evenly to all; what division leaves over, and the rest, to the best.
std::vector<std::int64_t> mix(std::size_t arms, std::size_t best, std::int64_t explore_ppm) {
  const std::int64_t each = explore_ppm / static_cast<std::int64_t>(arms);
  std::vector<std::int64_t> probabilities_ppm(arms, each);
  probabilities_ppm[best] = k_million - each * (static_cast<std::int64_t>(arms) - 1);
  return probabilities_ppm;
}

RouteChosen only_route(const RunState& state, const Task& task, const Arm& arm, std::string rule, std::string why) {
  return {.arm = arm,
          .features = route_features(state, task),
          .probabilities_ppm = {{to_string(arm), k_million}},
          .rule = std::move(rule),
          .rules = k_rules_version,
          .scores = {{to_string(arm), hex_float(0)}},
          .why = std::move(why)};
}

template <class F>
std::optional<RouteChosen> route_among(const RunState& state, const Task& task, F&& absence) {
  const auto is_present = [&](const Arm& arm) { return absence(arm).empty(); };
  if (const std::optional<Arm> resolver = arm_to_resolve(state, task)) {
    if (!is_present(*resolver)) return std::nullopt;
    return only_route(state, task, *resolver, "conflict",
                      *resolver == *task.resolver ? "resolves the conflict of its own work"
                                                  : "another model for a conflict that was not resolved");
  }
  const Ladder ladder(state, task);
  const std::vector<std::size_t> eligible = eligible_of(ladder, is_present);
  if (eligible.empty()) return std::nullopt;
  const Pins pins = pins_of(config_of(state), task.spec);
  if (ladder.arms.size() == 1 && !pins.by.empty()) {
    RouteChosen route = only_route(state, task, ladder.arms.front(), "pin", "pinned by " + pins.by);
    route.pin = pins.by;
    return route;
  }

  const RoutingRules& rules = config_of(state).routing;
  RouteChosen route{.features = route_features(state, task),
                    .floor = ladder.floor_in_words(task),
                    .pin = pins.by,
                    .rules = k_rules_version};
  const auto name_of = [&](std::size_t at) { return to_string(ladder.arms[eligible[at]]); };
  const std::int64_t known = completions(state);
  const bool is_warm = known >= std::int64_t{rules.warmup};
  const bool asks_bandit = is_warm && rules.mode != RoutingMode::static_;
  Ranking ranking = rank_by_cascade(ladder, eligible, task);
  if (asks_bandit) {
    Ranking learnt = rank_by_bandit(state, ladder, eligible, route.features);
    route.preferred = name_of(learnt.best);
    if (rules.mode == RoutingMode::shadow) {
      ranking.scores = std::move(learnt.scores);
      ranking.why += "; LinUCB would choose " + route.preferred;
    } else {
      ranking = std::move(learnt);
    }
  }
  route.rule = rules.mode != RoutingMode::bandit ? "static" : asks_bandit ? "bandit" : "warmup";

  const std::int64_t explore_ppm = rules.mode == RoutingMode::bandit ? rules.explore_ppm : 0;
  const std::vector<std::int64_t> probabilities_ppm = mix(eligible.size(), ranking.best, explore_ppm);
  const std::size_t drawn = draw(state, task, probabilities_ppm);
  route.arm = ladder.arms[eligible[drawn]];
  for (std::size_t at = 0; at < eligible.size(); ++at) {
    route.probabilities_ppm[name_of(at)] = probabilities_ppm[at];
    route.scores[name_of(at)] = hex_float(ranking.scores[at]);
  }
  for (std::size_t i = 0; i < ladder.arms.size(); ++i) {
    const std::string absent = absence(ladder.arms[i]);
    if (ladder.steps[i] < ladder.floor()) {
      route.excluded[to_string(ladder.arms[i])] = route.floor;
    } else if (!absent.empty()) {
      route.excluded[to_string(ladder.arms[i])] = absent;
    }
  }

  if (!pins.agent.empty()) route.why = "agent '" + pins.agent + "' is pinned by " + pins.by + "; ";
  route.why += ranking.why;
  if (route.rule == "warmup") {
    route.why +=
        "; LinUCB chooses after " + std::to_string(rules.warmup) + " completions, there are " + std::to_string(known);
  }
  if (drawn != ranking.best) route.why = "explores instead of " + name_of(ranking.best) + ": " + route.why;
  return route;
}

}  // namespace

Features route_features(const RunState& state, const Task& task) {
  const TaskSpec& spec = task.spec;
  std::size_t prompt_bytes = spec.title.size() + spec.description.size();
  for (const std::string& sentence : config_of(state).constraints) prompt_bytes += sentence.size();
  const std::size_t checks = config_of(state).gates.size() + spec.signals.size();
  Features features{
      {"bias", 1},
      {"checks", static_cast<std::int64_t>(checks)},
      {"complexity", static_cast<std::int64_t>(spec.complexity)},
      {"failures", task.failures},
      {"files", static_cast<std::int64_t>(spec.files.size())},
      {"high_stakes", is_high_stakes(spec.role) ? 1 : 0},
      {"minutes", spec.estimated_minutes},
      {"priority", spec.priority},
      {"prompt_tokens", static_cast<std::int64_t>(prompt_bytes / 4)},  // the usual rule of thumb for English and code
      {"scope", static_cast<std::int64_t>(spec.scope)},
  };
  for (const char* role : {"devops", "docs", "frontend", "qa"}) {
    features.emplace("role_" + std::string(role), spec.role == role ? 1 : 0);
  }
  return features;
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
  const Ladder ladder(state, task);
  const auto found = std::ranges::find(ladder.arms, arm);
  if (found == ladder.arms.end()) return std::nullopt;
  if (std::next(found) != ladder.arms.end()) return *std::next(found);
  const auto at = static_cast<std::size_t>(found - ladder.arms.begin());
  if (at > 0 && ladder.steps[at - 1] >= ladder.floor_of_role) return ladder.arms[at - 1];
  return std::nullopt;
}

bool has_route(const RunState& state, const Task& task) {
  const auto is_present = [&](const Arm& arm) { return is_there(state, arm.agent); };
  if (const std::optional<Arm> resolver = arm_to_resolve(state, task)) return is_present(*resolver);
  return !eligible_of(Ladder(state, task), is_present).empty();
}

std::optional<RouteChosen> choose_route(const RunState& state, const Task& task) {
  return route_among(state, task, [&](const Arm& arm) { return absence_of(state, task, arm); });
}

RouteChosen foresee_route(const RunState& state, const Task& task) {
  return *route_among(state, task, [](const Arm&) { return std::string(); });
}

bool can_be_paid(const RunState& state, const Task& task) {
  const auto is_paid = [&](const Arm& arm) { return reservation(state, task, arm).has_value(); };
  if (const std::optional<Arm> resolver = arm_to_resolve(state, task)) return is_paid(*resolver);
  return !eligible_of(Ladder(state, task), is_paid).empty();
}

std::string missing_agents(const RunState& state, const Task& task) {
  std::vector<std::string> reasons;
  const auto add = [&](const std::string& agent) {
    std::string reason = absence_of(state, agent);
    if (!reason.empty() && std::ranges::find(reasons, reason) == reasons.end()) reasons.push_back(std::move(reason));
  };
  if (const std::optional<Arm> resolver = arm_to_resolve(state, task)) {
    add(resolver->agent);
  } else {
    const Ladder ladder(state, task);
    for (std::size_t i : eligible_of(ladder, [](const Arm&) { return true; })) add(ladder.arms[i].agent);
  }
  return join(reasons, "; ");
}

}  // namespace bernstein
