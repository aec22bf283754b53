#include "cli/progress.hpp"

#include <gtest/gtest.h>

#include <sstream>

#include "cli/persons_turn.hpp"
#include "cli/recap.hpp"
#include "cli/words.hpp"
#include "support/builders.hpp"
#include "support/fake_reactor.hpp"

namespace bernstein::cli {
namespace {

using namespace bernstein::test;

FakeReactor a_reactor() {
  return FakeReactor([](const port::ProcessSpec&) -> Result<ScriptedProcess> { return ScriptedProcess{}; });
}

// Feeds what a world has seen so far to a display; everything that it has printed.
struct Show {
  FakeReactor reactor = a_reactor();
  std::ostringstream out;
  Progress progress;
  std::size_t told = 0;

  explicit Show(Display display) : progress(out, display, reactor) {}
  std::string tell(const World& world) {
    for (; told < world.log().size(); ++told) progress.on_event(world.state(), world.log()[told]);
    return out.str();
  }
};

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++found;
  return found;
}

TEST(Progress, PlainLinesTellWhatStartsFailsAndLands) {
  World world(a_config().with_agents(1));
  world.start({a_task(1).titled("Middleware")});
  world.fails(at(1));
  world.lands(at(1, 2));
  Show show({});
  const std::string text = show.tell(world);
  EXPECT_NE(text.find("r1: 1 task onto main, up to 1 at once\n"), std::string::npos) << text;
  EXPECT_NE(text.find("[t1] Middleware (mock/"), std::string::npos) << text;
  EXPECT_NE(text.find("[t1] attempt 1 failed: the agent exited with 1\n"), std::string::npos) << text;
  EXPECT_NE(text.find(", attempt 2)\n"), std::string::npos) << text;
  EXPECT_NE(text.find("[t1] landed "), std::string::npos) << text;
  EXPECT_EQ(text.find('\x1b'), std::string::npos) << "no terminal, no control sequences";
}

TEST(Progress, AConflictThatIsComingIsToldAsSoonAsItIsSeen) {
  World world;
  world.start({a_task(1), a_task(2)});
  world.worktree_ready(at(2));
  world.feed({about(at(2)), AgentStarted{.pid = 7}});
  world.works(at(1), {"src/a.cpp"});
  world.answer<ProbeRequested>(at(1), ProbeFinished{.conflicts = {{"t2.1", {"src/a.cpp"}}}});
  Show show({});
  const std::string text = show.tell(world);
  EXPECT_NE(text.find("\nt1.1 and t2.1 will conflict in src/a.cpp\n"), std::string::npos) << text;
  EXPECT_EQ(persons_turn(world.state()), (std::vector<std::string>{"t1.1 and t2.1 will conflict in src/a.cpp"}));
}

TEST(Progress, WhatWaitsForALookIsNamedWithTheCommandThatLandsIt) {
  RunConfig config = a_config();
  config.approve_merge = true;
  World world(config);
  world.start({a_task(1)});
  world.works(at(1), {"a"});
  world.candidate_built(at(1));
  Show show({});
  const std::string text = show.tell(world);
  EXPECT_NE(text.find("[t1] it passed its checks and waits for a person's look: `bernstein approve r1/t1`\n"),
            std::string::npos)
      << text;
  EXPECT_EQ(
      persons_turn(world.state()),
      (std::vector<std::string>{"t1 waits for your look: bernstein approve r1/t1   lands it, bernstein diff r1/t1 "
                                "shows it"}));
  const std::string said = recap(world.state(), {});
  EXPECT_NE(said.find("  next    bernstein approve r1/t1\n"), std::string::npos) << said;
}

TEST(Progress, AnAgentThatSomebodyEndedIsNotSaidToHaveExitedByItself) {
  World world;
  world.start({a_task(1)});
  world.worktree_ready(at(1));
  const AgentExited lost{.exit_code = 137, .stopped = true, .why = "its supervisor was killed"};
  world.answer<SpawnRequested>(at(1), lost);
  Show show({});
  const std::string text = show.tell(world);
  EXPECT_NE(text.find("\n[t1] its agent was ended: its supervisor was killed\n"), std::string::npos) << text;
  EXPECT_EQ(text.find("137"), std::string::npos) << text;

  EXPECT_EQ(summary_of(lost), "ended: its supervisor was killed; usage unknown");
  EXPECT_EQ(summary_of(CheckFinished{.name = "tests", .stopped = true, .why = "its supervisor was killed"}),
            "'tests' stopped: its supervisor was killed");
  EXPECT_EQ(summary_of(AgentExited{.duration_us = 2 * k_second, .stopped = true, .why = "it was told to stop"}),
            "ended after 2 s: it was told to stop; usage unknown");
}

// Events are told with the state at the end of their turn.
TEST(Progress, OnlyAttemptsThatWereInFlightBeforeAreSaidToGoOn) {
  World world(a_config().with_agents(2));
  world.start({a_task(1), a_task(2)});
  world.lands(at(1));
  world.feed({about_run(), RunPaused{"asked to pause"}});
  world.fails(at(2));
  Show show({});
  show.tell(world);
  world.resumes();
  ASSERT_TRUE(world.state().in_flight.contains(at(2, 2))) << "it starts in the turn of the resume";
  const std::string text = show.tell(world);
  EXPECT_NE(text.find("r1 goes on: 0 attempts in flight, 2 tasks in all\n"), std::string::npos) << text;
}

// An undo is in flight without having been assigned; what a person resolved neither.
TEST(Progress, WhatNoAgentWorksOnDoesNotMakeFewerOfThoseInFlight) {
  World world;
  world.start({a_task(1)});
  world.lands(at(1));
  world.feed({about(t(1)), UndoWanted{}});
  world.resumes();
  world.breaks<RevertRequested>(at(2), FailureClass::task, "what landed later builds on it");
  world.resumes();
  Show show({});
  const std::string text = show.tell(world);
  EXPECT_EQ(text.find("r1 goes on: -"), std::string::npos) << text;
  EXPECT_NE(text.find("r1 goes on: 0 attempts in flight, 2 tasks in all\n"), std::string::npos) << text;
}

TEST(Progress, SaysThatAnAgentMakesNoProgressAndThatItDoesAgain) {
  World world;
  world.start({a_task(1).titled("One")});
  world.worktree_ready(at(1));
  world.feed({about(at(1)), AgentStarted{.pid = 7}});
  world.feed({about(at(1)), AgentStalled{150 * k_second}});
  Show plain({});
  Show live({.live = true, .colour = false, .width = 80, .height = 24});
  EXPECT_NE(plain.tell(world).find("[t1] its agent has made no progress for 2m 30s; it is ended after 5m 00s\n"),
            std::string::npos);
  live.tell(world);
  live.progress.tick();
  EXPECT_NE(live.out.str().find("t1.1  One  mock/cheap  no progress"), std::string::npos) << live.out.str();

  world.feed({about(at(1)), AgentRecovered{}});
  AgentExited exit = an_exit(143);
  exit.stalled = true;
  exit.duration_us = 10 * k_minute;
  world.answer<SpawnRequested>(at(1), exit);
  const std::string text = plain.tell(world);
  EXPECT_NE(text.find("[t1] its agent makes progress again\n"), std::string::npos) << text;
  EXPECT_NE(text.find("[t1] its agent made no progress and was ended, after 10m 00s\n"), std::string::npos) << text;
}

TEST(Progress, ATextOfAnAgentCannotSteerTheTerminal) {
  World world;
  world.start({a_task(1).titled("Evil \x1b]0;title\x07 name")});
  Show show({});
  EXPECT_EQ(show.tell(world).find('\x1b'), std::string::npos);
}

TEST(Progress, ALiveDisplayShowsALineForEachTaskInFlightAndTakesItAwayAtTheEnd) {
  World world(a_config().with_agents(2));
  world.start({a_task(1).titled("One"), a_task(2).titled("Two")});
  Show show({.live = true, .colour = false, .width = 80, .height = 24});
  show.tell(world);
  show.reactor.after(k_second, [] {});
  show.reactor.turn();
  show.out.str("");
  show.progress.tick();
  const std::string drawn = show.out.str();
  EXPECT_NE(drawn.find("t1.1  One  mock/cheap  preparing"), std::string::npos) << drawn;
  EXPECT_NE(drawn.find("t2.1  Two"), std::string::npos) << drawn;
  EXPECT_NE(drawn.find("r1  0/2 landed"), std::string::npos) << drawn;

  show.out.str("");
  show.progress.close();
  EXPECT_EQ(show.out.str(), "\x1b[3A\r\x1b[J") << "two tasks and the summary";
}

TEST(Progress, ALiveLineIsNeverWiderThanTheTerminal) {
  World world;
  std::string title;
  for (int i = 0; i < 60; ++i) title += "ü";
  world.start({a_task(1).titled(title)});
  Show show({.live = true, .colour = false, .width = 40, .height = 24});
  show.tell(world);
  show.out.str("");
  show.reactor.after(k_second, [] {});
  show.reactor.turn();
  show.progress.tick();
  const std::string drawn = show.out.str();
  const std::size_t begin = drawn.find("•");
  const std::string line = drawn.substr(begin, drawn.find('\n', begin) - begin);
  EXPECT_LE(count(line, "ü") + 20, 40U) << line;
  EXPECT_NE(line.find("…"), std::string::npos) << line;
}

TEST(Progress, EventsInQuickSuccessionAreNotDrawnOneByOne) {
  World world(a_config().with_agents(4));
  std::vector<TaskSpec> tasks;
  for (std::uint32_t n = 1; n <= 100; ++n) tasks.push_back(a_task(n));
  world.start(tasks);
  Show show({.live = true, .colour = false, .width = 80, .height = 24});
  const std::string text = show.tell(world);
  EXPECT_GT(world.log().size(), 200U);
  EXPECT_LE(count(text, " landed"), 3U) << "the clock stands still: one drawing is enough";
}

Tally tally_of(const World& world) {
  Tally tally;
  for (const Event& event : world.log()) note(tally, event);
  return tally;
}

TEST(Recap, SaysWhatLandedWhatItCostAndWhatToDoNext) {
  World world;
  world.start({a_task(1).titled("One"), a_task(2).titled("Two").after(1)});
  world.lands(at(1));
  world.lands(at(2));
  const std::string text = recap(world.state(), tally_of(world));
  EXPECT_TRUE(text.starts_with("r1: 2 of 2 tasks landed in ")) << text;
  EXPECT_NE(text.find("; 2 attempts, $0.20\n"), std::string::npos) << text;
  EXPECT_NE(text.find("  cost    mock/cheap: $0.20, 2 attempts\n"), std::string::npos) << text;
  EXPECT_NE(text.find("  unverified  t1 One: no check looked at it\n"), std::string::npos) << text;
  EXPECT_NE(text.find("  next    bernstein status r1\n"), std::string::npos) << text;
}

TEST(Recap, NamesWhatFailedWithItsKeptWorkAndWhatThatBlocks) {
  World world(a_config().with_attempts(1));
  world.start({a_task(1).titled("One").checked_by(a_command("tests")), a_task(2).titled("Two").after(1)});
  world.works(at(1), {"a.txt"});
  world.candidate_built(at(1));
  world.check_fails(at(1));
  world.removed(at(1));
  const std::string text = recap(world.state(), tally_of(world));
  EXPECT_TRUE(text.starts_with("r1: 0 of 2 tasks landed, 1 failed, 1 blocked in ")) << text;
  EXPECT_NE(text.find("  incomplete: "), std::string::npos) << text;
  EXPECT_NE(text.find("  failed  t1 One: "), std::string::npos) << text;
  EXPECT_NE(text.find("its work is kept: refs/bernstein/salvage/"), std::string::npos) << text;
  EXPECT_NE(text.find("  blocked  t2 Two: "), std::string::npos) << text;
  EXPECT_NE(text.find("bernstein why r1/t1"), std::string::npos) << text;
}

TEST(Recap, TimeThatAgentsWorkedWhileNobodyOwnedTheRunIsNotCalledSaved) {
  const auto event = [](Micros at_us, EventBody body, std::uint32_t task = 1) {
    return Event{.subject = about(at(task)), .at_us = at_us, .body = std::move(body)};
  };
  Tally tally;
  note(tally, event(1 * k_second, AgentStarted{}));
  note(tally, event(1 * k_second, AgentStarted{}, 2));
  // Here it was killed and resumed an hour later, which the run's clock does not see.
  note(tally, event(4 * k_second, AgentExited{.duration_us = k_hour}));
  note(tally, event(6 * k_second, AgentExited{.duration_us = 4 * k_second}, 2));
  EXPECT_EQ(tally.agent_us, 7 * k_second);

  note(tally, event(7 * k_second, CheckRequested{}));
  note(tally, event(9 * k_second, CheckFinished{.duration_us = k_hour}));
  EXPECT_EQ(tally.check_us, 2 * k_second);
}

TEST(Recap, NamesTheWorktreeOfWorkThatCouldNotBeSavedUntilSomebodyRemovesIt) {
  World world;
  world.start({a_task(1)});
  world.worktree_ready(at(1));
  world.feed({about(at(1)), AgentStarted{}});
  world.agent_exits(at(1));
  world.breaks<CaptureRequested>(at(1), FailureClass::environment, "the disk is full");
  ASSERT_TRUE(world.finished());
  const std::string line =
      "\n  unsaved  the work of t1.1 is in .sdd/worktrees/session-r1-t1.1 and nowhere else; look at it\n";
  EXPECT_NE(recap(world.state(), tally_of(world)).find(line), std::string::npos);
  world.resumes();
  world.lands(at(1, 2));
  ASSERT_TRUE(world.finished());
  EXPECT_NE(recap(world.state(), tally_of(world)).find(line), std::string::npos) << "what t1.1 did is another thing";
}

TEST(Recap, NamesWhatAnAgentDidThatNoWorkNeeds) {
  World world;
  world.start({a_task(1)});
  world.worktree_ready(at(1));
  world.agent_exits(at(1));
  WorkCaptured work = some_work(at(1), {"file"}, "commit-0");
  work.suspicions = {"the .git file of its worktree leads elsewhere", "z"};
  world.answer<CaptureRequested>(at(1), work);
  const std::string text = recap(world.state(), tally_of(world));
  EXPECT_NE(text.find("\n  suspicious  t1.1: the .git file of its worktree leads elsewhere, and 1 more; "
                      "bernstein why r1/t1\n"),
            std::string::npos)
      << text;
}

TEST(Recap, ACostThatNobodyToldIsUnknown) {
  World world;
  world.start({a_task(1)});
  world.worktree_ready(at(1));
  world.agent_exits(at(1), 0, std::nullopt);
  const std::string text = recap(world.state(), tally_of(world));
  EXPECT_NE(text.find("; 1 attempt, unknown cost\n"), std::string::npos) << text;
  EXPECT_NE(text.find("mock/cheap: unknown, 1 attempt\n"), std::string::npos) << text;
}

TEST(Recap, ACheckoutLeftBehindIsBroughtUpFromWhereThatBegan) {
  World world;
  world.start({a_task(1), a_task(2), a_task(3)});
  const auto land = [&](std::uint32_t task, SyncOutcome outcome) {
    world.works(at(task), {"file" + std::to_string(task)});
    world.candidate_built(at(task));
    world.merged(at(task));
    world.answer<CheckoutSyncRequested>(at(task), CheckoutSynced{"README.md is changed", outcome});
  };
  const std::string start = world.state().target_tip;
  land(1, SyncOutcome::left_alone);
  land(2, SyncOutcome::left_alone);
  EXPECT_EQ(world.state().behind, start) << "however many landings follow";
  EXPECT_EQ(world.the<CheckoutSyncRequested>(about(at(2))).behind, start) << "so that it can catch up by itself";
  EXPECT_EQ(catch_up_command(world.state()), "git read-tree -m -u " + start.substr(0, 12) + " HEAD");
  EXPECT_EQ(tally_of(world).left_behind_why, "README.md is changed");

  land(3, SyncOutcome::updated);
  EXPECT_EQ(world.state().behind, "");
  EXPECT_EQ(tally_of(world).left_behind_why, "");
}

}  // namespace
}  // namespace bernstein::cli
