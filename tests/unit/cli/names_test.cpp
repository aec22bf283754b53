#include "cli/names.hpp"

#include <gtest/gtest.h>

#include "small_story.hpp"
#include "support/memory_event_log.hpp"

namespace bernstein::cli {
namespace {

using test::MemoryEventLog;

// Runs r1, r2, ... of the same small story each.
MemoryEventLog log_of(std::uint32_t runs) {
  MemoryEventLog log;
  const test::World world = test::small_story();
  for (std::uint32_t run = 1; run <= runs; ++run) {
    EXPECT_TRUE(log.append(test::sealed(world.log(), RunId{run}, log.head().value())));
  }
  return log;
}

std::string fault(const Result<RunId>& result) {
  return result ? "found " + to_string(*result) : result.error().message;
}
std::string fault(const Result<TaskStory>& result) {
  return result ? "found " + to_string(result->spec.id) : result.error().message;
}

TEST(FindRun, TakesWhatAPersonTypes) {
  MemoryEventLog log = log_of(3);

  for (const char* typed : {"r2", "2", " r2 "})
    EXPECT_EQ(find_run(log, typed, std::nullopt).value(), RunId{2}) << typed;
  for (const char* typed : {"", "latest"}) EXPECT_EQ(find_run(log, typed, std::nullopt).value(), RunId{3}) << typed;
}

TEST(FindRun, SaysWhatThereIsWhenTheRunDoesNotExist) {
  MemoryEventLog log = log_of(3);

  const Result<RunId> run = find_run(log, "r7", std::nullopt);

  EXPECT_EQ(fault(run), "there is no run r7; there are r1 to r3");
  EXPECT_EQ(run.error().code, ErrorCode::not_found);
}

TEST(FindRun, NamesTheOnlyRun) {
  MemoryEventLog log = log_of(1);

  EXPECT_EQ(fault(find_run(log, "0", std::nullopt)), "'0' is no run; write r3, 3 or latest");
  EXPECT_EQ(fault(find_run(log, "r2", std::nullopt)), "there is no run r2; the only run is r1");
}

TEST(FindRun, GuessesAtATypingError) {
  MemoryEventLog log = log_of(1);

  EXPECT_EQ(fault(find_run(log, "lastest", std::nullopt)), "'lastest' is no run; did you mean 'latest'?");
  EXPECT_EQ(fault(find_run(log, "yesterday", std::nullopt)), "'yesterday' is no run; write r3, 3 or latest");
  EXPECT_EQ(fault(find_run(log, "99999999999999999999", std::nullopt)),
            "'99999999999999999999' is no run; write r3, 3 or latest");
}

TEST(FindRun, SaysHowToStartWhenThereIsNone) {
  MemoryEventLog log;

  EXPECT_EQ(fault(find_run(log, "", std::nullopt)), "there are no runs yet; start one with `bernstein run plan.yaml`");
}

TEST(ReadStory, FindsATaskByNumberRunOrKey) {
  MemoryEventLog log = log_of(2);

  for (const char* typed : {"t1", "1", "r2/t1", "latest/t1", "2/1", "middleware", "r2/middleware"}) {
    const Result<TaskStory> story = read_story(log, {.run = {}, .task = typed, .at = {}});
    ASSERT_TRUE(story) << typed << ": " << story.error().message;
    EXPECT_EQ(story->run, RunId{2}) << typed;
    EXPECT_EQ(story->spec.title, "Middleware") << typed;
    EXPECT_EQ(story->shown_attempt(), 1U) << typed;
  }
  EXPECT_EQ(read_story(log, {.run = {}, .task = "r1/t1", .at = {}})->run, RunId{1});
}

TEST(ReadStory, KeepsToTheTaskAndItsAttempts) {
  MemoryEventLog log = log_of(1);

  const TaskStory story = read_story(log, {.run = {}, .task = "t2", .at = {}}).value();

  EXPECT_EQ(story.attempts, 2U);
  EXPECT_TRUE(std::holds_alternative<TaskCreated>(story.events.front().body));
  for (const Event& event : story.events) EXPECT_EQ(event.subject.task, TaskId{2}) << event.seq;
}

TEST(ReadStory, ShowsOneAttemptWhenItIsNamed) {
  MemoryEventLog log = log_of(1);

  const TaskStory story = read_story(log, {.run = {}, .task = "t2.1", .at = {}}).value();

  EXPECT_EQ(story.shown_attempt(), 1U);
  ASSERT_FALSE(story.events.empty());
  for (const Event& event : story.events) EXPECT_EQ(to_string(event.subject), "t2.1") << event.seq;
}

TEST(ReadStory, EndsWhereAtSays) {
  MemoryEventLog log = log_of(1);
  const Seq first_assignment = [&] {
    for (const Record& record : log.records()) {
      if (record.type == "TaskAssigned" && record.subject == "t2.1") return record.seq;
    }
    return Seq{0};
  }();

  const TaskStory story = read_story(log, {.run = "r1", .task = "t2", .at = first_assignment}).value();

  EXPECT_EQ(story.events.back().seq, first_assignment);
  EXPECT_EQ(story.attempts, 1U);
}

TEST(ReadStory, SaysWhatTasksThereAre) {
  MemoryEventLog log = log_of(1);

  EXPECT_EQ(fault(read_story(log, {.run = {}, .task = "t9", .at = {}})), "r1 has no task t9; its tasks are t1 to t4");
  EXPECT_EQ(fault(read_story(log, {.run = {}, .task = "midleware", .at = {}})),
            "r1 has no task 'midleware'; did you mean 'middleware'?");
  EXPECT_EQ(fault(read_story(log, {.run = {}, .task = "auth", .at = {}})),
            "r1 has no task 'auth'; write t4, r3/t4 or, for an attempt, t4.2");
  EXPECT_EQ(fault(read_story(log, {.run = {}, .task = "r5/t1", .at = {}})), "there is no run r5; the only run is r1");
  EXPECT_EQ(fault(read_story(log, {.run = {}, .task = "", .at = {}})),
            "r1 has no task ''; write t4, r3/t4 or, for an attempt, t4.2");
}

TEST(ReadStory, SaysWhatAttemptsThereAre) {
  MemoryEventLog log = log_of(1);

  EXPECT_EQ(fault(read_story(log, {.run = {}, .task = "t2.3", .at = {}})),
            "t2 of r1 has no attempt 3; there are t2.1 to t2.2");
  EXPECT_EQ(fault(read_story(log, {.run = {}, .task = "t1.2", .at = {}})),
            "t1 of r1 has no attempt 2; the only one is t1.1");
  EXPECT_EQ(fault(read_story(log, {.run = {}, .task = "t4.1", .at = {}})), "t4 of r1 has no attempt 1; none has begun");
}

TEST(ReadStory, RefusesTwoDifferentRuns) {
  MemoryEventLog log = log_of(2);

  const Result<TaskStory> story = read_story(log, {.run = "r1", .task = "r2/t1", .at = {}});

  EXPECT_EQ(fault(story), "'r2/t1' is not a task of run r1; name one run");
  EXPECT_EQ(story.error().code, ErrorCode::invalid_input);
}

}  // namespace
}  // namespace bernstein::cli
