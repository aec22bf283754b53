#pragma once
// Trees as flat, ordered lists of files, and back.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bernstein/event/event.hpp"
#include "bernstein/port/workspace.hpp"
#include "handle.hpp"

namespace bernstein::git {

struct FileEntry {
  Oid id;
  git_filemode_t mode = GIT_FILEMODE_BLOB;  // BLOB, BLOB_EXECUTABLE, LINK or COMMIT (a submodule)
  bool operator==(const FileEntry&) const = default;
};
using Files = std::map<std::string, FileEntry>;

// Every file, symbolic link and submodule of a tree by its path.
Result<Files> files_of(git_repository* repository, const Oid& tree);

// The tree with these paths set (or, without an entry, removed); directories that become empty vanish. A path that is
// set takes the place of a file among its parents or of a directory of its name. Writes tree objects only.
using Edits = std::map<std::string, std::optional<FileEntry>>;
Result<Oid> edit_tree(git_repository* repository, const Oid& tree, const Edits& edits);

// What differs between two trees, files only, by path: as it was and as it is. Equal subtrees are not opened.
struct FileChange {
  std::optional<FileEntry> before;
  std::optional<FileEntry> after;
};
Result<std::map<std::string, FileChange>> compare_trees(git_repository* repository, const Oid& before,
                                                        const Oid& after);

std::vector<ChangedPath> changed_paths(const std::map<std::string, FileChange>& changes);

}  // namespace bernstein::git
