#include "session.hpp"

#include <stdio.h>
#include <unistd.h>

#include "bernstein/failpoint/failpoint.hpp"
#include "bernstein/git/workspace.hpp"
#include "conversion.hpp"
#include "files.hpp"
#include "gathering.hpp"
#include "merge.hpp"
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

// Which earlier work was merged into the files of a session; there is no such file when none was. Beside the cache,
// where no agent can write: by it a session is taken for another one, and replaced.
std::string merge_note(const Layout& layout, const std::string& name) {
  return layout.stat_cache(name) + ".merged";
}

constexpr std::int64_t k_note_bytes_max = 4096;

std::string read_merge_note(const Layout& layout, const std::string& name) {
  return read_plain(merge_note(layout, name), k_note_bytes_max).value_or("");
}

Status discard_session(const Layout& layout, const std::string& name) {
  ::unlink(merge_note(layout, name).c_str());
  BERNSTEIN_TRY_VOID(give_back(layout, PoolKind::session, name));
  BERNSTEIN_FAILPOINT("git.discard_session.after_worktree");
  return discard(layout.session(name), layout.trash());
}

// Which files a session begins with, and which of them its base has.
struct Beginning {
  Gathering objects;  // where the files are: what only a merge made stays in memory
  Oid tree;
  Files files;       // of the tree
  Files base_files;  // of the base
};

Result<Beginning> find_beginning(const Layout& layout, const port::SessionSpec& spec, const Oid& base) {
  BERNSTEIN_TRY(Gathering objects, Gathering::open(layout, std::nullopt));
  Beginning beginning{.objects = std::move(objects), .tree = {}, .files = {}, .base_files = {}};
  git_repository* repository = beginning.objects.repository();
  BERNSTEIN_TRY(beginning.tree, tree_of(repository, base));
  BERNSTEIN_TRY(beginning.base_files, files_of(repository, beginning.tree));
  beginning.files = beginning.base_files;
  if (spec.merge_in.empty()) return beginning;
  BERNSTEIN_TRY(const Oid merge_in, parse_oid(spec.merge_in));
  BERNSTEIN_TRY(const BareView view, beginning.objects.open_view(layout));
  BERNSTEIN_TRY(beginning.tree, merge_with_markers(view, base, merge_in));
  BERNSTEIN_TRY(beginning.files, files_of(repository, beginning.tree));
  return beginning;
}

// What git and the next capture are to know: the files of the base. One that was merged into looks like none that was
// ever written, so it is read, and found to be changed.
WrittenFiles as_of_base(const WrittenFiles& written, const Files& base) {
  WrittenFiles known;
  for (const auto& [path, entry] : base) {
    const auto file = written.find(path);
    const bool same = file != written.end() && file->second.entry == entry;
    known.emplace(path, same ? file->second : WrittenFile{.entry = entry, .stat = {}});
  }
  return known;
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
  BERNSTEIN_TRY_VOID(find_commit(users.get(), base));
  const std::string worktree = layout.worktree(spec.name);
  const bool complete = exists(layout.stat_cache(spec.name)) && exists(worktree + "/.git") &&
                        read_merge_note(layout, spec.name) == spec.merge_in;
  if (complete && read_session_branch(layout, spec.name) == base && kept_base(users.get(), spec.name) == base) {
    clear_session_locks(layout, spec.name);
    return worktree;
  }
  BERNSTEIN_TRY_VOID(check_saved(layout, users.get(), spec.name));
  BERNSTEIN_TRY(const Beginning beginning, find_beginning(layout, spec, base));
  BERNSTEIN_FAILPOINT("git.create_session.before_discard");
  BERNSTEIN_TRY_VOID(discard_session(layout, spec.name));
  BERNSTEIN_FAILPOINT("git.create_session.before_keep");
  {
    const std::lock_guard lock(refs);
    BERNSTEIN_TRY_VOID(
        point_reference(layout, users.get(), keep_ref(spec.name), base, "bernstein: a session starts here"));
  }
  BERNSTEIN_FAILPOINT("git.create_session.after_keep");
  BERNSTEIN_TRY(const BareView view, beginning.objects.open_view(layout));
  BERNSTEIN_TRY_VOID(load_attributes(view, beginning.files));
  BERNSTEIN_TRY(const std::string key, conversion_key(layout, view, beginning.files));
  BERNSTEIN_TRY(const WrittenFiles written,
                make_worktree(layout, PoolKind::session, {view, beginning.tree, beginning.files, key}, worktree));
  BERNSTEIN_TRY(const Fd directory, open_directory(worktree));
  BERNSTEIN_FAILPOINT("git.create_session.after_files");
  Files taken = beginning.base_files;
  taken.insert(beginning.files.begin(), beginning.files.end());
  BERNSTEIN_TRY(const auto placed,
                place_setup_files(layout, users.get(), {spec.symlink_dirs, spec.copy_files}, taken, directory));
  BERNSTEIN_FAILPOINT("git.create_session.before_repository");
  BERNSTEIN_TRY_VOID(write_session_repository(layout, users.get(), spec.name, base, exclude_lines(placed)));
  const std::string linked = layout.session(spec.name) + "/worktrees/" + spec.name;
  BERNSTEIN_FAILPOINT("git.create_session.before_link");
  BERNSTEIN_TRY_VOID(write_file(worktree + "/.git", "gitdir: " + linked + "\n"));
  BERNSTEIN_FAILPOINT("git.create_session.after_link");
  if (!spec.merge_in.empty()) BERNSTEIN_TRY_VOID(write_file(merge_note(layout, spec.name), spec.merge_in));
  BERNSTEIN_FAILPOINT("git.create_session.after_note");
  const WrittenFiles known = as_of_base(written, beginning.base_files);
  BERNSTEIN_TRY_VOID(note_worktree(layout, spec.name, key, known, linked + "/index"));
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
