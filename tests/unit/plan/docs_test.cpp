// The examples of docs/plan.md and docs/config.md are what they say they are.

#include <fstream>
#include <sstream>

#include "bernstein/base/text.hpp"
#include "plan_builders.hpp"

namespace bernstein::plan {
namespace {

std::string read_page(const std::string& name) {
  std::ifstream file(std::string(BERNSTEIN_SOURCE_DIR) + "/docs/" + name);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// The first ```yaml block of a page.
std::string example_of(const std::string& page) {
  const std::string opening = "```yaml\n";
  std::size_t from = page.find(opening);
  if (from == std::string::npos) return "";
  from += opening.size();
  return page.substr(from, page.find("\n```", from) + 1 - from);
}

TEST(Docs, ThePlanExampleLoadsWithoutWarnings) {
  std::string text = example_of(read_page("plan.md"));
  ASSERT_NE(text, "");
  Plan plan = plan_of(text);
  EXPECT_EQ(plan.tasks.size(), 3u);
  EXPECT_EQ(plan.warnings, std::vector<std::string>{});
}

TEST(Docs, TheConfigurationExampleLoadsWithoutWarnings) {
  std::string text = example_of(read_page("config.md"));
  ASSERT_NE(text, "");
  Config config = config_of(text);
  EXPECT_EQ(config.agents.size(), 2u);
  EXPECT_EQ(config.gates.size(), 2u);
  EXPECT_EQ(config.warnings, std::vector<std::string>{});
}

// A page that forgets a key is found by its readers; one that invents a key is found here.
TEST(Docs, EveryKeyOfTheTablesIsAccepted) {
  auto keys_of = [](const std::string& page, const std::string& section) {
    std::vector<std::string> keys;
    std::size_t from = page.find(section + "\n");
    EXPECT_NE(from, std::string::npos) << section;
    if (from == std::string::npos) return keys;
    std::size_t to = page.find("\n## ", from + 2);
    for (std::string_view line : split(std::string_view(page).substr(from, to - from), '\n')) {
      if (line.starts_with("| `")) keys.emplace_back(line.substr(3, line.find('`', 3) - 3));
    }
    EXPECT_FALSE(keys.empty()) << section;
    return keys;
  };
  std::string page = read_page("plan.md");
  for (const std::string& key : keys_of(page, "## Step")) {
    if (key == "title") continue;
    EXPECT_EQ(plan_of(one_step("title: x, " + key + ": ")).warnings, std::vector<std::string>{}) << key;
  }
  for (const std::string& key : keys_of(page, "## Top")) {
    if (key == "stages") continue;
    EXPECT_EQ(plan_of(key + ":\n" + one_step("title: x")).warnings, std::vector<std::string>{}) << key;
  }
  page = read_page("config.md");
  for (const std::string& key : keys_of(page, "# bernstein.yaml")) EXPECT_EQ(config_faults_of(key + ":\n"), "") << key;
  for (const char* section : {"landing", "limits", "worktree_setup", "routing"}) {
    for (const std::string& key : keys_of(page, std::string("## ") + section)) {
      EXPECT_EQ(config_faults_of(std::string(section) + ": {" + key + ": }\n"), "") << key;
    }
  }
  for (const std::string& key : keys_of(page, "## agents")) {
    if (key == "command") continue;
    EXPECT_EQ(config_faults_of("agents: {a: {command: [x], " + key + ": }}\n"), "") << key;
  }
}

}  // namespace
}  // namespace bernstein::plan
