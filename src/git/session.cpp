#include "session.hpp"

#include <stdio.h>
#include <unistd.h>

#include "bernstein/failpoint/failpoint.hpp"
#include "bernstein/git/workspace.hpp"
#include "conversion.hpp"
#include "files.hpp"
#include "pool.hpp"
#include "references.hpp"
#include "session_repository.hpp"
#include "setup_files.hpp"
#include "tree_writer.hpp"

namespace bernstein::git {
namespace {

// The commit that a session was started from; nothing when there is no such session.
std::optional<Oid> kept_base(git_repository* users, const std::string& name) {
  Oid base;
  if (git_reference_name_to_id(&base.id, users, keep_ref(name).c_str()) < 0) return {};
  return base;
}

bool is_reachable_from(git_repository* users, const Oid& tip, const Oid& commit) {
  return tip == commit || git_graph_descendant_of(users, tip.get(), commit.get()) == 1;
}

Result<bool> is_kept_by(git_repository* users, const Oid& commit, const char* glob) {
  BERNSTEIN_TRY(const ReferenceIterator iterator,
                make<ReferenceIterator>("cannot read the references", git_reference_iterator_glob_new, users, glob));
  git_reference* raw = nullptr;
  int code = 0;
  while ((code = git_reference_next(&raw, iterator.get())) == 0) {
    const Reference reference(raw);
    const git_oid* target = git_reference_target(raw);
    if (target != nullptr && is_reachable_from(users, Oid(target), commit)) return true;
  }
  if (code != GIT_ITEROVER) return fault("cannot read the references");
  return false;
}

// ErrorCode::conflict when the session holds a commit that would be lost with it.
Status check_saved(const Layout& layout, git_repository* users, const std::string& name) {
  const std::optional<Oid> base = kept_base(users, name);
  const std::optional<Oid> tip = read_session_branch(layout, name);
  if (!tip || tip == base) return Ok{};
  BERNSTEIN_TRY(const bool kept, is_kept(users, *tip));
  if (kept) return Ok{};
  return Error{ErrorCode::conflict, "the last commit of " + name + " (" + to_hex(*tip).substr(0, 12) +
                                        ") is under no salvage reference and no branch, so it was not removed"};
}

Status discard_session(const Layout& layout, const std::string& name) {
  BERNSTEIN_TRY_VOID(give_back(layout, PoolKind::session, name));
  BERNSTEIN_FAILPOINT("git.discard_session.after_worktree");
  return discard(layout.session(name), layout.trash());
}

}  // namespace

Result<bool> is_kept(git_repository* users, const Oid& commit) {
  git_odb* odb = nullptr;
  BERNSTEIN_TRY_VOID(check(git_repository_odb(&odb, users), "cannot open the object database"));
  const Odb owner(odb);
  if (git_odb_exists(odb, commit.get()) == 0) return false;
  BERNSTEIN_TRY(const bool salvaged, is_kept_by(users, commit, "refs/bernstein/salvage/*"));
  if (salvaged) return true;
  return is_kept_by(users, commit, "refs/heads/*");
}

Status ensure_sdd(const Layout& layout) {
  BERNSTEIN_TRY_VOID(make_directories(layout.sdd + "/agents"));
  BERNSTEIN_TRY_VOID(make_directories(layout.sdd + "/worktrees"));
  return hide_sdd(layout.sdd);
}

Status hide_sdd(const std::string& sdd) {
  const std::string ignore = sdd + "/.gitignore";
  static std::mutex one_at_a_time;  // several sessions are made side by side
  const std::lock_guard lock(one_at_a_time);
  if (exists(ignore)) return Ok{};
  // Whole or not at all: with an empty one, which a kill can leave, all of .sdd would show up in `git status`.
  const std::string fresh = ignore + "." + std::to_string(::getpid());  // another first start may be at it
  BERNSTEIN_TRY_VOID(write_file(fresh, "*\n"));
  if (::rename(fresh.c_str(), ignore.c_str()) != 0) return file_fault("cannot write", ignore);
  return Ok{};
}

Result<std::string> create_session(const Layout& layout, const port::SessionSpec& spec, std::mutex& refs) {
  BERNSTEIN_TRY_VOID(check_name(spec.name));
  BERNSTEIN_TRY(const Oid base, parse_oid(spec.base));
  BERNSTEIN_TRY_VOID(ensure_sdd(layout));
  BERNSTEIN_TRY(const Repository users, open_repository(layout));
  BERNSTEIN_TRY(const Commit commit, find_commit(users.get(), base));
  const std::string worktree = layout.worktree(spec.name);
  const bool complete = exists(layout.stat_cache(spec.name)) && exists(worktree + "/.git");
  if (complete && read_session_branch(layout, spec.name) == base && kept_base(users.get(), spec.name) == base) {
    clear_session_locks(layout, spec.name);
    return worktree;
  }
  BERNSTEIN_TRY_VOID(check_saved(layout, users.get(), spec.name));
  BERNSTEIN_FAILPOINT("git.create_session.before_discard");
  BERNSTEIN_TRY_VOID(discard_session(layout, spec.name));
  BERNSTEIN_FAILPOINT("git.create_session.before_keep");
  {
    const std::lock_guard lock(refs);
    BERNSTEIN_TRY_VOID(
        point_reference(layout, users.get(), keep_ref(spec.name), base, "bernstein: a session starts here"));
  }
  BERNSTEIN_FAILPOINT("git.create_session.after_keep");
  BERNSTEIN_TRY(const BareView view, open_bare_view(layout));
  const Oid tree(git_commit_tree_id(commit.get()));
  BERNSTEIN_TRY(const Files files, files_of(view.repository.get(), tree));
  BERNSTEIN_TRY_VOID(load_attributes(view, files));
  BERNSTEIN_TRY(const std::string key, conversion_key(layout, view, files));
  BERNSTEIN_TRY(const WrittenFiles written,
                make_worktree(layout, PoolKind::session, {view, tree, files, key}, worktree));
  BERNSTEIN_TRY(const Fd directory, open_directory(worktree));
  BERNSTEIN_FAILPOINT("git.create_session.after_files");
  BERNSTEIN_TRY(const auto placed,
                place_setup_files(layout, users.get(), {spec.symlink_dirs, spec.copy_files}, files, directory));
  BERNSTEIN_FAILPOINT("git.create_session.before_repository");
  BERNSTEIN_TRY_VOID(write_session_repository(layout, users.get(), spec.name, base, exclude_lines(placed)));
  const std::string linked = layout.session(spec.name) + "/worktrees/" + spec.name;
  BERNSTEIN_FAILPOINT("git.create_session.before_link");
  BERNSTEIN_TRY_VOID(write_file(worktree + "/.git", "gitdir: " + linked + "\n"));
  BERNSTEIN_FAILPOINT("git.create_session.after_link");
  BERNSTEIN_TRY_VOID(note_worktree(layout, spec.name, key, written, linked + "/index"));
  BERNSTEIN_FAILPOINT("git.create_session.complete");
  return worktree;
}

Status remove_session(const Layout& layout, const std::string& name, std::mutex& refs) {
  BERNSTEIN_TRY_VOID(check_name(name));
  BERNSTEIN_TRY(const Repository users, open_repository(layout));
  BERNSTEIN_TRY_VOID(check_saved(layout, users.get(), name));
  BERNSTEIN_FAILPOINT("git.remove_session.before_discard");
  BERNSTEIN_TRY_VOID(discard_session(layout, name));
  BERNSTEIN_FAILPOINT("git.remove_session.before_keep");
  const std::lock_guard lock(refs);
  BERNSTEIN_TRY_VOID(remove_reference(layout, keep_ref(name)));
  BERNSTEIN_FAILPOINT("git.remove_session.after_keep");
  return Ok{};
}

Result<std::string> checkout_tree(const Layout& layout, const port::CheckoutSpec& spec) {
  BERNSTEIN_TRY_VOID(check_name(spec.name));
  BERNSTEIN_TRY_VOID(ensure_sdd(layout));
  BERNSTEIN_TRY_VOID(remove_checkout(layout, spec.name));
  BERNSTEIN_TRY(const BareView view, open_bare_view(layout));
  BERNSTEIN_TRY(const Tree root, find_tree(view.repository.get(), spec.tree));
  const Oid id(git_tree_id(root.get()));
  BERNSTEIN_TRY(const Files files, files_of(view.repository.get(), id));
  BERNSTEIN_TRY_VOID(load_attributes(view, files));
  BERNSTEIN_TRY(const std::string key, conversion_key(layout, view, files));
  BERNSTEIN_FAILPOINT("git.checkout_tree.before_directory");
  BERNSTEIN_TRY(const WrittenFiles written,
                make_worktree(layout, PoolKind::checkout, {view, id, files, key}, layout.worktree(spec.name)));
  BERNSTEIN_TRY(const Fd directory, open_directory(layout.worktree(spec.name)));
  BERNSTEIN_TRY(const Repository users, open_repository(layout));
  BERNSTEIN_TRY_VOID(place_setup_files(layout, users.get(), {spec.symlink_dirs, spec.copy_files}, files, directory));
  BERNSTEIN_FAILPOINT("git.checkout_tree.after_files");
  BERNSTEIN_TRY_VOID(note_worktree(layout, spec.name, key, written, ""));
  return layout.worktree(spec.name);
}

Status remove_checkout(const Layout& layout, const std::string& name) {
  BERNSTEIN_TRY_VOID(check_name(name));
  if (exists(layout.session(name))) {
    return Error{ErrorCode::conflict, name + " is a session, not a checkout, so it was not removed"};
  }
  return give_back(layout, PoolKind::checkout, name);
}

}  // namespace bernstein::git
