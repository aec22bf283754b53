#include "layout.hpp"

#include <git2/sys/commit.h>
#include <git2/sys/repository.h>

#include "bernstein/base/units.hpp"

namespace bernstein::git {
namespace {

std::string without_slash(const char* path) {
  std::string text = path == nullptr ? "" : path;
  while (text.size() > 1 && text.back() == '/') text.pop_back();
  return text;
}

Error explain_open(const std::string& directory) {
  const git_error* last = git_error_last();
  const std::string reason = last != nullptr && last->message != nullptr ? last->message : "";
  if (reason.find("not owned by current user") != std::string::npos) {
    return {ErrorCode::environment, "the repository of " + directory + " belongs to another user; run `git config " +
                                        "--global --add safe.directory \"$(git -C '" + directory +
                                        "' rev-parse --show-toplevel)\"` if you trust it"};
  }
  if (reason.find("objectformat") != std::string::npos) {
    return {ErrorCode::environment,
            "the repository of " + directory +
                " uses SHA-256 object ids, which are not supported yet; use a SHA-1 repository"};
  }
  if (reason.find("partialclone") != std::string::npos) {
    return {ErrorCode::environment,
            "the repository of " + directory + " is a partial clone, which is not supported yet; use a full clone"};
  }
  return fault("cannot open the repository of " + directory);
}

}  // namespace

Result<Found> find_repository(const std::string& directory) {
  start_library();
  git_repository* raw = nullptr;
  const int code = git_repository_open_ext(&raw, directory.c_str(), 0, nullptr);
  if (code == GIT_ENOTFOUND) {
    return Error{ErrorCode::environment, "not a git repository: " + directory + "; run `git init`"};
  }
  if (code < 0) return explain_open(directory);
  Found found{.layout = {}, .repository = Repository(raw), .worktree = {}};
  found.worktree = without_slash(git_repository_workdir(raw));
  found.layout.git_dir = without_slash(git_repository_commondir(raw));
  if (git_repository_is_worktree(raw) != 0) {
    BERNSTEIN_TRY(Repository main, make<Repository>("cannot open the repository that " + found.worktree + " belongs to",
                                                    git_repository_open, found.layout.git_dir.c_str()));
    found.layout.bare = git_repository_is_bare(main.get()) != 0;
    found.layout.root = found.layout.bare ? found.layout.git_dir : without_slash(git_repository_workdir(main.get()));
  } else {
    found.layout.bare = git_repository_is_bare(raw) != 0;
    found.layout.root = found.layout.bare ? found.layout.git_dir : found.worktree;
  }
  if (found.layout.root.find('\n') != std::string::npos) {
    return Error{ErrorCode::environment, "the path of the repository has a line break in it; rename the directory"};
  }
  found.layout.objects = found.layout.git_dir + "/objects";
  found.layout.sdd = found.layout.root + "/.sdd";
  return found;
}

Result<Repository> open_repository(const Layout& layout) {
  BERNSTEIN_TRY(Repository repository, make<Repository>("cannot open the repository " + layout.git_dir,
                                                        git_repository_open, layout.git_dir.c_str()));
  BERNSTEIN_TRY_VOID(check(git_repository_set_ident(repository.get(), "Bernstein", "bernstein@localhost"),
                           "cannot set who writes the reflog"));
  return repository;
}

Result<BareView> open_bare_view(const Layout& layout) {
  BareView view;
  BERNSTEIN_TRY(view.repository, make<Repository>("cannot open the repository " + layout.git_dir,
                                                  git_repository_open_bare, layout.git_dir.c_str()));
  BERNSTEIN_TRY(view.index, make<Index>("cannot make an index", git_index_new));
  BERNSTEIN_TRY_VOID(check(git_repository_set_index(view.repository.get(), view.index.get()), "cannot set the index"));
  return view;
}

Result<Tip> find_tip(git_repository* repository, const std::string& branch) {
  git_reference* raw = nullptr;
  const int found = git_reference_lookup(&raw, repository, branch.c_str());
  const Reference reference(raw);
  if (found == GIT_ENOTFOUND || found == GIT_EINVALIDSPEC) {
    return Error{ErrorCode::not_found, "there is no branch " + branch + "; create it with `git branch`"};
  }
  BERNSTEIN_TRY_VOID(check(found, "cannot read " + branch));
  git_reference* resolved_raw = nullptr;
  const int resolved_code = git_reference_resolve(&resolved_raw, reference.get());
  const Reference resolved(resolved_raw);
  if (resolved_code == GIT_ENOTFOUND) {
    return Error{ErrorCode::not_found, "the branch " + branch + " has no commit yet; make one with `git commit`"};
  }
  BERNSTEIN_TRY_VOID(check(resolved_code, "cannot read " + branch));
  return Tip{git_reference_name(resolved.get()), Oid(git_reference_target(resolved.get()))};
}

Result<Tree> find_tree(git_repository* repository, const std::string& hex) {
  BERNSTEIN_TRY(const Oid id, parse_oid(hex));
  BERNSTEIN_TRY(const Object object,
                make<Object>("cannot read the object " + hex, git_object_lookup, repository, id.get(), GIT_OBJECT_ANY));
  git_object* tree = nullptr;
  BERNSTEIN_TRY_VOID(check(git_object_peel(&tree, object.get(), GIT_OBJECT_TREE), hex + " is no commit and no tree"));
  return Tree(reinterpret_cast<git_tree*>(tree));
}

Result<Commit> find_commit(git_repository* repository, const Oid& id) {
  return make<Commit>("cannot read the commit " + to_hex(id), git_commit_lookup, repository, id.get());
}

Result<Oid> tree_of(git_repository* repository, const Oid& commit) {
  BERNSTEIN_TRY(const Commit object, find_commit(repository, commit));
  return Oid(git_commit_tree_id(object.get()));
}

Result<Oid> write_commit(git_repository* repository, const Oid& tree, const std::vector<Oid>& parents,
                         const std::string& message, std::int64_t at_us) {
  BERNSTEIN_TRY(const Signature who,
                make<Signature>("cannot make a signature", git_signature_new, "Bernstein", "bernstein@localhost",
                                static_cast<git_time_t>(at_us / k_second), 0));
  std::vector<const git_oid*> ids;
  for (const Oid& parent : parents) ids.push_back(parent.get());
  Oid commit;
  BERNSTEIN_TRY_VOID(check(git_commit_create_from_ids(&commit.id, repository, nullptr, who.get(), who.get(), nullptr,
                                                      message.c_str(), tree.get(), ids.size(), ids.data()),
                           "cannot write a commit"));
  return commit;
}

}  // namespace bernstein::git
