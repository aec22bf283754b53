// Candidates, compared with what git itself would merge.
#include <algorithm>
#include <cstdint>
#include <random>

#include "workspace_fixture.hpp"

namespace bernstein::test {
namespace {

namespace fs = std::filesystem;

struct Merge : WorkspaceTest {
  // What the branch `side` and main merge to: the tree, or the paths in conflict.
  std::string ours() {
    const auto outcome = workspace().build_candidate(a_candidate(repository.tip("side")));
    if (!outcome) return outcome.error().message;
    if (const auto* candidate = std::get_if<port::Candidate>(&*outcome)) return candidate->tree;
    std::string text = "conflict";
    for (const ConflictedPath& path : std::get<port::Conflict>(*outcome).paths) text += " " + path.path;
    return text;
  }
  std::string gits() {
    const Shell merged = repository.try_git("merge-tree --write-tree --name-only --no-messages main side");
    if (merged.exit_code == 0) return merged.output;
    std::string paths = merged.output.substr(std::min(merged.output.size(), std::size_t{40}));
    std::replace(paths.begin(), paths.end(), '\n', ' ');
    return "conflict" + paths;
  }
  void on(const std::string& branch) { repository.git("checkout -q " + branch); }
  void fork() { repository.git("branch side"); }
};

TEST_F(Merge, OfDifferentFilesIsGits) {
  fork();
  repository.write("src/deep/new.txt", "main\n");
  repository.commit("main");
  on("side");
  repository.write("src/deep/other.txt", "side\n");
  repository.write("src/a.txt", "side\n");
  fs::remove(repository.root() / "README.md");
  repository.commit("side");
  EXPECT_EQ(ours(), gits());
  EXPECT_EQ(ours().size(), 40U);
}

TEST_F(Merge, OfDifferentLinesOfOneFileIsGits) {
  repository.write("f", "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
  repository.commit("f");
  fork();
  repository.write("f", "ONE\n2\n3\n4\n5\n6\n7\n8\n9\n");
  repository.commit("main");
  on("side");
  repository.write("f", "1\n2\n3\n4\n5\n6\n7\n8\nNINE\n");
  repository.commit("side");
  EXPECT_EQ(ours(), gits());
  EXPECT_EQ(ours().size(), 40U);
}

TEST_F(Merge, OutlastsACollectionOfGarbageUntilItIsLanded) {
  repository.write("README.md", "main\n");
  fork();
  repository.commit("main");
  on("side");
  repository.write("src/a.txt", "side\n");
  const std::string side = repository.commit("side");
  on("main");
  const port::Candidate built = candidate(a_candidate(side));
  repository.git("gc -q --prune=now");
  const auto landed = workspace().land(a_landing(built));
  ASSERT_TRUE(landed) << landed.error().message;
  EXPECT_EQ(repository.git("fsck --strict --no-dangling --no-progress"), "");
}

TEST_F(Merge, OfOneLineIsAConflictAsInGit) {
  fork();
  repository.write("src/a.txt", "main\n");
  repository.commit("main");
  on("side");
  repository.write("src/a.txt", "side\n");
  repository.commit("side");
  EXPECT_EQ(ours(), "conflict src/a.txt");
  EXPECT_EQ(ours(), gits());
}

TEST_F(Merge, FollowsARenameAsGitDoes) {
  fork();
  repository.git("mv src/a.txt src/renamed.txt");
  repository.commit("main");
  on("side");
  repository.write("src/a.txt", "one\ntwo\nthree\nfour\n");
  repository.commit("side");
  EXPECT_EQ(ours(), gits());
  EXPECT_EQ(ours().size(), 40U);
}

TEST_F(Merge, OfAFileAndADirectoryOfOneNameIsNotPutTogetherBlindly) {
  fork();
  repository.write("thing", "a file\n");
  repository.commit("main");
  on("side");
  repository.write("thing/inside", "a directory\n");
  repository.commit("side");
  EXPECT_TRUE(ours().starts_with("conflict thing")) << ours();
}

TEST_F(Merge, AcrossACrissCrossIsGits) {
  fork();
  repository.write("m", "m\n");
  repository.commit("main");
  on("side");
  repository.write("s", "s\n");
  repository.commit("side");
  repository.git("tag old-side");
  repository.git("merge -q -m cross main~0");
  on("main");
  repository.git("merge -q -m cross old-side");
  repository.write("src/a.txt", "main\ntwo\nthree\n");
  repository.commit("main again");
  on("side");
  repository.write("src/a.txt", "one\ntwo\nthree\nside\n");
  repository.commit("side again");
  ASSERT_EQ(repository.git("merge-base --all main side").size(), 81U);
  EXPECT_EQ(ours(), gits());
}

TEST_F(Merge, UsesTheUnionThatAttributesAskFor) {
  repository.write(".gitattributes", "CHANGES merge=union\n");
  repository.write("CHANGES", "start\n");
  repository.commit("changes");
  fork();
  repository.write("CHANGES", "start\nmain\n");
  repository.commit("main");
  on("side");
  repository.write("CHANGES", "start\nside\n");
  repository.commit("side");
  EXPECT_EQ(ours().size(), 40U) << ours();
  EXPECT_EQ(repository.git("show " + ours() + ":CHANGES"), "start\nmain\nside");
}

TEST_F(Merge, OfWhatIsMergedAlreadyIsTheTarget) {
  fork();
  repository.write("m", "m\n");
  repository.commit("main");
  EXPECT_EQ(ours(), repository.git("rev-parse main^{tree}"));
}

TEST_F(Merge, ChangesNothingButObjectsAndTheReferenceThatKeepsThem) {
  fork();
  repository.write("m", "m\n");
  repository.commit("main");
  on("side");
  repository.write("s", "s\n");
  repository.commit("side");
  const std::string refs = repository.git("for-each-ref");
  const std::string index = repository.read(".git/index");
  const std::string tree = ours();
  EXPECT_EQ(repository.git("for-each-ref --format='%(tree) %(refname)' refs/bernstein"),
            tree + " refs/bernstein/candidates/r1-t1.1");
  EXPECT_EQ(repository.git("for-each-ref refs/heads"), refs);
  EXPECT_EQ(repository.read(".git/index"), index);
  EXPECT_EQ(repository.git("status --porcelain"), "");
}

// Random edits of small files on both sides: whatever git merges cleanly is merged to the same tree.
TEST_F(Merge, OfRandomEditsIsGits) {
  constexpr unsigned k_seed = 20240607;
  std::mt19937 random(k_seed);
  const auto pick = [&](unsigned count) { return static_cast<int>(random() % count); };
  const auto name = [&] { return "d" + std::to_string(pick(3)) + "/f" + std::to_string(pick(4)); };
  for (int d = 0; d < 3; ++d) {
    for (int f = 0; f < 4; ++f) {
      std::string text;
      for (int line = 0; line < 20; ++line) text += std::to_string(d * 1000 + f * 100 + line) + "\n";
      repository.write("d" + std::to_string(d) + "/f" + std::to_string(f), text);
    }
  }
  const std::string base = repository.commit("base");
  const auto edit = [&](const std::string& side) {
    for (int i = 0; i < 3; ++i) {
      const std::string path = name();
      std::string text = repository.read(path);
      if (pick(6) == 0) {
        fs::remove(repository.root() / path);
      } else if (!text.empty()) {
        const std::size_t at = text.find('\n', static_cast<std::size_t>(pick(static_cast<unsigned>(text.size() / 2))));
        repository.write(path, text.insert(at + 1, side + std::to_string(i) + "\n"));
      } else {
        repository.write(path, side + "\n");
      }
    }
    repository.commit(side);
  };
  int clean = 0;
  for (int round = 0; round < 15; ++round) {
    repository.git("checkout -q -B side " + base);
    edit("side");
    repository.git("checkout -q -B main " + base);
    edit("main");
    const std::string expected = gits();
    EXPECT_EQ(ours(), expected) << "seed " << k_seed << ", round " << round;
    clean += expected.size() == 40 ? 1 : 0;
  }
  EXPECT_GT(clean, 3) << "the rounds are not all conflicts";
}

}  // namespace
}  // namespace bernstein::test
