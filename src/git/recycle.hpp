#pragma once
// A directory that had one tree, and whatever somebody made of it, into another tree: as if it had been written anew.
//
// A file stays only when it is provably the one that we wrote (stat_cache.hpp; and no second name leads to it) and the
// wanted tree has the same there. Whoever had the directory before can have no hand in it: a change of content, mode,
// owner or attributes leaves another ctime. Everything else is removed, never followed, never changed in place: what
// else leads to it (a hard link, an open file) is not the new directory's.

#include <optional>
#include <set>
#include <string>

#include "files.hpp"
#include "layout.hpp"
#include "stat_cache.hpp"
#include "tree_writer.hpp"

namespace bernstein::git {

// Removes from `directory` all but wanted files that stand as they are known, and the directories of wanted ones that
// are like `fresh`, a directory that has just been made: the same file system, owner, mode, and no attributes. What
// stays; nothing when there is something odd about the directory (a mount point, what cannot be removed, great depth),
// which nobody should use then.
struct Kept {
  WrittenFiles files;
  std::set<std::string> directories;
};
std::optional<Kept> sweep(const Fd& directory, const struct ::stat& fresh, const Files& wanted, const StatCache& known);

// Writes the files that are wanted and were not kept. All of them, as write_tree_files tells.
Result<WrittenFiles> fill(const BareView& view, const Fd& directory, const Files& wanted, Kept kept);

// Whether a directory that has just been made is as sweep needs it: nothing is inherited that cannot be compared.
bool is_ordinary(const Fd& directory);

}  // namespace bernstein::git
