// A task that is split into parts.

#include <gtest/gtest.h>

#include "answers.hpp"
#include "bernstein/plan/plan.hpp"

namespace bernstein::planner {
namespace {

using Texts = std::vector<std::string>;

CheckSpec command(const std::string& name) {
  CheckSpec check;
  check.type = CheckType::command;
  check.name = "test_passes make " + name;
  check.command = "make " + name;
  check.timeout_us = k_minute;
  return check;
}

CheckSpec path_exists(const std::string& path) {
  CheckSpec check;
  check.name = "path_exists " + path;
  check.path = path;
  return check;
}

TaskSpec whole() {
  TaskSpec task;
  task.id = TaskId{4};
  task.agent = "codex";
  task.model = "strong";
  task.effort = "high";
  task.role = "qa";
  task.priority = 1;
  task.stage = 2;
  task.depends_on_stages = {0, 1};
  task.depends_on = {TaskId{2}};
  task.files = {"src/"};
  task.title = "Whole";
  task.description = "All of it";
  task.signals = {command("all"), path_exists("a")};
  return task;
}

Rules rules() {
  return {.gates = {"tests"}, .tasks_max = 100, .whole = whole(), .first_id = TaskId{9}};
}

std::vector<std::uint32_t> numbers(const std::vector<TaskId>& ids) {
  std::vector<std::uint32_t> found;
  for (const TaskId id : ids) found.push_back(id.number);
  return found;
}

TEST(Split, PartsTakeThePlaceOfTheWhole) {
  const Answer answer = read_answer(
      plan_with({step("a", R"(, "role": "docs", "priority": 3, "files": ["src/a/"])"), step("b"), R"({"title": "c"})"}),
      rules());
  ASSERT_EQ(answer.faults, Texts{});
  EXPECT_TRUE(answer.stages.empty());
  ASSERT_EQ(answer.tasks.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    const TaskSpec& part = answer.tasks[i];
    EXPECT_EQ(part.id, TaskId{static_cast<std::uint32_t>(9 + i)});
    EXPECT_EQ(part.stage, 2u);
    EXPECT_TRUE(part.depends_on_stages.empty());
    EXPECT_EQ(part.part_of, whole().id);
    EXPECT_EQ(part.agent, "codex");
    EXPECT_EQ(part.model, "strong");
    EXPECT_EQ(part.effort, "high");
  }
  EXPECT_EQ(answer.tasks[0].role, "docs");
  EXPECT_EQ(answer.tasks[0].priority, 3u);
  EXPECT_EQ(answer.tasks[0].files, Texts{"src/a/"});
  EXPECT_EQ(answer.tasks[1].role, "qa");
  EXPECT_EQ(answer.tasks[1].priority, 1u);
  EXPECT_EQ(answer.tasks[1].files, Texts{"src/"});
  EXPECT_EQ(answer.tasks[0].key, "t4-a");
  EXPECT_EQ(answer.tasks[2].key, "t4-3");
}

TEST(Split, TheLastPartWaitsForAllAndCarriesTheChecksOfTheWhole) {
  const Answer answer = read_answer(
      plan_with({step("a", signal(R"({"type": "path_exists", "path": "a"})")), step("b"),
                 step("c", signal(R"({"type": "path_exists", "path": "a"}, {"type": "gate", "name": "tests"})"))}),
      rules());
  ASSERT_EQ(answer.faults, Texts{});
  EXPECT_EQ(numbers(answer.tasks[0].depends_on), (std::vector<std::uint32_t>{}));
  EXPECT_EQ(numbers(answer.tasks[1].depends_on), (std::vector<std::uint32_t>{}));
  EXPECT_EQ(numbers(answer.tasks[2].depends_on), (std::vector<std::uint32_t>{9, 10}));
  EXPECT_EQ(answer.tasks[0].signals, std::vector<CheckSpec>{path_exists("a")});
  std::vector<CheckSpec> expected{path_exists("a"), command("all"), path_exists("a")};
  expected[2].name = "path_exists a (2)";
  EXPECT_EQ(answer.tasks[2].signals, expected);
}

TEST(Split, ThePartThatNoneWaitsForComesLast) {
  const Answer answer = read_answer(
      plan_with({step("end", R"(, "depends_on": ["b"])"), step("a"), step("b", R"(, "depends_on": ["a"])")}), rules());
  ASSERT_EQ(answer.faults, Texts{});
  EXPECT_EQ(answer.tasks[0].key, "t4-a");
  EXPECT_EQ(answer.tasks[1].key, "t4-b");
  EXPECT_EQ(answer.tasks[2].key, "t4-end");
  EXPECT_EQ(numbers(answer.tasks[2].depends_on), (std::vector<std::uint32_t>{9, 10}));
  EXPECT_EQ(answer.tasks[2].signals.size(), 2u);
}

TEST(Split, StagesOfTheAnswerBecomeDependenciesOfTasks) {
  const Answer answer = read_answer(
      R"({"name": "P", "stages": [
        {"name": "two", "depends_on": ["one"], "steps": [)" +
          step("c") + ", " + step("d") + R"(]},
        {"name": "one", "steps": [)" +
          step("a") + ", " + step("b") + "]}]}",
      rules());
  ASSERT_EQ(answer.faults, Texts{});
  Texts keys;
  for (const TaskSpec& part : answer.tasks) keys.push_back(part.key);
  EXPECT_EQ(keys, (Texts{"t4-a", "t4-b", "t4-c", "t4-d"}));
  EXPECT_EQ(numbers(answer.tasks[2].depends_on), (std::vector<std::uint32_t>{9, 10}));
  EXPECT_EQ(numbers(answer.tasks[3].depends_on), (std::vector<std::uint32_t>{9, 10, 11}));
}

TEST(Split, APartOfItsOwnOrMoreThanFiveAreRefused) {
  EXPECT_EQ(faults_of(plan_with({step("a")}), rules()), "the plan has 1 step; a task is split into 2 to 5");
  EXPECT_EQ(faults_of(plan_with({step("a"), step("b"), step("c"), step("d"), step("e"), step("f")}), rules()),
            "the plan has 6 steps, and may have at most 5; plan fewer and larger steps");
}

TEST(Split, KeysAreUniqueAmongTheParts) {
  const Answer answer = read_answer(plan_with({R"({"title": "x"})", step("1"), R"({"title": "x"})"}), rules());
  ASSERT_EQ(answer.faults, Texts{});
  EXPECT_EQ(answer.tasks[0].key, "t4-1-part");
  EXPECT_EQ(answer.tasks[1].key, "t4-1");
  EXPECT_EQ(answer.tasks[2].key, "t4-3");
}

TEST(Split, ThePartsAreAPlanThatAPersonCanRead) {
  const Answer answer = read_answer(plan_with({step("a"), step("b")}), rules());
  ASSERT_EQ(answer.faults, Texts{});
  plan::PlanResult result = plan::parse_plan(answer.yaml, {});
  ASSERT_TRUE(std::holds_alternative<plan::Plan>(result)) << answer.yaml;
  const plan::Plan& plan = std::get<plan::Plan>(result);
  EXPECT_EQ(plan.stages[0].name, "parts of t4");
  ASSERT_EQ(plan.tasks.size(), 2u);
  EXPECT_EQ(plan.tasks[1].key, "t4-b");
  EXPECT_EQ(plan.tasks[1].signals, whole().signals);
}

}  // namespace
}  // namespace bernstein::planner
