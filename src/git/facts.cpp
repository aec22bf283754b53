// What an audit asks about the repository.

#include <filesystem>
#include <optional>
#include <string_view>

#include "bernstein/git/workspace.hpp"
#include "layout.hpp"

namespace bernstein::git {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view k_event = "\nBernstein-Event: ";

// Nothing when there is no such commit.
Result<std::optional<Commit>> look_up(git_repository* users, const Oid& id) {
  git_commit* raw = nullptr;
  const int code = git_commit_lookup(&raw, users, id.get());
  if (code == GIT_ENOTFOUND) return std::optional<Commit>();
  BERNSTEIN_TRY_VOID(check(code, "cannot read the commit " + to_hex(id)));
  return std::optional<Commit>(raw);
}

Status add_commit(git_repository* users, const std::string& hex, port::RepositoryFacts& facts) {
  if (!is_hex_oid(hex)) return Ok{};
  BERNSTEIN_TRY(const Oid id, parse_oid(hex));
  BERNSTEIN_TRY(const std::optional<Commit> commit, look_up(users, id));
  if (!commit) return Ok{};
  port::CommitFacts& about = facts.commits[hex];
  about.tree = to_hex(Oid(git_commit_tree_id(commit->get())));
  for (unsigned i = 0; i < git_commit_parentcount(commit->get()); ++i)
    about.parents.push_back(to_hex(Oid(git_commit_parent_id(commit->get(), i))));
  return Ok{};
}

Status add_refs(git_repository* users, port::RepositoryFacts& facts) {
  BERNSTEIN_TRY(const ReferenceIterator iterator,
                make<ReferenceIterator>("cannot read the references", git_reference_iterator_glob_new, users,
                                        "refs/bernstein/*"));
  git_reference* raw = nullptr;
  int code = 0;
  while ((code = git_reference_next(&raw, iterator.get())) == 0) {
    const Reference reference(raw);
    if (const git_oid* id = git_reference_target(raw)) facts.refs[git_reference_name(raw)] = to_hex(Oid(id));
  }
  return code == GIT_ITEROVER ? Status(Ok{}) : Status(fault("cannot read the references"));
}

// Commits that stand under a salvage ref, or below one: one walk from all of them, until there is no commit left to
// find.
Status add_salvaged(git_repository* users, port::RepositoryFacts& facts) {
  BERNSTEIN_TRY(const Revwalk walk, make<Revwalk>("cannot read the salvaged commits", git_revwalk_new, users));
  for (const auto& [name, hex] : facts.refs) {
    if (!name.starts_with("refs/bernstein/salvage/")) continue;
    BERNSTEIN_TRY(const Oid tip, parse_oid(hex));
    BERNSTEIN_TRY(const std::optional<Commit> commit, look_up(users, tip));
    if (!commit) continue;
    BERNSTEIN_TRY_VOID(check(git_revwalk_push(walk.get(), tip.get()), "cannot read the history of " + name));
  }
  Oid id;
  int code = 0;
  while (facts.salvaged.size() < facts.commits.size() && (code = git_revwalk_next(&id.id, walk.get())) == 0) {
    if (const std::string hex = to_hex(id); facts.commits.contains(hex)) facts.salvaged.insert(hex);
  }
  return code == 0 || code == GIT_ITEROVER ? Status(Ok{}) : Status(fault("cannot read the salvaged commits"));
}

// The trailer of a landing; "" when the commit is none, or somebody made it anew in rewriting the history.
std::string event_of(git_commit* commit) {
  const git_signature* who = git_commit_committer(commit);
  if (who == nullptr || std::string_view(who->name) != "Bernstein" || git_commit_parentcount(commit) != 2) return "";
  const std::string_view message = git_commit_message_raw(commit);
  const std::size_t at = message.rfind(k_event);
  if (at == std::string_view::npos) return "";
  const std::string_view rest = message.substr(at + k_event.size());
  return std::string(rest.substr(0, rest.find('\n')));
}

Status add_target(git_repository* users, const std::string& target, const std::string& since,
                  const port::RepositoryQuestions& questions, port::RepositoryFacts& facts) {
  const Result<Tip> tip = find_tip(users, target);
  if (!tip) return tip.error().code == ErrorCode::not_found ? Status(Ok{}) : Status(tip.error());
  port::TargetFacts& about = facts.targets[target];
  if (!is_hex_oid(since)) return Ok{};
  BERNSTEIN_TRY(const Oid base, parse_oid(since));
  BERNSTEIN_TRY(const std::optional<Commit> begin, look_up(users, base));
  if (!begin) return Ok{};  // no landing can stand on what is not there
  BERNSTEIN_TRY(const Revwalk walk, make<Revwalk>("cannot read the history of " + target, git_revwalk_new, users));
  BERNSTEIN_TRY_VOID(check(git_revwalk_push(walk.get(), tip->id.get()), "cannot read the history of " + target));
  BERNSTEIN_TRY_VOID(check(git_revwalk_hide(walk.get(), base.get()), "cannot read the history of " + target));
  BERNSTEIN_TRY_VOID(check(git_revwalk_sorting(walk.get(), GIT_SORT_TOPOLOGICAL), "cannot sort the history"));
  Oid id;
  int code = 0;
  while ((code = git_revwalk_next(&id.id, walk.get())) == 0) {
    const std::string hex = to_hex(id);
    if (questions.commits.contains(hex)) about.reached.insert(hex);
    BERNSTEIN_TRY(const Commit commit, find_commit(users, id));
    if (std::string event = event_of(commit.get()); !event.empty()) about.landings.push_back({hex, std::move(event)});
  }
  return code == GIT_ITEROVER ? Status(Ok{}) : Status(fault("cannot read the history of " + target));
}

void add_places(const std::string& directory, std::string_view suffix, port::RepositoryFacts& facts) {
  std::error_code problem;
  if (!fs::is_directory(fs::symlink_status(directory, problem))) return;
  for (fs::directory_iterator entry(directory, problem), end; !problem && entry != end; entry.increment(problem)) {
    const std::string name = entry->path().filename().string();
    if (name.ends_with(suffix)) facts.places.insert(name.substr(0, name.size() - suffix.size()));
  }
}

}  // namespace

Result<port::RepositoryFacts> gather_facts(const std::string& directory, const port::RepositoryQuestions& questions) {
  BERNSTEIN_TRY(const Found found, find_repository(directory));
  BERNSTEIN_TRY(const BareView view, open_bare_view(found.layout));
  git_repository* users = view.repository.get();
  port::RepositoryFacts facts;
  for (const std::string& commit : questions.commits) BERNSTEIN_TRY_VOID(add_commit(users, commit, facts));
  BERNSTEIN_TRY_VOID(add_refs(users, facts));
  BERNSTEIN_TRY_VOID(add_salvaged(users, facts));
  for (const auto& [target, since] : questions.targets)
    BERNSTEIN_TRY_VOID(add_target(users, target, since, questions, facts));
  add_places(found.layout.sdd + "/worktrees", "", facts);
  add_places(found.layout.sdd + "/agents", ".git", facts);
  return facts;
}

}  // namespace bernstein::git
