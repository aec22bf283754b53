#pragma once
// The files of a tree into an empty directory: with line ends as .gitattributes of the same tree ask for, executable
// bits, symbolic links as such and an empty directory for each submodule. Filters of other programs do not run.

#include <sys/stat.h>

#include <map>
#include <string>

#include "files.hpp"
#include "layout.hpp"
#include "tree_files.hpp"

namespace bernstein::git {

struct WrittenFile {
  FileEntry entry;
  struct ::stat stat {};
};
using WrittenFiles = std::map<std::string, WrittenFile>;

// The index of the view must hold the files of the tree (load_attributes), for the attributes.
Result<WrittenFiles> write_tree_files(const BareView& view, const Oid& tree, const Fd& directory);

// One of them, a file or a symbolic link, that is not there yet.
Result<struct ::stat> write_tree_file(const BareView& view, const Fd& directory, const std::string& name,
                                      const FileEntry& entry, const std::string& path);

// Takes the .gitattributes of a tree into the view, and nothing else.
Status load_attributes(const BareView& view, const Files& files);

// What a blob looks like as a file of that path.
Result<std::string> file_bytes(const BareView& view, const Oid& blob, const std::string& path);

// The other way: what a file of that path is stored as. Attributes are those of the repository's worktree and index.
Result<std::string> stored_bytes(git_repository* repository, std::string bytes, const std::string& path);

}  // namespace bernstein::git
