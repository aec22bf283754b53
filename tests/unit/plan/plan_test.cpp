#include "bernstein/plan/plan.hpp"

#include <chrono>

#include "plan_builders.hpp"

namespace bernstein::plan {
namespace {

using Numbers = std::vector<std::uint32_t>;
using Ids = std::vector<TaskId>;
using Texts = std::vector<std::string>;

TEST(Plan, NumbersStepsInFileOrderAndFillsDefaults) {
  Plan plan = plan_of(R"(
stages:
  - name: one
    steps:
      - title: First
      - goal: Second
  - name: two
    steps: [{title: Third}]
)");
  ASSERT_EQ(plan.tasks.size(), 3u);
  ASSERT_EQ(plan.stages.size(), 2u);
  EXPECT_EQ(plan.name, "plan");
  EXPECT_EQ(plan.stages[0], (StageSpec{{}, "one", 2}));
  TaskSpec expected;
  expected.id = TaskId{2};
  expected.title = "Second";
  expected.description = "Second";
  expected.estimated_minutes = 30;
  expected.priority = 2;
  expected.role = "backend";
  expected.scope = Scope::medium;
  expected.complexity = Complexity::medium;
  EXPECT_EQ(plan.tasks[1], expected);
  EXPECT_EQ(plan.tasks[2].stage, 1u);
  EXPECT_EQ(plan.warnings, Texts{});
}

TEST(Plan, ReadsEveryKey) {
  Plan plan = plan_of(R"(
name: "Rate limiting"
description: Protect the API
cli: codex
model: opus
budget: "$15"
max_agents: 3
constraints: ["No new dependencies"]
context_files: [./docs//a.md]
stages:
  - name: backend
    steps:
      - title: Middleware
        id: middleware
        description: "Do it\nwell"
        role: backend
        priority: p0
        scope: large
        complexity: low
        files: ["./src/limit/", "src/**/*.py", src/limit/]
        cli: claude
        model: haiku
        effort: max
        estimated_minutes: 45
)");
  EXPECT_EQ(plan.name, "Rate limiting");
  EXPECT_EQ(plan.description, "Protect the API");
  EXPECT_EQ(plan.settings.agent, "codex");
  EXPECT_EQ(plan.settings.model, "opus");
  EXPECT_EQ(plan.settings.budget, UsdMicros{15'000'000});
  EXPECT_EQ(plan.settings.max_agents, 3u);
  EXPECT_EQ(plan.settings.constraints, Texts{"No new dependencies"});
  EXPECT_EQ(plan.settings.context_files, Texts{"docs/a.md"});
  ASSERT_EQ(plan.tasks.size(), 1u);
  const TaskSpec& task = plan.tasks[0];
  EXPECT_EQ(task.key, "middleware");
  EXPECT_EQ(task.description, "Do it\nwell");
  EXPECT_EQ(task.priority, 1u);
  EXPECT_EQ(task.scope, Scope::large);
  EXPECT_EQ(task.complexity, Complexity::low);
  EXPECT_EQ(task.files, (Texts{"src/**/*.py", "src/limit/"}));  // normalised, sorted, each once
  EXPECT_EQ(task.agent, "claude");
  EXPECT_EQ(task.model, "haiku");
  EXPECT_EQ(task.effort, "max");
  EXPECT_EQ(task.estimated_minutes, 45u);
}

TEST(Plan, TakesAutoForNoPin) {
  Plan plan = plan_of("cli: auto\nmodel: auto\n" + one_step("title: x, cli: auto, model: auto, effort: auto"));
  EXPECT_EQ(plan.settings.agent, "");
  EXPECT_EQ(plan.settings.model, "");
  EXPECT_EQ(plan.tasks[0].agent, "");
  EXPECT_EQ(plan.tasks[0].model, "");
  EXPECT_EQ(plan.tasks[0].effort, "");
}

TEST(Plan, ReadsPrioritiesAsNumbersAndAsP0ToP4) {
  for (std::uint32_t i = 1; i <= 5; ++i) {
    EXPECT_EQ(plan_of(one_step("title: x, priority: " + std::to_string(i))).tasks[0].priority, i);
    EXPECT_EQ(plan_of(one_step("title: x, priority: p" + std::to_string(i - 1))).tasks[0].priority, i);
  }
  EXPECT_EQ(plan_of(one_step("title: x, priority: \"P1\"")).tasks[0].priority, 2u);
}

TEST(Plan, ReadsBudgetsAsTextAndAsNumbers) {
  EXPECT_EQ(plan_of("budget: 15\n" + one_step("title: x")).settings.budget, UsdMicros{15'000'000});
  EXPECT_EQ(plan_of("budget: 15.5\n" + one_step("title: x")).settings.budget, UsdMicros{15'500'000});
  EXPECT_EQ(plan_of("budget: \"$0.25\"\n" + one_step("title: x")).settings.budget, UsdMicros{250'000});
  EXPECT_EQ(plan_of(one_step("title: x")).settings.budget, std::nullopt);
}

TEST(Plan, ReadsABudgetOfTokensAndOneOfAStep) {
  EXPECT_EQ(plan_of("budget_tokens: 5M\n" + one_step("title: x")).settings.budget_tokens, 5'000'000);
  EXPECT_EQ(plan_of(one_step("title: x, budget: 2.50")).tasks[0].budget_micros, UsdMicros{2'500'000});
  EXPECT_EQ(plan_of(one_step("title: x")).tasks[0].budget_micros, std::nullopt);
}

TEST(Plan, TakesABudgetOfZeroForNoLimitAndSaysSo) {
  Plan plan = plan_of("name: x\nbudget: \"$0\"\n" + one_step("title: x"));
  EXPECT_EQ(plan.settings.budget, std::nullopt);
  EXPECT_EQ(plan.warnings,
            Texts{"plan.yaml:2: the plan has a budget of 0, which sets no limit; remove it, or write an amount"});
}

TEST(Plan, PutsTitlesOnOneLineAndLeavesDescriptionsAsTheyAre) {
  Plan plan = plan_of(R"(
stages:
  - name: s
    steps:
      - title: |
          Write it
            down
        description: |
          First

            second
)");
  EXPECT_EQ(plan.tasks[0].title, "Write it down");
  EXPECT_EQ(plan.tasks[0].description, "First\n\n  second\n");
}

TEST(Plan, KeepsEscapeSequencesOutOfTitles) {
  EXPECT_EQ(plan_of(one_step("title: \"a\\e[31mb\"")).tasks[0].title, "a\xEF\xBF\xBD[31mb");
}

TEST(Plan, KeepsStageDependenciesAsStages) {
  Plan plan = plan_of(R"(
stages:
  - {name: release, depends_on: [docs, build, docs], steps: [{title: ship}]}
  - {name: build, steps: [{title: a}, {title: b}]}
  - {name: docs, depends_on: [build], steps: [{title: c}]}
)");
  EXPECT_EQ(plan.stages[0].depends_on, (Numbers{1, 2}));  // forward references, sorted, each once
  EXPECT_EQ(plan.stages[2].depends_on, Numbers{1});
  EXPECT_EQ(plan.tasks[0].depends_on_stages, (Numbers{1, 2}));
  EXPECT_EQ(plan.tasks[0].depends_on, Ids{});
  EXPECT_EQ(plan.tasks[1].depends_on_stages, Numbers{});
}

TEST(Plan, ResolvesStepsByIdFirstAndByTitleWhenOnlyOneHasIt) {
  Plan plan = plan_of(R"(
stages:
  - name: s
    steps:
      - {title: later, depends_on: [last, b]}
      - {title: b}
      - {title: other, id: b}
      - {title: last}
)");
  EXPECT_EQ(plan.tasks[0].depends_on, (Ids{TaskId{3}, TaskId{4}}));  // b is an id before it is a title
}

TEST(Plan, ReadsEverySignal) {
  Plan plan = plan_of(R"(
stages:
  - name: s
    steps:
      - title: x
        completion_signals:
          - {type: path_exists, path: "./src/a.py"}
          - {type: glob_exists, value: "tests/**/*limit*"}
          - {type: file_contains, path: app.py, contains: "def create_app"}
          - {type: test_passes, command: "pytest -q"}
          - {type: test_passes, command: "make test", timeout: 90s, flaky: true}
)");
  const std::vector<CheckSpec> expected{
      {"", "", false, "path_exists src/a.py", "src/a.py", 0, CheckType::path_exists},
      {"", "", false, "glob_exists tests/**/*limit*", "tests/**/*limit*", 0, CheckType::glob_exists},
      {"", "def create_app", false, "file_contains app.py", "app.py", 0, CheckType::file_contains},
      {"pytest -q", "", false, "test_passes pytest -q", "", 10 * k_minute, CheckType::command},
      {"make test", "", true, "test_passes make test", "", 90 * k_second, CheckType::command},
  };
  EXPECT_EQ(plan.tasks[0].signals, expected);
}

TEST(Plan, ReadsSignalsAsOlderPlansWriteThem) {
  Plan plan =
      plan_of(one_step("title: x, completion_signals: ["
                       "{type: path_exists, value: a.py}, {type: test_passes, value: make}, "
                       "{type: file_contains, value: \"app.py :: def main :: x\"}, "
                       "{type: file_contains, value: app.py, contains: y}]"));
  const std::vector<CheckSpec> expected{
      {"", "", false, "path_exists a.py", "a.py", 0, CheckType::path_exists},
      {"make", "", false, "test_passes make", "", 10 * k_minute, CheckType::command},
      {"", "def main :: x", false, "file_contains app.py", "app.py", 0, CheckType::file_contains},
      {"", "y", false, "file_contains app.py (2)", "app.py", 0, CheckType::file_contains},
  };
  EXPECT_EQ(plan.tasks[0].signals, expected);
}

TEST(Plan, GivesSignalsShortUniqueNames) {
  std::string command(100, 'x');
  Plan plan = plan_of(one_step("title: t, completion_signals: [{type: test_passes, command: " + command +
                               "}, {type: test_passes, command: " + command + "y}, {type: test_passes, command: z}]"));
  std::string cut = "test_passes " + std::string(45, 'x') + "...";
  ASSERT_EQ(plan.tasks[0].signals.size(), 3u);
  EXPECT_EQ(cut.size(), 60u);
  EXPECT_EQ(plan.tasks[0].signals[0].name, cut);
  EXPECT_EQ(plan.tasks[0].signals[1].name, cut + " (2)");
  EXPECT_EQ(plan.tasks[0].signals[1].command, command + "y");
  EXPECT_EQ(plan.tasks[0].signals[2].name, "test_passes z");
}

TEST(Plan, UsesTheCheckTimeoutThatItIsGiven) {
  PlanResult result = parse_plan(one_step("title: x, completion_signals: [{type: test_passes, command: y}]"),
                                 {.check_timeout_us = 7 * k_second});
  ASSERT_TRUE(std::holds_alternative<Plan>(result));
  EXPECT_EQ(std::get<Plan>(result).tasks[0].signals[0].timeout_us, 7 * k_second);
}

// Every key that the Python Bernstein reads from a plan, as its documentation shows them.
TEST(Plan, LoadsPlansOfThePythonBernsteinAndNamesEachUnusedKeyOnce) {
  Plan plan = plan_of(R"(
name: "Everything"
description: d
cli: claude
budget: 20
max_agents: 2
constraints: []
context_files: []
repos:
  - {path: ../other, branch: main, name: other}
stages:
  - name: one
    description: what it is for
    repo: other
    steps:
      - title: a
        role: ci-fixer
        mode: batch
        repo: other
        depends_on_repo: other
        phases: [research, plan, implement, verify]
        attachments: [a.png]
        story: none of the two knows this one
      - goal: b
        mode: batch
)");
  EXPECT_EQ(plan.tasks.size(), 2u);
  EXPECT_EQ(
      plan.warnings,
      (Texts{"plan.yaml:9: key 'repos' is not used here", "plan.yaml:13: key 'description' is not used here",
             "plan.yaml:14: key 'repo' is not used here, nor at 1 other place",
             "plan.yaml:18: key 'mode' is not used here, nor at 1 other place",
             "plan.yaml:20: key 'depends_on_repo' is not used here", "plan.yaml:21: key 'phases' is not used here",
             "plan.yaml:22: key 'attachments' is not used here", "plan.yaml:23: key 'story' is not used here"}));
}

TEST(Plan, PassesOverSignalsThatAskAModelAndSaysSo) {
  Plan plan =
      plan_of(one_step("title: x, completion_signals: [{type: llm_review, value: a}, {type: path_exists, path: b}]"));
  ASSERT_EQ(plan.tasks[0].signals.size(), 1u);
  EXPECT_EQ(plan.tasks[0].signals[0].path, "b");
  EXPECT_EQ(
      plan.warnings,
      Texts{"plan.yaml:1: a signal of type 'llm_review' asks a model and is passed over; write a check that proves "
            "it, such as {type: test_passes, command: \"pytest -q\"}"});
}

TEST(Plan, TakesEmptyValuesForAbsentOnes) {
  Plan plan = plan_of("budget:\n" + one_step("title: x, description: , role: ~, files: , completion_signals: , id: "));
  EXPECT_EQ(plan.tasks[0].description, "x");
  EXPECT_EQ(plan.tasks[0].role, "backend");
}

TEST(Plan, TakesAnyScalarWhereTextBelongs) {
  Plan plan = plan_of(one_step("title: 2024, completion_signals: [{type: test_passes, command: true}]"));
  EXPECT_EQ(plan.tasks[0].title, "2024");
  EXPECT_EQ(plan.tasks[0].signals[0].command, "true");
}

TEST(Plan, WorksWithAnchorsAndMergeKeys) {
  Plan plan = plan_of(R"(
stages:
  - name: s
    steps:
      - &base
        title: one
        role: docs
        priority: 1
        files: &files [docs/]
      - <<: *base
        title: two
        priority: 3
      - {title: three, files: *files}
)");
  ASSERT_EQ(plan.tasks.size(), 3u);
  EXPECT_EQ(plan.tasks[1].title, "two");
  EXPECT_EQ(plan.tasks[1].role, "docs");
  EXPECT_EQ(plan.tasks[1].priority, 3u);
  EXPECT_EQ(plan.tasks[2].files, Texts{"docs/"});
}

// A step for each line, each waiting for the one before, in a hundred stages that wait for each other. Generous, so
// that a busy machine and sanitizers pass; resolution by pairs would take minutes.
TEST(Plan, ReadsTenThousandStepsQuickly) {
  std::string text = "stages:\n";
  for (int s = 0; s < 100; ++s) {
    text += "- name: s" + std::to_string(s) + "\n";
    if (s > 0) text += "  depends_on: [s" + std::to_string(s - 1) + "]\n";
    text += "  steps:\n";
    for (int t = 0; t < 100; ++t) {
      std::string id = std::to_string(s) + "-" + std::to_string(t);
      text += "  - {title: Step " + id + ", id: x" + id + ", files: [src/" + id + ".cpp]";
      if (t > 0) text += ", depends_on: [x" + std::to_string(s) + "-" + std::to_string(t - 1) + "]";
      text += "}\n";
    }
  }
  auto start = std::chrono::steady_clock::now();
  Plan plan = plan_of(text);
  auto took = std::chrono::steady_clock::now() - start;
  EXPECT_EQ(plan.tasks.size(), 10'000u);
  EXPECT_EQ(plan.tasks[9'999].depends_on, Ids{TaskId{9'999}});
  EXPECT_EQ(plan.tasks[9'999].depends_on_stages, Numbers{98});
  EXPECT_LT(took, std::chrono::seconds(20));
}

}  // namespace
}  // namespace bernstein::plan
