// What port/workspace.hpp promises, asked of the workspace on libgit2 and of the fake one.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "bernstein/git/workspace.hpp"
#include "support/fake_workspace.hpp"
#include "support/temp_directory.hpp"
#include "unit/git/git_fixture.hpp"

namespace bernstein::test {
namespace {

constexpr const char* k_main = "refs/heads/main";
constexpr Micros k_at = 1'750'000'000 * k_second;
const FakeWorkspace::FileMap k_initial = {{"README.md", "hello\n"}, {"src/a.txt", "one\ntwo\nthree\n"}};

// The same actions of agents and of the person, done to each.
class Real {
 public:
  Real() : workspace_(git::open_workspace(repository_.root().string()).value()) {}
  port::Workspace& workspace() { return *workspace_; }

  void write(const std::string& session, const std::string& path, const std::string& text) {
    write_file(worktree(session) / path, text);
  }
  void erase(const std::string& session, const std::string& path) { std::filesystem::remove(worktree(session) / path); }
  void commit(const std::string& session, const std::string& message) {
    GitRepository::git_in(worktree(session), "add -A");
    const Shell made = GitRepository::git_in(worktree(session), "commit -q -m '" + message + "'");
    EXPECT_EQ(made.exit_code, 0) << made.output;
  }
  void forget_history(const std::string& session) {
    const std::string tree = GitRepository::git_in(worktree(session), "rev-parse HEAD^{tree}").output;
    const std::string commit = GitRepository::git_in(worktree(session), "commit-tree -m alone " + tree).output;
    EXPECT_EQ(GitRepository::git_in(worktree(session), "reset -q --soft " + commit).exit_code, 0);
  }
  std::string user_commits(const FakeWorkspace::FileMap& changes) {
    for (const auto& [path, text] : changes) {
      if (text.empty()) {
        std::filesystem::remove(repository_.root() / path);
      } else {
        repository_.write(path, text);
      }
    }
    return repository_.commit("the person's");
  }
  void user_edits(const std::string& path, const std::string& text) { repository_.write(path, text); }
  void user_leaves_branch() { repository_.git("checkout -q -b elsewhere"); }
  void remove_branch(const std::string& branch) { repository_.git("update-ref -d " + branch); }
  std::string read_checkout(const std::string& path) { return repository_.read(path); }
  std::optional<std::string> ref(const std::string& name) {
    const Shell found = repository_.try_git("rev-parse -q --verify " + name);
    return found.exit_code == 0 ? std::optional(found.output) : std::nullopt;
  }
  std::vector<std::string> parents(const std::string& commit) {
    const std::string line = repository_.git("log -1 --format=%P " + commit);
    std::vector<std::string> all;
    for (std::size_t at = 0; at < line.size(); at += 41) all.push_back(line.substr(at, 40));
    return all;
  }
  bool has_worktree(const std::string& name) { return std::filesystem::exists(worktree(name)); }

 private:
  std::filesystem::path worktree(const std::string& name) const { return repository_.root() / ".sdd/worktrees" / name; }
  GitRepository repository_;
  std::unique_ptr<port::Workspace> workspace_;
};

class Fake {
 public:
  port::Workspace& workspace() { return workspace_; }
  void write(const std::string& session, const std::string& path, const std::string& text) {
    workspace_.write(session, path, text);
  }
  void erase(const std::string& session, const std::string& path) { workspace_.erase(session, path); }
  void commit(const std::string& session, const std::string& message) { workspace_.commit(session, message); }
  void forget_history(const std::string& session) { workspace_.forget_history(session); }
  std::string user_commits(const FakeWorkspace::FileMap& changes) { return workspace_.user_commits(changes); }
  void user_edits(const std::string& path, const std::string& text) { workspace_.user_edits(path, text); }
  void user_leaves_branch() { workspace_.user_leaves_branch(); }
  void remove_branch(const std::string& branch) { workspace_.remove_branch(branch); }
  std::string read_checkout(const std::string& path) { return workspace_.checkout()[path]; }
  std::optional<std::string> ref(const std::string& name) { return workspace_.ref(name); }
  std::vector<std::string> parents(const std::string& commit) { return workspace_.parents(commit); }
  bool has_worktree(const std::string& name) { return workspace_.worktrees().contains(name); }

 private:
  FakeWorkspace workspace_{k_initial};
};

template <class Kind>
class WorkspaceContract : public ::testing::Test {
 protected:
  port::Workspace& workspace() { return world.workspace(); }
  std::string tip() { return workspace().tip(k_main).value(); }

  // A session on the tip of main; its base.
  std::string start(const std::string& session) {
    const std::string base = tip();
    const auto created = workspace().create_session({.name = session, .base = base});
    EXPECT_TRUE(created) << created.error().message;
    return base;
  }
  port::CaptureSpec a_capture(const std::string& session, const std::string& base) {
    return {.session = session,
            .base = base,
            .message = "What " + session + " left uncommitted\n",
            .at_us = k_at,
            .salvage_ref = "refs/bernstein/salvage/" + session};
  }
  port::Captured capture(const std::string& session, const std::string& base) {
    auto captured = workspace().capture(a_capture(session, base));
    EXPECT_TRUE(captured) << captured.error().message;
    return captured ? *captured : port::Captured{};
  }
  // One attempt that writes one file, from its base to its capture.
  port::Captured attempt(const std::string& session, const std::string& path, const std::string& text) {
    const std::string base = start(session);
    world.write(session, path, text);
    return capture(session, base);
  }
  port::CandidateSpec a_candidate(const std::string& commit, const std::string& onto = "") {
    return {.target = k_main,
            .onto = onto,
            .commit = commit,
            .name = "r1-t1.1",
            .message = "Merge t1\n\nBernstein-Task: t1\n",
            .at_us = k_at};
  }
  port::Candidate candidate(const std::string& commit) { return candidate(a_candidate(commit)); }
  port::Candidate candidate(const port::CandidateSpec& spec) {
    auto built = workspace().build_candidate(spec);
    EXPECT_TRUE(built) << built.error().message;
    if (!built || !std::holds_alternative<port::Candidate>(*built))
      return ADD_FAILURE() << "no candidate", port::Candidate{};
    return std::get<port::Candidate>(*built);
  }
  // The paths of a conflict; nothing and a failure when it is none.
  port::Conflict conflict(const port::CandidateSpec& spec) {
    auto built = workspace().build_candidate(spec);
    EXPECT_TRUE(built) << built.error().message;
    if (!built || !std::holds_alternative<port::Conflict>(*built))
      return ADD_FAILURE() << "no conflict", port::Conflict{};
    return std::get<port::Conflict>(*built);
  }
  port::LandSpec a_landing(const port::Candidate& candidate) {
    return {.target = k_main, .expected = candidate.base, .commit = candidate.commit, .note = "bernstein: land t1"};
  }
  std::string land(const port::LandSpec& spec) {
    auto landed = workspace().land(spec);
    EXPECT_TRUE(landed) << landed.error().message;
    if (!landed || !std::holds_alternative<port::Landed>(*landed)) return ADD_FAILURE() << "did not land", "";
    return std::get<port::Landed>(*landed).commit;
  }
  port::RevertSpec a_revert(const std::string& landed) {
    return {.target = k_main,
            .landed = landed,
            .message = "Undo t1\n",
            .at_us = k_at,
            .salvage_ref = "refs/bernstein/salvage/r1/undo"};
  }
  port::Captured reverted(const port::RevertSpec& spec) {
    auto undone = workspace().revert(spec);
    EXPECT_TRUE(undone) << undone.error().message;
    if (!undone || !std::holds_alternative<port::Captured>(*undone))
      return ADD_FAILURE() << "not taken back", port::Captured{};
    return std::get<port::Captured>(*undone);
  }
  std::string read(const std::string& tree, const std::string& path) {
    const auto text = workspace().read_file(tree, path);
    return text ? *text : "(" + text.error().message + ")";
  }

  Kind world;
};

struct KindNames {
  template <class Kind>
  static std::string GetName(int) {
    return std::is_same_v<Kind, Real> ? "Real" : "Fake";
  }
};
using Kinds = ::testing::Types<Real, Fake>;
TYPED_TEST_SUITE(WorkspaceContract, Kinds, KindNames);

TYPED_TEST(WorkspaceContract, ATargetThatIsGoneIsNotFound) {
  const auto missing = this->workspace().tip("refs/heads/nowhere");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::not_found);
  EXPECT_EQ(missing.error().message, "there is no branch refs/heads/nowhere; create it with `git branch`");
}

TYPED_TEST(WorkspaceContract, WorkOfASessionIsCapturedAsOneCommitOnItsBase) {
  const std::string base = this->start("session-r1-t1.1");
  this->world.write("session-r1-t1.1", "src/b.txt", "b\n");
  this->world.write("session-r1-t1.1", "README.md", "hello, world\n");
  this->world.erase("session-r1-t1.1", "src/a.txt");

  const port::Captured captured = this->capture("session-r1-t1.1", base);

  EXPECT_EQ(captured.changes, (std::vector<ChangedPath>{{ChangeKind::modified, "README.md"},
                                                        {ChangeKind::deleted, "src/a.txt"},
                                                        {ChangeKind::added, "src/b.txt"}}));
  EXPECT_EQ(this->world.parents(captured.commit), std::vector<std::string>{base});
  EXPECT_EQ(this->world.ref("refs/bernstein/salvage/session-r1-t1.1"), captured.commit);
  EXPECT_EQ(this->read(captured.tree, "src/b.txt"), "b\n");
  EXPECT_EQ(this->tip(), base) << "the target does not move by a capture";
}

TYPED_TEST(WorkspaceContract, CommitsOfTheAgentAreKeptBelowWhatItLeftUncommitted) {
  const std::string base = this->start("session-r1-t1.1");
  this->world.write("session-r1-t1.1", "b.txt", "b\n");
  this->world.commit("session-r1-t1.1", "mine");
  const port::Captured committed = this->capture("session-r1-t1.1", base);
  this->world.write("session-r1-t1.1", "c.txt", "c\n");
  const port::Captured captured = this->capture("session-r1-t1.1", base);

  EXPECT_EQ(this->world.parents(committed.commit), std::vector<std::string>{base});
  EXPECT_EQ(this->world.parents(captured.commit), std::vector<std::string>{committed.commit});
  EXPECT_EQ(captured.changes, (std::vector<ChangedPath>{{ChangeKind::added, "b.txt"}, {ChangeKind::added, "c.txt"}}));
}

TYPED_TEST(WorkspaceContract, NothingChangedIsTheBaseAndWritesNoReference) {
  const std::string base = this->start("session-r1-t1.1");
  const port::Captured captured = this->capture("session-r1-t1.1", base);

  EXPECT_EQ(captured.commit, base);
  EXPECT_TRUE(captured.changes.empty());
  EXPECT_FALSE(this->world.ref("refs/bernstein/salvage/session-r1-t1.1"));
}

TYPED_TEST(WorkspaceContract, CapturingTwiceGivesTheSameCommit) {
  const port::Captured first = this->attempt("session-r1-t1.1", "b.txt", "b\n");
  const port::Captured second = this->capture("session-r1-t1.1", this->tip());
  EXPECT_EQ(first.commit, second.commit);
  EXPECT_EQ(first.changes, second.changes);
}

TYPED_TEST(WorkspaceContract, PathsThatAreNotOursAreNotCaptured) {
  const std::string base = this->start("session-r1-t1.1");
  this->world.write("session-r1-t1.1", "node_modules/x/index.js", "x\n");
  this->world.write("session-r1-t1.1", "node_modules2.txt", "mine\n");
  this->world.write("session-r1-t1.1", "src/a.txt", "changed\n");
  port::CaptureSpec spec = this->a_capture("session-r1-t1.1", base);
  spec.not_ours = {"node_modules", "src"};  // the base has src, so it is the agent's to change

  const auto captured = this->workspace().capture(spec);

  ASSERT_TRUE(captured) << captured.error().message;
  EXPECT_EQ(captured->changes,
            (std::vector<ChangedPath>{{ChangeKind::added, "node_modules2.txt"}, {ChangeKind::modified, "src/a.txt"}}));
}

TYPED_TEST(WorkspaceContract, ABranchThatLeftItsBaseIsAConflictAndItsWorkIsSalvaged) {
  const std::string base = this->start("session-r1-t1.1");
  this->world.write("session-r1-t1.1", "b.txt", "b\n");
  this->world.forget_history("session-r1-t1.1");

  const auto captured = this->workspace().capture(this->a_capture("session-r1-t1.1", base));

  ASSERT_FALSE(captured);
  EXPECT_EQ(captured.error().code, ErrorCode::conflict);
  EXPECT_EQ(captured.error().message, "the branch agent/session-r1-t1.1 no longer descends from its base " +
                                          base.substr(0, 12) +
                                          "; what is left is kept as refs/bernstein/salvage/session-r1-t1.1");
  const auto salvage = this->world.ref("refs/bernstein/salvage/session-r1-t1.1");
  ASSERT_TRUE(salvage);
  EXPECT_EQ(this->read(*salvage, "b.txt"), "b\n");
}

TYPED_TEST(WorkspaceContract, ASessionThatIsGoneIsAConflict) {
  const auto captured = this->workspace().capture(this->a_capture("session-r1-t9.1", this->tip()));
  ASSERT_FALSE(captured);
  EXPECT_EQ(captured.error().code, ErrorCode::conflict);
}

TYPED_TEST(WorkspaceContract, CreatingASessionTwiceIsCreatingItOnce) {
  const std::string base = this->start("session-r1-t1.1");
  const auto again = this->workspace().create_session({.name = "session-r1-t1.1", .base = base});
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_TRUE(this->capture("session-r1-t1.1", base).changes.empty());
}

TYPED_TEST(WorkspaceContract, ACandidateOnAnUnmovedTargetIsTheTreeOfTheCommit) {
  const port::Captured captured = this->attempt("session-r1-t1.1", "b.txt", "b\n");
  const port::Candidate candidate = this->candidate(captured.commit);
  EXPECT_EQ(candidate.base, this->tip());
  EXPECT_EQ(candidate.tree, captured.tree);
}

TYPED_TEST(WorkspaceContract, ACandidateHoldsBothSides) {
  const port::Captured captured = this->attempt("session-r1-t1.1", "b.txt", "b\n");
  const std::string users = this->world.user_commits({{"README.md", "changed\n"}, {"src/a.txt", ""}});

  const port::Candidate candidate = this->candidate(captured.commit);

  EXPECT_EQ(candidate.base, users);
  EXPECT_EQ(this->read(candidate.tree, "b.txt"), "b\n");
  EXPECT_EQ(this->read(candidate.tree, "README.md"), "changed\n");
  EXPECT_EQ(this->read(candidate.tree, "src/a.txt"), "(there is no file 'src/a.txt' in the tree)");
}

TYPED_TEST(WorkspaceContract, TwoSidesThatDisagreeAreAConflictWithThePaths) {
  const std::string base = this->start("session-r1-t1.1");
  this->world.write("session-r1-t1.1", "src/a.txt", "mine\n");
  this->world.write("session-r1-t1.1", "README.md", "mine\n");
  const port::Captured captured = this->capture("session-r1-t1.1", base);
  const std::string users = this->world.user_commits({{"README.md", "theirs\n"}, {"src/a.txt", "theirs\n"}});

  const port::Conflict conflict = this->conflict(this->a_candidate(captured.commit));

  EXPECT_EQ(conflict.base, users);
  ASSERT_EQ(conflict.paths.size(), 2U);
  EXPECT_EQ(conflict.paths[0].path, "README.md");
  EXPECT_EQ(conflict.paths[1].path, "src/a.txt");
  EXPECT_EQ(conflict.paths[0].ours, conflict.paths[1].ours) << "the same text in both files";
  EXPECT_EQ(conflict.paths[0].theirs, conflict.paths[1].theirs);
  EXPECT_NE(conflict.paths[0].base, conflict.paths[1].base);
  EXPECT_NE(conflict.paths[0].ours, conflict.paths[0].theirs);
}

TYPED_TEST(WorkspaceContract, ACandidateIsACommitOnTheTargetThatAReferenceKeeps) {
  const port::Captured captured = this->attempt("session-r1-t1.1", "b.txt", "b\n");

  const port::Candidate candidate = this->candidate(captured.commit);

  EXPECT_EQ(this->world.parents(candidate.commit), (std::vector<std::string>{this->tip(), captured.commit}));
  EXPECT_EQ(this->read(candidate.commit, "b.txt"), "b\n");
  EXPECT_EQ(this->world.ref("refs/bernstein/candidates/r1-t1.1"), candidate.commit);
  EXPECT_EQ(candidate.base, this->tip()) << "the target does not move by a candidate";
  EXPECT_TRUE(candidate.left_out.empty() && candidate.unioned.empty() && candidate.resolved.empty());
}

TYPED_TEST(WorkspaceContract, TheSameCandidateHasTheSameId) {
  const port::Captured captured = this->attempt("session-r1-t1.1", "b.txt", "b\n");
  port::CandidateSpec spec = this->a_candidate(captured.commit);
  const std::string once = this->candidate(spec).commit;
  EXPECT_EQ(this->candidate(spec).commit, once);
  spec.at_us += k_second / 2;
  EXPECT_EQ(this->candidate(spec).commit, once) << "whole seconds are used";
  spec.at_us += k_second;
  EXPECT_NE(this->candidate(spec).commit, once);
  spec.at_us = k_at;
  spec.message = "another\n";
  EXPECT_NE(this->candidate(spec).commit, once);
}

TYPED_TEST(WorkspaceContract, ACandidateIsDroppedAndDroppingItAgainIsFine) {
  const port::Captured captured = this->attempt("session-r1-t1.1", "b.txt", "b\n");
  this->candidate(captured.commit);
  for (int i = 0; i < 2; ++i) {
    const Status dropped = this->workspace().drop_candidate("r1-t1.1");
    EXPECT_TRUE(dropped) << dropped.error().message;
    EXPECT_FALSE(this->world.ref("refs/bernstein/candidates/r1-t1.1"));
  }
}

TYPED_TEST(WorkspaceContract, ACandidateOnATargetThatIsGoneIsNotFoundUnlessItIsBuiltOnAnother) {
  const port::Captured captured = this->attempt("session-r1-t1.1", "b.txt", "b\n");
  const std::string base = this->tip();
  this->world.remove_branch(k_main);
  const auto missing = this->workspace().build_candidate(this->a_candidate(captured.commit));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::not_found);
  EXPECT_EQ(this->candidate(this->a_candidate(captured.commit, base)).base, base);
}

TYPED_TEST(WorkspaceContract, ACandidateOfACommitThatIsThereAlreadyIsTheTreeOfItsBase) {
  const port::Captured captured = this->attempt("session-r1-t1.1", "b.txt", "b\n");
  const port::Candidate first = this->candidate(captured.commit);
  this->land(this->a_landing(first));

  const port::Candidate again = this->candidate(captured.commit);

  EXPECT_EQ(again.base, first.commit);
  EXPECT_EQ(again.tree, first.tree);
  const port::Candidate itself = this->candidate(first.commit);
  EXPECT_EQ(itself.tree, first.tree);
  EXPECT_EQ(this->world.parents(itself.commit), std::vector<std::string>{first.commit}) << "no parent twice";
}

TYPED_TEST(WorkspaceContract, ASquashHasTheTargetAloneForAParent) {
  const port::Captured captured = this->attempt("session-r1-t1.1", "b.txt", "b\n");
  const std::string users = this->world.user_commits({{"README.md", "changed\n"}});
  port::CandidateSpec spec = this->a_candidate(captured.commit);
  spec.method = LandingMethod::squash;

  const port::Candidate candidate = this->candidate(spec);

  EXPECT_EQ(this->world.parents(candidate.commit), std::vector<std::string>{users});
  EXPECT_EQ(this->read(candidate.tree, "b.txt"), "b\n");
  EXPECT_EQ(this->read(candidate.tree, "README.md"), "changed\n");
  EXPECT_EQ(this->land(this->a_landing(candidate)), candidate.commit);
}

TYPED_TEST(WorkspaceContract, CandidatesAreBuiltOnOneAnotherAndLandOneAfterTheOther) {
  for (const LandingMethod method : {LandingMethod::merge, LandingMethod::squash}) {
    const std::string n = method == LandingMethod::merge ? "1" : "2";
    const std::string before = this->tip();
    const port::Captured one = this->attempt("session-r1-t1." + n, "one" + n, "1\n");
    const port::Captured two = this->attempt("session-r1-t2." + n, "two" + n, "2\n");
    port::CandidateSpec spec = this->a_candidate(one.commit);
    spec.method = method;
    const port::Candidate first = this->candidate(spec);
    spec = this->a_candidate(two.commit, first.commit);
    spec.method = method;
    spec.name = "r1-t2.1";

    const port::Candidate second = this->candidate(spec);

    EXPECT_EQ(second.base, first.commit);
    EXPECT_EQ(this->read(second.tree, "one" + n), "1\n");
    EXPECT_EQ(this->read(second.tree, "two" + n), "2\n");
    const auto early = this->workspace().land(this->a_landing(second));
    ASSERT_TRUE(early) << early.error().message;
    ASSERT_TRUE(std::holds_alternative<port::Moved>(*early)) << "the target is not there yet";
    EXPECT_EQ(std::get<port::Moved>(*early).actual, before);
    this->land(this->a_landing(first));
    EXPECT_EQ(this->land(this->a_landing(second)), second.commit);
    EXPECT_EQ(this->land(this->a_landing(first)), first.commit) << "what is on top of it does not matter";
    EXPECT_EQ(this->tip(), second.commit);
  }
}

TYPED_TEST(WorkspaceContract, ACommitThatWasNotBuiltOnWhatIsExpectedDoesNotLand) {
  const port::Captured captured = this->attempt("session-r1-t1.1", "b.txt", "b\n");
  port::LandSpec spec = this->a_landing(this->candidate(captured.commit));
  spec.expected = captured.commit;

  const auto refused = this->workspace().land(spec);

  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::invalid_input);
  EXPECT_EQ(refused.error().message,
            "the commit " + spec.commit + " was not built on " + captured.commit + ", so it cannot land there");
}

TYPED_TEST(WorkspaceContract, PathsThatDefineChecksStayAsTheTargetHasThem) {
  this->world.user_commits({{"checks/kept.sh", "old\n"}, {"checks/gone.sh", "old\n"}, {"checks/own.sh", "old\n"}});
  const std::string base = this->start("session-r1-t1.1");
  this->world.write("session-r1-t1.1", "checks/kept.sh", "true\n");
  this->world.erase("session-r1-t1.1", "checks/gone.sh");
  this->world.write("session-r1-t1.1", "checks/own.sh", "mine\n");
  this->world.write("session-r1-t1.1", "checks/new.sh", "mine\n");
  this->world.write("session-r1-t1.1", "src/a.txt", "mine\n");
  const port::Captured captured = this->capture("session-r1-t1.1", base);
  this->world.user_commits({{"checks/kept.sh", "newer\n"}});  // which would be a conflict
  port::CandidateSpec spec = this->a_candidate(captured.commit);
  spec.from_target = {"checks/", "Makefile"};
  spec.owned = {"checks/own.sh"};

  const port::Candidate candidate = this->candidate(spec);

  EXPECT_EQ(candidate.left_out, (std::vector<std::string>{"checks/gone.sh", "checks/kept.sh", "checks/new.sh"}));
  EXPECT_EQ(this->read(candidate.tree, "checks/kept.sh"), "newer\n");
  EXPECT_EQ(this->read(candidate.tree, "checks/gone.sh"), "old\n");
  EXPECT_EQ(this->read(candidate.tree, "checks/new.sh"), "(there is no file 'checks/new.sh' in the tree)");
  EXPECT_EQ(this->read(candidate.tree, "checks/own.sh"), "mine\n");
  EXPECT_EQ(this->read(candidate.tree, "src/a.txt"), "mine\n");
  EXPECT_EQ(this->world.parents(candidate.commit).back(), captured.commit);
}

TYPED_TEST(WorkspaceContract, APathThatBothSidesMadeAlikeIsNotLeftOut) {
  const port::Captured captured = this->attempt("session-r1-t1.1", "Makefile", "all:\n");
  this->world.user_commits({{"Makefile", "all:\n"}});
  port::CandidateSpec spec = this->a_candidate(captured.commit);
  spec.from_target = {"Makefile"};
  EXPECT_TRUE(this->candidate(spec).left_out.empty());
}

TYPED_TEST(WorkspaceContract, WhereBothSidesAddLinesToAUnionFileBothAreKept) {
  this->world.user_commits({{"CHANGES.md", "start\n"}});
  const std::string base = this->start("session-r1-t1.1");
  this->world.write("session-r1-t1.1", "CHANGES.md", "start\nmine\n");
  this->world.write("session-r1-t1.1", "new/CHANGES.md", "mine\n");  // in no common version
  const port::Captured captured = this->capture("session-r1-t1.1", base);
  this->world.user_commits({{"CHANGES.md", "start\ntheirs\n"}, {"new/CHANGES.md", "theirs\n"}});
  port::CandidateSpec spec = this->a_candidate(captured.commit);
  EXPECT_EQ(this->conflict(spec).paths.size(), 2U);
  spec.union_files = {"**/CHANGES.md"};

  const port::Candidate candidate = this->candidate(spec);

  EXPECT_EQ(candidate.unioned, (std::vector<std::string>{"CHANGES.md", "new/CHANGES.md"}));
  EXPECT_EQ(this->read(candidate.tree, "CHANGES.md"), "start\ntheirs\nmine\n");
  EXPECT_EQ(this->read(candidate.tree, "new/CHANGES.md"), "theirs\nmine\n");
}

TYPED_TEST(WorkspaceContract, AUnionFileThatOneSideDeletedIsAConflict) {
  const std::string base = this->start("session-r1-t1.1");
  this->world.erase("session-r1-t1.1", "src/a.txt");
  const port::Captured captured = this->capture("session-r1-t1.1", base);
  this->world.user_commits({{"src/a.txt", "theirs\n"}});
  port::CandidateSpec spec = this->a_candidate(captured.commit);
  spec.union_files = {"src/"};

  const port::Conflict conflict = this->conflict(spec);

  ASSERT_EQ(conflict.paths.size(), 1U);
  EXPECT_EQ(conflict.paths[0].path, "src/a.txt");
  EXPECT_EQ(conflict.paths[0].theirs, "");
  EXPECT_NE(conflict.paths[0].ours, "");
  EXPECT_NE(conflict.paths[0].base, "");
}

TYPED_TEST(WorkspaceContract, AConflictThatIsKnownIsSettledAsItWas) {
  const std::string base = this->start("session-r1-t1.1");
  this->world.write("session-r1-t1.1", "src/a.txt", "mine\n");
  this->world.write("session-r1-t1.1", "README.md", "mine too\n");
  this->world.write("session-r1-t1.1", "settled.txt", "both\n");  // some file whose content is the result
  const port::Captured captured = this->capture("session-r1-t1.1", base);
  this->world.user_commits({{"src/a.txt", "theirs\n"}, {"README.md", "theirs too\n"}, {"settled.txt", "else\n"}});
  port::CandidateSpec spec = this->a_candidate(captured.commit);
  const port::Conflict conflict = this->conflict(spec);
  ASSERT_EQ(conflict.paths.size(), 3U);
  const ConflictedPath& readme = conflict.paths[0];
  const ConflictedPath& settled = conflict.paths[1];
  const ConflictedPath& source = conflict.paths[2];
  EXPECT_EQ(settled.base, "");

  spec.resolutions = {{source.base, source.ours, settled.theirs, source.theirs},
                      {readme.base, readme.ours, "", readme.theirs}};
  const port::Conflict left = this->conflict(spec);
  ASSERT_EQ(left.paths.size(), 1U) << "one is not known";
  EXPECT_EQ(left.paths[0], settled);
  spec.resolutions.push_back({settled.base, settled.ours, settled.ours, settled.theirs});
  const port::Candidate candidate = this->candidate(spec);

  EXPECT_EQ(candidate.resolved, (std::vector<std::string>{"README.md", "settled.txt", "src/a.txt"}));
  EXPECT_EQ(this->read(candidate.tree, "src/a.txt"), "both\n");
  EXPECT_EQ(this->read(candidate.tree, "settled.txt"), "else\n");
  EXPECT_EQ(this->read(candidate.tree, "README.md"), "(there is no file 'README.md' in the tree)");
}

TYPED_TEST(WorkspaceContract, AResolutionWithAFileThatNobodyHasIsNone) {
  const port::Captured captured = this->attempt("session-r1-t1.1", "src/a.txt", "mine\n");
  this->world.user_commits({{"src/a.txt", "theirs\n"}});
  port::CandidateSpec spec = this->a_candidate(captured.commit);
  const ConflictedPath path = this->conflict(spec).paths.at(0);
  spec.resolutions = {{path.base, path.ours, std::string(40, '1'), path.theirs},
                      {path.base, path.theirs, "", path.ours}};
  EXPECT_EQ(this->conflict(spec).paths, std::vector<ConflictedPath>{path});
}

TYPED_TEST(WorkspaceContract, ALandingIsTakenBackAndWhatCameAfterItStays) {
  for (const LandingMethod method : {LandingMethod::merge, LandingMethod::squash}) {
    const std::string n = method == LandingMethod::merge ? "1" : "2";
    const std::string base = this->start("session-r1-t1." + n);
    this->world.write("session-r1-t1." + n, "b.txt", "b\n");
    this->world.write("session-r1-t1." + n, "README.md", "changed\n");
    const port::Captured captured = this->capture("session-r1-t1." + n, base);
    port::CandidateSpec spec = this->a_candidate(captured.commit);
    spec.method = method;
    const std::string landed = this->land(this->a_landing(this->candidate(spec)));
    ASSERT_TRUE(this->workspace().sync_checkout(k_main, base, landed));
    const std::string later = this->world.user_commits({{"later" + n, "later\n"}});

    const port::RevertSpec undo = this->a_revert(landed);
    const port::Captured undone = this->reverted(undo);

    EXPECT_EQ(this->world.parents(undone.commit), std::vector<std::string>{later});
    EXPECT_EQ(undone.changes,
              (std::vector<ChangedPath>{{ChangeKind::modified, "README.md"}, {ChangeKind::deleted, "b.txt"}}));
    EXPECT_EQ(this->read(undone.tree, "README.md"), "hello\n");
    EXPECT_EQ(this->read(undone.tree, "later" + n), "later\n");
    EXPECT_EQ(this->world.ref(undo.salvage_ref), undone.commit);
    EXPECT_EQ(this->tip(), later) << "it does not land by itself";
    EXPECT_EQ(this->reverted(undo).commit, undone.commit) << "said twice, done once";
    EXPECT_EQ(this->land({.target = k_main, .expected = later, .commit = undone.commit, .note = "undo"}),
              undone.commit);
    ASSERT_TRUE(this->workspace().sync_checkout(k_main, later, undone.commit));
  }
}

TYPED_TEST(WorkspaceContract, WhatIsTakenBackAlreadyIsTheTipAndWritesNoReference) {
  const port::Captured captured = this->attempt("session-r1-t1.1", "b.txt", "b\n");
  const std::string base = this->tip();
  const std::string landed = this->land(this->a_landing(this->candidate(captured.commit)));
  ASSERT_TRUE(this->workspace().sync_checkout(k_main, base, landed));
  const std::string later = this->world.user_commits({{"b.txt", ""}});

  const port::Captured undone = this->reverted(this->a_revert(landed));

  EXPECT_EQ(undone.commit, later);
  EXPECT_TRUE(undone.changes.empty());
  EXPECT_FALSE(this->world.ref("refs/bernstein/salvage/r1/undo"));
}

TYPED_TEST(WorkspaceContract, ALandingThatWasBuiltUponIsNotTakenBack) {
  const port::Captured captured = this->attempt("session-r1-t1.1", "src/a.txt", "landed\n");
  const std::string base = this->tip();
  const std::string landed = this->land(this->a_landing(this->candidate(captured.commit)));
  ASSERT_TRUE(this->workspace().sync_checkout(k_main, base, landed));
  const std::string later = this->world.user_commits({{"src/a.txt", "later\n"}});

  const auto undone = this->workspace().revert(this->a_revert(landed));

  ASSERT_TRUE(undone) << undone.error().message;
  const auto* conflict = std::get_if<port::Conflict>(&*undone);
  ASSERT_NE(conflict, nullptr);
  EXPECT_EQ(conflict->base, later);
  ASSERT_EQ(conflict->paths.size(), 1U);
  EXPECT_EQ(conflict->paths[0].path, "src/a.txt");
  EXPECT_FALSE(this->world.ref("refs/bernstein/salvage/r1/undo"));
}

TYPED_TEST(WorkspaceContract, ASessionBeginsWithEarlierWorkUncommittedOnTopOfItsBase) {
  const std::string old_base = this->start("session-r1-t1.1");
  this->world.write("session-r1-t1.1", "b.txt", "b\n");
  this->world.write("session-r1-t1.1", "README.md", "mine\n");
  this->world.erase("session-r1-t1.1", "src/a.txt");
  const std::string earlier = this->capture("session-r1-t1.1", old_base).commit;
  const std::string base = this->world.user_commits({{"users.txt", "theirs\n"}});
  port::SessionSpec spec{
      .name = "session-r1-t1.2", .base = base, .symlink_dirs = {}, .copy_files = {}, .merge_in = earlier};

  const auto made = this->workspace().create_session(spec);
  ASSERT_TRUE(made) << made.error().message;
  const port::Captured captured = this->capture("session-r1-t1.2", base);

  EXPECT_EQ(this->world.parents(captured.commit), std::vector<std::string>{base});
  EXPECT_EQ(captured.changes, (std::vector<ChangedPath>{{ChangeKind::modified, "README.md"},
                                                        {ChangeKind::added, "b.txt"},
                                                        {ChangeKind::deleted, "src/a.txt"}}));
  EXPECT_EQ(this->read(captured.tree, "users.txt"), "theirs\n");
}

TYPED_TEST(WorkspaceContract, WhereEarlierWorkConflictsTheFileHasMarkersAndADeletedOneTheBasesVersion) {
  const std::string old_base = this->start("session-r1-t1.1");
  this->world.write("session-r1-t1.1", "README.md", "mine\n");
  this->world.erase("session-r1-t1.1", "src/a.txt");
  const std::string earlier = this->capture("session-r1-t1.1", old_base).commit;
  const std::string base = this->world.user_commits({{"README.md", "theirs\n"}, {"src/a.txt", "theirs\n"}});

  ASSERT_TRUE(this->workspace().create_session(
      {.name = "session-r1-t1.2", .base = base, .symlink_dirs = {}, .copy_files = {}, .merge_in = earlier}));
  const port::Captured captured = this->capture("session-r1-t1.2", base);

  EXPECT_EQ(captured.changes, (std::vector<ChangedPath>{{ChangeKind::modified, "README.md"}}));
  const std::string text = this->read(captured.tree, "README.md");
  EXPECT_TRUE(text.starts_with("<<<<<<< target\ntheirs\n")) << text;
  EXPECT_TRUE(text.ends_with("=======\nmine\n>>>>>>> your earlier work\n")) << text;
}

TYPED_TEST(WorkspaceContract, ASessionWithEarlierWorkIsMadeOnceAndIsAnotherThanOneWithout) {
  const std::string earlier = this->attempt("session-r1-t1.1", "b.txt", "b\n").commit;
  const std::string base = this->tip();
  port::SessionSpec spec{
      .name = "session-r1-t1.2", .base = base, .symlink_dirs = {}, .copy_files = {}, .merge_in = earlier};
  ASSERT_TRUE(this->workspace().create_session(spec));
  this->world.write("session-r1-t1.2", "c.txt", "c\n");

  ASSERT_TRUE(this->workspace().create_session(spec));
  EXPECT_EQ(this->capture("session-r1-t1.2", base).changes,
            (std::vector<ChangedPath>{{ChangeKind::added, "b.txt"}, {ChangeKind::added, "c.txt"}}))
      << "it was there";

  spec.merge_in = "";
  ASSERT_TRUE(this->workspace().create_session(spec));
  EXPECT_TRUE(this->capture("session-r1-t1.2", base).changes.empty());
}

TYPED_TEST(WorkspaceContract, AProbeTellsWhereWorkInProgressWouldConflict) {
  const std::string base = this->start("session-r1-t1.1");
  this->world.write("session-r1-t1.1", "src/a.txt", "mine\n");
  this->world.commit("session-r1-t1.1", "mine");
  this->world.write("session-r1-t1.1", "README.md", "mine\n");
  this->world.write("session-r1-t1.1", "other.txt", "mine\n");
  this->world.write("session-r1-t1.1", "node_modules/x", "mine\n");
  const std::string other =
      this->world.user_commits({{"README.md", "theirs\n"}, {"src/a.txt", "theirs\n"}, {"node_modules/x", "theirs\n"}});
  port::CaptureSpec spec = this->a_capture("session-r1-t1.1", base);
  spec.not_ours = {"node_modules"};

  const auto paths = this->workspace().probe(spec, other);
  ASSERT_TRUE(paths) << paths.error().message;
  EXPECT_EQ(*paths, (std::vector<std::string>{"README.md", "src/a.txt"}));
  EXPECT_FALSE(this->world.ref(spec.salvage_ref)) << "nothing is written";

  this->world.write("session-r1-t1.1", "README.md", "theirs\n");
  EXPECT_EQ(this->workspace().probe(spec, other).value(), std::vector<std::string>{"src/a.txt"});
  EXPECT_TRUE(this->workspace().probe(spec, base).value().empty());
}

TYPED_TEST(WorkspaceContract, AProbeOfASessionThatIsGoneFindsNothing) {
  const auto paths = this->workspace().probe(this->a_capture("session-r1-t9.1", this->tip()), this->tip());
  ASSERT_TRUE(paths) << paths.error().message;
  EXPECT_TRUE(paths->empty());
}

TYPED_TEST(WorkspaceContract, LandingMakesAMergeCommitAndMovesTheTarget) {
  const port::Captured captured = this->attempt("session-r1-t1.1", "b.txt", "b\n");
  const port::Candidate candidate = this->candidate(captured.commit);

  const std::string merge = this->land(this->a_landing(candidate));

  EXPECT_EQ(this->tip(), merge);
  EXPECT_EQ(this->world.parents(merge), (std::vector<std::string>{candidate.base, captured.commit}));
  EXPECT_EQ(this->read(merge, "b.txt"), "b\n");
}

TYPED_TEST(WorkspaceContract, LandingTwiceIsLandingOnce) {
  const port::Captured captured = this->attempt("session-r1-t1.1", "b.txt", "b\n");
  const port::LandSpec spec = this->a_landing(this->candidate(captured.commit));

  const std::string merge = this->land(spec);
  EXPECT_EQ(this->land(spec), merge);
  EXPECT_EQ(this->tip(), merge);
}

TYPED_TEST(WorkspaceContract, ALandingThatTheTargetLeftBehindIsStillTheOneThatLanded) {
  const port::Captured captured = this->attempt("session-r1-t1.1", "b.txt", "b\n");
  const port::LandSpec spec = this->a_landing(this->candidate(captured.commit));
  const std::string merge = this->land(spec);
  ASSERT_TRUE(this->workspace().sync_checkout(k_main, spec.expected, merge));
  const std::string later = this->world.user_commits({{"README.md", "later\n"}});

  EXPECT_EQ(this->land(spec), merge);
  EXPECT_EQ(this->tip(), later);
}

TYPED_TEST(WorkspaceContract, ATargetThatMovedIsLeftWhereItIs) {
  const port::Captured captured = this->attempt("session-r1-t1.1", "b.txt", "b\n");
  const port::LandSpec spec = this->a_landing(this->candidate(captured.commit));
  const std::string users = this->world.user_commits({{"README.md", "changed\n"}});

  const auto outcome = this->workspace().land(spec);

  ASSERT_TRUE(outcome) << outcome.error().message;
  const auto* moved = std::get_if<port::Moved>(&*outcome);
  ASSERT_NE(moved, nullptr);
  EXPECT_EQ(moved->actual, users);
  EXPECT_EQ(this->tip(), users);
}

TYPED_TEST(WorkspaceContract, LandingOnATargetThatIsGoneIsNotFound) {
  const port::Captured captured = this->attempt("session-r1-t1.1", "b.txt", "b\n");
  const port::LandSpec spec = this->a_landing(this->candidate(captured.commit));
  this->world.remove_branch(k_main);

  const auto outcome = this->workspace().land(spec);

  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::not_found);
}

TYPED_TEST(WorkspaceContract, ACleanCheckoutFollowsTheTarget) {
  const port::Captured captured = this->attempt("session-r1-t1.1", "src/a.txt", "changed\n");
  const port::LandSpec spec = this->a_landing(this->candidate(captured.commit));
  const std::string merge = this->land(spec);

  for (int i = 0; i < 2; ++i) {  // the second time there is nothing left to do
    const auto synced = this->workspace().sync_checkout(k_main, spec.expected, merge);
    ASSERT_TRUE(synced) << synced.error().message;
    EXPECT_EQ(synced->outcome, SyncOutcome::updated) << synced->detail;
    EXPECT_EQ(this->world.read_checkout("src/a.txt"), "changed\n");
  }
}

TYPED_TEST(WorkspaceContract, UncommittedChangesAreLeftAlone) {
  const port::Captured captured = this->attempt("session-r1-t1.1", "src/a.txt", "changed\n");
  const port::LandSpec spec = this->a_landing(this->candidate(captured.commit));
  const std::string merge = this->land(spec);
  this->world.user_edits("src/a.txt", "precious\n");

  const auto synced = this->workspace().sync_checkout(k_main, spec.expected, merge);

  ASSERT_TRUE(synced) << synced.error().message;
  EXPECT_EQ(synced->outcome, SyncOutcome::left_alone);
  EXPECT_EQ(synced->detail, "src/a.txt has uncommitted changes");
  EXPECT_EQ(this->world.read_checkout("src/a.txt"), "precious\n");
}

TYPED_TEST(WorkspaceContract, AnUntrackedFileInTheWayIsLeftAlone) {
  const port::Captured captured = this->attempt("session-r1-t1.1", "b.txt", "b\n");
  const port::LandSpec spec = this->a_landing(this->candidate(captured.commit));
  const std::string merge = this->land(spec);
  this->world.user_edits("b.txt", "precious\n");

  const auto synced = this->workspace().sync_checkout(k_main, spec.expected, merge);

  ASSERT_TRUE(synced) << synced.error().message;
  EXPECT_EQ(synced->outcome, SyncOutcome::left_alone);
  EXPECT_EQ(synced->detail, "the untracked file b.txt is in the way");
  EXPECT_EQ(this->world.read_checkout("b.txt"), "precious\n");
}

TYPED_TEST(WorkspaceContract, AnotherBranchThatIsCheckedOutStays) {
  const port::Captured captured = this->attempt("session-r1-t1.1", "src/a.txt", "changed\n");
  const port::LandSpec spec = this->a_landing(this->candidate(captured.commit));
  this->world.user_leaves_branch();
  const std::string merge = this->land(spec);

  const auto synced = this->workspace().sync_checkout(k_main, spec.expected, merge);

  ASSERT_TRUE(synced) << synced.error().message;
  EXPECT_EQ(synced->outcome, SyncOutcome::not_checked_out);
  EXPECT_EQ(this->world.read_checkout("src/a.txt"), "one\ntwo\nthree\n");
}

TYPED_TEST(WorkspaceContract, ACapturedSessionIsRemovedAndRemovingItAgainIsFine) {
  this->attempt("session-r1-t1.1", "b.txt", "b\n");
  for (int i = 0; i < 2; ++i) {
    const Status removed = this->workspace().remove_session("session-r1-t1.1");
    EXPECT_TRUE(removed) << removed.error().message;
    EXPECT_FALSE(this->world.has_worktree("session-r1-t1.1"));
  }
  EXPECT_TRUE(this->world.ref("refs/bernstein/salvage/session-r1-t1.1")) << "the work stays";
}

TYPED_TEST(WorkspaceContract, ASessionWithACommitThatNobodyKeepsIsNotRemoved) {
  this->start("session-r1-t1.1");
  this->world.write("session-r1-t1.1", "b.txt", "b\n");
  this->world.commit("session-r1-t1.1", "mine");

  const Status removed = this->workspace().remove_session("session-r1-t1.1");

  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().code, ErrorCode::conflict);
  EXPECT_NE(removed.error().message.find("is under no salvage reference and no branch, so it was not removed"),
            std::string::npos);
  EXPECT_TRUE(this->world.has_worktree("session-r1-t1.1"));
}

TYPED_TEST(WorkspaceContract, TreesAreListedWithTheirDirectoriesInOrder) {
  const auto listed = this->workspace().list_tree(this->tip());
  ASSERT_TRUE(listed) << listed.error().message;
  std::vector<std::string> paths;
  for (const port::TreeFile& file : *listed) paths.push_back(file.path + (file.directory ? "/" : ""));
  EXPECT_EQ(paths, (std::vector<std::string>{"README.md", "src/", "src/a.txt"}));
}

TYPED_TEST(WorkspaceContract, ACheckoutIsMadeAgainAndRemoved) {
  for (int i = 0; i < 2; ++i) {
    const auto path = this->workspace().checkout_tree({.name = "check-r1-t1.1", .tree = this->tip()});
    ASSERT_TRUE(path) << path.error().message;
    EXPECT_TRUE(path->starts_with("/"));
    EXPECT_TRUE(path->ends_with("/.sdd/worktrees/check-r1-t1.1"));
    EXPECT_TRUE(this->world.has_worktree("check-r1-t1.1"));
  }
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(this->workspace().remove_checkout("check-r1-t1.1"));
    EXPECT_FALSE(this->world.has_worktree("check-r1-t1.1"));
  }
}

TYPED_TEST(WorkspaceContract, AnchorsFollowEachOther) {
  ASSERT_TRUE(this->workspace().write_anchor("r1", "{\"seq\":1}\n", k_at));
  const auto first = this->world.ref("refs/bernstein/runs/r1");
  ASSERT_TRUE(this->workspace().write_anchor("r1", "{\"seq\":2}\n", k_at + k_second));
  const auto second = this->world.ref("refs/bernstein/runs/r1");
  ASSERT_TRUE(this->workspace().write_anchor("r1", "{\"seq\":2}\n", k_at + 2 * k_second));

  ASSERT_TRUE(first && second);
  EXPECT_EQ(this->world.parents(*second), std::vector<std::string>{*first});
  EXPECT_EQ(this->read(*second, "head.json"), "{\"seq\":2}\n");
  EXPECT_EQ(this->world.ref("refs/bernstein/runs/r1"), second) << "said twice, written once";
}

TYPED_TEST(WorkspaceContract, HistoryGoesBackAlongFirstParentsAndEnds) {
  const std::string first = this->tip();
  const std::string second = this->world.user_commits({{"a.txt", "2\n"}});
  const auto history = this->workspace().history(second, 10);
  ASSERT_TRUE(history);
  ASSERT_EQ(history->size(), 2U);
  EXPECT_EQ((*history)[0].commit, second);
  EXPECT_EQ((*history)[1].commit, first);
  EXPECT_EQ(this->read((*history)[0].tree, "a.txt"), "2\n");
  EXPECT_NE((*history)[0].title, "");
  EXPECT_NE((*history)[0].author, "");
  EXPECT_EQ(this->workspace().history(second, 1)->size(), 1U);
  EXPECT_FALSE(this->workspace().history(std::string(40, '1'), 1));
}

TYPED_TEST(WorkspaceContract, TheSameTextHasTheSameBlobAndAMissingFileNone) {
  const std::string commit = this->world.user_commits({{"a.txt", "same\n"}, {"b.txt", "same\n"}, {"c.txt", "other\n"}});
  const auto blob = [&](const std::string& path) { return this->workspace().blob_id(commit, path).value(); };
  EXPECT_NE(blob("a.txt"), "");
  EXPECT_EQ(blob("a.txt"), blob("b.txt"));
  EXPECT_NE(blob("a.txt"), blob("c.txt"));
  EXPECT_EQ(blob("nothing.txt"), "");
}

TYPED_TEST(WorkspaceContract, ADiffNamesWhatChangedAndIsEmptyWhenNothingDid) {
  const std::string base = this->tip();
  const port::Captured captured = this->attempt("session-r1-t1.1", "b.txt", "b\n");

  const auto text = this->workspace().diff(base, captured.commit);
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_TRUE(text->starts_with("diff --git a/b.txt b/b.txt\n")) << *text;
  EXPECT_EQ(text->find("README"), std::string::npos);
  EXPECT_EQ(this->workspace().diff(base, base).value(), "");
}

TYPED_TEST(WorkspaceContract, ReusesNoSetupWhereThereIsNoInputToGoBy) {
  const std::string base = this->tip();
  const port::SetupSpec spec{
      .session = "session-r1-t1.1", .base = base, .command = "make", .environment = {}, .inputs = {}};
  ASSERT_TRUE(this->workspace().create_session({.name = spec.session, .base = base}));
  EXPECT_EQ(this->workspace().reuse_setup(spec).value(), false);
  this->world.write(spec.session, "made.txt", "made\n");
  EXPECT_TRUE(this->workspace().keep_setup(spec));

  port::SetupSpec next = spec;
  next.session = "session-r1-t2.1";
  ASSERT_TRUE(this->workspace().create_session({.name = next.session, .base = base}));
  EXPECT_EQ(this->workspace().reuse_setup(next).value(), false);
}

TYPED_TEST(WorkspaceContract, AWorktreeHasNothingOfTheOneThatWasRemovedBefore) {
  const std::string base = this->tip();
  for (const char* session : {"session-r1-t1.1", "session-r1-t2.1"}) {
    ASSERT_TRUE(this->workspace().create_session({.name = session, .base = base}));
    EXPECT_EQ(this->workspace().capture(this->a_capture(session, base)).value().commit, base) << "as its base has it";
    this->world.write(session, "src/a.txt", "changed\n");
    this->world.write(session, "added.txt", "added\n");
    this->world.erase(session, "README.md");
    ASSERT_TRUE(this->workspace().capture(this->a_capture(session, base)));
    ASSERT_TRUE(this->workspace().remove_session(session));
  }
}

TYPED_TEST(WorkspaceContract, CallsFromSeveralThreadsDoNotDisturbEachOther) {
  constexpr int k_threads = 4;
  const std::string base = this->tip();
  std::vector<std::string> errors(k_threads);
  std::vector<std::thread> threads;
  for (int i = 0; i < k_threads; ++i) {
    threads.emplace_back([&, i] {
      const std::string session = "session-r1-t" + std::to_string(i) + ".1";
      const auto created = this->workspace().create_session({.name = session, .base = base});
      if (!created) return void(errors[static_cast<std::size_t>(i)] = created.error().message);
      this->world.write(session, "file" + std::to_string(i) + ".txt", "text\n");
      const auto captured = this->workspace().capture(this->a_capture(session, base));
      if (!captured) return void(errors[static_cast<std::size_t>(i)] = captured.error().message);
      const Status removed = this->workspace().remove_session(session);
      if (!removed) errors[static_cast<std::size_t>(i)] = removed.error().message;
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int i = 0; i < k_threads; ++i) {
    EXPECT_EQ(errors[static_cast<std::size_t>(i)], "");
    const auto salvage = this->world.ref("refs/bernstein/salvage/session-r1-t" + std::to_string(i) + ".1");
    ASSERT_TRUE(salvage);
    EXPECT_EQ(this->read(*salvage, "file" + std::to_string(i) + ".txt"), "text\n");
  }
}

}  // namespace
}  // namespace bernstein::test
