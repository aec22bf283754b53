#include "bernstein/decide/router.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "bernstein/base/text.hpp"
#include "support/builders.hpp"

namespace bernstein {
namespace {

using namespace test;

constexpr std::string_view k_arms[] = {"a/one", "a/two", "a/three", "b/four"};

ConfigBuilder config_with_arms(std::size_t count) {
  switch (count) {
    case 1:
      return a_config().with_arms({k_arms[0]});
    case 2:
      return a_config().with_arms({k_arms[0], k_arms[1]});
    case 3:
      return a_config().with_arms({k_arms[0], k_arms[1], k_arms[2]});
    default:
      return a_config().with_arms({k_arms[0], k_arms[1], k_arms[2], k_arms[3]});
  }
}

RunState a_state(RunConfig config) {
  RunState state;
  state.started = a_start(std::move(config));
  return state;
}

Task with_spec(TaskSpec spec) {
  Task task;
  task.spec = std::move(spec);
  return task;
}

RouteChosen route_of(RunConfig config, TaskSpec spec, std::uint32_t failures = 0) {
  Task task = with_spec(std::move(spec));
  task.failures = failures;
  return choose_route(a_state(std::move(config)), task).value();
}

struct Start {
  std::size_t arms;
  Complexity complexity;
  std::size_t step;  // from 1
  const char* why;
};

class StaticCascade : public testing::TestWithParam<Start> {};

TEST_P(StaticCascade, StartsWhereTheComplexitySays) {
  const Start& start = GetParam();
  const RouteChosen route = route_of(config_with_arms(start.arms), a_task(1).with_complexity(start.complexity));
  EXPECT_EQ(to_string(route.arm), k_arms[start.step - 1]);
  EXPECT_EQ(route.rule, "static");
  EXPECT_EQ(route.why, start.why);
  EXPECT_EQ(route.probabilities_ppm.size(), start.arms);
  EXPECT_EQ(route.scores.size(), start.arms);
  EXPECT_EQ(route.probabilities_ppm.at(to_string(route.arm)), 1'000'000);
  EXPECT_EQ(route.scores.at(to_string(route.arm)), "0x0p+0");
}

INSTANTIATE_TEST_SUITE_P(AllComplexitiesAndNumbersOfArms, StaticCascade,
                         testing::Values(Start{1, Complexity::low, 1, "low complexity starts at step 1 of 1"},
                                         Start{1, Complexity::medium, 1, "medium complexity starts at step 1 of 1"},
                                         Start{1, Complexity::high, 1, "high complexity starts at step 1 of 1"},
                                         Start{2, Complexity::low, 1, "low complexity starts at step 1 of 2"},
                                         Start{2, Complexity::medium, 1, "medium complexity starts at step 1 of 2"},
                                         Start{2, Complexity::high, 2, "high complexity starts at step 2 of 2"},
                                         Start{3, Complexity::low, 1, "low complexity starts at step 1 of 3"},
                                         Start{3, Complexity::medium, 2, "medium complexity starts at step 2 of 3"},
                                         Start{3, Complexity::high, 3, "high complexity starts at step 3 of 3"},
                                         Start{4, Complexity::low, 1, "low complexity starts at step 1 of 4"},
                                         Start{4, Complexity::medium, 2, "medium complexity starts at step 2 of 4"},
                                         Start{4, Complexity::high, 4, "high complexity starts at step 4 of 4"}));

TEST(Router, ScoresAreTheDistanceFromTheWantedStepInHexFloats) {
  const RouteChosen route = route_of(config_with_arms(4), a_task(1).with_complexity(Complexity::high));
  EXPECT_EQ(route.scores,
            (std::map<std::string, std::string>{
                {"a/one", "-0x1.8p+1"}, {"a/two", "-0x1p+1"}, {"a/three", "-0x1p+0"}, {"b/four", "0x0p+0"}}));
  EXPECT_EQ(route.probabilities_ppm,
            (std::map<std::string, std::int64_t>{{"a/one", 0}, {"a/two", 0}, {"a/three", 0}, {"b/four", 1'000'000}}));
}

TEST(Router, HighStakesRolesNeverStartAtTheCheapest) {
  for (const char* role : {"architect", "manager", "security"}) {
    const RouteChosen route = route_of(config_with_arms(3), a_task(1).with_role(role).with_complexity(Complexity::low));
    EXPECT_EQ(to_string(route.arm), "a/two");
    EXPECT_EQ(route.why,
              "low complexity starts at step 1 of 3; role '" + std::string(role) + "' never starts at the cheapest");
  }
  const RouteChosen alone =
      route_of(config_with_arms(1), a_task(1).with_role("security").with_complexity(Complexity::low));
  EXPECT_EQ(to_string(alone.arm), "a/one");
  EXPECT_EQ(alone.why, "low complexity starts at step 1 of 1");
}

TEST(Router, EveryFailedAttemptMovesOneStepUp) {
  const TaskSpec task = a_task(1).with_complexity(Complexity::low);
  EXPECT_EQ(to_string(route_of(config_with_arms(3), task, 1).arm), "a/two");
  EXPECT_EQ(route_of(config_with_arms(3), task, 1).why,
            "low complexity starts at step 1 of 3; 1 failed attempt before");
  EXPECT_EQ(to_string(route_of(config_with_arms(3), task, 2).arm), "a/three");
  EXPECT_EQ(to_string(route_of(config_with_arms(3), task, 5).arm), "a/three");
  EXPECT_EQ(route_of(config_with_arms(3), task, 5).why,
            "low complexity starts at step 1 of 3; 5 failed attempts before");
}

TEST(Router, AFailedTaskEscalatesInARun) {
  World world;
  world.start({a_task(1).with_complexity(Complexity::low)});
  world.fails(at(1));
  EXPECT_EQ(world.the<TaskAssigned>(about(at(1))).model, "cheap-1");
  EXPECT_EQ(world.the<TaskAssigned>(about(at(1, 2))).model, "strong-1");
}

TEST(Router, APinOfTheTaskWins) {
  const RunConfig config = config_with_arms(4).with_role_policy("docs", {.agent = "a", .model = "one"});
  const RouteChosen route = route_of(config, a_task(1).with_role("docs").pinned_to("b", "four"));
  EXPECT_EQ(to_string(route.arm), "b/four");
  EXPECT_EQ(route.rule, "pin");
  EXPECT_EQ(route.why, "pinned by the task");
  EXPECT_EQ(route.probabilities_ppm, (std::map<std::string, std::int64_t>{{"b/four", 1'000'000}}));
}

TEST(Router, APinOfTheRoleHoldsWhereTheTaskHasNone) {
  const RunConfig config = config_with_arms(4).with_role_policy("docs", {.agent = "", .model = "three"});
  const RouteChosen route = route_of(config, a_task(1).with_role("docs"));
  EXPECT_EQ(to_string(route.arm), "a/three");
  EXPECT_EQ(route.rule, "pin");
  EXPECT_EQ(route.why, "pinned by role 'docs'");
}

// The task pins the agent and its role the model: either may be what surprises a reader.
TEST(Router, PinsOfTaskAndRoleAddUp) {
  const RunConfig config = config_with_arms(4).with_role_policy("docs", {.agent = "b", .model = "two"});
  const RouteChosen route = route_of(config, a_task(1).with_role("docs").pinned_to("a"));
  EXPECT_EQ(to_string(route.arm), "a/two");
  EXPECT_EQ(route.why, "pinned by the task and role 'docs'");
}

TEST(Router, AnAgentPinLeavesTheChoiceAmongItsArms) {
  const RouteChosen route = route_of(config_with_arms(4), a_task(1).pinned_to("a").with_complexity(Complexity::high));
  EXPECT_EQ(to_string(route.arm), "a/three");
  EXPECT_EQ(route.rule, "static");
  EXPECT_EQ(route.why, "agent 'a' is pinned by the task; high complexity starts at step 3 of 3");
}

TEST(Router, AModelMayBePinnedByItsNameOrItsTier) {
  EXPECT_EQ(to_string(route_of(config_with_arms(4), a_task(1).pinned_to("", "three-1")).arm), "a/three");
  EXPECT_EQ(to_string(route_of(config_with_arms(4), a_task(1).pinned_to("", "three")).arm), "a/three");
}

TEST(Router, AnAgentThatTheRouterDoesNotKnowBringsItsOwnModels) {
  const RunConfig config = a_config().with_agent(
      {.models = {{.name = "mini", .tier = "cheap"}, {.name = "maxi", .tier = "strong"}}, .name = "extra"});
  const RouteChosen route = route_of(config, a_task(1).pinned_to("extra").with_complexity(Complexity::high));
  EXPECT_EQ(route.arm, (Arm{"extra", "maxi", "strong"}));
}

TEST(Router, AModelThatTheAgentDoesNotListIsPassedOn) {
  const RouteChosen route = route_of(config_with_arms(4), a_task(1).pinned_to("b", "brand-new"));
  EXPECT_EQ(route.arm, (Arm{"b", "brand-new", "brand-new"}));
  EXPECT_EQ(route.rule, "pin");
}

TEST(Router, RecordsTheFeaturesThatAChoiceMayDependOn) {
  RunConfig config = config_with_arms(2);
  config.constraints = {"C++20"};
  TaskSpec task = a_task(7)
                      .owning("a/")
                      .owning("b/")
                      .with_priority(1)
                      .with_role("security")
                      .with_complexity(Complexity::high)
                      .with_scope(Scope::large)
                      .with_minutes(45);
  task.title = "Title";
  task.description = "Twenty-two characters.";
  task.signals = {{.name = "a", .path = "a"}, {.name = "b", .path = "b"}};
  config.gates = {{.command = "true", .name = "tests", .type = CheckType::command}};
  EXPECT_EQ(route_of(config, task, 1).features, (std::map<std::string, std::int64_t>{{"bias", 1},
                                                                                     {"checks", 3},
                                                                                     {"complexity", 2},
                                                                                     {"failures", 1},
                                                                                     {"files", 2},
                                                                                     {"high_stakes", 1},
                                                                                     {"minutes", 45},
                                                                                     {"priority", 1},
                                                                                     {"prompt_tokens", 8},
                                                                                     {"role_devops", 0},
                                                                                     {"role_docs", 0},
                                                                                     {"role_frontend", 0},
                                                                                     {"role_qa", 0},
                                                                                     {"scope", 2}}));
  EXPECT_EQ(route_of(config, a_task(1).with_role("docs")).features.at("role_docs"), 1);
}

// ---- floors and steps ----

std::vector<std::string> names_of(const std::map<std::string, std::int64_t>& probabilities) {
  std::vector<std::string> names;
  for (const auto& [name, ppm] : probabilities) names.push_back(name);
  return names;
}

TEST(Router, AFloorSaysWhatIsExcludedAndWhy) {
  const RouteChosen route = route_of(config_with_arms(3), a_task(1).with_role("security"));
  EXPECT_EQ(route.floor, "role 'security' never gets the cheapest");
  EXPECT_EQ(route.excluded, (std::map<std::string, std::string>{{"a/one", route.floor}}));
  EXPECT_EQ(names_of(route.probabilities_ppm), (std::vector<std::string>{"a/three", "a/two"}));
  EXPECT_EQ(names_of(route.probabilities_ppm).size(), route.scores.size());
}

TEST(Router, ArmsOfOneTierStandOnOneStep) {
  // given two agents with a cheap and a strong model each
  const RunConfig config = a_config().with_arms({"a/cheap", "b/cheap", "a/strong", "b/strong"});
  // then the cheapest tier is out of bounds as a whole
  EXPECT_EQ(to_string(route_of(config, a_task(1).with_role("security").with_complexity(Complexity::low)).arm),
            "a/strong");
  // and a failed attempt moves to the next tier, not to the next arm
  EXPECT_EQ(to_string(route_of(config, a_task(1).with_complexity(Complexity::low), 1).arm), "a/strong");
}

TEST(Router, AfterAFailedAttemptOnlyStrongerArmsAreLeft) {
  const RunState state = a_state(config_with_arms(3));
  Task task = with_spec(a_task(1).with_complexity(Complexity::low));
  task.failures = 1;
  task.failed_arm = config_of(state).arms[1];
  const RouteChosen route = choose_route(state, task).value();
  EXPECT_EQ(to_string(route.arm), "a/three");
  EXPECT_EQ(route.floor, "an attempt at a/two failed");
  // The strongest has nothing above it.
  task.failed_arm = config_of(state).arms[2];
  EXPECT_EQ(to_string(choose_route(state, task)->arm), "a/three");
}

// ---- agents that are not there ----

void park(RunState& state, const std::string& agent) {
  const Seq seq = 100 + static_cast<Seq>(state.parked.size());
  state.parked[agent] = seq;
  state.open_intents[seq] = {.subject = about_run(), .body = ParkRequested{agent, k_minute, "429"}};
}

TEST(Router, AnotherAgentTakesOverOnTheSameStep) {
  RunState state = a_state(a_config().with_arms({"a/cheap", "b/cheap", "a/strong", "b/strong"}));
  const Task task = with_spec(a_task(1).with_complexity(Complexity::low));
  EXPECT_EQ(to_string(choose_route(state, task)->arm), "a/cheap");
  park(state, "a");
  const RouteChosen route = choose_route(state, task).value();
  EXPECT_EQ(to_string(route.arm), "b/cheap");
  EXPECT_EQ(route.excluded.at("a/cheap"), "a is left alone: 429");
}

TEST(Router, ATaskWaitsWhenNoArmIsLeft) {
  RunState state = a_state(a_config().with_arms({"a/cheap", "b/strong"}));
  const Task security = with_spec(a_task(1).with_role("security"));
  park(state, "b");
  EXPECT_FALSE(has_route(state, security));
  EXPECT_EQ(choose_route(state, security), std::nullopt);
  EXPECT_EQ(missing_agents(state, security), "b is left alone: 429");
  EXPECT_EQ(to_string(foresee_route(state, security).arm), "b/strong");
  EXPECT_TRUE(has_route(state, with_spec(a_task(2))));
}

// ---- the bandit ----

RunConfig bandit_config(std::uint32_t warmup = 0, std::int64_t explore_ppm = 0) {
  RunConfig config = config_with_arms(3);
  config.routing = {.explore_ppm = explore_ppm, .mode = RoutingMode::bandit, .warmup = warmup};
  return config;
}

// What a policy has seen of arms: each landed or failed so many times at tasks such as this.
void teach(RunState& state, const Task& task, const Arm& arm, std::int64_t reward_ppm, int times = 20) {
  RewardRecorded reward;
  reward.arm = arm;
  reward.reward_ppm = reward_ppm;
  for (int i = 0; i < times; ++i) state.policy.learn(arm, route_features(state, task), reward);
}

TEST(Bandit, ChoosesTheArmWithTheHighestScore) {
  RunState state = a_state(bandit_config());
  const Task task = with_spec(a_task(1));
  const std::vector<Arm>& arms = config_of(state).arms;
  teach(state, task, arms[0], 400'000);
  teach(state, task, arms[1], 800'000);
  teach(state, task, arms[2], 600'000);
  const RouteChosen route = choose_route(state, task).value();
  EXPECT_EQ(to_string(route.arm), "a/two");
  EXPECT_EQ(route.preferred, "a/two");
  EXPECT_EQ(route.rule, "bandit");
  EXPECT_EQ(route.probabilities_ppm,
            (std::map<std::string, std::int64_t>{{"a/one", 0}, {"a/three", 0}, {"a/two", 1'000'000}}));
  const Context context = context_of(route.features);
  for (const Arm& arm : arms) {
    EXPECT_EQ(route.scores.at(to_string(arm)), hex_float(upper_bound(state.policy.model_of(arm).at(context), 0.2)));
  }
}

TEST(Bandit, TriesWhatItDoesNotKnowWhenTheKnownIsPoor) {
  RunState state = a_state(bandit_config());
  const Task task = with_spec(a_task(1));
  teach(state, task, config_of(state).arms[0], 10'000);
  EXPECT_EQ(to_string(choose_route(state, task)->arm), "a/two");  // of two equal ones the first
}

TEST(Bandit, LearnsByContext) {
  RunState state = a_state(bandit_config());
  const Task easy = with_spec(a_task(1).with_complexity(Complexity::low));
  const Task hard = with_spec(a_task(2).with_complexity(Complexity::high));
  const std::vector<Arm>& arms = config_of(state).arms;
  for (const Arm& arm : arms) {
    const bool is_small = arm == arms.front();
    teach(state, easy, arm, is_small ? 900'000 : 400'000);
    teach(state, hard, arm, is_small ? 0 : 500'000);
  }
  EXPECT_EQ(to_string(choose_route(state, easy)->arm), "a/one");
  EXPECT_NE(to_string(choose_route(state, hard)->arm), "a/one");
}

TEST(Bandit, IsNotAskedBeforeThereIsEnoughExperience) {
  RunState state = a_state(bandit_config(50));
  const Task task = with_spec(a_task(1));
  teach(state, task, config_of(state).arms[0], 900'000, 49);
  RouteChosen route = choose_route(state, task).value();
  EXPECT_EQ(route.rule, "warmup");
  EXPECT_EQ(route.preferred, "");
  EXPECT_EQ(to_string(route.arm), "a/two");
  EXPECT_EQ(route.why, "medium complexity starts at step 2 of 3; LinUCB chooses after 50 completions, there are 49");
  teach(state, task, config_of(state).arms[0], 900'000, 1);
  route = choose_route(state, task).value();
  EXPECT_EQ(route.rule, "bandit");
  EXPECT_EQ(to_string(route.arm), "a/one");
}

TEST(Bandit, FloorsAndFailuresHoldForItToo) {
  RunState state = a_state(bandit_config());
  Task task = with_spec(a_task(1).with_role("security"));
  const std::vector<Arm>& arms = config_of(state).arms;
  teach(state, task, arms[0], 1'000'000, 200);
  EXPECT_NE(to_string(choose_route(state, task)->arm), "a/one");
  task.spec.role = "backend";
  task.failed_arm = arms[1];
  EXPECT_EQ(to_string(choose_route(state, task)->arm), "a/three");
}

TEST(Bandit, InShadowTheCascadeChooses) {
  RunConfig config = bandit_config();
  config.routing.mode = RoutingMode::shadow;
  RunState state = a_state(config);
  const Task task = with_spec(a_task(1));
  teach(state, task, config_of(state).arms[0], 1'000'000);
  const RouteChosen route = choose_route(state, task).value();
  EXPECT_EQ(to_string(route.arm), "a/two");
  EXPECT_EQ(route.rule, "static");
  EXPECT_EQ(route.preferred, "a/one");
  EXPECT_EQ(route.why, "medium complexity starts at step 2 of 3; LinUCB would choose a/one");
  EXPECT_EQ(route.probabilities_ppm.at("a/two"), 1'000'000);
}

TEST(Bandit, SpreadsPartOfItsChoicesWithKnownProbabilities) {
  // given 10 % of exploration over three arms
  RunConfig config = bandit_config(0, 100'000);
  config.routing.alpha_ppm = 0;
  RunState state = a_state(config);
  Task task = with_spec(a_task(1));
  teach(state, task, config_of(state).arms[1], 900'000);
  std::map<std::string, int> chosen;
  constexpr int k_tasks = 30'000;
  for (std::uint32_t id = 1; id <= k_tasks; ++id) {
    task.spec.id = TaskId{id};
    const RouteChosen route = choose_route(state, task).value();
    EXPECT_EQ(route.probabilities_ppm,
              (std::map<std::string, std::int64_t>{{"a/one", 33'333}, {"a/three", 33'333}, {"a/two", 933'334}}));
    EXPECT_EQ(route.why.starts_with("explores instead of a/two"), to_string(route.arm) != "a/two");
    ++chosen[to_string(route.arm)];
  }
  // then each is chosen as often as its probability says: 1,000 of 30,000, whose standard deviation is 31
  EXPECT_NEAR(chosen["a/one"], 1'000, 155);
  EXPECT_NEAR(chosen["a/three"], 1'000, 155);
}

TEST(Bandit, ExploresByTheSeedOfTheRunAndTheAttempt) {
  RunState state = a_state(bandit_config(0, 1'000'000));
  Task task = with_spec(a_task(1));
  const auto choices = [&] {
    std::string text;
    for (std::uint32_t id = 1; id <= 40; ++id) {
      task.spec.id = TaskId{id};
      text += to_string(choose_route(state, task)->arm) + " ";
    }
    return text;
  };
  const std::string first = choices();
  EXPECT_EQ(choices(), first);
  state.started->seed += 1;
  EXPECT_NE(choices(), first);
  state.started->seed -= 1;
  task.attempts.resize(1);
  EXPECT_NE(choices(), first);
}

TEST(Bandit, ARewardInARunTeachesIt) {
  World world(bandit_config());
  world.start({a_task(1)});
  const Arm arm = world.the<RouteChosen>(about(at(1))).arm;
  world.worktree_ready(at(1));
  world.agent_exits(at(1), 0, cents(10));
  world.captured(at(1), {"a"});
  world.lands(at(1));
  EXPECT_EQ(world.state().policy.completions_of(arm), 1);
}

}  // namespace
}  // namespace bernstein
