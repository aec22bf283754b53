#include "landing.hpp"

#include <git2/sys/commit.h>

#include "bernstein/failpoint/failpoint.hpp"
#include "merge.hpp"
#include "names.hpp"
#include "references.hpp"

namespace bernstein::git {
namespace {

// Keeps the tree that is checked and then landed from the person's `git gc --prune=now`; a reference to a tree, which
// git does not mind. There is one candidate at a time, so the next takes its place.
constexpr const char* k_candidate = "refs/bernstein/candidate";

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

std::string first_line(const std::string& message) {
  return message.substr(0, message.find('\n'));
}

}  // namespace

Result<port::CandidateOutcome> build_candidate(const Layout& layout, const std::string& target,
                                               const std::string& commit, std::mutex& refs) {
  BERNSTEIN_TRY(const Oid theirs, parse_oid(commit));
  BERNSTEIN_TRY(const BareView view, open_bare_view(layout));
  BERNSTEIN_TRY(const Tip tip, find_tip(view.repository.get(), target));
  BERNSTEIN_FAILPOINT("git.build_candidate.before_merge");
  BERNSTEIN_TRY(const MergeOutcome merged, merge_commits(view, tip.id, theirs));
  BERNSTEIN_FAILPOINT("git.build_candidate.after_merge");
  if (const Oid* tree = std::get_if<Oid>(&merged)) {
    const std::lock_guard lock(refs);
    BERNSTEIN_TRY_VOID(point_reference(layout, view.repository.get(), k_candidate, *tree, "bernstein: candidate"));
    return port::CandidateOutcome(port::Candidate{to_hex(tip.id), to_hex(*tree)});
  }
  std::set<std::string> paths;
  for (const std::string& path : std::get<std::set<std::string>>(merged)) paths.insert(printable_path(path));
  return port::CandidateOutcome(port::Conflict{to_hex(tip.id), {paths.begin(), paths.end()}});
}

Result<port::LandOutcome> land(const Layout& layout, const port::LandSpec& spec, std::mutex& refs) {
  BERNSTEIN_TRY(const Oid expected, parse_oid(spec.expected));
  BERNSTEIN_TRY(const Oid second, parse_oid(spec.commit));
  BERNSTEIN_TRY(const Oid tree, parse_oid(spec.tree));
  BERNSTEIN_TRY(const Repository users, open_repository(layout));
  // The function that makes the commit does not ask whether these exist.
  BERNSTEIN_TRY_VOID(find_commit(users.get(), expected));
  BERNSTEIN_TRY_VOID(find_commit(users.get(), second));
  BERNSTEIN_TRY_VOID(make<Tree>("cannot read the tree " + spec.tree, git_tree_lookup, users.get(), tree.get()));
  BERNSTEIN_TRY(const Signature who, our_signature(spec.at_us));
  BERNSTEIN_FAILPOINT("git.land.before_object");
  const git_oid* parents[] = {expected.get(), second.get()};
  Oid merge;
  BERNSTEIN_TRY_VOID(check(git_commit_create_from_ids(&merge.id, users.get(), nullptr, who.get(), who.get(), nullptr,
                                                      spec.message.c_str(), tree.get(), 2, parents),
                           "cannot write the merge commit"));
  BERNSTEIN_FAILPOINT("git.land.before_ref");
  const std::lock_guard lock(refs);
  BERNSTEIN_TRY(const Tip tip, find_tip(users.get(), spec.target));
  if (tip.id == expected) {
    BERNSTEIN_TRY(const bool moved, move_reference(layout, users.get(), tip.name, expected, merge,
                                                   "bernstein: land " + first_line(spec.message)));
    BERNSTEIN_FAILPOINT("git.land.after_ref");
    if (moved) return port::LandOutcome(port::Landed{to_hex(merge)});
  }
  BERNSTEIN_TRY(const Tip now, find_tip(users.get(), spec.target));
  BERNSTEIN_TRY(const bool landed, has_landed(users.get(), now.id, expected, merge));
  if (landed) return port::LandOutcome(port::Landed{to_hex(merge)});
  return port::LandOutcome(port::Moved{to_hex(now.id)});
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
  BERNSTEIN_TRY(const Signature who, our_signature(at_us));
  const git_oid* parents[] = {before.get()};
  Oid commit;
  const std::string message = "Anchor of run " + run + "\n";
  BERNSTEIN_TRY_VOID(check(git_commit_create_from_ids(&commit.id, users.get(), nullptr, who.get(), who.get(), nullptr,
                                                      message.c_str(), tree.get(), has_parent ? 1 : 0, parents),
                           "cannot write an anchor"));
  BERNSTEIN_FAILPOINT("git.write_anchor.before_ref");
  BERNSTEIN_TRY_VOID(point_reference(layout, users.get(), name, commit, "bernstein: anchor"));
  BERNSTEIN_FAILPOINT("git.write_anchor.after_ref");
  return Ok{};
}

}  // namespace bernstein::git
