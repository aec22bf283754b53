#pragma once
// Three-way merge of two commits, in memory.

#include <set>
#include <string>
#include <variant>

#include "layout.hpp"

namespace bernstein::git {

// The tree, or the paths in conflict.
using MergeOutcome = std::variant<Oid, std::set<std::string>>;

// What the two sides changed in different files is put together tree by tree, without reading a file; the rest is done
// by libgit2's recursive merge, with renames, and line by line.
Result<MergeOutcome> merge_commits(const BareView& view, const Oid& ours, const Oid& theirs);

}  // namespace bernstein::git
