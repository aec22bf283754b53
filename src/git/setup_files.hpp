#pragma once
// What a worktree needs beside the files of its commit: heavy directories of the user's checkout as links, and files
// that git ignores (.env) as copies. Nothing outside the checkout is linked or copied.

#include <string>
#include <vector>

#include "bernstein/port/workspace.hpp"
#include "files.hpp"
#include "layout.hpp"
#include "tree_files.hpp"

namespace bernstein::git {

struct SetupFiles {
  const std::vector<std::string>& symlink_dirs;
  const std::vector<std::string>& copy_files;
};

// Puts them into the worktree and returns the paths, sorted. `users` is the repository with the user's checkout.
Result<std::vector<std::string>> place_setup_files(const Layout& layout, git_repository* users, const SetupFiles& setup,
                                                   const Files& base, const Fd& worktree);

// Files and directories of the user's checkout that its .worktreeinclude names and git ignores; sorted.
std::vector<std::string> included_paths(git_repository* users, const Fd& checkout);

// The paths as lines of an exclude file: anchored, with what would be a pattern escaped.
std::string exclude_lines(const std::vector<std::string>& paths);

// Whether a path that git ignores is named by these lines (as in gitignore(5): comments, '!', anchors, directories).
bool is_included(const std::vector<std::string>& patterns, std::string_view path);

}  // namespace bernstein::git
