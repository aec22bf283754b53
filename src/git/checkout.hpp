#pragma once
// A worktree of the user's with its index, to look at: what stands at a path, and what is not as a tree has it.

#include <sys/stat.h>

#include <map>
#include <optional>
#include <string>

#include "files.hpp"
#include "layout.hpp"
#include "tree_files.hpp"

namespace bernstein::git {

// What stands at a path of the worktree.
struct Standing {
  enum class Kind { nothing, file, directory, other };  // file: a regular file or a symbolic link; other: a pipe, ...
  Kind kind = Kind::nothing;
  FileEntry entry;        // of a file
  struct ::stat stat {};  // of what is there
};

class Checkout {
 public:
  // The worktree in which the branch is checked out, the main one first; nothing when there is none.
  static Result<std::optional<Checkout>> find(const Layout& layout, const std::string& branch);

  const std::string& worktree() const { return worktree_; }
  const std::string& index_path() const { return index_path_; }
  const Fd& root() const { return root_; }

  // Reads the index as it is now. What cannot be followed in it comes as ErrorCode::conflict with the reason:
  // conflicts, sparse checkouts, a merge under way.
  Status load_index();
  const Files& staged() const { return staged_; }

  // Nothing of it is changed. A file that looks like its entry in the index is not read.
  Result<Standing> look(const std::string& path) const;

 private:
  Result<Standing> describe(const Place& place, const struct ::stat& stat, const std::string& path) const;

  Repository repository_;
  std::string worktree_;
  std::string index_path_;
  Fd root_;
  bool trust_mode_ = true;  // core.filemode

  Files staged_;
  std::map<std::string, git_index_entry> stats_;
  ::timespec index_time_{};
};

}  // namespace bernstein::git
