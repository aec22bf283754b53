// What a setup command made is copied into the next session, when it would have made the same there.
#include <fcntl.h>
#include <sys/stat.h>

#include "support/crash.hpp"
#include "workspace_fixture.hpp"

namespace bernstein::test {
namespace {

namespace fs = std::filesystem;
constexpr const char* k_next = "session-r1-t2.1";

struct Setup : WorkspaceTest {
  Setup() {
    repository.write(".gitignore", ".sdd/\nnode_modules/\n.env\n");
    repository.write("package-lock.json", "{}\n");
    base = repository.commit("lock");
  }
  port::SetupSpec a_setup(const std::string& session = k_session) {
    return {.session = session, .base = base, .command = command, .environment = environment, .inputs = inputs};
  }
  bool reuse(const std::string& session = k_session) {
    const auto reused = workspace().reuse_setup(a_setup(session));
    EXPECT_TRUE(reused) << reused.error().message;
    return reused && *reused;
  }
  // What the command of a person might make.
  void make(const std::string& session = k_session) {
    write_file(worktree(session) / "node_modules/a/index.js", "module.exports = 1\n");
    write_file(worktree(session) / "node_modules/a/tool", "#!/bin/sh\n");
    fs::permissions(worktree(session) / "node_modules/a/tool", fs::perms(0755));
    fs::create_directories(worktree(session) / "node_modules/.bin");
    fs::create_symlink("../a/tool", worktree(session) / "node_modules/.bin/tool");
    write_file(worktree(session) / "src/generated.txt", "made\n");
  }
  // A first session in which the command ran.
  void run(const std::function<void()>& more = {}) {
    start({.name = k_session, .base = base, .copy_files = copy_files});
    EXPECT_FALSE(reuse());
    make();
    if (more) more();
    const Status kept = workspace().keep_setup(a_setup());
    EXPECT_TRUE(kept) << kept.error().message;
  }
  void start_next() { start({.name = k_next, .base = base, .copy_files = copy_files}); }
  std::size_t templates() const {
    const fs::path place = repository.root() / ".sdd/setup";
    return fs::exists(place) ? static_cast<std::size_t>(std::distance(fs::directory_iterator(place), {})) : 0;
  }
  fs::path the_template() const { return fs::directory_iterator(repository.root() / ".sdd/setup")->path(); }
  void expect_ran_again() {
    start_next();
    EXPECT_FALSE(reuse(k_next));
    EXPECT_FALSE(fs::exists(worktree(k_next) / "node_modules"));
    EXPECT_FALSE(fs::exists(worktree(k_next) / "src/generated.txt"));
  }

  std::string base;
  std::string command = "npm ci";
  std::map<std::string, std::string> environment{{"PATH", "/bin"}};
  std::optional<std::vector<std::string>> inputs;
  std::vector<std::string> copy_files;
};

TEST_F(Setup, IsCopiedIntoTheNextSession) {
  run();
  repository.write("src/a.txt", "another tree\n");
  base = repository.commit("other files, the same inputs");
  start_next();

  EXPECT_TRUE(reuse(k_next));

  EXPECT_EQ(read_file(worktree(k_next) / "node_modules/a/index.js"), "module.exports = 1\n");
  EXPECT_EQ(fs::status(worktree(k_next) / "node_modules/a/tool").permissions(), fs::perms(0755));
  EXPECT_EQ(fs::read_symlink(worktree(k_next) / "node_modules/.bin/tool"), "../a/tool");
  EXPECT_EQ(read_file(worktree(k_next) / "src/generated.txt"), "made\n");
  EXPECT_EQ(agent_git("status --porcelain", k_next).output, "?? src/generated.txt");
  EXPECT_EQ(fs::hard_link_count(worktree(k_next) / "node_modules/a/index.js"), 1U);
  EXPECT_EQ(fs::last_write_time(worktree(k_next) / "node_modules/a/index.js"),
            fs::last_write_time(worktree() / "node_modules/a/index.js"));
}

TEST_F(Setup, IsNotTouchedByWhatASessionDoesToItsCopy) {
  run();
  start_next();
  ASSERT_TRUE(reuse(k_next));
  write_file(worktree(k_next) / "node_modules/a/index.js", "planted\n");
  write_file(worktree() / "node_modules/a/index.js", "planted\n");

  start({.name = "session-r1-t3.1", .base = base});

  EXPECT_TRUE(reuse("session-r1-t3.1"));
  EXPECT_EQ(read_file(worktree("session-r1-t3.1") / "node_modules/a/index.js"), "module.exports = 1\n");
}

TEST_F(Setup, RunsAgainWhenAnInputDiffers) {
  run();
  repository.write("package-lock.json", "{\"a\": 1}\n");
  base = repository.commit("another lock");
  expect_ran_again();
}

TEST_F(Setup, RunsAgainWhenTheCommandDiffers) {
  run();
  command = "npm ci --omit dev";
  expect_ran_again();
}

TEST_F(Setup, RunsAgainWhenItsEnvironmentDiffers) {
  run();
  environment["LANG"] = "de_DE";
  expect_ran_again();
}

TEST_F(Setup, RunsAgainWhenACopiedFileDiffers) {
  repository.write(".env", "A=1\n");
  copy_files = {".env"};
  run();
  EXPECT_EQ(templates(), 1U);
  repository.write(".env", "A=2\n");
  expect_ran_again();
  EXPECT_EQ(read_file(worktree(k_next) / ".env"), "A=2\n");
}

TEST_F(Setup, LeavesCopiedFilesToThePersonsCheckout) {
  repository.write(".env", "A=1\n");
  copy_files = {".env"};
  run();
  start_next();
  EXPECT_TRUE(reuse(k_next));
  EXPECT_FALSE(fs::exists(the_template() / "files/.env"));
  EXPECT_EQ(read_file(worktree(k_next) / ".env"), "A=1\n");
}

TEST_F(Setup, AlwaysRunsWithoutAnInput) {
  inputs = std::vector<std::string>{};
  run();
  EXPECT_EQ(templates(), 0U);
  expect_ran_again();
}

TEST_F(Setup, GoesByTheInputsThatThePersonNames) {
  inputs = std::vector<std::string>{"src/*.txt"};
  run();
  repository.write("package-lock.json", "{\"a\": 1}\n");
  base = repository.commit("another lock, which is no input");
  start_next();
  EXPECT_TRUE(reuse(k_next));
  repository.write("src/a.txt", "changed\n");
  base = repository.commit("an input");
  start({.name = "session-r1-t3.1", .base = base});
  EXPECT_FALSE(reuse("session-r1-t3.1"));
}

TEST_F(Setup, IsNotKeptWhenItChangedAFileOfTheTree) {
  run([&] { write_file(worktree() / "README.md", "changed\n"); });
  EXPECT_EQ(templates(), 0U);
}

TEST_F(Setup, IsNotKeptWhenItChangedTheSessionsRepository) {
  run([&] { agent_git("config core.hooksPath .husky"); });
  EXPECT_EQ(templates(), 0U);
}

TEST_F(Setup, IsNotKeptWhenASmallFileTellsWhereItWasMade) {
  run([&] { write_file(worktree() / ".venv/bin/pip", "#!" + worktree().string() + "/.venv/bin/python\n"); });
  EXPECT_EQ(templates(), 0U);
}

TEST_F(Setup, IsNotKeptWithAPipe) {
  run([&] { ASSERT_EQ(::mkfifo((worktree() / "node_modules/pipe").c_str(), 0600), 0); });
  EXPECT_EQ(templates(), 0U);
}

TEST_F(Setup, IsNotKeptWhenItMadeNothing) {
  start({.name = k_session, .base = base});
  EXPECT_FALSE(reuse());
  ASSERT_TRUE(workspace().keep_setup(a_setup()));
  EXPECT_EQ(templates(), 0U);
}

TEST_F(Setup, IsDroppedWhenSomebodyChangedIt) {
  run();
  const fs::path file = the_template() / "files/node_modules/a/index.js";
  const auto time = fs::last_write_time(file);
  write_file(file, "module.exports = 2\n");
  fs::last_write_time(file, time);

  expect_ran_again();

  EXPECT_EQ(templates(), 0U);
}

TEST_F(Setup, RunsWhereTheTreeNowHasAFileOfThatName) {
  run();
  repository.write("src/generated.txt", "of the tree\n");
  base = repository.commit("a file where the command makes one");
  start_next();
  EXPECT_FALSE(reuse(k_next));
  EXPECT_EQ(read_file(worktree(k_next) / "src/generated.txt"), "of the tree\n");
  EXPECT_FALSE(fs::exists(worktree(k_next) / "node_modules"));
}

TEST_F(Setup, KeepsThreeThatWereUsedLast) {
  for (int i = 1; i <= 5; ++i) {
    command = "make " + std::to_string(i);
    const std::string name = "session-r1-t" + std::to_string(i) + ".1";
    start({.name = name, .base = base});
    EXPECT_FALSE(reuse(name));
    make(name);
    ASSERT_TRUE(workspace().keep_setup(a_setup(name)));
  }
  EXPECT_EQ(templates(), 3U);
  start({.name = "session-r1-t6.1", .base = base});
  EXPECT_TRUE(reuse("session-r1-t6.1"));
}

TEST_F(Setup, LeavesNothingWhenTheSessionIsRemoved) {
  run();
  ASSERT_TRUE(workspace().remove_session(k_session));
  EXPECT_TRUE(fs::is_empty(repository.root() / ".sdd/agents"));
}

struct SetupCrash : Setup, ::testing::WithParamInterface<const char*> {};
TEST_P(SetupCrash, IsCopiedAsAWholeAfterACrash) {
  BERNSTEIN_NEEDS_FAILPOINTS();
  run();
  start_next();
  crash_at(GetParam(), [&] { static_cast<void>(workspace().reuse_setup(a_setup(k_next))); });

  EXPECT_TRUE(reuse(k_next));

  EXPECT_EQ(shell("diff -r " + shell_word(worktree()) + " " + shell_word(worktree(k_next)) + " -x .git").output, "");
  EXPECT_EQ(templates(), 1U);
}
TEST_P(SetupCrash, LeavesNothingOfItWhereTheTemplateIsGone) {
  BERNSTEIN_NEEDS_FAILPOINTS();
  run();
  start_next();
  crash_at(GetParam(), [&] { static_cast<void>(workspace().reuse_setup(a_setup(k_next))); });
  fs::remove_all(repository.root() / ".sdd/setup");

  EXPECT_FALSE(reuse(k_next));

  EXPECT_EQ(agent_git("status --porcelain --ignored", k_next).output, "");
}
INSTANTIATE_TEST_SUITE_P(Sites, SetupCrash,
                         ::testing::Values("git.reuse_setup.noted", "git.reuse_setup.copied",
                                           "git.reuse_setup.placed:1", "git.reuse_setup.placed:2"));

struct KeepCrash : Setup, ::testing::WithParamInterface<const char*> {};
TEST_P(KeepCrash, LeavesNoTemplateThatIsNotWhole) {
  BERNSTEIN_NEEDS_FAILPOINTS();
  start({.name = k_session, .base = base});
  EXPECT_FALSE(reuse());
  make();
  crash_at(GetParam(), [&] { static_cast<void>(workspace().keep_setup(a_setup())); });

  ASSERT_TRUE(workspace().keep_setup(a_setup()));

  start_next();
  EXPECT_TRUE(reuse(k_next));
  EXPECT_EQ(shell("diff -r " + shell_word(worktree()) + " " + shell_word(worktree(k_next)) + " -x .git").output, "");
  EXPECT_EQ(templates(), 1U);
}
INSTANTIATE_TEST_SUITE_P(Sites, KeepCrash,
                         ::testing::Values("git.keep_setup.copied", "git.keep_setup.before_complete",
                                           "git.keep_setup.complete"));

}  // namespace
}  // namespace bernstein::test
