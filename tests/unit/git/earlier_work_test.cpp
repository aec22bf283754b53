// Work of an attempt beside what became of the target: as files with conflict markers in the next attempt's worktree,
// and as a look at one that is still being written.
#include <sys/stat.h>

#include <atomic>
#include <thread>

#include "workspace_fixture.hpp"

namespace bernstein::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* k_next = "session-r1-t1.2";

// `side` is the earlier work, main the base of the next session.
struct EarlierWork : WorkspaceTest {
  void fork() { repository.git("branch side"); }
  void on(const std::string& branch) { repository.git("checkout -q " + branch); }
  port::SessionSpec next() {
    return {.name = k_next,
            .base = repository.tip(),
            .symlink_dirs = {},
            .copy_files = {},
            .merge_in = repository.tip("side")};
  }
  std::string status() { return agent_git("status --porcelain --untracked-files=all", k_next).output; }
  std::string read(const std::string& path) { return read_file(worktree(k_next) / path); }
};

TEST_F(EarlierWork, IsThereAsUncommittedChangesThatGitSees) {
  repository.write("f", "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
  repository.write("mode", "m\n");
  repository.commit("f");
  fork();
  repository.write("f", "ONE\n2\n3\n4\n5\n6\n7\n8\n9\n");
  repository.commit("main");
  on("side");
  repository.write("f", "1\n2\n3\n4\n5\n6\n7\n8\nNINE\n");
  repository.write("new/b.txt", "b\n");
  fs::remove(repository.root() / "src/a.txt");
  fs::permissions(repository.root() / "mode", fs::perms::owner_exec, fs::perm_options::add);
  fs::create_symlink("f", repository.root() / "link");
  repository.commit("side");
  on("main");

  start(next());

  EXPECT_EQ(status(), " M f\n M mode\n D src/a.txt\n?? link\n?? new/b.txt");
  EXPECT_EQ(agent_git("diff --cached", k_next).output, "") << "nothing is in the index";
  EXPECT_EQ(read("f"), "ONE\n2\n3\n4\n5\n6\n7\n8\nNINE\n");
  EXPECT_EQ(agent_git("fsck --strict --no-dangling --no-progress", k_next).output, "");
  const port::Captured captured = capture(repository.tip(), k_next);
  EXPECT_EQ(captured.tree, repository.git("merge-tree --write-tree main side"));
  EXPECT_EQ(text_of(captured.changes), "M f, A link, M mode, A new/b.txt, D src/a.txt");
}

TEST_F(EarlierWork, HasMarkersWhereItConflictsAsGitWritesThem) {
  repository.write("f", "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
  repository.commit("f");
  fork();
  repository.write("f", "ONE\n2\n3\n4\n5\n6\n7\n8\nMAIN\n");
  repository.commit("main");
  on("side");
  repository.write("f", "1\n2\n3\n4\n5\n6\n7\n8\nSIDE\n");
  repository.commit("side");
  on("main");

  start(next());

  EXPECT_EQ(read("f"),
            "ONE\n2\n3\n4\n5\n6\n7\n8\n<<<<<<< target\nMAIN\n||||||| before both\n9\n=======\nSIDE\n"
            ">>>>>>> your earlier work\n");
  const fs::path at = repository.outside();
  for (const char* revision : {"main", "side", "main~1"}) {
    write_file(at / revision, repository.git(std::string("show ") + revision + ":f") + "\n");
  }
  const Shell gits =
      repository.try_git("merge-file -p --diff3 -L target -L 'before both' -L 'your earlier work' " +
                         shell_word(at / "main") + " " + shell_word(at / "main~1") + " " + shell_word(at / "side"));
  EXPECT_EQ(read("f"), gits.output + "\n");
  EXPECT_EQ(status(), " M f");
}

TEST_F(EarlierWork, OfTwoNewFilesHasMarkersAroundAllOfThem) {
  fork();
  repository.write("new", "main\n");
  repository.commit("main");
  on("side");
  repository.write("new", "side\n");
  repository.commit("side");
  on("main");
  start(next());
  EXPECT_EQ(read("new"), "<<<<<<< target\nmain\n||||||| before both\n=======\nside\n>>>>>>> your earlier work\n");
}

TEST_F(EarlierWork, StandsBackWhereThereCanBeNoMarkers) {
  repository.write("binary", std::string("\0one\n", 5));
  repository.write("gone/main", "1\n");
  repository.write("gone/side", "1\n");
  fs::create_symlink("a", repository.root() / "link");
  repository.commit("f");
  fork();
  const auto change = [&](const std::string& who) {
    repository.write("binary", std::string("\0", 1) + who + "\n");
    repository.write("gone/main", who + "\n");
    repository.write("gone/side", who + "\n");
    fs::remove(repository.root() / ("gone/" + who));
    fs::remove(repository.root() / "link");
    fs::create_symlink(who, repository.root() / "link");
    repository.write("mode", who + "\n");
  };
  change("main");
  repository.write("thing", "a file\n");
  repository.write("other/inside", "a directory\n");
  repository.commit("main");
  on("side");
  change("side");
  fs::permissions(repository.root() / "mode", fs::perms::owner_exec, fs::perm_options::add);
  repository.write("thing/inside", "a directory\n");
  repository.write("other", "a file\n");
  repository.write("mine", "side\n");
  repository.commit("side");
  on("main");

  start(next());

  EXPECT_EQ(status(), "?? mine") << "everything else is the base's";
  EXPECT_EQ(text_of(capture(repository.tip(), k_next).changes), "A mine");
}

TEST_F(EarlierWork, ThatRenamedWhatTheTargetRenamedOtherwiseStandsBack) {
  fork();
  repository.git("mv src/a.txt src/main.txt");
  repository.commit("main");
  on("side");
  repository.git("mv src/a.txt src/side.txt");
  repository.commit("side");
  on("main");
  start(next());
  EXPECT_EQ(status(), "");
}

TEST_F(EarlierWork, HasItsMarkersInTheFileThatOneSideRenamed) {
  std::string text;
  for (int i = 0; i < 20; ++i) text += "line " + std::to_string(i) + "\n";
  repository.write("old", text + "base\n");
  repository.write("kept", text + "base\n");
  repository.write(".gitattributes", "kept* -merge\n");
  repository.commit("old");
  fork();
  repository.write("old", text + "main\n");
  repository.write("kept", text + "main\n");
  repository.commit("main");
  on("side");
  repository.git("mv old new");
  repository.git("mv kept kept-new");
  repository.write("new", text + "side\n");
  repository.write("kept-new", text + "side\n");
  repository.commit("side");
  on("main");
  start(next());
  EXPECT_EQ(status(), " D old\n?? new");
  EXPECT_EQ(read("new"),
            text + "<<<<<<< target\nmain\n||||||| before both\nbase\n=======\nside\n>>>>>>> your earlier work\n");
}

TEST_F(EarlierWork, FollowsLineEndsAsTheMergedAttributesAsk) {
  repository.write("f.txt", "1\n2\n3\n");
  repository.commit("f");
  fork();
  repository.write("f.txt", "1\nmain\n3\n");
  repository.commit("main");
  on("side");
  repository.write(".gitattributes", "*.txt eol=crlf\n");
  repository.write("f.txt", "1\nside\n3\n");
  repository.commit("side");
  on("main");
  start(next());
  EXPECT_EQ(read("f.txt"),
            "1\r\n<<<<<<< target\r\nmain\r\n||||||| before both\r\n2\r\n=======\r\nside\r\n"
            ">>>>>>> your earlier work\r\n3\r\n");
  EXPECT_EQ(text_of(capture(repository.tip(), k_next).changes), "A .gitattributes, M f.txt");
}

TEST_F(EarlierWork, LeavesNoObjectsOfItsOwnInTheRepository) {
  fork();
  repository.write("src/a.txt", "main\n");
  repository.commit("main");
  on("side");
  repository.write("src/a.txt", "side\n");
  repository.commit("side");
  on("main");
  const std::string before = repository.git("count-objects");
  const port::SessionSpec spec = next();
  start(spec);
  EXPECT_EQ(repository.git("count-objects"), before);
  // Nor does it need any that a collection of garbage could take.
  repository.git("gc -q --prune=now");
  EXPECT_EQ(agent_git("fsck --strict --no-dangling --no-progress", k_next).output, "");
  EXPECT_EQ(text_of(capture(spec.base, k_next).changes), "M src/a.txt");
}

TEST_F(EarlierWork, ThatIsInTheBaseAlreadyChangesNothing) {
  fork();
  port::SessionSpec spec = next();
  repository.write("m", "m\n");
  spec.base = repository.commit("main");
  start(spec);
  EXPECT_EQ(status(), "");
}

TEST_F(EarlierWork, ThatIsNotThereIsAnErrorAndLeavesTheSessionAsItWas) {
  start();
  write_file(worktree() / "b.txt", "precious\n");
  const auto refused = workspace().create_session({.name = k_session,
                                                   .base = repository.tip(),
                                                   .symlink_dirs = {},
                                                   .copy_files = {},
                                                   .merge_in = std::string(40, '1')});
  EXPECT_FALSE(refused);
  EXPECT_EQ(read_file(worktree() / "b.txt"), "precious\n");
}

TEST_F(EarlierWork, TakesThePlaceOfWhatSetupWouldPutThere) {
  fork();
  repository.write(".env", "ignored\n");
  on("side");
  repository.git("add -f .env");
  repository.write(".env", "mine\n");
  repository.commit("side");
  repository.git("checkout -q main");
  repository.write(".env", "the person's\n");
  port::SessionSpec spec = next();
  spec.copy_files = {".env"};
  start(spec);
  EXPECT_EQ(read(".env"), "mine\n");
}

// ---- A look at work in progress ----

struct Probe : EarlierWork {
  std::vector<std::string> probe(const std::string& base, const std::string& commit) {
    const auto paths = workspace().probe(a_capture(base), commit);
    EXPECT_TRUE(paths) << paths.error().message;
    return paths ? *paths : std::vector<std::string>{};
  }
  using Paths = std::vector<std::string>;
};

TEST_F(Probe, WritesNothingAtAll) {
  const std::string base = start();
  write_file(worktree() / "src/a.txt", "mine\n");
  agent_git("commit -q -a -m mine");
  write_file(worktree() / "README.md", "mine\n");
  repository.write("README.md", "main\n");
  repository.write("src/a.txt", "main\n");
  const std::string other = repository.commit("main");
  const std::string objects = repository.git("count-objects");
  const std::string refs = repository.git("for-each-ref");
  const std::string mine = agent_git("count-objects").output + agent_git("status --porcelain").output;

  EXPECT_EQ(probe(base, other), (Paths{"README.md", "src/a.txt"}));

  EXPECT_EQ(repository.git("count-objects"), objects);
  EXPECT_EQ(repository.git("for-each-ref"), refs);
  EXPECT_EQ(agent_git("count-objects").output + agent_git("status --porcelain").output, mine);
}

TEST_F(Probe, IgnoresIgnoredFilesAndMergesLines) {
  repository.write(".gitignore", "out/\n");
  repository.write("f", "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
  repository.commit("f");
  const std::string base = start();
  write_file(worktree() / "f", "ONE\n2\n3\n4\n5\n6\n7\n8\n9\n");
  write_file(worktree() / "out/x", "mine\n");
  repository.write("f", "1\n2\n3\n4\n5\n6\n7\n8\nNINE\n");
  repository.git("add -f .");
  write_file(repository.root() / "out/x", "main\n");
  repository.git("add -f out/x");
  const std::string other = repository.commit("main");
  EXPECT_EQ(probe(base, other), Paths{});
}

TEST_F(Probe, GivesBackNoRightsAndOpensNoPipes) {
  const std::string base = start();
  write_file(worktree() / "README.md", "mine\n");
  write_file(worktree() / "src/a.txt", "mine\n");
  ASSERT_EQ(::mkfifo((worktree() / "src/.gitignore").c_str(), 0600), 0);
  fs::permissions(worktree() / "README.md", fs::perms::none);
  repository.write("README.md", "main\n");
  repository.write("src/a.txt", "main\n");
  const std::string other = repository.commit("main");
  const bool reads_all = ::geteuid() == 0;

  EXPECT_EQ(probe(base, other), reads_all ? Paths{"README.md"} : Paths{});

  EXPECT_EQ(fs::status(worktree() / "README.md").permissions(), fs::perms::none);
  EXPECT_TRUE(fs::is_fifo(worktree() / "src/.gitignore"));
}

TEST_F(Probe, OfABranchThatIsGoneOrLeftItsBaseLooksAtTheFiles) {
  const std::string base = start();
  write_file(worktree() / "README.md", "mine\n");
  agent_git("add -A");
  const std::string tree = agent_git("write-tree").output;
  const std::string alone = agent_git("commit-tree -m alone " + tree).output;
  agent_git("reset -q --soft " + alone);
  repository.write("README.md", "main\n");
  const std::string other = repository.commit("main");
  EXPECT_EQ(probe(base, other), Paths{"README.md"});
  fs::remove_all(session_repository() / "refs/heads/agent");
  EXPECT_EQ(probe(base, other), Paths{"README.md"});
  fs::remove_all(session_repository() / "objects");
  EXPECT_EQ(probe(base, other), Paths{"README.md"});
  fs::remove_all(worktree());
  EXPECT_EQ(probe(base, other), Paths{});
}

TEST_F(Probe, TellsALargeFileThatBothSidesChangedWithoutReadingIt) {
  const auto large = [](const fs::path& path, char fill) {
    write_file(path, std::string(1, fill));
    fs::resize_file(path, std::uintmax_t{64} << 20);
  };
  large(repository.root() / "large", 'a');
  repository.commit("large");
  const std::string base = start();
  EXPECT_EQ(probe(base, repository.tip()), Paths{});
  large(worktree() / "large", 'b');
  const std::string unrelated = repository.commit("nothing");
  EXPECT_EQ(probe(base, unrelated), Paths{});
  large(repository.root() / "large", 'c');
  const std::string other = repository.commit("main");
  EXPECT_EQ(probe(base, other), Paths{"large"});
}

TEST_F(Probe, AnswersWhileFilesComeAndGo) {
  const std::string base = start();
  write_file(worktree() / "README.md", "mine\n");
  repository.write("README.md", "main\n");
  const std::string other = repository.commit("main");
  std::atomic<bool> over = false;
  std::thread agent([&] {
    for (int i = 0; !over; ++i) {
      const fs::path directory = worktree() / ("d" + std::to_string(i % 3));
      for (int f = 0; f < 20; ++f) write_file(directory / std::to_string(f), "x\n");
      write_file(directory / ".gitignore", "*.o\n");
      fs::remove_all(directory);
    }
  });
  for (int i = 0; i < 30; ++i) EXPECT_EQ(probe(base, other), Paths{"README.md"});
  over = true;
  agent.join();
}

}  // namespace
}  // namespace bernstein::test
