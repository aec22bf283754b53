// Worktrees of agents: what git itself thinks of them, and what is in them.
#include <sys/stat.h>

#include <map>

#include "workspace_fixture.hpp"

namespace bernstein::test {
namespace {

namespace fs = std::filesystem;

struct Session : WorkspaceTest {};
struct SessionInOddPlace : WorkspaceTest {
  SessionInOddPlace() : WorkspaceTest("a \"repository\" für Übung") {}
};

TEST_F(Session, IsAWorktreeThatGitItselfWorksIn) {
  const std::string base = start();

  EXPECT_EQ(agent_git("status --porcelain").output, "");
  EXPECT_EQ(agent_git("rev-parse HEAD").output, base);
  EXPECT_EQ(agent_git("rev-parse --abbrev-ref HEAD").output, std::string("agent/") + k_session);
  EXPECT_EQ(agent_git("log --format=%s").output, "first");
  write_file(worktree() / "b.txt", "b\n");
  EXPECT_EQ(agent_git("add b.txt").exit_code, 0);
  EXPECT_EQ(agent_git("commit -q -m mine").exit_code, 0);
  EXPECT_EQ(agent_git("log -1 --format='%an <%ae> %s'").output, "A Person <person@example.com> mine");
  EXPECT_EQ(agent_git("fsck --strict").output, "");
}

TEST_F(Session, LeavesTheUsersRepositoryAsItWas) {
  const std::string config = repository.read(".git/config");
  const std::string index = repository.read(".git/index");
  start();
  write_file(worktree() / "b.txt", "b\n");
  agent_git("add -A");
  agent_git("commit -q -m mine");

  EXPECT_EQ(repository.read(".git/config"), config);
  EXPECT_EQ(repository.read(".git/index"), index);
  EXPECT_EQ(repository.git("branch --format='%(refname)'"), "refs/heads/main");
  EXPECT_EQ(repository.git("worktree list --porcelain | grep -c ^worktree"), "1");
  EXPECT_EQ(repository.git("status --porcelain"), "");
}

TEST_F(Session, KeepsItsBaseInTheUsersRepositoryUntilItIsRemoved) {
  const std::string base = start();
  const std::string keep = std::string("refs/bernstein/keep/") + k_session;
  EXPECT_EQ(repository.git("rev-parse " + keep), base);

  ASSERT_TRUE(workspace().remove_session(k_session));
  EXPECT_NE(repository.try_git("rev-parse -q --verify " + keep).exit_code, 0);
  EXPECT_FALSE(fs::exists(worktree()));
  EXPECT_FALSE(fs::exists(session_repository()));
  EXPECT_TRUE(fs::is_empty(repository.root() / ".sdd/trash"));
  EXPECT_TRUE(fs::is_empty(repository.root() / ".sdd/agents"));
}

TEST_F(Session, HidesSddOnceAndLeavesTheIgnoreFileOfAPersonAlone) {
  const fs::path sdd = repository.root() / ".sdd";
  fs::create_directories(sdd);
  ASSERT_TRUE(git::hide_sdd(sdd.string()));
  EXPECT_EQ(repository.read(".sdd/.gitignore"), "*\n");
  EXPECT_EQ(std::distance(fs::directory_iterator(sdd), fs::directory_iterator()), 1);

  repository.write(".sdd/.gitignore", "*\n# mine\n");
  start();
  EXPECT_EQ(repository.read(".sdd/.gitignore"), "*\n# mine\n");
}

TEST_F(SessionInOddPlace, WorksUnderAnyPathAndWithAnyFileName) {
  repository.write("dir with space/ünïcode \"quoted\".txt", "text\n");
  repository.write("back\\slash", "text\n");
  repository.commit("odd names");
  const std::string base = start();

  EXPECT_EQ(agent_git("status --porcelain").output, "");
  write_file(worktree() / "dir with space/neu ö.txt", "new\n");
  EXPECT_EQ(text_of(capture(base).changes), "A dir with space/neu ö.txt");
  EXPECT_EQ(agent_git("log -1 --format=%s").output, "odd names");
}

TEST_F(Session, HasModesLinksAndLineEndsAsCommitted) {
  repository.write("run.sh", "#!/bin/sh\n");
  fs::permissions(repository.root() / "run.sh", fs::perms::owner_exec, fs::perm_options::add);
  fs::create_symlink("run.sh", repository.root() / "link");
  fs::create_symlink("/nowhere/at all", repository.root() / "dangling");
  repository.write("sub/.gitattributes", "*.bat text eol=crlf\n");
  repository.write("sub/a.bat", "one\r\ntwo\r\n");
  repository.commit("kinds of files");
  // What lies uncommitted in the checkout is no rule for the worktree.
  repository.write(".gitattributes", "*.sh text eol=crlf\n");

  const std::string base = start();

  EXPECT_EQ(agent_git("status --porcelain").output, "");
  EXPECT_TRUE((fs::status(worktree() / "run.sh").permissions() & fs::perms::owner_exec) != fs::perms::none);
  EXPECT_FALSE((fs::status(worktree() / "README.md").permissions() & fs::perms::owner_exec) != fs::perms::none);
  EXPECT_EQ(fs::read_symlink(worktree() / "link"), "run.sh");
  EXPECT_EQ(fs::read_symlink(worktree() / "dangling"), "/nowhere/at all");
  EXPECT_EQ(read_file(worktree() / "sub/a.bat"), "one\r\ntwo\r\n");
  EXPECT_EQ(read_file(worktree() / "run.sh"), "#!/bin/sh\n");
  EXPECT_EQ(text_of(capture(base).changes), "");
}

TEST_F(Session, FollowsTheUsersSettingForLineEnds) {
  repository.git("config core.autocrlf true");
  const std::string base = start();
  EXPECT_EQ(read_file(worktree() / "README.md"), "hello\r\n");
  EXPECT_EQ(agent_git("status --porcelain").output, "");
  write_file(worktree() / "b.txt", "b\r\n");
  const port::Captured captured = capture(base);
  EXPECT_EQ(text_of(captured.changes), "A b.txt");
  EXPECT_EQ(workspace().read_file(captured.tree, "b.txt").value(), "b\n");
}

TEST_F(Session, BorrowsThroughTheUsersOwnAlternates) {
  repository.git("clone -q --shared . ../borrower");
  const fs::path borrower = repository.outside() / "borrower";
  GitRepository::git_in(borrower, "config user.name B");
  const std::string alternates = (borrower / ".git/objects/info/alternates").string();
  write_file(alternates, "../../../repository/.git/objects\n");  // relative to the object directory
  auto other = git::open_workspace(borrower.string()).value();

  const std::string base = other->tip(k_main).value();
  const auto path = other->create_session({.name = k_session, .base = base});

  ASSERT_TRUE(path) << path.error().message;
  EXPECT_EQ(GitRepository::git_in(*path, "status --porcelain").output, "");
  EXPECT_EQ(GitRepository::git_in(*path, "log --format=%s").output, "first");
}

TEST_F(Session, StartedInALinkedWorktreeBelongsToTheMainOne) {
  repository.git("worktree add -q -b side ../side");
  auto side = git::open_workspace((repository.outside() / "side/src").string()).value();
  const auto path = side->create_session({.name = k_session, .base = repository.tip()});
  ASSERT_TRUE(path) << path.error().message;
  EXPECT_EQ(*path, worktree().string());
  EXPECT_EQ(agent_git("status --porcelain").output, "");
}

TEST_F(Session, WorksInAShallowCloneAndInABareOne) {
  repository.write("b.txt", "b\n");
  repository.commit("second");
  for (const std::string kind : {"--depth 1", "--bare"}) {
    const fs::path clone = repository.outside() / ("clone" + kind.substr(0, 4));
    shell("git clone -q " + kind + " file://" + shell_word(repository.root()) + " " + shell_word(clone));
    auto other = git::open_workspace(clone.string());
    ASSERT_TRUE(other) << other.error().message;
    const auto path = (*other)->create_session({.name = k_session, .base = repository.tip()});
    ASSERT_TRUE(path) << path.error().message;
    EXPECT_EQ(GitRepository::git_in(*path, "status --porcelain").output, "");
    EXPECT_EQ(GitRepository::git_in(*path, "log -1 --format=%s").output, "second");
    EXPECT_EQ(GitRepository::git_in(*path, "log --oneline").exit_code, 0);
  }
}

TEST_F(Session, LinksAndCopiesWhatTheBaseLacksAndHidesItFromGit) {
  repository.write(".gitignore", "node_modules/\n.env\n");
  repository.write("lib/tracked.txt", "tracked\n");
  repository.commit("ignores");
  repository.write("node_modules/x/index.js", "x\n");
  repository.write(".env", "SECRET=1\n");
  repository.write("[odd] name", "odd\n");
  repository.write("lib/local.txt", "not tracked\n");
  fs::permissions(repository.root() / ".env", fs::perms::owner_read | fs::perms::owner_write);

  const std::string base =
      start({.symlink_dirs = {"node_modules", ".venv", "lib"}, .copy_files = {".env", "[odd] name", "missing"}});

  EXPECT_EQ(fs::read_symlink(worktree() / "node_modules"), repository.root() / "node_modules");
  EXPECT_EQ(read_file(worktree() / "node_modules/x/index.js"), "x\n");
  EXPECT_EQ(read_file(worktree() / ".env"), "SECRET=1\n");
  EXPECT_EQ(fs::status(worktree() / ".env").permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_FALSE(fs::is_symlink(worktree() / "lib")) << "the base has it";
  EXPECT_FALSE(fs::exists(worktree() / ".venv"));
  EXPECT_EQ(agent_git("status --porcelain").output, "");
  port::CaptureSpec spec = a_capture(base);
  spec.not_ours = {"node_modules", ".venv", "lib", ".env", "[odd] name", "missing"};
  EXPECT_EQ(text_of(workspace().capture(spec).value().changes), "");
}

TEST_F(Session, CopiesTheIgnoredFilesThatWorktreeincludeNames) {
  repository.write(".gitignore", "*.local\n.env*\nbuild/\n");
  repository.write(".worktreeinclude", "# keys\n.env*\n!.env.prod\n/config/*.local\nbuild/cache/\n");
  repository.commit("ignores");
  for (const std::string path : {".env", ".env.prod", "sub/.env", "config/a.local", "other.local", "build/cache/x",
                                 "build/other/.env", "untracked.txt"}) {
    repository.write(path, path + "\n");
  }

  start();

  std::map<std::string, bool> found;
  for (const std::string path : {".env", ".env.prod", "sub/.env", "config/a.local", "other.local", "build/cache/x",
                                 "build/other/.env", "untracked.txt"}) {
    found[path] = fs::exists(worktree() / path);
  }
  EXPECT_EQ(found, (std::map<std::string, bool>{{".env", true},
                                                {".env.prod", false},
                                                {"sub/.env", true},
                                                {"config/a.local", true},
                                                {"other.local", false},
                                                {"build/cache/x", true},
                                                {"build/other/.env", false},
                                                {"untracked.txt", false}}));
  EXPECT_EQ(agent_git("status --porcelain").output, "");
}

TEST_F(Session, TakesNothingFromOutsideTheRepository) {
  write_file(repository.outside() / "secret/key", "secret\n");
  fs::create_symlink(repository.outside() / "secret", repository.root() / "vendor");
  fs::create_symlink(repository.outside() / "secret/key", repository.root() / ".env");

  start({.symlink_dirs = {"vendor"}, .copy_files = {".env", "vendor/key"}});

  EXPECT_FALSE(fs::exists(worktree() / "vendor"));
  EXPECT_FALSE(fs::exists(worktree() / ".env"));
  const auto refused = workspace().create_session(
      {.name = "session-r1-t2.1", .base = repository.tip(), .symlink_dirs = {}, .copy_files = {"../secret/key"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "worktree_setup: path '../secret/key' leaves the tree; write it without '..'");
}

TEST_F(Session, ReplacesWhatACrashLeftHalfMade) {
  const std::string base = start();
  fs::remove(repository.root() / ".sdd/agents" / (std::string(k_session) + ".index"));  // written last
  fs::remove(worktree() / "README.md");

  start();

  EXPECT_EQ(agent_git("status --porcelain").output, "");
  EXPECT_EQ(text_of(capture(base).changes), "");
}

TEST_F(Session, RefusesNamesThatArePaths) {
  for (const std::string name : {"", "..", "a/b", "-x", ".x", "a..b", "x.lock", "x."}) {
    const auto created = workspace().create_session({.name = name, .base = repository.tip()});
    ASSERT_FALSE(created) << name;
    EXPECT_EQ(created.error().code, ErrorCode::invalid_input);
    EXPECT_FALSE(workspace().remove_checkout(name)) << name;
  }
}

TEST_F(Session, IsRemovedWithReadOnlyDirectoriesAndWithoutFollowingLinks) {
  write_file(repository.outside() / "precious/file", "precious\n");
  start();
  write_file(worktree() / "locked/inner/file", "x\n");
  fs::create_directory_symlink(repository.outside() / "precious", worktree() / "link");
  fs::permissions(worktree() / "locked/inner", fs::perms::owner_read | fs::perms::owner_exec);
  fs::permissions(worktree() / "locked", fs::perms::none);
  fs::permissions(worktree(), fs::perms::owner_read | fs::perms::owner_exec);

  const Status removed = workspace().remove_session(k_session);

  EXPECT_TRUE(removed) << removed.error().message;
  EXPECT_FALSE(fs::exists(worktree()));
  EXPECT_TRUE(fs::is_empty(repository.root() / ".sdd/trash"));
  EXPECT_EQ(read_file(repository.outside() / "precious/file"), "precious\n");
}

TEST_F(Session, OfAThousandFilesIsCleanAndCapturedByWhatChanged) {
  for (int i = 0; i < 1000; ++i) {
    repository.write("d" + std::to_string(i % 37) + "/f" + std::to_string(i), "file " + std::to_string(i) + "\n");
  }
  repository.commit("many");
  const std::string base = start();

  EXPECT_EQ(agent_git("status --porcelain").output, "");
  write_file(worktree() / "d5/f5", "changed\n");
  EXPECT_EQ(text_of(capture(base).changes), "M d5/f5");
}

// A gate that needs node_modules finds them, as the agent did.
TEST_F(Session, CheckoutOfATreeHasWhatSetupLinksAndCopies) {
  repository.write(".gitignore", "node_modules/\n.env\n");
  repository.commit("rules");
  repository.write("node_modules/lib", "a library\n");
  repository.write(".env", "KEY=1\n");
  const auto path = workspace().checkout_tree({.name = "check-r1-t1.1",
                                               .tree = repository.tip(),
                                               .symlink_dirs = {"node_modules", "absent"},
                                               .copy_files = {".env"}});
  ASSERT_TRUE(path) << path.error().message;
  EXPECT_EQ(read_file(fs::path(*path) / "node_modules/lib"), "a library\n");
  EXPECT_TRUE(fs::is_symlink(fs::path(*path) / "node_modules"));
  EXPECT_EQ(read_file(fs::path(*path) / ".env"), "KEY=1\n");
  ASSERT_TRUE(workspace().remove_checkout("check-r1-t1.1"));
  EXPECT_EQ(repository.read("node_modules/lib"), "a library\n") << "the link goes, not what it leads to";
}

TEST_F(Session, CheckoutOfATreeHasNoGitAndIsCleanEachTime) {
  const auto path = workspace().checkout_tree({.name = "check-r1-t1.1", .tree = repository.tip()});
  ASSERT_TRUE(path) << path.error().message;
  EXPECT_FALSE(fs::exists(fs::path(*path) / ".git"));
  EXPECT_EQ(read_file(fs::path(*path) / "src/a.txt"), "one\ntwo\nthree\n");
  write_file(fs::path(*path) / "left.o", "x");
  ASSERT_TRUE(workspace().checkout_tree({.name = "check-r1-t1.1", .tree = repository.tip()}));
  EXPECT_FALSE(fs::exists(fs::path(*path) / "left.o"));
  const Status refused = (start(), workspace().remove_checkout(k_session));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, std::string(k_session) + " is a session, not a checkout, so it was not removed");
}

}  // namespace
}  // namespace bernstein::test
