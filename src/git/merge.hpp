#pragma once
// Three-way merge of two commits, or of three trees, in memory; and what settles a file that both sides changed.
//
//     BERNSTEIN_TRY(Merged merged, merge_commits(view, onto, commit));
//     if (merged.clashes.empty()) return merged.tree;

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bernstein/port/workspace.hpp"
#include "layout.hpp"
#include "tree_files.hpp"

namespace bernstein::git {

// A path that could not be merged: what each side has there. A file that one side renamed is found at its new name.
// Where names clash (a file renamed differently by both, a directory in the way), each name is a path of its own, with
// the sides that have it.
struct Clash {
  std::optional<FileEntry> base;
  std::optional<FileEntry> ours;
  std::optional<FileEntry> theirs;
  std::string old_path = "";  // before one side renamed it
};
using Clashes = std::map<std::string, Clash>;

struct Merged {
  Oid tree;  // with all that could be merged, and without the paths of the clashes
  Clashes clashes;
};

// What the two sides changed in different files is put together tree by tree, without reading a file; the rest is done
// by libgit2's merge, with renames, and line by line. For commits with several merge bases, recursively.
Result<Merged> merge_commits(const BareView& view, const Oid& ours, const Oid& theirs);
Result<Merged> merge_trees(const BareView& view, const Oid& base, const Oid& ours, const Oid& theirs);

// The tree of the best common ancestor, the first if there are several; the empty tree when there is none.
Result<Oid> merge_base_tree(git_repository* repository, const Oid& ours, const Oid& theirs);

// Paths that define checks are not for an attempt to change, unless they are its own: `theirs` with what it changed
// there (against `base`) taken back. Done before the merge, so that neither a conflict nor a rename on the target's
// side brings such a change in.
struct Restored {
  Oid tree;
  std::vector<std::string> left_out;  // paths at which that makes a difference to `ours`; printable, sorted
};
Result<Restored> restore_checks(git_repository* repository, const Oid& base, const Oid& ours, const Oid& theirs,
                                const std::vector<std::string>& from_target, const std::vector<std::string>& owned);

// Settles clashes: where the path matches a pattern and both sides are text, by keeping the lines of both; where the
// three versions are those of a resolution, by its result. Takes them out of `merged.clashes` and puts what they became
// into its tree; answers their paths, printable and sorted.
Result<std::vector<std::string>> settle_by_union(const BareView& view, const std::vector<std::string>& patterns,
                                                 Merged& merged);
Result<std::vector<std::string>> settle_by_resolution(const BareView& view, const std::vector<Resolution>& resolutions,
                                                      Merged& merged);

// The files of `base` with the work of `commit` merged into them: every clash is settled, by conflict markers where
// there can be any, else by what `base` has. The tree.
Result<Oid> merge_with_markers(const BareView& view, const Oid& base, const Oid& commit);

// By path, printable.
std::vector<ConflictedPath> conflicted_paths(const Clashes& clashes);

}  // namespace bernstein::git
