#include "cli/check_environment.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "bernstein/base/sha256.hpp"
#include "support/temp_directory.hpp"
#include "workplace.hpp"

namespace bernstein::cli {
namespace {

namespace fs = std::filesystem;

CheckEnvironment an_environment() {
  return {.copied = {{".env", "a"}},
          .linked = {{"/r/node_modules", {{"left-pad", "4096 1.000000000"}}}},
          .machine = "Linux\nhost\n6.1\n#1\nx86_64\n",
          .sandbox = SandboxMode::automatic,
          .variables = {{"PATH", "/bin"}}};
}

TEST(CheckEnvironment, TheDigestTellsApartWhateverDiffers) {
  std::vector<CheckEnvironment> others(9, an_environment());
  others[0].copied[".env"] = "b";
  others[1].copied["more"] = "";
  others[2].linked["/r/node_modules"]["left-pad"] = "4096 2.000000000";
  others[3].linked["/r/node_modules"]["right-pad"] = "";
  others[4].linked["/r/.venv"] = {};
  others[5].machine += "x";
  others[6].sandbox = SandboxMode::off;
  others[7].variables["PATH"] = "/usr/bin";
  others[8].variables = {{"PAT", "H/bin"}};
  std::set<std::string> digests{digest_of(an_environment())};
  for (const CheckEnvironment& other : others) digests.insert(digest_of(other));
  EXPECT_EQ(digests.size(), others.size() + 1);
  EXPECT_EQ(digests.begin()->size(), 64U);
  EXPECT_EQ(digest_of(an_environment()), digest_of(an_environment()));
}

class Gathering : public testing::Test {
 protected:
  Gathering() {
    write(".gitignore", "*.local\nsecrets/\nnode_modules/\n");
    write(".env.local", "A=1\n");
    write("node_modules/left-pad/index.js", "module.exports = 1\n");
  }

  void write(const std::string& path, const std::string& text) {
    const fs::path place = fs::path(here_.root()) / path;
    fs::create_directories(place.parent_path());
    std::ofstream(place, std::ios::binary) << text;
  }

  CheckEnvironment gather(const WorktreeSetup& setup) {
    std::ostringstream out;
    const Context context{
        .directory = here_.root(), .environment = environment_, .program = "", .out = out, .err = out};
    Place place;
    place.root = here_.root();
    return gather_check_environment(context, place, setup, SandboxMode::strict);
  }

  test::Workplace here_;
  std::map<std::string, std::string> environment_{
      {"PATH", "/bin"}, {"LC_ALL", "C"}, {"XDG_SESSION_ID", "7"}, {"BERNSTEIN_RUN", "r1"}, {"COLUMNS", "80"}};
};

TEST_F(Gathering, HoldsTheVariablesThatChecksGetAndNoOthers) {
  const CheckEnvironment gathered = gather({});
  EXPECT_EQ(gathered.variables, (std::map<std::string, std::string>{{"LC_ALL", "C"}, {"PATH", "/bin"}}));
  EXPECT_EQ(gathered.sandbox, SandboxMode::strict);
  EXPECT_NE(gathered.machine, "");
  EXPECT_TRUE(gathered.copied.empty());
  EXPECT_TRUE(gathered.linked.empty());
  const std::string before = digest_of(gathered);
  environment_["BERNSTEIN_RUN"] = "r2";
  environment_["COLUMNS"] = "120";
  EXPECT_EQ(digest_of(gather({})), before);
  environment_["LC_TIME"] = "de_DE";
  EXPECT_NE(digest_of(gather({})), before);
}

TEST_F(Gathering, HoldsTheContentOfWhatIsCopied) {
  write("secrets/a/key", "1");
  write("secrets/b", "2");
  write(".worktreeinclude", "secrets/\n");
  fs::create_symlink("/etc/passwd", here_.root() + "/secrets/link");
  const WorktreeSetup setup{.copy_files = {".env.local", "absent"}};
  const CheckEnvironment gathered = gather(setup);
  EXPECT_EQ(gathered.copied, (std::map<std::string, std::string>{{".env.local", to_hex(sha256("A=1\n"))},
                                                                 {"secrets/a/key", to_hex(sha256("1"))},
                                                                 {"secrets/b", to_hex(sha256("2"))}}));
  write("secrets/b", "3");
  EXPECT_NE(digest_of(gather(setup)), digest_of(gathered));
  write("secrets/b", "2");
  EXPECT_EQ(digest_of(gather(setup)), digest_of(gathered)) << "its time says nothing";
}

TEST_F(Gathering, HoldsWhatLiesDirectlyInLinkedDirectories) {
  const WorktreeSetup setup{.symlink_dirs = {"node_modules", ".venv"}};
  const CheckEnvironment gathered = gather(setup);
  ASSERT_EQ(gathered.linked.size(), 1U);
  EXPECT_EQ(gathered.linked.begin()->first, here_.root() + "/node_modules");
  ASSERT_EQ(gathered.linked.begin()->second.size(), 1U);
  EXPECT_EQ(gathered.linked.begin()->second.begin()->first, "left-pad");
  EXPECT_EQ(digest_of(gather(setup)), digest_of(gathered));
  write("node_modules/left-pad/index.js", "module.exports = 2\n");
  EXPECT_EQ(digest_of(gather(setup)), digest_of(gathered)) << "it does not look below";
  write("node_modules/right-pad", "");
  EXPECT_NE(digest_of(gather(setup)), digest_of(gathered));
}

}  // namespace
}  // namespace bernstein::cli
