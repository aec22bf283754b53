// Whatever a file holds, it ends as a plan or as faults with a message each. Runs for about two seconds; the seed is
// fixed unless BERNSTEIN_SEED says otherwise, and is printed with a failure.

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>

#include "bernstein/base/text.hpp"
#include "plan_builders.hpp"

namespace bernstein::plan {
namespace {

std::string read_example(const std::string& name) {
  std::ifstream file(std::string(BERNSTEIN_SOURCE_DIR) + "/docs/" + name);
  std::stringstream page;
  page << file.rdbuf();
  std::string text = page.str();
  std::size_t from = text.find("```yaml\n") + 8;
  return text.substr(from, text.find("\n```", from) + 1 - from);
}

std::uint32_t seed() {
  const char* given = std::getenv("BERNSTEIN_SEED");
  return given != nullptr ? static_cast<std::uint32_t>(std::strtoul(given, nullptr, 10)) : 8128;
}

class Mutator {
 public:
  explicit Mutator(std::uint32_t seed) : random_(seed) {}

  std::string mutate(std::string text) {
    for (std::size_t times = 1 + below(6); times > 0 && !text.empty(); --times) {
      std::size_t at = below(text.size());
      switch (below(5)) {
        case 0:
          text[at] = static_cast<char>(below(256));
          break;
        case 1:
          text.erase(at, 1 + below(20));
          break;
        case 2:
          text.insert(at, pieces()[below(pieces().size())]);
          break;
        case 3:
          text.insert(at, text.substr(below(text.size()), below(80)));
          break;
        case 4:
          text.resize(at);
          break;
        default:
          break;
      }
    }
    return text;
  }

 private:
  std::size_t below(std::size_t limit) { return static_cast<std::size_t>(random_()) % limit; }

  static const std::vector<std::string>& pieces() {
    static const std::vector<std::string> all{"[",      "]",           "{",     "}",     ":",    ": ", "- ",  "\n",
                                              "\n  ",   "&a ",         "*a",    "<<: ",  "\"",   "'",  "|\n", ">-\n",
                                              "!!str ", "%YAML",       "---\n", "...\n", "? ",   "#",  "\\x", "\\u12",
                                              "\t",     "99999999999", "~",     "../",   "null", "@"};
    return all;
  }

  std::mt19937 random_;
};

void expect_faults_say_something(const Faults& faults, const std::string& text) {
  ASSERT_FALSE(faults.empty()) << text;
  int line = 0;
  for (const Fault& fault : faults) {
    ASSERT_GE(fault.line, line) << "faults are sorted: " << text;
    ASSERT_FALSE(fault.message.empty()) << text;
    ASSERT_TRUE(is_valid_utf8(fault.message)) << text;
    ASSERT_EQ(fault.message.find('\x1B'), std::string::npos) << text;
    line = fault.line;
  }
}

TEST(Mutation, EveryTextEndsAsAPlanOrAsFaults) {
  SCOPED_TRACE("seed " + std::to_string(seed()));
  Mutator mutator(seed());
  const std::string valid = read_example("plan.md");
  ASSERT_EQ(faults_of(valid), "");
  int accepted = 0;
  int refused = 0;
  auto end = std::chrono::steady_clock::now() + std::chrono::seconds(1);
  for (int i = 0; i < 3000 && std::chrono::steady_clock::now() < end; ++i) {
    std::string text = mutator.mutate(valid);
    PlanResult result = parse_plan(text, {});
    if (const Faults* faults = std::get_if<Faults>(&result)) {
      ++refused;
      ASSERT_NO_FATAL_FAILURE(expect_faults_say_something(*faults, text));
      continue;
    }
    ++accepted;
    const Plan& plan = std::get<Plan>(result);
    ASSERT_FALSE(plan.tasks.empty()) << text;
    for (const TaskSpec& task : plan.tasks) {
      ASSERT_FALSE(task.title.empty()) << text;
      ASSERT_EQ(task.title.find('\n'), std::string::npos) << text;
      ASSERT_FALSE(task.description.empty()) << text;
      ASSERT_LT(task.stage, plan.stages.size()) << text;
      for (TaskId other : task.depends_on) ASSERT_LE(other.number, plan.tasks.size()) << text;
    }
  }
  EXPECT_GT(refused, 10);
  EXPECT_GT(accepted, 0);
}

TEST(Mutation, EveryTextEndsAsAConfigurationOrAsFaults) {
  SCOPED_TRACE("seed " + std::to_string(seed()));
  Mutator mutator(seed() + 1);
  const std::string valid = read_example("config.md");
  ASSERT_EQ(config_faults_of(valid), "");
  int accepted = 0;
  int refused = 0;
  auto end = std::chrono::steady_clock::now() + std::chrono::seconds(1);
  for (int i = 0; i < 3000 && std::chrono::steady_clock::now() < end; ++i) {
    std::string text = mutator.mutate(valid);
    ConfigResult result = parse_config(text, "bernstein.yaml");
    if (const Faults* faults = std::get_if<Faults>(&result)) {
      ++refused;
      ASSERT_NO_FATAL_FAILURE(expect_faults_say_something(*faults, text));
      continue;
    }
    ++accepted;
    for (const AgentSpec& agent : std::get<Config>(result).agents) {
      ASSERT_FALSE(agent.command.empty()) << text;
      ASSERT_FALSE(agent.models.empty()) << text;
    }
  }
  EXPECT_GT(refused, 10);
  EXPECT_GT(accepted, 0);
}

}  // namespace
}  // namespace bernstein::plan
