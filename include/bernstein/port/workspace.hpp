#pragma once
// What Bernstein does with git and the working files, as run/ needs it. git/ implements it with libgit2;
// tests/support has a fake over maps. Both pass tests/contract/workspace_contract.
//
// Names: the *repository* is the user's; a *session* is one attempt's worktree with a bare repository of its own
// (session_name() in base/id.hpp); the *target* is the branch to land on; a *candidate* is the commit that would stand
// on the target if an attempt landed now. What is checked is its tree, and what lands is that very commit: a candidate
// can be built on another one that is ahead of it, before that has landed.
//
//     auto built = workspace.build_candidate({.target = "refs/heads/main", .commit = captured.commit, .name =
//     "r1-t4.2",
//                                             .message = "Limit the rate\n", .at_us = now});
//     // a Candidate: check the tree, then
//     workspace.land({.target = "refs/heads/main", .expected = candidate.base, .commit = candidate.commit,
//                     .note = "bernstein: land Limit the rate"});
//     workspace.drop_candidate("r1-t4.2");
//
// Where two sides disagree, what settles it is asked in this order: .gitattributes ("merge=union"); from_target;
// union_files; resolutions. What none of these settles is a Conflict, which is an answer, no error.
//
// Promises, for every call:
//  * The user's branches (but the target, by compare-and-swap), index, configuration, hooks and uncommitted files are
//    never changed, except by sync_checkout under the conditions it states.
//  * No hook, filter, merge driver or other program that an agent could have planted is run.
//  * Calls are idempotent: repeated after a crash with the same arguments they end in the same state and answer alike.
//    Lock files that a killed Bernstein left are cleared on the way, those of others reported: the caller has the
//    workspace to itself.
//  * Calls may be made from any thread, several at a time.
// Commits and trees are given as 40 hex digits. Errors are ErrorCode::environment unless a call says otherwise.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "bernstein/base/result.hpp"
#include "bernstein/base/units.hpp"
#include "bernstein/event/event.hpp"

namespace bernstein::port {

struct SessionSpec {
  std::string name;  // "session-r1-t4.2"
  std::string base;  // commit it starts from
  std::vector<std::string>
      symlink_dirs;                     // linked to the user's checkout where they exist there and the base lacks them
  std::vector<std::string> copy_files;  // copied likewise; beside these, what .worktreeinclude names
  // A commit whose work, an earlier attempt's, is merged into the files on top of the base: what merges is there,
  // uncommitted; where it conflicts the file has conflict markers in the style of `git merge --conflict=diff3` (ours =
  // the base, labelled "target"; theirs labelled "your earlier work"). Where there can be no markers (binary, deleted
  // by one side, a directory in the way, symbolic links, modes) the base's version stands. "": none.
  std::string merge_in = "";
};

// A place to check a tree in.
struct CheckoutSpec {
  std::string name;  // "check-r1-t4.2"
  std::string tree;
  std::vector<std::string> symlink_dirs = {};  // as for a session: what checks need and no tree has
  std::vector<std::string> copy_files = {};
};

// A command that makes a session ready, and what its result follows from.
struct SetupSpec {
  std::string session;
  std::string base;  // of the session
  std::string command;
  std::map<std::string, std::string> environment;  // that it gets
  std::optional<std::vector<std::string>> inputs;  // patterns of files in the base; nothing: the usual lock files
};

struct CaptureSpec {
  std::string session;
  std::string base;
  std::vector<std::string> not_ours;  // paths that setup put there (symlink_dirs, copy_files): never captured
  std::string message;                // for the commit of what the agent left uncommitted
  Micros at_us = 0;                   // author and commit date, µs since the epoch; whole seconds are used
  std::string salvage_ref;            // "refs/bernstein/salvage/r1/t4.2"
};

struct Captured {
  std::string commit;  // == base when nothing changed
  std::string tree;
  std::vector<ChangedPath> changes;          // base → commit, sorted by path
  std::vector<std::string> also_kept = {};   // refs of what the agent committed or stashed beside its branch
  std::vector<std::string> suspicions = {};  // sentences: hooks, a .git file that leads elsewhere, ...; sorted, few
};

struct CandidateSpec {
  std::string target;  // "refs/heads/main"
  std::string onto;    // commit it is merged with: a candidate that is ahead of it; "": the target's tip as it stands
  std::string commit;  // the attempt's
  std::string name;    // "r1-t4.2": refs/bernstein/candidates/<name> keeps the candidate from `git gc --prune=now`
  LandingMethod method = LandingMethod::merge;  // squash: one parent
  std::string message;                          // of the commit, with trailers
  Micros at_us = 0;  // its author and commit date, whole seconds: same arguments and tip, same id
  // Patterns (matches() in base/path.hpp): paths that define checks. What the commit changes there is left out: they
  // stay as `onto` has them, added ones are dropped ...
  std::vector<std::string> from_target = {};
  std::vector<std::string> owned = {};  // ... except where one of these patterns matches the path
  std::vector<std::string> union_files =
      {};  // patterns: where both sides add lines, both are kept (git's driver "union")
  std::vector<Resolution> resolutions = {};  // of conflicts that are known; the file keeps the mode of ours, or theirs
};
struct Candidate {
  std::string base;  // the commit it was merged with: first parent
  std::string base_tree;
  std::string commit;                      // the commit that lands, if it does
  std::string tree;                        // that of the base when there is nothing to land
  std::vector<std::string> left_out = {};  // changed paths of from_target that were taken from the target; sorted
  std::vector<std::string> unioned =
      {};  // paths where both sides' lines were kept (that would have conflicted); sorted
  std::vector<std::string> resolved = {};  // paths settled by `resolutions`; sorted
};
struct Conflict {
  std::string base;                   // as in a Candidate
  std::vector<ConflictedPath> paths;  // by path
};
using CandidateOutcome = std::variant<Candidate, Conflict>;

struct LandSpec {
  std::string target;    // "refs/heads/main"
  std::string expected;  // where it must stand: first parent of the commit
  std::string commit;    // the candidate
  std::string note;      // for the reflog: "bernstein: land <title>"
};
struct Landed {
  std::string commit;
};
struct Moved {
  std::string actual;
};
using LandOutcome = std::variant<Landed, Moved>;

struct RevertSpec {
  std::string target;
  std::string landed;  // the commit to undo: a merge (against its first parent) or a squashed one
  std::string message;
  Micros at_us = 0;         // as a candidate's
  std::string salvage_ref;  // points to the new commit
};
using RevertOutcome = std::variant<Captured, Conflict>;

struct SyncResult {
  SyncOutcome outcome = SyncOutcome::updated;
  std::string detail;
};

// One entry of a tree that a check wants to look at.
struct TreeFile {
  std::string path;
  bool directory = false;
};

// A commit in the history of a branch.
struct Ancestor {
  std::string commit;
  std::string tree;
  std::string title;   // first line of its message
  std::string author;  // name
};

class Workspace {
 public:
  virtual ~Workspace() = default;

  // Where the target stands. ErrorCode::not_found when the branch is gone.
  virtual Result<std::string> tip(const std::string& target) = 0;

  // A worktree at .sdd/worktrees/<name> on branch agent/<name> of a bare repository of its own under .sdd/agents/,
  // which borrows the user's objects. Returns its absolute path. An unfinished one of the same name is replaced.
  virtual Result<std::string> create_session(const SessionSpec& spec) = 0;

  // Before the command runs in a session that is complete: puts there what it made in another one, where command,
  // environment, inputs and what setup placed are the same, and says whether it did. Without an input in the base there
  // is nothing to go by. What an earlier call that was cut short has put there is gone when the answer is false.
  virtual Result<bool> reuse_setup(const SetupSpec& spec) = 0;
  // After it has succeeded, and before an agent begins: keeps what it made for reuse_setup, unless that cannot be the
  // same elsewhere.
  virtual Status keep_setup(const SetupSpec& spec) = 0;

  // Commits what the agent left in the worktree (untracked files too, ignored ones not) on top of what it committed
  // itself, copies the objects into the user's repository and points the salvage ref there. When nothing was committed
  // or changed, no ref is written; commits that amount to nothing are kept, and the answer is the base. The files of a
  // nested repository are taken as any others; special files are left out. Other branches of the session, its tags and
  // its stash go under refs beside the salvage ref ("<salvage_ref>.<name>"). ErrorCode::conflict when the agent's
  // branch no longer descends from the base or its worktree is gone: salvages what is left, as far as there is any.
  virtual Result<Captured> capture(const CaptureSpec& spec) = 0;

  // Three-way merge of the commit with `onto`, in memory, as a commit; writes only objects and the reference that keeps
  // it. ErrorCode::not_found when `onto` is "" and the target is gone; ErrorCode::invalid_input for a name that a
  // reference cannot have.
  virtual Result<CandidateOutcome> build_candidate(const CandidateSpec& spec) = 0;
  // Removes the reference that keeps a candidate. Absent is fine.
  virtual Status drop_candidate(const std::string& name) = 0;

  // The tree as files in a clean directory .sdd/worktrees/<name>, without any git metadata; linked and copied is what a
  // session gets. Returns its absolute path.
  virtual Result<std::string> checkout_tree(const CheckoutSpec& spec) = 0;

  // Every file and directory of the tree, sorted by path; and one file's bytes (not_found when there is none).
  virtual Result<std::vector<TreeFile>> list_tree(const std::string& tree) = 0;
  virtual Result<std::string> read_file(const std::string& tree, const std::string& path) = 0;
  // The id of the file's blob, as ConflictedPath has it; "" when there is no file of that path.
  virtual Result<std::string> blob_id(const std::string& tree, const std::string& path) = 0;

  // Moves the target to the candidate if it stands at `expected`. Already there (or beyond, by first parents): Landed.
  // Elsewhere: Moved, and nothing changes. ErrorCode::invalid_input when the candidate was not built on `expected`.
  virtual Result<LandOutcome> land(const LandSpec& spec) = 0;

  // A commit on the target's tip (single parent) that takes back what `landed` changed against its first parent; later
  // changes in other lines stay. Captured.changes are against the tip. When nothing is left to take back: Captured with
  // commit == tip and no changes, and no ref is written. Does not move the target: land() does.
  virtual Result<RevertOutcome> revert(const RevertSpec& spec) = 0;

  // Paths at which what stands in a session's worktree now, committed or not, would conflict with `commit`; sorted. Of
  // the spec, message, at_us and salvage_ref are not used. Writes nothing that stays. The worktree may change while it
  // is read, so the answer is a hint; what cannot be read counts as unchanged. A session that is gone: none.
  virtual Result<std::vector<std::string>> probe(const CaptureSpec& session, const std::string& commit) = 0;

  // After the target moved from `from` to `to`: if it is checked out in a worktree of the person's and nothing there
  // is uncommitted that the move would touch or hide (index and tracked files equal `from`; no untracked file in the
  // way), updates files and index. Else leaves everything alone and says what is in the way.
  virtual Result<SyncResult> sync_checkout(const std::string& target, const std::string& from,
                                           const std::string& to) = 0;

  // Removes a session (worktree and bare repository) or a directory made by checkout_tree. Absent is fine. Refuses with
  // ErrorCode::conflict to remove a session whose last commit is not under a salvage ref or the target.
  virtual Status remove_session(const std::string& name) = 0;
  virtual Status remove_checkout(const std::string& name) = 0;

  // Points refs/bernstein/runs/<run> to a commit that holds `text` as head.json; its parent is the anchor before.
  virtual Status write_anchor(const std::string& run, const std::string& text, Micros at_us) = 0;

  // The commit and those before it along first parents, newest first, at most `max`; fewer where a shallow clone ends.
  virtual Result<std::vector<Ancestor>> history(const std::string& commit, std::size_t max) = 0;

  // The unified diff between two commits or trees, as `git diff` prints it without colour.
  virtual Result<std::string> diff(const std::string& from, const std::string& to) = 0;
};

}  // namespace bernstein::port
