// What is said of an agent that tampered, and what is not said of one that just works.
#include "git/suspicions.hpp"

#include "workspace_fixture.hpp"

namespace bernstein::test {
namespace {

namespace fs = std::filesystem;

using Sentences = std::vector<std::string>;

struct SuspicionsOf : WorkspaceTest {
  void agent_config(const std::string& key_and_value) { agent_git("config " + key_and_value); }
};

TEST_F(SuspicionsOf, AnOrdinaryAgentAreNone) {
  repository.write(".git/info/exclude", "private.txt\n");
  repository.write("node_modules/a.js", "a\n");
  repository.write(".gitignore", "node_modules\n.env\n");
  repository.commit("ignore");
  repository.write(".env", "x\n");
  repository.write(".worktreeinclude", ".env\n");
  const std::string base = start({.name = "", .base = "", .symlink_dirs = {"node_modules"}, .copy_files = {}});
  agent_git("init -q");
  agent_config("user.name 'An Agent'");
  agent_config("user.email agent@example.com");
  agent_config("branch.agent.merge refs/heads/main");
  agent_config("gc.auto 0");
  agent_config("alias.st status");
  agent_config("core.fsmonitor false");
  agent_git("remote add origin https://token@example.com/a.git");
  agent_git("branch try");
  agent_git("tag v1");
  write_file(worktree() / "stashed", "x");
  agent_git("add -A");
  agent_git("stash -q");
  fs::create_symlink("README.md", worktree() / "READ");
  fs::create_symlink("../README.md", worktree() / "src/up");
  agent_git("add -A");
  agent_git("commit -q -m work");
  agent_git("sparse-checkout init --cone");
  agent_git("sparse-checkout disable");
  agent_git("worktree add -q ../elsewhere");
  agent_git("worktree remove --force ../elsewhere");
  agent_git("gc -q");
  auto spec = a_capture(base);
  spec.not_ours = {"node_modules"};
  const auto captured = workspace().capture(spec);
  ASSERT_TRUE(captured) << captured.error().message;
  EXPECT_EQ(captured->suspicions, Sentences{});
}

TEST_F(SuspicionsOf, EachThingIsASentenceSortedAndSaidAlikeTheSecondTime) {
  const std::string base = start();
  write_file(session_repository() / "hooks/post-merge", "x");
  agent_config("core.hooksPath /evil");
  agent_config("remote.x.url 'ext::sh -c secret'");
  write_file(worktree() / ".git", "gitdir: /elsewhere\n");
  write_file(worktree() / "sub/.git/config", "x");
  write_file(worktree() / "sub/file", "x");
  fs::create_symlink("/etc", worktree() / "etc");

  const Sentences expected{"'etc' is a link that leaves the tree, to '/etc'",
                           "'sub/' is a repository of its own; its files were taken, its history was not",
                           "it set core.hookspath in the configuration of its repository",
                           "it set remote.x.url in the configuration of its repository",
                           "its repository has the hook 'post-merge'",
                           "the .git file of its worktree leads elsewhere"};
  EXPECT_EQ(capture(base).suspicions, expected);
  EXPECT_EQ(capture(base).suspicions, expected);
}

TEST_F(SuspicionsOf, AreFewAndShortAndCannotSteerATerminal) {
  const std::string base = start();
  for (int i = 10; i < 60; ++i) {
    write_file(session_repository() / ("hooks/\x1b[2J\n" + std::string(230, 'x') + std::to_string(i)), "x");
    write_file(session_repository() / ("hooks/" + std::to_string(i)), "x");
  }
  const Sentences said = capture(base).suspicions;
  ASSERT_EQ(said.size(), git::k_suspicions_max);
  EXPECT_EQ(said.back(), "... and 32 more") << "the long ones are the same when they are short";
  for (const std::string& sentence : said) {
    EXPECT_LE(sentence.size(), git::k_suspicion_bytes_max);
    EXPECT_EQ(sentence.find_first_of("\x1b\n"), std::string::npos) << sentence;
  }
}

// Each level costs a descriptor, of which all tasks together may have no more than 1024.
TEST_F(SuspicionsOf, WhatIsNestedTooDeeplyStaysAsItWas) {
  const std::string base = start();
  shell("cd " + shell_word(worktree()) + " && for i in $(seq 400); do mkdir d && cd d; done; touch f");
  write_file(worktree() / "b.txt", "b\n");
  const port::Captured captured = capture(base);
  EXPECT_EQ(text_of(captured.changes), "A b.txt");
  ASSERT_EQ(captured.suspicions.size(), 1U);
  EXPECT_TRUE(captured.suspicions[0].ends_with("...' is nested too deeply; it stays as it was"))
      << captured.suspicions[0];
}

TEST(Settings, AreReadAsGitReadsThem) {
  using git::Setting;
  EXPECT_EQ(git::settings_of(
                "# x\n[core] bare = true ; no\n[remote \"a b\\\"c\"]\n\tURL = \"x # y\" \\\n z\n[a.B]c\n[User]n=1"),
            (std::vector<Setting>{{"core", "", "bare", "true"},
                                  {"remote", "a b\"c", "url", "x # y  z"},
                                  {"a", "B", "c", ""},
                                  {"user", "", "n", "1"}}));
  EXPECT_EQ(git::settings_of("[core\nx = 1\n").front().section, "") << "what git refuses is nobody's setting";
}

TEST(Settings, ThatRunNothingAreHarmless) {
  for (const std::string text :
       {"[user]name=x", "[core]fsmonitor=true", "[alias]x=log -p", "[remote \"o\"]url=git@host:a/b.git",
        "[remote \"o\"]fetch=+refs/heads/*:refs/remotes/o/*", "[submodule \"s\"]active=true"}) {
    EXPECT_TRUE(git::is_harmless(git::settings_of(text).at(0))) << text;
  }
  for (const std::string text :
       {"[core]fsmonitor=/x", "[alias]x=!sh", "[remote \"o\"]url=ext::sh", "[remote \"o\"]url=--upload-pack=x",
        "[remote \"o\"]uploadpack=x", "[filter \"x\"]clean=x", "[diff]external=x", "[diff \"x\"]textconv=x",
        "[include]path=x", "[unheard]of=x", "[submodule \"s\"]update=!x"}) {
    EXPECT_FALSE(git::is_harmless(git::settings_of(text).at(0))) << text;
  }
}

}  // namespace
}  // namespace bernstein::test
