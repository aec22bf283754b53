#include <gtest/gtest.h>

#include "support/builders.hpp"

namespace bernstein {
namespace {

using namespace test;

RewardRecorded reward_of_a_run(int exit_code, std::optional<UsdMicros> cost) {
  World world;
  world.start({a_task(1)});  // ceiling $1.00
  world.worktree_ready(at(1));
  world.agent_exits(at(1), exit_code, cost);
  world.captured(at(1), {"a"});
  if (exit_code == 0) world.lands(at(1));
  return world.the<RewardRecorded>(about(at(1)));
}

const Arm k_cheap{"mock", "cheap-1", "cheap"};

TEST(Reward, IsQualityTimesTheShareOfTheCeilingThatWasSaved) {
  EXPECT_EQ(reward_of_a_run(0, cents(10)),
            (RewardRecorded{k_cheap, cents(10), 1'000'000, 900'000, "landed, cost $0.10 of a ceiling of $1.00"}));
  EXPECT_EQ(reward_of_a_run(0, cents(0)),
            (RewardRecorded{k_cheap, cents(0), 1'000'000, 1'000'000, "landed, cost $0.00 of a ceiling of $1.00"}));
}

TEST(Reward, IsNothingForWhatDidNotLand) {
  EXPECT_EQ(reward_of_a_run(1, cents(10)),
            (RewardRecorded{k_cheap, cents(10), 0, 0, "did not land, cost $0.10 of a ceiling of $1.00"}));
}

TEST(Reward, AnUnknownCostCountsAsTheReservation) {
  EXPECT_EQ(reward_of_a_run(0, std::nullopt),
            (RewardRecorded{k_cheap, std::nullopt, 1'000'000, 0,
                            "landed, cost unknown, counted as the reserved $1.00 of a ceiling of $1.00"}));
}

TEST(Reward, IsNeverNegativeHoweverDearTheAttempt) {
  EXPECT_EQ(reward_of_a_run(0, cents(500)),
            (RewardRecorded{k_cheap, cents(500), 1'000'000, 0, "landed, cost $5.00 of a ceiling of $1.00"}));
}

}  // namespace
}  // namespace bernstein
