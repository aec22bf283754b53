#include "capture.hpp"

#include "bernstein/base/path.hpp"
#include "bernstein/failpoint/failpoint.hpp"
#include "gathering.hpp"
#include "merge.hpp"
#include "references.hpp"
#include "session.hpp"
#include "session_repository.hpp"
#include "suspicions.hpp"
#include "worktree_scan.hpp"

namespace bernstein::git {
namespace {

// Where the agent's own commits end, as far as they can be used.
struct Start {
  Oid commit;
  std::optional<std::string> fault;  // why that is not what the session promised
};

Start find_start(const Layout& layout, const std::string& session, const Oid& base, Gathering& gathering) {
  const std::optional<Oid> tip = read_session_branch(layout, session);
  if (!tip) return {base, "the branch agent/" + session + " is gone or cannot be read"};
  if (*tip == base) return {base, {}};
  if (!gathering.has_session_objects()) return {base, "the objects of " + session + " are gone or hold special files"};
  if (const Status usable = gathering.inspect(*tip); !usable) return {base, usable.error().message};
  if (git_graph_descendant_of(gathering.repository(), tip->get(), base.get()) != 1) {
    return {*tip, "the branch agent/" + session + " no longer descends from its base " + to_hex(base).substr(0, 12)};
  }
  return {*tip, {}};
}

bool has_path(const Files& files, const std::string& path) {
  if (files.contains(path)) return true;
  const auto below = files.lower_bound(path + "/");
  return below != files.end() && below->first.starts_with(path + "/");
}

// Paths that setup put there; what the base has itself is the agent's to change.
std::set<std::string> left_out(const port::CaptureSpec& spec, const Files& base) {
  std::set<std::string> paths;
  for (const std::string& path : spec.not_ours) {
    if (path_fault(path)) continue;
    std::string plain = normalise_pattern(path);
    if (plain.ends_with('/')) plain.pop_back();
    if (!has_path(base, plain)) paths.insert(plain);
  }
  return paths;
}

// The tree of what stands in the worktree, on top of `start`.
Result<Oid> build_tree(const Layout& layout, const port::CaptureSpec& spec, const Oid& base_tree, const Oid& start_tree,
                       bool glance, Gathering& gathering, Suspicions& suspicions) {
  git_repository* repository = gathering.repository();
  BERNSTEIN_TRY(const Files base_files, files_of(repository, base_tree));
  ScanSpec scan{.worktree = layout.worktree(spec.session), .tree = start_tree, .files = {}, .left_out = {}};
  scan.glance = glance;
  BERNSTEIN_TRY(scan.files, files_of(repository, start_tree));
  scan.left_out = left_out(spec, base_files);
  // A repository that the agent made inside its worktree and committed is a reference into nowhere for everybody else.
  Edits edits;
  for (auto file = scan.files.begin(); file != scan.files.end();) {
    const auto in_base = base_files.find(file->first);
    const bool known = in_base != base_files.end() && in_base->second.mode == GIT_FILEMODE_COMMIT;
    if (file->second.mode == GIT_FILEMODE_COMMIT && !known) {
      suspicions.add("it committed " + told_path(file->first) +
                     " as a submodule that the base does not have; files that are there were taken instead");
      edits.emplace(file->first, std::nullopt);
      file = scan.files.erase(file);
    } else {
      ++file;
    }
  }
  BERNSTEIN_TRY(Edits found,
                scan_worktree(gathering, scan, read_stat_cache(layout.stat_cache(spec.session)), suspicions));
  for (auto& [path, entry] : found) edits.insert_or_assign(path, entry);
  return edit_tree(repository, start_tree, edits);
}

struct Work {
  Oid commit;
  Oid tree;
  bool has_worktree = false;
};

// Commits what stands in the worktree on top of `start`, and stores all of it in the user's repository.
// ErrorCode::conflict when an object of the agent's is refused.
Result<Work> gather(const Layout& layout, const port::CaptureSpec& spec, const Oid& base_tree, const Oid& start,
                    Gathering& gathering, Suspicions& suspicions) {
  git_repository* repository = gathering.repository();
  BERNSTEIN_TRY(const Oid start_tree, tree_of(repository, start));
  Work work{.commit = start, .tree = start_tree};
  work.has_worktree = open_directory(layout.worktree(spec.session)).has_value();
  if (work.has_worktree) {
    BERNSTEIN_TRY(work.tree, build_tree(layout, spec, base_tree, start_tree, false, gathering, suspicions));
  }
  if (work.tree != start_tree) {
    BERNSTEIN_TRY(work.commit, write_commit(repository, work.tree, {start}, spec.message, spec.at_us));
  }
  BERNSTEIN_FAILPOINT("git.capture.before_objects");
  BERNSTEIN_TRY_VOID(gathering.keep(work.commit));
  BERNSTEIN_FAILPOINT("git.capture.after_objects");
  return work;
}

// How often a worktree is read that changes under the reader, until it is said that it cannot be read.
constexpr int k_glances_max = 3;

Result<std::vector<std::string>> glance(const Layout& layout, const port::CaptureSpec& spec, const Oid& base,
                                        const Oid& commit) {
  BERNSTEIN_TRY(Gathering gathering, Gathering::open(layout, spec.session));
  git_repository* repository = gathering.repository();
  BERNSTEIN_TRY(const Oid base_tree, tree_of(repository, base));
  Start start = find_start(layout, spec.session, base, gathering);
  if (start.fault) start.commit = base;
  BERNSTEIN_TRY(const Oid start_tree, tree_of(repository, start.commit));
  Suspicions unsaid;  // capture tells them
  BERNSTEIN_TRY(const Oid tree, build_tree(layout, spec, base_tree, start_tree, true, gathering, unsaid));
  BERNSTEIN_TRY(const Oid now, write_commit(repository, tree, {start.commit}, "", 0));
  BERNSTEIN_TRY(const BareView view, gathering.open_view(layout));
  BERNSTEIN_TRY(const Merged merged, merge_commits(view, commit, now));
  std::vector<std::string> paths;
  for (const ConflictedPath& path : conflicted_paths(merged.clashes)) paths.push_back(path.path);
  return paths;
}

}  // namespace

Status write_salvage(const Layout& layout, git_repository* users, const std::string& ref, const Oid& commit,
                     std::mutex& refs) {
  const std::lock_guard lock(refs);
  const auto point = [&](const std::string& name, const Oid& id) {
    return point_reference(layout, users, name, id, "bernstein: salvage");
  };
  Oid before;
  if (git_reference_name_to_id(&before.id, users, ref.c_str()) == 0) {
    if (before == commit) return Ok{};
    if (git_graph_descendant_of(users, commit.get(), before.get()) != 1) {
      BERNSTEIN_TRY_VOID(point(ref + ".superseded-" + to_hex(before).substr(0, 12), before));
    }
  }
  return point(ref, commit);
}

// What the agent committed or stashed beside its branch is no work to land, and is not lost either.
Result<std::vector<std::string>> keep_other_tips(const Layout& layout, const port::CaptureSpec& spec,
                                                 Gathering& gathering, std::mutex& refs) {
  std::vector<std::string> kept;
  if (!gathering.has_session_objects()) return kept;
  BERNSTEIN_TRY(const Repository users, open_repository(layout));
  for (const SessionTip& tip : read_other_tips(layout, spec.session)) {
    if (!gathering.inspect(tip.id)) continue;  // not one of git's commits: nothing of it can be vouched for
    BERNSTEIN_TRY(const bool known, is_kept(users.get(), tip.id));
    const std::string ref = spec.salvage_ref + "." + tip.name;
    Oid there;
    const bool written_before = git_reference_name_to_id(&there.id, users.get(), ref.c_str()) == 0 && there == tip.id;
    if (written_before) kept.push_back(ref);
    if (known) continue;
    BERNSTEIN_TRY_VOID(gathering.keep(tip.id));
    BERNSTEIN_TRY_VOID(write_salvage(layout, users.get(), ref, tip.id, refs));
    kept.push_back(ref);
  }
  return kept;
}

Result<port::Captured> capture(const Layout& layout, const port::CaptureSpec& spec, std::mutex& refs) {
  BERNSTEIN_TRY_VOID(check_name(spec.session));
  BERNSTEIN_TRY(const Oid base, parse_oid(spec.base));
  BERNSTEIN_TRY(Gathering gathering, Gathering::open(layout, spec.session));
  BERNSTEIN_TRY(const Oid base_tree, tree_of(gathering.repository(), base));
  Suspicions suspicions;
  look_at_repository(layout, spec, suspicions);
  Start start = find_start(layout, spec.session, base, gathering);
  Result<Work> work = gather(layout, spec, base_tree, start.commit, gathering, suspicions);
  if (!work && gathering.has_session_objects()) {
    // The files are salvaged without any of the agent's objects. When that works, an object of its was not what its
    // name says or could not be read, whatever libgit2 made of it: the agent's doing, and nothing that would hit other
    // tasks.
    const bool is_refused = work.error().code == ErrorCode::conflict;
    start = {base, (is_refused ? "" : "an object of the agent is refused: ") + work.error().message};
    BERNSTEIN_TRY(gathering, Gathering::open(layout, std::nullopt));
    work = gather(layout, spec, base_tree, base, gathering, suspicions);
  }
  if (!work) return work.error();
  BERNSTEIN_TRY(const std::vector<std::string> also_kept, keep_other_tips(layout, spec, gathering, refs));

  if (work->commit != base) {
    BERNSTEIN_TRY(const Repository users, open_repository(layout));
    BERNSTEIN_FAILPOINT("git.capture.before_salvage");
    BERNSTEIN_TRY_VOID(write_salvage(layout, users.get(), spec.salvage_ref, work->commit, refs));
    BERNSTEIN_FAILPOINT("git.capture.after_salvage");
  }
  if (!start.fault && !work->has_worktree) start.fault = "the worktree of " + spec.session + " is gone";
  if (start.fault) {
    const bool kept = work->commit != base;
    return Error{ErrorCode::conflict, *start.fault + (kept ? "; what is left is kept as " + spec.salvage_ref
                                                           : std::string("; nothing was left to keep"))};
  }
  // Commits that amount to nothing are kept, and are no change.
  if (work->tree == base_tree) {
    return port::Captured{to_hex(base), to_hex(base_tree), {}, also_kept, suspicions.sentences()};
  }
  BERNSTEIN_TRY(const auto changes, compare_trees(gathering.repository(), base_tree, work->tree));
  look_at_changes(gathering.repository(), changes, suspicions);
  return port::Captured{to_hex(work->commit), to_hex(work->tree), changed_paths(changes), also_kept,
                        suspicions.sentences()};
}

Result<std::vector<std::string>> probe(const Layout& layout, const port::CaptureSpec& spec, const std::string& commit) {
  BERNSTEIN_TRY_VOID(check_name(spec.session));
  BERNSTEIN_TRY(const Oid base, parse_oid(spec.base));
  BERNSTEIN_TRY(const Oid other, parse_oid(commit));
  Result<std::vector<std::string>> paths = std::vector<std::string>{};
  for (int i = 0; i < k_glances_max; ++i) {
    // Without the cache it is half made, or half gone.
    const bool there = exists(layout.stat_cache(spec.session)) && open_directory(layout.worktree(spec.session));
    if (!there) return std::vector<std::string>{};
    paths = glance(layout, spec, base, other);
    if (paths) return paths;
  }
  return paths;
}

}  // namespace bernstein::git
