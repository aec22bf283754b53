// Who is left alone for how long, and who goes first after that.
#include "bernstein/decide/parks.hpp"

#include <gtest/gtest.h>

#include "bernstein/state/credentials.hpp"
#include "support/builders.hpp"

namespace bernstein {
namespace {

using namespace test;

using Words = std::vector<std::string>;

AgentExited an_exit_of_quota(std::optional<Micros> retry_after_us = std::nullopt) {
  AgentExited exit = an_exit(1);
  exit.outcome = AgentOutcome::quota;
  exit.message = "429 too many requests";
  exit.retry_after_us = retry_after_us;
  return exit;
}

// The end of the attempt, with nothing done; its worktree goes.
void ends(World& world, AttemptId id, const AgentExited& exit) {
  world.answer<SpawnRequested>(id, exit);
  world.captured(id, {});
  world.removed(id);
}

void runs_into_its_quota(World& world, AttemptId id, std::optional<Micros> retry_after_us = std::nullopt) {
  world.worktree_ready(id);
  ends(world, id, an_exit_of_quota(retry_after_us));
}

void crashes(World& world, AttemptId id) {
  AgentExited exit = an_exit(139);
  exit.outcome = AgentOutcome::crash;
  exit.message = "Segmentation fault";
  ends(world, id, exit);
}

Micros wait_of(const World& world, const std::string& credential) {
  return std::get<ParkRequested>(world.state().open_intents.at(world.state().parked.at(credential)).body).wait_us;
}

void park_ends(World& world, const std::string& credential = "mock") {
  world.feed({about_run(), ParkEnded{credential}}, world.state().parked.at(credential));
}

void trial_ends(World& world, AttemptId id, const std::string& credential = "mock") {
  world.answer<TrialRequested>(id, TrialEnded{credential});
}

std::vector<TaskSpec> tasks(std::uint32_t count) {
  std::vector<TaskSpec> plan;
  for (std::uint32_t i = 1; i <= count; ++i) plan.push_back(a_task(i).with_complexity(Complexity::low));
  return plan;
}

// Two entries for one account.
RunConfig two_of_one_account() {
  RunConfig config = a_config().with_arms({"one/cheap", "two/best", "other/best"});
  config.agents.at(0).credential = "account";
  config.agents.at(1).credential = "account";
  return config;
}

TEST(Park, AnAgentThatMayNotWorkIsLeftAloneAndItsTaskUsesUpNoAttempt) {
  World world(a_config().with_attempts(1));
  world.watch_invariants();
  world.start({a_task(1)});
  runs_into_its_quota(world, at(1));
  EXPECT_EQ(world.the<AttemptFailed>(about(at(1))).class_, FailureClass::quota);
  EXPECT_EQ(
      world.the<TaskRetried>(about(t(1))).why,
      "its agent may not work now, which uses up no attempt: agent 'mock' may not work now: 429 too many requests");
  EXPECT_EQ(world.status(1), TaskStatus::ready) << "nobody else can do it";
  EXPECT_FALSE(world.finished());

  park_ends(world);
  world.lands(at(1, 2));
  EXPECT_EQ(world.the<RunFinished>(about_run()).outcome, RunOutcome::landed);
  EXPECT_EQ(world.state().tasks.at(t(1)).failures, 0U);
  EXPECT_EQ(world.broken(), Words{});
}

TEST(Park, LastsTwiceAsLongEachTimeUnlessTheServiceSaysMore) {
  World world;
  world.start({a_task(1)});
  std::vector<Micros> waits;
  for (std::uint32_t attempt = 1; attempt <= 7; ++attempt) {
    runs_into_its_quota(world, at(1, attempt));
    waits.push_back(wait_of(world, "mock"));
    park_ends(world);
  }
  EXPECT_EQ(waits, (std::vector<Micros>{30 * k_second, k_minute, 2 * k_minute, 4 * k_minute, 8 * k_minute,
                                        15 * k_minute, 15 * k_minute}));
  runs_into_its_quota(world, at(1, 8), 3 * k_hour);
  EXPECT_EQ(wait_of(world, "mock"), 3 * k_hour + k_too_early_us);
}

TEST(Park, KeepsTheTimeThatWasToldButNotWhenItWasWrong) {
  World world;
  world.start({a_task(1)});
  std::vector<Micros> waits;
  for (std::uint32_t attempt = 1; attempt <= 3; ++attempt) {
    runs_into_its_quota(world, at(1, attempt), 2 * k_second);
    waits.push_back(wait_of(world, "mock"));
    park_ends(world);
  }
  EXPECT_EQ(waits, (std::vector<Micros>{3 * k_second, k_minute, 2 * k_minute})) << "no busy loop";
  world.worktree_ready(at(1, 4));
  world.agent_exits(at(1, 4), 0);
  world.captured(at(1, 4), {});
  world.removed(at(1, 4));
  runs_into_its_quota(world, at(1, 5), 2 * k_second);
  EXPECT_EQ(wait_of(world, "mock"), 3 * k_second) << "a session ended well in between";
}

TEST(Park, BeginsWithTheEndOfTheSessionSoThatNobodyElseStartsMeanwhile) {
  World world(a_config().with_agents(2));
  world.start(tasks(3));
  world.worktree_ready(at(1));
  EXPECT_EQ(in_short(world.answer<SpawnRequested>(at(1), an_exit_of_quota())),
            (Words{"ParkRequested run", "CaptureRequested t1.1"}));
  EXPECT_EQ(world.subjects_of<TaskAssigned>(), (Words{"t1.1", "t2.1"}));
}

TEST(Park, IsOneForAllSessionsThatAreRefusedAtOnce) {
  World world;
  world.watch_invariants();
  world.start(tasks(4));
  for (std::uint32_t task = 1; task <= 4; ++task) runs_into_its_quota(world, at(task));
  EXPECT_EQ(world.subjects_of<ParkRequested>(), (Words{"run"}));
  EXPECT_EQ(wait_of(world, "mock"), 30 * k_second);
  EXPECT_EQ(world.broken(), Words{});
}

TEST(Park, IsOfTheCredentialAndNotOfTheAgentAlone) {
  World world(two_of_one_account());
  world.start({a_task(1).pinned_to("one"), a_task(2).pinned_to("two"), a_task(3).with_complexity(Complexity::low)});
  runs_into_its_quota(world, at(1));
  EXPECT_FALSE(may_take_one(world.state(), "one"));
  EXPECT_FALSE(may_take_one(world.state(), "two"));
  EXPECT_TRUE(may_take_one(world.state(), "other"));
  EXPECT_EQ(why_not_now(world.state(), "two"),
            "account is left alone: agent 'one' may not work now: 429 too many requests");
  const std::vector<CredentialWait> waits = waits_of(world.state());
  ASSERT_EQ(waits.size(), 1U);
  EXPECT_EQ(waits[0].credential, "account");
  EXPECT_EQ(waits[0].agents, (Words{"one", "two"}));
}

TEST(Park, AnotherAgentThatMayDoTheTaskTakesOver) {
  World world(a_config().with_arms({"mock/cheap", "other/best"}));
  world.start({a_task(1).with_complexity(Complexity::low)});
  runs_into_its_quota(world, at(1));
  EXPECT_EQ(world.the<TaskAssigned>(about(at(1, 2))).agent, "other");
}

TEST(Park, TheTaskFailsWhenItWasTriedTooOften) {
  RunConfig config = a_config();
  config.limits.quota_attempts = 2;
  World world(config);
  world.start({a_task(1)});
  runs_into_its_quota(world, at(1));
  park_ends(world);
  runs_into_its_quota(world, at(1, 2));
  EXPECT_EQ(world.the<TaskFailed>(about(t(1))).why,
            "2 attempts ended because an agent may not work: agent 'mock' may not work now: 429 too many requests");
  EXPECT_TRUE(world.finished()) << "nobody waits for the rest of the time";
}

TEST(Park, IsNotChargedToTheTaskWhenTheServiceSaysUntilWhen) {
  World world(a_config().with_quota_attempts(2));
  world.start({a_task(1)});
  for (std::uint32_t attempt = 1; attempt <= 20; ++attempt) {
    runs_into_its_quota(world, at(1, attempt), 2 * k_second);
    park_ends(world);
  }
  EXPECT_EQ(world.state().tasks.at(t(1)).parks, 0U);
  world.lands(at(1, 21));
  EXPECT_EQ(world.the<RunFinished>(about_run()).outcome, RunOutcome::landed);
}

TEST(Park, AStopDoesNotWaitForItAndAResumeDoes) {
  World world;
  world.watch_invariants();
  world.start({a_task(1)});
  runs_into_its_quota(world, at(1));
  world.stops(StopMode::drain);
  EXPECT_EQ(world.the<RunFinished>(about_run()).outcome, RunOutcome::stopped);
  world.resumes();
  EXPECT_FALSE(world.finished());
  EXPECT_EQ(world.status(1), TaskStatus::ready);
  park_ends(world);
  world.lands(at(1, 2));
  EXPECT_TRUE(world.finished());
  EXPECT_EQ(world.broken(), Words{});
}

// ---- The trial ------------------------------------------------------------------------------------------------------

TEST(Trial, OneSessionGoesFirstAndTheOthersFollowWhenItHasEndedWell) {
  World world;
  world.watch_invariants();
  world.start(tasks(4));
  for (std::uint32_t task = 1; task <= 4; ++task) runs_into_its_quota(world, at(task));
  park_ends(world);
  EXPECT_EQ(world.state().in_flight, (std::set<AttemptId>{at(1, 2)}));
  EXPECT_EQ(why_not_now(world.state(), "mock"), "mock is tried with t1.2 first");
  world.worktree_ready(at(1, 2));
  EXPECT_EQ(world.the<TrialRequested>(about(at(1, 2))), (TrialRequested{"mock", k_minute}));
  world.agent_exits(at(1, 2));
  EXPECT_EQ(world.state().with_slot, (std::set<AttemptId>{at(2, 2), at(3, 2), at(4, 2)}));
  world.run([&](const RunState&, const OpenIntent& intent) { return world.success(intent); });
  EXPECT_EQ(world.the<RunFinished>(about_run()).outcome, RunOutcome::landed);
  EXPECT_EQ(world.broken(), Words{});
}

TEST(Trial, IsOverWhenTheSessionHasWorkedForSoLong) {
  World world;
  world.start(tasks(2));
  runs_into_its_quota(world, at(1));
  runs_into_its_quota(world, at(2));
  park_ends(world);
  world.worktree_ready(at(1, 2));
  EXPECT_EQ(world.working(), 1U);
  trial_ends(world, at(1, 2));
  EXPECT_EQ(world.working(), 2U);
  EXPECT_TRUE(may_take_one(world.state(), "mock"));
}

TEST(Trial, ThatIsRefusedIsOneKnockAndTheNextParkIsLonger) {
  World world;
  world.watch_invariants();
  world.start(tasks(4));
  for (std::uint32_t task = 1; task <= 4; ++task) runs_into_its_quota(world, at(task));
  const std::size_t assigned = world.subjects_of<TaskAssigned>().size();
  park_ends(world);
  runs_into_its_quota(world, at(1, 2));
  EXPECT_EQ(world.subjects_of<TaskAssigned>().size(), assigned + 1);
  EXPECT_EQ(wait_of(world, "mock"), k_minute);
  trial_ends(world, at(1, 2));
  EXPECT_TRUE(world.state().parked.contains("mock")) << "what was timed has ended long before";
  EXPECT_EQ(world.broken(), Words{});
}

TEST(Trial, ThatIsLostTellsNothingAndAnotherOneGoes) {
  World world;
  world.watch_invariants();
  world.start(tasks(2));
  runs_into_its_quota(world, at(1));
  runs_into_its_quota(world, at(2));
  park_ends(world);
  world.breaks<WorktreeRequested>(at(1, 2), FailureClass::orchestrator, "its worktree was lost");
  EXPECT_EQ(world.state().trials.at("mock"), at(1, 3));
  world.worktree_ready(at(1, 3));
  AgentExited lost = an_exit(137);
  lost.stopped = true;
  lost.why = "its supervisor was killed";
  world.answer<SpawnRequested>(at(1, 3), lost);
  EXPECT_EQ(world.state().trials.at("mock"), at(2, 2)) << "while the other one is captured";
  EXPECT_EQ(world.broken(), Words{});
}

TEST(Trial, LeavesItsTasksToOtherAgentsMeanwhile) {
  World world(a_config().with_arms({"mock/cheap", "other/best"}));
  world.start(tasks(2));
  runs_into_its_quota(world, at(1));
  runs_into_its_quota(world, at(2));
  EXPECT_EQ(world.the<TaskAssigned>(about(at(1, 2))).agent, "other");
  EXPECT_EQ(world.the<TaskAssigned>(about(at(2, 2))).agent, "other");
}

TEST(Trial, ItsTimerKeepsNoRunFromItsEnd) {
  World world(a_config().with_agents(1));
  world.watch_invariants();
  world.start({a_task(1)});
  runs_into_its_quota(world, at(1));
  park_ends(world);
  world.run([&](const RunState&, const OpenIntent& intent) -> std::optional<EventBody> {
    if (std::holds_alternative<TrialRequested>(intent.body)) return std::nullopt;
    return world.success(intent);
  });
  EXPECT_EQ(world.the<RunFinished>(about_run()).outcome, RunOutcome::landed);
  EXPECT_EQ(world.broken(), Words{});
}

// ---- The breaker ----------------------------------------------------------------------------------------------------

TEST(Breaker, LeavesAnAgentAloneThatCrashedOnThreeTasksInARow) {
  World world(a_config().with_arms({"mock/cheap", "other/best"}).with_attempts(9));
  world.watch_invariants();
  world.start(tasks(3));
  for (std::uint32_t task = 1; task <= 3; ++task) world.worktree_ready(at(task));
  crashes(world, at(1));
  crashes(world, at(2));
  EXPECT_EQ(world.state().parked.size(), 0U);
  crashes(world, at(3));
  EXPECT_EQ(world.last<ParkRequested>(),
            (ParkRequested{"mock", 30 * k_second,
                           "agent 'mock' crashed on 3 tasks in a row: the agent exited with 139: Segmentation fault"}));
  EXPECT_EQ(world.the<TaskAssigned>(about(at(3, 2))).agent, "other") << "who may do it takes over";
  EXPECT_EQ(world.state().tasks.at(t(3)).failures, 1U) << "a crash uses up an attempt all the same";
  EXPECT_EQ(world.broken(), Words{});
}

TEST(Breaker, TriesItWithOneSessionAndLeavesItAloneForLongerWhenThatCrashesToo) {
  World world(a_config().with_attempts(9));
  world.start(tasks(3));
  for (std::uint32_t task = 1; task <= 3; ++task) world.worktree_ready(at(task));
  for (std::uint32_t task = 1; task <= 3; ++task) crashes(world, at(task));
  ASSERT_TRUE(world.state().parked.contains("mock"));
  // Those that had started again before the third crash end too.
  for (std::uint32_t task = 1; task <= 2; ++task) {
    world.worktree_ready(at(task, 2));
    crashes(world, at(task, 2));
  }
  park_ends(world);
  EXPECT_EQ(world.state().in_flight, (std::set<AttemptId>{at(1, 3)}));
  world.worktree_ready(at(1, 3));
  crashes(world, at(1, 3));
  EXPECT_EQ(wait_of(world, "mock"), k_minute);
  park_ends(world);
  world.worktree_ready(at(1, 4));
  world.agent_exits(at(1, 4));
  EXPECT_EQ(world.state().crashed.count("mock"), 0U) << "it works again";
  EXPECT_EQ(world.working(), 2U);
}

TEST(Breaker, ARunWhoseOnlyAgentIsBrokenEnds) {
  World world(a_config().with_attempts(2));
  world.watch_invariants();
  world.start(tasks(5));
  world.run([&](const RunState&, const OpenIntent& intent) -> std::optional<EventBody> {
    EventBody result = world.success(intent);
    if (auto* exit = std::get_if<AgentExited>(&result)) exit->outcome = AgentOutcome::crash;
    return result;
  });
  EXPECT_EQ(world.the<RunFinished>(about_run()).outcome, RunOutcome::incomplete);
  EXPECT_EQ(world.subjects_of<SpawnRequested>().size(), 10U) << "the attempts of five tasks, and no more";
  EXPECT_EQ(world.broken(), Words{});
}

TEST(Breaker, CountsNeitherOneTaskAgainAndAgainNorOtherFailures) {
  World one(a_config().with_attempts(5));
  one.start({a_task(1)});
  for (std::uint32_t attempt = 1; attempt <= 4; ++attempt) {
    one.worktree_ready(at(1, attempt));
    crashes(one, at(1, attempt));
  }
  EXPECT_EQ(one.state().parked.size(), 0U) << "that is the task's fault as well as the agent's";

  World others;
  others.start(tasks(4));
  for (std::uint32_t task = 1; task <= 4; ++task) {
    others.worktree_ready(at(task));
    AgentExited exit = an_exit(task == 2 ? 143 : 0);
    exit.timed_out = task == 2;
    exit.stalled = task == 3;
    if (task == 4) exit.outcome = AgentOutcome::refusal;
    others.answer<SpawnRequested>(at(task), exit);
  }
  EXPECT_EQ(others.state().crashed.size(), 0U);
}

TEST(Breaker, CanBeSwitchedOff) {
  RunConfig config = a_config().with_attempts(1);
  config.limits.breaker = 0;
  World world(config);
  world.start(tasks(8));
  for (std::uint32_t task = 1; task <= 8; ++task) {
    world.worktree_ready(at(task));
    crashes(world, at(task));
  }
  EXPECT_EQ(world.subjects_of<ParkRequested>(), Words{});
  EXPECT_TRUE(world.finished());
}

}  // namespace
}  // namespace bernstein
