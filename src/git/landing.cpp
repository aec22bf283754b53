#include "landing.hpp"

#include "bernstein/failpoint/failpoint.hpp"
#include "capture.hpp"
#include "merge.hpp"
#include "references.hpp"
#include "session_repository.hpp"

namespace bernstein::git {
namespace {

// How far back a landing is looked for that an earlier life of this process may have made.
constexpr int k_first_parents_max = 100'000;

Result<bool> has_landed(git_repository* users, const Oid& tip, const Oid& expected, const Oid& merge) {
  Oid at = tip;
  for (int i = 0; i < k_first_parents_max && at != expected; ++i) {
    if (at == merge) return true;
    git_commit* raw = nullptr;
    const int code = git_commit_lookup(&raw, users, at.get());
    const Commit commit(raw);
    if (code == GIT_ENOTFOUND) return false;  // the edge of a shallow clone
    BERNSTEIN_TRY_VOID(check(code, "cannot read the history of the target"));
    if (git_commit_parentcount(raw) == 0) return false;
    at = Oid(git_commit_parent_id(raw, 0));
  }
  return false;
}

// Keeps the commit that is checked and then landed from the person's `git gc --prune=now`.
std::string candidate_ref(const std::string& name) {
  return "refs/bernstein/candidates/" + name;
}

// What the attempt's work and the commit before it merge to, as far as the spec can settle it.
struct Attempted {
  Merged merged;
  port::Candidate candidate;  // its lists of paths
};

Result<Attempted> merge_attempt(const BareView& view, const port::CandidateSpec& spec, const Oid& onto,
                                const Oid& commit) {
  git_repository* repository = view.repository.get();
  Attempted attempted;
  BERNSTEIN_TRY(const Oid our_tree, tree_of(repository, onto));
  BERNSTEIN_TRY(const Oid their_tree, tree_of(repository, commit));
  Restored restored{.tree = their_tree, .left_out = {}};
  if (spec.from_target.empty()) {
    BERNSTEIN_TRY(attempted.merged, merge_commits(view, onto, commit));
  } else {
    BERNSTEIN_TRY(const Oid base_tree, merge_base_tree(repository, onto, commit));
    BERNSTEIN_TRY(restored, restore_checks(repository, base_tree, our_tree, their_tree, spec.from_target, spec.owned));
    BERNSTEIN_TRY(attempted.merged, restored.tree == their_tree
                                        ? merge_commits(view, onto, commit)
                                        : merge_trees(view, base_tree, our_tree, restored.tree));
  }
  attempted.candidate.left_out = std::move(restored.left_out);
  BERNSTEIN_TRY(attempted.candidate.unioned, settle_by_union(view, spec.union_files, attempted.merged));
  BERNSTEIN_TRY(attempted.candidate.resolved, settle_by_resolution(view, spec.resolutions, attempted.merged));
  return attempted;
}

}  // namespace

Result<port::CandidateOutcome> build_candidate(const Layout& layout, const port::CandidateSpec& spec,
                                               std::mutex& refs) {
  BERNSTEIN_TRY_VOID(check_name(spec.name));
  BERNSTEIN_TRY(const Oid theirs, parse_oid(spec.commit));
  BERNSTEIN_TRY(const BareView view, open_bare_view(layout));
  git_repository* repository = view.repository.get();
  Oid onto;
  if (spec.onto.empty()) {
    BERNSTEIN_TRY(const Tip tip, find_tip(repository, spec.target));
    onto = tip.id;
  } else {
    BERNSTEIN_TRY(onto, parse_oid(spec.onto));
  }
  BERNSTEIN_FAILPOINT("git.build_candidate.before_merge");
  BERNSTEIN_TRY(Attempted attempted, merge_attempt(view, spec, onto, theirs));
  BERNSTEIN_FAILPOINT("git.build_candidate.after_merge");
  const Merged& merged = attempted.merged;
  if (!merged.clashes.empty()) {
    return port::CandidateOutcome(port::Conflict{to_hex(onto), conflicted_paths(merged.clashes)});
  }
  std::vector<Oid> parents{onto};
  if (spec.method == LandingMethod::merge && theirs != onto) parents.push_back(theirs);
  BERNSTEIN_TRY(const Oid commit, write_commit(repository, merged.tree, parents, spec.message, spec.at_us));
  BERNSTEIN_FAILPOINT("git.build_candidate.before_ref");
  {
    BERNSTEIN_TRY(const Repository users, open_repository(layout));
    const std::lock_guard lock(refs);
    BERNSTEIN_TRY_VOID(point_reference(layout, users.get(), candidate_ref(spec.name), commit, "bernstein: candidate"));
  }
  BERNSTEIN_FAILPOINT("git.build_candidate.after_ref");
  BERNSTEIN_TRY(const Commit base, find_commit(repository, onto));
  attempted.candidate.base = to_hex(onto);
  attempted.candidate.base_tree = to_hex(Oid(git_commit_tree_id(base.get())));
  attempted.candidate.commit = to_hex(commit);
  attempted.candidate.tree = to_hex(merged.tree);
  return port::CandidateOutcome(std::move(attempted.candidate));
}

Status drop_candidate(const Layout& layout, const std::string& name, std::mutex& refs) {
  BERNSTEIN_TRY_VOID(check_name(name));
  BERNSTEIN_FAILPOINT("git.drop_candidate.before_ref");
  const std::lock_guard lock(refs);
  BERNSTEIN_TRY_VOID(remove_reference(layout, candidate_ref(name)));
  BERNSTEIN_FAILPOINT("git.drop_candidate.after_ref");
  return Ok{};
}

Result<port::LandOutcome> land(const Layout& layout, const port::LandSpec& spec, std::mutex& refs) {
  BERNSTEIN_TRY(const Oid expected, parse_oid(spec.expected));
  BERNSTEIN_TRY(const Oid candidate, parse_oid(spec.commit));
  BERNSTEIN_TRY(const Repository users, open_repository(layout));
  BERNSTEIN_TRY_VOID(find_commit(users.get(), expected));
  BERNSTEIN_TRY(const Commit commit, find_commit(users.get(), candidate));
  if (git_commit_parentcount(commit.get()) == 0 || Oid(git_commit_parent_id(commit.get(), 0)) != expected) {
    return Error{ErrorCode::invalid_input,
                 "the commit " + spec.commit + " was not built on " + spec.expected + ", so it cannot land there"};
  }
  BERNSTEIN_FAILPOINT("git.land.before_ref");
  const std::lock_guard lock(refs);
  BERNSTEIN_TRY(const Tip tip, find_tip(users.get(), spec.target));
  if (tip.id == expected) {
    BERNSTEIN_TRY(const bool moved, move_reference(layout, users.get(), tip.name, expected, candidate, spec.note));
    BERNSTEIN_FAILPOINT("git.land.after_ref");
    if (moved) return port::LandOutcome(port::Landed{spec.commit});
  }
  BERNSTEIN_TRY(const Tip now, find_tip(users.get(), spec.target));
  BERNSTEIN_TRY(const bool landed, has_landed(users.get(), now.id, expected, candidate));
  if (landed) return port::LandOutcome(port::Landed{spec.commit});
  return port::LandOutcome(port::Moved{to_hex(now.id)});
}

Result<port::RevertOutcome> revert(const Layout& layout, const port::RevertSpec& spec, std::mutex& refs) {
  BERNSTEIN_TRY(const Oid landed, parse_oid(spec.landed));
  BERNSTEIN_TRY(const BareView view, open_bare_view(layout));
  git_repository* repository = view.repository.get();
  BERNSTEIN_TRY(const Tip tip, find_tip(repository, spec.target));
  BERNSTEIN_TRY(const Commit commit, find_commit(repository, landed));
  if (git_commit_parentcount(commit.get()) == 0) {
    return Error{ErrorCode::invalid_input, "the commit " + spec.landed + " has no parent to go back to"};
  }
  BERNSTEIN_TRY(const Oid before, tree_of(repository, Oid(git_commit_parent_id(commit.get(), 0))));
  BERNSTEIN_TRY(const Oid ours, tree_of(repository, tip.id));
  BERNSTEIN_TRY(const Merged merged, merge_trees(view, Oid(git_commit_tree_id(commit.get())), ours, before));
  if (!merged.clashes.empty()) {
    return port::RevertOutcome(port::Conflict{to_hex(tip.id), conflicted_paths(merged.clashes)});
  }
  if (merged.tree == ours) return port::RevertOutcome(port::Captured{to_hex(tip.id), to_hex(ours), {}});
  BERNSTEIN_TRY(const Oid undone, write_commit(repository, merged.tree, {tip.id}, spec.message, spec.at_us));
  BERNSTEIN_TRY(const auto changes, compare_trees(repository, ours, merged.tree));
  BERNSTEIN_TRY(const Repository users, open_repository(layout));
  BERNSTEIN_FAILPOINT("git.revert.before_salvage");
  BERNSTEIN_TRY_VOID(write_salvage(layout, users.get(), spec.salvage_ref, undone, refs));
  BERNSTEIN_FAILPOINT("git.revert.after_salvage");
  return port::RevertOutcome(port::Captured{to_hex(undone), to_hex(merged.tree), changed_paths(changes)});
}

Status write_anchor(const Layout& layout, const std::string& run, const std::string& text, Micros at_us,
                    std::mutex& refs) {
  BERNSTEIN_TRY(const Repository users, open_repository(layout));
  const std::string name = "refs/bernstein/runs/" + run;
  const std::lock_guard lock(refs);
  Oid blob;
  BERNSTEIN_TRY_VOID(
      check(git_blob_create_from_buffer(&blob.id, users.get(), text.data(), text.size()), "cannot write an anchor"));
  BERNSTEIN_TRY(const TreeBuilder builder, make<TreeBuilder>("cannot write an anchor", git_treebuilder_new, users.get(),
                                                             static_cast<const git_tree*>(nullptr)));
  BERNSTEIN_TRY_VOID(check(git_treebuilder_insert(nullptr, builder.get(), "head.json", blob.get(), GIT_FILEMODE_BLOB),
                           "cannot write an anchor"));
  Oid tree;
  BERNSTEIN_TRY_VOID(check(git_treebuilder_write(&tree.id, builder.get()), "cannot write an anchor"));
  Oid before;
  const bool has_parent = git_reference_name_to_id(&before.id, users.get(), name.c_str()) == 0;
  if (has_parent) {
    // Said twice, written once; but whoever was killed over it left a mark that goes with the next change.
    BERNSTEIN_TRY(const Commit last, find_commit(users.get(), before));
    if (Oid(git_commit_tree_id(last.get())) == tree) {
      return point_reference(layout, users.get(), name, before, "bernstein: anchor");
    }
  }
  std::vector<Oid> parents;
  if (has_parent) parents.push_back(before);
  BERNSTEIN_TRY(const Oid commit, write_commit(users.get(), tree, parents, "Anchor of run " + run + "\n", at_us));
  BERNSTEIN_FAILPOINT("git.write_anchor.before_ref");
  BERNSTEIN_TRY_VOID(point_reference(layout, users.get(), name, commit, "bernstein: anchor"));
  BERNSTEIN_FAILPOINT("git.write_anchor.after_ref");
  return Ok{};
}

}  // namespace bernstein::git
