#include <algorithm>
#include <set>

#include "bernstein/git/workspace.hpp"
#include "layout.hpp"
#include "tree_files.hpp"
#include "tree_writer.hpp"

namespace bernstein::git {
namespace {

Status observe_head(git_repository* repository, RepoFacts& facts) {
  git_reference* raw = nullptr;
  BERNSTEIN_TRY_VOID(check(git_reference_lookup(&raw, repository, "HEAD"), "cannot read HEAD of " + facts.root));
  const Reference head(raw);
  if (git_reference_type(raw) == GIT_REFERENCE_SYMBOLIC) {
    facts.branch = git_reference_symbolic_target(raw);
  } else {
    facts.head = HeadState::detached;
  }
  git_reference* resolved_raw = nullptr;
  const int code = git_reference_resolve(&resolved_raw, raw);
  const Reference resolved(resolved_raw);
  if (code == GIT_ENOTFOUND) {
    facts.head = HeadState::unborn;
    return Ok{};
  }
  BERNSTEIN_TRY_VOID(check(code, "cannot read HEAD of " + facts.root));
  facts.tip = to_hex(Oid(git_reference_target(resolved_raw)));
  return Ok{};
}

Status count_dirty(git_repository* repository, RepoFacts& facts) {
  git_status_options options = GIT_STATUS_OPTIONS_INIT;
  options.show = GIT_STATUS_SHOW_INDEX_AND_WORKDIR;
  options.flags = GIT_STATUS_OPT_INCLUDE_UNTRACKED;
  const auto count = [](const char* path, unsigned, void* total) {
    if (std::string_view(path).substr(0, 5) != ".sdd/") ++*static_cast<std::int64_t*>(total);
    return 0;
  };
  return check(git_status_foreach_ext(repository, &options, count, &facts.dirty_paths),
               "cannot read the status of " + facts.worktree);
}

// Filters that the tip's .gitattributes name and libgit2 does not have.
Status observe_files(const Layout& layout, RepoFacts& facts) {
  BERNSTEIN_TRY(const BareView view, open_bare_view(layout));
  BERNSTEIN_TRY(const Tree tree, find_tree(view.repository.get(), facts.tip));
  BERNSTEIN_TRY(const Files files, files_of(view.repository.get(), Oid(git_tree_id(tree.get()))));
  BERNSTEIN_TRY_VOID(load_attributes(view, files));
  std::set<std::string> filters;
  for (const auto& [path, file] : files) {
    if (file.mode == GIT_FILEMODE_COMMIT) facts.submodules = true;
    const char* filter = nullptr;
    BERNSTEIN_TRY_VOID(check(git_attr_get(&filter, view.repository.get(), 0, path.c_str(), "filter"),
                             "cannot read the attributes of '" + path + "'"));
    if (git_attr_value(filter) == GIT_ATTR_VALUE_STRING) filters.insert(filter);
  }
  facts.filters.assign(filters.begin(), filters.end());
  return Ok{};
}

}  // namespace

Result<RepoFacts> observe(const std::string& directory) {
  BERNSTEIN_TRY(const Found found, find_repository(directory));
  git_repository* repository = found.repository.get();
  RepoFacts facts{.root = found.layout.root,
                  .git_dir = found.layout.git_dir,
                  .sdd = found.layout.sdd,
                  .worktree = found.worktree,
                  .bare = found.layout.bare,
                  .linked_worktree = git_repository_is_worktree(repository) != 0,
                  .shallow = git_repository_is_shallow(repository) != 0};
  BERNSTEIN_TRY_VOID(observe_head(repository, facts));
  if (!facts.worktree.empty()) BERNSTEIN_TRY_VOID(count_dirty(repository, facts));
  if (!facts.tip.empty()) BERNSTEIN_TRY_VOID(observe_files(found.layout, facts));
  return facts;
}

}  // namespace bernstein::git
