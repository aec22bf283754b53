#include "bernstein/planner/answer.hpp"

#include <gtest/gtest.h>

#include <chrono>

#include "answers.hpp"
#include "bernstein/plan/plan.hpp"

namespace bernstein::planner {
namespace {

using Texts = std::vector<std::string>;
using Ids = std::vector<TaskId>;

const std::string k_expected =
    "; answer with one JSON object {\"name\": ..., \"stages\": [...]} and nothing before or after it";

TEST(ReadAnswer, ReadsAPlanAsItsReaderWould) {
  const Answer answer = read_answer(k_good_answer, {.gates = {"tests"}});
  ASSERT_EQ(answer.faults, Texts{});
  EXPECT_EQ(answer.warnings, Texts{});
  EXPECT_EQ(answer.name, "Limits");
  ASSERT_EQ(answer.stages.size(), 2u);
  EXPECT_EQ(answer.stages[1].depends_on, std::vector<std::uint32_t>{0});
  ASSERT_EQ(answer.tasks.size(), 3u);
  EXPECT_EQ(answer.tasks[0].key, "bucket");
  EXPECT_EQ(answer.tasks[0].description, "Write it.\n\nTime \"comes in\": é 😀.");
  EXPECT_EQ(answer.tasks[0].priority, 1u);
  EXPECT_EQ(answer.tasks[0].complexity, Complexity::high);
  ASSERT_EQ(answer.tasks[0].signals.size(), 1u);
  EXPECT_EQ(answer.tasks[0].signals[0].contains, "class A");
  EXPECT_EQ(answer.tasks[1].depends_on, Ids{TaskId{1}});
  EXPECT_EQ(answer.tasks[1].description, "Middleware");
  EXPECT_EQ(answer.tasks[1].role, "backend");
  EXPECT_EQ(answer.tasks[2].depends_on_stages, std::vector<std::uint32_t>{0});
  EXPECT_EQ(answer.tasks[2].signals.size(), 2u);
}

TEST(ReadAnswer, WhatAPersonReadsIsThePlanThatIsUsed) {
  const Answer answer = read_answer(
      plan_with({R"({"title": "a"})", R"({"title": "b", "depends_on": ["a"], "description": "x\ny"})"}), {});
  ASSERT_EQ(answer.faults, Texts{});
  plan::PlanResult result = plan::parse_plan(answer.yaml, {});
  ASSERT_TRUE(std::holds_alternative<plan::Plan>(result));
  EXPECT_EQ(std::get<plan::Plan>(result).tasks, answer.tasks);
  EXPECT_EQ(std::get<plan::Plan>(result).stages, answer.stages);
  EXPECT_EQ(answer.tasks[0].key, "t1") << "an id that was made up for the text";
}

TEST(ReadAnswer, FindsThePlanInWhatStandsAroundIt) {
  const std::string plan = plan_with({step("a")});
  const Texts texts{
      plan,
      "\xEF\xBB\xBF" + plan + "\n",
      "Here it is:\n\n```json\n" + plan + "\n```\nGood luck!",
      "```\n" + plan + "\n```",
      "~~~~json\n" + plan + "\n~~~~",
      "````\n" + plan + "\n````",
      "```json\n" + plan,
      "Here it is: " + plan + " Good luck!",
      "I looked at {foo} first.\n" + plan + "\nGood luck!",
      "The config is\n```json\n{\"a\": 1}\n```\nand the plan\n```json\n" + plan + "\n```\n",
      "```sh\nls {a,b}\n```\n\n" + plan,
      "Draft and final are the same:\n```json\n" + plan + "\n```\n```json\n" + plan + "\n```\n",
  };
  for (const std::string& text : texts) {
    const Answer answer = read_answer(text, {});
    EXPECT_EQ(answer.faults, Texts{}) << text;
    EXPECT_EQ(answer.tasks.size(), 1u) << text;
  }
}

TEST(ReadAnswer, TakesYamlWhereThereIsNoJson) {
  const std::string plan =
      "name: P\nstages:\n  - name: all\n    steps:\n      - title: a\n        description: |\n"
      "          run\n          ```\n          x {y}\n          ```\n";
  for (const std::string& text : {plan, "The plan:\n\n```yaml\n" + plan + "```\n"}) {
    const Answer answer = read_answer(text, {});
    EXPECT_EQ(answer.faults, Texts{}) << text;
    ASSERT_EQ(answer.tasks.size(), 1u) << text;
    EXPECT_EQ(answer.tasks[0].description, "run\n```\nx {y}\n```\n");
  }
}

TEST(ReadAnswer, WhatIsNoPlanIsOneFaultThatSaysWhatWasExpected) {
  const std::string plan = plan_with({step("a")});
  EXPECT_EQ(faults_of(""), "the answer is no plan: it is empty" + k_expected);
  EXPECT_EQ(faults_of(" \n"), "the answer is no plan: it is empty" + k_expected);
  EXPECT_EQ(faults_of("I could not do it."), "the answer is no plan: there is no JSON object in it" + k_expected);
  EXPECT_EQ(faults_of(plan.substr(0, plan.size() / 2)), "the answer is no plan: its JSON ends too early" + k_expected);
  EXPECT_EQ(faults_of("The plan: {\"name\": "), "the answer is no plan: its JSON ends too early" + k_expected);
  EXPECT_EQ(faults_of(R"({"name": "x", stages: []})"),
            "the answer is no plan: its JSON is wrong after '{\"name\": \"x\",'" + k_expected);
  EXPECT_EQ(faults_of("[1, 2]"), "the answer is no plan: there is no JSON object in it" + k_expected);
  EXPECT_EQ(faults_of(R"({"result": "ok"})"), "the answer is no plan: its JSON object has no 'stages'" + k_expected);
  EXPECT_EQ(faults_of("```json\n" + plan + "\n```\n```json\n" + plan_with({step("b")}) + "\n```"),
            "the answer is no plan: there are 2 in it" + k_expected);
  EXPECT_EQ(faults_of(R"({"name": "x", "stages": [], "name": "y"})"),
            "the answer is no plan: the key 'name' stands twice in one object of it" + k_expected);
  EXPECT_EQ(faults_of(R"({"stages": )" + std::string(50'000, '[')),
            "the answer is no plan: it is nested deeper than 32 levels" + k_expected);
  EXPECT_EQ(faults_of("{\"stages\": [], \"x\": \"" + std::string(11 << 20, 'x') + "\"}"),
            "the answer is no plan: it is over 10 MB" + k_expected);
}

TEST(ReadAnswer, FaultsNameStepsAndNoLines) {
  EXPECT_EQ(faults_of(plan_with({step("a", R"(, "depends_on": ["bb"])"), step("b"), step("b")})),
            "step id 'b' stands twice; rename one\n"
            "step 'a' depends on unknown step 'bb'; did you mean 'b'?");
  EXPECT_EQ(faults_of(R"({"name": "x", "stages": []})"),
            "the plan has no stages; write at least one stage with a step");
  EXPECT_EQ(faults_of(plan_with({step("a", R"(, "depends_on": ["b"])"), step("b", R"(, "depends_on": ["a"])")})),
            "these wait for each other: a -> b -> a; remove one of the dependencies");
  EXPECT_EQ(faults_of("stages: x: y"), "YAML does not parse: illegal map value; check quotes and indentation");
}

TEST(ReadAnswer, RefusesWhatAModelMayNotBring) {
  EXPECT_EQ(
      faults_of(plan_with({step("a", signal(R"({"type": "test_passes", "command": "rm -rf /"})"))})),
      "step 'a': signal 1 is a command: a plan that a model wrote may not bring commands; name a gate: {type: gate, "
      "name: tests}");
  EXPECT_EQ(faults_of(plan_with({step("a", R"(, "cli": "claude")")})),
            "step 'a' has 'cli', which the person decides and not the plan; leave it out");
  EXPECT_EQ(faults_of(plan_with({step("a", signal(R"({"type": "gate", "name": "test"})"))})),
            "step 'a': signal 1 names the unknown gate 'test'; did you mean 'tests'?");
  for (const char* path : {"/etc/passwd", "../x", "a/../../b", ".git/config", "a/.GIT/x", "~/x", "a\\\\b", ""}) {
    EXPECT_NE(faults_of(plan_with({step("a", R"(, "files": [")" + std::string(path) + R"("])")})), "") << path;
    for (const char* type : {"path_exists", "glob_exists", "file_contains"}) {
      EXPECT_NE(faults_of(plan_with({step("a", signal(R"({"type": ")" + std::string(type) +
                                                      R"(", "contains": "x", "path": ")" + path + R"("})"))})),
                "")
          << path << " " << type;
    }
  }
}

TEST(ReadAnswer, TellsAtMostTwentyFaultsAndCountsTheRest) {
  Texts steps;
  for (int i = 0; i < 90; ++i) steps.push_back(step("s" + std::to_string(i), R"(, "priority": 9)"));
  const Answer answer = read_answer(plan_with(steps), {});
  ASSERT_EQ(answer.faults.size(), 21u);
  EXPECT_EQ(answer.faults[19], "step 's19' has '9' for 'priority'; write 1 (most urgent) to 5, or p0 to p4");
  EXPECT_EQ(answer.faults[20], "and 70 more");
  EXPECT_TRUE(answer.tasks.empty());
  EXPECT_EQ(answer.yaml, "");

  while (steps.size() < 1500) steps.push_back(steps.front());
  const Answer larger = read_answer(plan_with(steps), {.gates = {}, .tasks_max = 5000});
  ASSERT_EQ(larger.faults.size(), 21u);
  EXPECT_EQ(larger.faults[20], "and at least 980 more");
}

TEST(ReadAnswer, TooManyStepsAreOneFaultInAShortTime) {
  std::string text = R"({"name": "x", "stages": [{"name": "s", "steps": [{"title": "a"})";
  for (int i = 1; i < 1'000'000; ++i) text += ",{\"a\":1}";
  text += "]}]}";
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(faults_of(text), "the plan has 1000000 steps, and may have at most 100; plan fewer and larger steps");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60));
}

// Each is small enough as JSON. Written for a person, it takes more room, or its brackets stand in another order.
TEST(ReadAnswer, APlanThatCannotBeWrittenIsAFault) {
  TaskSpec whole;
  whole.id = TaskId{4};
  whole.title = whole.description = "Whole";
  const std::string close(15'000, ']');
  const std::string open(15'000, '[');
  const Texts more{R"(, "description": ")" + std::string(3 << 20, '\x7F') + R"(")",
                   R"(, "description": ")" + open + close + open + R"(")", R"(, "description": ")" + open + R"(")"};
  for (const std::string& keys : more) {
    for (const Rules& rules : {Rules{}, Rules{.gates = {}, .tasks_max = 5, .whole = whole, .first_id = TaskId{9}}}) {
      const Answer answer = read_answer(plan_with({step("a", keys), step("b" + close, keys)}), rules);
      EXPECT_EQ(answer.faults.empty(), !answer.tasks.empty());
      EXPECT_EQ(answer.faults.empty(), !answer.yaml.empty());
    }
  }
  EXPECT_EQ(faults_of(plan_with({step("a", more[0])})),
            "step 'a' has 3145728 bytes for 'description'; at most 32768 are all right");
}

TEST(ReadAnswer, TwoPlansAreNoneHoweverTheyStand) {
  const std::string one = plan_with({step("a")});
  const std::string two = plan_with({step("b")});
  EXPECT_EQ(read_answer(one + "\n" + one + "\n", {}).faults, Texts{}) << "the same twice is one";
  for (const std::string& text : {one + "\n" + two, "first:\n" + one + "\nor:\n" + two + "\nAs you like.",
                                  "```\n" + one + "\n```\n```\n" + two + "\n```"}) {
    ASSERT_EQ(read_answer(text, {}).faults.size(), 1u) << text;
    EXPECT_NE(read_answer(text, {}).faults[0].find("there are 2 in it"), std::string::npos) << text;
  }
  EXPECT_EQ(read_answer(one + "\nIt follows {see docs} and } of \"it.", {}).faults, Texts{});
  EXPECT_EQ(read_answer("I looked at {x and\n" + one, {}).faults, Texts{});
}

TEST(ReadAnswer, TextsHaveToFitTheirPlaces) {
  const auto fault = [](const std::string& keys) { return faults_of(plan_with({step("a", keys)})); };
  EXPECT_NE(fault(R"(, "role": "--yolo")").find("write one word in small letters"), std::string::npos);
  EXPECT_NE(fault(R"(, "role": "a b")").find("write one word in small letters"), std::string::npos);
  EXPECT_NE(fault(R"(, "description": ")" + std::string(40'000, 'x') + R"(")").find("40000 bytes"), std::string::npos);
  EXPECT_NE(faults_of(plan_with({R"({"title": ")" + std::string(400, 'x') + R"("})"})).find("400 bytes"),
            std::string::npos);
  EXPECT_EQ(fault(R"(, "role": "ml-engineer_2")"), "");
}

TEST(ReadAnswer, KeepsEveryCharacterOfATextInJson) {
  const Texts texts{"a: b",      "- x",     "#",     "yes",     "1e3",     "~",
                    "'\"\\\\\"", "a\\nb",   "\\t x", "\\u0001", "\\u2028", "\\ud83d\\ude00",
                    "%",         "{a: *b}", "\x7F",  "\xC2\x85"};
  const Texts wanted{"a: b", "- x",          "#", "yes", "1e3",     "~",    "'\"\\\"", "a\nb", "\t x",
                     "\x01", "\xE2\x80\xA8", "😀", "%",   "{a: *b}", "\x7F", "\xC2\x85"};
  for (std::size_t i = 0; i < texts.size(); ++i) {
    std::string text = replace_all(texts[i], "'\"", "'\\\"");
    text = replace_all(text, "\\\\\"", "\\\\\\\"");
    const Answer answer = read_answer(plan_with({step("a", R"(, "description": "x)" + text + R"(x")")}), {});
    ASSERT_EQ(answer.faults, Texts{}) << texts[i];
    EXPECT_EQ(answer.tasks[0].description, "x" + wanted[i] + "x") << texts[i];
  }
}

TEST(ReadAnswer, BytesThatAreNotUtf8CostOnlyThemselves) {
  const Answer answer = read_answer(plan_with({step("a", ", \"description\": \"x\xFFy\"")}), {});
  ASSERT_EQ(answer.faults, Texts{});
  EXPECT_EQ(answer.tasks[0].description, "x\xEF\xBF\xBDy");
}

TEST(ReadAnswer, KeysThatMeanNothingAreWarnings) {
  const Answer answer = read_answer(plan_with({step("a", R"(, "mood": "good", "reasons": ["x"])")}), {});
  EXPECT_EQ(answer.faults, Texts{});
  EXPECT_EQ(answer.warnings,
            (Texts{"the answer: key 'mood' is not used here", "the answer: key 'reasons' is not used here"}));
}

}  // namespace
}  // namespace bernstein::planner
