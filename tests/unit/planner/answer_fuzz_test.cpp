// Whatever a planner says, it ends as a plan that keeps the rules or as faults that say something.

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "answers.hpp"
#include "bernstein/base/path.hpp"
#include "bernstein/plan/plan.hpp"
#include "support/dice.hpp"

namespace bernstein::planner {
namespace {

Rules rules_for_goal() {
  return {.gates = {"tests", "lint"}, .tasks_max = 20};
}

Rules rules_for_split() {
  TaskSpec whole;
  whole.id = TaskId{4};
  whole.title = whole.description = "Whole";
  return {.gates = {"tests"}, .tasks_max = 20, .whole = whole, .first_id = TaskId{9}};
}

// What read_answer promises of a plan without faults.
void expect_rules_kept(const Answer& answer, const Rules& rules, const std::string& text) {
  ASSERT_FALSE(answer.tasks.empty()) << text;
  ASSERT_LE(answer.tasks.size(), rules.whole ? k_parts_max : rules.tasks_max) << text;
  ASSERT_EQ(answer.stages.empty(), rules.whole.has_value()) << text;
  std::set<TaskId> ids;
  for (const TaskSpec& task : answer.tasks) ids.insert(task.id);
  for (const TaskSpec& task : answer.tasks) {
    ASSERT_FALSE(task.title.empty()) << text;
    ASSERT_FALSE(task.description.empty()) << text;
    ASSERT_EQ(task.agent + task.model + task.effort, "") << text;
    for (const std::string& file : task.files) ASSERT_EQ(path_fault(file), std::nullopt) << text;
    for (const CheckSpec& check : task.signals) {
      ASSERT_NE(check.type, CheckType::command) << text;
      ASSERT_EQ(check.command, "") << text;
      ASSERT_EQ(path_fault(check.path), std::nullopt) << text;
    }
    for (const TaskId other : task.depends_on) {
      ASSERT_TRUE(ids.contains(other)) << text;
      ASSERT_NE(other, task.id) << text;
      ASSERT_TRUE(!rules.whole || other < task.id) << text;
    }
  }
  // The reader finds cycles; what was written is read again by the rules for anybody's plan.
  plan::PlanResult result = plan::parse_plan(answer.yaml, {});
  ASSERT_TRUE(std::holds_alternative<plan::Plan>(result)) << text << "\n" << answer.yaml;
}

// Whether it was accepted.
bool expect_sense(const std::string& text, const Rules& rules) {
  const Answer answer = read_answer(text, rules);
  EXPECT_LE(answer.faults.size(), k_answer_faults_max + 1) << text;
  for (const std::string& fault : answer.faults) {
    EXPECT_FALSE(fault.empty()) << text;
    EXPECT_TRUE(is_valid_utf8(fault)) << text;
    EXPECT_EQ(fault.find('\n'), std::string::npos) << fault;
    EXPECT_EQ(fault.find('\x1B'), std::string::npos) << fault;
  }
  if (answer.faults.empty()) {
    expect_rules_kept(answer, rules, text);
  } else {
    EXPECT_TRUE(answer.tasks.empty() && answer.stages.empty() && answer.yaml.empty()) << text;
  }
  return answer.faults.empty();
}

class Fuzz : public testing::Test {
 protected:
  std::size_t below(std::size_t limit) { return static_cast<std::size_t>(random_()) % limit; }

  // Pieces that a good answer could be spoiled with, or that only look like that.
  std::string piece() {
    static const std::vector<std::string> pieces{"{",
                                                 "}",
                                                 "[",
                                                 "]",
                                                 ",",
                                                 ":",
                                                 "\"",
                                                 "\\",
                                                 "\n",
                                                 "```\n",
                                                 "null",
                                                 "1e999",
                                                 "\xFF",
                                                 "\x01",
                                                 "é",
                                                 "\\u0000",
                                                 "\\ud800",
                                                 R"(, "cli": "claude")",
                                                 R"(, "budget": 5)",
                                                 R"("depends_on": ["docs"],)",
                                                 R"("files": ["/etc/passwd"],)",
                                                 R"("files": ["../x"],)",
                                                 R"("files": [".git/config"],)",
                                                 R"("files": ["a/.GIT/b"],)",
                                                 R"({"type": "test_passes", "command": "true"},)",
                                                 R"({"type": "test_passes", "value": "true"},)",
                                                 R"("command": "make",)",
                                                 R"("type": "test_passes",)",
                                                 "stages:\n",
                                                 "- ",
                                                 "*a",
                                                 "&a ",
                                                 "<<: "};
    return pieces[below(pieces.size())];
  }

  std::string mutated(std::string text) {
    for (std::size_t times = 1 + below(5); times > 0 && !text.empty(); --times) {
      const std::size_t at = below(text.size());
      switch (below(6)) {
        case 0:
          text[at] = static_cast<char>(below(256));
          break;
        case 1:
          text.erase(at, 1 + below(30));
          break;
        case 2:
          text.insert(at, piece());
          break;
        case 3:
          text.insert(at, text.substr(below(text.size()), below(100)));
          break;
        case 4:
          text.resize(at);
          break;
        default: {
          // Where a piece can take effect: before a key or an item.
          const std::size_t key = text.find(below(2) == 0 ? "\"files\"" : "{\"type\"", at);
          if (key != std::string::npos) text.insert(key, piece());
          break;
        }
      }
    }
    return text;
  }

  const std::uint64_t seed_ = test::seed_of_test();
  const int times_ = test::times("BERNSTEIN_ANSWERS", 4000);
  std::mt19937_64 random_{seed_};
};

TEST_F(Fuzz, SpoiledAnswersAreNeverAcceptedAgainstTheRules) {
  const std::string yaml = read_answer(k_good_answer, rules_for_goal()).yaml;
  ASSERT_NE(yaml, "");
  int accepted = 0;
  for (int i = 0; i < times_ && !HasFailure(); ++i) {
    const Rules rules = below(2) == 0 ? rules_for_goal() : rules_for_split();
    if (expect_sense(mutated(below(3) == 0 ? yaml : k_good_answer), rules)) ++accepted;
  }
  EXPECT_GT(accepted, 0);
  EXPECT_LT(accepted, times_);
}

TEST_F(Fuzz, RandomBytesAreNoPlan) {
  for (int i = 0; i < times_ && !HasFailure(); ++i) {
    std::string text;
    for (std::size_t n = below(300); n > 0; --n) text += static_cast<char>(below(256));
    if (below(3) == 0) text = "{" + text + "}";
    EXPECT_FALSE(expect_sense(text, rules_for_goal()));
  }
}

TEST_F(Fuzz, RandomPiecesNeverCrash) {
  for (int i = 0; i < times_ && !HasFailure(); ++i) {
    std::string text = below(2) == 0 ? "stages:\n" : "{";
    for (std::size_t n = below(30); n > 0; --n) text += piece();
    expect_sense(text, rules_for_goal());
  }
}

TEST_F(Fuzz, ACutAnswerIsNoPlan) {
  for (std::size_t length = 0; length < k_good_answer.size() && !HasFailure(); ++length) {
    EXPECT_FALSE(expect_sense(k_good_answer.substr(0, length), rules_for_goal())) << length;
  }
}

TEST_F(Fuzz, DeepNestingIsAFault) {
  for (const std::string& open : {std::string("["), std::string("{\"a\":"), std::string("{\"stages\":["),
                                  std::string("- "), std::string("stages:\n- ")}) {
    std::string text = "{\"stages\": ";
    for (int i = 0; i < 20'000; ++i) text += open;
    EXPECT_FALSE(expect_sense(text, rules_for_goal()));
    EXPECT_FALSE(expect_sense("stages:\n  " + text, rules_for_goal()));
    EXPECT_FALSE(expect_sense("```\n" + text + "\n```", rules_for_goal()));
  }
}

TEST_F(Fuzz, CyclesAreFaults) {
  for (int i = 0; i < times_ / 4 && !HasFailure(); ++i) {
    // Given steps that each wait for another one, some chain of them must close.
    const std::size_t count = 2 + below(8);
    std::vector<std::string> steps;
    for (std::size_t n = 0; n < count; ++n) {
      const std::string other = "s" + std::to_string((n + 1 + below(count - 1)) % count);
      steps.push_back(step("s" + std::to_string(n), R"(, "depends_on": [")" + other + R"("])"));
    }
    const Rules rules = below(2) == 0 ? rules_for_goal() : rules_for_split();
    EXPECT_FALSE(expect_sense(plan_with(steps), rules));
  }
}

}  // namespace
}  // namespace bernstein::planner
