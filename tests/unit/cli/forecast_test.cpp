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

RunState before_work(RunConfig config, std::vector<TaskSpec> tasks) {
  return state_before_work(a_start(std::move(config)), a_plan(std::move(tasks))).value();
}

Forecast forecast_for(RunConfig config, std::vector<TaskSpec> tasks, const Experience& experience = {}) {
  return forecast_of(before_work(std::move(config), std::move(tasks)), experience);
}

// Attempts at tasks like `spec`, all alike.
History a_past(const TaskSpec& spec, const Arm& arm, std::uint32_t attempts, UsdMicros cost, Micros agent_us,
               AttemptEnd end = AttemptEnd::landed) {
  History history;
  for (std::uint32_t i = 1; i <= attempts; ++i) {
    history.tasks[{RunId{1}, t(i)}].spec = spec;
    AttemptFacts& attempt = history.attempts[{RunId{1}, at(i)}];
    attempt = {.agent = arm.agent, .model = arm.model, .exited = true, .duration_us = agent_us};
    attempt.usage.cost_micros = cost;
    attempt.end = end;
    attempt.ended_seq = i;
  }
  return history;
}

const Arm k_cheap{"mock", "cheap-1", "cheap"};
const Arm k_strong{"mock", "strong-1", "strong"};
constexpr Seq k_ever = 1'000'000;

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

// Presumed: between 40 % and 200 % of an estimate an attempt, at most the agent's timeout (30 min).
TEST(Forecast, WithoutHistoryTheEstimatesOfThePlanTell) {
  const Forecast forecast = forecast_for(a_config(), {a_task(1).with_minutes(10)});

  EXPECT_GE(forecast.makespan_us.low, 4 * k_minute);
  EXPECT_LT(forecast.makespan_us.low, forecast.makespan_us.mid);
  EXPECT_LT(forecast.makespan_us.mid, forecast.makespan_us.high);
  EXPECT_LE(forecast.makespan_us.high, 3 * 20 * k_minute);
  // medium, medium: at most $1 is expected of an attempt
  EXPECT_GE(forecast.cost_micros.low, 100'000);
  EXPECT_LT(forecast.cost_micros.low, forecast.cost_micros.mid);
  EXPECT_LT(forecast.cost_micros.mid, forecast.cost_micros.high);
  EXPECT_LE(forecast.cost_micros.high, 3'000'000);
  EXPECT_EQ(source_words(forecast), "no history yet: prior of scope and complexity");
}

TEST(Forecast, ScopeAndComplexityScaleWhatIsPresumed) {
  const auto mid = [](const TaskSpec& spec) { return forecast_for(a_config(), {spec}).cost_micros.mid; };

  EXPECT_EQ(mid(a_task(1).with_scope(Scope::large)), 2 * mid(a_task(1)));
  EXPECT_LT(mid(a_task(1).with_complexity(Complexity::low)), mid(a_task(1)));
  EXPECT_GT(mid(a_task(1).with_complexity(Complexity::high)), mid(a_task(1)));
}

TEST(Forecast, IsTheSameEachTime) {
  const std::vector<TaskSpec> tasks{a_task(1), a_task(2).after(1), a_task(3)};
  const Forecast one = forecast_for(a_config(), tasks);
  const Forecast other = forecast_for(a_config(), tasks);

  EXPECT_EQ(one.cost_micros.low, other.cost_micros.low);
  EXPECT_EQ(one.cost_micros.high, other.cost_micros.high);
  EXPECT_EQ(one.makespan_us.mid, other.makespan_us.mid);
}

TEST(Forecast, ManyAttemptsAlikeMakeItNarrow) {
  const Experience experience(a_past(a_task(1), k_cheap, 200, cents(7), 3 * k_minute), k_ever);

  const Forecast forecast = forecast_for(a_config(), {a_task(1), a_task(2).after(1)}, experience);

  EXPECT_EQ(forecast.cost_micros.mid, 2 * cents(7).value);
  EXPECT_EQ(forecast.cost_micros.low, 2 * cents(7).value);
  EXPECT_EQ(forecast.makespan_us.mid, 6 * k_minute);
  EXPECT_EQ(source_words(forecast), "from 200 attempts in this workspace");
}

TEST(Forecast, AnAttemptThatFailsIsFollowedByOneOfTheNextArm) {
  History past = a_past(a_task(1).with_minutes(10), k_cheap, 500, cents(1), k_minute, AttemptEnd::failed);
  for (std::uint32_t i = 1; i <= 500; ++i) {
    AttemptFacts& attempt = past.attempts[{RunId{2}, at(i)}];
    past.tasks[{RunId{2}, t(i)}].spec = a_task(1).with_minutes(10);
    attempt = {.agent = "mock", .model = "strong-1", .exited = true, .duration_us = 10 * k_minute};
    attempt.usage.cost_micros = cents(50);
    attempt.end = AttemptEnd::landed;
    attempt.ended_seq = i;
  }

  const Forecast forecast = forecast_for(a_config(), {a_task(1).with_minutes(10)}, Experience(past, k_ever));

  EXPECT_EQ(forecast.cost_micros.mid, cents(51).value);
  EXPECT_EQ(forecast.makespan_us.mid, 11 * k_minute);
}

TEST(Forecast, WhatDependsOnATaskThatFailsIsNotStarted) {
  const Experience experience(
      a_past(a_task(1).with_minutes(10), k_cheap, 5'000, cents(10), k_minute, AttemptEnd::failed), k_ever);

  const Forecast forecast = forecast_for(a_config().with_arms({"mock/cheap"}).with_attempts(2),
                                         {a_task(1).with_minutes(10), a_task(2).with_minutes(10).after(1)}, experience);

  EXPECT_EQ(forecast.cost_micros.mid, 2 * cents(10).value);
  EXPECT_EQ(forecast.makespan_us.mid, 2 * k_minute);
}

TEST(Forecast, ChecksTakeTheirTimeOneAfterAnother) {
  History past = a_past(a_task(1).with_minutes(10), k_cheap, 500, cents(1), k_minute);
  for (auto& [key, attempt] : past.attempts) attempt.checked_us = 5 * k_minute;
  const Experience experience(past, k_ever);
  const std::vector<TaskSpec> tasks{a_task(1).with_minutes(10), a_task(2).with_minutes(10)};

  EXPECT_EQ(forecast_for(a_config(), tasks, experience).makespan_us.mid, k_minute) << "they have no checks";
  EXPECT_EQ(forecast_for(a_config().with_gate(a_command("tests")), tasks, experience).makespan_us.mid, 11 * k_minute);
  LandingRules two_at_once;
  two_at_once.max_checks = 2;
  EXPECT_EQ(forecast_for(a_config().with_gate(a_command("tests")).with_landing(two_at_once), tasks, experience)
                .makespan_us.mid,
            6 * k_minute);
}

TEST(Forecast, OneAgentDoesOneThingAtATime) {
  History past = a_past(a_task(1).with_minutes(10), k_cheap, 500, cents(1), k_minute);
  for (auto& [key, attempt] : past.attempts) attempt.checked_us = 5 * k_minute;

  const Forecast forecast =
      forecast_for(a_config().with_agents(1).with_gate(a_command("tests")),
                   {a_task(1).with_minutes(10), a_task(2).with_minutes(10)}, Experience(past, k_ever));

  EXPECT_EQ(forecast.makespan_us.mid, 12 * k_minute);
}

TEST(Forecast, OfAPlanThatWaitsForItsApprovalIsTheSame) {
  const Forecast forecast = forecast_for(a_config().with_approval(), {a_task(1)});

  EXPECT_EQ(waves_of(forecast), (Waves{{"t1"}}));
}

TEST(Forecast, OfALargePlanTakesFewerRehearsals) {
  std::vector<TaskSpec> tasks;
  for (std::uint32_t i = 1; i <= 1'000; ++i) tasks.push_back(a_task(i).owning("src/" + std::to_string(i) + "/"));

  EXPECT_EQ(forecast_for(a_config(), {a_task(1)}).rehearsals, 400);
  EXPECT_EQ(forecast_for(a_config(), tasks).rehearsals, 20);
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
