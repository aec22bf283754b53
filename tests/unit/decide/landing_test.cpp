// One at a time, by priority and arrival.
#include <gtest/gtest.h>

#include "support/builders.hpp"

namespace bernstein {
namespace {

using namespace test;

using Words = std::vector<std::string>;

TEST(Landing, TakesTurnsByPriorityThenArrival) {
  World world;
  world.start({a_task(1), a_task(2).with_priority(3), a_task(3), a_task(4).with_priority(1)});
  world.works(at(3), {"c"});
  world.works(at(2), {"b"});
  world.works(at(1), {"a"});
  EXPECT_EQ(world.the<LandingQueued>(about(at(1))).why, "2 ahead of it");
  world.works(at(4), {"d"});
  world.lands(at(3));
  world.lands(at(4));
  world.lands(at(1));
  world.lands(at(2));
  EXPECT_EQ(world.subjects_of<CandidateRequested>(), (Words{"t3.1", "t4.1", "t1.1", "t2.1"}));
  EXPECT_EQ(world.the<RunFinished>(about_run()), (RunFinished{0, 4, RunOutcome::landed, "all 4 tasks landed"}));
}

TEST(Landing, TheNextIsPutTogetherAndWaitsUntilTheCheckoutHasFollowed) {
  World world;
  world.start({a_task(1), a_task(2)});
  world.works(at(1), {"a"});
  world.works(at(2), {"b"});
  world.candidate_built(at(1));
  EXPECT_EQ(in_short(world.merged(at(1))), (Words{"RewardRecorded t1.1", "CheckoutSyncRequested t1.1",
                                                  "WorktreeRemoveRequested t1.1", "CandidateRequested t2.1"}));
  EXPECT_EQ(world.the<CheckoutSyncRequested>(about(at(1))),
            (CheckoutSyncRequested{"", "commit-0", "refs/heads/main", "merge of t1.1"}));
  world.candidate_built(at(2));
  EXPECT_EQ(world.open<MergeRequested>(at(2)), 0);
  EXPECT_EQ(in_short(world.synced(at(1))), (Words{"MergeRequested t2.1"}));
}

TEST(Landing, ATargetThatMovedGivesTheAttemptItsPlaceBack) {
  World world(a_config().with_gate(a_command("tests")));
  world.start({a_task(1), a_task(2)});
  world.works(at(1), {"a"});
  world.works(at(2), {"b"});
  world.candidate_built(at(1));
  world.check_passes(at(1));
  const std::vector<Event> followed = world.answer<MergeRequested>(at(1), MergeRefused{"commit of the user"});
  EXPECT_EQ(in_short(followed), (Words{"CandidateRequested t1.1"}));  // and not t2
  EXPECT_EQ(world.state().target_tip, "commit of the user");
  world.candidate_built(at(1));
  EXPECT_NE(world.open<CheckRequested>(at(1)), 0);  // another tree: it is checked again
  world.check_passes(at(1));
  EXPECT_EQ(world.the<MergeRequested>(about(at(1))).base, "commit of the user");
}

TEST(Landing, AConflictUsesUpNoAttemptAndTheNextBeginsWithItsWorkOnTheNewTip) {
  World world;
  world.start({a_task(1)});
  world.works(at(1), {"a", "b"});
  world.answer<CandidateRequested>(at(1), CandidateConflicted{"commit of the user", {{.path = "a"}, {.path = "b"}}});
  const std::string why = "its changes conflict with what landed meanwhile in a, b";
  EXPECT_EQ(world.the<AttemptFailed>(about(at(1))),
            (AttemptFailed{FailureClass::conflict, {{why, ""}}, {"a", "b"}, why}));
  EXPECT_EQ(world.the<TaskRetried>(about(t(1))).why,
            why + "; the same agent resolves that on the target as it is now (1 of at most 2 times)");
  EXPECT_EQ(world.the<WorktreeRequested>(about(at(1, 2))), (WorktreeRequested{"commit of the user", "commit of t1.1"}));
  EXPECT_EQ(world.state().tasks.at(t(1)).failures, 0U);
}

TEST(Landing, APersonsWorktreeThatHeldNothingIsFollowedByOneWithTheConflict) {
  World world;
  world.start({a_task(1)});
  for (std::uint32_t number = 1; world.status(1) != TaskStatus::failed; ++number) {
    ASSERT_LE(number, 4U);
    world.works(at(1, number), {"a"});
    world.answer<CandidateRequested>(at(1, number), CandidateConflicted{world.state().target_tip, {{.path = "a"}}});
  }
  const AttemptId persons = world.state().tasks.at(t(1)).attempts.back().id;
  const auto last = persons.number - 1;
  const std::string work = "commit of " + to_string(at(1, last));
  EXPECT_EQ(world.the<WorktreeRequested>(about(persons)).merge_in, work);

  world.answer<WorktreeRequested>(persons, WorktreeReady{});
  world.resumes();
  world.feed({about(t(1)), RetryWanted{}});
  world.breaks<CaptureRequested>(persons, FailureClass::task, "the worktree is gone");
  EXPECT_EQ(world.the<WorktreeRequested>(about(at(1, persons.number + 1))).merge_in, work);

  world.answer<WorktreeRequested>(at(1, persons.number + 1), WorktreeReady{});
  world.resumes();
  world.feed({about(t(1)), RetryWanted{}});
  world.answer<CaptureRequested>(at(1, persons.number + 1), WorkCaptured{.commit = "nothing", .tree = "same"});
  EXPECT_EQ(world.the<WorktreeRequested>(about(at(1, persons.number + 2))).merge_in, work);
}

TEST(Landing, AFailedCandidateMakesRoomForTheNext) {
  World world(a_config().with_gate(a_command("tests")));
  world.start({a_task(1), a_task(2)});
  world.works(at(1), {"a"});
  world.works(at(2), {"b"});
  world.candidate_built(at(1));
  world.check_fails(at(1));
  EXPECT_NE(world.open<CandidateRequested>(at(2)), 0);
}

}  // namespace
}  // namespace bernstein
