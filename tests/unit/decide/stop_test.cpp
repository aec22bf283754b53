// A stop that drains lets what is in flight land. A stop now leaves everything as it is, whatever the step, and a
// resume goes on from there. A pause starts nothing new.
#include <gtest/gtest.h>

#include <functional>

#include "bernstein/decide/retry.hpp"
#include "bernstein/state/apply.hpp"
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

struct Stage {
  const char* step;
  std::function<void(World&)> reach;
};
void PrintTo(const Stage& stage, std::ostream* out) {
  *out << stage.step;
}

class StopNowIn : public testing::TestWithParam<Stage> {};

TEST_P(StopNowIn, LeavesEverythingForAResumeThatBringsItToItsEnd) {
  World world(a_config().with_gate(a_command("tests")));
  world.watch_invariants();
  world.start({a_task(1), a_task(2).after(1)});
  GetParam().reach(world);
  const auto open = world.state().open_intents.size();
  EXPECT_EQ(in_short(world.stops(StopMode::now)), Words{});
  EXPECT_EQ(world.state().open_intents.size(), open) << "what was asked for is still asked for";
  EXPECT_FALSE(world.finished());

  world.resumes();
  world.run([&](const RunState&, const OpenIntent& intent) { return world.success(intent); });
  ASSERT_TRUE(world.finished());
  EXPECT_EQ(world.the<RunFinished>(about_run()).outcome, RunOutcome::landed);
  EXPECT_EQ(world.state().tasks.at(t(1)).attempts.size(), 1U) << "nothing was started again";
  EXPECT_EQ(world.broken(), Words{});
}

INSTANTIATE_TEST_SUITE_P(EveryStep, StopNowIn,
                         testing::Values(Stage{"preparing", [](World&) {}},
                                         Stage{"working", [](World& world) { world.worktree_ready(at(1)); }},
                                         Stage{"capturing",
                                               [](World& world) {
                                                 world.worktree_ready(at(1));
                                                 world.agent_exits(at(1));
                                               }},
                                         Stage{"composing", [](World& world) { world.works(at(1), {"a"}); }},
                                         Stage{"checking",
                                               [](World& world) {
                                                 world.works(at(1), {"a"});
                                                 world.candidate_built(at(1));
                                               }},
                                         // What is being landed lands: its merge cannot be called back.
                                         Stage{"landing",
                                               [](World& world) {
                                                 world.works(at(1), {"a"});
                                                 world.candidate_built(at(1));
                                                 world.check_passes(at(1));
                                               }},
                                         Stage{"syncing", [](World& world) {
                                                 world.works(at(1), {"a"});
                                                 world.candidate_built(at(1));
                                                 world.check_passes(at(1));
                                                 world.merged(at(1));
                                               }}));

// Results that arrive after the stop are recorded, and what follows from them is decided by whoever goes on.
TEST(StopNow, NothingFollowsFromWhatArrivesLater) {
  World world;
  world.start({a_task(1)});
  world.stops(StopMode::now);
  EXPECT_EQ(in_short(world.worktree_ready(at(1))), Words{});
  EXPECT_EQ(in_short(world.resumes()), (Words{"SpawnRequested t1.1"}));
}

TEST(Resume, GoesOnAfterAnEndThatWasNoEnd) {
  World world(a_config().with_agents(1));
  world.start({a_task(1), a_task(2)});
  world.stops(StopMode::drain);
  world.lands(at(1));
  ASSERT_EQ(world.the<RunFinished>(about_run()).outcome, RunOutcome::stopped);

  world.resumes();
  EXPECT_FALSE(world.finished());
  EXPECT_EQ(world.state().epoch, 2);
  world.lands(at(2));
  EXPECT_EQ(world.last<RunFinished>().outcome, RunOutcome::landed);
}

TEST(Resume, TakesANewBudgetAndANewNumberOfAgents) {
  World world(a_config().with_agents(1).with_budget(cents(10)));
  world.start({a_task(1), a_task(2)});
  world.lands(at(1));
  ASSERT_EQ(world.last<RunFinished>().outcome, RunOutcome::budget);

  RunResumed resumed{.budget_micros = cents(500), .epoch = 2, .max_agents = 3, .target_tip = "tip"};
  EXPECT_EQ(in_short(world.feed({about_run(), resumed})),
            (Words{"RouteChosen t2.1", "TaskAssigned t2.1", "WorktreeRequested t2.1"}));
  EXPECT_EQ(world.the<WorktreeRequested>(about(at(2))).base, "tip") << "it starts where the target stands now";
  EXPECT_EQ(config_of(world.state()).max_agents, 3U);
}

TEST(Resume, OfAnotherEpochThanTheNextIsCorrupt) {
  RunState state;
  ASSERT_TRUE(apply(state, {.seq = 1, .run = RunId{1}, .body = a_start(a_config())}));
  const Event late{.seq = 2, .run = RunId{1}, .body = RunResumed{.epoch = 3}};
  const Status applied = apply(state, late);
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().code, ErrorCode::corrupt);
}

TEST(Pause, StartsNothingNewAndDoesNotEndTheRun) {
  World world(a_config().with_agents(1));
  world.start({a_task(1), a_task(2)});
  world.feed({about_run(), RunPaused{"asked to pause"}});
  world.lands(at(1));
  EXPECT_FALSE(world.finished());
  EXPECT_EQ(world.status(2), TaskStatus::ready);
  EXPECT_EQ(in_short(world.feed({about_run(), RunContinued{}})),
            (Words{"RouteChosen t2.1", "TaskAssigned t2.1", "WorktreeRequested t2.1"}));
}

// Whoever asks a paused run to stop has waited long enough.
TEST(Pause, DoesNotHoldUpAStop) {
  World world(a_config().with_agents(1));
  world.start({a_task(1), a_task(2)});
  world.feed({about_run(), RunPaused{"asked to pause"}});
  world.lands(at(1));
  world.stops(StopMode::drain);
  EXPECT_EQ(world.last<RunFinished>().outcome, RunOutcome::stopped);
}

// Its supervisor was killed: nobody knows how far it came, and what it did is salvaged before it is tried again.
TEST(Loss, OfAnAgentIsCapturedAndTriedAgainWithoutPenalty) {
  World world;
  world.start({a_task(1)});
  world.worktree_ready(at(1));
  AgentExited exit = an_exit(137);
  exit.stopped = true;
  exit.why = "its supervisor was killed";
  EXPECT_EQ(in_short(world.answer<SpawnRequested>(at(1), exit)), (Words{"CaptureRequested t1.1"}));
  world.captured(at(1), {"a"});
  EXPECT_EQ(world.the<AttemptFailed>(about(at(1))),
            (AttemptFailed{FailureClass::orchestrator, {}, {}, "the agent was ended: its supervisor was killed"}));
  EXPECT_EQ(world.state().tasks.at(t(1)).failures, 0U);
  EXPECT_EQ(world.state().tasks.at(t(1)).losses, 1U);
}

// The work is good, only nobody looked at it to the end: it is checked again, not done again.
TEST(Loss, OfACheckStartsItAfreshWithTheSameWork) {
  World world(a_config().with_gate(a_command("build")).with_gate(a_command("tests")));
  world.start({a_task(1)});
  world.works(at(1), {"a"});
  world.candidate_built(at(1));
  world.check_passes(at(1));
  const auto interrupted = [](const std::string& tree) {
    return CheckFinished{.name = "tests",
                         .stopped = true,
                         .tree = tree,
                         .verdict = CheckVerdict::error,
                         .why = "its supervisor was killed"};
  };
  const std::string tree = attempt_of(world.state(), at(1)).candidate->tree;
  EXPECT_EQ(in_short(world.answer<CheckRequested>(at(1), interrupted(tree))),
            (Words{"ChecksBegun t1.1", "CheckRequested t1.1"}));
  EXPECT_EQ(world.last<ChecksBegun>().why,
            "check 'tests' was interrupted: its supervisor was killed; it starts afresh");
  EXPECT_EQ(world.last<CheckRequested>().check.name, "build") << "in a new checkout, from the first check on";
  EXPECT_TRUE(world.last<CheckRequested>().fresh);
  EXPECT_EQ(world.state().tasks.at(t(1)).attempts.size(), 1U);
}

TEST(Loss, OfOneCheckAgainAndAgainEndsTheAttempt) {
  World world(a_config().with_gate(a_command("tests")));
  world.start({a_task(1)});
  world.works(at(1), {"a"});
  world.candidate_built(at(1));
  for (std::uint32_t time = 0; time < k_losses_max; ++time) {
    const std::string tree = attempt_of(world.state(), at(1)).candidate->tree;
    world.answer<CheckRequested>(at(1), CheckFinished{.name = "tests",
                                                      .stopped = true,
                                                      .tree = tree,
                                                      .verdict = CheckVerdict::error,
                                                      .why = "it was told to stop"});
  }
  EXPECT_EQ(world.the<AttemptFailed>(about(at(1))).class_, FailureClass::orchestrator);
  EXPECT_EQ(world.state().tasks.at(t(1)).losses, 1U);
}

}  // namespace
}  // namespace bernstein
