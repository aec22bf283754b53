// The user's checkout follows the target, or is not touched at all.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

#include "workspace_fixture.hpp"

namespace bernstein::test {
namespace {

namespace fs = std::filesystem;

// main has moved from `from` to `to`, by us: README.md changed, src/a.txt removed, new/b.txt and run.sh added.
struct Sync : WorkspaceTest {
  Sync() {
    repository.write(".gitignore", "*.o\n.sdd/\n");
    from = repository.commit("ignores");
    start();
    write_file(worktree() / "README.md", "landed\n");
    fs::remove(worktree() / "src/a.txt");
    write_file(worktree() / "new/b.txt", "b\n");
    write_file(worktree() / "run.sh", "#!/bin/sh\n");
    fs::permissions(worktree() / "run.sh", fs::perms::owner_exec, fs::perm_options::add);
    commit = capture(from).commit;
  }
  std::string move() { return to = land(commit); }
  port::SyncResult sync() {
    const auto result = workspace().sync_checkout(k_main, from, to);
    EXPECT_TRUE(result) << result.error().message;
    return result ? *result : port::SyncResult{};
  }
  // Every byte of the checkout and of git's own files for it.
  std::string everything() const {
    return shell("cd " + shell_word(repository.root()) +
                 " && find . -path ./.sdd -prune -o -path ./.git/objects -prune -o -type f -print -exec cat {} + | "
                 "md5sum; "
                 "find . -path ./.sdd -prune -o -path ./.git -prune -o -printf '%p %y %l %m\\n' | sort")
        .output;
  }
  void expect_left_alone(const std::string& detail) {
    const std::string before = everything();
    const port::SyncResult result = sync();
    EXPECT_EQ(result.outcome, SyncOutcome::left_alone);
    EXPECT_EQ(result.detail, detail);
    EXPECT_EQ(everything(), before);
  }

  std::string from;
  std::string commit;
  std::string to;
};

TEST_F(Sync, BringsFilesAndIndexToTheNewTip) {
  move();
  const port::SyncResult result = sync();
  EXPECT_EQ(result.outcome, SyncOutcome::updated) << result.detail;
  EXPECT_EQ(repository.git("status --porcelain"), "");
  EXPECT_EQ(repository.read("README.md"), "landed\n");
  EXPECT_EQ(repository.read("new/b.txt"), "b\n");
  EXPECT_FALSE(fs::exists(repository.root() / "src")) << "an empty directory vanishes";
  EXPECT_TRUE((fs::status(repository.root() / "run.sh").permissions() & fs::perms::owner_exec) != fs::perms::none);
  EXPECT_EQ(repository.git("fsck --strict"), "");
  EXPECT_EQ(repository.git("reflog -1 --format=%gs main"), "bernstein: land Merge t1");
  EXPECT_EQ(repository.git("reflog -1 --format=%gs"), "bernstein: land Merge t1") << "HEAD's too";
  EXPECT_EQ(sync().outcome, SyncOutcome::updated) << "again";
  repository.write("README.md", "the person goes on\n");
  EXPECT_EQ(repository.git("status --porcelain"), " M README.md");
}

TEST_F(Sync, LeavesUntrackedAndIgnoredFilesThatAreNotInTheWay) {
  repository.write("untracked.txt", "mine\n");
  repository.write("src/a.o", "mine\n");
  move();
  EXPECT_EQ(sync().outcome, SyncOutcome::updated);
  EXPECT_EQ(repository.read("untracked.txt"), "mine\n");
  EXPECT_EQ(repository.read("src/a.o"), "mine\n");
  EXPECT_EQ(repository.git("status --porcelain"), "?? untracked.txt");
}

TEST_F(Sync, LeavesStagedChangesAlone) {
  repository.write("README.md", "staged\n");
  repository.git("add README.md");
  repository.write("README.md", "hello\n");  // the file is as before, the index is not
  move();
  expect_left_alone("README.md has staged changes");
}

TEST_F(Sync, LeavesStagedChangesOfOtherFilesAlone) {
  repository.write("mine.txt", "staged\n");
  repository.git("add mine.txt");
  move();
  expect_left_alone("mine.txt has staged changes");
}

TEST_F(Sync, LeavesModifiedFilesAlone) {
  repository.write("README.md", "modified\n");
  move();
  expect_left_alone("README.md has uncommitted changes");
}

TEST_F(Sync, LeavesAFileAloneThatWasOnlyMadeExecutable) {
  fs::permissions(repository.root() / "README.md", fs::perms::owner_exec, fs::perm_options::add);
  move();
  expect_left_alone("README.md has uncommitted changes");
}

TEST_F(Sync, LeavesADeletedFileAlone) {
  fs::remove(repository.root() / ".gitignore");
  move();
  expect_left_alone(".gitignore has uncommitted changes");
}

TEST_F(Sync, LeavesAModificationAloneThatKeepsSizeAndTime) {
  repository.git("status");  // refreshes the index
  struct ::stat before {};
  ASSERT_EQ(::stat((repository.root() / "README.md").c_str(), &before), 0);
  const int file = ::open((repository.root() / "README.md").c_str(), O_WRONLY);
  ASSERT_EQ(::pwrite(file, "HELLO", 5, 0), 5);
  const ::timespec times[] = {before.st_atim, before.st_mtim};
  ASSERT_EQ(::futimens(file, times), 0);
  ::close(file);
  move();
  expect_left_alone("README.md has uncommitted changes");
}

TEST_F(Sync, LeavesUntrackedAndIgnoredFilesInTheWayAlone) {
  repository.write("new/b.txt", "precious\n");
  move();
  expect_left_alone("the untracked file new/b.txt is in the way");
}

TEST_F(Sync, LeavesIgnoredFilesInTheWayAlone) {
  repository.write(".git/info/exclude", "run.sh\n");
  repository.write("run.sh", "precious\n");
  move();
  expect_left_alone("the untracked file run.sh is in the way");
}

TEST_F(Sync, LeavesAnUntrackedDirectoryAndALinkInTheWayAlone) {
  repository.write("run.sh/inside", "precious\n");
  move();
  expect_left_alone("the untracked file run.sh/inside is in the way of run.sh");
  fs::remove_all(repository.root() / "run.sh");
  write_file(repository.outside() / "else/keep", "x");
  fs::create_directory_symlink(repository.outside() / "else", repository.root() / "new");
  expect_left_alone("new is in the way of new/b.txt");
  EXPECT_FALSE(fs::exists(repository.outside() / "else/b.txt"));
}

TEST_F(Sync, LeavesAConflictedIndexAlone) {
  repository.git("checkout -q -b other");
  repository.write("README.md", "other\n");
  repository.commit("other");
  repository.git("checkout -q main");
  repository.write("README.md", "main\n");
  from = repository.commit("main");
  repository.try_git("merge other");
  repository.git("update-ref refs/heads/elsewhere HEAD");
  to = repository.git("commit-tree -p HEAD -m next HEAD~1^{tree}");
  expect_left_alone("a merge, rebase or the like is under way in " + repository.root().string());
  fs::remove(repository.root() / ".git/MERGE_HEAD");
  expect_left_alone("the index has unresolved conflicts");
}

TEST_F(Sync, LeavesEverythingAloneWhileGitIsAtWork) {
  move();
  repository.write(".git/index.lock", "");
  expect_left_alone("another git process is at work there (" + (repository.root() / ".git/index.lock").string() +
                    " exists)");
  fs::remove(repository.root() / ".git/index.lock");
  EXPECT_EQ(sync().outcome, SyncOutcome::updated);
  EXPECT_FALSE(fs::exists(repository.root() / ".git/index.lock"));
}

TEST_F(Sync, LeavesSparseCheckoutsAndMarkedFilesAlone) {
  repository.git("update-index --assume-unchanged README.md");
  move();
  expect_left_alone("README.md is marked in the index (assume-unchanged or intent-to-add)");
  repository.git("update-index --no-assume-unchanged README.md");
  repository.git("update-index --skip-worktree README.md");
  expect_left_alone("the checkout is sparse");
}

TEST_F(Sync, HasNothingToDoElsewhere) {
  repository.git("checkout -q --detach");
  move();
  EXPECT_EQ(sync().outcome, SyncOutcome::not_checked_out);
  repository.git("checkout -q -b other");
  EXPECT_EQ(sync().outcome, SyncOutcome::not_checked_out);
  EXPECT_EQ(repository.read("README.md"), "hello\n");
}

TEST_F(Sync, FollowsInALinkedWorktreeOfTheUsers) {
  repository.git("checkout -q -b other");
  repository.git("worktree add -q ../side main");
  move();
  EXPECT_EQ(sync().outcome, SyncOutcome::updated);
  EXPECT_EQ(GitRepository::git_in(repository.outside() / "side", "status --porcelain").output, "");
  EXPECT_EQ(read_file(repository.outside() / "side/README.md"), "landed\n");
  EXPECT_EQ(repository.read("README.md"), "hello\n");
}

TEST_F(Sync, FinishesWhatACrashLeftHalfDone) {
  move();
  repository.write("README.md", "landed\n");    // done before the crash
  fs::remove(repository.root() / "src/a.txt");  // done
  repository.write("run.sh", "#!/bin/sh\n");    // content done, mode too
  fs::permissions(repository.root() / "run.sh", fs::perms::owner_exec, fs::perm_options::add);
  const port::SyncResult result = sync();  // new/b.txt and the index are not
  EXPECT_EQ(result.outcome, SyncOutcome::updated) << result.detail;
  EXPECT_EQ(repository.git("status --porcelain"), "");
}

TEST_F(Sync, ReplacesFilesByDirectoriesAndBack) {
  fs::remove_all(worktree() / "src");
  write_file(worktree() / "src", "now a file\n");
  fs::remove(worktree() / "README.md");
  write_file(worktree() / "README.md/inside", "x\n");
  commit = capture(from).commit;
  move();
  const port::SyncResult result = sync();
  EXPECT_EQ(result.outcome, SyncOutcome::updated) << result.detail;
  EXPECT_EQ(repository.git("status --porcelain"), "");
  EXPECT_EQ(repository.read("src"), "now a file\n");
  EXPECT_EQ(repository.read("README.md/inside"), "x\n");
}

TEST_F(Sync, DoesNotWriteFilesThatNeedAProgram) {
  write_file(worktree() / ".gitattributes", "*.bin filter=lfs\n");
  write_file(worktree() / "a.bin", "pointer\n");
  commit = capture(from).commit;
  move();
  expect_left_alone("a.bin has the attribute filter=lfs, which only git itself can follow");
}

TEST_F(Sync, WritesLineEndsAsTheUserWantsThem) {
  repository.git("config core.autocrlf true");
  repository.git("rm -q --cached -r .");
  repository.git("reset -q --hard");
  ASSERT_EQ(repository.read("README.md"), "hello\r\n");
  move();
  const port::SyncResult result = sync();
  EXPECT_EQ(result.outcome, SyncOutcome::updated) << result.detail;
  EXPECT_EQ(repository.read("README.md"), "landed\r\n");
  EXPECT_EQ(repository.git("status --porcelain"), "");
}

TEST_F(Sync, AnUnknownMergeInTheHistoryOfABareRepositoryLandsToo) {
  shell("git clone -q --bare " + shell_word(repository.root()) + " " + shell_word(repository.outside() / "b.git"));
  auto bare = git::open_workspace((repository.outside() / "b.git").string()).value();
  ASSERT_TRUE(bare->create_session({.name = k_session, .base = from}));
  write_file(repository.outside() / "b.git/.sdd/worktrees" / k_session / "x", "x\n");
  const auto captured = bare->capture(a_capture(from));
  ASSERT_TRUE(captured) << captured.error().message;
  const auto built = bare->build_candidate(a_candidate(captured->commit));
  ASSERT_TRUE(built) << built.error().message;
  const auto landed = bare->land(a_landing(std::get<port::Candidate>(*built)));
  ASSERT_TRUE(landed && std::holds_alternative<port::Landed>(*landed));
  const auto synced = bare->sync_checkout(k_main, from, std::get<port::Landed>(*landed).commit);
  ASSERT_TRUE(synced) << synced.error().message;
  EXPECT_EQ(synced->outcome, SyncOutcome::not_checked_out);
}

TEST_F(Sync, ALandingWaitsForALockAndThenSaysWhichOne) {
  const port::LandSpec spec = a_landing(candidate(a_candidate(commit)));
  const fs::path lock = repository.root() / ".git/refs/heads/main.lock";
  write_file(lock, "");
  const auto refused = workspace().land(spec);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message,
            "cannot move refs/heads/main: another git process holds it; if none runs, remove " + lock.string());
  fs::remove(lock);
  const auto landed = workspace().land(spec);
  EXPECT_TRUE(landed && std::holds_alternative<port::Landed>(*landed));
}

}  // namespace
}  // namespace bernstein::test
