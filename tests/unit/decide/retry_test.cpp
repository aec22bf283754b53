// What follows a failed attempt, by the class of its failure.
#include "bernstein/decide/retry.hpp"

#include <gtest/gtest.h>

#include "support/builders.hpp"

namespace bernstein {
namespace {

using namespace test;

using Words = std::vector<std::string>;

TEST(Retry, AFailedAttemptIsFollowedByAnotherWithTheEvidence) {
  World world;
  world.start({a_task(1)});
  world.worktree_ready(at(1));
  world.agent_exits(at(1), 3);
  const std::vector<Event> followed = world.captured(at(1), {"a"});
  EXPECT_EQ(in_short(followed),
            (Words{"AttemptFailed t1.1", "RewardRecorded t1.1", "TaskRetried t1", "WorktreeRemoveRequested t1.1",
                   "RouteChosen t1.2", "TaskAssigned t1.2", "WorktreeRequested t1.2"}));
  EXPECT_EQ(
      world.the<AttemptFailed>(about(at(1))),
      (AttemptFailed{FailureClass::task, {{"the agent exited with 3", "output"}}, {}, "the agent exited with 3"}));
  EXPECT_EQ(world.the<TaskRetried>(about(t(1))).why, "attempt 1 of 3 failed: the agent exited with 3");
}

TEST(Retry, AnAgentThatRunsTooLongHasFailed) {
  World world;
  world.start({a_task(1)});
  world.worktree_ready(at(1));
  AgentExited exit = an_exit(143);
  exit.timed_out = true;
  world.answer<SpawnRequested>(at(1), exit);
  world.captured(at(1), {"a"});
  EXPECT_EQ(world.the<AttemptFailed>(about(at(1))).why, "the agent was still working after 30m 00s");
  EXPECT_EQ(world.state().tasks.at(t(1)).failures, 1U);
}

TEST(Retry, AnAgentThatMadeNoProgressHasFailedWhateverItsExitCode) {
  World world;
  world.start({a_task(1)});
  world.worktree_ready(at(1));
  world.feed({about(at(1)), AgentStarted{.pid = 7}});
  EXPECT_TRUE(world.feed({about(at(1)), AgentStalled{150 * k_second}}).empty()) << "a warning changes nothing";
  AgentExited exit = an_exit(0);
  exit.stalled = true;
  world.answer<SpawnRequested>(at(1), exit);
  EXPECT_EQ(world.status(1), TaskStatus::running) << "it did not report that it is done";
  world.captured(at(1), {"a"});
  EXPECT_EQ(world.the<AttemptFailed>(about(at(1))).class_, FailureClass::task);
  EXPECT_EQ(world.the<AttemptFailed>(about(at(1))).why,
            "the agent made no progress for 5m 00s: no output, no CPU time, no change in its worktree");
  EXPECT_EQ(world.state().tasks.at(t(1)).failures, 1U);
}

TEST(Retry, AnAttemptThatChangesNothingHasFailed) {
  World world;
  world.start({a_task(1)});
  world.works(at(1), {});
  EXPECT_EQ(
      world.the<AttemptFailed>(about(at(1))),
      (AttemptFailed{FailureClass::task, {{"the agent changed nothing", "output"}}, {}, "the agent changed nothing"}));
}

TEST(Retry, AfterTheLastAttemptTheTaskHasFailed) {
  World world(a_config().with_attempts(2));
  world.start({a_task(1)});
  world.fails(at(1));
  world.fails(at(1, 2));
  EXPECT_EQ(world.the<TaskFailed>(about(t(1))).why, "attempt 2 of 2 failed: the agent exited with 1");
  EXPECT_EQ(world.status(1), TaskStatus::failed);
  EXPECT_EQ(world.the<RunFinished>(about_run()).why, "0 of 1 task landed, 1 did not");
}

TEST(Retry, LossesUseUpNoAttemptsAndAreBounded) {
  World world(a_config().with_attempts(1));
  world.start({a_task(1)});
  for (std::uint32_t attempt = 1; attempt <= k_losses_max; ++attempt) {
    world.breaks<WorktreeRequested>(at(1, attempt), FailureClass::orchestrator, "its worktree was lost");
    world.removed(at(1, attempt));
  }
  EXPECT_EQ(world.the<TaskRetried>(about(t(1))).why, "the attempt was lost, which uses up none: its worktree was lost");
  EXPECT_EQ(world.the<TaskFailed>(about(t(1))).why,
            "lost 5 attempts without a fault of the task: its worktree was lost");
  EXPECT_EQ(world.state().tasks.at(t(1)).failures, 0U);
  EXPECT_EQ(world.subjects_of<RewardRecorded>(), Words{});  // it says nothing about the arm
  EXPECT_TRUE(world.finished());
}

TEST(Retry, ALostAttemptStartsAgainWithTheSameModel) {
  World world;
  world.start({a_task(1).with_complexity(Complexity::low)});
  world.worktree_ready(at(1));
  world.breaks<SpawnRequested>(at(1), FailureClass::orchestrator, "it was told to stop");
  EXPECT_EQ(world.the<TaskAssigned>(about(at(1, 2))).model, "cheap-1");
  EXPECT_EQ(world.the<TaskRetried>(about(t(1))).why, "the attempt was lost, which uses up none: it was told to stop");
}

TEST(Retry, WhatAnAgentSaysOfItsEndDecidesTheClassOfTheFailure) {
  const auto class_of = [](AgentOutcome outcome) {
    World world;
    world.start({a_task(1)});
    world.worktree_ready(at(1));
    AgentExited exit = an_exit(1);
    exit.outcome = outcome;
    world.answer<SpawnRequested>(at(1), exit);
    world.captured(at(1), {"a"});
    return world.the<AttemptFailed>(about(at(1))).class_;
  };
  EXPECT_EQ(class_of(AgentOutcome::auth), FailureClass::environment);
  EXPECT_EQ(class_of(AgentOutcome::model), FailureClass::environment);
  EXPECT_EQ(class_of(AgentOutcome::quota), FailureClass::quota);
  EXPECT_EQ(class_of(AgentOutcome::overload), FailureClass::quota);
  EXPECT_EQ(class_of(AgentOutcome::context), FailureClass::task);
  EXPECT_EQ(class_of(AgentOutcome::refusal), FailureClass::task);
  EXPECT_EQ(class_of(AgentOutcome::crash), FailureClass::task);
  EXPECT_EQ(class_of(AgentOutcome::done), FailureClass::task) << "it exited with 1";
}

TEST(Retry, AFailureOfTheEnvironmentDrainsAndEndsTheRun) {
  World world;
  world.start({a_task(1), a_task(2), a_task(3).after(1)});
  world.worktree_ready(at(1));
  const std::vector<Event> followed =
      world.breaks<SpawnRequested>(at(1), FailureClass::environment, "agent 'mock' is not installed; install it");
  EXPECT_EQ(in_short(followed), (Words{"AttemptFailed t1.1", "TaskRetried t1", "WorktreeRemoveRequested t1.1"}));
  EXPECT_EQ(world.the<TaskRetried>(about(t(1))).why, "not the task's fault: it starts again once the cause is mended");
  world.removed(at(1));

  EXPECT_FALSE(world.finished());  // t2 is in flight and may land
  world.lands(at(2));
  EXPECT_EQ(world.the<RunFinished>(about_run()),
            (RunFinished{0, 1, RunOutcome::environment, "agent 'mock' is not installed; install it"}));
  EXPECT_EQ(world.status(1), TaskStatus::ready);
  EXPECT_EQ(world.status(3), TaskStatus::waiting);
}

TEST(Retry, WhateverEffectBreaksTheAttemptEndsAndItsSlotIsFree) {
  const auto broken_at = [](auto break_it) {
    World world(a_config().with_gate(a_command("tests")));
    world.watch_invariants();
    world.start({a_task(1)});
    break_it(world);
    EXPECT_EQ(world.the<AttemptFailed>(about(at(1))),
              (AttemptFailed{FailureClass::orchestrator, {{"broke", ""}}, {}, "broke"}));
    EXPECT_EQ(world.working(), 1U);  // the next attempt
    EXPECT_EQ(world.broken(), Words{});
    world.lands(at(1, 2));
    EXPECT_EQ(world.status(1), TaskStatus::landed);
  };
  constexpr auto k_lost = FailureClass::orchestrator;
  broken_at([](World& world) { world.breaks<WorktreeRequested>(at(1), k_lost, "broke"); });
  broken_at([](World& world) {
    world.worktree_ready(at(1));
    world.breaks<SpawnRequested>(at(1), k_lost, "broke");
  });
  broken_at([](World& world) {
    world.worktree_ready(at(1));
    world.agent_exits(at(1));
    world.breaks<CaptureRequested>(at(1), k_lost, "broke");
  });
  broken_at([](World& world) {
    world.works(at(1), {"a"});
    world.breaks<CandidateRequested>(at(1), k_lost, "broke");
  });
  broken_at([](World& world) {
    world.works(at(1), {"a"});
    world.candidate_built(at(1));
    world.breaks<CheckRequested>(at(1), k_lost, "broke");
  });
  broken_at([](World& world) {
    world.works(at(1), {"a"});
    world.candidate_built(at(1));
    world.check_passes(at(1));
    world.breaks<MergeRequested>(at(1), k_lost, "broke");
  });
}

TEST(Retry, ARemovalOrASyncThatFailsChangesNothingThatLanded) {
  World world;
  world.start({a_task(1)});
  world.works(at(1), {"a"});
  world.candidate_built(at(1));
  world.merged(at(1));
  world.breaks<CheckoutSyncRequested>(at(1), FailureClass::environment, "no disk");
  EXPECT_FALSE(world.finished());
  world.breaks<WorktreeRemoveRequested>(at(1), FailureClass::environment, "no disk");
  EXPECT_EQ(world.the<RunFinished>(about_run()), (RunFinished{0, 1, RunOutcome::landed, "all 1 task landed"}));
}

TEST(Retry, WhatAPersonWantsAgainIsCheckedAgainAlthoughTheTreeWasRed) {
  World world(a_config().with_attempts(1));
  world.start({a_task(1).checked_by(a_command("tests")), a_task(2)});
  const auto fails = [&](AttemptId id) {
    world.works(id, {"a"});
    world.candidate_built(id);
    world.check_fails(id);
  };
  fails(at(1));
  ASSERT_EQ(world.status(1), TaskStatus::failed);
  ASSERT_FALSE(world.state().verdicts.empty());

  world.feed({about(t(1)), RetryWanted{}});
  EXPECT_TRUE(world.state().verdicts.empty()) << "it may have been red for a reason outside of the tree";
  fails(at(1, 2));
  EXPECT_EQ(world.the<TaskFailed>(about(t(1))).why.substr(0, 23), "attempt 1 of 1 failed: ") << "its limits begin anew";
}

}  // namespace
}  // namespace bernstein
