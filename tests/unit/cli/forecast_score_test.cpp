#include "cli/forecast_score.hpp"

#include <gtest/gtest.h>

#include "small_story.hpp"

namespace bernstein::cli {
namespace {

using namespace bernstein::test;

History history_of(const World& world) {
  History history;
  for (const Event& event : world.log()) note(history, event);
  return history;
}

std::string why_not_scored(const History& history) {
  const Scoring scoring = score_run(history, RunId{1}, {}).value();
  return std::holds_alternative<std::string>(scoring) ? std::get<std::string>(scoring) : "it is scored";
}

// Koenker and Bassett: max(τ(y - q), (τ - 1)(y - q)), by hand.
TEST(ForecastScore, IsThePinballLoss) {
  const Comparison above{.forecast = {.low = 100, .mid = 200, .high = 300}, .actual = 400};
  EXPECT_EQ(above.loss_at_low(), 30);   // 0.1 * 300
  EXPECT_EQ(above.loss_at_mid(), 100);  // 0.5 * 200
  EXPECT_EQ(above.loss_at_high(), 90);  // 0.9 * 100
  EXPECT_EQ(above.mean_loss(), 73);
  EXPECT_FALSE(above.is_within());

  const Comparison within{.forecast = {.low = 100, .mid = 200, .high = 300}, .actual = 150};
  EXPECT_EQ(within.loss_at_low(), 5);    // 0.1 * 50
  EXPECT_EQ(within.loss_at_mid(), 25);   // 0.5 * 50
  EXPECT_EQ(within.loss_at_high(), 15);  // 0.1 * 150
  EXPECT_TRUE(within.is_within());

  const Comparison below{.forecast = {.low = 100, .mid = 200, .high = 300}, .actual = 0};
  EXPECT_EQ(below.loss_at_low(), 90);
  EXPECT_FALSE(below.is_within());
}

TEST(ForecastScore, ComparesCostAndTimeWithWhatCame) {
  World world(a_config());
  world.start({a_task(1), a_task(2)});
  world.lands(at(1));
  world.lands(at(2));
  ASSERT_TRUE(world.finished());

  const History history = history_of(world);
  const Score score = std::get<Score>(score_run(history, RunId{1}, {}).value());

  ASSERT_TRUE(score.cost);
  EXPECT_EQ(score.cost->actual, cents(20).value);
  EXPECT_GT(score.cost->forecast.mid, 0);
  EXPECT_EQ(score.makespan.actual, world.log().back().at_us);
  EXPECT_EQ(score.source, "no history yet: prior of scope and complexity");
}

TEST(ForecastScore, ACostThatIsUnknownCannotBeScored) {
  const Score score = std::get<Score>(score_run(history_of(small_story()), RunId{1}, {}).value());

  EXPECT_FALSE(score.cost);
  EXPECT_EQ(score.unknown_attempts, 1);
  EXPECT_GT(score.makespan.mean_loss(), 0);
}

TEST(ForecastScore, SaysWhyARunHasNone) {
  World at_work(a_config());
  at_work.start({a_task(1)});
  EXPECT_EQ(why_not_scored(history_of(at_work)), "it has not ended");

  World stopped(a_config());
  stopped.start({a_task(1), a_task(2).after(1)});
  stopped.stops(StopMode::drain);
  stopped.lands(at(1));
  ASSERT_TRUE(stopped.finished());
  EXPECT_EQ(why_not_scored(history_of(stopped)), "it was stopped before its end");

  World goal(a_config().with_planner());
  goal.start_with_goal();
  goal.plans(session(1), an_answer({a_task(1)}));
  goal.run([&](const RunState&, const OpenIntent& intent) { return std::optional(goal.success(intent)); });
  ASSERT_TRUE(goal.finished());
  EXPECT_EQ(why_not_scored(history_of(goal)), "it began with a goal, and there was no plan yet to forecast");
}

}  // namespace
}  // namespace bernstein::cli
