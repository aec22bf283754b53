// A run that begins with a goal, and tasks that are split when their attempts are used up.
#include "bernstein/decide/planning.hpp"

#include <gtest/gtest.h>

#include "bernstein/decide/decide.hpp"
#include "bernstein/state/apply.hpp"
#include "support/builders.hpp"

namespace bernstein {
namespace {

using namespace test;

using Words = std::vector<std::string>;

AgentExited an_exit_of(AgentOutcome outcome) {
  AgentExited exit = an_exit(1);
  exit.outcome = outcome;
  exit.message = "it says why";
  return exit;
}

// The attempt or session ends like this, with nothing done; its worktree is removed.
void ends(World& world, AttemptId id, const AgentExited& exit) {
  world.worktree_ready(id);
  world.answer<SpawnRequested>(id, exit);
  world.captured(id, {});
  world.removed(id);
}

void park_ends(World& world, const std::string& agent = "mock") {
  world.feed({about_run(), ParkEnded{agent}}, world.state().parked.at(agent));
}

// Everything that is open goes well, and all that follows.
void goes_well(World& world) {
  world.run([&](const RunState&, const OpenIntent& intent) { return world.success(intent); });
}

// ---- The goal -------------------------------------------------------------------------------------------------------

TEST(Goal, IsAskedOfThePlannerWhoseAnswerBecomesTheTasks) {
  World world(a_config().with_planner());
  world.watch_invariants();
  EXPECT_EQ(in_short(world.start_with_goal()), (Words{"TaskAssigned plan.1", "WorktreeRequested plan.1"}));
  EXPECT_EQ(world.the<TaskAssigned>(about(session(1))),
            (TaskAssigned{"mock", "strong-1", {}, cents(100), 500'000, "the goal needs a plan"}));
  EXPECT_EQ(world.state().busy_slots, 1U);

  world.worktree_ready(session(1));
  EXPECT_EQ(world.the<SpawnRequested>(about(session(1))), (SpawnRequested{"mock", "strong-1", 15 * k_minute}));
  world.agent_exits(session(1));
  EXPECT_EQ(world.state().busy_slots, 0U);
  EXPECT_EQ(in_short(world.captured(session(1), {})), (Words{"PlanReadRequested plan.1"}));
  const std::vector<Event> followed = world.answer<PlanReadRequested>(
      session(1), an_answer({a_task(1).owning("a/"), a_task(2).in_stage(1).after_stage(0)}));
  EXPECT_EQ(in_short(followed),
            (Words{"PlanAdopted plan.1", "WorktreeRemoveRequested plan.1", "TaskCreated t1", "TaskCreated t2",
                   "TaskReadied t1", "RouteChosen t1.1", "TaskAssigned t1.1", "WorktreeRequested t1.1"}));
  EXPECT_EQ(world.the<PlanAdopted>(about(session(1))).why, "a plan of 2 tasks in 2 stages");
  EXPECT_EQ(world.the<TaskCreated>(about(t(1))).chain_minutes, 60U);

  goes_well(world);
  EXPECT_EQ(world.the<RunFinished>(about_run()), (RunFinished{0, 2, RunOutcome::landed, "all 2 tasks landed"}));
  EXPECT_EQ(world.subjects_of<TaskAssigned>(), (Words{"plan.1", "t1.1", "t2.1"}));
  EXPECT_EQ(world.subjects_of<RewardRecorded>(), (Words{"t1.1", "t2.1"})) << "the router does not choose the planner";
  EXPECT_EQ(world.broken(), Words{});
}

TEST(Goal, AnAnswerWithoutTasksIsARunThatIsDone) {
  World world(a_config().with_planner());
  world.watch_invariants();
  world.start_with_goal();
  world.plans(session(1), an_answer({}));
  world.removed(session(1));
  EXPECT_EQ(world.the<RunFinished>(about_run()), (RunFinished{0, 0, RunOutcome::landed, "all 0 tasks landed"}));
  EXPECT_EQ(world.broken(), Words{});
}

TEST(Goal, WhatThePlannerWritesIsKeptAndDoesNotLand) {
  World world(a_config().with_planner());
  world.watch_invariants();
  world.start_with_goal();
  world.works(session(1), {"notes.md"});
  EXPECT_EQ(attempt_of(world.state(), session(1)).work->salvage, "refs/bernstein/salvage/r1/plan.1");
  goes_well(world);
  EXPECT_EQ(world.subjects_of<CandidateRequested>(), (Words{"t1.1", "t2.1"}));
  EXPECT_EQ(world.broken(), Words{});
}

TEST(Goal, AFaultyAnswerIsAskedForAgainUpToThreeTimes) {
  World world(a_config().with_planner());
  world.watch_invariants();
  world.start_with_goal();
  const std::vector<Event> followed = world.plans(session(1), a_faulty_answer({"there is a cycle", "no title", "x"}));
  EXPECT_EQ(in_short(followed), (Words{"AttemptFailed plan.1", "WorktreeRemoveRequested plan.1", "TaskAssigned plan.2",
                                       "WorktreeRequested plan.2"}));
  const std::string why = "its answer cannot be used: there is a cycle (and 2 more faults)";
  EXPECT_EQ(world.the<AttemptFailed>(about(session(1))),
            (AttemptFailed{FailureClass::task, {{why, "answer"}}, {}, why}));
  EXPECT_EQ(world.the<TaskAssigned>(about(session(2))).why, "the goal needs a plan; answer 2 of at most 3");
  world.plans(session(2), a_faulty_answer());
  EXPECT_EQ(world.the<TaskAssigned>(about(session(3))).why, "the goal needs a plan; answer 3 of at most 3");
  world.plans(session(3), an_answer({a_task(1)}));
  goes_well(world);
  EXPECT_EQ(world.the<RunFinished>(about_run()), (RunFinished{0, 1, RunOutcome::landed, "all 1 task landed"}));
  EXPECT_EQ(world.find<PlanFailed>(about_run()), nullptr);
  EXPECT_EQ(world.broken(), Words{});
}

TEST(Goal, IsGivenUpAfterTheLastFaultyAnswer) {
  World world(a_config().with_planner());
  world.watch_invariants();
  world.start_with_goal();
  for (std::uint32_t i = 1; i < k_answers_max; ++i) world.plans(session(i), a_faulty_answer());
  const std::vector<Event> followed = world.plans(session(k_answers_max), a_faulty_answer());
  EXPECT_EQ(in_short(followed), (Words{"AttemptFailed plan.3", "PlanFailed run", "WorktreeRemoveRequested plan.3"}));
  const std::string why =
      "there is no plan: 3 sessions of the planner failed; the last one: its answer cannot be used: there is a cycle";
  EXPECT_EQ(world.the<PlanFailed>(about_run()).why, why);
  goes_well(world);
  EXPECT_EQ(world.the<RunFinished>(about_run()), (RunFinished{0, 0, RunOutcome::incomplete, why}));
  EXPECT_EQ(world.subjects_of<TaskCreated>(), Words{});
  EXPECT_EQ(world.broken(), Words{});
}

TEST(Goal, AResumeAfterItWasGivenUpAsksAgain) {
  World world(a_config().with_planner());
  world.start_with_goal();
  for (std::uint32_t i = 1; i <= k_answers_max; ++i) world.plans(session(i), a_faulty_answer());
  goes_well(world);
  EXPECT_EQ(world.the<RunFinished>(about_run()).outcome, RunOutcome::incomplete);
  world.resumes();
  EXPECT_EQ(world.subjects_of<TaskAssigned>().size(), k_answers_max + 1);
  world.plans(session(k_answers_max + 1), an_answer({a_task(1)}));
  goes_well(world);
  EXPECT_EQ(world.subjects_of<MergeLanded>(), (Words{"t1.1"}));
  EXPECT_EQ(world.broken(), Words{});
}

// A crash, a hang, a context that is too small: each is an answer that was not given.
TEST(Goal, ASessionThatFailsUsesUpAnAnswer) {
  World world(a_config().with_planner());
  world.watch_invariants();
  world.start_with_goal();
  ends(world, session(1), an_exit_of(AgentOutcome::crash));
  AgentExited late = an_exit(143);
  late.timed_out = true;
  ends(world, session(2), late);
  EXPECT_EQ(world.the<AttemptFailed>(about(session(2))).why, "the agent was still working after 15m 00s");
  ends(world, session(3), an_exit_of(AgentOutcome::context));
  EXPECT_EQ(world.the<PlanFailed>(about_run()).why,
            "there is no plan: 3 sessions of the planner failed; the last one: the task is more than the model can "
            "read: it says why");
  EXPECT_TRUE(world.finished());
  EXPECT_EQ(world.subjects_of<RewardRecorded>(), Words{});
  EXPECT_EQ(world.broken(), Words{});
}

TEST(Goal, AQuotaParksThePlannersAgentAndUsesUpNoAnswer) {
  World world(a_config().with_planner());
  world.watch_invariants();
  world.start_with_goal();
  ends(world, session(1), an_exit_of(AgentOutcome::quota));
  EXPECT_EQ(world.subjects_of<ParkRequested>(), (Words{"run"}));
  EXPECT_FALSE(world.finished());
  EXPECT_EQ(world.state().planning.task.failures, 0U);
  EXPECT_EQ(world.subjects_of<TaskAssigned>(), (Words{"plan.1"})) << "its agent is left alone";
  park_ends(world);
  EXPECT_EQ(world.the<TaskAssigned>(about(session(2))).why, "the goal needs a plan");
  goes_well(world);
  EXPECT_EQ(world.state().finished->outcome, RunOutcome::landed);
  EXPECT_EQ(world.broken(), Words{});
}

TEST(Goal, IsGivenUpWhenThePlannersAgentMayNotWorkAgainAndAgain) {
  World world(a_config().with_planner().with_quota_attempts(2));
  world.start_with_goal();
  ends(world, session(1), an_exit_of(AgentOutcome::quota));
  park_ends(world);
  ends(world, session(2), an_exit_of(AgentOutcome::overload));
  EXPECT_EQ(world.the<PlanFailed>(about_run()).why,
            "there is no plan: 2 sessions of the planner ended because its agent may not work; the last one: the "
            "service of agent 'mock' fails: it says why");
  EXPECT_EQ(world.the<RunFinished>(about_run()).outcome, RunOutcome::incomplete);
}

TEST(Goal, IsGivenUpWhenSessionsAreLostAgainAndAgain) {
  World world(a_config().with_planner());
  world.watch_invariants();
  world.start_with_goal();
  for (std::uint32_t i = 1; i <= 5; ++i) {
    world.breaks<WorktreeRequested>(session(i), FailureClass::orchestrator, "its worktree was lost");
    world.removed(session(i));
  }
  EXPECT_EQ(world.the<PlanFailed>(about_run()).why,
            "there is no plan: 5 sessions of the planner were lost; the last one: its worktree was lost");
  EXPECT_EQ(world.broken(), Words{});
}

TEST(Goal, AFailureOfTheEnvironmentHaltsTheRunAndAResumeAsksAgain) {
  World world(a_config().with_planner());
  world.watch_invariants();
  world.start_with_goal();
  ends(world, session(1), an_exit_of(AgentOutcome::auth));
  EXPECT_EQ(
      world.the<RunFinished>(about_run()),
      (RunFinished{0, 0, RunOutcome::environment,
                   "agent 'mock' is not logged in, or its key is refused (run `bernstein doctor`): it says why"}));
  world.resumes();
  EXPECT_EQ(world.subjects_of<TaskAssigned>(), (Words{"plan.1", "plan.2"}));
  EXPECT_EQ(world.state().planning.task.failures, 0U);
  world.worktree_ready(session(2));
  world.agent_exits(session(2));
  world.captured(session(2), {});
  world.breaks<PlanReadRequested>(session(2), FailureClass::environment, "the disk is full");
  world.removed(session(2));
  EXPECT_EQ(world.the<RunFinished>(about_run()).why, "the disk is full");
  world.resumes();
  goes_well(world);
  EXPECT_EQ(world.state().finished->outcome, RunOutcome::landed);
  EXPECT_EQ(world.broken(), Words{});
}

TEST(Goal, AStopLetsThePlannerAnswerAndStartsNothing) {
  World world(a_config().with_planner());
  world.watch_invariants();
  world.start_with_goal();
  world.stops(StopMode::drain);
  EXPECT_FALSE(world.finished());
  goes_well(world);
  EXPECT_EQ(world.the<RunFinished>(about_run()), (RunFinished{0, 0, RunOutcome::stopped, "stopped: Ctrl-C"}));
  EXPECT_EQ(world.subjects_of<TaskCreated>(), (Words{"t1", "t2"}));
  EXPECT_EQ(world.subjects_of<TaskAssigned>(), (Words{"plan.1"}));
  world.resumes();
  goes_well(world);
  EXPECT_EQ(world.state().finished->outcome, RunOutcome::landed);
  EXPECT_EQ(world.subjects_of<PlanAdopted>(), (Words{"plan.1"}));
  EXPECT_EQ(world.broken(), Words{});
}

TEST(Goal, AStopBetweenTwoAnswersEndsTheRunAndAResumeGoesOnCounting) {
  World world(a_config().with_planner());
  world.watch_invariants();
  world.start_with_goal();
  world.stops(StopMode::drain);
  world.plans(session(1), a_faulty_answer());
  world.removed(session(1));
  EXPECT_EQ(world.the<RunFinished>(about_run()).outcome, RunOutcome::stopped);
  world.resumes();
  EXPECT_EQ(world.the<TaskAssigned>(about(session(2))).why, "the goal needs a plan; answer 2 of at most 3");
  EXPECT_EQ(world.broken(), Words{});
}

TEST(Goal, WhoLeavesNowLeavesThePlannerAtWork) {
  World world(a_config().with_planner());
  world.watch_invariants();
  world.start_with_goal();
  world.worktree_ready(session(1));
  world.stops(StopMode::now);
  EXPECT_FALSE(world.finished());
  EXPECT_NE(world.open<SpawnRequested>(session(1)), 0);
  world.resumes();
  goes_well(world);
  EXPECT_EQ(world.subjects_of<TaskAssigned>(), (Words{"plan.1", "t1.1", "t2.1"}));
  EXPECT_EQ(world.broken(), Words{});
}

TEST(Goal, APauseLetsThePlannerAnswerAndTheRunStaysOpen) {
  World world(a_config().with_planner());
  world.watch_invariants();
  world.start_with_goal();
  world.feed({about_run(), RunPaused{"asked to pause"}});
  world.plans(session(1), a_faulty_answer());
  world.removed(session(1));
  EXPECT_FALSE(world.finished());
  EXPECT_EQ(world.subjects_of<TaskAssigned>(), (Words{"plan.1"}));
  world.feed({about_run(), RunContinued{}});
  EXPECT_EQ(world.subjects_of<TaskAssigned>(), (Words{"plan.1", "plan.2"}));
  goes_well(world);
  EXPECT_EQ(world.state().finished->outcome, RunOutcome::landed);
  EXPECT_EQ(world.broken(), Words{});
}

TEST(Goal, WithOneAgentTheNextSessionBeginsWhenTheLastIsClearedAway) {
  World world(a_config().with_planner().with_agents(1));
  world.watch_invariants();
  world.start_with_goal();
  world.plans(session(1), a_faulty_answer());
  EXPECT_EQ(world.subjects_of<TaskAssigned>(), (Words{"plan.1"})) << "its worktree is still to go";
  world.removed(session(1));
  world.plans(session(2), an_answer({a_task(1)}));
  EXPECT_EQ(world.subjects_of<TaskAssigned>(), (Words{"plan.1", "plan.2"}));
  world.removed(session(2));
  EXPECT_EQ(world.subjects_of<TaskAssigned>(), (Words{"plan.1", "plan.2", "t1.1"}));
  goes_well(world);
  EXPECT_EQ(world.state().finished->outcome, RunOutcome::landed);
  EXPECT_EQ(world.broken(), Words{});
}

TEST(Goal, IsNotAskedWithoutMoneyAndIsWithWhatIsLeft) {
  World broke(a_config().with_planner().with_budget(UsdMicros{0}));
  broke.start_with_goal();
  EXPECT_EQ(broke.the<RunFinished>(about_run()),
            (RunFinished{0, 0, RunOutcome::budget,
                         "the budget of $0.00 does not allow another attempt: $0.00 spent; `bernstein resume r1 "
                         "--budget 1.00` lets the planner start"}));

  World poor(a_config().with_planner().with_budget(cents(30)));
  poor.watch_invariants();
  poor.start_with_goal();
  EXPECT_EQ(poor.the<TaskAssigned>(about(session(1))).reserved_micros, cents(30));
  poor.worktree_ready(session(1));
  poor.agent_exits(session(1), 0, cents(30));
  poor.captured(session(1), {});
  poor.answer<PlanReadRequested>(session(1), a_faulty_answer());
  poor.removed(session(1));
  EXPECT_EQ(poor.the<RunFinished>(about_run()).outcome, RunOutcome::budget);
  poor.feed({about_run(), RunResumed{.budget_micros = cents(500), .epoch = 2, .target_tip = "commit-0"}});
  goes_well(poor);
  EXPECT_EQ(poor.state().finished->outcome, RunOutcome::landed);
  EXPECT_EQ(poor.broken(), Words{});
}

// ---- A plan that its person wants to see ----------------------------------------------------------------------------

TEST(Approval, NothingStartsBeforeThePersonHasSeenThePlan) {
  World world(a_config().with_planner().with_approval());
  world.watch_invariants();
  world.start_with_goal();
  EXPECT_EQ(in_short(world.plans(session(1), an_answer({a_task(1), a_task(2)}))),
            (Words{"PlanAdopted plan.1", "WorktreeRemoveRequested plan.1"}));
  world.removed(session(1));
  const RunFinished waits{0, 0, RunOutcome::stopped,
                          "the plan waits for a person's look: `bernstein approve r1` starts it"};
  EXPECT_EQ(world.the<RunFinished>(about_run()), waits);

  EXPECT_EQ(in_short(world.resumes()), (Words{"RunFinished run"}));
  EXPECT_EQ(world.the<RunFinished>(about_run()), waits);
  EXPECT_EQ(world.subjects_of<TaskCreated>(), Words{});

  EXPECT_EQ(in_short(world.feed({about_run(), PlanApproved{}})), Words{}) << "the run has ended";
  world.resumes();
  goes_well(world);
  EXPECT_EQ(world.subjects_of<TaskCreated>(), (Words{"t1", "t2"}));
  EXPECT_EQ(world.the<RunFinished>(about_run()), (RunFinished{0, 2, RunOutcome::landed, "all 2 tasks landed"}));
  EXPECT_EQ(world.broken(), Words{});
}

TEST(Approval, IsAskedForOnceThoughTasksAreSplit) {
  World world(a_config().with_planner().with_approval().with_attempts(1));
  world.watch_invariants();
  world.start_with_goal();
  world.plans(session(1), an_answer({a_task(1)}));
  world.removed(session(1));
  world.feed({about_run(), PlanApproved{}});
  world.resumes();
  world.fails(at(1));
  world.plans(session(2), some_parts(world.state(), 1));
  goes_well(world);
  EXPECT_EQ(world.the<RunFinished>(about_run()), (RunFinished{0, 2, RunOutcome::landed, "all 2 tasks landed"}));
  EXPECT_EQ(world.broken(), Words{});
}

// ---- Tasks that are split -------------------------------------------------------------------------------------------

TEST(Split, WithoutAPlannerATaskFailsWhenItsAttemptsAreUsedUp) {
  World world(a_config().with_attempts(1));
  world.start({a_task(1)});
  world.fails(at(1));
  EXPECT_EQ(world.status(1), TaskStatus::failed);
  EXPECT_EQ(world.subjects_of<SplitWanted>(), Words{});
}

TEST(Split, ATaskWhoseAttemptsAreUsedUpIsReplacedByItsParts) {
  World world(a_config().with_planner().with_attempts(2));
  world.watch_invariants();
  world.start({a_task(1).owning("src/").with_priority(3).with_minutes(10), a_task(2).after(1).with_minutes(20)});
  world.fails(at(1));
  EXPECT_EQ(world.subjects_of<SplitWanted>(), Words{}) << "one attempt is left";
  world.worktree_ready(at(1, 2));
  world.agent_exits(at(1, 2), 1);
  EXPECT_EQ(in_short(world.captured(at(1, 2), {})),
            (Words{"AttemptFailed t1.2", "RewardRecorded t1.2", "SplitWanted t1", "WorktreeRemoveRequested t1.2",
                   "TaskAssigned plan.1", "WorktreeRequested plan.1"}));
  EXPECT_EQ(world.status(1), TaskStatus::waiting);
  EXPECT_EQ(world.the<SplitWanted>(about(t(1))).why, "attempt 2 of 2 failed: the agent exited with 1");
  EXPECT_EQ(world.the<TaskAssigned>(about(session(1))).why, "t1 'Task 1' is to be split");
  world.removed(at(1, 2));

  EXPECT_EQ(in_short(world.plans(session(1), some_parts(world.state(), 1, 3))),
            (Words{"PlanAdopted plan.1", "TaskSplit t1", "WorktreeRemoveRequested plan.1", "TaskCreated t3",
                   "TaskCreated t4", "TaskCreated t5", "TaskReadied t3", "TaskReadied t4", "RouteChosen t3.1",
                   "TaskAssigned t3.1", "WorktreeRequested t3.1"}));
  EXPECT_EQ(world.the<PlanAdopted>(about(session(1))).why, "3 tasks in place of t1");
  EXPECT_EQ(world.the<TaskSplit>(about(t(1))), (TaskSplit{{t(3), t(4), t(5)}, "plan.1 split it into 3 tasks"}));
  EXPECT_EQ(world.the<TaskCreated>(about(t(4))).chain_minutes, 30U) << "as urgent as the whole";
  EXPECT_EQ(world.status(1), TaskStatus::split);

  world.removed(session(1));
  world.lands(at(3));
  world.lands(at(4));
  EXPECT_EQ(world.status(2), TaskStatus::waiting) << "the last part has not landed";
  world.lands(at(5));
  world.lands(at(2));
  EXPECT_EQ(world.the<RunFinished>(about_run()), (RunFinished{0, 4, RunOutcome::landed, "all 4 tasks landed"}));
  EXPECT_EQ(world.broken(), Words{});
}

TEST(Split, WhoeverWaitsForTheStageWaitsForTheParts) {
  World world(a_config().with_planner().with_attempts(1));
  world.watch_invariants();
  world.start({a_task(1), a_task(2).in_stage(1).after_stage(0)});
  world.fails(at(1));
  world.plans(session(1), some_parts(world.state(), 1));
  world.lands(at(3));
  EXPECT_EQ(world.status(2), TaskStatus::waiting);
  world.lands(at(4));
  EXPECT_EQ(world.status(2), TaskStatus::running);
  goes_well(world);
  EXPECT_EQ(world.state().finished->outcome, RunOutcome::landed);
  EXPECT_EQ(world.broken(), Words{});
}

TEST(Split, APartThatFailsBlocksTheRestAndWhoeverWaitedForTheWhole) {
  World world(a_config().with_planner().with_attempts(1));
  world.watch_invariants();
  world.start({a_task(1), a_task(2).after(1), a_task(3).in_stage(1).after_stage(0)});
  world.fails(at(1));
  world.plans(session(1), some_parts(world.state(), 1));
  world.removed(session(1));
  world.fails(at(4));
  EXPECT_EQ(world.status(4), TaskStatus::failed) << "parts are not split again";
  EXPECT_EQ(world.subjects_of<SplitWanted>(), (Words{"t1"}));
  EXPECT_EQ(world.the<TaskBlocked>(about(t(5))).why, "t4 failed, so it will not land");
  EXPECT_EQ(world.the<TaskBlocked>(about(t(2))).why, "t5 is blocked itself, so it will not land");
  EXPECT_EQ(world.status(3), TaskStatus::blocked);
  EXPECT_EQ(world.the<RunFinished>(about_run()),
            (RunFinished{4, 0, RunOutcome::incomplete, "0 of 4 tasks landed, 4 did not"}));
  EXPECT_EQ(world.broken(), Words{});
}

TEST(Split, TwoTasksAreAskedAboutOneAfterTheOtherById) {
  RunConfig config = a_config().with_planner().with_attempts(1);
  config.limits.breaker = 0;  // its agent fails on three tasks in a row
  World world(config);
  world.watch_invariants();
  world.start({a_task(1), a_task(2), a_task(3)});
  world.fails(at(3));
  EXPECT_EQ(world.the<TaskAssigned>(about(session(1))).why, "t3 'Task 3' is to be split");
  world.fails(at(2));
  world.fails(at(1));
  EXPECT_EQ(world.subjects_of<TaskAssigned>(), (Words{"t1.1", "t2.1", "t3.1", "plan.1"}));
  world.plans(session(1), some_parts(world.state(), 3));
  EXPECT_EQ(world.the<TaskAssigned>(about(session(2))).why, "t1 'Task 1' is to be split");
  world.plans(session(2), some_parts(world.state(), 1));
  EXPECT_EQ(world.the<TaskAssigned>(about(session(3))).why, "t2 'Task 2' is to be split");
  world.plans(session(3), some_parts(world.state(), 2));
  EXPECT_EQ(task_of(world.state(), t(3)).parts, (std::vector<TaskId>{t(4), t(5)}));
  EXPECT_EQ(task_of(world.state(), t(1)).parts, (std::vector<TaskId>{t(6), t(7)}));
  EXPECT_EQ(task_of(world.state(), t(2)).parts, (std::vector<TaskId>{t(8), t(9)}));
  goes_well(world);
  EXPECT_EQ(world.the<RunFinished>(about_run()), (RunFinished{0, 6, RunOutcome::landed, "all 6 tasks landed"}));
  EXPECT_EQ(world.broken(), Words{});
}

TEST(Split, EachQuestionHasItsOwnAnswers) {
  World world(a_config().with_planner().with_attempts(1));
  world.watch_invariants();
  world.start_with_goal();
  world.plans(session(1), a_faulty_answer());
  world.plans(session(2), a_faulty_answer());
  world.plans(session(3), an_answer({a_task(1)}));
  for (std::uint32_t i = 1; i <= 3; ++i) world.removed(session(i));
  world.fails(at(1));
  EXPECT_EQ(world.the<TaskAssigned>(about(session(4))).why, "t1 'Task 1' is to be split");
  EXPECT_EQ(world.state().planning.first_session, 3U);
  world.plans(session(4), a_faulty_answer());
  world.plans(session(5), a_faulty_answer());
  world.plans(session(6), some_parts(world.state(), 1));
  goes_well(world);
  EXPECT_EQ(world.state().finished->outcome, RunOutcome::landed);
  EXPECT_EQ(world.broken(), Words{});
}

TEST(Split, WithoutAUsableAnswerTheTaskFailsForBothReasons) {
  World world(a_config().with_planner().with_attempts(1));
  world.watch_invariants();
  world.start({a_task(1), a_task(2).after(1), a_task(3)});
  world.fails(at(1));
  for (std::uint32_t i = 1; i < k_answers_max; ++i) world.plans(session(i), a_faulty_answer());
  EXPECT_EQ(in_short(world.plans(session(k_answers_max), a_faulty_answer({"only one part"}))),
            (Words{"AttemptFailed plan.3", "TaskFailed t1", "WorktreeRemoveRequested plan.3", "TaskBlocked t2"}));
  EXPECT_EQ(world.the<TaskFailed>(about(t(1))).why,
            "attempt 1 of 1 failed: the agent exited with 1; it could not be split either: its answer cannot be used: "
            "only one part");
  EXPECT_EQ(world.find<PlanFailed>(about_run()), nullptr);
  goes_well(world);
  EXPECT_EQ(world.the<RunFinished>(about_run()),
            (RunFinished{2, 1, RunOutcome::incomplete, "1 of 3 tasks landed, 2 did not"}));
  EXPECT_EQ(world.broken(), Words{});
}

// Only a task that is too much is split: one that was lost or could not be tried would fare no better in parts.
TEST(Split, LostAttemptsAndQuotasAreNoReason) {
  World world(a_config().with_planner().with_attempts(1).with_quota_attempts(1));
  world.start({a_task(1), a_task(2)});
  for (std::uint32_t attempt = 1; attempt <= 5; ++attempt) {
    world.breaks<WorktreeRequested>(at(1, attempt), FailureClass::orchestrator, "its worktree was lost");
  }
  ends(world, at(2), an_exit_of(AgentOutcome::quota));
  EXPECT_EQ(world.status(1), TaskStatus::failed);
  EXPECT_EQ(world.status(2), TaskStatus::failed);
  EXPECT_EQ(world.subjects_of<SplitWanted>(), Words{});
}

TEST(Split, WaitsThroughAStopAndGoesOnAfterAResume) {
  World world(a_config().with_planner().with_attempts(1));
  world.watch_invariants();
  world.start({a_task(1), a_task(2).after(1)});
  world.stops(StopMode::drain);
  world.fails(at(1));
  EXPECT_EQ(world.the<RunFinished>(about_run()).outcome, RunOutcome::stopped);
  EXPECT_EQ(world.subjects_of<TaskAssigned>(), (Words{"t1.1"}));
  world.resumes();
  EXPECT_EQ(world.subjects_of<TaskAssigned>(), (Words{"t1.1", "plan.1"}));
  goes_well(world);
  EXPECT_EQ(world.state().finished->outcome, RunOutcome::landed);
  EXPECT_EQ(world.broken(), Words{});
}

TEST(Split, WaitsWhileThePlannersAgentIsAtItsQuotaAndOthersWork) {
  World world(a_config().with_arms({"one/cheap", "two/strong"}).with_planner("two").with_attempts(1).with_agents(1));
  world.watch_invariants();
  world.start({a_task(1).pinned_to("one"), a_task(2).pinned_to("one")});
  world.fails(at(1));
  EXPECT_EQ(world.subjects_of<TaskAssigned>(), (Words{"t1.1", "t2.1"}))
      << "what can start without the planner does first";
  world.lands(at(2));
  ends(world, session(1), an_exit_of(AgentOutcome::quota));
  EXPECT_EQ(world.subjects_of<TaskAssigned>(), (Words{"t1.1", "t2.1", "plan.1"}));
  EXPECT_FALSE(world.finished()) << "the planner is still to be asked";
  park_ends(world, "two");
  goes_well(world);
  EXPECT_EQ(world.the<RunFinished>(about_run()), (RunFinished{0, 3, RunOutcome::landed, "all 3 tasks landed"}));
  EXPECT_EQ(world.broken(), Words{});
}

// A run from a plan needs no planner: that its agent has no login costs the split alone.
TEST(Split, APlannerWithoutALoginDoesNotHaltTheRun) {
  World world(a_config().with_arms({"one/cheap", "two/strong"}).with_planner("two").with_attempts(1).with_agents(1));
  world.watch_invariants();
  world.start({a_task(1).pinned_to("one"), a_task(2).pinned_to("one").after(1), a_task(3).pinned_to("one")});
  world.fails(at(1));
  world.lands(at(3));
  for (std::uint32_t i = 1; i <= k_answers_max; ++i) ends(world, session(i), an_exit_of(AgentOutcome::auth));
  goes_well(world);
  EXPECT_EQ(world.subjects_of<TaskFailed>(), (Words{"t1"}));
  EXPECT_EQ(world.subjects_of<TaskBlocked>(), (Words{"t2"}));
  EXPECT_EQ(world.the<RunFinished>(about_run()).outcome, RunOutcome::incomplete);
  EXPECT_EQ(world.broken(), Words{});
}

TEST(Split, ThePlannersAgentWorksNoMoreOftenAtOnceThanItsLimit) {
  World world(a_config().with_planner().with_attempts(1).with_max_parallel("mock", 2));
  world.watch_invariants();
  world.start({a_task(1), a_task(2), a_task(3)});
  EXPECT_EQ(world.subjects_of<TaskAssigned>(), (Words{"t1.1", "t2.1"}));
  world.worktree_ready(at(1));
  world.agent_exits(at(1), 1);  // t3 takes its slot before it is known to have failed for good
  world.captured(at(1), {});
  EXPECT_EQ(world.subjects_of<SplitWanted>(), (Words{"t1"}));
  EXPECT_EQ(world.subjects_of<TaskAssigned>(), (Words{"t1.1", "t2.1", "t3.1"}));
  world.worktree_ready(at(2));
  world.agent_exits(at(2));
  EXPECT_EQ(world.subjects_of<TaskAssigned>(), (Words{"t1.1", "t2.1", "t3.1", "plan.1"}));
  goes_well(world);
  EXPECT_EQ(world.state().finished->outcome, RunOutcome::landed);
  EXPECT_EQ(world.broken(), Words{});
}

// A plan may have tasks for the role that the planner's own sessions have.
TEST(Split, ThePlannerTakesNoMoreSlotsThanItsRoleHas) {
  World world(a_config().with_planner().with_attempts(1).with_role_slots("planner", 1));
  world.watch_invariants();
  world.start({a_task(1), a_task(2).with_role("planner")});
  world.fails(at(1));
  EXPECT_EQ(world.subjects_of<TaskAssigned>(), (Words{"t1.1", "t2.1"}));
  world.worktree_ready(at(2));
  world.agent_exits(at(2));
  EXPECT_EQ(world.subjects_of<TaskAssigned>(), (Words{"t1.1", "t2.1", "plan.1"}));
  goes_well(world);
  EXPECT_EQ(world.state().finished->outcome, RunOutcome::landed);
  EXPECT_EQ(world.broken(), Words{});
}

TEST(Split, TheGoalComesBeforeWhateverElse) {
  World world(a_config().with_planner());
  world.start_with_goal();
  EXPECT_EQ(open_question(world.state()), k_planning);
  goes_well(world);
  EXPECT_EQ(open_question(world.state()), std::nullopt);
}

// A log may be folded up to any event: what comes next must follow from there too.
TEST(Planning, GoesOnAfterEveryPrefixOfTheLogWithoutAbort) {
  World world(a_config().with_planner().with_attempts(1));
  world.start_with_goal();
  world.plans(session(1), a_faulty_answer());
  world.plans(session(2), an_answer({a_task(1), a_task(2).after(1)}));
  world.fails(at(1));
  goes_well(world);
  ASSERT_TRUE(world.finished());
  for (std::size_t length = 0; length <= world.log().size(); ++length) {
    RunState state;
    for (std::size_t i = 0; i < length; ++i) ASSERT_TRUE(apply(state, world.log()[i]));
    EXPECT_EQ(decide(state), decide(state));
  }
}

}  // namespace
}  // namespace bernstein
