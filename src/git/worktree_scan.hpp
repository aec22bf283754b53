#pragma once
// What stands in a worktree, against a tree: the edits that turn the tree into what is there.
//
// Ignored files, pipes, sockets, devices, and names that git forbids are left out, and a
// .gitmodules or .gitattributes that its fsck refuses. Of a repository within the worktree
// the files are taken, as any others (git itself would take a reference into nowhere). What the
// agent took its own reading rights from gets them back; what cannot be read even so stays as it is in the tree.
// Symbolic links are taken as links. Nothing of git's own files in the worktree is used.

#include <set>
#include <string>
#include <vector>

#include "gathering.hpp"
#include "stat_cache.hpp"
#include "suspicions.hpp"
#include "tree_files.hpp"

namespace bernstein::git {

// Files from this size on are not read into memory, and not converted.
inline constexpr std::int64_t k_large_file_bytes = std::int64_t{64} << 20;

struct ScanSpec {
  std::string worktree;  // absolute
  Oid tree;
  Files files;                     // of that tree
  std::set<std::string> left_out;  // paths that are not the agent's work, with all below them
  // While the agent is at work: nothing in the worktree is changed for the reading. What cannot be read as it is stays
  // as it is in the tree, and a large file is only told from what it was: its content becomes a word about it.
  bool glance = false;
};

// Uses the gathering's repository for the rules about ignored files and line ends, and puts new content into it.
// What is left out or cannot be kept as it is, but for ignored files, is told to `found`.
Result<Edits> scan_worktree(Gathering& gathering, const ScanSpec& spec, const StatCache& cache, Suspicions& found);

}  // namespace bernstein::git
