// Budgets in a thousand random runs each, with agents that keep to their ceilings and agents that do not.
//
// What is promised is checked on the events alone, by books that know nothing of RunState. Seeds are 0, 1, 2, ...; a
// failure names its own. BERNSTEIN_SEED=57 begins there, BERNSTEIN_BUDGET_RUNS=1 takes so many.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <random>

#include "bernstein/decide/budget.hpp"
#include "bernstein/decide/router.hpp"
#include "budget_books.hpp"
#include "support/builders.hpp"
#include "support/dice.hpp"

namespace bernstein {
namespace {

using namespace test;

class Dice {
 public:
  explicit Dice(std::uint32_t seed) : engine_(seed) {}
  std::int64_t below(std::int64_t limit) { return static_cast<std::int64_t>(engine_()) % limit; }
  std::uint32_t from(std::uint32_t low, std::uint32_t high) {
    return low + static_cast<std::uint32_t>(below(high - low + 1));
  }
  bool one_in(std::int64_t n) { return below(n) == 0; }

 private:
  std::mt19937 engine_;
};

// What all runs of a test came to; what never happened was not tested.
struct Tally {
  std::int64_t attempts = 0;
  std::int64_t excesses = 0;   // attempts that used more than they reserved
  std::int64_t last_ones = 0;  // that got what was left
  std::int64_t out_of_budget = 0;
  std::int64_t own_ceilings = 0;  // tasks that failed for their own ceiling
  std::int64_t resumes = 0;
  std::int64_t worst = 0;  // overshoot in micro-USD
  std::int64_t worst_tokens = 0;
};

// One run in a world whose agents have a habit.
class Story {
 public:
  Story(std::uint32_t seed, Habit habit)
      : dice_(seed),
        habit_(habit),
        world_(a_config_by_chance()),
        money_(Books::Of::micros, habit),
        tokens_(Books::Of::tokens, habit) {}

  void happen(Tally& tally) {
    if (dice_.one_in(4)) world_.watch_invariants();  // they take as long as all the rest
    if (config_.planner && dice_.one_in(3)) {
      world_.start_with_goal();
    } else {
      world_.start(a_plan_by_chance());
    }
    for (int ends = 1;; ++ends) {
      run_until_it_ends();
      ASSERT_TRUE(world_.finished()) << "it hangs";
      if (world_.last<RunFinished>().outcome != RunOutcome::budget) break;
      ++tally.out_of_budget;
      expect_that_nothing_fits();
      if (ends == 5 || dice_.one_in(2)) break;
      resume(true);
    }
    const RunState& state = world_.state();
    const RunOutcome outcome = state.finished->outcome;
    EXPECT_TRUE(outcome == RunOutcome::landed || outcome == RunOutcome::incomplete || outcome == RunOutcome::budget)
        << state.finished->why;
    EXPECT_EQ(world_.broken(), std::vector<std::string>{});
    EXPECT_EQ(state.reserved, Outlay{});
    add_to(tally);
  }

 private:
  // A person who pauses it lets it go on once nothing moves any more.
  void run_until_it_ends() {
    do {
      if (world_.state().paused) world_.feed({about_run(), RunContinued{}});
      world_.run([this](const RunState& state, const OpenIntent& intent) { return answer(state, intent); },
                 [this](std::size_t open) { return choose(open); }, 5'000);
    } while (world_.state().paused && !world_.finished());
    read_on();
  }

  RunConfig a_config_by_chance() {
    ConfigBuilder config = a_config().with_agents(dice_.from(1, 5)).with_attempts(dice_.from(1, 3));
    if (dice_.one_in(2)) config.with_arms({"one/cheap", "two/medium", "one/strong"});
    const std::uint32_t which = dice_.from(0, 2);
    if (which != 1) config.with_budget(cents(dice_.from(5, 1'500)));
    if (which != 0) config.with_token_budget(1'000 * dice_.from(20, 8'000));
    if (dice_.one_in(3)) config.with_task_cost(cents(dice_.from(10, 400)));
    if (dice_.one_in(3)) config.with_gate(a_command("tests"));
    if (dice_.one_in(4)) config.with_planner(dice_.one_in(2) ? "one" : "mock");
    return config_ = config;
  }

  std::vector<TaskSpec> a_plan_by_chance() {
    std::vector<TaskSpec> plan;
    const std::uint32_t tasks = dice_.from(1, 10);
    for (std::uint32_t i = 1; i <= tasks; ++i) {
      TaskBuilder task = a_task(i).with_priority(dice_.from(1, 5));
      task.with_complexity(static_cast<Complexity>(dice_.below(3)));
      // Steady agents use three times a ceiling, which is of a kind only where scopes are the same.
      if (habit_ != Habit::steady) task.with_scope(static_cast<Scope>(dice_.below(3)));
      if (i > 1 && dice_.one_in(4)) task.after(dice_.from(1, i - 1));
      if (dice_.one_in(5)) task.costing_at_most(cents(dice_.from(5, 300)));
      plan.push_back(task);
    }
    return plan;
  }

  std::int64_t use(std::int64_t reserved, std::int64_t limit, std::int64_t steady) {
    switch (habit_) {
      case Habit::keeps:
        return 1 + dice_.below(limit);
      case Habit::steady:
        return steady;
      case Habit::wild:
        break;
    }
    return reserved * dice_.below(301) / 100;
  }

  AgentExited an_end(const RunState& state, AttemptId id) {
    read_on();
    const Task& task = task_of(state, id.task);
    const Arm& arm = attempt_of(state, id).arm;
    auto [price, is_new] = prices_.try_emplace(outlay_key(arm, task.spec.complexity));
    if (is_new) {
      const Outlay ceiling = attempt_ceiling(task.spec);
      price->second = {{ceiling.micros.value * dice_.from(10, 300) / 100}, ceiling.tokens * dice_.from(10, 300) / 100};
    }
    AgentExited exit = an_exit(dice_.one_in(4) ? 1 : 0);
    if (dice_.one_in(20)) exit.outcome = AgentOutcome::quota;
    if (dice_.one_in(15)) exit.timed_out = true;
    exit.usage.cost_micros =
        UsdMicros{use(money_.reserved_of(id), money_.limit_of(task.spec), price->second.micros.value)};
    const std::int64_t tokens = use(tokens_.reserved_of(id), tokens_.limit_of(task.spec), price->second.tokens);
    exit.usage.input_tokens = tokens - tokens / 4;
    exit.usage.output_tokens = tokens / 4;
    exit.usage.cached_tokens = 10 * tokens;
    if (dice_.one_in(8)) exit.usage.cost_micros.reset();
    if (dice_.one_in(8)) exit.usage.output_tokens.reset();
    // Half of what a steady one used would not tell what the next of its kind uses.
    if (habit_ == Habit::steady && !exit.usage.output_tokens) exit.usage.input_tokens.reset();
    if (exit.timed_out && exit.usage.cost_micros) exit.cost_source = CostSource::estimated;
    return exit;
  }

  std::optional<EventBody> answer(const RunState& state, const OpenIntent& intent) {
    const AttemptId id{intent.subject.task, intent.subject.attempt};
    const bool is_attempts_begin =
        std::holds_alternative<WorktreeRequested>(intent.body) || std::holds_alternative<SpawnRequested>(intent.body);
    if (is_attempts_begin && dice_.one_in(40)) {
      return EffectFailed{.class_ = FailureClass::orchestrator, .effect = std::string(type_of(intent.body))};
    }
    if (std::holds_alternative<SpawnRequested>(intent.body)) return an_end(state, id);
    EventBody result = world_.success(intent);
    const bool is_targets = intent.subject == about_run();
    if (auto* check = std::get_if<CheckFinished>(&result); check != nullptr && !is_targets && dice_.one_in(8))
      check->verdict = CheckVerdict::failed;
    return result;
  }

  // Which result comes next. In between, somebody may pause the run, or leave it and resume it with other budgets.
  std::size_t choose(std::size_t open) {
    if (interruptions_ < 3 && dice_.one_in(30)) {
      ++interruptions_;
      if (dice_.one_in(2)) {
        world_.feed({about_run(), RunPaused{"a person"}});
      } else if (!world_.finished()) {
        world_.stops(StopMode::now);
        resume(false);
      }
    }
    if (dice_.one_in(3)) tell_of_starts();
    return static_cast<std::size_t>(dice_.below(static_cast<std::int64_t>(open)));
  }

  void tell_of_starts() {
    std::vector<AttemptId> started;
    for (AttemptId id : world_.state().with_slot) {
      const Attempt& attempt = attempt_of(world_.state(), id);
      if (attempt.step == Step::working && !attempt.started) started.push_back(id);
    }
    for (AttemptId id : started) world_.feed({about(id), AgentStarted{.pid = 1}});
  }

  void resume(bool with_more) {
    ++resumes_;
    const RunState& state = world_.state();
    const RunConfig& config = config_of(state);
    RunResumed resumed{.epoch = state.epoch + 1, .target_tip = state.target_tip};
    const std::int64_t percent = with_more ? dice_.from(100, 200) : dice_.from(30, 150);
    if (config.budget_micros) resumed.budget_micros = UsdMicros{config.budget_micros->value * percent / 100 + 1};
    if (config.budget_tokens) resumed.budget_tokens = *config.budget_tokens * percent / 100 + 1;
    world_.feed({about_run(), resumed});
  }

  void read_on() {
    for (; read_ < world_.log().size(); ++read_) {
      money_.take(world_.log()[read_]);
      tokens_.take(world_.log()[read_]);
    }
  }

  // A run ends for its budget only when really nothing could have started.
  void expect_that_nothing_fits() {
    const RunState& state = world_.state();
    bool is_something_left = open_question(state).has_value();
    for (const auto& [id, task] : state.tasks) {
      if (task.status != TaskStatus::ready) continue;
      is_something_left = true;
      const Arm arm = foresee_route(state, task).arm;
      EXPECT_FALSE(money_.would_admit(task, arm) && tokens_.would_admit(task, arm)) << to_string(id) << " fits";
    }
    EXPECT_TRUE(is_something_left) << "nothing was left to do";
  }

  void add_to(Tally& tally) const {
    tally.attempts += money_.attempts();
    tally.excesses += money_.excesses() + tokens_.excesses();
    tally.last_ones += money_.last_ones() + tokens_.last_ones();
    tally.resumes += resumes_;
    tally.worst = std::max(tally.worst, money_.worst());
    tally.worst_tokens = std::max(tally.worst_tokens, tokens_.worst());
    for (const auto& [id, task] : world_.state().tasks) {
      const bool by_ceiling = task.why.find("that it may cost") != std::string::npos;
      if (task.status == TaskStatus::failed && by_ceiling) ++tally.own_ceilings;
    }
  }

  Dice dice_;
  Habit habit_;
  RunConfig config_;
  World world_;
  Books money_;
  Books tokens_;
  std::size_t read_ = 0;
  std::map<std::string, Outlay> prices_;  // of steady agents, by kind
  int interruptions_ = 0;
  std::int64_t resumes_ = 0;
};

Tally thousand_runs(Habit habit) {
  const char* wanted = std::getenv("BERNSTEIN_SEED");
  const auto first = wanted == nullptr ? 0U : static_cast<std::uint32_t>(std::strtoul(wanted, nullptr, 10));
  const auto runs = static_cast<std::uint32_t>(times("BERNSTEIN_BUDGET_RUNS", 1'000));
  Tally tally;
  for (std::uint32_t seed = first; seed < first + runs && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("BERNSTEIN_SEED=" + std::to_string(seed));
    Story(seed, habit).happen(tally);
  }
  std::cout << runs << " runs from seed " << first << ": " << tally.attempts << " attempts, " << tally.excesses
            << " used more than they reserved, " << tally.last_ones << " got the rest, " << tally.out_of_budget
            << " ends for a budget, " << tally.own_ceilings << " tasks at their own ceiling, " << tally.resumes
            << " resumes; worst overshoot " << format_usd({tally.worst}) << " and " << format_tokens(tally.worst_tokens)
            << " tokens\n";
  if (runs >= 1'000) {
    EXPECT_GT(tally.last_ones, 0);
    EXPECT_GT(tally.out_of_budget, 0);
    EXPECT_GT(tally.own_ceilings, 0);
    EXPECT_GT(tally.resumes, 0);
    EXPECT_GT(tally.excesses, 0);
  }
  return tally;
}

// Only a last attempt can use more than it reserved: less than its ceiling. Scope large, complexity high: $6 and 3M.
TEST(BudgetOfAnyRun, IsOvershotByLessThanOneCeilingWhereAgentsKeepToTheirs) {
  const Tally tally = thousand_runs(Habit::keeps);
  EXPECT_LT(tally.worst, 6'000'000);
  EXPECT_LT(tally.worst_tokens, 3'000'000);
}

// An agent that uses more overshoots once, with what was in flight when that came out.
TEST(BudgetOfAnyRun, IsOvershotOnceByAgentsThatUseMore) {
  thousand_runs(Habit::steady);
}

// Whatever agents use: nothing starts unless it fits.
TEST(BudgetOfAnyRun, AdmitsNothingBeyondItHoweverWildAgentsAre) {
  thousand_runs(Habit::wild);
}

}  // namespace
}  // namespace bernstein
