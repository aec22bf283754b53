#include "bernstein/decide/router.hpp"

#include <gtest/gtest.h>

#include <numeric>

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

RouteChosen route_of(RunConfig config, TaskSpec spec, std::uint32_t failures = 0) {
  RunState state;
  state.started = a_start(std::move(config));
  Task task;
  task.spec = std::move(spec);
  task.failures = failures;
  return choose_route(state, task);
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
  EXPECT_EQ(route_of(config, task, 1).features, (std::map<std::string, std::int64_t>{{"bias", 1},
                                                                                     {"complexity", 2},
                                                                                     {"failures", 1},
                                                                                     {"files", 2},
                                                                                     {"high_stakes", 1},
                                                                                     {"minutes", 45},
                                                                                     {"priority", 1},
                                                                                     {"prompt_tokens", 8},
                                                                                     {"scope", 2}}));
}

}  // namespace
}  // namespace bernstein
