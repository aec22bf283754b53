// A stop that drains lets what is in flight land; a stop now keeps the work and ends every attempt, whatever its step.
#include <gtest/gtest.h>

#include <functional>

#include "support/builders.hpp"

namespace bernstein {
namespace {

using namespace test;

using Words = std::vector<std::string>;

TEST(StopDrain, FinishesWhatIsInFlightAndStartsNothingNew) {
  World world(a_config().with_agents(1));
  world.start({a_task(1), a_task(2)});
  EXPECT_TRUE(world.stops(StopMode::drain).empty());
  world.lands(at(1));
  EXPECT_EQ(world.the<RunFinished>(about_run()), (RunFinished{0, 1, RunOutcome::stopped, "stopped: Ctrl-C"}));
  EXPECT_EQ(world.status(2), TaskStatus::ready);
}

TEST(StopDrain, ATaskThatFailsMeanwhileIsNotTriedAgain) {
  World world;
  world.start({a_task(1)});
  world.stops(StopMode::drain);
  world.fails(at(1));
  EXPECT_EQ(world.the<RunFinished>(about_run()).outcome, RunOutcome::stopped);
  EXPECT_EQ(world.status(1), TaskStatus::ready);
}

TEST(StopDrain, ARunThatGetsItsLastTaskInHasLanded) {
  World world;
  world.start({a_task(1)});
  world.stops(StopMode::drain);
  world.lands(at(1));
  EXPECT_EQ(world.the<RunFinished>(about_run()).outcome, RunOutcome::landed);
}

TEST(Stop, WithNothingUnderWayEndsTheRunAtOnce) {
  World world;
  world.feed({about_run(), a_start(a_config())});
  world.stops(StopMode::drain, "asked to stop");
  const std::vector<Event> followed = world.feed({about_run(), a_plan({a_task(1)})});
  EXPECT_EQ(in_short(followed), (Words{"TaskCreated t1", "TaskReadied t1", "RunFinished run"}));
  EXPECT_EQ(world.the<RunFinished>(about_run()).why, "stopped: asked to stop");
}

// The agent ends because of the stop; what it left is captured before its attempt ends.
TEST(StopNow, AnAgentAtWorkIsCapturedFirst) {
  World world;
  world.start({a_task(1)});
  world.worktree_ready(at(1));
  EXPECT_TRUE(world.stops(StopMode::now).empty());
  AgentExited exit = an_exit(143);
  exit.stopped = true;
  EXPECT_EQ(in_short(world.answer<SpawnRequested>(at(1), exit)), (Words{"CaptureRequested t1.1"}));
  EXPECT_EQ(in_short(world.captured(at(1), {"a"})),
            (Words{"AttemptFailed t1.1", "TaskRetried t1", "WorktreeRemoveRequested t1.1"}));
  EXPECT_EQ(world.the<AttemptFailed>(about(at(1))),
            (AttemptFailed{FailureClass::orchestrator, {}, {}, "stopped: Ctrl-C"}));
  EXPECT_EQ(in_short(world.removed(at(1))), (Words{"RunFinished run"}));
  EXPECT_EQ(world.the<RunFinished>(about_run()).outcome, RunOutcome::stopped);
  EXPECT_EQ(world.state().tasks.at(t(1)).failures, 0U);
}

struct Stage {
  const char* step;
  std::function<void(World&)> reach;
  Words followed;  // by the stop at once
};
void PrintTo(const Stage& stage, std::ostream* out) {
  *out << stage.step;
}

class StopNowIn : public testing::TestWithParam<Stage> {};

TEST_P(StopNowIn, EndsTheAttemptAndTheRunWithoutAFault) {
  World world(a_config().with_gate(a_command("tests")));
  world.watch_invariants();
  world.start({a_task(1), a_task(2).after(1)});
  GetParam().reach(world);
  EXPECT_EQ(in_short(world.stops(StopMode::now)), GetParam().followed);
  world.run([&](const RunState&, const OpenIntent& intent) -> std::optional<EventBody> {
    if (std::holds_alternative<SpawnRequested>(intent.body)) {
      AgentExited exit = an_exit(143);
      exit.stopped = true;
      return exit;
    }
    if (const auto* check = std::get_if<CheckRequested>(&intent.body)) {
      return CheckFinished{.exit_code = 143,
                           .name = check->check.name,
                           .stopped = true,
                           .tree = check->tree,
                           .verdict = CheckVerdict::failed};
    }
    return world.success(intent);
  });
  ASSERT_TRUE(world.finished());
  EXPECT_EQ(world.the<RunFinished>(about_run()).outcome, RunOutcome::stopped);
  EXPECT_EQ(world.state().tasks.at(t(1)).failures, 0U);
  EXPECT_EQ(world.broken(), Words{});
}

const Words k_ends_at_once{"AttemptFailed t1.1", "TaskRetried t1", "WorktreeRemoveRequested t1.1"};

INSTANTIATE_TEST_SUITE_P(EveryStep, StopNowIn,
                         testing::Values(Stage{"preparing", [](World&) {}, {}},
                                         Stage{"working", [](World& world) { world.worktree_ready(at(1)); }, {}},
                                         Stage{"capturing",
                                               [](World& world) {
                                                 world.worktree_ready(at(1));
                                                 world.agent_exits(at(1));
                                               },
                                               {}},
                                         Stage{"composing", [](World& world) { world.works(at(1), {"a"}); }, {}},
                                         Stage{"checking",
                                               [](World& world) {
                                                 world.works(at(1), {"a"});
                                                 world.candidate_built(at(1));
                                               },
                                               {}},
                                         // What is being landed lands: its merge cannot be called back.
                                         Stage{"landing",
                                               [](World& world) {
                                                 world.works(at(1), {"a"});
                                                 world.candidate_built(at(1));
                                                 world.check_passes(at(1));
                                               },
                                               {}},
                                         Stage{"syncing",
                                               [](World& world) {
                                                 world.works(at(1), {"a"});
                                                 world.candidate_built(at(1));
                                                 world.check_passes(at(1));
                                                 world.merged(at(1));
                                               },
                                               {}}));

TEST(StopNow, WhatWaitsForItsTurnToLandEndsAtOnce) {
  World world;
  world.start({a_task(1), a_task(2)});
  world.works(at(1), {"a"});
  world.works(at(2), {"b"});
  EXPECT_EQ(in_short(world.stops(StopMode::now)),
            (Words{"AttemptFailed t2.1", "TaskRetried t2", "WorktreeRemoveRequested t2.1"}));
}

TEST(StopNow, AMergeThatIsRefusedIsNotTriedAgain) {
  World world;
  world.start({a_task(1)});
  world.works(at(1), {"a"});
  world.candidate_built(at(1));
  world.stops(StopMode::now);
  EXPECT_EQ(in_short(world.answer<MergeRequested>(at(1), MergeRefused{"moved"})), k_ends_at_once);
}

TEST(StopNow, AWorktreeThatIsReadyGetsNoAgent) {
  World world;
  world.start({a_task(1)});
  world.stops(StopMode::now);
  EXPECT_EQ(in_short(world.worktree_ready(at(1))), k_ends_at_once);
}

// Ctrl-C again and again is the person's business: it must not use up the losses that a task may have.
TEST(StopNow, AStopIsNoLoss) {
  World world;
  world.start({a_task(1)});
  for (std::uint32_t attempt = 1; attempt <= 4; ++attempt) {
    world.breaks<WorktreeRequested>(at(1, attempt), FailureClass::orchestrator, "lost");
  }
  world.stops(StopMode::now);
  world.worktree_ready(at(1, 5));
  EXPECT_EQ(world.status(1), TaskStatus::ready);
  EXPECT_EQ(world.the<TaskRetried>(about(t(1))).why, "stopped, which uses up none");
}

}  // namespace
}  // namespace bernstein
