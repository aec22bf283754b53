// What settles the conflicts of a candidate, and what of an attempt is left out of it; compared with git where git has
// the same.
#include "workspace_fixture.hpp"

namespace bernstein::test {
namespace {

namespace fs = std::filesystem;

// Two branches that part at main: `side` is the attempt's.
struct Candidates : WorkspaceTest {
  port::CandidateSpec side() { return a_candidate(repository.tip("side")); }
  port::Conflict conflict(const port::CandidateSpec& spec) {
    const auto outcome = workspace().build_candidate(spec);
    EXPECT_TRUE(outcome) << outcome.error().message;
    const bool conflicted = outcome && std::holds_alternative<port::Conflict>(*outcome);
    EXPECT_TRUE(conflicted) << "no conflict";
    return conflicted ? std::get<port::Conflict>(*outcome) : port::Conflict{};
  }
  std::string show(const port::Candidate& candidate, const std::string& path) {
    return repository.git("show " + candidate.tree + ":" + path);
  }
  std::string mode(const port::Candidate& candidate, const std::string& path) {
    return repository.git("ls-tree " + candidate.tree + " " + path).substr(0, 6);
  }
  std::string blob(const std::string& revision) { return repository.git("rev-parse " + revision); }
  std::string files(const std::string& tree) {
    std::string text = repository.git("ls-tree -r --name-only " + tree);
    std::replace(text.begin(), text.end(), '\n', ' ');
    return text;
  }
  void fork() { repository.git("branch side"); }
  void on(const std::string& branch) { repository.git("checkout -q " + branch); }
  // "src/a.txt xx-": the attempt has deleted it; "x--": a name that both have given up
  static std::string text_of(const ConflictedPath& path) {
    const auto has = [](const std::string& id) { return id.empty() ? "-" : "x"; };
    return path.path + " " + has(path.base) + has(path.ours) + has(path.theirs);
  }
  static std::string text_of(const port::Conflict& conflict) {
    std::string text;
    for (const ConflictedPath& path : conflict.paths) text += (text.empty() ? "" : ", ") + text_of(path);
    return text;
  }
};

TEST_F(Candidates, AreCommitsOfBernsteinsAtTheGivenTime) {
  fork();
  on("side");
  repository.write("s", "s\n");
  repository.commit("side");
  const port::Candidate built = candidate(side());
  EXPECT_EQ(repository.git("log -1 --format='%an <%ae> %at %cn <%ce> %ct|%P|%B' " + built.commit),
            "Bernstein <bernstein@localhost> 1750000000 Bernstein <bernstein@localhost> 1750000000|" +
                repository.tip() + " " + repository.tip("side") + "|Merge t1");
  EXPECT_EQ(repository.git("rev-parse " + built.commit + "^{tree}"), built.tree);
}

TEST_F(Candidates, OutlastACollectionOfGarbageUntilTheyAreDropped) {
  fork();
  on("side");
  repository.write("s", "s\n");
  repository.commit("side");
  on("main");
  repository.write("m", "m\n");
  repository.commit("main");
  const port::Candidate first = candidate(side());
  port::CandidateSpec spec = side();
  spec.onto = first.commit;
  spec.name = "r1-t2.1";
  const port::Candidate second = candidate(spec);
  ASSERT_TRUE(workspace().drop_candidate("r1-t1.1"));

  repository.git("gc -q --prune=now");
  EXPECT_EQ(repository.git("cat-file -t " + first.commit), "commit") << "the next one is built on it";
  ASSERT_TRUE(workspace().drop_candidate("r1-t2.1"));
  repository.git("gc -q --prune=now");
  EXPECT_NE(repository.try_git("cat-file -t " + second.commit).exit_code, 0);
  EXPECT_NE(repository.try_git("cat-file -t " + first.commit).exit_code, 0);
}

TEST_F(Candidates, HaveNamesThatAReferenceCanHave) {
  for (const char* name : {"", "../x", "a/b", "a..b", "x.lock", "-x", "a b"}) {
    port::CandidateSpec spec = a_candidate(repository.tip());
    spec.name = name;
    const auto refused = workspace().build_candidate(spec);
    ASSERT_FALSE(refused) << name;
    EXPECT_EQ(refused.error().code, ErrorCode::invalid_input);
    EXPECT_FALSE(workspace().drop_candidate(name));
  }
}

TEST_F(Candidates, LandWithTheirNoteInTheReflog) {
  fork();
  on("side");
  repository.write("s", "s\n");
  repository.commit("side");
  on("main");
  const port::Candidate built = candidate(side());
  ASSERT_TRUE(workspace().land(a_landing(built)));
  EXPECT_EQ(repository.git("log -g -1 --format=%gs main"), "bernstein: land Merge t1");
  EXPECT_EQ(repository.tip(), built.commit);
}

TEST_F(Candidates, OnAnotherCandidateMergeAsGitWouldOnItsCommit) {
  repository.write("f", "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
  repository.commit("f");
  fork();
  repository.git("branch other");
  on("side");
  repository.write("f", "ONE\n2\n3\n4\n5\n6\n7\n8\n9\n");
  repository.commit("side");
  on("other");
  repository.write("f", "1\n2\n3\n4\n5\n6\n7\n8\nNINE\n");
  repository.commit("other");
  on("main");
  for (const LandingMethod method : {LandingMethod::merge, LandingMethod::squash}) {
    port::CandidateSpec spec = side();
    spec.method = method;
    const port::Candidate first = candidate(spec);
    spec = a_candidate(repository.tip("other"));
    spec.onto = first.commit;
    spec.method = method;
    EXPECT_EQ(candidate(spec).tree, repository.git("merge-tree --write-tree " + first.commit + " other"));
    spec.commit = repository.tip("side");
    EXPECT_EQ(candidate(spec).tree, first.tree) << "again";
  }
}

// ---- Paths that define checks ----

TEST_F(Candidates, LeaveOutACheckThatTheTargetRenamedMeanwhile) {
  std::string text;
  for (int i = 0; i < 20; ++i) text += "line " + std::to_string(i) + "\n";
  repository.write("checks/run.sh", text);
  repository.commit("check");
  fork();
  repository.git("mv checks/run.sh moved.sh");
  repository.commit("main");
  on("side");
  repository.write("checks/run.sh", text + "exit 0\n");
  repository.commit("side");
  port::CandidateSpec spec = side();
  EXPECT_EQ(show(candidate(spec), "moved.sh"), text + "exit 0") << "a merge follows the rename";
  spec.from_target = {"checks/"};

  const port::Candidate built = candidate(spec);

  EXPECT_EQ(show(built, "moved.sh") + "\n", text);
  EXPECT_EQ(built.left_out, std::vector<std::string>{"checks/run.sh"});
  EXPECT_EQ(files(built.tree), "README.md moved.sh src/a.txt");
}

TEST_F(Candidates, LeaveOutModesLinksAndFilesInPlaceOfDirectories) {
  repository.write("checks/a", "a\n");
  repository.write("checks/b", "b\n");
  repository.write("checks/deep/c", "c\n");
  repository.commit("checks");
  fork();
  on("side");
  fs::permissions(repository.root() / "checks/a", fs::perms::owner_exec, fs::perm_options::add);
  fs::remove(repository.root() / "checks/b");
  fs::create_symlink("/bin/true", repository.root() / "checks/b");
  fs::remove_all(repository.root() / "checks/deep");
  repository.write("checks/deep", "no directory\n");
  repository.write("s", "s\n");
  repository.commit("side");
  on("main");
  repository.write("m", "m\n");
  repository.commit("main");
  port::CandidateSpec spec = side();
  spec.from_target = {"checks/**"};

  const port::Candidate built = candidate(spec);

  EXPECT_EQ(built.left_out, (std::vector<std::string>{"checks/a", "checks/b", "checks/deep", "checks/deep/c"}));
  EXPECT_EQ(repository.git("rev-parse " + built.tree + ":checks"), repository.git("rev-parse main:checks"));
  EXPECT_EQ(files(built.tree), "README.md checks/a checks/b checks/deep/c m s src/a.txt");
}

TEST_F(Candidates, LeaveOutWhatAnOldStateOfAMergedHistoryWouldBringBack) {
  repository.write("check", "weak\n");
  repository.commit("weak");
  fork();
  repository.write("check", "strong\n");
  repository.commit("strong");
  on("side");
  repository.git("merge -q -s ours -m mine main");  // the attempt contains the target, without what it changed
  repository.write("s", "s\n");
  repository.commit("side");
  port::CandidateSpec spec = side();
  EXPECT_EQ(show(candidate(spec), "check"), "weak");
  spec.from_target = {"check"};
  const port::Candidate built = candidate(spec);
  EXPECT_EQ(show(built, "check"), "strong");
  EXPECT_EQ(built.left_out, std::vector<std::string>{"check"});
}

TEST_F(Candidates, LeaveOutChecksAcrossACrissCross) {
  repository.write("check", "1\n");
  repository.commit("check");
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
  repository.write("check", "2\n");
  repository.commit("main again");
  on("side");
  repository.write("check", "attempt's\n");
  repository.write("last", "last\n");
  repository.commit("side again");
  port::CandidateSpec spec = side();
  spec.from_target = {"check"};
  const port::Candidate built = candidate(spec);
  EXPECT_EQ(show(built, "check"), "2");
  EXPECT_EQ(files(built.tree), "README.md check last m s src/a.txt");
}

TEST_F(Candidates, OfAnAttemptThatChangedNothingButChecksAreTheTarget) {
  fork();
  on("side");
  repository.write("checks/new", "true\n");
  repository.commit("side");
  port::CandidateSpec spec = side();
  spec.from_target = {"checks/"};
  const port::Candidate built = candidate(spec);
  EXPECT_EQ(built.tree, repository.git("rev-parse main^{tree}"));
  EXPECT_EQ(built.left_out, std::vector<std::string>{"checks/new"});
}

// ---- Unions ----

TEST_F(Candidates, KeepTheLinesOfBothSidesAsGitsUnionDoes) {
  const std::string base = "# Changes\n\n* old\n\n## 0.1\n\n* first\n";
  const std::string ours = "# Changes\n\n* main one\n* main two\n* old\n\n## 0.1\n\n* first\n* main end\n";
  const std::string theirs = "# Changes\n\n* side\n* old\n\n## 0.1\n\n* first\n* side end";
  repository.write("docs/CHANGES.md", base);
  repository.commit("changes");
  fork();
  repository.write("docs/CHANGES.md", ours);
  repository.commit("main");
  on("side");
  repository.write("docs/CHANGES.md", theirs);
  repository.commit("side");
  port::CandidateSpec spec = side();
  EXPECT_EQ(text_of(conflict(spec)), "docs/CHANGES.md xxx");
  spec.union_files = {"CHANGES.md", "docs/*.md"};

  const port::Candidate built = candidate(spec);

  const fs::path at = repository.outside();
  write_file(at / "base", base);
  write_file(at / "ours", ours);
  write_file(at / "theirs", theirs);
  EXPECT_EQ(show(built, "docs/CHANGES.md"), repository.git("merge-file -p --union " + shell_word(at / "ours") + " " +
                                                           shell_word(at / "base") + " " + shell_word(at / "theirs")));
  EXPECT_EQ(built.unioned, std::vector<std::string>{"docs/CHANGES.md"});
}

TEST_F(Candidates, DoNotCountAFileThatMergesByItselfAmongTheUnions) {
  repository.write("f", "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
  repository.commit("f");
  fork();
  repository.write("f", "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n");
  repository.commit("main");
  on("side");
  repository.write("f", "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n");
  repository.commit("side");
  port::CandidateSpec spec = side();
  spec.union_files = {"f"};
  EXPECT_TRUE(candidate(spec).unioned.empty());
}

TEST_F(Candidates, KeepTheBitThatOneSideGaveAUnionFile) {
  repository.write("f", "1\n");
  repository.commit("f");
  fork();
  repository.write("f", "1\nmain\n");
  repository.commit("main");
  on("side");
  repository.write("f", "1\nside\n");
  fs::permissions(repository.root() / "f", fs::perms::owner_exec, fs::perm_options::add);
  repository.commit("side");
  port::CandidateSpec spec = side();
  spec.union_files = {"f"};
  const port::Candidate built = candidate(spec);
  EXPECT_EQ(mode(built, "f"), "100755");
  EXPECT_EQ(show(built, "f"), "1\nmain\nside");
}

TEST_F(Candidates, DoNotPutBinariesOrLinksTogether) {
  repository.write("binary", std::string("\0one\n", 5));
  fs::create_symlink("a", repository.root() / "link");
  repository.commit("f");
  fork();
  const auto change = [&](const std::string& who) {
    repository.write("binary", std::string("\0", 1) + who + "\n");
    fs::remove(repository.root() / "link");
    fs::create_symlink(who, repository.root() / "link");
    repository.commit(who);
  };
  change("main");
  on("side");
  change("side");
  port::CandidateSpec spec = side();
  spec.union_files = {"**"};
  EXPECT_EQ(text_of(conflict(spec)), "binary xxx, link xxx");
  // Nor is a link's text a matter of what was once settled.
  for (const ConflictedPath& path : conflict(spec).paths) {
    spec.resolutions.push_back({path.base, path.ours, path.theirs, path.theirs});
  }
  EXPECT_EQ(text_of(conflict(spec)), "link xxx");
}

TEST_F(Candidates, StillUseTheUnionThatAttributesAskFor) {
  repository.write(".gitattributes", "CHANGES merge=union\n");
  repository.write("CHANGES", "start\n");
  repository.commit("changes");
  fork();
  repository.write("CHANGES", "start\nmain\n");
  repository.write("NEWS", "main\n");
  repository.commit("main");
  on("side");
  repository.write("CHANGES", "start\nside\n");
  repository.write("NEWS", "side\n");
  repository.commit("side");
  port::CandidateSpec spec = side();
  spec.union_files = {"NEWS"};
  const port::Candidate built = candidate(spec);
  EXPECT_EQ(show(built, "CHANGES"), "start\nmain\nside");
  EXPECT_EQ(show(built, "NEWS"), "main\nside");
}

// ---- Resolutions and conflicts ----

TEST_F(Candidates, NameTheThreeVersionsOfAConflictAsGitDoes) {
  fork();
  repository.write("src/a.txt", "main\n");
  repository.write("new", "main\n");
  repository.commit("main");
  on("side");
  repository.write("src/a.txt", "side\n");
  repository.write("new", "side\n");
  fs::remove(repository.root() / "README.md");
  repository.commit("side");
  on("main");
  repository.write("README.md", "main\n");
  repository.commit("main");

  const port::Conflict found = conflict(side());

  EXPECT_EQ(found.base, repository.tip());
  const std::string base = repository.git("merge-base main side");
  EXPECT_EQ(found.paths,
            (std::vector<ConflictedPath>{
                {blob(base + ":README.md"), blob("main:README.md"), "README.md", ""},
                {"", blob("main:new"), "new", blob("side:new")},
                {blob(base + ":src/a.txt"), blob("main:src/a.txt"), "src/a.txt", blob("side:src/a.txt")}}));
}

TEST_F(Candidates, KeepTheModeOfOursWhereAConflictIsKnownAndOfTheirsWhereOursIsGone) {
  fork();
  repository.write("src/a.txt", "main\n");
  fs::permissions(repository.root() / "src/a.txt", fs::perms::owner_exec, fs::perm_options::add);
  fs::remove(repository.root() / "README.md");
  repository.commit("main");
  on("side");
  repository.write("src/a.txt", "side\n");
  repository.write("README.md", "side\n");
  fs::permissions(repository.root() / "README.md", fs::perms::owner_exec, fs::perm_options::add);
  repository.commit("side");
  port::CandidateSpec spec = side();
  const port::Conflict found = conflict(spec);
  ASSERT_EQ(text_of(found), "README.md x-x, src/a.txt xxx");
  write_file(repository.outside() / "settled", "settled\n");
  const std::string settled = repository.git("hash-object -w " + shell_word(repository.outside() / "settled"));
  for (const ConflictedPath& path : found.paths)
    spec.resolutions.push_back({path.base, path.ours, settled, path.theirs});

  const port::Candidate built = candidate(spec);

  EXPECT_EQ(built.resolved, (std::vector<std::string>{"README.md", "src/a.txt"}));
  EXPECT_EQ(mode(built, "README.md"), "100755");
  EXPECT_EQ(mode(built, "src/a.txt"), "100755");
  EXPECT_EQ(show(built, "src/a.txt"), "settled");
  EXPECT_EQ(repository.git("fsck --strict --no-dangling --no-progress"), "");
}

TEST_F(Candidates, DoNotTakeATreeForTheResultOfAConflict) {
  fork();
  repository.write("src/a.txt", "main\n");
  repository.commit("main");
  on("side");
  repository.write("src/a.txt", "side\n");
  repository.commit("side");
  port::CandidateSpec spec = side();
  const ConflictedPath path = conflict(spec).paths.at(0);
  for (const std::string& result : {blob("main^{tree}"), blob("main"), std::string("no id")}) {
    spec.resolutions = {{path.base, path.ours, result, path.theirs}};
    EXPECT_EQ(conflict(spec).paths, std::vector<ConflictedPath>{path});
  }
}

TEST_F(Candidates, NameAConflictInARenamedFileByItsNewNameAsGitDoes) {
  std::string text;
  for (int i = 0; i < 20; ++i) text += "line " + std::to_string(i) + "\n";
  repository.write("old", text + "base\n");
  repository.commit("old");
  const std::string base = blob("main:old");
  repository.git("branch renames");
  repository.git("branch edits");
  on("renames");
  repository.git("mv old new");
  repository.write("new", text + "renames\n");
  repository.commit("renames");
  on("edits");
  repository.write("old", text + "edits\n");
  repository.commit("edits");
  for (const auto& [ours, theirs] : {std::pair("renames", "edits"), std::pair("edits", "renames")}) {
    port::CandidateSpec spec = a_candidate(repository.tip(theirs));
    spec.onto = repository.tip(ours);
    const auto id = [&](const std::string& branch) { return blob(branch + (branch == "edits" ? ":old" : ":new")); };
    EXPECT_EQ(conflict(spec).paths, (std::vector<ConflictedPath>{{base, id(ours), "new", id(theirs)}}));
    spec.union_files = {"new"};
    const port::Candidate built = candidate(spec);
    EXPECT_EQ(show(built, "new"), text + ours + "\n" + theirs);
    EXPECT_EQ(files(built.tree), "README.md new src/a.txt");
  }
}

TEST_F(Candidates, NameEveryPathOfARenameThatBothSidesMadeDifferently) {
  fork();
  repository.git("mv src/a.txt src/main.txt");
  repository.commit("main");
  on("side");
  repository.git("mv src/a.txt src/side.txt");
  repository.commit("side");
  EXPECT_EQ(text_of(conflict(side())), "src/a.txt x--, src/main.txt -x-, src/side.txt --x");
}

TEST_F(Candidates, DoNotLetAResolutionTakeADirectoryAway) {
  fork();
  repository.write("thing", "a file\n");
  repository.commit("main");
  on("side");
  repository.write("thing/inside", "a directory\n");
  repository.commit("side");
  port::CandidateSpec spec = side();
  const port::Conflict found = conflict(spec);
  ASSERT_FALSE(found.paths.empty());
  spec.union_files = {"**"};
  for (const ConflictedPath& path : found.paths) {
    spec.resolutions.push_back({path.base, path.ours, path.ours, path.theirs});
  }
  EXPECT_EQ(conflict(spec).paths, found.paths);
}

TEST_F(Candidates, WritePathsOfConflictsSoThatTheyCanBePrinted) {
  fork();
  const std::string odd = std::string("src/odd\x01\xFF.txt");
  repository.write(odd, "main\n");
  repository.commit("main");
  on("side");
  repository.write(odd, "side\n");
  repository.commit("side");
  port::CandidateSpec spec = side();
  EXPECT_EQ(text_of(conflict(spec)), "src/odd\\x01\\xFF.txt -xx");
  spec.union_files = {"src/"};
  EXPECT_EQ(candidate(spec).unioned, std::vector<std::string>{"src/odd\\x01\\xFF.txt"});
}

// ---- Taking back ----

struct Reverts : Candidates {
  port::RevertSpec a_revert(const std::string& landed) {
    return {.target = k_main,
            .landed = landed,
            .message = "Undo t1\n\nBernstein-Task: t1\n",
            .at_us = k_at,
            .salvage_ref = "refs/bernstein/salvage/r1/undo"};
  }
  port::Captured reverted(const port::RevertSpec& spec) {
    const auto undone = workspace().revert(spec);
    EXPECT_TRUE(undone) << undone.error().message;
    const bool done = undone && std::holds_alternative<port::Captured>(*undone);
    EXPECT_TRUE(done) << "a conflict";
    return done ? std::get<port::Captured>(*undone) : port::Captured{};
  }
  // Lands a change of one line, and changes another one of the same file after it.
  std::string land_and_go_on(LandingMethod method) {
    fs::remove(repository.root() / "new");
    repository.write("f", "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
    repository.commit("f");
    fork();
    on("side");
    repository.write("f", "ONE\n2\n3\n4\n5\n6\n7\n8\n9\n");
    repository.write("new", "new\n");
    repository.commit("side");
    on("main");
    port::CandidateSpec spec = side();
    spec.method = method;
    const port::Candidate built = candidate(spec);
    EXPECT_TRUE(workspace().land(a_landing(built)));
    repository.git("reset -q --hard");
    repository.write("f", "ONE\n2\n3\n4\n5\n6\n7\n8\nNINE\n");
    repository.commit("later");
    return built.commit;
  }
};

TEST_F(Reverts, OfAMergeAndOfASquashAreGits) {
  for (const LandingMethod method : {LandingMethod::merge, LandingMethod::squash}) {
    const std::string landed = land_and_go_on(method);
    const std::string tip = repository.tip();

    const port::Captured undone = reverted(a_revert(landed));

    EXPECT_EQ(WorkspaceTest::text_of(undone.changes), "M f, D new");
    EXPECT_EQ(repository.git("show " + undone.commit + ":f"), "1\n2\n3\n4\n5\n6\n7\n8\nNINE");
    EXPECT_EQ(repository.git("log -1 --format='%an|%at|%P|%s' " + undone.commit),
              "Bernstein|1750000000|" + tip + "|Undo t1");
    repository.git("revert -n " + std::string(method == LandingMethod::merge ? "-m 1 " : "") + landed);
    EXPECT_EQ(repository.git("write-tree"), undone.tree);
    repository.git("reset -q --hard");
    repository.git("branch -D side");
  }
}

TEST_F(Reverts, OfWhatHasNoParentOrIsNoCommitAreErrors) {
  const std::string root = repository.git("rev-list --max-parents=0 main");
  const auto refused = workspace().revert(a_revert(root));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "the commit " + root + " has no parent to go back to");
  EXPECT_FALSE(workspace().revert(a_revert(repository.git("rev-parse main^{tree}"))));
}

TEST_F(Reverts, KeepWhatTheReferenceNamedBefore) {
  const std::string landed = land_and_go_on(LandingMethod::merge);
  const std::string before = reverted(a_revert(landed)).commit;
  repository.write("m", "m\n");
  repository.commit("again");
  const std::string after = reverted(a_revert(landed)).commit;
  EXPECT_EQ(repository.git("rev-parse refs/bernstein/salvage/r1/undo"), after);
  EXPECT_EQ(repository.git("rev-parse refs/bernstein/salvage/r1/undo.superseded-" + before.substr(0, 12)), before);
}

}  // namespace
}  // namespace bernstein::test
