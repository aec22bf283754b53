#include <gtest/gtest.h>

#include "support/builders.hpp"

namespace bernstein {
namespace {

using namespace test;

RewardRecorded reward_of_a_run(int exit_code, std::optional<UsdMicros> cost) {
  World world(a_config().with_gate(a_command("tests")));
  world.start({a_task(1)});  // ceiling $1.00
  world.worktree_ready(at(1));
  world.agent_exits(at(1), exit_code, cost);
  world.captured(at(1), {"a"});
  if (exit_code == 0) world.lands(at(1));
  return world.the<RewardRecorded>(about(at(1)));
}

const Arm k_cheap{"mock", "cheap-1", "cheap"};

TEST(Reward, IsQualityTimesTheShareOfTheCeilingThatWasSaved) {
  EXPECT_EQ(reward_of_a_run(0, cents(10)), (RewardRecorded{k_cheap, cents(10), cents(10), 1'000'000, 900'000,
                                                           "landed, cost $0.10 of a ceiling of $1.00"}));
  EXPECT_EQ(reward_of_a_run(0, cents(0)), (RewardRecorded{k_cheap, cents(0), cents(0), 1'000'000, 1'000'000,
                                                          "landed, cost $0.00 of a ceiling of $1.00"}));
}

TEST(Reward, WhatNobodyCheckedIsHalfAsGood) {
  World world;
  world.start({a_task(1)});
  world.worktree_ready(at(1));
  world.agent_exits(at(1), 0, cents(10));
  world.captured(at(1), {"a"});
  world.lands(at(1));
  EXPECT_EQ(world.the<RewardRecorded>(about(at(1))),
            (RewardRecorded{k_cheap, cents(10), cents(10), 500'000, 450'000,
                            "landed unverified, cost $0.10 of a ceiling of $1.00"}));
}

// Leaving these out would favour the arms that hang or die.
TEST(Reward, IsNothingAlsoForWhatWasCutShort) {
  for (const bool killed : {true, false}) {
    World world;
    world.start({a_task(1)});
    world.worktree_ready(at(1));
    AgentExited exit = an_exit(137, cents(30));
    (killed ? exit.stopped : exit.timed_out) = true;
    world.answer<SpawnRequested>(at(1), exit);
    world.captured(at(1), {"a"});
    EXPECT_EQ(world.the<RewardRecorded>(about(at(1))),
              (RewardRecorded{k_cheap, cents(30), cents(30), 0, 0, "did not land, cost $0.30 of a ceiling of $1.00"}));
  }
}

TEST(Reward, AQuotaTeachesNothing) {
  World world;
  world.start({a_task(1)});
  world.worktree_ready(at(1));
  AgentExited exit = an_exit(1, cents(0));
  exit.outcome = AgentOutcome::quota;
  world.answer<SpawnRequested>(at(1), exit);
  world.captured(at(1), {});
  EXPECT_EQ(world.find<RewardRecorded>(about(at(1))), nullptr);
}

TEST(Reward, IsNothingForWhatDidNotLand) {
  EXPECT_EQ(reward_of_a_run(1, cents(10)),
            (RewardRecorded{k_cheap, cents(10), cents(10), 0, 0, "did not land, cost $0.10 of a ceiling of $1.00"}));
}

TEST(Reward, AnUnknownCostCountsAsHalfOfTheCeiling) {
  EXPECT_EQ(reward_of_a_run(0, std::nullopt),
            (RewardRecorded{k_cheap, std::nullopt, cents(50), 1'000'000, 500'000,
                            "landed, cost unknown, counted as $0.50 of a ceiling of $1.00"}));
}

TEST(Reward, WhatLandsIsBetterThanWhatDoesNotHoweverDear) {
  EXPECT_EQ(reward_of_a_run(0, cents(500)), (RewardRecorded{k_cheap, cents(500), cents(500), 1'000'000, 100'000,
                                                            "landed, cost $5.00 of a ceiling of $1.00"}));
}

}  // namespace
}  // namespace bernstein
