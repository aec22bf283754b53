#include "bernstein/plan/write.hpp"

#include <fstream>
#include <random>
#include <sstream>

#include "bernstein/base/text.hpp"
#include "plan_builders.hpp"
#include "support/dice.hpp"

namespace bernstein::plan {
namespace {

// What write_plan keeps: everything but warnings, with the ids that it had to make up.
void expect_same(const Plan& got, const Plan& wanted, const std::string& text) {
  ASSERT_EQ(got.name, wanted.name) << text;
  ASSERT_EQ(got.description, wanted.description) << text;
  ASSERT_EQ(got.settings.agent, wanted.settings.agent) << text;
  ASSERT_EQ(got.settings.model, wanted.settings.model) << text;
  ASSERT_EQ(got.settings.budget, wanted.settings.budget) << text;
  ASSERT_EQ(got.settings.budget_tokens, wanted.settings.budget_tokens) << text;
  ASSERT_EQ(got.settings.max_agents, wanted.settings.max_agents) << text;
  ASSERT_EQ(got.settings.constraints, wanted.settings.constraints) << text;
  ASSERT_EQ(got.settings.context_files, wanted.settings.context_files) << text;
  ASSERT_EQ(got.stages, wanted.stages) << text;
  ASSERT_EQ(got.tasks.size(), wanted.tasks.size()) << text;
  for (std::size_t i = 0; i < got.tasks.size(); ++i) {
    TaskSpec task = got.tasks[i];
    if (wanted.tasks[i].key.empty()) task.key = "";
    ASSERT_EQ(task.title, wanted.tasks[i].title) << text;
    ASSERT_EQ(task.description, wanted.tasks[i].description) << text;
    ASSERT_EQ(task, wanted.tasks[i]) << text;
  }
}

void expect_round_trip(const Plan& plan) {
  const std::string text = write_plan(plan);
  PlanResult result = parse_plan(text, {});
  ASSERT_TRUE(std::holds_alternative<Plan>(result)) << format("", std::get<Faults>(result)) << "\n" << text;
  const Plan& read = std::get<Plan>(result);
  ASSERT_EQ(read.warnings, std::vector<std::string>{}) << text;
  ASSERT_NO_FATAL_FAILURE(expect_same(read, plan, text));
  ASSERT_EQ(write_plan(read), text) << "a written plan is written the same";
}

TEST(WritePlan, WritesWhatAPersonWouldWrite) {
  const Plan plan = plan_of(R"(
name: Rate limiting
budget: 15
stages:
  - name: backend
    steps:
      - title: Token bucket
        description: "Time comes in as an argument.\n\n  - so tests need no clock\n"
        files: [src/limit/]
        estimated_minutes: 45
        completion_signals: [{type: path_exists, path: src/limit/a.py}, {type: gate, name: tests}]
      - {title: "Middleware: all", depends_on: [Token bucket], role: qa, priority: 1, scope: large}
  - name: docs
    depends_on: [backend]
    steps: [{title: "yes", completion_signals: [{type: test_passes, command: "make a", timeout: 90}]}]
)");
  EXPECT_EQ(write_plan(plan), R"(name: Rate limiting
budget: "$15.00"
stages:
  - name: backend
    steps:
      - title: Token bucket
        id: t1
        description: |
          Time comes in as an argument.

            - so tests need no clock
        files:
          - src/limit/
        estimated_minutes: 45
        completion_signals:
          - type: path_exists
            path: src/limit/a.py
      - title: "Middleware: all"
        depends_on:
          - t1
        role: qa
        priority: 1
        scope: large
  - name: docs
    depends_on:
      - backend
    steps:
      - title: "yes"
        completion_signals:
          - type: test_passes
            command: make a
            timeout: 90s
)");
}

TEST(WritePlan, AnIdThatIsMadeUpTakesNobodysPlace) {
  const Plan plan = plan_of(
      "stages: [{name: s, steps: [{title: a}, {title: b, id: t1}, {title: t1-step, depends_on: [a, t1]}, {title: d, "
      "depends_on: [t1-step]}]}]");
  const Plan read = plan_of(write_plan(plan));
  ASSERT_NO_FATAL_FAILURE(expect_same(read, plan, write_plan(plan)));
  EXPECT_EQ(read.tasks[0].key, "t1-step");
  EXPECT_EQ(read.tasks[2].key, "t3");
}

TEST(WritePlan, KeepsTheExampleOfTheDocumentation) {
  std::ifstream file(std::string(BERNSTEIN_SOURCE_DIR) + "/docs/plan.md");
  std::stringstream page;
  page << file.rdbuf();
  const std::string text = page.str();
  const std::size_t from = text.find("```yaml\n") + 8;
  expect_round_trip(plan_of(text.substr(from, text.find("\n```", from) + 1 - from)));
}

TEST(WritePlan, KeepsWhatOnlyOlderPlansCanSay) {
  expect_round_trip(plan_of(one_step("title: x, completion_signals: [{type: file_contains, value: \"a.py :: \"}]")));
}

class PlanMaker {
 public:
  explicit PlanMaker(std::uint64_t seed) : random_(seed) {}

  // As parse_plan would give it.
  Plan plan() {
    Plan plan;
    if (one_in(2)) plan.name = line();
    if (plan.name.empty()) plan.name = "plan";
    if (one_in(2)) plan.description = text();
    if (one_in(3)) plan.settings.agent = pin();
    if (one_in(3)) plan.settings.model = pin();
    if (one_in(3)) plan.settings.budget = UsdMicros{static_cast<std::int64_t>(1 + below(99'000'000))};
    if (one_in(3)) plan.settings.budget_tokens = 1 + below(99'000'000);
    if (one_in(3)) plan.settings.max_agents = 1 + below(1000);
    for (std::uint32_t n = below(3); n > 0; --n) plan.settings.constraints.push_back(text());
    for (std::uint32_t n = below(3); n > 0; --n) plan.settings.context_files.push_back(path());
    const std::uint32_t stages = 1 + below(3);
    for (std::uint32_t i = 0; i < stages; ++i) {
      StageSpec& stage = plan.stages.emplace_back();
      stage.name = line() + std::to_string(i);
      for (std::uint32_t other = 0; other < i; ++other) {
        if (one_in(2)) stage.depends_on.push_back(other);
      }
      stage.tasks = 1 + below(3);
      for (std::uint32_t n = 0; n < stage.tasks; ++n) plan.tasks.push_back(task(plan, i));
    }
    return plan;
  }

 private:
  std::uint32_t below(std::uint32_t limit) { return static_cast<std::uint32_t>(random_() % limit); }
  bool one_in(std::uint32_t times) { return below(times) == 0; }

  // Pieces of which each has broken some writer of YAML.
  std::string text() {
    static const std::vector<std::string> pieces{"a",
                                                 "word",
                                                 " ",
                                                 "  ",
                                                 "\n",
                                                 "\n\n",
                                                 "\t",
                                                 ":",
                                                 ": ",
                                                 "- ",
                                                 "-",
                                                 "#",
                                                 " #",
                                                 "'",
                                                 "\"",
                                                 "\\",
                                                 "\\n",
                                                 "|",
                                                 ">",
                                                 "|-",
                                                 "%",
                                                 "@",
                                                 "`",
                                                 "&a",
                                                 "*a",
                                                 "!",
                                                 "!!str",
                                                 "{",
                                                 "}",
                                                 "[",
                                                 "]",
                                                 ",",
                                                 "?",
                                                 "? ",
                                                 "~",
                                                 "null",
                                                 "yes",
                                                 "no",
                                                 "1e3",
                                                 "0x1F",
                                                 "---",
                                                 "...",
                                                 "<<",
                                                 "\x01",
                                                 "\x1B[31m",
                                                 "\x7F",
                                                 "\r",
                                                 "\r\n",
                                                 "\u0085",
                                                 "\u00A0",
                                                 "\u2028",
                                                 "\u2029",
                                                 "\uFEFF",
                                                 "\xEF\xBF\xBE",
                                                 "\xEF\xB7\x90",
                                                 "é",
                                                 "😀",
                                                 "漢字",
                                                 "x\n  y",
                                                 "\n---\n",
                                                 "\n- a: b\n",
                                                 "\n   \n",
                                                 "end ",
                                                 "# c",
                                                 "true"};
    std::string made;
    for (std::uint32_t n = 1 + below(7); n > 0; --n) made += pieces[below(static_cast<std::uint32_t>(pieces.size()))];
    return trim(made).empty() ? made + "x" : made;
  }
  std::string line() {
    const std::string made = on_one_line(text());
    return made.empty() ? "x" : made;
  }
  std::string pin() {
    const std::string made = line();
    return made == "auto" ? "" : made;
  }
  std::string path() {
    static const std::vector<std::string> paths{"src/",    "a b.py", "[id]/x.ts", "**/*.md", "no",  "1e3",      "@a/b",
                                                "é/ü.txt", "- x",    "a: b",      "#x",      "'q'", "x :: y.py"};
    return paths[below(static_cast<std::uint32_t>(paths.size()))];
  }

  TaskSpec task(const Plan& plan, std::uint32_t stage) {
    const TaskSpec usual;
    TaskSpec task;
    task.id = TaskId{static_cast<std::uint32_t>(plan.tasks.size() + 1)};
    task.stage = stage;
    task.depends_on_stages = plan.stages[stage].depends_on;
    task.title = line();
    task.description = one_in(3) ? task.title : text();
    if (one_in(2)) task.key = line() + to_string(task.id);
    for (const TaskSpec& other : plan.tasks) {
      if (one_in(3)) task.depends_on.push_back(other.id);
    }
    if (one_in(2)) task.role = line();
    if (one_in(2)) task.priority = 1 + below(5);
    if (one_in(2)) task.scope = Scope::large;
    if (one_in(2)) task.complexity = Complexity::low;
    if (one_in(2)) task.estimated_minutes = 1 + below(100'000);
    if (one_in(3)) task.agent = pin();
    if (one_in(3)) task.model = pin();
    if (one_in(3)) task.effort = "max";
    if (one_in(3)) task.budget_micros = UsdMicros{static_cast<std::int64_t>(1 + below(99'000'000))};
    for (std::uint32_t n = below(3); n > 0; --n) task.files.push_back(path());
    std::sort(task.files.begin(), task.files.end());
    task.files.erase(std::unique(task.files.begin(), task.files.end()), task.files.end());
    for (std::uint32_t n = below(4); n > 0; --n) task.signals.push_back(check());
    make_names_unique(task.signals);
    return task;
  }

  CheckSpec check() {
    CheckSpec check;
    check.type = static_cast<CheckType>(below(4));
    if (check.type == CheckType::command) {
      check.command = text();
      check.timeout_us = (1 + below(100'000)) * (one_in(2) ? 1000 : k_second);
      check.name = shortened("test_passes " + check.command, 60);
      check.flaky = one_in(3);
      return check;
    }
    check.path = path();
    if (check.type == CheckType::file_contains) check.contains = text();
    check.name = shortened(std::string(to_word(check.type)) + " " + check.path, 60);
    return check;
  }

  std::mt19937_64 random_;
};

TEST(WritePlan, WhatIsWrittenIsReadAsTheSamePlan) {
  const std::uint64_t seed = test::seed_of_test();
  PlanMaker maker(seed);
  for (int i = 0; i < test::times("BERNSTEIN_PLANS", 1500); ++i) {
    ASSERT_NO_FATAL_FAILURE(expect_round_trip(maker.plan())) << "plan " << i;
  }
}

}  // namespace
}  // namespace bernstein::plan
