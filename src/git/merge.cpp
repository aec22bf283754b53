#include "merge.hpp"

#include <git2/sys/index.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "bernstein/base/path.hpp"
#include "names.hpp"
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

// libgit2 lists a file that one side renamed under both names, and which belong together.
void join_renamed(git_index* index, Clashes& clashes) {
  for (std::size_t i = 0; i < git_index_name_entrycount(index); ++i) {
    const git_index_name_entry* names = git_index_name_get_byindex(index, i);
    if (names->ancestor == nullptr || names->ours == nullptr || names->theirs == nullptr) continue;
    const std::string old_path = names->ancestor;
    const bool by_us = names->ours != old_path;
    if (by_us == (names->theirs != old_path)) continue;
    const auto before = clashes.find(old_path);
    const auto after = clashes.find(by_us ? names->ours : names->theirs);
    if (before == clashes.end() || after == clashes.end()) continue;
    const auto sides = [](const Clash& clash) {
      return std::tuple(clash.base.has_value(), clash.ours.has_value(), clash.theirs.has_value());
    };
    if (sides(before->second) != std::tuple(true, !by_us, by_us)) continue;
    if (sides(after->second) != std::tuple(false, by_us, !by_us)) continue;
    Clash& joined = after->second;
    joined.base = before->second.base;
    (by_us ? joined.theirs : joined.ours) = by_us ? before->second.theirs : before->second.ours;
    joined.old_path = old_path;
    clashes.erase(before);
  }
}

Result<Clashes> clashes_of(git_index* index) {
  Clashes clashes;
  BERNSTEIN_TRY(const ConflictIterator iterator,
                make<ConflictIterator>("cannot list the conflicts", git_index_conflict_iterator_new, index));
  const git_index_entry* sides[3] = {};
  int code = 0;
  while ((code = git_index_conflict_next(&sides[0], &sides[1], &sides[2], iterator.get())) == 0) {
    std::optional<FileEntry> Clash::*const members[] = {&Clash::base, &Clash::ours, &Clash::theirs};
    for (std::size_t i = 0; i < 3; ++i) {
      if (sides[i] == nullptr) continue;
      clashes[sides[i]->path].*members[i] = FileEntry{&sides[i]->id, static_cast<git_filemode_t>(sides[i]->mode)};
    }
  }
  if (code != GIT_ITEROVER) return fault("cannot list the conflicts");
  join_renamed(index, clashes);
  return clashes;
}

Result<Merged> merged_of(git_repository* repository, git_index* index) {
  Merged merged;
  if (git_index_has_conflicts(index) != 0) {
    BERNSTEIN_TRY(merged.clashes, clashes_of(index));
    BERNSTEIN_TRY_VOID(check(git_index_conflict_cleanup(index), "cannot set the conflicts aside"));
  }
  BERNSTEIN_TRY_VOID(
      check(git_index_write_tree_to(&merged.tree.id, index, repository), "cannot write the merged tree"));
  return merged;
}

// "merge=union" and the like, as our side has it.
Status load_merge_attributes(const BareView& view, const Oid& our_tree) {
  BERNSTEIN_TRY(const Files files, files_of(view.repository.get(), our_tree));
  return load_attributes(view, files);
}

Result<Tree> open_tree(git_repository* repository, const Oid& id) {
  return make<Tree>("cannot read the tree " + to_hex(id), git_tree_lookup, repository, id.get());
}

Result<Oid> empty_tree(git_repository* repository) {
  BERNSTEIN_TRY(const TreeBuilder builder, make<TreeBuilder>("cannot make an empty tree", git_treebuilder_new,
                                                             repository, static_cast<const git_tree*>(nullptr)));
  Oid id;
  BERNSTEIN_TRY_VOID(check(git_treebuilder_write(&id.id, builder.get()), "cannot make an empty tree"));
  return id;
}

bool matches_any(const std::vector<std::string>& patterns, const std::string& path) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) { return matches(pattern, path); });
}

std::vector<std::string> printable(const std::set<std::string>& paths) {
  std::set<std::string> all;
  for (const std::string& path : paths) all.insert(printable_path(path));
  return {all.begin(), all.end()};
}

bool is_plain(const FileEntry& entry) {
  return entry.mode == GIT_FILEMODE_BLOB || entry.mode == GIT_FILEMODE_BLOB_EXECUTABLE;
}

// Whether a file can be put there without anything else having to go.
Result<bool> is_free(git_repository* repository, const Oid& tree, const std::string& path) {
  BERNSTEIN_TRY(const Tree root, open_tree(repository, tree));
  for (std::size_t slash = path.find('/');; slash = path.find('/', slash + 1)) {
    git_tree_entry* raw = nullptr;
    const int code = git_tree_entry_bypath(&raw, root.get(), path.substr(0, slash).c_str());
    const TreeEntry entry(raw);
    if (code == GIT_ENOTFOUND) return true;
    BERNSTEIN_TRY_VOID(check(code, "cannot look up '" + printable_path(path) + "'"));
    if (slash == std::string::npos || git_tree_entry_type(raw) != GIT_OBJECT_TREE) return false;
  }
}

// The mode of a file that both sides have: the one that differs from what they come from.
git_filemode_t merged_mode(const Clash& clash) {
  return clash.base && clash.base->mode == clash.ours->mode ? clash.theirs->mode : clash.ours->mode;
}

class MergeFileResult {
 public:
  MergeFileResult() = default;
  MergeFileResult(const MergeFileResult&) = delete;
  MergeFileResult& operator=(const MergeFileResult&) = delete;
  ~MergeFileResult() { git_merge_file_result_free(&result_); }
  git_merge_file_result* get() { return &result_; }
  std::string_view bytes() const { return {result_.ptr == nullptr ? "" : result_.ptr, result_.len}; }

 private:
  git_merge_file_result result_{};
};

// Both sides' files merged line by line, as a new blob. Nothing when that cannot be: one of them is missing, is no
// plain file or no text.
Result<std::optional<Oid>> merge_lines(git_repository* repository, const Clash& clash,
                                       const git_merge_file_options& options) {
  if (!clash.ours || !clash.theirs || !is_plain(*clash.ours) || !is_plain(*clash.theirs)) return std::optional<Oid>{};
  if (clash.base && !is_plain(*clash.base)) return std::optional<Oid>{};
  Blob blobs[3];
  git_merge_file_input inputs[3] = {GIT_MERGE_FILE_INPUT_INIT, GIT_MERGE_FILE_INPUT_INIT, GIT_MERGE_FILE_INPUT_INIT};
  const std::optional<FileEntry>* sides[3] = {&clash.base, &clash.ours, &clash.theirs};
  for (std::size_t i = 0; i < 3; ++i) {
    inputs[i].ptr = "";
    if (!*sides[i]) continue;
    const Oid& id = (*sides[i])->id;
    BERNSTEIN_TRY(blobs[i], make<Blob>("cannot read the file " + to_hex(id), git_blob_lookup, repository, id.get()));
    if (git_blob_is_binary(blobs[i].get()) != 0) return std::optional<Oid>{};
    inputs[i].ptr = static_cast<const char*>(git_blob_rawcontent(blobs[i].get()));
    inputs[i].size = static_cast<std::size_t>(git_blob_rawsize(blobs[i].get()));
  }
  MergeFileResult merged;
  BERNSTEIN_TRY_VOID(check(git_merge_file(merged.get(), &inputs[0], &inputs[1], &inputs[2], &options),
                           "cannot merge two versions of a file"));
  Oid id;
  const std::string_view bytes = merged.bytes();
  BERNSTEIN_TRY_VOID(
      check(git_blob_create_from_buffer(&id.id, repository, bytes.data(), bytes.size()), "cannot write a merged file"));
  return std::optional(id);
}

// Whether attributes say that the file is not merged by lines: "-merge", or "binary", which means that too.
bool is_kept_whole(const BareView& view, const std::string& path) {
  const char* value = nullptr;
  if (git_attr_get(&value, view.repository.get(), 0, path.c_str(), "merge") < 0) return false;
  const bool binary = git_attr_value(value) == GIT_ATTR_VALUE_STRING && std::string_view(value) == "binary";
  return binary || git_attr_value(value) == GIT_ATTR_VALUE_FALSE;
}

// Takes the clashes of these paths for settled, as the edits say.
Result<std::vector<std::string>> settle(git_repository* repository, const Edits& edits, Merged& merged) {
  std::set<std::string> paths;
  for (const auto& [path, entry] : edits) {
    paths.insert(path);
    merged.clashes.erase(path);
  }
  BERNSTEIN_TRY(merged.tree, edit_tree(repository, merged.tree, edits));
  return printable(paths);
}

std::string id_of(const std::optional<FileEntry>& side) {
  return side ? to_hex(side->id) : "";
}

// What the resolution makes of the clash; nothing when it is of another one, or does not fit here.
Result<std::optional<std::optional<FileEntry>>> apply(git_repository* repository, const Resolution& resolution,
                                                      const Clash& clash) {
  using Outcome = std::optional<std::optional<FileEntry>>;
  const bool same = resolution.base == id_of(clash.base) && resolution.ours == id_of(clash.ours) &&
                    resolution.theirs == id_of(clash.theirs);
  if (!same) return Outcome{};
  for (const std::optional<FileEntry>& side : {clash.base, clash.ours, clash.theirs}) {
    if (side && !is_plain(*side)) return Outcome{};  // a path for a link to lead along is not made up
  }
  if (resolution.result.empty()) return Outcome(std::optional<FileEntry>{});
  const std::optional<FileEntry>& keeper = clash.ours ? clash.ours : clash.theirs;
  const Result<Oid> id = parse_oid(resolution.result);
  if (!id || !keeper) return Outcome{};
  git_blob* raw = nullptr;
  const int code = git_blob_lookup(&raw, repository, id->get());
  const Blob blob(raw);
  if (code == GIT_ENOTFOUND) return Outcome{};  // whoever settled it once did so in a repository of the past
  BERNSTEIN_TRY_VOID(check(code, "cannot read the file " + resolution.result));
  return Outcome(std::optional(FileEntry{*id, keeper->mode}));
}

}  // namespace

Result<Oid> merge_base_tree(git_repository* repository, const Oid& ours, const Oid& theirs) {
  OidArray bases;
  const int code = git_merge_bases(bases.get(), repository, ours.get(), theirs.get());
  if (code == GIT_ENOTFOUND) return empty_tree(repository);
  BERNSTEIN_TRY_VOID(check(code, "cannot find what the two sides have in common"));
  return tree_of(repository, bases.front());
}

Result<Merged> merge_trees(const BareView& view, const Oid& base, const Oid& ours, const Oid& theirs) {
  git_repository* repository = view.repository.get();
  if (ours == theirs || base == theirs) return Merged{ours, {}};
  if (base == ours) return Merged{theirs, {}};
  BERNSTEIN_TRY(const Changes our_changes, compare_trees(repository, base, ours));
  BERNSTEIN_TRY(const Changes their_changes, compare_trees(repository, base, theirs));
  if (are_disjoint(our_changes, their_changes)) {
    Edits edits;
    for (const auto& [path, change] : their_changes) edits.emplace(path, change.after);
    BERNSTEIN_TRY(const Oid merged, edit_tree(repository, ours, edits));
    return Merged{merged, {}};
  }
  BERNSTEIN_TRY_VOID(load_merge_attributes(view, ours));
  BERNSTEIN_TRY(const Tree base_tree, open_tree(repository, base));
  BERNSTEIN_TRY(const Tree our_tree, open_tree(repository, ours));
  BERNSTEIN_TRY(const Tree their_tree, open_tree(repository, theirs));
  git_merge_options options = GIT_MERGE_OPTIONS_INIT;
  BERNSTEIN_TRY(const Index index,
                make<Index>("cannot merge the trees " + to_hex(ours) + " and " + to_hex(theirs), git_merge_trees,
                            repository, base_tree.get(), our_tree.get(), their_tree.get(), &options));
  return merged_of(repository, index.get());
}

Result<Merged> merge_commits(const BareView& view, const Oid& ours, const Oid& theirs) {
  git_repository* repository = view.repository.get();
  BERNSTEIN_TRY(const Oid our_tree, tree_of(repository, ours));
  BERNSTEIN_TRY(const Oid their_tree, tree_of(repository, theirs));
  OidArray bases;
  const int code = git_merge_bases(bases.get(), repository, ours.get(), theirs.get());
  if (code != GIT_ENOTFOUND) BERNSTEIN_TRY_VOID(check(code, "cannot find what the two sides have in common"));
  if (bases.size() == 1) {
    BERNSTEIN_TRY(const Oid base_tree, tree_of(repository, bases.front()));
    return merge_trees(view, base_tree, our_tree, their_tree);
  }
  BERNSTEIN_TRY_VOID(load_merge_attributes(view, our_tree));
  BERNSTEIN_TRY(const Commit our_commit, find_commit(repository, ours));
  BERNSTEIN_TRY(const Commit their_commit, find_commit(repository, theirs));
  git_merge_options options = GIT_MERGE_OPTIONS_INIT;
  BERNSTEIN_TRY(const Index index,
                make<Index>("cannot merge " + to_hex(theirs) + " into " + to_hex(ours), git_merge_commits, repository,
                            our_commit.get(), their_commit.get(), &options));
  return merged_of(repository, index.get());
}

Result<Restored> restore_checks(git_repository* repository, const Oid& base, const Oid& ours, const Oid& theirs,
                                const std::vector<std::string>& from_target, const std::vector<std::string>& owned) {
  Restored restored{.tree = theirs, .left_out = {}};
  if (from_target.empty()) return restored;
  BERNSTEIN_TRY(const Changes changes, compare_trees(repository, base, theirs));
  BERNSTEIN_TRY(const Changes since, compare_trees(repository, base, ours));
  std::set<std::string> paths;
  Edits edits;
  for (const auto& [path, change] : changes) {
    if (!matches_any(from_target, path) || matches_any(owned, path)) continue;
    edits.emplace(path, change.before);
    const auto here = since.find(path);
    const std::optional<FileEntry>& kept = here == since.end() ? change.before : here->second.after;
    if (kept != change.after) paths.insert(path);
  }
  BERNSTEIN_TRY(restored.tree, edit_tree(repository, theirs, edits));
  restored.left_out = printable(paths);
  return restored;
}

Result<std::vector<std::string>> settle_by_union(const BareView& view, const std::vector<std::string>& patterns,
                                                 Merged& merged) {
  git_merge_file_options options = GIT_MERGE_FILE_OPTIONS_INIT;
  options.favor = GIT_MERGE_FILE_FAVOR_UNION;
  git_repository* repository = view.repository.get();
  Edits edits;
  for (const auto& [path, clash] : merged.clashes) {
    if (!matches_any(patterns, path)) continue;
    BERNSTEIN_TRY(const bool free, is_free(repository, merged.tree, path));
    if (!free) continue;
    BERNSTEIN_TRY(const std::optional<Oid> lines, merge_lines(repository, clash, options));
    if (lines) edits.emplace(path, FileEntry{*lines, merged_mode(clash)});
  }
  return settle(repository, edits, merged);
}

Result<std::vector<std::string>> settle_by_resolution(const BareView& view, const std::vector<Resolution>& resolutions,
                                                      Merged& merged) {
  git_repository* repository = view.repository.get();
  Edits edits;
  for (const auto& [path, clash] : merged.clashes) {
    BERNSTEIN_TRY(const bool free, is_free(repository, merged.tree, path));
    for (const Resolution& resolution : resolutions) {
      if (!free || edits.contains(path)) break;
      BERNSTEIN_TRY(const auto outcome, apply(repository, resolution, clash));
      if (outcome) edits.emplace(path, *outcome);
    }
  }
  return settle(repository, edits, merged);
}

Result<Oid> merge_with_markers(const BareView& view, const Oid& base, const Oid& commit) {
  git_repository* repository = view.repository.get();
  BERNSTEIN_TRY(Merged merged, merge_commits(view, base, commit));
  if (merged.clashes.empty()) return merged.tree;
  BERNSTEIN_TRY(const Oid base_tree, tree_of(repository, base));
  BERNSTEIN_TRY(const Files files, files_of(repository, base_tree));
  git_merge_file_options options = GIT_MERGE_FILE_OPTIONS_INIT;
  options.flags = GIT_MERGE_FILE_STYLE_DIFF3;
  options.ancestor_label = "before both";
  options.our_label = "target";
  options.their_label = "your earlier work";
  const auto in_base = [&](const std::string& path) -> std::optional<FileEntry> {
    const auto file = files.find(path);
    if (file == files.end()) return {};
    return file->second;
  };
  Edits edits;
  for (const auto& [path, clash] : merged.clashes) {
    // Two new files of different modes: which of them is meant is for nobody to guess.
    const bool one_mode = clash.base || (clash.ours && clash.theirs && clash.ours->mode == clash.theirs->mode);
    BERNSTEIN_TRY(const bool free, is_free(repository, merged.tree, path));
    std::optional<Oid> lines;
    if (free && one_mode && !is_kept_whole(view, path)) {
      BERNSTEIN_TRY(lines, merge_lines(repository, clash, options));
    }
    if (lines) {
      edits.emplace(path, FileEntry{*lines, merged_mode(clash)});
    } else {
      edits.emplace(path, in_base(path));
      if (!clash.old_path.empty()) edits.emplace(clash.old_path, in_base(clash.old_path));
    }
  }
  return edit_tree(repository, merged.tree, edits);
}

std::vector<ConflictedPath> conflicted_paths(const Clashes& clashes) {
  std::map<std::string, ConflictedPath> by_path;
  for (const auto& [path, clash] : clashes) {
    const std::string name = printable_path(path);
    by_path.try_emplace(name, ConflictedPath{id_of(clash.base), id_of(clash.ours), name, id_of(clash.theirs)});
  }
  std::vector<ConflictedPath> paths;
  for (auto& [path, conflicted] : by_path) paths.push_back(std::move(conflicted));
  return paths;
}

}  // namespace bernstein::git
