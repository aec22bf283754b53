// cost: what belongs into which row, what is unknown, what is undone, and what other runs have to do with it.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/cost_rows.hpp"
#include "cli/history.hpp"
#include "cli/one_model.hpp"
#include "workplace.hpp"

namespace bernstein::cli {
namespace {

using test::a_config;
using test::a_task;
using test::at;
using test::cents;
using test::Looked;
using test::SmallRun;
using test::t;
using test::Workplace;
using test::World;
using Json = nlohmann::json;

History history_of(const World& world) {
  History history;
  for (const Event& event : world.log()) note(history, event);
  return history;
}

const CostRow& row_of(const CostReport& report, const std::string& name) {
  for (const CostRow& row : report.rows) {
    if (row.name == name) return row;
  }
  static const CostRow k_none;
  ADD_FAILURE() << "there is no row '" << name << "'";
  return k_none;
}

// An agent's end with tokens that cost what was told, if it was.
AgentExited an_end(std::int64_t input, std::optional<std::int64_t> cached, std::int64_t output,
                   std::optional<UsdMicros> cost = std::nullopt, CostSource source = CostSource::reported) {
  AgentExited exit = test::an_exit();
  exit.usage = {.cached_tokens = cached, .cost_micros = cost, .input_tokens = input, .output_tokens = output};
  exit.cost_source = cost ? source : CostSource::unknown;
  return exit;
}

// As World::lands, with an end of the agent of one's own.
void lands_after(World& world, AttemptId id, const AgentExited& exit) {
  world.worktree_ready(id);
  world.answer<SpawnRequested>(id, exit);
  world.captured(id, {"src/" + to_string(id) + ".cpp"});
  world.run([&](const RunState&, const OpenIntent& intent) {
    return intent.subject == about(id) || intent.subject == about_run() ? std::optional(world.success(intent))
                                                                        : std::nullopt;
  });
}

// ---- Rows -----------------------------------------------------------------------------------------------------------

TEST(CostRows, AFailedAttemptStaysWithTheModelThatFailed) {
  World world(a_config().with_attempts(2));
  world.start({a_task(1)});
  world.fails(at(1));
  world.lands(at(1, 2));

  const CostReport report = report_costs(history_of(world), CostBy::model);

  const Use& failed = row_of(report, "cheap-1").use;
  EXPECT_EQ(failed.attempts, 1);
  EXPECT_EQ(failed.landed_tasks, 0);
  EXPECT_EQ(failed.success_ppm(), 0);
  EXPECT_EQ(failed.cost_per_landed(), std::nullopt);
  const Use& landed = row_of(report, "strong-1").use;
  EXPECT_EQ(landed.landed_tasks, 1);
  EXPECT_EQ(landed.success_ppm(), 1'000'000);
  EXPECT_EQ(landed.cost_per_landed(), cents(10).value);
  // All that was spent counts for the whole.
  EXPECT_EQ(report.total.cost_per_landed(), cents(20).value);
  EXPECT_EQ(report.total.success_ppm(), 500'000);
}

TEST(CostRows, ByTaskAllAttemptsOfATaskAreTogether) {
  World world(a_config().with_attempts(2));
  world.start({a_task(1).titled("Middleware"), a_task(2)});
  world.fails(at(1));
  world.lands(at(1, 2));

  const CostReport report = report_costs(history_of(world), CostBy::task);

  const CostRow& row = row_of(report, "t1");
  EXPECT_EQ(row.detail, "Middleware");
  EXPECT_EQ(row.run, RunId{1});
  EXPECT_EQ(row.use.attempts, 2);
  EXPECT_EQ(row.use.landed_tasks, 1);
  EXPECT_EQ(row.use.cost_per_landed(), cents(20).value);
}

TEST(CostRows, AnAttemptUnderWayIsNeitherSuccessNorOfUnknownCost) {
  World world;
  world.start({a_task(1)});
  world.worktree_ready(at(1));

  const Use use = report_costs(history_of(world), CostBy::agent).total;

  EXPECT_EQ(use.attempts, 1);
  EXPECT_EQ(use.under_way, 1);
  EXPECT_EQ(use.success_ppm(), std::nullopt);
  EXPECT_EQ(use.cost.told + use.cost.untold, 0);
}

TEST(CostRows, ThePlannerHasARoleAndATaskOfItsOwnAndLandsNothing) {
  World world(a_config().with_planner());
  world.start_with_goal();
  world.plans(test::session(1), test::an_answer({a_task(1).with_role("docs")}));
  world.lands(at(1));

  const History history = history_of(world);

  const CostReport by_role = report_costs(history, CostBy::role);
  EXPECT_EQ(row_of(by_role, "planner").use.attempts, 1);
  EXPECT_EQ(row_of(by_role, "planner").use.ended, 0);
  EXPECT_EQ(row_of(by_role, "planner").use.cost.known, cents(10).value);
  EXPECT_EQ(row_of(by_role, "docs").use.landed_tasks, 1);
  EXPECT_EQ(by_role.total.success_ppm(), 1'000'000);
  EXPECT_EQ(by_role.total.cost_per_landed(), cents(20).value);
  EXPECT_EQ(row_of(report_costs(history, CostBy::task), "plan").detail, "the plan");
}

TEST(CostRows, WhatWasUndoneHasNotLandedAnyMore) {
  World world;
  world.start({a_task(1), a_task(2)});
  world.lands(at(1));
  world.worktree_ready(at(2));
  world.feed({about(t(1)), UndoWanted{}});
  world.run([&](const RunState&, const OpenIntent& intent) {
    return intent.subject.task == t(3) || intent.subject == about_run() ? std::optional(world.success(intent))
                                                                        : std::nullopt;
  });
  ASSERT_EQ(world.status(3), TaskStatus::landed);

  const History history = history_of(world);
  const CostReport report = report_costs(history, CostBy::task);

  EXPECT_FALSE(stands(history, TaskKey{RunId{1}, t(1)}));
  EXPECT_EQ(report.total.landed_tasks, 0);
  EXPECT_EQ(report.total.cost.known, cents(10).value) << "what it cost is spent";
  EXPECT_EQ(report.rows.size(), 2U) << "what undoes is no agent's work";
}

TEST(CostRows, TheCostOfALandedTaskIsUnknownWhereACostIs) {
  World world(a_config().with_attempts(2));
  world.start({a_task(1)});
  world.worktree_ready(at(1));
  world.agent_exits(at(1), 1, std::nullopt);
  world.captured(at(1), {});
  world.lands(at(1, 2));

  const CostReport report = report_costs(history_of(world), CostBy::task);

  EXPECT_EQ(report.total.cost.untold, 1);
  EXPECT_EQ(report.total.cost.known, cents(10).value);
  EXPECT_EQ(report.total.cost_per_landed(), std::nullopt);
}

TEST(CostRows, TheCachedShareIsOfAttemptsThatToldBoth) {
  World world;
  world.start({a_task(1), a_task(2)});
  lands_after(world, at(1), an_end(1'000, 3'000, 10, cents(1), CostSource::computed));
  lands_after(world, at(2), an_end(50'000, std::nullopt, 10, cents(1)));

  const Use use = report_costs(history_of(world), CostBy::role).total;

  EXPECT_EQ(use.cached_ppm(), 750'000);
  EXPECT_EQ(use.input.total(), 51'000);
  EXPECT_EQ(use.cached.untold, 1);
  EXPECT_EQ(use.sources.at(static_cast<std::size_t>(CostSource::computed)), 1);
  EXPECT_EQ(use.sources.at(static_cast<std::size_t>(CostSource::reported)), 1);
}

TEST(CostRows, OfADayAreTheAttemptsThatEndedOnIt) {
  World world;
  world.start({a_task(1), a_task(2)});
  world.worktree_ready(at(1));
  world.worktree_ready(at(2));
  world.agent_exits(at(1));
  History history = history_of(world);
  constexpr Micros k_day = 24 * k_hour;
  history.attempts.at({RunId{1}, at(1)}).exited_wall_us = 20'000 * k_day;  // 2024-10-04
  history.attempts.at({RunId{1}, at(2)}).begun_wall_us = 20'000 * k_day - 1;

  const CostReport report = report_costs(history, CostBy::day);

  ASSERT_EQ(report.rows.size(), 2U);
  EXPECT_EQ(report.rows[0].name, "2024-10-03");
  EXPECT_EQ(report.rows[1].name, "2024-10-04");
}

// ---- On one model ---------------------------------------------------------------------------------------------------

RunConfig priced() {
  RunConfig config = a_config();
  for (ModelSpec& model : config.agents.front().models) {
    if (model.name == "strong-1") model.price = TokenPrice{{300'000}, {3'000'000}, {15'000'000}};
  }
  return config;
}

TEST(OneModel, TakesTheSameTokensAtItsPrice) {
  World world(priced());
  world.start({a_task(1), a_task(2), a_task(3)});
  lands_after(world, at(1), an_end(1'000'000, 1'000'000, 100'000, cents(50)));
  lands_after(world, at(2), an_end(1'000'000, std::nullopt, 0));
  world.worktree_ready(at(3));
  world.agent_exits(at(3), 1);

  const OneModelEstimate estimate = estimate_on_one_model(history_of(world));

  ASSERT_EQ(estimate.models.size(), 1U) << "the other model has no price";
  EXPECT_EQ(estimate.models[0].model, "strong-1");
  EXPECT_EQ(estimate.models[0].agent, "mock");
  EXPECT_EQ(estimate.models[0].cost, UsdMicros{3'000'000 + 300'000 + 1'500'000 + 3'000'000});
  EXPECT_EQ(estimate.attempts, 2);
  EXPECT_EQ(estimate.came_to.known, cents(50).value);
  EXPECT_EQ(estimate.came_to.untold, 1);
  EXPECT_EQ(estimate.left_out, (std::vector<AttemptKey>{{RunId{1}, at(3)}}));
}

// ---- What is shown --------------------------------------------------------------------------------------------------

TEST(Cost, KeepsWhatIsUnknownApart) {
  SmallRun here;

  const std::string out = here.look(cost_command, CostOptions{}).out;

  EXPECT_EQ(
      out.substr(0, out.find("\nforecast")),
      "MODEL     AGENT  ATTEMPTS  LANDED  SUCCESS    INPUT   CACHED   OUTPUT  FROM CACHE               COST  PER "
      "LANDED\n"
      "cheap-1   mock          3       1     33 %  unknown  unknown  unknown           -              $0.30       "
      "$0.30\n"
      "strong-1  mock          2       1     50 %  unknown  unknown  unknown           -  $0.10 + 1 unknown     "
      "unknown\n"
      "\n"
      "total $0.40 and what 1 attempt did not tell; 2 tasks landed\n");
  EXPECT_NE(out.find("cannot be scored: the cost of 1 attempt is unknown\n"), std::string::npos) << out;
}

TEST(Cost, AsJsonIsNullWhereNobodyTold) {
  SmallRun here;
  here.json = true;

  const Json json = Json::parse(here.look(cost_command, CostOptions{}).out);

  EXPECT_DOUBLE_EQ(json["total_usd"].get<double>(), 0.4);
  ASSERT_EQ(json["by"].size(), 2U);
  EXPECT_EQ(json["by"][0]["model"], "cheap-1");
  EXPECT_EQ(json["by"][0]["agent"], "mock");
  EXPECT_EQ(json["by"][0]["attempts"], 3);
  EXPECT_EQ(json["by"][0]["input_tokens"], nullptr);
  EXPECT_DOUBLE_EQ(json["by"][0]["cost_usd"].get<double>(), 0.3);
  EXPECT_EQ(json["by"][1]["cost_per_landed_usd"], nullptr);
  EXPECT_EQ(json["by"][1]["cost_sources"]["unknown"], 1);
  EXPECT_EQ(json["forecast"]["cost_usd"]["actual"], nullptr);
  EXPECT_EQ(json["forecast"]["cost_usd"]["pinball"], nullptr);
  EXPECT_TRUE(json["forecast"]["makespan_s"]["pinball"].is_number());
}

TEST(Cost, IsNullAsAWholeWhenNobodyTold) {
  Workplace here;
  World world(a_config());
  world.start({a_task(1)});
  world.worktree_ready(at(1));
  world.agent_exits(at(1), 0, std::nullopt);
  here.append(world.log(), RunId{1});

  EXPECT_NE(here.look(cost_command, CostOptions{}).out.find("total unknown\n"), std::string::npos);
  here.json = true;
  const Json json = Json::parse(here.look(cost_command, CostOptions{}).out);
  EXPECT_EQ(json["total_usd"], nullptr);
  EXPECT_EQ(json["by"][0]["cost_usd"], nullptr);
  EXPECT_EQ(json["forecast"], nullptr) << "the run has not ended";
}

TEST(Cost, SumsTokensByModel) {
  Workplace here;
  World world(priced());
  world.start({a_task(1), a_task(2)});
  for (std::uint32_t task : {1U, 2U}) {
    world.worktree_ready(at(task));
    world.answer<SpawnRequested>(at(task), an_end(1'200, 30'000, 7, UsdMicros{1'500}));
  }
  here.append(world.log(), RunId{1});

  EXPECT_EQ(here.look(cost_command, CostOptions{}).out,
            "MODEL    AGENT  ATTEMPTS  LANDED  SUCCESS  INPUT  CACHED  OUTPUT  FROM CACHE    COST  PER LANDED\n"
            "cheap-1  mock          2       0        -  2,400  60,000      14        96 %  $0.003           -\n"
            "\n"
            "total $0.003\n"
            "\n"
            "on one model, an estimate: the same tokens and the same attempts; another model would use others\n"
            "MODEL     AGENT      COST\n"
            "strong-1  mock   $0.02541\n"
            "2 attempts came to $0.003\n");
}

TEST(Cost, OfAllRunsIsWhatTheyCostTogether) {
  SmallRun here;
  here.append(test::small_story().log(), RunId{2});
  here.json = true;

  const Json latest = Json::parse(here.look(cost_command, CostOptions{}).out);
  const Json all = Json::parse(here.look(cost_command, CostOptions{.all = true}).out);
  const Json by_run = Json::parse(here.look(cost_command, CostOptions{.by = CostBy::run}).out);
  const Json one_by_run = Json::parse(here.look(cost_command, CostOptions{.run = "r1", .by = CostBy::run}).out);

  EXPECT_EQ(latest["runs"], Json({"r2"}));
  EXPECT_DOUBLE_EQ(all["total_usd"].get<double>(), 0.8);
  EXPECT_EQ(all["by"][0]["attempts"], 6);
  ASSERT_EQ(by_run["by"].size(), 2U);
  EXPECT_EQ(by_run["by"][1]["run"], "r2");
  EXPECT_EQ(by_run["by"][1]["goal"], "Rate limiting");
  EXPECT_EQ(by_run["by"][1]["outcome"], "incomplete");
  EXPECT_EQ(by_run["by"][1]["forecast"]["source"], "from 5 attempts in this workspace");
  EXPECT_TRUE(by_run["forecast"]["mean_pinball"]["makespan_s"].is_number());
  EXPECT_EQ(by_run["forecast"]["mean_pinball"]["cost_usd"], nullptr) << "no cost could be scored";
  EXPECT_EQ(one_by_run["by"].size(), 1U);
}

TEST(Cost, OfARunAndOfAllRunsAreTwoQuestions) {
  SmallRun here;

  EXPECT_EQ(here.look(cost_command, CostOptions{.run = "r1", .all = true}).message(),
            "a run and --all exclude each other; give one of them");
}

TEST(Cost, AtAnEarlierEventIsWhatWasSpentThen) {
  SmallRun here;

  EXPECT_EQ(here.look(cost_command, CostOptions{.at = 5}).out, "no attempt of r1 has begun: nothing was spent\n");
}

}  // namespace
}  // namespace bernstein::cli
