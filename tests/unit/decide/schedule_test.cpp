// Who starts next, and why: order, files, slots.
#include <gtest/gtest.h>

#include "bernstein/decide/decide.hpp"
#include "bernstein/state/apply.hpp"
#include "support/builders.hpp"

namespace bernstein {
namespace {

using namespace test;

using Words = std::vector<std::string>;

TEST(Schedule, StartsByPriorityThenLongestChainThenId) {
  World world(a_config().with_agents(1));
  world.start({a_task(1), a_task(2), a_task(3).with_priority(1), a_task(4), a_task(5).after(2).with_minutes(60)});
  world.lands(at(3));
  world.lands(at(2));
  world.lands(at(5));
  world.lands(at(1));
  world.lands(at(4));

  EXPECT_EQ(world.subjects_of<TaskAssigned>(), (Words{"t3.1", "t2.1", "t5.1", "t1.1", "t4.1"}));
  EXPECT_EQ(world.the<TaskAssigned>(about(at(3))).why,
            "slot 1 of 1 is free; of 4 ready tasks the first that fits, by priority 1, then 30 min of work behind it; "
            "owns no files");
  EXPECT_EQ(world.the<TaskAssigned>(about(at(2))).why,
            "slot 1 of 1 is free; of 3 ready tasks the first that fits, by priority 2, then 90 min of work behind it; "
            "owns no files");
}

TEST(Schedule, CreatesTasksWithTheLengthOfTheChainBehindThem) {
  World world;
  world.start({a_task(1).with_minutes(10), a_task(2).with_minutes(20).after(1),
               a_task(3).with_minutes(5).in_stage(1).after_stage(0)});
  EXPECT_EQ(world.the<TaskCreated>(about(t(1))).chain_minutes, 35U);  // t1, t2 and then the stage that waits for both
  EXPECT_EQ(world.the<TaskCreated>(about(t(2))).chain_minutes, 25U);
  EXPECT_EQ(world.the<TaskCreated>(about(t(3))).chain_minutes, 5U);
}

TEST(Schedule, APlanAtOnceLeadsToWorktrees) {
  World world;
  const std::vector<Event> followed = world.start({a_task(1).owning("src/")});
  EXPECT_EQ(in_short(followed), (Words{"TaskCreated t1", "TaskReadied t1", "RouteChosen t1.1", "TaskAssigned t1.1",
                                       "WorktreeRequested t1.1"}));
  EXPECT_EQ(world.the<TaskReadied>(about(t(1))).why, "waits for nothing");
  EXPECT_EQ(world.the<WorktreeRequested>(about(at(1))).base, "commit-0");
  EXPECT_EQ(world.the<TaskAssigned>(about(at(1))).why,
            "slot 1 of 4 is free; of 1 ready task the first that fits, by priority 2, then 30 min of work behind it; "
            "nobody in flight owns src/");
  EXPECT_EQ(in_short(world.worktree_ready(at(1))), (Words{"SpawnRequested t1.1"}));
  EXPECT_EQ(world.the<SpawnRequested>(about(at(1))), (SpawnRequested{"mock", "cheap-1", 30 * k_minute}));
}

TEST(Schedule, NamesTheFirstTenOfManyFiles) {
  World world;
  TaskBuilder task = a_task(1);
  for (char c = 'a'; c <= 'l'; ++c) task.owning(std::string(1, c) + "/");
  world.start({task});
  EXPECT_EQ(world.the<TaskAssigned>(about(at(1))).why,
            "slot 1 of 4 is free; of 1 ready task the first that fits, by priority 2, then 30 min of work behind it; "
            "nobody in flight owns a/, b/, c/, d/, e/, f/, g/, h/, i/, j/ and 2 more");
}

TEST(Schedule, OverlappingFilesWaitAndComeBack) {
  World world;
  world.start(
      {a_task(1).owning("src/"), a_task(2).owning("src/a.cpp").with_priority(3), a_task(3).owning("docs/*.md")});
  EXPECT_EQ(world.subjects_of<TaskAssigned>(), (Words{"t1.1", "t3.1"}));

  world.works(at(1), {"src/a.cpp"});
  EXPECT_EQ(world.status(2), TaskStatus::ready);  // the files are t1's until it has landed
  world.lands(at(1));
  EXPECT_EQ(world.subjects_of<TaskAssigned>(), (Words{"t1.1", "t3.1", "t2.1"}));
  EXPECT_EQ(world.the<WorktreeRequested>(about(at(2))).base, "merge of t1.1");
}

TEST(Schedule, ASlotIsFreeAgainWhenTheAgentHasEnded) {
  World world(a_config().with_agents(2));
  world.start({a_task(1), a_task(2), a_task(3)});
  world.worktree_ready(at(1));
  EXPECT_EQ(in_short(world.agent_exits(at(1))),
            (Words{"CaptureRequested t1.1", "RouteChosen t3.1", "TaskAssigned t3.1", "WorktreeRequested t3.1"}));
}

TEST(Schedule, WithOneAgentATaskLandsAndIsClearedAwayBeforeTheNextStarts) {
  World world(a_config().with_agents(1));
  world.start({a_task(1), a_task(2)});
  world.works(at(1), {"a"});
  world.candidate_built(at(1));
  world.merged(at(1));
  EXPECT_EQ(world.subjects_of<TaskAssigned>(), (Words{"t1.1"})) << "its checkout and its worktree are still to do";
  world.synced(at(1));
  world.removed(at(1));
  EXPECT_EQ(world.subjects_of<TaskAssigned>(), (Words{"t1.1", "t2.1"}));
}

TEST(Schedule, ARoleHasNoMoreThanItsSlots) {
  World world(a_config().with_role_slots("docs", 1));
  world.start({a_task(1).with_role("docs").with_priority(1), a_task(2).with_role("docs").with_priority(1),
               a_task(3).with_priority(4)});
  EXPECT_EQ(world.subjects_of<TaskAssigned>(), (Words{"t1.1", "t3.1"}));
  EXPECT_EQ(world.the<TaskAssigned>(about(at(3))).why,
            "slot 2 of 4 is free; of 2 ready tasks the first that fits, by priority 4, then 30 min of work behind it; "
            "owns no files; "
            "passed over t2 (role 'docs' has its 1 slot taken)");
  world.worktree_ready(at(1));
  world.agent_exits(at(1));
  EXPECT_EQ(world.subjects_of<TaskAssigned>(), (Words{"t1.1", "t3.1", "t2.1"}));
}

TEST(Schedule, AnAgentWorksNoMoreOftenAtOnceThanItsLimit) {
  World world(a_config().with_arms({"one/cheap", "two/strong"}).with_max_parallel("one", 2));
  world.start({a_task(1).pinned_to("one"), a_task(2).pinned_to("one"), a_task(3).pinned_to("one"),
               a_task(4).with_complexity(Complexity::high)});
  EXPECT_EQ(world.subjects_of<TaskAssigned>(), (Words{"t1.1", "t2.1", "t4.1"}));
  EXPECT_EQ(world.the<TaskAssigned>(about(at(4))).why,
            "slot 3 of 4 is free; of 2 ready tasks the first that fits, by priority 2, then 30 min of work behind it; "
            "owns no files; "
            "passed over t3 (agent 'one' works 2 times at once already)");
}

TEST(Schedule, WhereAnAgentHasAllItMayHaveAnotherOneTakesOver) {
  World world(a_config().with_arms({"one/cheap", "two/strong"}).with_max_parallel("one", 1));
  world.start({a_task(1).with_complexity(Complexity::low), a_task(2).with_complexity(Complexity::low)});
  EXPECT_EQ(world.the<TaskAssigned>(about(at(1))).agent, "one");
  EXPECT_EQ(world.the<TaskAssigned>(about(at(2))).agent, "two");
}

TEST(Schedule, NamesTheFirstThreeThatWerePassedOver) {
  ConfigBuilder config = a_config();
  std::vector<TaskSpec> tasks;
  for (std::uint32_t i = 1; i <= 5; ++i) {
    config.with_role_slots("role" + std::to_string(i), 0);
    tasks.push_back(a_task(i).with_role("role" + std::to_string(i)));
  }
  tasks.push_back(a_task(6));
  World world(config);
  world.start(tasks);
  EXPECT_EQ(world.the<TaskAssigned>(about(at(6))).why,
            "slot 1 of 4 is free; of 6 ready tasks the first that fits, by priority 2, then 30 min of work behind it; "
            "owns no files; "
            "passed over t1 (role 'role1' has its 0 slots taken), t2 (role 'role2' has its 0 slots taken), "
            "t3 (role 'role3' has its 0 slots taken) and 2 more");
}

TEST(Schedule, AnEmptyPlanIsDoneAtOnce) {
  World world;
  world.start({});
  EXPECT_EQ(world.the<RunFinished>(about_run()), (RunFinished{0, 0, RunOutcome::landed, "all 0 tasks landed"}));
}

// A log may be folded up to any event (--at SEQ): what comes next must follow from there too.
TEST(Schedule, GoesOnAfterEveryPrefixOfTheLogWithoutAbort) {
  World world(a_config().with_gate(a_command("tests")));
  world.start({a_task(1), a_task(2).after(1)});
  world.fails(at(1));
  world.lands(at(1, 2));
  for (std::size_t length = 0; length <= world.log().size(); ++length) {
    RunState state;
    for (std::size_t i = 0; i < length; ++i) ASSERT_TRUE(apply(state, world.log()[i]));
    const std::vector<Draft> drafts = decide(state);
    EXPECT_EQ(decide(state), drafts);
  }
}

}  // namespace
}  // namespace bernstein
