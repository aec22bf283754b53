#include "bernstein/decide/budget.hpp"

#include <gtest/gtest.h>

#include "support/builders.hpp"

namespace bernstein {
namespace {

using namespace test;

using Words = std::vector<std::string>;

TaskBuilder a_dollar_task(std::uint32_t number) {
  return a_task(number);
}  // medium, medium: $1.00

TEST(Budget, ACeilingForEveryComplexityAndScope) {
  const auto ceiling = [](Complexity complexity, Scope scope) {
    return format_usd(attempt_ceiling(a_task(1).with_complexity(complexity).with_scope(scope)).micros);
  };
  EXPECT_EQ(ceiling(Complexity::low, Scope::small), "$0.125");
  EXPECT_EQ(ceiling(Complexity::low, Scope::medium), "$0.25");
  EXPECT_EQ(ceiling(Complexity::low, Scope::large), "$0.50");
  EXPECT_EQ(ceiling(Complexity::medium, Scope::small), "$0.50");
  EXPECT_EQ(ceiling(Complexity::medium, Scope::medium), "$1.00");
  EXPECT_EQ(ceiling(Complexity::medium, Scope::large), "$2.00");
  EXPECT_EQ(ceiling(Complexity::high, Scope::small), "$1.50");
  EXPECT_EQ(ceiling(Complexity::high, Scope::medium), "$3.00");
  EXPECT_EQ(ceiling(Complexity::high, Scope::large), "$6.00");
}

TEST(Budget, ReservesBeforeAnAttemptStartsAndHoldsInEveryPrefix) {
  World world(a_config().with_budget(cents(250)));
  world.watch_invariants();
  world.start({a_dollar_task(1), a_dollar_task(2), a_dollar_task(3)});
  EXPECT_EQ(world.subjects_of<TaskAssigned>(), (Words{"t1.1", "t2.1"}));
  EXPECT_EQ(world.state().reserved.micros, cents(200));

  world.worktree_ready(at(1));
  world.agent_exits(at(1), 0, cents(30));
  EXPECT_EQ(world.state().spent.micros, cents(30));
  EXPECT_EQ(world.subjects_of<TaskAssigned>(), (Words{"t1.1", "t2.1", "t3.1"}));  // 30 + 100 + 100 fit
  EXPECT_EQ(world.broken(), Words{});
}

TEST(Budget, ASmallTaskIsNotHeldUpByALargeOneOfItsKind) {
  World world(a_config().with_budget(cents(160)));
  world.start({a_dollar_task(1).with_priority(1), a_task(2).with_scope(Scope::large).with_priority(2),
               a_task(3).with_scope(Scope::small).with_priority(3)});
  EXPECT_EQ(world.subjects_of<TaskAssigned>(), (Words{"t1.1", "t3.1"}));
  EXPECT_EQ(world.the<TaskAssigned>(about(at(3))).why,
            "slot 2 of 4 is free; of 2 ready tasks the first that fits, by priority 3, then 30 min of work behind it; "
            "owns no files; "
            "passed over t2 (the budget leaves less than its $2.00)");
}

TEST(Budget, TheLastAttemptGetsWhatIsLeft) {
  World world(a_config().with_budget(cents(150)));
  world.watch_invariants();
  world.start({a_dollar_task(1), a_dollar_task(2)});
  world.worktree_ready(at(1));
  world.agent_exits(at(1), 0, cents(90));
  EXPECT_EQ(world.status(2), TaskStatus::ready);  // 60 left and t1 still in flight
  world.captured(at(1), {"a"});
  world.lands(at(1));
  EXPECT_EQ(world.the<TaskAssigned>(about(at(2))).reserved_micros, cents(60));
  EXPECT_EQ(world.broken(), Words{});
}

TEST(Budget, ARunEndsWhenNothingIsLeft) {
  World world(a_config().with_budget(cents(100)));
  world.start({a_dollar_task(1), a_dollar_task(2)});
  world.worktree_ready(at(1));
  world.agent_exits(at(1), 0, cents(100));
  world.captured(at(1), {"a"});
  world.lands(at(1));
  EXPECT_EQ(world.the<RunFinished>(about_run()),
            (RunFinished{0, 1, RunOutcome::budget,
                         "the budget of $1.00 does not allow another attempt: $1.00 spent; `bernstein resume r1 "
                         "--budget 2.00` lets t2 start"}));
  EXPECT_EQ(world.status(2), TaskStatus::ready);
}

TEST(Budget, AnAttemptOfUnknownCostCountsAsWhatItReserved) {
  World world(a_config().with_budget(cents(100)));
  world.start({a_dollar_task(1), a_dollar_task(2)});
  world.worktree_ready(at(1));
  world.agent_exits(at(1), 0, std::nullopt);
  EXPECT_EQ(world.state().spent.micros, UsdMicros{});
  world.captured(at(1), {"a"});
  world.lands(at(1));
  EXPECT_EQ(world.the<RunFinished>(about_run()).why,
            "the budget of $1.00 does not allow another attempt: $0.00 spent, $1.00 presumed for attempts that did not "
            "tell all; `bernstein resume r1 --budget 2.00` lets t2 start");
}

TEST(Budget, WhatAnAgentCostsBeyondItsReservationIsCountedAndSaid) {
  World world(a_config().with_budget(cents(100)));
  world.watch_invariants();
  world.start({a_dollar_task(1), a_dollar_task(2)});
  world.worktree_ready(at(1));
  world.agent_exits(at(1), 0, cents(130));
  world.captured(at(1), {"a"});
  world.lands(at(1));
  EXPECT_EQ(world.the<RunFinished>(about_run()).why,
            "the budget of $1.00 does not allow another attempt: $1.30 spent; `bernstein resume r1 --budget 2.60` lets "
            "t2 start, of whose kind an attempt by mock/cheap used more than it had reserved");
  EXPECT_EQ(world.broken(), Words{});
}

TEST(Budget, AnAttemptThatNeverWorkedGivesItsReservationBack) {
  World world(a_config().with_budget(cents(100)));
  world.start({a_dollar_task(1)});
  world.breaks<WorktreeRequested>(at(1), FailureClass::orchestrator, "lost");
  EXPECT_EQ(world.state().presumed.micros, UsdMicros{});
  EXPECT_EQ(world.the<TaskAssigned>(about(at(1, 2))).reserved_micros, cents(100));
}

TEST(Budget, AHopelesslySmallRestStartsNothing) {
  World world(a_config().with_budget(cents(109)));
  world.start({a_dollar_task(1), a_dollar_task(2)});
  world.worktree_ready(at(1));
  world.agent_exits(at(1), 0, cents(100));
  world.captured(at(1), {"a"});
  world.lands(at(1));
  EXPECT_EQ(world.subjects_of<TaskAssigned>(), Words{"t1.1"});  // $0.09 are less than a tenth of $1.00
  EXPECT_EQ(world.the<RunFinished>(about_run()).outcome, RunOutcome::budget);

  World tenth(a_config().with_budget(cents(10)));
  tenth.start({a_dollar_task(1)});
  EXPECT_EQ(tenth.the<TaskAssigned>(about(at(1))).reserved_micros, cents(10));
}

// ---- Tokens ---------------------------------------------------------------------------------------------------------

AgentExited using_tokens(std::int64_t input, std::optional<std::int64_t> output) {
  AgentExited exit = an_exit(0, std::nullopt);
  exit.usage = {.cached_tokens = 9'000'000, .input_tokens = input, .output_tokens = output};
  return exit;
}

TEST(TokenBudget, IsReservedAndSpentLikeMoney) {
  World world(a_config().with_token_budget(1'000'000));
  world.watch_invariants();
  world.start({a_task(1), a_task(2), a_task(3)});  // 500k each
  EXPECT_EQ(world.subjects_of<TaskAssigned>(), (Words{"t1.1", "t2.1"}));
  EXPECT_EQ(world.the<TaskAssigned>(about(at(1))).reserved_tokens, 500'000);

  world.worktree_ready(at(1));
  world.answer<SpawnRequested>(at(1), using_tokens(200'000, 100'000));
  EXPECT_EQ(world.state().spent.tokens, 300'000) << "what a cache gave does not count";
  world.captured(at(1), {"a"});
  world.lands(at(1));
  EXPECT_EQ(world.status(3), TaskStatus::ready) << "200k are left, and t2 is at work";
  world.worktree_ready(at(2));
  world.answer<SpawnRequested>(at(2), using_tokens(400'000, 90'000));
  world.captured(at(2), {"b"});
  world.lands(at(2));
  EXPECT_EQ(world.the<TaskAssigned>(about(at(3))).reserved_tokens, 210'000) << "the last one gets what is left";
  EXPECT_EQ(world.broken(), Words{});
}

TEST(TokenBudget, EndsTheRunAndSaysWhatGoesOn) {
  World world(a_config().with_token_budget(500'000).with_budget(cents(1'000)));
  world.start({a_task(1), a_task(2)});
  world.worktree_ready(at(1));
  world.answer<SpawnRequested>(at(1), using_tokens(450'000, std::nullopt));  // half of it told: as if all was used
  world.captured(at(1), {"a"});
  world.lands(at(1));
  EXPECT_EQ(world.the<RunFinished>(about_run()).why,
            "the budget of 500k tokens does not allow another attempt: 450k spent, 50k presumed for attempts that did "
            "not tell all; `bernstein resume r1 --budget-tokens 1M` lets t2 start");

  RunResumed resumed{.budget_tokens = 1'000'000, .epoch = 2, .target_tip = world.state().target_tip};
  world.feed({about_run(), resumed});
  EXPECT_EQ(world.the<TaskAssigned>(about(at(2))).reserved_tokens, 500'000);
}

TEST(TokenBudget, BothBudgetsAreNamedWhenBothAreUsedUp) {
  World world(a_config().with_token_budget(500'000).with_budget(cents(100)));
  world.start({a_task(1), a_task(2)});
  world.worktree_ready(at(1));
  world.answer<SpawnRequested>(at(1), using_tokens(400'000, 90'000));
  world.captured(at(1), {"a"});
  world.lands(at(1));
  EXPECT_EQ(world.the<RunFinished>(about_run()).why,
            "the budget of $1.00 does not allow another attempt: $0.00 spent, $1.00 presumed for attempts that did not "
            "tell all; the budget of 500k tokens does not allow another attempt: 490k spent; `bernstein resume r1 "
            "--budget 2.00 --budget-tokens 990k` lets t2 start");
}

// ---- What agents do not tell, or tell falsely -----------------------------------------------------------------------

TEST(Budget, AnAgentThatWasEndedUsedAtLeastWhatItTold) {
  World world(a_config().with_budget(cents(1'000)));
  world.watch_invariants();
  world.start({a_dollar_task(1)});
  world.worktree_ready(at(1));
  AgentExited ended = an_exit(143, cents(40));
  ended.cost_source = CostSource::estimated;
  ended.timed_out = true;
  world.answer<SpawnRequested>(at(1), ended);
  EXPECT_EQ(world.state().spent.micros, cents(40));
  EXPECT_EQ(world.state().presumed.micros, cents(60)) << "it may have used all that it reserved";
  EXPECT_EQ(world.broken(), Words{});
}

TEST(Budget, AnAgentThatWasLostAtWorkCountsAsWhatItReserved) {
  World world(a_config().with_budget(cents(150)));
  world.watch_invariants();
  world.start({a_dollar_task(1)});
  world.worktree_ready(at(1));
  world.feed({about(at(1)), AgentStarted{}});
  world.breaks<SpawnRequested>(at(1), FailureClass::orchestrator, "lost");
  EXPECT_EQ(world.state().presumed.micros, cents(100));
  EXPECT_EQ(world.broken(), Words{});
}

TEST(Budget, WhoCostMoreThanItReservedReservesThatFromThenOn) {
  World world(a_config().with_agents(2).with_budget(cents(1'000)));
  world.watch_invariants();
  world.start({a_dollar_task(1), a_dollar_task(2), a_dollar_task(3), a_task(4).with_complexity(Complexity::low)});
  world.worktree_ready(at(1));
  world.agent_exits(at(1), 0, cents(250));
  EXPECT_EQ(world.the<TaskAssigned>(about(at(3))).reserved_micros, cents(250));
  world.worktree_ready(at(2));
  world.agent_exits(at(2), 0, cents(180));
  EXPECT_EQ(world.the<TaskAssigned>(about(at(4))).reserved_micros, cents(25)) << "of another kind";
  EXPECT_EQ(world.state().dearest.at("mock/cheap-1 medium").micros, cents(250));
  EXPECT_EQ(world.broken(), Words{});
}

TEST(Budget, ARestThatIsKnownNotToDoStartsNothing) {
  World world(a_config().with_agents(1).with_budget(cents(280)));
  world.start({a_dollar_task(1).pinned_to("mock", "cheap"), a_dollar_task(2).pinned_to("mock", "cheap")});
  world.worktree_ready(at(1));
  world.agent_exits(at(1), 0, cents(150));
  world.captured(at(1), {"a"});
  world.lands(at(1));
  EXPECT_EQ(world.subjects_of<TaskAssigned>(), Words{"t1.1"});  // $1.30 are left, and one like it used $1.50
  EXPECT_EQ(world.the<RunFinished>(about_run()).outcome, RunOutcome::budget);
}

TEST(Budget, WhatIsTooLittleForOneArmMayDoForAnother) {
  World world(a_config().with_agents(1).with_budget(cents(280)));
  world.start({a_dollar_task(1), a_dollar_task(2)});
  world.worktree_ready(at(1));
  world.agent_exits(at(1), 0, cents(150));
  world.captured(at(1), {"a"});
  world.lands(at(1));
  const auto& route = world.the<RouteChosen>(about(at(2)));
  EXPECT_EQ(to_string(route.arm), "mock/strong");
  EXPECT_EQ(route.excluded.at("mock/cheap"), "the budget leaves less than its $1.50");
}

// An agent that is left alone for a week does not keep a run open that cannot pay for anything.
TEST(Budget, ARunThatCanPayForNothingEndsAlsoWhileAnAgentIsLeftAlone) {
  World world(a_config().with_arms({"a/cheap", "b/cheap"}).with_agents(1).with_budget(cents(100)));
  world.start({a_dollar_task(1), a_dollar_task(2)});
  world.worktree_ready(at(1));
  AgentExited refused = an_exit(1, cents(0));
  refused.outcome = AgentOutcome::quota;
  refused.retry_after_us = 7 * 24 * k_hour;
  world.answer<SpawnRequested>(at(1), refused);
  world.captured(at(1), {});
  world.removed(at(1));
  const AttemptId next = at(1, 2);
  EXPECT_EQ(world.the<TaskAssigned>(about(next)).agent, "b");
  world.works(next, {"a"});
  world.lands(next);
  // t1 has cost 10 cents of the dollar; t2 gets what is left, and uses it up
  world.worktree_ready(at(2));
  world.agent_exits(at(2), 1, cents(90));
  world.captured(at(2), {});
  world.removed(at(2));
  EXPECT_EQ(world.the<RunFinished>(about_run()).outcome, RunOutcome::budget);
}

// ---- A task's own ceiling -------------------------------------------------------------------------------------------

TEST(TaskCeiling, AnAttemptReservesNoMoreThanIsLeftOfIt) {
  World world(a_config().with_task_cost(cents(150)));
  world.watch_invariants();
  world.start({a_dollar_task(1), a_dollar_task(2).costing_at_most(cents(40))});
  EXPECT_EQ(world.the<TaskAssigned>(about(at(1))).reserved_micros, cents(100));
  EXPECT_EQ(world.the<TaskAssigned>(about(at(2))).reserved_micros, cents(40)) << "its own word counts";
  world.worktree_ready(at(1));
  world.agent_exits(at(1), 1, cents(90));
  world.captured(at(1), {});
  EXPECT_EQ(world.the<TaskAssigned>(about(at(1, 2))).reserved_micros, cents(60));
  EXPECT_EQ(world.broken(), Words{});
}

TEST(TaskCeiling, ATaskFailsWhenItIsUsedUpAndARetryGivesItAsMuchAgain) {
  World world(a_config().with_planner().with_task_cost(cents(100)));
  world.start({a_dollar_task(1), a_dollar_task(2).after(1)});
  world.worktree_ready(at(1));
  world.agent_exits(at(1), 1, cents(95));
  world.captured(at(1), {});
  world.removed(at(1));
  EXPECT_EQ(world.the<TaskFailed>(about(t(1))).why,
            "the agent exited with 1; its attempts have used $0.95 of the $1.00 that it may cost, "
            "and what is left is too little for another: `bernstein retry r1/t1` gives it as much again");
  EXPECT_EQ(world.status(2), TaskStatus::blocked);
  EXPECT_EQ(world.the<RunFinished>(about_run()).outcome, RunOutcome::incomplete) << "no matter of the run's budget";

  world.feed({about(t(1)), RetryWanted{}});
  world.resumes();
  EXPECT_EQ(world.the<TaskAssigned>(about(at(1, 2))).reserved_micros, cents(100));
}

TEST(TaskCeiling, AConflictGoesToAPersonWhenItIsUsedUp) {
  World world(a_config().with_task_cost(cents(100)));
  world.start({a_dollar_task(1)});
  world.worktree_ready(at(1));
  world.agent_exits(at(1), 0, cents(95));
  world.captured(at(1), {"a"});
  world.answer<CandidateRequested>(at(1), CandidateConflicted{"commit-0", {{.path = "a"}}});
  EXPECT_EQ(world.status(1), TaskStatus::failed);
  EXPECT_EQ(world.subjects_of<TaskHandedOver>(), Words{"t1.2"});
}

TEST(Budget, WithoutOneEveryAttemptStillReservesItsCeiling) {
  World world;
  world.start({a_task(1).with_complexity(Complexity::high)});
  EXPECT_EQ(world.the<TaskAssigned>(about(at(1))).reserved_micros, cents(300));
}

}  // namespace
}  // namespace bernstein
