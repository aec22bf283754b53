#include "cli/experience.hpp"

#include <gtest/gtest.h>

#include <array>
#include <map>

#include "cli/dice.hpp"
#include "support/builders.hpp"

namespace bernstein::cli {
namespace {

using namespace bernstein::test;

constexpr Seq k_ever = 1'000'000;
const Arm k_arm{"mock", "cheap-1", "cheap"};
const Arm k_other{"mock", "strong-1", "strong"};

// A medium task of 10 minutes, of which one attempt is expected to cost $1 at most.
struct Past {
  History history;
  std::uint32_t next = 1;

  AttemptFacts& add(const Arm& arm, AttemptEnd end = AttemptEnd::landed, UsdMicros cost = cents(10),
                    Micros agent_us = k_minute) {
    history.tasks[{RunId{1}, t(next)}].spec = a_task(next).with_minutes(10);
    AttemptFacts& attempt = history.attempts[{RunId{1}, at(next)}];
    attempt = {.agent = arm.agent, .model = arm.model, .reserved = cents(100), .exited = true, .duration_us = agent_us};
    attempt.usage.cost_micros = cost;
    attempt.end = end;
    attempt.ended_seq = next++;
    return attempt;
  }
};

// Of 10,000 draws, how many land, in percent.
int landing_percent(const Experience& experience, const Arm& arm, Complexity complexity = Complexity::medium) {
  int landed = 0;
  for (std::uint64_t i = 0; i < 10'000; ++i) landed += experience.draw(arm, complexity, i, 1, 0).lands ? 1 : 0;
  return (landed + 50) / 100;
}

TEST(Experience, PresumesThatEasyWorkLandsMoreOften) {
  EXPECT_NEAR(landing_percent({}, k_arm, Complexity::low), 90, 1);
  EXPECT_NEAR(landing_percent({}, k_arm, Complexity::medium), 80, 1);
  EXPECT_NEAR(landing_percent({}, k_arm, Complexity::high), 70, 1);
}

TEST(Experience, PresumesFiveSharesEachAsLikely) {
  std::map<std::int64_t, int> costs;
  for (std::uint64_t i = 0; i < 10'000; ++i) ++costs[Experience().draw(k_arm, Complexity::low, i, 1, 0).cost_ppm];

  ASSERT_EQ(costs.size(), 5U);
  for (const auto& [share, times] : costs) EXPECT_NEAR(times, 2'000, 150) << share;
}

TEST(Experience, WhatIsPresumedCountsAsTwoAttempts) {
  Past past;
  for (int i = 0; i < 8; ++i) past.add(k_arm, AttemptEnd::failed);
  const Experience experience(past.history, k_ever);

  // All arms: 2 * 80 % of 10; with this arm's own eight failures: 2 * 16 % of 10.
  EXPECT_NEAR(landing_percent(experience, k_other), 16, 1);
  EXPECT_NEAR(landing_percent(experience, k_arm), 3, 1);
  EXPECT_NEAR(landing_percent(experience, k_arm, Complexity::high), 70, 1) << "another complexity";
}

TEST(Experience, TakesSharesOfTheExpectedMostAndOfTheEstimate) {
  Past past;
  for (int i = 0; i < 1'000; ++i) past.add(k_arm, AttemptEnd::landed, cents(25), 5 * k_minute);
  const Experience experience(past.history, k_ever);

  const Trial trial = experience.draw(k_arm, Complexity::medium, 7, 1, 0);

  EXPECT_TRUE(trial.lands);
  EXPECT_EQ(trial.cost_ppm, 250'000);
  EXPECT_EQ(trial.time_ppm, 500'000);
}

TEST(Experience, PresumesThatAnUnknownCostWasWhatWasReserved) {
  Past past;
  for (int i = 0; i < 1'000; ++i) past.add(k_arm).usage.cost_micros.reset();

  EXPECT_EQ(Experience(past.history, k_ever).draw(k_arm, Complexity::medium, 7, 1, 0).cost_ppm, 1'000'000);
}

TEST(Experience, IsOfWhatHadEndedBefore) {
  Past past;
  for (int i = 0; i < 10; ++i) past.add(k_arm);

  EXPECT_EQ(Experience(past.history, 4).attempts(), 3);
  EXPECT_EQ(Experience(past.history, k_ever).attempts(), 10);
}

TEST(Experience, LeavesOutWhatTheAttemptWasNotToBlameFor) {
  Past past;
  past.add(k_arm, AttemptEnd::failed).failure = FailureClass::quota;
  past.add(k_arm, AttemptEnd::failed).failure = FailureClass::environment;
  past.add(k_arm, AttemptEnd::failed).failure = FailureClass::orchestrator;
  past.add(k_arm, AttemptEnd::under_way).ended_seq = 0;
  past.add(k_arm).exited = false;
  past.add(k_arm, AttemptEnd::failed).failure = FailureClass::conflict;

  EXPECT_EQ(Experience(past.history, k_ever).attempts(), 1);
}

TEST(Experience, WhatIsPresumedFollowsWhatAllAttemptsCameTo) {
  Past past;
  for (int i = 0; i < 98; ++i) past.add(k_arm, AttemptEnd::landed, UsdMicros{}, 0);
  const Experience experience(past.history, k_ever);

  // Another complexity, of which nothing is known: 2 of 100 parts of what was presumed.
  const Trial trial = experience.draw(k_arm, Complexity::high, 7, 1, 0);

  EXPECT_LE(trial.cost_ppm, 20'000);
  EXPECT_GE(trial.cost_ppm, 2'000);
}

TEST(Experience, TheTimeOfChecksIsTheMedian) {
  Past past;
  for (const Micros checked_us : {k_minute, 2 * k_minute, 30 * k_minute}) past.add(k_arm).checked_us = checked_us;
  past.add(k_arm);

  EXPECT_EQ(Experience(past.history, k_ever).check_us(), 2 * k_minute);
  EXPECT_EQ(Experience().check_us(), 0);
}

TEST(Dice, AreTheSameOnEveryMachine) {
  Dice dice({1, 2, 3});
  const std::array<std::uint64_t, 3> first{dice.next(), dice.next(), dice.next()};
  EXPECT_EQ(first, (std::array<std::uint64_t, 3>{15925659190040627001U, 6588988029983277238U, 9315241652495780889U}));
}

TEST(Dice, AreEven) {
  std::array<int, 6> times{};
  for (std::uint64_t i = 0; i < 60'000; ++i) ++times.at(Dice({i, 5}).below(6));
  for (const int each : times) EXPECT_NEAR(each, 10'000, 400);
}

}  // namespace
}  // namespace bernstein::cli
