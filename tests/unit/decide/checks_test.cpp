// The janitor's part: which checks run on a candidate, in which order, and when a verdict is used again.
#include <gtest/gtest.h>

#include "support/builders.hpp"

namespace bernstein {
namespace {

using namespace test;

using Words = std::vector<std::string>;

// Names of the checks that ran on t1.1 and passed, one after the other.
Words checks_that_run(World& world, AttemptId id) {
  Words names;
  while (world.open<CheckRequested>(id) != 0) {
    names.push_back(world.the<CheckRequested>(about(id)).check.name +
                    (world.the<CheckRequested>(about(id)).fresh ? " fresh" : ""));
    world.check_passes(id);
  }
  return names;
}

void build_with_tree(World& world, AttemptId id, const std::string& tree) {
  CandidateBuilt built = world.candidate_of(id, world.state().target_tip);
  built.tree = tree;
  world.answer<CandidateRequested>(id, built);
}

// The target's own checks, which are asked for before a gate's red counts against anybody.
void target_passes(World& world) {
  world.run([&](const RunState&, const OpenIntent& intent) -> std::optional<EventBody> {
    if (intent.subject != about_run()) return std::nullopt;
    return world.success(intent);
  });
}

TEST(Checks, FilesComeFirstThenGatesThenTheTasksCommandsInOneCheckout) {
  World world(a_config().with_gate(a_command("build")).with_gate(a_command("tests")));
  world.start({a_task(1).checked_by(a_command("own")).checked_by(a_path_check("src/a"))});
  world.works(at(1), {"src/a"});
  world.candidate_built(at(1));
  EXPECT_EQ(checks_that_run(world, at(1)), (Words{"path_exists src/a fresh", "build fresh", "tests", "own"}));
  EXPECT_EQ(
      world.the<VerdictReached>(about(at(1))),
      (VerdictReached{"tree of commit of t1.1 on commit-0", Verdict::passed, "all 4 checks passed on this tree"}));
  EXPECT_EQ(world.the<MergeRequested>(about(at(1))),
            (MergeRequested{"commit-0", "merge of t1.1", "refs/heads/main", "tree of commit of t1.1 on commit-0"}));
}

TEST(Checks, TheFirstRedOneIsTheLast) {
  World world(a_config().with_gate(a_command("build")).with_gate(a_command("tests")));
  world.start({a_task(1)});
  world.works(at(1), {"a"});
  world.candidate_built(at(1));
  EXPECT_EQ(in_short(world.check_fails(at(1), "exit 2")),
            (Words{"VerdictReached t1.1", "ChecksBegun run", "CheckRequested run"}));
  EXPECT_EQ(world.the<ChecksBegun>(about_run()).why,
            "t1.1 fails 'build', and nobody knows whether main at commit-0 passes it");
  const std::size_t before = world.log().size();
  target_passes(world);
  std::vector<Event> followed(world.log().begin() + static_cast<std::ptrdiff_t>(before), world.log().end());
  std::erase_if(followed, [](const Event& event) { return event.subject == about_run(); });
  EXPECT_EQ(in_short(followed),
            (Words{"AttemptFailed t1.1", "RewardRecorded t1.1", "TaskRetried t1", "WorktreeRemoveRequested t1.1",
                   "RouteChosen t1.2", "TaskAssigned t1.2", "WorktreeRequested t1.2"}));
  EXPECT_EQ(world.the<VerdictReached>(about(at(1))),
            (VerdictReached{"tree of commit of t1.1 on commit-0", Verdict::failed, "check 'build' failed: exit 2"}));
  EXPECT_EQ(world.the<AttemptFailed>(about(at(1))),
            (AttemptFailed{FailureClass::task,
                           {{"check 'build' failed: exit 2", "output of build"}},
                           {},
                           "check 'build' failed: exit 2"}));
  EXPECT_EQ(world.the<TaskRetried>(about(t(1))).why, "attempt 1 of 3 failed: check 'build' failed: exit 2");
}

TEST(Checks, WithoutAnyTheWorkLandsUnverified) {
  World world;
  world.start({a_task(1)});
  world.works(at(1), {"a", "b"});
  world.candidate_built(at(1));
  EXPECT_EQ(world.the<VerdictReached>(about(at(1))),
            (VerdictReached{"tree of commit of t1.1 on commit-0", Verdict::unverified,
                            "there is no check for this task; it changes 2 paths"}));
  EXPECT_NE(world.open<MergeRequested>(at(1)), 0);
}

TEST(Checks, TheSameTreeIsNotCheckedTwice) {
  World world(a_config().with_gate(a_command("build")).with_gate(a_command("tests")));
  world.start({a_task(1).checked_by(a_path_check("x"))});
  world.works(at(1), {"a"});
  build_with_tree(world, at(1), "tree");
  checks_that_run(world, at(1));
  world.answer<MergeRequested>(at(1), MergeRefused{"moved"});
  CandidateBuilt again = world.candidate_of(at(1), "moved");
  again.tree = "tree";  // the other commit changed the same
  world.answer<CandidateRequested>(at(1), again);

  EXPECT_EQ(world.subjects_of<CheckReused>(), (Words{"t1.1", "t1.1", "t1.1"}));
  const CheckReused& last = world.the<CheckReused>(about(at(1)));
  EXPECT_EQ(last.name, "tests");
  EXPECT_EQ(last.tree, "tree");
  EXPECT_EQ(std::get<CheckFinished>(world.log()[static_cast<std::size_t>(last.from) - 1].body).name, "tests");
  EXPECT_EQ(world.the<MergeRequested>(about(at(1))).base, "moved");
}

TEST(Checks, ARedVerdictIsUsedAgainWithItsReason) {
  World world(a_config().with_gate(a_command("build")).with_gate(a_command("tests")));
  world.start({a_task(1)});
  world.works(at(1), {"a"});
  build_with_tree(world, at(1), "tree");
  world.check_passes(at(1));
  world.check_fails(at(1), "exit 7");
  target_passes(world);
  world.works(at(1, 2), {"a"});
  build_with_tree(world, at(1, 2), "tree");
  EXPECT_EQ(world.subjects_of<CheckRequested>(), (Words{"t1.1", "t1.1", "run", "run"}));
  EXPECT_EQ(world.the<AttemptFailed>(about(at(1, 2))),
            (AttemptFailed{FailureClass::task,
                           {{"check 'tests' failed: exit 7", "output of tests"}},
                           {},
                           "check 'tests' failed: exit 7"}));
}

TEST(Checks, CommandsAreReusedAllOrNone) {
  // t2 has a command of its own that may need what the gate built, and its last one may need what that one left: all
  // run, though two verdicts are known.
  World world(a_config().with_gate(a_command("build")));
  world.start({a_task(1).checked_by(a_path_check("x")).checked_by(a_command("last")),
               a_task(2).checked_by(a_path_check("x")).checked_by(a_command("own")).checked_by(a_command("last"))});
  world.works(at(1), {"a"});
  build_with_tree(world, at(1), "tree");
  checks_that_run(world, at(1));
  world.merged(at(1));
  world.synced(at(1));
  world.works(at(2), {"b"});
  build_with_tree(world, at(2), "tree");
  EXPECT_EQ(world.the<CheckReused>(about(at(2))).name, "path_exists x");
  EXPECT_EQ(checks_that_run(world, at(2)), (Words{"build fresh", "own", "last"}));
}

TEST(Checks, OneThatCouldNotRunIsNotTheTasksFault) {
  World world(a_config().with_gate(a_command("tests")));
  world.start({a_task(1)});
  world.works(at(1), {"a"});
  build_with_tree(world, at(1), "tree");
  world.check_ends(at(1), CheckVerdict::error, "sh is missing");
  EXPECT_EQ(world.the<AttemptFailed>(about(at(1))).class_, FailureClass::environment);
  EXPECT_EQ(world.the<AttemptFailed>(about(at(1))).why, "check 'tests' could not run: sh is missing");
  EXPECT_EQ(world.state().halted, "check 'tests' could not run: sh is missing");
  EXPECT_TRUE(world.state().verdicts.empty());
}

}  // namespace
}  // namespace bernstein
