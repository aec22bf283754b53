#include "cli/discovery.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "support/temp_directory.hpp"

namespace bernstein::cli {
namespace {

class Discovery : public testing::Test {
 protected:
  void program(const std::string& name, const std::string& script) {
    const std::string path = directory_.path().string() + "/bin/" + name;
    std::filesystem::create_directories(directory_.path().string() + "/bin");
    std::ofstream(path) << "#!/bin/sh\n" << script << '\n';
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  }

  plan::CatalogEntry entry(const std::string& name) const {
    plan::CatalogEntry entry;
    entry.spec.name = name;
    entry.spec.command = {name};
    entry.facts.version.command = {name, "--version"};
    return entry;
  }

  FoundAgent find(const plan::CatalogEntry& entry, bool probe = false) {
    entries_ = {entry};
    context_.environment = environment_;
    return discover(context_, entries_, {.directory = directory_.path().string(), .probe = probe}).front();
  }

  test::TempDirectory directory_;
  std::map<std::string, std::string> environment_{{"PATH", directory_.path().string() + "/bin:/usr/bin:/bin"},
                                                  {"HOME", directory_.path().string() + "/home"}};
  std::ostringstream out_;
  Context context_{.directory = directory_.path().string(), .environment = {}, .program = "", .out = out_, .err = out_};
  std::vector<plan::CatalogEntry> entries_;
};

TEST_F(Discovery, TellsTheVersionThatAProgramPrints) {
  program("an-agent", "echo 'an-agent-cli v2.10.3 (build 7)'");
  plan::CatalogEntry agent = entry("an-agent");
  agent.facts.version.at_least = "2.9";
  agent.facts.version.below = "3";
  const FoundAgent found = find(agent);
  EXPECT_EQ(found.program, directory_.path().string() + "/bin/an-agent");
  EXPECT_EQ(found.version, "2.10.3");
  EXPECT_EQ(found.version_why, "");
}

TEST_F(Discovery, SaysWhyAVersionDoesNotSuit) {
  program("an-agent", "echo 2.10.3");
  plan::CatalogEntry agent = entry("an-agent");
  agent.facts.version.at_least = "2.11";
  EXPECT_EQ(find(agent).version_why, "older than 2.11");
  agent.facts.version = {.command = agent.facts.version.command, .at_least = "", .below = "2.10.3"};
  EXPECT_EQ(find(agent).version_why, "not tried: 2.10.3 or newer");
}

TEST_F(Discovery, AsksAProgramForItsVersionOnceAsLongAsItIsTheSame) {
  program("an-agent", "echo asked >> \"$HOME/asked\"; echo 1.2");
  std::filesystem::create_directories(environment_.at("HOME"));
  EXPECT_EQ(find(entry("an-agent")).version, "1.2");
  EXPECT_EQ(find(entry("an-agent")).version, "1.2");
  EXPECT_EQ(std::filesystem::file_size(directory_.path().string() + "/home/asked"), 6U);
  program("an-agent", "echo 'the version is 1.3.0'");
  EXPECT_EQ(find(entry("an-agent")).version, "1.3.0");
}

TEST_F(Discovery, AProgramThatIsNotThereIsNotInstalled) {
  EXPECT_EQ(find(entry("an-agent")).program, "");
}

TEST_F(Discovery, ALoginIsAFactAndNotThatADirectoryExists) {
  program("an-agent", "exit 3");
  const std::string file = directory_.path().string() + "/home/.an-agent/auth.json";
  std::filesystem::create_directories(directory_.path().string() + "/home/.an-agent");
  plan::CatalogEntry agent = entry("an-agent");
  agent.facts.login = {.env = {"AN_AGENT_KEY"}, .file = "~/.an-agent/auth.json", .keys = {"/token"}};
  EXPECT_EQ(find(agent).login, Login::no);
  EXPECT_EQ(find(agent).login_fact, "AN_AGENT_KEY is not set, ~/.an-agent/auth.json holds none");
  std::ofstream(file) << R"({"token": ""})";
  EXPECT_EQ(find(agent).login, Login::no);
  std::ofstream(file) << R"({"token": "secret"})";
  EXPECT_EQ(find(agent).login_fact, "~/.an-agent/auth.json holds a login");
  environment_["AN_AGENT_KEY"] = "secret";
  EXPECT_EQ(find(agent).login, Login::yes);
  EXPECT_EQ(find(agent).login_fact, "AN_AGENT_KEY is set");
}

TEST_F(Discovery, AsksTheClientItselfOnlyWhenProbesAreWanted) {
  program("an-agent", "test \"$1 $2\" = 'login status' && exit 1; echo 1.0");
  plan::CatalogEntry agent = entry("an-agent");
  agent.facts.login.command = {"an-agent", "login", "status"};
  EXPECT_EQ(find(agent).login, Login::unknown);
  EXPECT_EQ(find(agent, true).login, Login::no);
  EXPECT_EQ(find(agent, true).login_fact, "`an-agent login status` exits with 1");
}

TEST(Version, IsTheFirstNumberWithADot) {
  EXPECT_EQ(version_in("codex-cli 0.169.0\n"), "0.169.0");
  EXPECT_EQ(version_in("2.1.330 (Claude Code)"), "2.1.330");
  EXPECT_EQ(version_in("error 7"), "");
  EXPECT_TRUE(is_older("2.9", "2.10"));
  EXPECT_FALSE(is_older("2.10.0", "2.10"));
}

}  // namespace
}  // namespace bernstein::cli
