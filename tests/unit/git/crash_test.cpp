// Killed at any step and called again, an operation ends as if nothing had been. Locks of ours that were left are
// cleared; those of others stay, and are reported.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <tuple>

#include "support/crash.hpp"
#include "workspace_fixture.hpp"

namespace bernstein::test {
namespace {

namespace fs = std::filesystem;

// An attempt that changed README.md, added new/b.txt and removed src/a.txt, one of them in a commit of its own.
struct Crash : WorkspaceTest {
  Crash() {
    repository.write(".gitignore", ".sdd/\n");
    base = repository.commit("ignores");
  }
  void work() {
    start();
    write_file(worktree() / "README.md", "landed\n");
    agent_git("commit -q -a -m mine");
    write_file(worktree() / "new/b.txt", "b\n");
    fs::remove(worktree() / "src/a.txt");
  }
  void expect_sound() {
    EXPECT_EQ(repository.git("fsck --strict --no-dangling --no-progress"), "");
    EXPECT_EQ(locks(), "");
  }
  // Every lock file of the repository and of .sdd.
  std::string locks() const {
    return shell("cd " + shell_word(repository.root()) + " && find . -name '*.lock' | sort").output;
  }
  fs::path git_file(const std::string& name) const { return repository.root() / ".git" / name; }
  fs::path mark() const { return repository.root() / ".sdd/moving-ref"; }

  std::string base;
};

struct CrashAt : Crash, ::testing::WithParamInterface<const char*> {};

std::string name_of(const ::testing::TestParamInfo<const char*>& site) {
  std::string name;
  for (const char* c = site.param; *c != '\0'; ++c) name += *c == '.' || *c == ':' ? '_' : *c;
  return name;
}

// ---- Every step of every operation ----

struct CreateSession : CrashAt {};
TEST_P(CreateSession, IsDoneAgainAfterACrash) {
  BERNSTEIN_NEEDS_FAILPOINTS();
  crash_at(GetParam(), [&] { start(); });

  start();

  EXPECT_EQ(agent_git("status --porcelain").output, "");
  EXPECT_EQ(agent_git("rev-parse HEAD").output, base);
  expect_sound();
  ASSERT_TRUE(workspace().remove_session(k_session));
  EXPECT_TRUE(fs::is_empty(repository.root() / ".sdd/agents"));
  EXPECT_TRUE(fs::is_empty(repository.root() / ".sdd/worktrees"));
  EXPECT_EQ(repository.git("for-each-ref --format='%(refname)'"), "refs/heads/main");
}
INSTANTIATE_TEST_SUITE_P(Sites, CreateSession,
                         ::testing::Values("git.create_session.before_keep", "git.change_reference.marked",
                                           "git.change_reference.locked", "git.change_reference.moved",
                                           "git.create_session.after_keep", "git.write_tree_files.after_file:2",
                                           "git.create_session.after_files", "git.create_session.before_repository",
                                           "git.create_session.before_link", "git.create_session.after_link",
                                           "git.create_session.before_complete", "git.create_session.complete"),
                         name_of);

struct CreateSessionWithWork : CrashAt {};
TEST_P(CreateSessionWithWork, IsDoneAgainAfterACrash) {
  BERNSTEIN_NEEDS_FAILPOINTS();
  work();
  const std::string earlier = capture(base).commit;
  repository.write("README.md", "the person's\n");
  const port::SessionSpec spec{.name = "session-r1-t1.2",
                               .base = repository.commit("later"),
                               .symlink_dirs = {},
                               .copy_files = {},
                               .merge_in = earlier};
  crash_at(GetParam(), [&] { start(spec); });

  start(spec);

  EXPECT_EQ(agent_git("status --porcelain --untracked-files=all", spec.name).output,
            " M README.md\n D src/a.txt\n?? new/b.txt");
  EXPECT_TRUE(read_file(worktree(spec.name) / "README.md").starts_with("<<<<<<< target\n"));
  expect_sound();
  for (const std::string& session : {std::string(k_session), spec.name}) {
    ASSERT_TRUE(workspace().remove_session(session));
  }
  EXPECT_TRUE(fs::is_empty(repository.root() / ".sdd/agents"));
}
INSTANTIATE_TEST_SUITE_P(Sites, CreateSessionWithWork,
                         ::testing::Values("git.create_session.before_keep", "git.write_tree_files.after_file:2",
                                           "git.create_session.after_link", "git.create_session.after_note",
                                           "git.create_session.before_complete", "git.create_session.complete"),
                         name_of);

// A session that is replaced by one with other earlier work is never taken for it on the way.
struct ReplaceSession : CrashAt {};
TEST_P(ReplaceSession, IsDoneAgainAfterACrash) {
  BERNSTEIN_NEEDS_FAILPOINTS();
  work();
  const std::string earlier = capture(base).commit;
  const port::SessionSpec with{
      .name = "session-r1-t1.2", .base = base, .symlink_dirs = {}, .copy_files = {}, .merge_in = earlier};
  port::SessionSpec without = with;
  without.merge_in = "";
  start(with);
  crash_at(GetParam(), [&] { start(without); });

  start(without);
  EXPECT_EQ(agent_git("status --porcelain", with.name).output, "");
  crash_at(GetParam(), [&] { start(with); });
  start(with);
  EXPECT_NE(agent_git("status --porcelain", with.name).output, "");
  expect_sound();
}
INSTANTIATE_TEST_SUITE_P(Sites, ReplaceSession,
                         ::testing::Values("git.discard_session.after_worktree", "git.create_session.after_note",
                                           "git.create_session.complete"),
                         name_of);

struct CaptureWork : CrashAt {};
TEST_P(CaptureWork, IsDoneAgainAfterACrash) {
  BERNSTEIN_NEEDS_FAILPOINTS();
  work();
  crash_at(GetParam(), [&] { capture(base); });

  const port::Captured captured = capture(base);

  EXPECT_EQ(text_of(captured.changes), "M README.md, A new/b.txt, D src/a.txt");
  EXPECT_EQ(repository.git(std::string("rev-parse ") + k_salvage), captured.commit);
  EXPECT_EQ(repository.git("rev-parse " + captured.commit + "^{tree}"), captured.tree);
  expect_sound();
}
INSTANTIATE_TEST_SUITE_P(Sites, CaptureWork,
                         ::testing::Values("git.capture.before_objects", "git.capture.after_object:1",
                                           "git.capture.after_object:4", "git.capture.after_objects",
                                           "git.capture.before_salvage", "git.change_reference.marked",
                                           "git.change_reference.locked", "git.change_reference.moved",
                                           "git.capture.after_salvage"),
                         name_of);

struct BuildCandidate : CrashAt {};
TEST_P(BuildCandidate, IsTheSameWhenItIsBuiltAgainAfterACrash) {
  BERNSTEIN_NEEDS_FAILPOINTS();
  work();
  const port::CandidateSpec spec = a_candidate(capture(base).commit);
  crash_at(GetParam(), [&] { static_cast<void>(workspace().build_candidate(spec)); });

  const port::Candidate built = candidate(spec);

  EXPECT_EQ(repository.git("rev-parse refs/bernstein/candidates/r1-t1.1"), built.commit);
  EXPECT_EQ(repository.tip(), base);
  expect_sound();
}
INSTANTIATE_TEST_SUITE_P(Sites, BuildCandidate,
                         ::testing::Values("git.build_candidate.before_merge", "git.build_candidate.after_merge",
                                           "git.build_candidate.before_ref", "git.change_reference.marked",
                                           "git.change_reference.locked", "git.change_reference.moved",
                                           "git.build_candidate.after_ref"),
                         name_of);

struct DropCandidate : CrashAt {};
TEST_P(DropCandidate, IsFinishedAfterACrash) {
  BERNSTEIN_NEEDS_FAILPOINTS();
  work();
  candidate(a_candidate(capture(base).commit));
  crash_at(GetParam(), [&] { static_cast<void>(workspace().drop_candidate("r1-t1.1")); });

  const Status dropped = workspace().drop_candidate("r1-t1.1");

  EXPECT_TRUE(dropped) << dropped.error().message;
  EXPECT_EQ(repository.git("for-each-ref refs/bernstein/candidates"), "");
  expect_sound();
}
INSTANTIATE_TEST_SUITE_P(Sites, DropCandidate,
                         ::testing::Values("git.drop_candidate.before_ref", "git.change_reference.marked",
                                           "git.drop_candidate.after_ref"),
                         name_of);

struct Revert : CrashAt {};
TEST_P(Revert, IsTheSameWhenItIsDoneAgainAfterACrash) {
  BERNSTEIN_NEEDS_FAILPOINTS();
  work();
  const std::string landed = land(capture(base).commit);
  const port::RevertSpec spec{
      .target = k_main, .landed = landed, .message = "Undo\n", .at_us = k_at, .salvage_ref = k_salvage};
  crash_at(GetParam(), [&] { static_cast<void>(workspace().revert(spec)); });

  const auto undone = workspace().revert(spec);

  ASSERT_TRUE(undone) << undone.error().message;
  const auto& captured = std::get<port::Captured>(*undone);
  EXPECT_EQ(captured.tree, repository.git("rev-parse " + base + "^{tree}"));
  EXPECT_EQ(repository.git(std::string("rev-parse ") + k_salvage), captured.commit);
  EXPECT_EQ(repository.tip(), landed);
  expect_sound();
}
INSTANTIATE_TEST_SUITE_P(Sites, Revert,
                         ::testing::Values("git.revert.before_salvage", "git.change_reference.marked",
                                           "git.change_reference.locked", "git.change_reference.moved",
                                           "git.revert.after_salvage"),
                         name_of);

struct Land : CrashAt {};
TEST_P(Land, IsDoneOnceWhenItIsDoneAgainAfterACrash) {
  BERNSTEIN_NEEDS_FAILPOINTS();
  work();
  const port::LandSpec spec = a_landing(candidate(a_candidate(capture(base).commit)));
  crash_at(GetParam(), [&] { static_cast<void>(workspace().land(spec)); });

  const auto landed = workspace().land(spec);

  ASSERT_TRUE(landed) << landed.error().message;
  EXPECT_EQ(std::get<port::Landed>(*landed).commit, repository.tip());
  EXPECT_EQ(repository.git("rev-list --first-parent --count " + base + "..main"), "1");
  expect_sound();
}
INSTANTIATE_TEST_SUITE_P(Sites, Land,
                         ::testing::Values("git.land.before_ref", "git.change_reference.marked",
                                           "git.change_reference.locked", "git.change_reference.moved",
                                           "git.land.after_ref"),
                         name_of);

struct SyncCheckout : CrashAt {};
TEST_P(SyncCheckout, IsFinishedAfterACrash) {
  BERNSTEIN_NEEDS_FAILPOINTS();
  work();
  const std::string to = land(capture(base).commit);
  crash_at(GetParam(), [&] { static_cast<void>(workspace().sync_checkout(k_main, base, to)); });

  const auto synced = workspace().sync_checkout(k_main, base, to);

  ASSERT_TRUE(synced) << synced.error().message;
  EXPECT_EQ(synced->outcome, SyncOutcome::updated) << synced->detail;
  EXPECT_EQ(repository.git("status --porcelain --untracked-files=all"), "");
  EXPECT_EQ(repository.read("README.md"), "landed\n");
  EXPECT_FALSE(fs::exists(git_file("index.bernstein")));
  EXPECT_FALSE(fs::exists(repository.root() / ".sdd/index-copy"));
  expect_sound();
}
INSTANTIATE_TEST_SUITE_P(Sites, SyncCheckout,
                         ::testing::Values("git.sync_checkout.after_lock", "git.sync_checkout.after_file:1",
                                           "git.sync_checkout.after_file:2", "git.sync_checkout.after_file:3",
                                           "git.sync_checkout.before_rename:1", "git.sync_checkout.before_rename:2",
                                           "git.sync_checkout.before_index", "git.sync_checkout.after_index",
                                           "git.sync_checkout.after_unlock"),
                         name_of);

struct RemoveSession : CrashAt {};
TEST_P(RemoveSession, IsFinishedAfterACrash) {
  BERNSTEIN_NEEDS_FAILPOINTS();
  work();
  capture(base);
  crash_at(GetParam(), [&] { static_cast<void>(workspace().remove_session(k_session)); });

  const Status removed = workspace().remove_session(k_session);

  ASSERT_TRUE(removed) << removed.error().message;
  EXPECT_TRUE(fs::is_empty(repository.root() / ".sdd/agents"));
  EXPECT_TRUE(fs::is_empty(repository.root() / ".sdd/worktrees"));
  EXPECT_EQ(repository.git("for-each-ref --format='%(refname)' refs/bernstein/keep"), "");
  EXPECT_TRUE(fs::is_empty(repository.root() / ".sdd/trash"));
  expect_sound();
}
INSTANTIATE_TEST_SUITE_P(Sites, RemoveSession,
                         ::testing::Values("git.remove_session.before_discard", "git.pool.after_cache",
                                           "git.pool.after_worktree", "git.pool.packed", "git.give_back.after_cache",
                                           "git.discard_session.after_worktree", "git.discard.after_rename",
                                           "git.remove_session.before_keep", "git.change_reference.marked",
                                           "git.remove_session.after_keep"),
                         name_of);

struct CheckoutTree : CrashAt {};
TEST_P(CheckoutTree, IsDoneAgainAfterACrash) {
  BERNSTEIN_NEEDS_FAILPOINTS();
  const std::string tree = repository.git("rev-parse main^{tree}");
  crash_at(GetParam(), [&] { static_cast<void>(workspace().checkout_tree({.name = "check-r1-t1.1", .tree = tree})); });

  ASSERT_TRUE(workspace().checkout_tree({.name = "check-r1-t1.1", .tree = tree}));

  EXPECT_EQ(read_file(worktree("check-r1-t1.1") / "README.md"), "hello\n");
  EXPECT_EQ(read_file(worktree("check-r1-t1.1") / "src/a.txt"), "one\ntwo\nthree\n");
}
INSTANTIATE_TEST_SUITE_P(Sites, CheckoutTree,
                         ::testing::Values("git.checkout_tree.before_directory", "git.write_tree_files.after_file:1",
                                           "git.checkout_tree.after_files"),
                         name_of);

struct WriteAnchor : CrashAt {};
TEST_P(WriteAnchor, IsWrittenOnceWhenItIsWrittenAgainAfterACrash) {
  BERNSTEIN_NEEDS_FAILPOINTS();
  ASSERT_TRUE(workspace().write_anchor("r1", "first", k_at));
  crash_at(GetParam(), [&] { static_cast<void>(workspace().write_anchor("r1", "second", k_at)); });

  ASSERT_TRUE(workspace().write_anchor("r1", "second", k_at));

  EXPECT_EQ(repository.git("show refs/bernstein/runs/r1:head.json"), "second");
  EXPECT_EQ(repository.git("rev-list --count refs/bernstein/runs/r1"), "2");
  expect_sound();
}
INSTANTIATE_TEST_SUITE_P(Sites, WriteAnchor,
                         ::testing::Values("git.write_anchor.before_ref", "git.change_reference.locked",
                                           "git.write_anchor.after_ref"),
                         name_of);

// ---- Whose lock it is ----

struct Locks : Crash {
  // A landing that was killed while it held the lock of main.
  void die_landing(const char* site) {
    work();
    spec = a_landing(candidate(a_candidate(capture(base).commit)));
    crash_at(site, [&] { static_cast<void>(workspace().land(spec)); });
  }
  void expect_refused() {
    const auto refused = workspace().land(spec);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message,
              "cannot move refs/heads/main: another git process holds it; if none runs, remove " + lock().string());
    EXPECT_TRUE(fs::exists(lock())) << "it is not ours to remove";
    EXPECT_FALSE(fs::exists(mark())) << "or the next one would take it for ours";
  }
  void expect_landed() {
    const auto landed = workspace().land(spec);
    ASSERT_TRUE(landed) << landed.error().message;
    EXPECT_TRUE(std::holds_alternative<port::Landed>(*landed));
    expect_sound();
  }
  fs::path lock() const { return git_file("refs/heads/main.lock"); }

  port::LandSpec spec;
};

TEST_F(Locks, OursOfTheTargetIsClearedAndTheTaskLands) {
  BERNSTEIN_NEEDS_FAILPOINTS();
  die_landing("git.change_reference.locked");
  ASSERT_TRUE(fs::exists(lock())) << "the crash left it";
  expect_landed();
}

TEST_F(Locks, OursIsClearedWhereverTheWriteWasCut) {
  BERNSTEIN_NEEDS_FAILPOINTS();
  die_landing("git.change_reference.locked");
  write_file(lock(), read_file(mark()).substr(0, 17));
  expect_landed();
}

TEST_F(Locks, OneWithAnotherContentIsNotOurs) {
  BERNSTEIN_NEEDS_FAILPOINTS();
  die_landing("git.change_reference.marked");
  write_file(lock(), base + "\n");
  expect_refused();
}

TEST_F(Locks, OneThatALivingProcessHasOpenIsNotOurs) {
  BERNSTEIN_NEEDS_FAILPOINTS();
  die_landing("git.change_reference.locked");
  const int file = ::open(lock().c_str(), O_RDONLY | O_CLOEXEC);
  expect_refused();
  ::close(file);
}

TEST_F(Locks, OneThatWasThereBeforeWeBeganIsNotOurs) {
  BERNSTEIN_NEEDS_FAILPOINTS();
  work();
  spec = a_landing(candidate(a_candidate(capture(base).commit)));
  write_file(lock(), "");
  struct ::stat taken {};
  ASSERT_EQ(::stat(lock().c_str(), &taken), 0);
  const auto as_tuple = [](const ::timespec& time) { return std::tuple(time.tv_sec, time.tv_nsec); };
  for (struct ::stat now{}; as_tuple(now.st_mtim) <= as_tuple(taken.st_ctim);) {
    write_file(repository.outside() / "clock", "");  // until the file system's clock has moved on
    ASSERT_EQ(::stat((repository.outside() / "clock").c_str(), &now), 0);
  }
  crash_at("git.change_reference.marked", [&] { static_cast<void>(workspace().land(spec)); });
  expect_refused();
}

TEST_F(Locks, OneInOurNamespaceThatNobodyHoldsIsClearedWithoutAMark) {
  work();
  const fs::path lock = git_file(std::string(k_salvage) + ".lock");
  write_file(lock, "");  // as a power loss leaves it
  capture(base);
  expect_sound();
}

TEST_F(Locks, OneInOurNamespaceThatSomebodyHoldsStays) {
  work();
  const fs::path lock = git_file(std::string(k_salvage) + ".lock");
  write_file(lock, "");
  const int file = ::open(lock.c_str(), O_RDONLY | O_CLOEXEC);
  const auto captured = workspace().capture(a_capture(base));
  ::close(file);
  ASSERT_FALSE(captured);
  EXPECT_EQ(captured.error().message, std::string("cannot write ") + k_salvage +
                                          ": another git process holds it; if none runs, remove " + lock.string());
  EXPECT_TRUE(fs::exists(lock));
}

TEST_F(Locks, OursOfThePackedReferencesIsClearedWhenOneIsTakenOut) {
  BERNSTEIN_NEEDS_FAILPOINTS();
  work();
  capture(base);
  repository.git("pack-refs --all");
  crash_at("git.change_reference.marked", [&] { static_cast<void>(workspace().remove_session(k_session)); });
  const std::string packed = read_file(git_file("packed-refs"));
  write_file(git_file("packed-refs.lock"), packed.substr(0, packed.size() - 7));

  const Status removed = workspace().remove_session(k_session);

  EXPECT_TRUE(removed) << removed.error().message;
  EXPECT_EQ(repository.git("for-each-ref --format='%(refname)' refs/bernstein/keep"), "");
  expect_sound();
}

TEST_F(Locks, OneOfThePackedReferencesWithOthersInItIsNotOurs) {
  BERNSTEIN_NEEDS_FAILPOINTS();
  work();
  capture(base);
  repository.git("pack-refs --all");
  crash_at("git.change_reference.marked", [&] { static_cast<void>(workspace().remove_session(k_session)); });
  const fs::path lock = git_file("packed-refs.lock");
  write_file(lock, read_file(git_file("packed-refs")) + base + " refs/tags/of-the-person\n");

  const Status removed = workspace().remove_session(k_session);

  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().message, std::string("cannot remove refs/bernstein/keep/") + k_session +
                                         ": another git process holds it; if none runs, remove " + lock.string());
  EXPECT_TRUE(fs::exists(lock));
}

TEST_F(Locks, TheUsersOfTheIndexStaysWhateverWeLeft) {
  BERNSTEIN_NEEDS_FAILPOINTS();
  work();
  const std::string to = land(capture(base).commit);
  crash_at("git.sync_checkout.after_lock", [&] { static_cast<void>(workspace().sync_checkout(k_main, base, to)); });
  ASSERT_EQ(locks(), "./.git/index.lock") << "the crash left it";
  fs::remove(git_file("index.lock"));
  for (const char* content : {"", "DIRC", "Bernstein"}) {
    write_file(git_file("index.lock"), content);
    const auto synced = workspace().sync_checkout(k_main, base, to);
    ASSERT_TRUE(synced);
    EXPECT_EQ(synced->outcome, SyncOutcome::left_alone);
    EXPECT_EQ(synced->detail, "another git process is at work there (" + git_file("index.lock").string() + " exists)");
    EXPECT_EQ(read_file(git_file("index.lock")), content);
    fs::remove(git_file("index.lock"));
  }
}

TEST_F(Locks, ThoseThatASetupCommandLeftInItsSessionAreClearedUnlessSomebodyHoldsThem) {
  start();
  const fs::path left = session_repository() / "worktrees" / k_session / "index.lock";
  const fs::path held = session_repository() / "refs/heads/held.lock";
  write_file(left, "");
  write_file(held, "");
  const int file = ::open(held.c_str(), O_RDONLY | O_CLOEXEC);

  start();

  EXPECT_FALSE(fs::exists(left));
  EXPECT_TRUE(fs::exists(held));
  ::close(file);
}

}  // namespace
}  // namespace bernstein::test
