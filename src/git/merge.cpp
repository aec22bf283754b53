#include "merge.hpp"

#include "tree_files.hpp"
#include "tree_writer.hpp"

namespace bernstein::git {
namespace {

class OidArray {
 public:
  OidArray() = default;
  OidArray(const OidArray&) = delete;
  OidArray& operator=(const OidArray&) = delete;
  ~OidArray() { git_oidarray_dispose(&array_); }
  git_oidarray* get() { return &array_; }
  std::size_t size() const { return array_.count; }
  Oid front() const { return Oid(array_.ids[0]); }

 private:
  git_oidarray array_{};
};

Result<Oid> tree_of(git_repository* repository, const Oid& commit) {
  BERNSTEIN_TRY(const Commit object, find_commit(repository, commit));
  return Oid(git_commit_tree_id(object.get()));
}

using Changes = std::map<std::string, FileChange>;

// Whether no path was touched by both sides, or lies above or below one that the other side touched.
bool are_disjoint(const Changes& ours, const Changes& theirs) {
  const auto touches = [](const Changes& changes, const std::string& path) {
    if (changes.contains(path)) return true;
    const auto below = changes.lower_bound(path + "/");
    return below != changes.end() && below->first.starts_with(path + "/");
  };
  for (const auto& [path, change] : theirs) {
    if (touches(ours, path)) return false;
  }
  for (const auto& [path, change] : ours) {
    if (touches(theirs, path)) return false;
  }
  return true;
}

std::set<std::string> conflicts_of(git_index* index) {
  std::set<std::string> paths;
  git_index_conflict_iterator* raw = nullptr;
  if (git_index_conflict_iterator_new(&raw, index) < 0) return paths;
  const ConflictIterator iterator(raw);
  const git_index_entry* sides[3] = {};
  while (git_index_conflict_next(&sides[0], &sides[1], &sides[2], raw) == 0) {
    for (const git_index_entry* side : sides) {
      if (side != nullptr) paths.insert(side->path);
    }
  }
  return paths;
}

Result<MergeOutcome> merge_by_lines(const BareView& view, const Oid& ours, const Oid& theirs) {
  git_repository* repository = view.repository.get();
  BERNSTEIN_TRY(const Oid our_tree, tree_of(repository, ours));
  BERNSTEIN_TRY(const Files files, files_of(repository, our_tree));
  BERNSTEIN_TRY_VOID(load_attributes(view, files));  // "merge=union" and the like
  BERNSTEIN_TRY(const Commit our_commit, find_commit(repository, ours));
  BERNSTEIN_TRY(const Commit their_commit, find_commit(repository, theirs));
  git_merge_options options = GIT_MERGE_OPTIONS_INIT;
  BERNSTEIN_TRY(const Index merged,
                make<Index>("cannot merge " + to_hex(theirs) + " into " + to_hex(ours), git_merge_commits, repository,
                            our_commit.get(), their_commit.get(), &options));
  if (git_index_has_conflicts(merged.get()) != 0) return MergeOutcome(conflicts_of(merged.get()));
  Oid tree;
  BERNSTEIN_TRY_VOID(
      check(git_index_write_tree_to(&tree.id, merged.get(), repository), "cannot write the merged tree"));
  return MergeOutcome(tree);
}

}  // namespace

Result<MergeOutcome> merge_commits(const BareView& view, const Oid& ours, const Oid& theirs) {
  git_repository* repository = view.repository.get();
  OidArray bases;
  const int code = git_merge_bases(bases.get(), repository, ours.get(), theirs.get());
  if (code < 0 && code != GIT_ENOTFOUND) return fault("cannot find what the two sides have in common");
  BERNSTEIN_TRY(const Oid our_tree, tree_of(repository, ours));
  BERNSTEIN_TRY(const Oid their_tree, tree_of(repository, theirs));
  if (bases.size() != 1) return merge_by_lines(view, ours, theirs);
  if (bases.front() == ours) return MergeOutcome(their_tree);
  if (bases.front() == theirs) return MergeOutcome(our_tree);
  BERNSTEIN_TRY(const Oid base_tree, tree_of(repository, bases.front()));
  BERNSTEIN_TRY(const Changes our_changes, compare_trees(repository, base_tree, our_tree));
  BERNSTEIN_TRY(const Changes their_changes, compare_trees(repository, base_tree, their_tree));
  if (!are_disjoint(our_changes, their_changes)) return merge_by_lines(view, ours, theirs);
  Edits edits;
  for (const auto& [path, change] : their_changes) edits.emplace(path, change.after);
  BERNSTEIN_TRY(const Oid merged, edit_tree(repository, our_tree, edits));
  return MergeOutcome(merged);
}

}  // namespace bernstein::git
