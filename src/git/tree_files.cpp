#include "tree_files.hpp"

#include <functional>

#include "names.hpp"

namespace bernstein::git {
namespace {

constexpr int k_depth_max = 1000;  // directories within each other; deeper trees are refused

Result<Tree> open_tree(git_repository* repository, const Oid& id) {
  return make<Tree>("cannot read the tree " + to_hex(id), git_tree_lookup, repository, id.get());
}

Error too_deep(const std::string& path) {
  return {ErrorCode::environment, "the directory '" + path.substr(0, 80) + "...' is nested too deeply"};
}

Status collect(git_repository* repository, const Oid& id, const std::string& prefix, int depth, Files& files) {
  if (depth > k_depth_max) return too_deep(prefix);
  BERNSTEIN_TRY(const Tree tree, open_tree(repository, id));
  for (std::size_t i = 0; i < git_tree_entrycount(tree.get()); ++i) {
    const git_tree_entry* entry = git_tree_entry_byindex(tree.get(), i);
    std::string path = prefix + git_tree_entry_name(entry);
    if (git_tree_entry_filemode(entry) == GIT_FILEMODE_TREE) {
      BERNSTEIN_TRY_VOID(collect(repository, git_tree_entry_id(entry), path + "/", depth + 1, files));
    } else {
      files.emplace(std::move(path), FileEntry{git_tree_entry_id(entry), git_tree_entry_filemode(entry)});
    }
  }
  return Ok{};
}

// Applies the edits in [first, last), which all start with `prefix`, to the tree; nothing is left: no id.
Result<std::optional<Oid>> edit(git_repository* repository, const Oid* id, const std::string& prefix,
                                const Edits& edits, Edits::const_iterator first, Edits::const_iterator last) {
  Tree tree;
  if (id != nullptr) {
    BERNSTEIN_TRY(tree, open_tree(repository, *id));
  }
  BERNSTEIN_TRY(const TreeBuilder builder,
                make<TreeBuilder>("cannot build a tree", git_treebuilder_new, repository, tree.get()));
  while (first != last) {
    const std::string rest = first->first.substr(prefix.size());
    const std::string name = rest.substr(0, rest.find('/'));
    const git_tree_entry* old = tree == nullptr ? nullptr : git_tree_entry_byname(tree.get(), name.c_str());
    const bool was_tree = old != nullptr && git_tree_entry_filemode(old) == GIT_FILEMODE_TREE;
    if (rest == name) {
      if (first->second) {
        BERNSTEIN_TRY_VOID(check(
            git_treebuilder_insert(nullptr, builder.get(), name.c_str(), first->second->id.get(), first->second->mode),
            "cannot put '" + printable_path(first->first) + "' into a tree"));
      } else if (old != nullptr && !was_tree) {
        BERNSTEIN_TRY_VOID(check(git_treebuilder_remove(builder.get(), name.c_str()), "cannot edit a tree"));
      }
      ++first;
      continue;
    }
    // All edits below this directory. What sorts between "a" and "a/" ("a-b") was handled before, or comes after.
    const std::string directory = prefix + name + "/";
    Edits::const_iterator end = first;
    while (end != last && end->first.starts_with(directory)) ++end;
    // A file that takes the directory's place has done so above; what was below it is gone with it.
    const auto replaced = edits.find(prefix + name);
    if (replaced != edits.end() && replaced->second) {
      first = end;
      continue;
    }
    const Oid below = was_tree ? Oid(git_tree_entry_id(old)) : Oid{};
    BERNSTEIN_TRY(const std::optional<Oid> edited,
                  edit(repository, was_tree ? &below : nullptr, directory, edits, first, end));
    if (edited) {
      BERNSTEIN_TRY_VOID(
          check(git_treebuilder_insert(nullptr, builder.get(), name.c_str(), edited->get(), GIT_FILEMODE_TREE),
                "cannot put '" + printable_path(directory) + "' into a tree"));
    } else if (was_tree) {
      BERNSTEIN_TRY_VOID(check(git_treebuilder_remove(builder.get(), name.c_str()), "cannot edit a tree"));
    }
    first = end;
  }
  if (git_treebuilder_entrycount(builder.get()) == 0 && !prefix.empty()) return std::optional<Oid>{};
  Oid written;
  BERNSTEIN_TRY_VOID(check(git_treebuilder_write(&written.id, builder.get()), "cannot write a tree"));
  return std::optional<Oid>(written);
}

using Changes = std::map<std::string, FileChange>;

Status compare(git_repository* repository, const Oid* before, const Oid* after, const std::string& prefix, int depth,
               Changes& changes) {
  if (depth > k_depth_max) return too_deep(prefix);
  Tree old_tree;
  Tree new_tree;
  if (before != nullptr) {
    BERNSTEIN_TRY(old_tree, open_tree(repository, *before));
  }
  if (after != nullptr) {
    BERNSTEIN_TRY(new_tree, open_tree(repository, *after));
  }
  const auto visit = [&](const git_tree_entry* old_entry, const git_tree_entry* new_entry) -> Status {
    const std::string path = prefix + git_tree_entry_name(old_entry != nullptr ? old_entry : new_entry);
    const auto is_tree = [](const git_tree_entry* entry) {
      return entry != nullptr && git_tree_entry_filemode(entry) == GIT_FILEMODE_TREE;
    };
    const auto file = [&](const git_tree_entry* entry) -> std::optional<FileEntry> {
      if (entry == nullptr || is_tree(entry)) return {};
      return FileEntry{git_tree_entry_id(entry), git_tree_entry_filemode(entry)};
    };
    const FileChange change{file(old_entry), file(new_entry)};
    if (change.before != change.after) changes.emplace(path, change);
    if (!is_tree(old_entry) && !is_tree(new_entry)) return Ok{};
    const Oid old_id = is_tree(old_entry) ? Oid(git_tree_entry_id(old_entry)) : Oid{};
    const Oid new_id = is_tree(new_entry) ? Oid(git_tree_entry_id(new_entry)) : Oid{};
    if (old_id == new_id) return Ok{};
    return compare(repository, is_tree(old_entry) ? &old_id : nullptr, is_tree(new_entry) ? &new_id : nullptr,
                   path + "/", depth + 1, changes);
  };
  for (std::size_t i = 0; old_tree != nullptr && i < git_tree_entrycount(old_tree.get()); ++i) {
    const git_tree_entry* entry = git_tree_entry_byindex(old_tree.get(), i);
    const git_tree_entry* other =
        new_tree == nullptr ? nullptr : git_tree_entry_byname(new_tree.get(), git_tree_entry_name(entry));
    BERNSTEIN_TRY_VOID(visit(entry, other));
  }
  for (std::size_t i = 0; new_tree != nullptr && i < git_tree_entrycount(new_tree.get()); ++i) {
    const git_tree_entry* entry = git_tree_entry_byindex(new_tree.get(), i);
    if (old_tree != nullptr && git_tree_entry_byname(old_tree.get(), git_tree_entry_name(entry)) != nullptr) continue;
    BERNSTEIN_TRY_VOID(visit(nullptr, entry));
  }
  return Ok{};
}

}  // namespace

Result<Files> files_of(git_repository* repository, const Oid& tree) {
  Files files;
  BERNSTEIN_TRY_VOID(collect(repository, tree, "", 0, files));
  return files;
}

Result<Oid> edit_tree(git_repository* repository, const Oid& tree, const Edits& edits) {
  if (edits.empty()) return tree;
  BERNSTEIN_TRY(const std::optional<Oid> edited, edit(repository, &tree, "", edits, edits.begin(), edits.end()));
  return *edited;
}

Result<Changes> compare_trees(git_repository* repository, const Oid& before, const Oid& after) {
  Changes changes;
  if (before == after) return changes;
  BERNSTEIN_TRY_VOID(compare(repository, &before, &after, "", 0, changes));
  return changes;
}

std::vector<ChangedPath> changed_paths(const Changes& changes) {
  std::vector<ChangedPath> paths;
  for (const auto& [path, change] : changes) {
    const ChangeKind kind =
        !change.before ? ChangeKind::added : (!change.after ? ChangeKind::deleted : ChangeKind::modified);
    paths.push_back({kind, printable_path(path)});
  }
  return paths;
}

}  // namespace bernstein::git
