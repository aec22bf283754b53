#pragma once
// What, beside a blob and its path, decides how it looks as a file: line ends and $Id$, as attributes and settings say.

#include <string>

#include "layout.hpp"
#include "tree_files.hpp"

namespace bernstein::git {

// Two trees with the same key have the same bytes in a file for the same blob at the same path: a digest of the
// .gitattributes of the tree, the attributes of the repository, the person and the machine, and of core.*. A key of
// before the last start of the machine, or of another version of libgit2, is another one: what was written then may
// never have reached the disk.
Result<std::string> conversion_key(const Layout& layout, const BareView& view, const Files& files);

}  // namespace bernstein::git
