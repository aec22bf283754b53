// Budgets in a thousand random runs each, with agents that keep to their ceilings and agents that do not.
//
// What is promised is checked on the events alone, by books that know nothing of RunState: reservations, what agents
// told, what a person allowed. Seeds are 0, 1, 2, ...; a failure names its own. BERNSTEIN_SEED=57 begins there,
// BERNSTEIN_BUDGET_RUNS=1 takes so many.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <random>

#include "bernstein/decide/budget.hpp"
#include "bernstein/decide/router.hpp"
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

// How agents use what they reserve.
enum class Habit {
  keeps,   // more or less, but at most the ceiling of such an attempt
  steady,  // up to three times their ceiling, and attempts of a kind always the same
  wild     // up to three times what they reserved, every time anew
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

// One of the two budgets, kept by the events of the log.
class Books {
 public:
  enum class Of { micros, tokens };
  Books(Of of, Habit habit) : of_(of), habit_(habit) {}

  void take(const Event& event) {
    SCOPED_TRACE("event " + std::to_string(event.seq) + " " + std::string(type_of(event.body)) + " " +
                 to_string(event.subject) + (of_ == Of::micros ? ", money" : ", tokens"));
    const AttemptId id{event.subject.task, event.subject.attempt};
    if (const auto* e = std::get_if<RunStarted>(&event.body)) start(*e);
    if (const auto* e = std::get_if<RunResumed>(&event.body)) resume(*e);
    if (const auto* e = std::get_if<TaskCreated>(&event.body)) specs_[e->spec.id] = e->spec;
    if (const auto* e = std::get_if<TaskAssigned>(&event.body)) assign(id, *e);
    if (std::holds_alternative<AgentStarted>(event.body)) flights_.at(id).started = true;
    if (const auto* e = std::get_if<AgentExited>(&event.body)) exit(id, *e);
    if (const auto* e = std::get_if<EffectFailed>(&event.body)) lose(id, *e);
    check_overshoot();
  }

  // Whether this attempt could start while nothing is in flight.
  bool would_admit(const Task& task, const Arm& arm) const {
    if (!budget_) return true;
    const std::int64_t left = *budget_ - total();
    const std::int64_t seen = seen_of(key_of(arm.agent, arm.model, task.spec.complexity));
    const std::int64_t expected = std::max(seen, limit_of(task.spec));
    return left >= expected || (left > 0 && left >= seen && left >= expected / 10);
  }

  // What an attempt of this task may use if its agent keeps to it.
  std::int64_t limit_of(const TaskSpec& spec) const {
    const std::int64_t ceiling = part(attempt_ceiling(spec));
    const auto own = own_ceiling_of(spec);
    return own ? std::min(ceiling, *own - used_of(spec.id)) : ceiling;
  }
  std::int64_t reserved_of(AttemptId id) const { return flights_.at(id).reserved; }

  std::int64_t attempts() const { return attempts_; }
  std::int64_t excesses() const { return excesses_; }
  std::int64_t last_ones() const { return last_ones_; }
  std::int64_t worst() const { return worst_; }

 private:
  struct Flight {
    std::int64_t reserved = 0;
    std::int64_t limit = 0;
    std::string key;
    bool is_last = false;  // it got less than it is expected to use
    bool started = false;
  };

  std::int64_t part(const Outlay& outlay) const { return of_ == Of::micros ? outlay.micros.value : outlay.tokens; }
  std::int64_t total() const { return used_ + reserved_; }
  static std::string key_of(const std::string& agent, const std::string& model, Complexity complexity) {
    return agent + " " + model + " " + std::string(to_word(complexity));
  }
  std::int64_t seen_of(const std::string& key) const {
    const auto found = seen_.find(key);
    return found == seen_.end() ? 0 : found->second;
  }
  std::int64_t used_of(TaskId id) const {
    const auto found = used_by_task_.find(id);
    return found == used_by_task_.end() ? 0 : found->second;
  }
  std::optional<std::int64_t> own_ceiling_of(const TaskSpec& spec) const {
    if (of_ == Of::tokens || spec.id == k_planning) return std::nullopt;
    if (spec.budget_micros) return spec.budget_micros->value;
    return own_ceiling_;
  }

  void start(const RunStarted& e) {
    if (of_ == Of::tokens) budget_ = e.config.budget_tokens;
    if (of_ == Of::micros && e.config.budget_micros) budget_ = e.config.budget_micros->value;
    if (e.config.limits.task_cost_micros) own_ceiling_ = e.config.limits.task_cost_micros->value;
    specs_[k_planning].id = k_planning;
  }

  void resume(const RunResumed& e) {
    if (of_ == Of::tokens && e.budget_tokens) budget_ = e.budget_tokens;
    if (of_ == Of::micros && e.budget_micros) budget_ = e.budget_micros->value;
    committed_at_resume_ = total();
    excess_since_admission_ = 0;
  }

  void assign(AttemptId id, const TaskAssigned& e) {
    const TaskSpec& spec = specs_.at(id.task);
    Flight flight{.reserved = part({e.reserved_micros, e.reserved_tokens}),
                  .limit = limit_of(spec),
                  .key = key_of(e.agent, e.model, spec.complexity)};
    const std::int64_t seen = seen_of(flight.key);
    flight.is_last = flight.reserved < std::max(flight.limit, seen);
    reserved_ += flight.reserved;
    ++attempts_;
    if (budget_) {
      EXPECT_LE(total(), *budget_) << "it started although the budget did not allow it";
    }
    EXPECT_GT(flight.reserved, 0);
    EXPECT_GE(flight.reserved, seen) << "an attempt of its kind is known to have used more";
    if (flight.is_last) {
      ++last_ones_;
      EXPECT_TRUE(flights_.empty()) << "only the last one may get what is left";
      EXPECT_GE(flight.reserved, flight.limit / 10) << "a hopelessly small rest";
    }
    if (const auto own = own_ceiling_of(spec); own && used_of(spec.id) > 0) {
      EXPECT_GE(*own - used_of(spec.id), part(attempt_ceiling(spec)) / 10) << "its own ceiling is used up";
    }
    committed_at_resume_ = 0;
    excess_since_admission_ = 0;
    flights_.emplace(id, flight);
  }

  void exit(AttemptId id, const AgentExited& e) {
    const Flight flight = flights_.at(id);
    const Usage& usage = e.usage;
    const bool is_ended = e.timed_out || e.stalled || e.stopped;
    const std::int64_t told = of_ == Of::micros ? usage.cost_micros.value_or(UsdMicros{}).value
                                                : usage.input_tokens.value_or(0) + usage.output_tokens.value_or(0);
    const bool is_known = of_ == Of::micros ? usage.cost_micros.has_value() : usage.input_tokens && usage.output_tokens;
    const std::int64_t counted = is_known && !is_ended ? told : std::max(told, flight.reserved);
    const std::int64_t excess = std::max<std::int64_t>(counted - flight.reserved, 0);
    if (excess > 0) note_excess(id, flight, told, excess);
    flights_.erase(id);
    reserved_ -= flight.reserved;
    used_ += counted;
    used_by_task_[id.task] += counted;
    excess_since_admission_ += excess;
  }

  void note_excess(AttemptId id, const Flight& flight, std::int64_t told, std::int64_t excess) {
    ++excesses_;
    if (!seen_.contains(flight.key)) {
      for (const auto& [other, its] : flights_) {
        if (its.key == flight.key) unaware_.insert(other);
      }
    }
    seen_[flight.key] = std::max(seen_of(flight.key), told);
    if (unaware_.contains(id)) excess_of_unaware_ += excess;
    if (habit_ == Habit::keeps) {
      EXPECT_TRUE(flight.is_last) << "who keeps to its ceiling uses more only where it got a rest";
      EXPECT_LT(excess, flight.limit) << "of one attempt's ceiling";
    }
    if (habit_ == Habit::steady) {
      EXPECT_TRUE(unaware_.contains(id)) << "its kind had been seen to use more when it started";
    }
  }

  // The attempt was lost before its agent had ended; what the agent did until then is not known.
  void lose(AttemptId id, const EffectFailed& e) {
    const auto found = flights_.find(id);
    if (found == flights_.end()) return;
    reserved_ -= found->second.reserved;
    if (found->second.started && e.effect == SpawnRequested::type) {
      used_ += found->second.reserved;
      used_by_task_[id.task] += found->second.reserved;
    }
    flights_.erase(found);
  }

  void check_overshoot() {
    if (!budget_) return;
    // A resume may lower the budget below what is in use already; nothing is admitted then.
    const std::int64_t over = total() - std::max(*budget_, committed_at_resume_);
    worst_ = std::max(worst_, over);
    // What was admitted fitted, so only what is used beyond reservations since then can be too much.
    EXPECT_LE(over, excess_since_admission_);
    if (habit_ == Habit::steady) {
      EXPECT_LE(over, excess_of_unaware_);
    }
  }

  Of of_;
  Habit habit_;
  std::optional<std::int64_t> budget_;
  std::optional<std::int64_t> own_ceiling_;
  std::map<TaskId, TaskSpec> specs_;
  std::map<TaskId, std::int64_t> used_by_task_;
  std::map<AttemptId, Flight> flights_;
  std::map<std::string, std::int64_t> seen_;  // by kind: the most that an attempt used beyond its reservation
  std::set<AttemptId> unaware_;               // in flight when the first of their kind was seen to use more
  std::int64_t used_ = 0;                     // told or presumed
  std::int64_t reserved_ = 0;
  std::int64_t committed_at_resume_ = 0;  // until something is admitted
  std::int64_t excess_since_admission_ = 0;
  std::int64_t excess_of_unaware_ = 0;
  std::int64_t attempts_ = 0;
  std::int64_t excesses_ = 0;
  std::int64_t last_ones_ = 0;
  std::int64_t worst_ = 0;
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
    world_.watch_invariants();
    if (config_.planner && dice_.one_in(3)) {
      world_.start_with_goal();
    } else {
      world_.start(a_plan_by_chance());
    }
    constexpr int k_rounds_max = 8;
    for (int round = 0; round < k_rounds_max; ++round) {
      world_.run([this](const RunState& state, const OpenIntent& intent) { return answer(state, intent); },
                 [this](std::size_t open) { return choose(open); }, 5'000);
      read_on();
      const RunState& state = world_.state();
      if (state.paused && !state.finished) {
        world_.feed({about_run(), RunContinued{}});
        continue;
      }
      ASSERT_TRUE(state.finished) << "it hangs";
      if (state.finished->outcome != RunOutcome::budget) break;
      ++tally.out_of_budget;
      expect_that_nothing_fits();
      if (round + 1 == k_rounds_max || !dice_.one_in(2)) break;
      resume(true);
    }
    read_on();
    const RunState& state = world_.state();
    ASSERT_TRUE(state.finished) << "it hangs";
    const RunOutcome outcome = state.finished->outcome;
    EXPECT_TRUE(outcome == RunOutcome::landed || outcome == RunOutcome::incomplete || outcome == RunOutcome::budget)
        << state.finished->why;
    EXPECT_EQ(world_.broken(), std::vector<std::string>{});
    EXPECT_EQ(state.reserved, Outlay{});
    add_to(tally);
  }

 private:
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
      const Arm arm = choose_arm(state, task);
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
