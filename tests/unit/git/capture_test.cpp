// What an agent leaves behind, and what of it becomes a commit.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "workspace_fixture.hpp"

namespace bernstein::test {
namespace {

namespace fs = std::filesystem;

struct Capture : WorkspaceTest {};

TEST_F(Capture, TakesUntrackedModifiedDeletedAndRenamedFilesModesAndLinks) {
  const std::string base = start();
  fs::rename(worktree() / "src/a.txt", worktree() / "src/z.txt");
  fs::permissions(worktree() / "README.md", fs::perms::owner_exec, fs::perm_options::add);
  fs::create_symlink("/etc/passwd", worktree() / "outside");
  write_file(worktree() / "deep/er/file", "x");

  const port::Captured captured = capture(base);

  EXPECT_EQ(text_of(captured.changes), "M README.md, A deep/er/file, A outside, D src/a.txt, A src/z.txt");
  EXPECT_EQ(repository.git("ls-tree -r --format='%(objectmode) %(path)' " + captured.tree),
            "100755 README.md\n100644 deep/er/file\n120000 outside\n100644 src/z.txt");
  EXPECT_EQ(repository.git("log -1 --format='%an <%ae> %at %cn %ct%n%B' " + captured.commit),
            "Bernstein <bernstein@localhost> 1750000000 Bernstein 1750000000\nleft over");
  EXPECT_EQ(repository.git("fsck --strict"), "");
}

TEST_F(Capture, LeavesIgnoredFilesOutButNotTrackedOnes) {
  repository.write(".gitignore", "*.log\nout/\n");
  repository.write("kept.log", "tracked\n");
  repository.write("out/kept", "tracked\n");
  repository.git("add -f kept.log out/kept");
  repository.commit("ignores");
  const std::string base = start();
  write_file(worktree() / "kept.log", "changed\n");
  write_file(worktree() / "out/kept", "changed\n");
  write_file(worktree() / "out/other", "ignored\n");
  write_file(worktree() / "x/new.log", "ignored\n");
  write_file(worktree() / "tmp/.gitignore", "*\n");
  write_file(worktree() / "tmp/file", "ignored by a rule that the agent wrote\n");

  EXPECT_EQ(text_of(capture(base).changes), "M kept.log, M out/kept");
}

TEST_F(Capture, HonoursTheRulesOfThePersonAndNotThoseOfTheSession) {
  repository.write(".git/info/exclude", "private.txt\n");
  const std::string base = start();
  write_file(session_repository() / "info/exclude", "*\n");
  write_file(worktree() / "private.txt", "x");
  write_file(worktree() / "public.txt", "x");
  EXPECT_EQ(text_of(capture(base).changes), "A public.txt");
}

// Tools that scaffold a project make one. Their files are the agent's work, their history is not.
TEST_F(Capture, TakesTheFilesOfANestedRepository) {
  const std::string base = start();
  GitRepository::git_in(worktree(), "init -q nested");
  write_file(worktree() / "nested/file", "x");
  GitRepository::git_in(worktree() / "nested", "add -A");
  GitRepository::git_in(worktree() / "nested", "-c user.name=x -c user.email=x commit -q -m nested");
  GitRepository::git_in(worktree(), "init -q empty");
  write_file(worktree() / "linked/.git", "gitdir: /somewhere\n");
  write_file(worktree() / "linked/file", "x");
  EXPECT_EQ(text_of(capture(base).changes), "A linked/file, A nested/file");

  agent_git("add nested");  // git makes a reference into nowhere of it
  agent_git("commit -q -m nested");
  ASSERT_NE(agent_git("ls-tree HEAD nested").output.find("160000 commit"), std::string::npos);
  EXPECT_EQ(text_of(capture(base).changes), "A linked/file, A nested/file");
}

TEST_F(Capture, KeepsWhatTheAgentCommittedOrStashedBesideItsBranch) {
  const std::string base = start();
  agent_git("checkout -q -b some/try");
  write_file(worktree() / "valuable", "1");
  agent_git("add -A");
  agent_git("commit -q -m try");
  const std::string tried = agent_git("rev-parse HEAD").output;
  agent_git("checkout -q -");
  for (const std::string text : {"older", "newer"}) {
    write_file(worktree() / "stashed", text);
    agent_git("add -A");
    agent_git("stash -q");
  }

  const port::Captured captured = capture(base);

  EXPECT_EQ(captured.commit, base);
  const std::string salvage = "refs/bernstein/salvage/r1/t1.1";
  EXPECT_EQ(captured.also_kept,
            (std::vector<std::string>{salvage + ".some-try", salvage + ".stash", salvage + ".stash-1"}));
  EXPECT_EQ(repository.git("rev-parse " + salvage + ".some-try"), tried);
  EXPECT_EQ(repository.git("show " + salvage + ".stash:stashed"), "newer");
  EXPECT_EQ(repository.git("show " + salvage + ".stash-1:stashed"), "older");
  EXPECT_EQ(capture(base).also_kept, captured.also_kept) << "said again, it answers alike";
}

TEST_F(Capture, KeepsTrackedFilesOfADirectoryThatWasMadeARepository) {
  const std::string base = start();
  GitRepository::git_in(worktree() / "src", "init -q");
  write_file(worktree() / "src/a.txt", "changed\n");
  EXPECT_EQ(text_of(capture(base).changes), "M src/a.txt");
}

TEST_F(Capture, LeavesSubmodulesWhereTheyAre) {
  repository.git("update-index --add --cacheinfo 160000," + repository.tip() + ",lib");
  repository.git("commit -q -m submodule");
  const std::string base = start();
  EXPECT_TRUE(fs::is_directory(worktree() / "lib"));
  EXPECT_EQ(agent_git("status --porcelain").output, "");
  write_file(worktree() / "b.txt", "b\n");
  EXPECT_EQ(text_of(capture(base).changes), "A b.txt");
}

TEST_F(Capture, LeavesSpecialFilesOutAndDoesNotWaitForThem) {
  const std::string base = start();
  fs::remove(worktree() / "README.md");
  ASSERT_EQ(::mkfifo((worktree() / "README.md").c_str(), 0600), 0);
  ASSERT_EQ(::mkfifo((worktree() / "pipe").c_str(), 0600), 0);
  // libgit2 would open these by itself, and wait.
  ASSERT_EQ(::mkfifo((worktree() / ".gitignore").c_str(), 0600), 0);
  ASSERT_EQ(::mkfifo((worktree() / "src/pipe").c_str(), 0600), 0);
  fs::create_symlink("pipe", worktree() / "src/.gitattributes");
  write_file(worktree() / "src/b.txt", "b\n");
  EXPECT_EQ(text_of(capture(base).changes), "D README.md, A src/b.txt");
}

TEST_F(Capture, LeavesOutWhatGitForbidsAndWritesOddBytesAsHex) {
  const std::string base = start();
  write_file(worktree() / "x/.GIT/config", "[core]\n");
  write_file(worktree() / "git~1/config", "[core]\n");
  write_file(worktree() / "bad\xff.txt", "x");
  write_file(worktree() / "line\nbreak", "x");
  fs::create_symlink("x", worktree() / ".gitmodules");
  EXPECT_EQ(text_of(capture(base).changes), "A bad\\xFF.txt, A line\\x0Abreak");
  EXPECT_EQ(repository.git("fsck --strict"), "");
}

TEST_F(Capture, ReadsWhatTheAgentLocked) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may read everything";
  const std::string base = start();
  write_file(worktree() / "locked/inside.txt", "precious\n");
  write_file(worktree() / "README.md", "changed\n");
  fs::permissions(worktree() / "locked", fs::perms::none);
  fs::permissions(worktree() / "README.md", fs::perms::none);
  EXPECT_EQ(text_of(capture(base).changes), "M README.md, A locked/inside.txt");
}

TEST_F(Capture, NoticesAChangeThatKeepsSizeAndTime) {
  const std::string base = start();
  struct ::stat before {};
  ASSERT_EQ(::stat((worktree() / "README.md").c_str(), &before), 0);
  const int file = ::open((worktree() / "README.md").c_str(), O_WRONLY);  // the same inode, too
  ASSERT_EQ(::pwrite(file, "HELLO", 5, 0), 5);
  const ::timespec times[] = {before.st_atim, before.st_mtim};
  ASSERT_EQ(::futimens(file, times), 0);
  ::close(file);
  EXPECT_EQ(text_of(capture(base).changes), "M README.md");
}

TEST_F(Capture, ReplacesFilesByDirectoriesAndBack) {
  const std::string base = start();
  fs::remove(worktree() / "README.md");
  write_file(worktree() / "README.md/inner", "x");
  fs::remove_all(worktree() / "src");
  write_file(worktree() / "src", "now a file\n");
  write_file(worktree() / "src-b", "sorts between\n");
  const port::Captured captured = capture(base);
  EXPECT_EQ(text_of(captured.changes), "D README.md, A README.md/inner, A src, A src-b, D src/a.txt");
  EXPECT_EQ(repository.git("ls-tree -r --name-only " + captured.tree), "README.md/inner\nsrc\nsrc-b");
  EXPECT_EQ(repository.git("fsck --strict"), "");
}

TEST_F(Capture, CopiesCommitsThatTheAgentPacked) {
  const std::string base = start();
  for (int i = 0; i < 20; ++i) {
    write_file(worktree() / ("f" + std::to_string(i)), "content " + std::to_string(i) + "\n");
    agent_git("add -A");
    ASSERT_EQ(agent_git("commit -q -m step").exit_code, 0);
  }
  ASSERT_EQ(agent_git("gc -q --prune=now").exit_code, 0);  // packs objects and references
  ASSERT_EQ(agent_git("pack-refs --all").exit_code, 0);
  const port::Captured captured = capture(base);
  EXPECT_EQ(captured.changes.size(), 20U);
  EXPECT_EQ(repository.git("rev-list --count " + base + ".." + k_salvage), "20");
  fs::remove_all(session_repository());
  EXPECT_EQ(repository.git("fsck --strict --no-dangling"), "");
}

TEST_F(Capture, StoresManyNewObjectsAsOnePack) {
  const std::string base = start();
  for (int i = 0; i < 150; ++i) write_file(worktree() / ("f" + std::to_string(i)), std::to_string(i) + "\n");
  EXPECT_EQ(capture(base).changes.size(), 150U);
  EXPECT_EQ(shell("ls " + shell_word(repository.root() / ".git/objects/pack") + " | grep -c 'pack$'").output, "1");
  EXPECT_EQ(repository.git("fsck --strict"), "");
}

TEST_F(Capture, KeepsCommitsThatAmountToNothing) {
  const std::string base = start();
  agent_git("commit -q --allow-empty -m thoughts");
  const std::string tip = agent_git("rev-parse HEAD").output;
  const port::Captured captured = capture(base);
  EXPECT_EQ(captured.commit, base);
  EXPECT_EQ(text_of(captured.changes), "");
  EXPECT_EQ(repository.git("rev-parse " + std::string(k_salvage)), tip);
  EXPECT_TRUE(workspace().remove_session(k_session));
}

TEST_F(Capture, KeepsAnOlderSalvageThatTheNewOneDoesNotContain) {
  const std::string base = start();
  write_file(worktree() / "b.txt", "first\n");
  const port::Captured first = capture(base);
  write_file(worktree() / "b.txt", "second\n");
  const port::Captured second = capture(base);
  EXPECT_EQ(repository.git("rev-parse " + std::string(k_salvage)), second.commit);
  EXPECT_EQ(repository.git("rev-parse " + std::string(k_salvage) + ".superseded-" + first.commit.substr(0, 12)),
            first.commit);
}

TEST_F(Capture, SalvagesWhatIsLeftWhenTheBranchIsGone) {
  const std::string base = start();
  write_file(worktree() / "b.txt", "b\n");
  fs::remove_all(session_repository());
  const auto captured = workspace().capture(a_capture(base));
  ASSERT_FALSE(captured);
  EXPECT_EQ(captured.error().code, ErrorCode::conflict);
  EXPECT_EQ(captured.error().message, std::string("the branch agent/") + k_session +
                                          " is gone or cannot be read; what is left is kept as " + k_salvage);
  EXPECT_EQ(repository.git("show " + std::string(k_salvage) + ":b.txt"), "b");
}

TEST_F(Capture, SalvagesCommitsWhenTheWorktreeIsGone) {
  const std::string base = start();
  write_file(worktree() / "b.txt", "b\n");
  agent_git("add -A");
  agent_git("commit -q -m mine");
  fs::remove_all(worktree());
  const auto captured = workspace().capture(a_capture(base));
  ASSERT_FALSE(captured);
  EXPECT_EQ(captured.error().message,
            std::string("the worktree of ") + k_session + " is gone; what is left is kept as " + k_salvage);
  EXPECT_EQ(repository.git("show " + std::string(k_salvage) + ":b.txt"), "b");
}

}  // namespace
}  // namespace bernstein::test
