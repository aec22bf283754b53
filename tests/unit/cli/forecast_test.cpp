#include "cli/forecast.hpp"

#include <gtest/gtest.h>

#include "support/builders.hpp"

namespace bernstein::cli {
namespace {

using namespace bernstein::test;

std::vector<std::vector<std::string>> waves_of(const Forecast& forecast) {
  std::vector<std::vector<std::string>> words;
  for (const auto& wave : forecast.waves) {
    words.emplace_back();
    for (TaskId id : wave) words.back().push_back(to_string(id));
  }
  return words;
}

using Waves = std::vector<std::vector<std::string>>;

Forecast forecast_for(RunConfig config, std::vector<TaskSpec> tasks) {
  World world(std::move(config));
  world.start(std::move(tasks));
  return forecast_of(world.state());
}

TEST(Forecast, AWaveHoldsWhatFitsTheSlots) {
  EXPECT_EQ(waves_of(forecast_for(a_config().with_agents(2), {a_task(1), a_task(2), a_task(3)})),
            (Waves{{"t1", "t2"}, {"t3"}}));
}

TEST(Forecast, TasksThatOwnTheSameFilesAreInDifferentWaves) {
  EXPECT_EQ(
      waves_of(forecast_for(a_config(), {a_task(1).owning("src/a/"), a_task(2).owning("src/a/b.cpp"), a_task(3)})),
      (Waves{{"t1", "t3"}, {"t2"}}));
}

TEST(Forecast, DependentsComeAfterTasksAndWholeStages) {
  const Forecast forecast =
      forecast_for(a_config(), {a_task(1), a_task(2).after(1), a_task(3).in_stage(1).after_stage(0)});
  EXPECT_EQ(waves_of(forecast), (Waves{{"t1"}, {"t2"}, {"t3"}}));
}

TEST(Forecast, SlotsOfRolesAndAgentsBound) {
  EXPECT_EQ(waves_of(forecast_for(a_config().with_role_slots("docs", 1),
                                  {a_task(1).with_role("docs"), a_task(2).with_role("docs"), a_task(3)})),
            (Waves{{"t1", "t3"}, {"t2"}}));
  EXPECT_EQ(waves_of(forecast_for(a_config().with_max_parallel("mock", 1), {a_task(1), a_task(2)})),
            (Waves{{"t1"}, {"t2"}}));
}

TEST(Forecast, TheMakespanIsTheListScheduleOfTheEstimates) {
  // Two slots: the chain t2-t3 (30 min) beside t1 (20) and t4 (5).
  const Forecast forecast =
      forecast_for(a_config().with_agents(2), {a_task(1).with_minutes(20), a_task(2).with_minutes(10),
                                               a_task(3).with_minutes(20).after(2), a_task(4).with_minutes(5)});
  EXPECT_EQ(forecast.makespan_us.mid, 30 * k_minute);
  EXPECT_EQ(forecast.makespan_us.low, 15 * k_minute);
  EXPECT_EQ(forecast.makespan_us.high, 60 * k_minute);
}

TEST(Forecast, TheCostIsAShareOfTheCeilings) {
  // medium, medium: a ceiling of $1 each
  const Forecast forecast = forecast_for(a_config(), {a_task(1), a_task(2)});
  EXPECT_EQ(forecast.cost_micros.low, 500'000);
  EXPECT_EQ(forecast.cost_micros.mid, 1'000'000);
  EXPECT_EQ(forecast.cost_micros.high, 4'000'000);
}

TEST(Forecast, RoutesAreThoseOfFirstAttempts) {
  const Forecast forecast =
      forecast_for(a_config(), {a_task(1).with_complexity(Complexity::high), a_task(2).pinned_to("mock", "cheap")});
  EXPECT_EQ(to_string(forecast.routes.at(t(1)).arm), "mock/strong");
  EXPECT_EQ(to_string(forecast.routes.at(t(2)).arm), "mock/cheap");
  EXPECT_EQ(forecast.routes.at(t(2)).rule, "pin");
}

TEST(Forecast, PrerequisitesWriteStagesOut) {
  World world;
  world.start(
      {a_task(1), a_task(2), a_task(3).in_stage(1).after_stage(0), a_task(4).in_stage(1).after(3).after_stage(0)});
  EXPECT_EQ(prerequisites_of(world.state(), task_of(world.state(), t(3))), (std::vector<TaskId>{t(1), t(2)}));
  EXPECT_EQ(prerequisites_of(world.state(), task_of(world.state(), t(4))), (std::vector<TaskId>{t(1), t(2), t(3)}));
}

}  // namespace
}  // namespace bernstein::cli
