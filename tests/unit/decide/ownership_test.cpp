// Ownership is judged on what an attempt changed.
#include <gtest/gtest.h>

#include "support/builders.hpp"

namespace bernstein {
namespace {

using namespace test;

using Words = std::vector<std::string>;

TEST(Ownership, ChangesOfItsOwnFilesGoStraightIntoTheQueue) {
  World world;
  world.start({a_task(1).owning("src/").owning("docs/*.md")});
  world.works(at(1), {"docs/a.md", "src/deep/a.cpp"});
  EXPECT_EQ(world.find<PathsGranted>(about(at(1))), nullptr);
  EXPECT_EQ(world.the<LandingQueued>(about(at(1))).why, "nothing is ahead of it");
}

TEST(Ownership, WhatNobodyOwnsIsGrantedAndIsItsOwnFromThenOn) {
  World world;
  world.start({a_task(1).owning("src/"), a_task(2).owning("docs/")});
  world.works(at(1), {"CHANGELOG.md", "src/a.cpp"});
  EXPECT_EQ(world.the<PathsGranted>(about(at(1))),
            (PathsGranted{{"CHANGELOG.md"}, "changed outside its files; nobody in flight owns CHANGELOG.md"}));

  world.works(at(2), {"CHANGELOG.md", "docs/a.md"});
  EXPECT_EQ(world.the<AttemptFailed>(about(at(2))).why,
            "it changed CHANGELOG.md, owned by t1 'Task 1', which is in flight");
}

TEST(Ownership, WhatOthersOwnSendsTheAttemptBackWithThePathsNamed) {
  World world;
  world.start({a_task(1).owning("src/a/").titled("Alpha"), a_task(2).owning("src/b/").titled("Beta"),
               a_task(3).owning("src/c/")});
  world.works(at(3), {"src/a/x", "src/b/y", "src/c/z", "src/free"});
  const AttemptFailed& failure = world.the<AttemptFailed>(about(at(3)));
  EXPECT_EQ(failure.why, "it changed src/a/x, src/b/y, owned by t1 'Alpha', t2 'Beta', which are in flight");
  EXPECT_EQ(failure.paths, (Words{"src/a/x", "src/b/y"}));
  EXPECT_EQ(failure.evidence, (std::vector<Evidence>{{failure.why, ""}}));
  EXPECT_EQ(world.find<PathsGranted>(about(at(3))), nullptr);
}

TEST(Ownership, TheNextAttemptWaitsUntilTheHolderHasEndedAndOwnsTheExtraFiles) {
  World world;
  world.start({a_task(1).owning("src/a/"), a_task(2).owning("src/b/")});
  world.works(at(2), {"src/a/x"});
  world.removed(at(2));
  EXPECT_EQ(world.status(2), TaskStatus::ready);
  EXPECT_EQ(world.working(), 1U);

  world.lands(at(1));
  EXPECT_EQ(world.the<TaskAssigned>(about(at(2, 2))).owned, (Words{"src/a/x", "src/b/"}));
  EXPECT_EQ(world.the<WorktreeRequested>(about(at(2, 2))).base, "merge of t1.1");
  world.works(at(2, 2), {"src/a/x"});
  EXPECT_EQ(world.status(2), TaskStatus::verifying);
}

// A docs task that owns **/*.md must not turn every other task's new source file into a fault.
TEST(Ownership, AGlobOwnsWhatItMatchesAndNoMore) {
  World world;
  world.watch_invariants();
  world.start({a_task(1).owning("**/*.md"), a_task(2)});
  world.works(at(2), {"src/new.cpp"});
  EXPECT_EQ(world.the<PathsGranted>(about(at(2))).paths, (Words{"src/new.cpp"}));
  EXPECT_EQ(world.broken(), Words{});

  world.works(at(1), {"README.md"});
  EXPECT_EQ(world.status(1), TaskStatus::reported);  // behind t2
}

TEST(Ownership, ARenameIntoAnothersDirectoryIsSeen) {
  World world;
  world.start({a_task(1).owning("src/limit/deep/"), a_task(2).owning("tools/")});
  world.works(at(2), {"src/limit"});  // a file in the place of the directory
  EXPECT_EQ(world.the<AttemptFailed>(about(at(2))).paths, (Words{"src/limit"}));
}

TEST(Ownership, ToAFileThatKeepsBothSidesLinesEverybodyAdds) {
  World world(a_config().with_landing({.union_files = {"**/CHANGELOG.md"}}));
  world.watch_invariants();
  world.start({a_task(1).owning("docs/**/*.md").owning("CHANGELOG.md"), a_task(2).owning("src/")});
  world.works(at(2), {"CHANGELOG.md", "src/a.cpp"});
  EXPECT_EQ(world.find<AttemptFailed>(about(at(2))), nullptr);
  EXPECT_EQ(world.find<PathsGranted>(about(at(2))), nullptr) << "it stays everybody's";
  EXPECT_EQ(world.broken(), Words{});
}

}  // namespace
}  // namespace bernstein
