// The views, on a small run written by hand: t1 lands, t2 fails and lands at the second attempt, t3 fails for good, t4
// is blocked by it, t5 is at work, t6 waits.
#include <gtest/gtest.h>

#include "bernstein/store/store.hpp"
#include "support/temp_directory.hpp"
#include "unit/store/sealer.hpp"

namespace bernstein::test {
namespace {

TaskId t(std::uint32_t number) {
  return TaskId{number};
}
AttemptId attempt(std::uint32_t task, std::uint32_t number = 1) {
  return {TaskId{task}, number};
}

class Views : public testing::Test {
 protected:
  void happens(Subject subject, EventBody body) {
    ASSERT_TRUE(log_->append(std::vector{sealer_.next({subject, std::move(body)})}));
  }
  void task_is_created(std::uint32_t task, const std::string& role = "backend") {
    TaskSpec spec;
    spec.id = t(task);
    spec.title = "Title " + std::to_string(task);
    spec.role = role;
    happens(about(t(task)), TaskCreated{.chain_minutes = 30, .spec = spec});
  }
  void starts(AttemptId id, const std::string& agent = "claude", const std::string& model = "haiku") {
    happens(about(id), TaskAssigned{.agent = agent, .model = model});
  }
  void exits(AttemptId id, Usage usage = {}, int code = 0) {
    happens(about(id), AgentExited{.cost_source = usage.cost_micros ? CostSource::reported : CostSource::unknown,
                                   .exit_code = code,
                                   .usage = usage});
  }
  void lands(AttemptId id) {
    happens(about(id), CandidateRequested{});
    happens(about(id), VerdictReached{.verdict = Verdict::passed});
    happens(about(id), MergeRequested{});
    happens(about(id), MergeLanded{.commit = "c-" + to_string(id), .parent = "p", .tree = "tree"});
  }
  void fails(AttemptId id, FailureClass why = FailureClass::task) { happens(about(id), AttemptFailed{.class_ = why}); }

  // An answer as lines of cells joined by '|', "-" for NULL.
  std::string answer(const std::string& sql) {
    const Result<port::Table> table = log_->query(sql);
    if (!table) return table.error().message;
    std::string text;
    for (const auto& row : table->rows) {
      for (std::size_t i = 0; i < row.size(); ++i) {
        text += i == 0 ? "" : "|";
        text += row[i].type == port::Table::Type::null ? "-" : row[i].text;
      }
      text += '\n';
    }
    return text;
  }
  std::string status_of(std::uint32_t task) {
    return answer("SELECT status FROM tasks WHERE task = '" + to_string(t(task)) + "'");
  }

  void the_small_run() {
    happens(about_run(), RunStarted{.goal = "Rate limiting"});  // 1
    for (const std::uint32_t task : {1U, 2U, 3U, 4U, 5U, 6U})
      task_is_created(task, task == 2 ? "docs" : "backend");                                   // 2-7
    for (const std::uint32_t task : {1U, 2U, 3U, 5U}) happens(about(t(task)), TaskReadied{});  // 8-11
    starts(attempt(1));                                                                        // 12
    exits(attempt(1),
          {.cached_tokens = 5, .cost_micros = UsdMicros{1'500}, .input_tokens = 7, .output_tokens = 9});  // 13
    lands(attempt(1));                                                                                    // 14-17
    starts(attempt(2));                                                                                   // 18
    exits(attempt(2), {.cost_micros = UsdMicros{200}}, 1);                                                // 19
    fails(attempt(2));                                                                                    // 20
    happens(about(t(2)), TaskRetried{});                                                                  // 21
    starts(attempt(2, 2), "codex", "strong-1");                                                           // 22
    exits(attempt(2, 2));                                                                                 // 23
    lands(attempt(2, 2));                                                                                 // 24-27
    starts(attempt(3));                                                                                   // 28
    exits(attempt(3), {}, 137);                                                                           // 29
    fails(attempt(3), FailureClass::quota);                                                               // 30
    happens(about(t(3)), TaskFailed{});                                                                   // 31
    happens(about(t(4)), TaskBlocked{.by = t(3)});                                                        // 32
    starts(attempt(5));                                                                                   // 33
  }

  static std::string wall_of(Seq seq) { return std::to_string(k_first_wall_us + (seq - 1) * k_second); }

  const TempDirectory directory_;
  std::unique_ptr<port::EventLog> log_ = store::open_log((directory_.path() / "state.db").string()).value();
  Sealer sealer_;
};

TEST_F(Views, AreEmptyForAnEmptyLog) {
  for (const char* view : {"runs", "tasks", "attempts", "routes", "checks", "merges", "costs"}) {
    EXPECT_EQ(answer(std::string("SELECT * FROM ") + view), "") << view;
  }
}

TEST_F(Views, Tasks) {
  the_small_run();
  EXPECT_EQ(answer("SELECT * FROM tasks"),
            "r1|t1|Title 1|backend|landed|1|claude|haiku|1500|c-t1.1\n"
            "r1|t2|Title 2|docs|landed|2|codex|strong-1|200|c-t2.2\n"
            "r1|t3|Title 3|backend|failed|1|claude|haiku|-|-\n"
            "r1|t4|Title 4|backend|blocked|0|-|-|-|-\n"
            "r1|t5|Title 5|backend|running|1|claude|haiku|-|-\n"
            "r1|t6|Title 6|backend|waiting|0|-|-|-|-\n");
}

TEST_F(Views, TasksStandInTheOrderOfThePlan) {
  for (std::uint32_t task = 1; task <= 11; ++task) task_is_created(task);
  EXPECT_EQ(answer("SELECT group_concat(task, ' ') FROM tasks"), "t1 t2 t3 t4 t5 t6 t7 t8 t9 t10 t11\n");
}

TEST_F(Views, StatusFollowsTheLastEventThatChangesIt) {
  const AttemptId first = attempt(1);
  task_is_created(1);
  EXPECT_EQ(status_of(1), "waiting\n");
  happens(about(t(1)), TaskReadied{});
  EXPECT_EQ(status_of(1), "ready\n");
  happens(about(first), RouteChosen{});
  EXPECT_EQ(status_of(1), "ready\n");
  starts(first);
  happens(about(first), SpawnRequested{});
  EXPECT_EQ(status_of(1), "running\n");
  exits(first);
  happens(about(first), WorkCaptured{});
  EXPECT_EQ(status_of(1), "reported\n");
  happens(about(first), CandidateRequested{});
  happens(about(first), CheckFinished{});
  EXPECT_EQ(status_of(1), "verifying\n");
  happens(about(first), VerdictReached{.verdict = Verdict::unverified});
  happens(about(first), MergeRequested{});
  EXPECT_EQ(status_of(1), "verified\n");
  happens(about(first), MergeRefused{});
  EXPECT_EQ(status_of(1), "verifying\n");
  happens(about(first), VerdictReached{.verdict = Verdict::failed});
  EXPECT_EQ(status_of(1), "verifying\n");
  fails(first);
  EXPECT_EQ(status_of(1), "verifying\n");
  happens(about(t(1)), TaskRetried{});
  EXPECT_EQ(status_of(1), "ready\n");
  starts(attempt(1, 2));
  exits(attempt(1, 2));
  lands(attempt(1, 2));
  happens(about(attempt(1, 2)), WorktreeRemoved{});
  EXPECT_EQ(status_of(1), "landed\n");
}

TEST_F(Views, AnAgentThatDidNotEndWellHasNotReported) {
  for (const AgentExited& exit : {AgentExited{.exit_code = 1}, AgentExited{.stopped = true},
                                  AgentExited{.timed_out = true}, AgentExited{.stalled = true}}) {
    static std::uint32_t task = 0;
    task_is_created(++task);
    starts(attempt(task));
    happens(about(attempt(task)), exit);
    EXPECT_EQ(status_of(task), "running\n");
  }
}

TEST_F(Views, Attempts) {
  the_small_run();
  EXPECT_EQ(answer("SELECT * FROM attempts"),
            "r1|t1|1|claude|haiku|" + wall_of(12) + "|" + wall_of(17) + "|landed|0|7|9|5|1500|reported\n" +
                "r1|t2|1|claude|haiku|" + wall_of(18) + "|" + wall_of(20) + "|task|1|-|-|-|200|reported\n" +
                "r1|t2|2|codex|strong-1|" + wall_of(22) + "|" + wall_of(27) + "|landed|0|-|-|-|-|unknown\n" +
                "r1|t3|1|claude|haiku|" + wall_of(28) + "|" + wall_of(30) + "|quota|137|-|-|-|-|unknown\n" +
                "r1|t5|1|claude|haiku|" + wall_of(33) + "|-|-|-|-|-|-|-|-\n");
  EXPECT_EQ(answer("SELECT DISTINCT typeof(attempt) FROM attempts"), "integer\n");
}

TEST_F(Views, Runs) {
  the_small_run();
  EXPECT_EQ(answer("SELECT * FROM runs"), "r1|Rate limiting|running|" + wall_of(1) + "|-|6|2|2|1700\n");
  happens(about_run(), RunFinished{.failed = 4, .landed = 2, .outcome = RunOutcome::stopped});
  sealer_.in(RunId{2});
  happens(about_run(), RunStarted{.goal = "Nothing yet"});
  EXPECT_EQ(answer("SELECT * FROM runs"), "r1|Rate limiting|stopped|" + wall_of(1) + "|" + wall_of(34) +
                                              "|6|2|2|1700\n" + "r2|Nothing yet|running|" + wall_of(35) +
                                              "|-|0|0|0|-\n");
}

TEST_F(Views, KeepRunsApart) {
  the_small_run();
  sealer_.in(RunId{2});
  happens(about_run(), RunStarted{.goal = "Again"});
  task_is_created(1, "qa");
  happens(about(t(1)), TaskReadied{});
  starts(attempt(1), "gemini", "pro");
  exits(attempt(1), {.cost_micros = UsdMicros{7}});
  EXPECT_EQ(answer("SELECT run, role, status, agent, cost_micros FROM tasks WHERE task = 't1'"),
            "r1|backend|landed|claude|1500\nr2|qa|reported|gemini|7\n");
  EXPECT_EQ(answer("SELECT task, role, agent, cost_micros FROM costs WHERE run = 'r2'"), "t1|qa|gemini|7\n");
  EXPECT_EQ(answer("SELECT run, attempt, agent FROM attempts WHERE run = 'r2'"), "r2|1|gemini\n");
  EXPECT_EQ(answer("SELECT run, tasks, landed, cost_micros FROM runs"), "r1|6|2|1700\nr2|1|0|7\n");
}

TEST_F(Views, Routes) {
  happens(about(attempt(3, 2)),
          RouteChosen{.arm = {"my \"agent\"", "big-1", "strong"},
                      .features = {{"complexity", 2}, {"bias", 1}},
                      .probabilities_ppm = {{"a/cheap", 20'000}, {"my \"agent\"/strong", 980'000}},
                      .rule = "static",
                      .scores = {{"a/cheap", "-0x1p+0"}}});
  happens(about(attempt(4)),
          RouteChosen{.arm = {"a", "m", "cheap"}, .probabilities_ppm = {{"a/cheap", 1'000'000}}, .rule = "pin"});
  EXPECT_EQ(answer("SELECT * FROM routes"),
            "r1|t3|2|my \"agent\"/strong|static|0.98|{\"bias\":1,\"complexity\":2}|{\"a/cheap\":\"-0x1p+0\"}\n"
            "r1|t4|1|a/cheap|pin|1|{}|{}\n");
  EXPECT_EQ(answer("SELECT DISTINCT typeof(propensity) FROM routes"), "real\n");
}

TEST_F(Views, Checks) {
  happens(about(attempt(1)),
          CheckFinished{.duration_us = 5, .name = "tests", .tree = "t", .verdict = CheckVerdict::timed_out});
  happens(about(attempt(2)), CheckReused{.from = 1, .name = "tests", .tree = "t", .verdict = CheckVerdict::timed_out});
  EXPECT_EQ(answer("SELECT * FROM checks"), "r1|t1|1|tests|t|timed_out|5|0\nr1|t2|1|tests|t|timed_out|-|1\n");
}

TEST_F(Views, Merges) {
  the_small_run();
  EXPECT_EQ(answer("SELECT * FROM merges"),
            "r1|t1|1|c-t1.1|p|tree|" + wall_of(17) + "\nr1|t2|2|c-t2.2|p|tree|" + wall_of(27) + "\n");
}

TEST_F(Views, Costs) {
  the_small_run();
  EXPECT_EQ(answer("SELECT * FROM costs"),
            "r1|2026-03-01|backend|t1|1|claude|haiku|7|9|1500\n"
            "r1|2026-03-01|docs|t2|1|claude|haiku|-|-|200\n"
            "r1|2026-03-01|docs|t2|2|codex|strong-1|-|-|-\n"
            "r1|2026-03-01|backend|t3|1|claude|haiku|-|-|-\n");
}

}  // namespace
}  // namespace bernstein::test
