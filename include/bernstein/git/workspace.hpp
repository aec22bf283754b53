#pragma once
// The user's repository by libgit2: port::Workspace for the real world, and what there is to know before a run starts.
//
//     BERNSTEIN_TRY(git::RepoFacts facts, git::observe("."));
//     BERNSTEIN_TRY(std::unique_ptr<port::Workspace> workspace, git::open_workspace("."));
//
// No program is ever run: neither git nor a hook, a filter, a merge driver or a signer. What they would have done is
// not done either: a repository that needs a filter (Git LFS) gets files as they are stored, and RepoFacts says so.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bernstein/base/result.hpp"
#include "bernstein/port/repository_facts.hpp"
#include "bernstein/port/workspace.hpp"

namespace bernstein::git {

enum class HeadState { branch, unborn, detached };

// Bernstein works for the whole repository: .sdd is in its main worktree, wherever below it one stands. Someone who
// stands in a linked worktree sees that one's branch and changes here, and lands there: sync_checkout follows whichever
// worktree has the target checked out.
struct RepoFacts {
  std::string root;      // main worktree; of a bare repository the directory itself. Absolute, no '/' at the end
  std::string git_dir;   // shared by all worktrees
  std::string sdd;       // <root>/.sdd
  std::string worktree;  // the one that the directory belongs to; "" in a bare repository
  bool bare = false;
  bool linked_worktree = false;  // worktree is not the main one
  HeadState head = HeadState::branch;
  std::string branch;            // "refs/heads/main"; "" when detached
  std::string tip;               // commit; "" when unborn
  std::int64_t dirty_paths = 0;  // staged, modified or untracked in that worktree; ignored ones and .sdd do not count
  bool shallow = false;
  bool submodules = false;           // they stay empty in worktrees of agents
  std::vector<std::string> filters;  // named by .gitattributes of the tip and not run here: "lfs"; sorted
};

// Searches upwards from the directory. ErrorCode::environment: "not a git repository: ...; run `git init`"; also for
// repositories that libgit2 cannot open (SHA-256, partial clones, another owner), with the remedy.
Result<RepoFacts> observe(const std::string& directory);

// "1.5.1": of the libgit2 that is loaded.
std::string libgit2_version();

// Puts a .gitignore into .sdd that hides all of it, where there is none.
Status hide_sdd(const std::string& sdd);

// Paths of the main worktree that its .worktreeinclude names, and that git ignores: they are copied into every worktree
// and checkout. Sorted; none when the directory is no repository.
std::vector<std::string> worktree_includes(const std::string& directory);

// What an audit wants to know. Only reads; of a session's repository, which its agent may have written, only the name.
Result<port::RepositoryFacts> gather_facts(const std::string& directory, const port::RepositoryQuestions& questions);

Result<std::unique_ptr<port::Workspace>> open_workspace(const std::string& directory);

}  // namespace bernstein::git
