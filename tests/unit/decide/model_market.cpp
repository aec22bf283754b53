#include "unit/decide/model_market.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "bernstein/base/random.hpp"
#include "support/builders.hpp"

namespace bernstein::test {
namespace {

constexpr std::uint32_t k_attempts = 3;
constexpr std::size_t k_complexities = 3;
constexpr double k_suite_size = 12;

std::int64_t list_price_micros(const MarketModel& model, std::size_t complexity) {
  const MarketTokens& tokens = k_market_tokens[complexity];
  return (tokens.input * model.input_cents + tokens.output * model.output_cents) / 100;  // $1 a million: µ$1 a token
}

// ---- suites ----

// Numbers for one suite, each drawn by its name.
class Luck {
 public:
  Luck(std::uint64_t seed, std::uint32_t suite) : seed_(random_at(seed, suite)) {}
  std::uint32_t below(std::uint32_t limit, std::uint64_t name) const {
    return random_below(random_at(seed_, name), limit);
  }

 private:
  std::uint64_t seed_;
};

enum Purpose : std::uint64_t { order, role, files, minutes, priority, cost, pass };

std::uint64_t named(Purpose purpose, AttemptId id, std::size_t model = 0) {
  return (std::uint64_t{purpose} << 48U) | (std::uint64_t{id.task.number} << 32U) | (std::uint64_t{id.number} << 16U) |
         model;
}

std::vector<TaskSpec> tasks_of_suite(const Luck& luck) {
  std::vector<Complexity> mix;
  for (std::size_t c = 0; c < k_complexities; ++c)
    mix.insert(mix.end(), static_cast<std::size_t>(k_suite_tasks[c]), static_cast<Complexity>(c));
  for (std::uint32_t i = static_cast<std::uint32_t>(mix.size()); i > 1; --i) {
    std::swap(mix[i - 1], mix[luck.below(i, named(order, at(i)))]);
  }
  constexpr std::array<const char*, 5> k_roles{"backend", "docs", "frontend", "qa", "devops"};
  std::vector<TaskSpec> tasks;
  for (std::uint32_t number = 1; number <= mix.size(); ++number) {
    const AttemptId id = at(number);
    TaskBuilder task(number);
    task.with_complexity(mix[number - 1])
        .with_role(k_roles[luck.below(5, named(role, id))])
        .with_minutes(5 + luck.below(56, named(minutes, id)))
        .with_priority(1 + luck.below(5, named(priority, id)));
    const std::uint32_t count = luck.below(4, named(files, id));
    for (std::uint32_t file = 0; file < count; ++file) {
      task.owning("src/t" + std::to_string(number) + "/" + std::to_string(file));
    }
    tasks.push_back(task);
  }
  return tasks;
}

RunConfig config_for(const Market& market, Strategy strategy, const RoutingRules& rules) {
  RunConfig config = a_config();
  config.arms.clear();
  config.agents = {AgentSpec{.command = {"cli"}, .name = "cli"}};
  for (const MarketModel& model : market.models) {
    config.arms.push_back({"cli", model.tier + "-1", model.tier});
    config.agents.front().models.push_back({.name = model.tier + "-1", .tier = model.tier});
  }
  if (strategy == Strategy::cheapest) config.arms = {config.arms.front()};
  if (strategy == Strategy::strongest) config.arms = {config.arms.back()};
  config.gates = {a_command("tests")};
  config.landing.batch = 1;  // a red one is red by itself
  config.limits.attempts = k_attempts;
  if (strategy == Strategy::bandit) config.routing = rules;
  return config;
}

class Suite {
 public:
  Suite(const Market& market, const Luck& luck, RunConfig config, std::uint64_t seed, std::vector<ArmExperience> policy)
      : market_(market), luck_(luck), world_(config) {
    RunStarted started = a_start(std::move(config));
    started.seed = seed;
    started.policy = std::move(policy);
    world_.feed({about_run(), std::move(started)});
    world_.feed({about_run(), a_plan(tasks_of_suite(luck_))});
    world_.run([this](const RunState&, const OpenIntent& intent) { return answer(intent); });
    BERNSTEIN_CHECK(world_.finished(), "a suite comes to its end");
  }

  SuiteResult result() const {
    SuiteResult result{.usd = static_cast<double>(world_.state().spent.micros.value) / 1e6};
    for (const auto& [id, task] : world_.state().tasks) {
      result.landed += task.status == TaskStatus::landed ? 1 : 0;
      result.attempts += static_cast<double>(task.attempts.size());
    }
    return result;
  }
  std::vector<ArmExperience> learnt() const { return world_.state().policy.experiences(); }

 private:
  std::optional<EventBody> answer(const OpenIntent& intent) const {
    const AttemptId id{intent.subject.task, intent.subject.attempt};
    if (std::holds_alternative<SpawnRequested>(intent.body)) return an_exit(0, cost_of(id));
    const auto* check = std::get_if<CheckRequested>(&intent.body);
    if (check != nullptr && intent.subject != about_run() && !passes(id)) {
      return CheckFinished{
          .name = check->check.name, .tree = check->tree, .verdict = CheckVerdict::failed, .why = "exit 1"};
    }
    return world_.success(intent);
  }

  std::size_t complexity_of(AttemptId id) const {
    return static_cast<std::size_t>(task_of(world_.state(), id.task).spec.complexity);
  }
  std::size_t model_of(AttemptId id) const {
    const std::string& tier = attempt_of(world_.state(), id).arm.tier;
    const auto found = std::ranges::find(market_.models, tier, &MarketModel::tier);
    return static_cast<std::size_t>(found - market_.models.begin());
  }
  UsdMicros cost_of(AttemptId id) const {
    const std::size_t model = model_of(id);
    const std::int64_t list = list_price_micros(market_.models[model], complexity_of(id));
    return {list / 2 + list * luck_.below(1'001, named(cost, id)) / 1'000};
  }
  bool passes(AttemptId id) const {
    const std::size_t model = model_of(id);
    return luck_.below(100, named(pass, id, model)) < market_.models[model].pass_percent[complexity_of(id)];
  }

  const Market& market_;
  Luck luck_;
  World world_;
};

// ---- the oracle ----

struct Expected {
  double usd = 0;
  double landed = 0;
};

// Of one task whose attempts go through these models until one passes.
Expected expected_of(const Market& market, std::size_t complexity,
                     const std::array<std::size_t, k_attempts>& sequence) {
  Expected expected;
  double reached = 1;
  for (std::size_t model : sequence) {
    const double passes = market.models[model].pass_percent[complexity] / 100.0;
    expected.usd += reached * static_cast<double>(list_price_micros(market.models[model], complexity)) / 1e6;
    reached *= 1 - passes;
  }
  expected.landed = 1 - reached;
  return expected;
}

std::vector<Expected> all_sequences(const Market& market, std::size_t complexity, bool escalates) {
  std::vector<Expected> all;
  const std::size_t top = market.models.size() - 1;
  const auto least_after = [&](std::size_t model) { return escalates ? std::min(model + 1, top) : 0; };
  for (std::size_t a = 0; a <= top; ++a) {
    for (std::size_t b = least_after(a); b <= top; ++b) {
      for (std::size_t c = least_after(b); c <= top; ++c) all.push_back(expected_of(market, complexity, {a, b, c}));
    }
  }
  return all;
}

SuiteResult suite_of(const std::array<Expected, k_complexities>& per_task) {
  SuiteResult suite;
  for (std::size_t c = 0; c < k_complexities; ++c) {
    suite.usd += k_suite_tasks[c] * per_task[c].usd;
    suite.landed += k_suite_tasks[c] * per_task[c].landed;
  }
  return suite;
}

}  // namespace

Market market_of_sizes() {
  return {"sizes",
          {{"small", 100, 500, {96, 85, 50}}, {"medium", 300, 1500, {98, 92, 65}}, {"large", 500, 2500, {99, 95, 80}}}};
}

Market market_of_steps() {
  return {"steps",
          {{"small", 100, 500, {95, 50, 10}}, {"medium", 300, 1500, {98, 90, 45}}, {"large", 500, 2500, {99, 96, 85}}}};
}

Market market_of_vendors() {
  return {"vendors",
          {{"mini", 25, 200, {90, 60, 15}},
           {"small", 100, 500, {96, 85, 50}},
           {"medium", 300, 1500, {98, 92, 65}},
           {"large", 500, 2500, {99, 95, 80}}}};
}

std::vector<SuiteResult> play(const Market& market, Strategy strategy, std::uint64_t seed, std::uint32_t suites,
                              const RoutingRules& rules) {
  const RunConfig config = config_for(market, strategy, rules);
  std::vector<SuiteResult> results;
  std::vector<ArmExperience> learnt;
  for (std::uint32_t suite = 0; suite < suites; ++suite) {
    const std::uint64_t run_seed = random_at(seed, suite) >> 11U;
    const Suite played(market, Luck(seed, suite), config, run_seed, std::move(learnt));
    results.push_back(played.result());
    learnt = played.learnt();
  }
  return results;
}

SuiteResult oracle(const Market& market, bool escalates) {
  const std::size_t strongest = market.models.size() - 1;
  std::array<Expected, k_complexities> always_strongest;
  std::array<std::vector<Expected>, k_complexities> choices;
  for (std::size_t c = 0; c < k_complexities; ++c) {
    always_strongest[c] = expected_of(market, c, {strongest, strongest, strongest});
    choices[c] = all_sequences(market, c, escalates);
  }
  const double least = suite_of(always_strongest).landed - k_suite_size / 100;
  SuiteResult best{.usd = std::numeric_limits<double>::infinity(), .landed = 1};
  for (const Expected& low : choices[0]) {
    for (const Expected& medium : choices[1]) {
      for (const Expected& high : choices[2]) {
        const SuiteResult suite = suite_of({low, medium, high});
        if (suite.landed >= least && suite.usd / suite.landed < best.usd / best.landed) best = suite;
      }
    }
  }
  return best;
}

double usd_per_landed(const std::vector<SuiteResult>& results) {
  double usd = 0;
  double landed = 0;
  for (const SuiteResult& suite : results) {
    usd += suite.usd;
    landed += suite.landed;
  }
  return usd / landed;
}

double landed_share(const std::vector<SuiteResult>& results) {
  double landed = 0;
  for (const SuiteResult& suite : results) landed += suite.landed;
  return landed / (k_suite_size * static_cast<double>(results.size()));
}

}  // namespace bernstein::test
