#pragma once
// A workspace over maps, for simulations of the whole loop: commits and trees are values, ids are hashes of them, so
// the same calls give the same ids on every machine. Nothing touches a disk.
//
//     FakeWorkspace workspace({{"README.md", "hello\n"}});
//     workspace.create_session({.name = "session-r1-t1.1", .base = *workspace.tip("refs/heads/main")});
//     workspace.write("session-r1-t1.1", "src/a.cpp", "int a;\n");          // what the agent does
//     workspace.user_commits({{"README.md", "changed\n"}});                 // what the person does meanwhile
//
// It merges whole files: two sides that change one file differently are in conflict, whatever the lines. A union keeps
// what the two have in common at the beginning and at the end, and between them our lines before theirs. May be used
// from several threads.

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "bernstein/port/repository_facts.hpp"
#include "bernstein/port/workspace.hpp"

namespace bernstein::test {

class FakeWorkspace final : public port::Workspace {
 public:
  using FileMap = std::map<std::string, std::string>;  // path → content

  explicit FakeWorkspace(FileMap initial, std::string branch = "refs/heads/main");

  Result<std::string> tip(const std::string& target) override;
  Result<std::string> create_session(const port::SessionSpec& spec) override;
  Result<bool> reuse_setup(const port::SetupSpec& spec) override;
  Status keep_setup(const port::SetupSpec& spec) override;
  Result<port::Captured> capture(const port::CaptureSpec& spec) override;
  Result<port::CandidateOutcome> build_candidate(const port::CandidateSpec& spec) override;
  Status drop_candidate(const std::string& name) override;
  Result<std::string> checkout_tree(const port::CheckoutSpec& spec) override;
  Result<std::vector<port::TreeFile>> list_tree(const std::string& tree) override;
  Result<std::string> read_file(const std::string& tree, const std::string& path) override;
  Result<std::string> blob_id(const std::string& tree, const std::string& path) override;
  Result<port::LandOutcome> land(const port::LandSpec& spec) override;
  Result<port::RevertOutcome> revert(const port::RevertSpec& spec) override;
  Result<std::vector<std::string>> probe(const port::CaptureSpec& session, const std::string& commit) override;
  Result<port::SyncResult> sync_checkout(const std::string& target, const std::string& from,
                                         const std::string& to) override;
  Status remove_session(const std::string& name) override;
  Status remove_checkout(const std::string& name) override;
  Status write_anchor(const std::string& run, const std::string& text, Micros at_us) override;
  Result<std::vector<port::Ancestor>> history(const std::string& commit, std::size_t max) override;
  Result<std::string> diff(const std::string& from, const std::string& to) override;

  // ---- What agents do in their worktree ----
  void write(const std::string& session, const std::string& path, const std::string& text);
  void erase(const std::string& session, const std::string& path);
  void commit(const std::string& session, const std::string& message);
  void forget_history(const std::string& session);  // the branch becomes a commit without parents

  // ---- What the person does ----
  // A commit on the branch that is checked out, with these files changed; an empty text removes one. Returns its id.
  std::string user_commits(const FileMap& changes);
  // The same on another branch than the one that is checked out.
  std::string somebody_commits(const std::string& branch, const FileMap& changes);
  void user_edits(const std::string& path, const std::string& text);  // uncommitted
  void user_leaves_branch();                                          // checks out something else
  void remove_branch(const std::string& branch);
  void user_deletes_worktree(const std::string& session);

  // ---- For tests ----
  // Asked before every call with its name ("capture"): an error makes the call fail with it.
  void set_fault(std::function<std::optional<Error>(std::string_view)> fault);
  // Asked in the course of every call that changes something: when half of it is done, and when all is done and only
  // the answer is missing. An error is what the caller gets then. It may throw, as set_fault's may: as if the program
  // had been killed there.
  enum class Moment { halfway, done };
  void set_witness(std::function<std::optional<Error>(std::string_view, Moment)> witness);
  FileMap files(const std::string& commit_or_tree);
  FileMap checkout();                                      // the person's files
  static std::string id_of_blob(const std::string& text);  // as in ConflictedPath and Resolution
  std::optional<std::string> ref(const std::string& name);
  std::vector<std::string> parents(const std::string& commit);
  std::string message(const std::string& commit);
  std::optional<FileMap> worktree(const std::string& session);
  std::optional<std::string> tree_in_checkout(const std::string& name);  // "": it is half there
  std::optional<std::string> anchor(const std::string& run);             // the text last written
  std::set<std::string> worktrees();  // names of sessions and checkouts that are there
  port::RepositoryFacts facts(const port::RepositoryQuestions& questions);  // as git::gather_facts
  std::string path_of(const std::string& name) const;  // what create_session and checkout_tree return

 private:
  struct Commit {
    std::vector<std::string> parents;
    std::string tree;
    std::string message;
  };
  struct Session {
    std::string base;
    std::string tip;
    std::string merge_in = "";
    FileMap files;
    bool unfinished = false;  // whoever made or removed it was killed
  };

  std::optional<Error> fault(std::string_view call);
  std::optional<Error> witness(std::string_view call, Moment moment);
  // Three versions of every file that two sides changed differently, by path.
  struct Clash {
    std::optional<std::string> base;
    std::optional<std::string> ours;
    std::optional<std::string> theirs;
  };
  struct Merged {
    FileMap files;  // without the clashes
    std::map<std::string, Clash> clashes;
  };
  static Merged merge(const FileMap& base, const FileMap& ours, const FileMap& theirs);
  static std::vector<ConflictedPath> conflicted(const Merged& merged);
  const FileMap& files_at(const std::string& commit) const { return trees_.at(commits_.at(commit).tree); }
  FileMap base_files(const std::string& a, const std::string& b) const;  // of their merge base
  static FileMap ours_alone(const port::CaptureSpec& spec, const FileMap& base, FileMap files);

  std::string put_tree(const FileMap& files);
  std::string put_commit(const std::vector<std::string>& parents, const std::string& tree, const std::string& message,
                         Micros at_us);
  Result<std::string> tree_of(const std::string& commit_or_tree) const;
  std::set<std::string> ancestors(const std::string& commit) const;  // itself included
  bool descends(const std::string& commit, const std::string& from) const { return ancestors(commit).contains(from); }
  std::string merge_base(const std::string& a, const std::string& b) const;
  bool is_kept(const std::string& commit) const;

  std::mutex mutex_;
  std::function<std::optional<Error>(std::string_view)> fault_;
  std::function<std::optional<Error>(std::string_view, Moment)> witness_;
  std::map<std::string, FileMap> trees_;
  std::map<std::string, std::string> blobs_;  // every text that was ever in a tree
  std::map<std::string, Commit> commits_;
  std::map<std::string, std::string> refs_;
  std::map<std::string, Session> sessions_;
  std::map<std::string, std::string> checkouts_;  // name → tree
  std::string head_;                              // branch that the person has checked out
  FileMap checkout_;
};

}  // namespace bernstein::test
