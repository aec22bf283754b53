// What waits for what, and what becomes of those who wait for something that does not land.
#include <gtest/gtest.h>

#include "support/builders.hpp"

namespace bernstein {
namespace {

using namespace test;

using Words = std::vector<std::string>;

TEST(Dependencies, UnlockWhenTheTaskHasLandedAndStartFromTheNewTip) {
  World world;
  world.start({a_task(1), a_task(2).after(1)});
  world.works(at(1), {"a"});
  world.candidate_built(at(1));
  EXPECT_EQ(world.status(2), TaskStatus::waiting);  // verified is not landed

  world.merged(at(1));
  EXPECT_EQ(world.the<TaskReadied>(about(t(2))).why, "all it waited for has landed: 1 task");
  EXPECT_EQ(world.the<WorktreeRequested>(about(at(2))).base, "merge of t1.1");
}

TEST(Dependencies, AllOfThemMustLand) {
  World world;
  world.start({a_task(1), a_task(2), a_task(3).after(1).after(2)});
  world.lands(at(2));
  EXPECT_EQ(world.status(3), TaskStatus::waiting);
  world.lands(at(1));
  EXPECT_EQ(world.the<TaskReadied>(about(t(3))).why, "all it waited for has landed: 2 tasks");
  EXPECT_EQ(world.the<WorktreeRequested>(about(at(3))).base, world.the<MergeLanded>(about(at(1))).commit);
}

TEST(Dependencies, AStageWaitsForEveryTaskOfTheOther) {
  World world;
  world.start({a_task(1), a_task(2), a_task(3).in_stage(1).after_stage(0).after(1)});
  world.lands(at(1));
  EXPECT_EQ(world.status(3), TaskStatus::waiting);
  world.lands(at(2));
  EXPECT_EQ(world.the<TaskReadied>(about(t(3))).why, "all it waited for has landed: 1 task, 1 stage");
}

TEST(Dependencies, BlockTransitivelyWhenATaskFails) {
  World world(a_config().with_attempts(1));
  world.start({a_task(1), a_task(2).after(1), a_task(3).after(2), a_task(4), a_task(5).after(1).after(4)});
  world.lands(at(4));
  world.fails(at(1));

  EXPECT_EQ(world.the<TaskBlocked>(about(t(2))), (TaskBlocked{t(1), "t1 failed, so it will not land"}));
  EXPECT_EQ(world.the<TaskBlocked>(about(t(3))), (TaskBlocked{t(2), "t2 is blocked itself, so it will not land"}));
  EXPECT_EQ(world.the<TaskBlocked>(about(t(5))), (TaskBlocked{t(1), "t1 failed, so it will not land"}));
  EXPECT_EQ(world.the<RunFinished>(about_run()),
            (RunFinished{4, 1, RunOutcome::incomplete, "1 of 5 tasks landed, 4 did not"}));
}

TEST(Dependencies, BlockWhatWaitsForTheStageOfAFailedTask) {
  World world(a_config().with_attempts(1));
  world.start({a_task(1), a_task(2), a_task(3).in_stage(1).after_stage(0), a_task(4).in_stage(2).after_stage(1)});
  world.fails(at(1));
  EXPECT_EQ(world.the<TaskBlocked>(about(t(3))).by, t(1));
  EXPECT_EQ(world.the<TaskBlocked>(about(t(4))).by, t(3));
  EXPECT_EQ(world.status(2), TaskStatus::running);  // it does not depend on t1
  world.lands(at(2));
  EXPECT_EQ(world.the<RunFinished>(about_run()).why, "1 of 4 tasks landed, 3 did not");
}

TEST(Dependencies, ATaskThatWaitsTwiceForTheSameIsBlockedOnce) {
  World world(a_config().with_attempts(1));
  world.start({a_task(1), a_task(2).in_stage(1).after(1).after_stage(0)});
  world.fails(at(1));
  EXPECT_EQ(world.subjects_of<TaskBlocked>(), (Words{"t2"}));
}

TEST(Dependencies, OfWhatAPersonWantsAgainStayBlockedWhereTheRestOfAStageIsLost) {
  World world(a_config().with_attempts(1));
  world.start({a_task(1), a_task(2), a_task(3).in_stage(1).after_stage(0)});
  world.fails(at(1));
  world.fails(at(2));
  ASSERT_EQ(world.status(3), TaskStatus::blocked);

  world.feed({about(t(1)), RetryWanted{}});
  world.resumes();
  EXPECT_EQ(world.status(3), TaskStatus::blocked);
  EXPECT_EQ(world.the<TaskBlocked>(about(t(3))).by, t(2));

  world.feed({about(t(2)), RetryWanted{}});
  EXPECT_EQ(world.status(3), TaskStatus::waiting) << "both are tried again";
}

TEST(Dependencies, AreNotRevivedByAnUndoThatIsTriedAgain) {
  World world(a_config().with_attempts(1));
  world.start({a_task(1), a_task(2), a_task(3).in_stage(1).after_stage(0)});
  world.lands(at(1));
  world.fails(at(2));
  ASSERT_EQ(world.status(3), TaskStatus::blocked);
  world.feed({about(t(1)), UndoWanted{}});
  world.resumes();
  world.breaks<RevertRequested>(at(4), FailureClass::task, "later work builds on it");
  ASSERT_EQ(world.status(4), TaskStatus::failed);

  world.feed({about(t(4)), RetryWanted{}});
  world.resumes();
  EXPECT_EQ(world.status(3), TaskStatus::blocked);
}

TEST(Dependencies, WhatIsTakenBackTwiceIsThereAgainAndCanBeTakenBackOnceMore) {
  World world;
  world.start({a_task(1)});
  world.lands(at(1));
  const auto undo = [&](std::uint32_t task, std::uint32_t by) {
    world.feed({about(t(task)), UndoWanted{}});
    world.resumes();
    world.lands(at(by));
  };
  undo(1, 2);
  EXPECT_EQ(world.state().tasks.at(t(1)).undone_by, t(2));
  undo(2, 3);
  EXPECT_EQ(world.state().tasks.at(t(2)).undone_by, t(3));
  EXPECT_FALSE(world.state().tasks.at(t(1)).undone_by);
  undo(1, 4);
  EXPECT_EQ(world.state().tasks.at(t(1)).undone_by, t(4));
}

}  // namespace
}  // namespace bernstein
