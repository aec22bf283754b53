// Random plans, configurations and outcomes: what must hold in every run, whatever happens in it.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "bernstein/base/path.hpp"
#include "bernstein/decide/budget.hpp"
#include "bernstein/decide/decide.hpp"
#include "bernstein/decide/router.hpp"
#include "bernstein/event/codec.hpp"
#include "bernstein/state/credentials.hpp"
#include "support/builders.hpp"

namespace bernstein {
namespace {

using namespace test;

using Words = std::vector<std::string>;

class Dice {
 public:
  explicit Dice(std::uint32_t seed) : engine_(seed) {}
  std::uint32_t below(std::size_t limit) { return static_cast<std::uint32_t>(engine_() % limit); }
  bool one_in(std::size_t n) { return below(n) == 0; }
  template <class T>
  const T& pick(const std::vector<T>& choices) {
    return choices[below(choices.size())];
  }

 private:
  std::mt19937 engine_;
};

const std::vector<std::string> k_patterns{"a/",  "a/b",      "a/b/c", "b/*.x", "b/",  "c",
                                          "c/d", "d/**/*.y", "e",     "*.z",   "f/g/"};
const std::vector<std::string> k_paths{"a/b",   "a/b/c",   "a/q", "b/1.x", "b/2.y", "c",  "c/d",
                                       "d/1.y", "d/q/2.y", "e",   "1.z",   "f/g/h", "new"};
const std::vector<std::string> k_roles{"backend", "docs", "security", "planner"};

RunConfig a_random_config(Dice& dice) {
  ConfigBuilder config = a_config().with_agents(1 + dice.below(4)).with_attempts(1 + dice.below(3));
  if (dice.one_in(2)) config.with_arms({"one/cheap", "two/medium", "one/strong"});
  if (dice.one_in(2)) config.with_budget(cents(50 + dice.below(1'000)));
  if (dice.one_in(3)) config.with_role_slots("docs", 1);
  if (dice.one_in(3)) config.with_max_parallel("one", 1);
  if (dice.one_in(2)) config.with_gate(a_command("build"));
  if (dice.one_in(2)) config.with_planner(dice.one_in(2) ? "one" : "mock");
  if (dice.one_in(8)) config.with_role_slots("planner", 1);
  LandingRules landing{.batch = dice.below(4), .max_checks = 1 + dice.below(3)};
  landing.skip_intermediate = dice.one_in(2);
  config.with_landing(landing);
  if (dice.one_in(10)) config.with_merge_approval();
  if (dice.one_in(3)) config.with_role_policy("security", {.agent = "", .model = "strong"});
  return config;
}

std::vector<TaskSpec> a_random_plan(Dice& dice) {
  const std::uint32_t tasks = 1 + dice.below(12);
  const std::uint32_t stages = 1 + dice.below(3);
  std::vector<TaskSpec> plan;
  for (std::uint32_t i = 1; i <= tasks; ++i) {
    TaskBuilder task = a_task(i);
    // Stages in order, each with at least one task, so that dependencies on earlier ones make no cycle.
    const std::uint32_t stage = std::min((i - 1) * stages / tasks, stages - 1);
    task.in_stage(stage)
        .with_priority(1 + dice.below(5))
        .with_role(dice.pick(k_roles))
        .with_minutes(5 + dice.below(60));
    task.with_complexity(static_cast<Complexity>(dice.below(3))).with_scope(static_cast<Scope>(dice.below(3)));
    if (stage > 0 && dice.one_in(2)) task.after_stage(dice.below(stage));
    if (i > 1 && dice.one_in(3)) task.after(1 + dice.below(i - 1));
    std::vector<std::string> files = k_patterns;
    for (std::uint32_t left = dice.below(3); left > 0; --left) {
      auto chosen = files.begin() + dice.below(files.size());
      task.owning(*chosen);
      files.erase(chosen);
    }
    if (dice.one_in(4)) task.checked_by(a_command("own"));
    plan.push_back(task);
  }
  return plan;
}

// Most things go well; everything that can go wrong does so now and then.
EventBody a_random_result(Dice& dice, const World& world, const OpenIntent& intent) {
  const bool may_break = !is_timer(intent.body);
  if (dice.one_in(25) && may_break) {
    static const std::vector<FailureClass> k_classes{FailureClass::task, FailureClass::quota,
                                                     FailureClass::orchestrator, FailureClass::orchestrator};
    const FailureClass class_ = dice.one_in(20) ? FailureClass::environment : dice.pick(k_classes);
    return EffectFailed{.class_ = class_, .effect = std::string(type_of(intent.body)), .message = "broke"};
  }
  EventBody result = world.success(intent);
  if (is_timer(intent.body)) return result;
  if (auto* exit = std::get_if<AgentExited>(&result)) {
    if (dice.one_in(6)) exit->exit_code = 1;
    if (dice.one_in(12)) exit->outcome = static_cast<AgentOutcome>(dice.below(8));
    if (exit->outcome == AgentOutcome::auth || exit->outcome == AgentOutcome::model)
      exit->outcome = AgentOutcome::quota;
    if (dice.one_in(20)) exit->timed_out = true;
    if (dice.one_in(40)) exit->stopped = true;
    exit->usage.cost_micros = cents(dice.below(40));
    if (dice.one_in(8)) exit->usage.cost_micros.reset();
    if (dice.one_in(20)) exit->usage.cost_micros = cents(dice.below(2'000));
  } else if (auto* work = std::get_if<WorkCaptured>(&result)) {
    if (dice.one_in(10)) work->changes.clear();
    for (std::uint32_t left = dice.one_in(2) ? dice.below(3) : 0; left > 0; --left) {
      work->changes.push_back({ChangeKind::modified, dice.pick(k_paths)});
    }
  } else if (std::holds_alternative<PlanRead>(result)) {
    if (dice.one_in(3)) return a_faulty_answer();
    const TaskId question = *world.state().planning.question;
    if (question == k_planning) return an_answer(a_random_plan(dice));
    return some_parts(world.state(), question.number, 2 + dice.below(4));
  } else if (auto* check = std::get_if<CheckFinished>(&result)) {
    if (dice.one_in(8)) check->verdict = static_cast<CheckVerdict>(1 + dice.below(3));
  } else if (auto* built = std::get_if<CandidateBuilt>(&result)) {
    if (dice.one_in(8)) return CandidateConflicted{built->base, {{.path = "a/b"}}};
    if (dice.one_in(8)) built->tree = "a tree that comes again";
    if (dice.one_in(16)) built->left_out = {"ci.yml"};
  } else if (auto* recalled = std::get_if<Recalled>(&result)) {
    for (Seq& passed : recalled->passed) passed = dice.one_in(3) ? 1 : 0;
  } else if (std::holds_alternative<MergeLanded>(result) && dice.one_in(8)) {
    return MergeRefused{"commit of the user " + std::to_string(dice.below(1'000))};
  }
  return result;
}

// With a plan, or with a goal where there is a planner.
void starts_at_random(World& world, const RunConfig& config, Dice& dice) {
  if (config.planner && dice.one_in(2)) {
    world.start_with_goal();
  } else {
    world.start(a_random_plan(dice));
  }
}

// Ready tasks that could start now and do not, found by looking at each: no slot may stay free while one of these is
// left.
Words fit_and_wait(const RunState& state) {
  Words waiting;
  if (state.stop || state.paused || !state.halted.empty() || state.finished ||
      state.busy_slots >= config_of(state).max_agents)
    return waiting;
  // One agent means one thing at a time: its slot is free when everything that was begun has ended.
  if (config_of(state).max_agents == 1 && !(state.in_flight.empty() && only_timers_are_open(state))) return waiting;
  for (const auto& [id, task] : state.tasks) {
    if (task.status != TaskStatus::ready) continue;
    const auto overlaps = [&](const std::string& theirs) {
      const auto meets = [&](const std::string& mine) { return may_overlap(mine, theirs); };
      return std::any_of(task.spec.files.begin(), task.spec.files.end(), meets) ||
             std::any_of(task.extra_files.begin(), task.extra_files.end(), meets);
    };
    bool free = true;
    std::uint32_t of_role = 0;
    std::uint32_t of_agent = 0;
    const std::optional<RouteChosen> route = choose_route(state, task);
    if (!route) continue;
    const Arm arm = route->arm;
    for (AttemptId flying : state.in_flight) {
      const Attempt& attempt = attempt_of(state, flying);
      free = free && std::none_of(attempt.owned.begin(), attempt.owned.end(), overlaps) &&
             std::none_of(attempt.granted.begin(), attempt.granted.end(), overlaps);
      if (!attempt.slot) continue;
      of_role += task_of(state, flying.task).spec.role == task.spec.role ? 1U : 0U;
      of_agent += attempt.arm.agent == arm.agent ? 1U : 0U;
    }
    const RunConfig& config = config_of(state);
    if (auto cap = config.role_slots.find(task.spec.role); cap != config.role_slots.end())
      free = free && of_role < cap->second;
    for (const AgentSpec& agent : config.agents) {
      if (agent.name == arm.agent && agent.max_parallel > 0) free = free && of_agent < agent.max_parallel;
    }
    if (free && reservation(state, task, arm)) waiting.push_back(to_string(id));
  }
  return waiting;
}

void expect_promises_kept(std::uint32_t seed) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  Dice dice(seed);
  const RunConfig config = a_random_config(dice);
  World world(config);
  world.watch_invariants();
  starts_at_random(world, config, dice);
  Words idle;
  bool may_stop = dice.one_in(4);
  world.run(
      [&](const RunState& state, const OpenIntent& intent) -> std::optional<EventBody> {
        if (idle.empty()) idle = fit_and_wait(state);
        return a_random_result(dice, world, intent);
      },
      [&](std::size_t open) {
        if (may_stop && dice.one_in(40)) {
          may_stop = false;
          // What was answered may be gone: the world asks the script again.
          world.stops(dice.one_in(2) ? StopMode::now : StopMode::drain);
          if (dice.one_in(2)) world.resumes();
        }
        return dice.below(open);
      },
      5'000);

  if (is_left(world.state())) {
    EXPECT_FALSE(world.finished());
    world.resumes();
    world.run([&](const RunState&, const OpenIntent& intent) { return a_random_result(dice, world, intent); },
              [&](std::size_t open) { return dice.below(open); }, 5'000);
  }
  EXPECT_EQ(world.broken(), Words{});
  EXPECT_EQ(idle, Words{}) << "could have started";
  ASSERT_TRUE(world.finished());
  const RunState& state = world.state();
  const bool cut_short =
      state.finished->outcome != RunOutcome::landed && state.finished->outcome != RunOutcome::incomplete;
  for (const auto& [id, task] : state.tasks) EXPECT_TRUE(is_terminal(task.status) || cut_short) << to_string(id);
  EXPECT_EQ(state.busy_slots, 0U);
  EXPECT_EQ(state.reserved, Outlay{});
}

void expect_decided_alike(std::uint32_t seed) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  Dice dice(seed);
  const RunConfig config = a_random_config(dice);
  World world(config);
  starts_at_random(world, config, dice);
  world.run([&](const RunState&, const OpenIntent& intent) { return a_random_result(dice, world, intent); },
            [&](std::size_t open) { return dice.below(open); });

  World again;
  for (const Event& event : world.log()) {
    if (is_observed(kind_of(event.body))) again.feed({event.subject, event.body}, event.cause);
  }
  ASSERT_EQ(again.log().size(), world.log().size());
  for (std::size_t i = 0; i < world.log().size(); ++i) {
    ASSERT_EQ(type_of(again.log()[i].body), type_of(world.log()[i].body)) << "event " << i + 1;
    ASSERT_EQ(again.log()[i].subject, world.log()[i].subject) << "event " << i + 1;
    ASSERT_EQ(encode(again.log()[i].body), encode(world.log()[i].body)) << "event " << i + 1;
  }
  EXPECT_EQ(state_hash(again.state()), state_hash(world.state()));
}

void expect_any_order_lands_the_same(std::uint32_t seed) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  Dice dice(seed);
  std::vector<TaskSpec> plan = a_random_plan(dice);
  for (TaskSpec& task : plan) task.files = {"dir" + std::to_string(task.id.number) + "/"};
  const RunConfig config = a_config().with_agents(1 + dice.below(4)).with_attempts(2).with_gate(a_command("tests"));

  const auto statuses_by_order = [&](std::uint32_t order) {
    Dice choice(order);
    World world(config);
    world.start(plan);
    world.run(
        [&](const RunState&, const OpenIntent& intent) -> std::optional<EventBody> {
          EventBody result = world.success(intent);
          Dice fate(seed * 1'000'003U + intent.subject.task.number * 101U + intent.subject.attempt);
          const std::uint32_t misfortune = fate.below(6);
          if (auto* exit = std::get_if<AgentExited>(&result); exit != nullptr && misfortune == 0) exit->exit_code = 1;
          const bool is_targets = intent.subject == about_run();
          if (auto* check = std::get_if<CheckFinished>(&result); check != nullptr && misfortune == 1 && !is_targets)
            check->verdict = CheckVerdict::failed;
          return result;
        },
        [&](std::size_t open) { return choice.below(open); });
    EXPECT_TRUE(world.finished());
    std::map<std::string, std::string_view> statuses;
    for (const auto& [id, task] : world.state().tasks) statuses[to_string(id)] = to_word(task.status);
    return statuses;
  };
  const auto first = statuses_by_order(1);
  for (std::uint32_t order = 2; order <= 6; ++order) EXPECT_EQ(statuses_by_order(order), first) << "order " << order;
}

constexpr std::uint32_t k_seeds_each = 20;

// Each case takes its own twenty seeds.
class AnyRun : public testing::TestWithParam<std::uint32_t> {
 protected:
  static void for_each_seed(void (*expect)(std::uint32_t)) {
    for (std::uint32_t i = 0; i < k_seeds_each && !HasFatalFailure(); ++i) expect(GetParam() * k_seeds_each + i);
  }
};

TEST_P(AnyRun, KeepsItsPromisesAndEnds) {
  for_each_seed(expect_promises_kept);
}

// The same recorded inputs give the same decisions, byte for byte.
TEST_P(AnyRun, IsDecidedAlikeFromItsRecordedInputs) {
  for_each_seed(expect_decided_alike);
}

// What an effect leads to depends on the attempt alone, and no two tasks share files: then the order in which results
// come in may change who lands when, and never who lands.
TEST_P(AnyRun, LandsTheSameInWhateverOrderIndependentResultsCome) {
  for_each_seed(expect_any_order_lands_the_same);
}

INSTANTIATE_TEST_SUITE_P(Seeds, AnyRun, testing::Range(0U, 10U));

TEST(Settle, TakesBoundedStepsForManyTasks) {
  std::vector<TaskSpec> plan;
  for (std::uint32_t i = 1; i <= 2'000; ++i) plan.push_back(a_task(i).owning("dir" + std::to_string(i) + "/"));
  World world(a_config().with_agents(8));
  EXPECT_EQ(world.start(plan).size(), 2'000U * 2 + 8 * 3);
}

}  // namespace
}  // namespace bernstein
