// What a plan may not do when a model wrote it, and signals that name a gate.

#include <chrono>

#include "plan_builders.hpp"

namespace bernstein::plan {
namespace {

using Texts = std::vector<std::string>;

PlanOptions by_model(ModelRules rules = {.gates = {"tests", "lint"}}) {
  PlanOptions options;
  options.by_model = std::move(rules);
  return options;
}

PlanOptions with_gates(Texts gates) {
  PlanOptions options;
  options.gates = std::move(gates);
  return options;
}

std::string signal(const std::string& keys) {
  return one_step("title: x, completion_signals: [{" + keys + "}]");
}

TEST(Gates, ASignalThatNamesAGateAddsNoCheck) {
  const Plan plan =
      plan_of(one_step("title: x, completion_signals: [{type: gate, name: tests}, {type: path_exists, path: a}, {type: "
                       "gate, name: q}]"));
  ASSERT_EQ(plan.tasks[0].signals.size(), 1u);
  EXPECT_EQ(plan.tasks[0].signals[0].name, "path_exists a");
  EXPECT_EQ(plan.warnings, Texts{});
}

TEST(Gates, AnUnknownNameIsAFaultWhereTheGatesAreKnown) {
  EXPECT_EQ(faults_of(signal("type: gate, name: tests"), with_gates({"lint", "tests"})), "");
  EXPECT_EQ(faults_of(signal("type: gate, name: test"), with_gates({"lint", "tests"})),
            "plan.yaml:1: step 'x': signal 1 names the unknown gate 'test'; did you mean 'tests'?");
  EXPECT_EQ(faults_of(signal("type: gate, name: quality"), with_gates({"lint", "tests"})),
            "plan.yaml:1: step 'x': signal 1 names the unknown gate 'quality'; gates are lint, tests");
  EXPECT_EQ(
      faults_of(signal("type: gate, name: tests"), with_gates({})),
      "plan.yaml:1: step 'x': signal 1 names the unknown gate 'tests'; the project has none: leave the signal out");
}

TEST(Gates, AGateHasANameAndNothingElse) {
  EXPECT_EQ(faults_of(signal("type: gate")),
            "plan.yaml:1: step 'x': signal 1 has no 'name'; write {type: gate, name: tests}");
  EXPECT_EQ(faults_of(signal("type: gate, name: tests, command: make")),
            "plan.yaml:1: step 'x': signal 1 has 'command', which gate does not look at; write "
            "{type: gate, name: tests}");
}

TEST(ModelRules, ACommandIsAFaultThatNamesAGate) {
  EXPECT_EQ(
      faults_of(signal("type: test_passes, command: 'true'"), by_model()),
      "plan.yaml: step 'x': signal 1 is a command: a plan that a model wrote may not bring commands; name a gate: "
      "{type: gate, name: tests}");
  EXPECT_EQ(faults_of(signal("type: test_passes, value: 'true'"), by_model({})),
            "plan.yaml: step 'x': signal 1 is a command: a plan that a model wrote may not bring commands; look at "
            "files: {type: path_exists, path: src/a.py}");
}

TEST(ModelRules, NoOtherSignalTakesACommand) {
  for (const char* type :
       {"path_exists", "glob_exists", "file_contains", "gate", "llm_judge", "llm_review", "command"}) {
    EXPECT_NE(faults_of(signal(std::string("type: ") + type + ", command: make, path: a, contains: b"), by_model()), "")
        << type;
  }
  EXPECT_EQ(faults_of(signal("type: llm_judge"), by_model()),
            "plan.yaml: step 'x': signal 1 has the unknown type 'llm_judge'; known are path_exists, glob_exists, "
            "file_contains, gate");
}

TEST(ModelRules, GatesAreTheRulesOwn) {
  PlanOptions options = by_model();
  options.gates = Texts{"other"};
  EXPECT_EQ(faults_of(signal("type: gate, name: lint"), options), "");
  EXPECT_EQ(faults_of(signal("type: gate, name: lints"), options),
            "plan.yaml: step 'x': signal 1 names the unknown gate 'lints'; did you mean 'lint'?");
}

TEST(ModelRules, WhatThePersonDecidesIsAFault) {
  const std::string remedy = ", which the person decides and not the plan; leave it out";
  for (const char* key :
       {"cli", "agent", "model", "budget", "budget_tokens", "max_agents", "constraints", "context_files"}) {
    EXPECT_EQ(faults_of(std::string(key) + ": 1\n" + one_step("title: x"), by_model()),
              "plan.yaml: the plan has '" + std::string(key) + "'" + remedy);
  }
  for (const char* key : {"cli", "agent", "model", "effort", "budget"}) {
    EXPECT_EQ(faults_of(one_step("title: x, " + std::string(key) + ": high"), by_model()),
              "plan.yaml: step 'x' has '" + std::string(key) + "'" + remedy);
  }
}

TEST(ModelRules, TheSamePlanIsFineFromAPerson) {
  EXPECT_EQ(
      faults_of("budget: 1\n" + one_step("title: x, cli: codex, completion_signals: [{type: test_passes, command: "
                                         "make}]")),
      "");
}

TEST(ModelRules, EmptyTextsOfASignalCountAsAbsent) {
  PlanResult result = parse_plan(
      one_step("title: x, id: '', role: '', completion_signals: [{type: path_exists, path: a, contains: '', name: ''}, "
               "{type: gate, path: '', contains: null, name: lint}]"),
      by_model());
  ASSERT_TRUE(std::holds_alternative<Plan>(result)) << format("", std::get<Faults>(result));
  const TaskSpec& task = std::get<Plan>(result).tasks[0];
  EXPECT_EQ(task.signals.size(), 1u);
  EXPECT_EQ(task.role, "backend");
  EXPECT_EQ(std::get<Plan>(result).warnings, Texts{});
}

TEST(ModelRules, RoleAndPriorityOfStepsThatNameNone) {
  const PlanOptions options = by_model({.role = "docs", .priority = 4});
  PlanResult result =
      parse_plan("stages: [{name: s, steps: [{title: a}, {title: b, role: qa, priority: 1}]}]", options);
  ASSERT_TRUE(std::holds_alternative<Plan>(result));
  const Plan& plan = std::get<Plan>(result);
  EXPECT_EQ(plan.tasks[0].role, "docs");
  EXPECT_EQ(plan.tasks[0].priority, 4u);
  EXPECT_EQ(plan.tasks[1].role, "qa");
  EXPECT_EQ(plan.tasks[1].priority, 1u);
}

TEST(ModelRules, FaultsAndWarningsNameStepsAndNoLines) {
  EXPECT_EQ(faults_of("stages:\n- name: s\n  steps:\n  - {title: a, id: i, priority: 9}\n  - {title: b, id: i}\n",
                      by_model()),
            "plan.yaml: step 'a' has '9' for 'priority'; write 1 (most urgent) to 5, or p0 to p4\n"
            "plan.yaml: step id 'i' stands twice; rename one");
  PlanResult result = parse_plan(one_step("title: a, mood: good"), by_model());
  ASSERT_TRUE(std::holds_alternative<Plan>(result));
  EXPECT_EQ(std::get<Plan>(result).warnings, Texts{"plan.yaml: key 'mood' is not used here"});
}

TEST(ModelRules, TooManyStepsAreOneFaultHoweverMany) {
  for (const std::size_t count : {std::size_t{101}, std::size_t{10'000}, std::size_t{1'000'000}}) {
    std::string text = "stages:\n- name: a\n  steps:\n  - {title: x, priority: 77}\n- name: b\n  steps:\n";
    for (std::size_t i = 1; i < count; ++i) text += "  - {}\n";
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(faults_of(text, by_model()), "plan.yaml: the plan has " + std::to_string(count) +
                                               " steps, and may have at most 100; plan fewer and larger steps");
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60)) << count;
  }
  std::string text = "stages: [{name: a, steps: [{title: x}";
  for (int i = 1; i < 100; ++i) text += ", {title: x}";
  EXPECT_EQ(faults_of(text + "]}]", by_model()), "");
}

}  // namespace
}  // namespace bernstein::plan
