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
    return format_usd(attempt_ceiling(a_task(1).with_complexity(complexity).with_scope(scope)));
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
  EXPECT_EQ(world.state().reserved, cents(200));

  world.worktree_ready(at(1));
  world.agent_exits(at(1), 0, cents(30));
  EXPECT_EQ(world.state().spent, cents(30));
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
            (RunFinished{0, 1, RunOutcome::budget, "the budget of $1.00 does not allow another attempt: $1.00 spent"}));
  EXPECT_EQ(world.status(2), TaskStatus::ready);
}

TEST(Budget, AnAttemptOfUnknownCostCountsAsWhatItReserved) {
  World world(a_config().with_budget(cents(100)));
  world.start({a_dollar_task(1), a_dollar_task(2)});
  world.worktree_ready(at(1));
  world.agent_exits(at(1), 0, std::nullopt);
  EXPECT_EQ(world.state().spent, UsdMicros{});
  world.captured(at(1), {"a"});
  world.lands(at(1));
  EXPECT_EQ(
      world.the<RunFinished>(about_run()).why,
      "the budget of $1.00 does not allow another attempt: $0.00 spent, $1.00 presumed for attempts of unknown cost");
}

TEST(Budget, WhatAnAgentCostsBeyondItsReservationIsCountedAndSaid) {
  World world(a_config().with_budget(cents(100)));
  world.watch_invariants();
  world.start({a_dollar_task(1), a_dollar_task(2)});
  world.worktree_ready(at(1));
  world.agent_exits(at(1), 0, cents(130));
  world.captured(at(1), {"a"});
  world.lands(at(1));
  EXPECT_EQ(world.the<RunFinished>(about_run()).why, "the budget of $1.00 does not allow another attempt: $1.30 spent");
  EXPECT_EQ(world.broken(), Words{});
}

TEST(Budget, AnAttemptThatNeverWorkedGivesItsReservationBack) {
  World world(a_config().with_budget(cents(100)));
  world.start({a_dollar_task(1)});
  world.breaks<WorktreeRequested>(at(1), FailureClass::orchestrator, "lost");
  EXPECT_EQ(world.state().presumed, UsdMicros{});
  EXPECT_EQ(world.the<TaskAssigned>(about(at(1, 2))).reserved_micros, cents(100));
}

TEST(Budget, WithoutOneEveryAttemptStillReservesItsCeiling) {
  World world;
  world.start({a_task(1).with_complexity(Complexity::high)});
  EXPECT_EQ(world.the<TaskAssigned>(about(at(1))).reserved_micros, cents(300));
}

}  // namespace
}  // namespace bernstein
