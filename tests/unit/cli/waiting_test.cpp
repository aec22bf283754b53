// What a run waits for because of limits, in words and in JSON.
#include "cli/waiting.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/print.hpp"
#include "cli/run_json.hpp"
#include "cli/words.hpp"
#include "support/builders.hpp"

namespace bernstein::cli {
namespace {

using namespace test;

using Words = std::vector<std::string>;

AgentExited a_refusal(Micros retry_after_us) {
  AgentExited exit = an_exit(1);
  exit.outcome = AgentOutcome::quota;
  exit.message = "429 too many requests";
  exit.retry_after_us = retry_after_us;
  return exit;
}

// Two tasks on one slot, the first of which was refused for an hour.
World refused_for_an_hour() {
  World world(a_config().with_agents(1));
  world.start({a_task(1), a_task(2)});
  world.worktree_ready(at(1));
  world.answer<SpawnRequested>(at(1), a_refusal(k_hour));
  world.captured(at(1), {});
  world.removed(at(1));
  return world;
}

OpenIntent park_in(const World& world) {
  return world.state().open_intents.at(world.state().parked.at("mock"));
}

TEST(Waiting, SaysForWhomUntilWhenAndWhy) {
  const World world = refused_for_an_hour();
  const Micros until = park_in(world).wall_us + k_hour + k_second;
  EXPECT_EQ(waiting_lines(world.state(), until), (Words{"waiting for mock until " + format_wall(until).substr(11) +
                                                        ": agent 'mock' may not work now: 429 too many requests"}));
  EXPECT_EQ(reason_of(world.state(), world.state().tasks.at(t(2))),
            "mock is left alone: agent 'mock' may not work now: 429 too many requests");
  const auto json = nlohmann::json::parse(run_json(world.state(), 1));
  ASSERT_EQ(json["waiting"].size(), 1U);
  EXPECT_EQ(json["waiting"][0]["credential"], "mock");
  EXPECT_EQ(json["waiting"][0]["agents"], (Words{"mock"}));
  EXPECT_EQ(json["waiting"][0]["why"], "agent 'mock' may not work now: 429 too many requests");
  EXPECT_TRUE(json["waiting"][0]["until"].get<std::string>().ends_with("Z"));
}

TEST(Waiting, SaysTheDateOfAnotherDay) {
  const World world = refused_for_an_hour();
  const Micros until = park_in(world).wall_us + k_hour + k_second;
  const std::string line = waiting_lines(world.state(), until - 48 * k_hour).front();
  EXPECT_TRUE(line.starts_with("waiting for mock until " + format_wall(until) + ": ")) << line;
}

TEST(Waiting, SaysWhoGoesFirst) {
  World world = refused_for_an_hour();
  world.feed({about_run(), ParkEnded{"mock"}}, world.state().parked.at("mock"));
  EXPECT_EQ(waiting_lines(world.state(), 0), (Words{"mock is tried with t1.2 first"}));
  const auto json = nlohmann::json::parse(run_json(world.state(), 1));
  EXPECT_EQ(json["waiting"][0]["until"], nullptr);
  world.lands(at(1, 2));
  EXPECT_EQ(waiting_lines(world.state(), 0), Words{});
  EXPECT_FALSE(nlohmann::json::parse(run_json(world.state(), 1)).contains("waiting"));
}

}  // namespace
}  // namespace bernstein::cli
