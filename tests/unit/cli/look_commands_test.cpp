// The commands that look, on the log of a small run (small_story.hpp).

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "bernstein/event/codec.hpp"
#include "bernstein/git/workspace.hpp"
#include "bernstein/store/store.hpp"
#include "workplace.hpp"

namespace bernstein::cli {
namespace {

using test::a_config;
using test::a_plan;
using test::a_start;
using test::a_task;
using test::at;
using test::Looked;
using test::SmallRun;
using test::Workplace;
using test::World;
using Json = nlohmann::json;
namespace fs = std::filesystem;

// Seq of the first event of a type about a subject in the small story.
Seq seq_of(const std::string& type, const std::string& subject) {
  const World world = test::small_story();
  for (const Event& event : world.log()) {
    if (type_of(event.body) == type && to_string(event.subject) == subject) return event.seq;
  }
  ADD_FAILURE() << "the story has no " << type << " about " << subject;
  return 0;
}

std::string line_with(const std::string& text, const std::string& part) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.find(part) != std::string::npos) return line;
  }
  return "no line with '" + part + "' in:\n" + text;
}

std::size_t lines_in(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

// ---- Finding the workspace ------------------------------------------------------------------------------------------

TEST(Workspace, IsFoundFromBelow) {
  SmallRun here;
  fs::create_directories(here.root() + "/src/limit");
  here.directory = here.root() + "/src/limit";

  EXPECT_EQ(here.look(status_command, LookOptions{}).exit, Exit::done);
}

TEST(Workspace, OfAnAgentsWorktreeIsTheOneThatHoldsIt) {
  SmallRun here;
  here.directory = here.sdd() + "/worktrees/session-r1-t1.1/src";
  fs::create_directories(here.directory);
  fs::create_directories(here.sdd() + "/worktrees/session-r1-t1.1/.git");

  EXPECT_EQ(here.look(status_command, LookOptions{}).exit, Exit::done);
}

TEST(Workspace, OfALinkedWorktreeIsThatOfItsRepository) {
  SmallRun here;
  here.git("commit -q --allow-empty -m first");
  here.git("worktree add -q ../linked");
  here.directory = fs::path(here.root()).parent_path().string() + "/linked";

  EXPECT_EQ(here.look(status_command, LookOptions{}).exit, Exit::done);
}

TEST(Workspace, SaysHowToGetOneWhenThereIsNone) {
  Workplace here;
  fs::remove_all(here.sdd());

  const Looked status = here.look(status_command, LookOptions{});

  EXPECT_EQ(status.message(),
            "no runs yet: there is no .sdd in " + here.root() + "; start one with `bernstein run plan.yaml`");
  EXPECT_EQ(status.error->code, ErrorCode::environment);
}

TEST(Workspace, WithoutARunSaysHowToStartOne) {
  Workplace here;

  EXPECT_EQ(here.look(status_command, LookOptions{}).message(),
            "there are no runs yet; start one with `bernstein run plan.yaml`");
}

TEST(Workspace, IsNotLookedForInARepositoryWithinOne) {
  SmallRun here;
  fs::create_directories(here.root() + "/third_party/lib");
  here.git("init -q third_party/lib");
  here.directory = here.root() + "/third_party/lib";

  EXPECT_EQ(here.look(status_command, LookOptions{}).message(),
            "no runs yet: there is no .sdd in " + here.directory + "; start one with `bernstein run plan.yaml`");
}

// ---- status ---------------------------------------------------------------------------------------------------------

TEST(Status, TellsWhereEveryTaskStandsAndWhatToDoNext) {
  SmallRun here;
  const World world = test::small_story();
  const std::string failed = task_of(world.state(), TaskId{3}).why;
  const std::string blocked = task_of(world.state(), TaskId{4}).why;

  const Looked status = here.look(status_command, LookOptions{});

  EXPECT_EQ(status.exit, Exit::done);
  EXPECT_EQ(status.out,
            "r1  Rate limiting\n"
            "incomplete: 2 of 4 tasks landed, 1 failed, 1 blocked; 32 s; $0.40 + 1 attempt of unknown cost\n"
            "\n"
            "TASK  STATUS   TRIES  AGENT  MODEL      COST  TITLE       WHY\n"
            "t1    landed       1  mock   cheap-1   $0.10  Middleware\n"
            "t2    landed       2  mock   strong-1  $0.10  Routes\n"
            "t3    failed       2  mock   strong-1  $0.20  Docs        " +
                failed +
                "\n"
                "t4    blocked      0  -      -             -  Release     " +
                blocked +
                "\n"
                "\n"
                "your checkout was left alone: README.md has uncommitted changes\n"
                "  git read-tree -m -u merge of t1. HEAD   brings it up to date; it keeps your changes, or refuses\n"
                "bernstein why t3   tells the story of t3; bernstein logs t3 what its agent said\n"
                "  its last work is kept: git switch -c fix-t3 refs/bernstein/salvage/r1/t3.2\n");
}

TEST(Status, OfAnOlderRunNamesItsTasksWithTheRun) {
  SmallRun here;
  here.append(test::small_story().log(), RunId{2});

  const Looked status = here.look(status_command, LookOptions{.run = "1"});

  EXPECT_NE(status.out.find("bernstein why r1/t3   tells"), std::string::npos) << status.out;
}

TEST(Status, FitsTheTerminal) {
  SmallRun here;
  here.terminal = true;
  here.environment = {{"COLUMNS", "64"}};

  const std::string line = line_with(here.look(status_command, LookOptions{}).out, "t3    failed");

  EXPECT_TRUE(line.starts_with("t3    failed       2  mock   strong-1  $0.20  Docs  ")) << line;
  EXPECT_TRUE(line.ends_with("…")) << line;
  EXPECT_EQ(line.size() - std::string("…").size() + 1, 64U) << line;
}

TEST(Status, AsJsonHasTheKeysOfTheContract) {
  SmallRun here;
  here.json = true;

  const Looked status = here.look(status_command, LookOptions{});
  const Json json = Json::parse(status.out);

  EXPECT_EQ(json["run"], "r1");
  EXPECT_EQ(json["outcome"], "incomplete");
  EXPECT_EQ(json["events"], here.events);
  ASSERT_EQ(json["tasks"].size(), 4U);
  EXPECT_EQ(json["tasks"][0], Json::parse(R"({"id":"t1","title":"Middleware","role":"backend","status":"landed",
      "attempts":1,"agent":"mock","model":"cheap-1","cost_usd":0.1,"suspicions":0,"commit":"merge of t1.1"})"));
  EXPECT_EQ(json["tasks"][3]["status"], "blocked");
  EXPECT_EQ(json["tasks"][3]["agent"], nullptr);
  EXPECT_EQ(lines_in(status.out), 1U);
  EXPECT_EQ(status.err, "");
}

TEST(Status, AtAnEarlierEventTellsWhatWasSoThen) {
  SmallRun here;
  here.json = true;
  const Seq exited = seq_of("AgentExited", "t1.1");

  const Json json = Json::parse(here.look(status_command, LookOptions{.at = exited}).out);

  EXPECT_EQ(json["outcome"], "running");
  EXPECT_EQ(json["tasks"][0]["status"], "reported");
  EXPECT_EQ(json["tasks"][3]["status"], "waiting");
  EXPECT_LE(json["events"], exited);
}

TEST(Status, NamesWhatATaskWaitsFor) {
  SmallRun here;

  const Looked status = here.look(status_command, LookOptions{.at = seq_of("AgentExited", "t1.1")});

  EXPECT_TRUE(line_with(status.out, "Release").ends_with("  waits for t3")) << status.out;
  EXPECT_TRUE(line_with(status.out, "Docs").ends_with("Docs")) << status.out;
}

TEST(Status, NamesTheSlotThatAReadyTaskWaitsFor) {
  SmallRun here;

  const Looked status = here.look(status_command, LookOptions{.at = seq_of("WorktreeReady", "t1.1")});

  EXPECT_TRUE(line_with(status.out, "Routes").ends_with("  waits for a slot: 2 of 2 are taken")) << status.out;
}

TEST(Status, OfARunThatNobodyCarriesOnIsInterrupted) {
  Workplace here;
  World world(a_config());
  world.start({a_task(1)});
  here.append(world.log(), RunId{1});

  EXPECT_NE(here.look(status_command, LookOptions{}).out.find("interrupted: 0 of 1 task landed, 1 running"),
            std::string::npos);
  here.json = true;
  EXPECT_EQ(Json::parse(here.look(status_command, LookOptions{}).out)["outcome"], "interrupted");
}

TEST(Status, OfARunThatIsCarriedOnIsRunning) {
  Workplace here;
  World world(a_config());
  world.start({a_task(1)});
  here.append(world.log(), RunId{1});
  const auto lock = store::acquire_lock(here.sdd() + "/lock");
  ASSERT_TRUE(lock);
  here.json = true;

  ASSERT_TRUE((*lock)->work_on("r1"));
  EXPECT_EQ(Json::parse(here.look(status_command, LookOptions{}).out)["outcome"], "running");
  ASSERT_TRUE((*lock)->work_on("r2"));
  EXPECT_EQ(Json::parse(here.look(status_command, LookOptions{}).out)["outcome"], "interrupted");
}

TEST(Status, BelievesTheLockRatherThanAPidThatWasLeftBehind) {
  Workplace here;
  World world(a_config());
  world.start({a_task(1)});
  here.append(world.log(), RunId{1});
  test::write_file(here.sdd() + "/lock",
                   std::to_string(::getpid()) + "\nr1\n");  // a living process, which holds nothing
  here.json = true;

  EXPECT_EQ(Json::parse(here.look(status_command, LookOptions{}).out)["outcome"], "interrupted");
}

TEST(Status, OfAnEventBeforeTheRunSaysWhereItBegins) {
  SmallRun here;
  here.append(test::small_story().log(), RunId{2});

  const Looked status = here.look(status_command, LookOptions{.run = "r2", .at = 3});

  EXPECT_EQ(status.message(), "r2 begins with event " + std::to_string(here.events + 1) + ", after 3");
  EXPECT_EQ(status.error->code, ErrorCode::not_found);
}

TEST(Status, AtAnEventWithoutARunMeansTheRunOfThatEvent) {
  SmallRun here;
  here.append(test::small_story().log(), RunId{2});
  here.json = true;

  EXPECT_EQ(Json::parse(here.look(status_command, LookOptions{.at = here.events}).out)["run"], "r1");
  EXPECT_EQ(Json::parse(here.look(status_command, LookOptions{.at = here.events + 1}).out)["run"], "r2");
}

TEST(Status, ShowsNothingThatCouldSteerATerminal) {
  Workplace here;
  World world(a_config());
  world.start({a_task(1).titled("\x1b]0;owned\x07 title\nsecond line")});
  here.append(world.log(), RunId{1});
  here.terminal = true;
  here.environment = {{"COLUMNS", "100"}};

  const Looked status = here.look(status_command, LookOptions{});

  EXPECT_EQ(status.out.find('\x1b'), std::string::npos) << status.out;
  EXPECT_EQ(status.out.find('\x07'), std::string::npos) << status.out;
  EXPECT_NE(status.out.find("title second line"), std::string::npos) << status.out;
}

// ---- events ---------------------------------------------------------------------------------------------------------

TEST(Events, AreOneLineEachWithWhatTheySay) {
  SmallRun here;

  const Looked events = here.look(events_command, LookOptions{});

  EXPECT_EQ(lines_in(events.out), static_cast<std::size_t>(here.events));
  EXPECT_EQ(events.out.substr(0, events.out.find('\n')),
            "     1    0:01.0  input     run     RunStarted               'Rate limiting' on refs/heads/main at "
            "commit-0, 2 at "
            "once, no budget, seed 1");
}

TEST(Events, AsJsonAreTheColumnsOfTheTable) {
  SmallRun here;
  here.json = true;

  const Looked events = here.look(events_command, LookOptions{});
  std::istringstream lines(events.out);
  std::string previous_hash;
  Seq seq = 0;
  for (std::string line; std::getline(lines, line);) {
    const Json event = Json::parse(line);
    EXPECT_EQ(event["seq"], ++seq);
    EXPECT_EQ(event.size(), 13U);
    EXPECT_TRUE(event["payload"].is_object());
    EXPECT_EQ(event["hash"].get<std::string>().size(), 64U);
    if (seq > 1) {
      EXPECT_EQ(event["prev_hash"], previous_hash);
    }
    previous_hash = event["hash"];
    if (event["type"] == "RouteChosen") {
      EXPECT_EQ(event["payload"]["rule"], "static");
    }
  }
  EXPECT_EQ(seq, here.events);
}

TEST(Events, EndWhereAtSays) {
  SmallRun here;

  EXPECT_EQ(lines_in(here.look(events_command, LookOptions{.at = 5}).out), 5U);
}

// ---- why ------------------------------------------------------------------------------------------------------------

TEST(Why, TellsTheStoryInOrderWithReasons) {
  SmallRun here;
  const World world = test::small_story();

  const Looked why = here.look(why_command, LookOptions{.task = "t2"});

  EXPECT_EQ(why.out.substr(0, why.out.find('\n')), "r1/t2  Routes");
  std::size_t from = 0;
  for (const std::string& part :
       {std::string("created        'Routes', role backend"),
        "ready          " + world.find<TaskReadied>(about(TaskId{2}))->why,
        "t2.1   route          mock/cheap by rule 'static': " + world.find<RouteChosen>(about(at(2)))->why,
        std::string("features: "), std::string("scores: mock/cheap 0.0000, mock/strong -1.0000\n"),
        std::string("probabilities: mock/cheap 100%, mock/strong 0%\n"),
        "assigned       mock cheap-1, $1.00 reserved: " + world.find<TaskAssigned>(about(at(2)))->why,
        std::string("agent done     exit 0 after 1m 00s; tokens unknown in, unknown cached, unknown out; cost $0.10\n"),
        std::string("captured       1 path changed: src/routes/a.cpp"),
        std::string("check          'tests' failed after 3 s: exit 1\n"), std::string("verdict        failed: "),
        std::string("attempt failed task: "), std::string("| 1 of 9 tests failed\n"),
        std::string("t2     retry          "), std::string("t2.2   route          mock/strong"),
        std::string("agent done     exit 0 after 1m 00s; usage unknown\n"), std::string("verdict        passed: "),
        std::string("landed         as "),
        std::string("checkout       left alone: README.md has uncommitted changes\n")}) {
    const std::size_t found = why.out.find(part, from);
    ASSERT_NE(found, std::string::npos) << "'" << part << "' is missing, or not in its place, in\n" << why.out;
    from = found + part.size();
  }
}

TEST(Why, GivesEveryLineTheSeqOfItsEvent) {
  SmallRun here;

  const Looked why = here.look(why_command, LookOptions{.task = "t2"});

  EXPECT_TRUE(line_with(why.out, "'tests' failed")
                  .starts_with("    " + std::to_string(seq_of("CheckFinished", "t2.1")) + "    0:15.0  t2.1  "))
      << why.out;
}

TEST(Why, NamesWhatBlocksATask) {
  SmallRun here;
  const std::string blocked = test::small_story().find<TaskBlocked>(about(TaskId{4}))->why;

  const Looked why = here.look(why_command, LookOptions{.task = "t4"});

  EXPECT_NE(why.out.find("r1/t4  Release\nblocked after 0 attempts: " + blocked + "\n"), std::string::npos) << why.out;
}

TEST(Why, SaysWhatIsUnderWay) {
  Workplace here;
  World world(a_config());
  world.start({a_task(1)});
  world.worktree_ready(at(1));
  here.append(world.log(), RunId{1});

  const Looked why = here.look(why_command, LookOptions{.task = "t1"});

  EXPECT_TRUE(line_with(why.out, "under way").ends_with("agent          under way: mock cheap-1, for at most 30m 00s"))
      << why.out;
}

TEST(Why, TellsWhatAnAgentDidThatNoWorkNeedsAndStatusCountsIt) {
  Workplace here;
  World world(a_config());
  world.start({a_task(1)});
  world.worktree_ready(at(1));
  world.agent_exits(at(1));
  WorkCaptured work = test::some_work(at(1), {"file"}, "commit-0");
  work.suspicions = {"its repository has the hook 'post-merge'", "the .git file of its worktree leads elsewhere"};
  world.answer<CaptureRequested>(at(1), work);
  here.append(world.log(), RunId{1});

  const std::string why = here.look(why_command, LookOptions{.task = "t1"}).out;
  EXPECT_TRUE(line_with(why, "captured ").ends_with("; suspicious: 2 things")) << why;
  EXPECT_NE(why.find("\n                                    its repository has the hook 'post-merge'\n"
                     "                                    the .git file of its worktree leads elsewhere\n"),
            std::string::npos)
      << why;
  const std::string status = here.look(status_command, LookOptions{}).out;
  EXPECT_NE(status.find("\nsuspicious: what agents did in 1 attempt; bernstein why t1   tells\n"), std::string::npos)
      << status;
  here.json = true;
  const Json story = Json::parse(here.look(why_command, LookOptions{.task = "t1"}).out);
  std::size_t told = 0;
  for (const Json& event : story["events"]) told += event.contains("suspicions") ? event["suspicions"].size() : 0;
  EXPECT_EQ(told, 2U) << story.dump();
  EXPECT_EQ(Json::parse(here.look(status_command, LookOptions{}).out)["tasks"][0]["suspicions"], 2);
}

TEST(Why, AsJsonHasEveryEventOfTheTask) {
  SmallRun here;
  here.json = true;

  const Json json = Json::parse(here.look(why_command, LookOptions{.task = "t1"}).out);

  EXPECT_EQ(json["run"], "r1");
  EXPECT_EQ(json["task"], "t1");
  EXPECT_EQ(json["status"], "landed");
  ASSERT_GT(json["events"].size(), 10U);
  EXPECT_EQ(json["events"][0]["type"], "TaskCreated");
  EXPECT_EQ(json["events"][1]["type"], "TaskReadied");
  EXPECT_EQ(json["events"][1]["why"], test::small_story().find<TaskReadied>(about(TaskId{1}))->why);
  EXPECT_EQ(json["events"][2]["type"], "RouteChosen");
  EXPECT_EQ(json["events"][2]["probabilities_ppm"], Json::parse(R"({"mock/cheap":1000000,"mock/strong":0})"));
  EXPECT_EQ(json["events"][2]["seq"], seq_of("RouteChosen", "t1.1"));
}

// ---- logs -----------------------------------------------------------------------------------------------------------

TEST(Logs, ShowTheLastAttemptByteForByteInAPipe) {
  SmallRun here;
  test::write_file(here.sdd() + "/logs/r1/t2.1.log", "first\n");
  test::write_file(here.sdd() + "/logs/r1/t2.2.log", "second \x1b[1mbold\x1b[0m\xFF\r\n");

  const Looked logs = here.look(logs_command, LookOptions{.task = "t2"});

  EXPECT_EQ(logs.out, "second \x1b[1mbold\x1b[0m\xFF\r\n");
  EXPECT_EQ(logs.err, here.sdd() + "/logs/r1/t2.2.log\n");
}

TEST(Logs, ShowTheAttemptThatIsNamed) {
  SmallRun here;
  test::write_file(here.sdd() + "/logs/r1/t2.1.log", "first\n");

  EXPECT_EQ(here.look(logs_command, LookOptions{.task = "r1/t2.1"}).out, "first\n");
}

TEST(Logs, CannotSteerATerminal) {
  SmallRun here;
  here.terminal = true;
  test::write_file(here.sdd() + "/logs/r1/t1.1.log", "a\x1b[2Jb\r\nc\xFF\n");

  EXPECT_EQ(here.look(logs_command, LookOptions{.task = "t1"}).out, "a\xEF\xBF\xBD[2Jb\nc\xEF\xBF\xBD\n");
}

TEST(Logs, DoNotBreakACharacterBetweenTwoReads) {
  SmallRun here;
  here.terminal = true;
  std::string text = std::string((1 << 16) - 1, 'x') + "\u20ac" + std::string((1 << 16) - 4, 'y') + "\r\n\u20ac";
  test::write_file(here.sdd() + "/logs/r1/t1.1.log", text);

  const Looked logs = here.look(logs_command, LookOptions{.task = "t1"});

  text.erase(text.find('\r'), 1);
  EXPECT_TRUE(logs.out == text) << "the lengths are " << logs.out.size() << " and " << text.size();
}

TEST(Logs, ComeFromTheBlobWhenTheFileIsGone) {
  Workplace here;
  World world(a_config());
  world.start({a_task(1)});
  world.worktree_ready(at(1));
  AgentExited exit = test::an_exit();
  exit.output = here.put_blob("the end of it\n");
  world.answer<SpawnRequested>(at(1), exit);
  here.append(world.log(), RunId{1});

  const Looked logs = here.look(logs_command, LookOptions{.task = "t1"});

  EXPECT_EQ(logs.out, "the end of it\n");
  EXPECT_EQ(logs.err, here.sdd() + "/logs/r1/t1.1.log is gone; this is the end of it that the log keeps\n");
}

TEST(Logs, OfATaskThatNobodyWorkedOnSaySo) {
  SmallRun here;

  const Looked logs = here.look(logs_command, LookOptions{.task = "t4"});

  EXPECT_EQ(logs.message(), "no agent has worked on r1/t4 yet; `bernstein why r1/t4` says why");
  EXPECT_EQ(logs.error->code, ErrorCode::not_found);
}

// ---- diff -----------------------------------------------------------------------------------------------------------

// A repository in which t1 landed a change of a.txt and the only attempt of t2 changed b.txt and failed.
struct DiffRun : Workplace {
  std::string base;
  std::string landed;
  std::string captured;

  DiffRun() {
    const auto commit = [&](const std::string& file, const std::string& text) {
      test::write_file(root() + "/" + file, text);
      git("add " + file);
      git("commit -q -m " + file);
      return git("rev-parse HEAD");
    };
    base = commit("a.txt", "one\n");
    captured = commit("b.txt", "failed work\n");
    git("reset -q --hard " + base);
    landed = commit("a.txt", "one\ntwo\n");

    World world(a_config().with_attempts(1));
    RunStarted started = a_start(a_config().with_attempts(1));
    started.target_tip = base;
    world.feed({about_run(), started});
    world.feed({about_run(), a_plan({a_task(1), a_task(2), a_task(3).after(1)})});
    const auto work = [&](AttemptId id, const std::string& tip) {
      world.worktree_ready(id);
      world.answer<SpawnRequested>(id, test::an_exit(id.task.number == 2 ? 1 : 0));
      WorkCaptured captured_work = test::some_work(id, {"file"}, base);
      captured_work.commit = tip;
      world.answer<CaptureRequested>(id, captured_work);
    };
    work(at(1), landed);
    world.candidate_built(at(1));
    world.answer<MergeRequested>(at(1),
                                 MergeLanded{landed, base, {}, attempt_of(world.state(), at(1)).candidate->tree});
    world.synced(at(1));
    world.removed(at(1));
    work(at(2), captured);
    append(world.log(), RunId{1});
  }
};

TEST(Diff, OfALandedTaskIsWhatItBroughtToTheTarget) {
  DiffRun here;

  const Looked diff = here.look(diff_command, LookOptions{.task = "t1"});

  EXPECT_EQ(diff.message(), "");
  EXPECT_NE(diff.out.find("--- a/a.txt\n+++ b/a.txt\n@@ -1 +1,2 @@\n one\n+two\n"), std::string::npos) << diff.out;
  EXPECT_EQ(diff.err, "r1/t1.1 landed: git diff " + here.base.substr(0, 10) + " " + here.landed.substr(0, 10) + "\n");
}

TEST(Diff, OfAFailedTaskIsWhatWasCaptured) {
  DiffRun here;

  const Looked diff = here.look(diff_command, LookOptions{.task = "t2.1"});

  EXPECT_NE(diff.out.find("+failed work\n"), std::string::npos) << diff.out;
  EXPECT_EQ(diff.err,
            "r1/t2.1 did not land: git diff " + here.base.substr(0, 10) + " " + here.captured.substr(0, 10) + "\n");
}

TEST(Diff, AsJsonNamesTheCommits) {
  DiffRun here;
  here.json = true;

  const Json json = Json::parse(here.look(diff_command, LookOptions{.task = "t1"}).out);

  EXPECT_EQ(json["from"], here.base);
  EXPECT_EQ(json["to"], here.landed);
  EXPECT_EQ(json["landed"], true);
  EXPECT_EQ(json["diff"].get<std::string>().substr(0, 11), "diff --git ");
}

TEST(Diff, OfAnAttemptAtWorkSaysWhereToLook) {
  DiffRun here;

  const Looked diff = here.look(diff_command, LookOptions{.task = "t3"});

  EXPECT_EQ(diff.message(), "nothing of r1/t3.1 was captured yet; while its agent works, look in " + here.sdd() +
                                "/worktrees/session-r1-t3.1");
}

// ---- replay and audit -----------------------------------------------------------------------------------------------

TEST(Replay, OfAHealthyRunFindsEveryDecisionEqual) {
  SmallRun here;
  here.json = true;

  const Looked replay = here.look(replay_command, ReplayOptions{.run = "r1"});
  const Json json = Json::parse(replay.out);

  EXPECT_EQ(replay.exit, Exit::done);
  EXPECT_EQ(json["run"], "r1");
  EXPECT_EQ(json["events"], here.events);
  EXPECT_EQ(json["divergences"], 0);
  EXPECT_EQ(json["first_divergence"], nullptr);
  EXPECT_EQ(json["state_hash"].get<std::string>().size(), 64U);
}

// The small story in which somebody has put another reason into the first TaskReadied, and sealed it anew.
Workplace& told_differently(Workplace& here) {
  std::vector<Event> events = test::small_story().log();
  for (Event& event : events) {
    if (auto* readied = std::get_if<TaskReadied>(&event.body);
        readied != nullptr && event.subject == about(TaskId{1})) {
      readied->why = "I said so";
    }
  }
  here.append(events, RunId{1});
  return here;
}

std::string readied_as_decided() {
  const World world = test::small_story();
  return "TaskReadied t1 " + encode(*world.find<TaskReadied>(about(TaskId{1})));
}

TEST(Replay, NamesTheFirstEventThatDiffers) {
  Workplace here;
  told_differently(here);

  const Looked replay = here.look(replay_command, ReplayOptions{});

  EXPECT_EQ(replay.exit, Exit::diverged);
  EXPECT_NE(replay.out.find("diverged at event " + std::to_string(seq_of("TaskReadied", "t1")) +
                            "\n  recorded:   TaskReadied t1 {\"why\":\"I said so\"}\n"
                            "  recomputed: " +
                            readied_as_decided() + "\n"),
            std::string::npos)
      << replay.out;
}

TEST(Replay, AsJsonNamesTheFirstEventThatDiffers) {
  Workplace here;
  told_differently(here).json = true;

  const Looked replay = here.look(replay_command, ReplayOptions{});
  const Json json = Json::parse(replay.out);

  EXPECT_EQ(replay.exit, Exit::diverged);
  EXPECT_EQ(json["divergences"], 1);
  EXPECT_EQ(json["first_divergence"]["seq"], seq_of("TaskReadied", "t1"));
  EXPECT_EQ(json["first_divergence"]["recomputed"], readied_as_decided());
}

TEST(Replay, UntilAnEventBeforeTheRunIsRefused) {
  SmallRun here;
  here.append(test::small_story().log(), RunId{2});

  EXPECT_EQ(here.look(replay_command, ReplayOptions{.run = "r2", .until = 3}).message(),
            "r2 has no event up to 3; name a later one with --until");
}

TEST(Audit, OfAHealthyLogIsOk) {
  SmallRun here;
  here.json = true;

  const Looked audit = here.look(audit_command, AuditOptions{});

  EXPECT_EQ(audit.exit, Exit::done);
  const Json json = Json::parse(audit.out);
  EXPECT_EQ(json["ok"], true);
  EXPECT_EQ(json["events"], here.events);
  EXPECT_EQ(json["first_bad"], nullptr);
}

TEST(Audit, SaysWhatGitHasNotWithoutAFault) {
  SmallRun here;  // its landings are on no branch: this repository has no commit

  const Looked audit = here.look(audit_command, AuditOptions{});

  EXPECT_EQ(audit.exit, Exit::done);
  EXPECT_NE(audit.out.find("\nnote: r1/t1.1, r1/t2.2 landed on refs/heads/main, which is there no more\n"),
            std::string::npos)
      << audit.out;
}

TEST(Audit, NamesAWorktreeThatTheLogSaysWasRemoved) {
  SmallRun here;
  std::filesystem::create_directories(here.sdd() + "/worktrees/session-r1-t1.1");
  const std::string what =
      "the log says that the worktree of r1/t1.1 was removed, and there is still session-r1-t1.1 in .sdd";
  const Seq seq = seq_of("WorktreeRemoved", "t1.1");

  const Looked audit = here.look(audit_command, AuditOptions{});

  EXPECT_EQ(audit.exit, Exit::diverged);
  EXPECT_NE(audit.out.find("fault at event " + std::to_string(seq) + ": " + what + "\n"), std::string::npos)
      << audit.out;
  here.json = true;
  const Json json = Json::parse(here.look(audit_command, AuditOptions{}).out);
  EXPECT_EQ(json["ok"], false);
  EXPECT_EQ(json["first_bad"], (Json{{"seq", seq}, {"what", what}}));
  EXPECT_TRUE(std::filesystem::exists(here.sdd() + "/worktrees/session-r1-t1.1"));
}

// Appends a second run and changes an event of it in the file, as somebody with an SQLite shell could.
Seq forge(const SmallRun& here) {
  here.append(test::small_story().log(), RunId{2});
  const Seq seq = here.events + 4;
  const std::string command = "sqlite3 '" + here.sdd() + "/state.db' \"DROP TRIGGER events_are_not_updated; " +
                              "UPDATE events SET wall_us = wall_us + 1 WHERE seq = " + std::to_string(seq) + "\"";
  EXPECT_EQ(std::system(command.c_str()), 0);
  return seq;
}

TEST(Audit, NamesTheFirstEventThatWasChanged) {
  SmallRun here;
  const Seq seq = forge(here);

  const Looked audit = here.look(audit_command, AuditOptions{});

  EXPECT_EQ(audit.exit, Exit::diverged);
  EXPECT_EQ(audit.out, "fault at event " + std::to_string(seq) + ": hash does not match the row's content\n");
  here.json = true;
  const Json json = Json::parse(here.look(audit_command, AuditOptions{}).out);
  EXPECT_EQ(json["ok"], false);
  EXPECT_EQ(json["first_bad"]["seq"], seq);
}

TEST(Status, IsNotFoldedFromAnEventThatWasChanged) {
  SmallRun here;
  const Seq seq = forge(here);
  const Error expected{ErrorCode::corrupt,
                       "event " + std::to_string(seq) +
                           " of r2: hash does not match the row's content; the log was altered or damaged: keep a copy "
                           "and put a backup in its place"};

  EXPECT_EQ(here.look(status_command, LookOptions{.run = "r2"}).error, expected);
  EXPECT_EQ(here.look(cost_command, CostOptions{.run = "r2"}).error, expected);
  const Looked replayed = here.look(replay_command, ReplayOptions{.run = "r2"});
  EXPECT_EQ(replayed.exit, Exit::diverged);
  EXPECT_NE(replayed.out.find("diverged at event " + std::to_string(seq)), std::string::npos) << replayed.out;
  EXPECT_EQ(here.look(status_command, LookOptions{.run = "r1"}).exit, Exit::done);
}

TEST(Audit, OfOneRunLooksAtWhatItStandsOn) {
  SmallRun here;
  forge(here);

  const Looked first = here.look(audit_command, AuditOptions{.run = "r1"});

  EXPECT_EQ(first.exit, Exit::done);
  EXPECT_TRUE(first.out.starts_with("ok: " + std::to_string(here.events) +
                                    " events, 0 anchors: hashes, chain, clocks and invariants hold\n"))
      << first.out;
  EXPECT_EQ(here.look(audit_command, AuditOptions{.run = "r2"}).exit, Exit::diverged);
}

TEST(Audit, NoticesALogWhoseEndWasCutOff) {
  SmallRun here;
  const auto repository = git::open_workspace(here.root()).value();
  const std::string head =
      here.look(sql_command,
                SqlOptions{.query = "SELECT lower(hex(hash)) FROM events ORDER BY seq DESC LIMIT 1", .csv = true})
          .out;
  const std::string anchor = R"({"hash":")" + head.substr(head.size() - 66, 64) + R"(","run":"r1","run_seq":)" +
                             std::to_string(here.events) + "}";
  ASSERT_TRUE(repository->write_anchor("r1", anchor, k_second));
  const std::string before = here.look(audit_command, AuditOptions{}).out;
  EXPECT_TRUE(before.starts_with("ok: " + std::to_string(here.events) +
                                 " events, 1 anchor: hashes, chain, clocks and invariants hold\n"))
      << before;

  ASSERT_TRUE(repository->write_anchor("r2", R"({"hash":"00","run":"r2","run_seq":9})", k_second));

  const Looked audit = here.look(audit_command, AuditOptions{});
  EXPECT_EQ(audit.exit, Exit::diverged);
  EXPECT_EQ(audit.out, "fault at event 0: there is an anchor for r2, and the log has no such run\n");
}

// ---- sql ------------------------------------------------------------------------------------------------------------

TEST(Sql, PrintsATableForPeople) {
  SmallRun here;

  EXPECT_EQ(here.look(sql_command, SqlOptions{.query = "SELECT task, attempts, agent FROM tasks ORDER BY task"}).out,
            "task  attempts  agent\n"
            "t1           1  mock\n"
            "t2           2  mock\n"
            "t3           2  mock\n"
            "t4           0  NULL\n");
}

TEST(Sql, AsJsonKeepsNumbersAndNulls) {
  SmallRun here;
  here.json = true;

  const Looked sql = here.look(
      sql_command, SqlOptions{.query = "SELECT 9007199254740993 AS big, 0.5 AS half, NULL AS none, 'a\"b' AS text, "
                                       "9e999 AS endless, '' AS empty"});

  EXPECT_EQ(sql.out,
            "[{\"big\":9007199254740993,\"half\":0.5,\"none\":null,\"text\":\"a\\\"b\",\"endless\":\"inf\","
            "\"empty\":\"\"}]\n");
}

TEST(Sql, AsJsonWithoutRowsIsAnEmptyArray) {
  SmallRun here;
  here.json = true;

  EXPECT_EQ(here.look(sql_command, SqlOptions{.query = "SELECT 1 WHERE 0"}).out, "[]\n");
}

TEST(Sql, AsCsvFollowsTheRfc) {
  SmallRun here;

  EXPECT_EQ(
      here.look(sql_command, SqlOptions{.query = "SELECT 'a,b' AS x, 'say \"hi\"' AS \"y,z\", NULL AS n, '' AS e, "
                                                 "'two\nlines' AS l, 7 AS i",
                                        .csv = true})
          .out,
      "x,\"y,z\",n,e,l,i\r\n\"a,b\",\"say \"\"hi\"\"\",,\"\",\"two\nlines\",7\r\n");
}

TEST(Sql, MistakesComeBackWithWhatThereIs) {
  SmallRun here;

  const Looked sql = here.look(sql_command, SqlOptions{.query = "SELECT * FROM task"});

  EXPECT_EQ(sql.message(),
            "cannot answer the query: no such table: task\n"
            "there are: events, runs, tasks, attempts, routes, checks, merges, costs");
  EXPECT_EQ(sql.error->code, ErrorCode::invalid_input);
}

TEST(Sql, ChangesNothing) {
  SmallRun here;

  const Looked sql = here.look(sql_command, SqlOptions{.query = "DELETE FROM events"});

  ASSERT_TRUE(sql.error);
  EXPECT_EQ(sql.error->code, ErrorCode::invalid_input);
  EXPECT_EQ(here.look(sql_command,
                      SqlOptions{.query = "SELECT count(*) = " + std::to_string(here.events) + " AS same FROM events"})
                .out,
            "same\n   1\n");
}

TEST(Sql, IsOneFormatAtATime) {
  SmallRun here;
  here.json = true;

  EXPECT_EQ(here.look(sql_command, SqlOptions{.query = "SELECT 1", .csv = true}).message(),
            "--csv and --json exclude each other; give one of them");
}

// ---- clean ----------------------------------------------------------------------------------------------------------

TEST(Clean, RemovesWhatEndedAttemptsLeftAndWhatIsShared) {
  SmallRun here;
  here.git("commit -q --allow-empty -m first");
  test::write_file(here.sdd() + "/worktrees/check-r1-t1.1/a.o", std::string(1500, 'x'));
  test::write_file(here.sdd() + "/pool/session-abcdef/files/a", std::string(300, 'x'));
  test::write_file(here.sdd() + "/setup/0123/files/a", std::string(400, 'x'));
  test::write_file(here.sdd() + "/trash/old/b.o", std::string(700, 'x'));
  fs::permissions(here.sdd() + "/trash/old", fs::perms::owner_read | fs::perms::owner_exec);

  const Looked clean = here.look(clean_command, CleanOptions{});

  EXPECT_EQ(clean.message(), "");
  EXPECT_EQ(clean.out,
            "removed check-r1-t1.1  1.5 kB\n"
            "removed pool  300 B\n"
            "removed setup  400 B\n"
            "removed trash  700 B\n"
            "freed 2.9 kB in 4 places; salvage refs stay\n");
  EXPECT_TRUE(fs::is_empty(here.sdd() + "/pool"));
  EXPECT_TRUE(fs::is_empty(here.sdd() + "/setup"));
  EXPECT_FALSE(fs::exists(here.sdd() + "/worktrees/check-r1-t1.1"));
  EXPECT_FALSE(fs::exists(here.sdd() + "/trash/old"));
}

TEST(Clean, OnlyTellsWhenItIsADryRun) {
  SmallRun here;
  test::write_file(here.sdd() + "/worktrees/check-r1-t1.1/a.o", "x");
  here.json = true;

  const Json json = Json::parse(here.look(clean_command, CleanOptions{.dry_run = true}).out);

  EXPECT_EQ(
      json,
      Json::parse(R"({"dry_run":true,"count":1,"bytes":1,"removed":[{"name":"check-r1-t1.1","bytes":1}],"kept":[]})"));
  EXPECT_TRUE(fs::exists(here.sdd() + "/worktrees/check-r1-t1.1/a.o"));
}

TEST(Clean, KeepsWhatIsAtWorkUnknownOrNotOurs) {
  Workplace here;
  here.git("commit -q --allow-empty -m first");
  World world(a_config());
  world.start({a_task(1)});
  here.append(world.log(), RunId{1});
  for (const char* name : {"session-r1-t1.1", "session-r1-t1.2", "session-r9-t1.1", "my-notes"}) {
    test::write_file(here.sdd() + "/worktrees/" + name + "/file", "x");
  }

  const Looked clean = here.look(clean_command, CleanOptions{});

  EXPECT_EQ(clean.out,
            "kept my-notes: Bernstein did not make it\n"
            "kept session-r1-t1.1: its attempt has not ended\n"
            "kept session-r1-t1.2: the log has no attempt t1.2 in r1\n"
            "kept session-r9-t1.1: the log has no run r9\n"
            "nothing to remove\n");
  EXPECT_TRUE(fs::exists(here.sdd() + "/worktrees/session-r1-t1.1/file"));
}

TEST(Clean, WaitsForNobodyWhoIsAtWork) {
  SmallRun here;
  const auto lock = store::acquire_lock(here.sdd() + "/lock");
  ASSERT_TRUE(lock);

  const Looked clean = here.look(clean_command, CleanOptions{});

  ASSERT_TRUE(clean.error);
  EXPECT_EQ(clean.error->code, ErrorCode::busy);
  EXPECT_NE(clean.message().find("process " + std::to_string(::getpid())), std::string::npos) << clean.message();
}

}  // namespace
}  // namespace bernstein::cli
