#include "place.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "bernstein/base/text.hpp"
#include "bernstein/git/workspace.hpp"

namespace bernstein::cli {
namespace {

constexpr const char* k_branches = "refs/heads/";

std::vector<std::string> notes_of(const git::RepoFacts& facts) {
  std::vector<std::string> notes;
  if (facts.submodules)
    notes.emplace_back("this repository has submodules: they stay empty in the worktrees of agents and checks");
  if (!facts.filters.empty()) {
    notes.push_back("this repository names filters that Bernstein does not run (" + join(facts.filters, ", ") +
                    "): agents and checks see those files as they are stored");
  }
  return notes;
}

}  // namespace

Result<Place> find_place(const std::string& directory) {
  BERNSTEIN_TRY(const git::RepoFacts facts, git::observe(directory));
  if (facts.bare) {
    return Error{ErrorCode::environment, facts.root + " is a bare repository; clone it and run Bernstein in the clone"};
  }
  if (facts.head == git::HeadState::unborn) {
    return Error{ErrorCode::environment,
                 facts.root + " has no commit yet; commit something first: git commit --allow-empty -m 'First commit'"};
  }
  return Place{.root = facts.root,
               .worktree = facts.worktree,
               .git_dir = facts.git_dir,
               .sdd = facts.sdd,
               .branch = facts.branch,
               .head = facts.tip,
               .notes = notes_of(facts)};
}

Result<Landing> find_landing(const Place& place, const std::string& branch) {
  if (branch.empty()) {
    if (!place.branch.empty()) return Landing{place.branch, place.head};
    return Error{ErrorCode::invalid_input,
                 "HEAD is detached, so there is no branch to land on; name one with --target, or git switch to one"};
  }
  const std::string target = branch.starts_with(k_branches) ? branch : k_branches + branch;
  BERNSTEIN_TRY(const auto workspace, open_repository(place));
  Result<std::string> tip = workspace->tip(target);
  if (tip) return Landing{target, *tip};
  if (tip.error().code != ErrorCode::not_found && tip.error().code != ErrorCode::invalid_input)
    return std::move(tip).error();
  return Error{ErrorCode::invalid_input,
               "--target: there is no branch '" + branch + "'; make it with `git branch " + branch + "`"};
}

Status make_sdd(const std::string& sdd) {
  if (mkdir(sdd.c_str(), 0700) != 0 && errno != EEXIST) {
    return Error{ErrorCode::environment, "cannot make " + sdd + ": " + std::strerror(errno)};
  }
  std::error_code problem;
  if (!std::filesystem::is_directory(std::filesystem::symlink_status(sdd, problem))) {
    return Error{ErrorCode::environment, sdd + " is not a directory; Bernstein keeps its records there: move it away"};
  }
  return git::hide_sdd(sdd);
}

Result<std::unique_ptr<port::Workspace>> open_repository(const Place& place) {
  return git::open_workspace(place.root);
}

}  // namespace bernstein::cli
