#pragma once
// A repository with a workspace on it, and the usual steps of an attempt.

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "bernstein/git/workspace.hpp"
#include "git_fixture.hpp"

namespace bernstein::test {

inline constexpr const char* k_main = "refs/heads/main";
inline constexpr Micros k_at = 1'750'000'000 * k_second;
inline constexpr const char* k_session = "session-r1-t1.1";
inline constexpr const char* k_salvage = "refs/bernstein/salvage/r1/t1.1";

struct WorkspaceTest : ::testing::Test {
  // `name`: of the repository's directory.
  explicit WorkspaceTest(const std::string& name = "repository") : repository(name) {}

  port::Workspace& workspace() {
    if (!opened) opened = git::open_workspace(repository.root().string()).value();
    return *opened;
  }
  std::filesystem::path worktree(const std::string& session = k_session) const {
    return repository.root() / ".sdd/worktrees" / session;
  }
  std::filesystem::path session_repository(const std::string& session = k_session) const {
    return repository.root() / ".sdd/agents" / (session + ".git");
  }
  Shell agent_git(const std::string& arguments, const std::string& session = k_session) const {
    return GitRepository::git_in(worktree(session), arguments);
  }

  std::string start(port::SessionSpec spec = {}) {
    if (spec.name.empty()) spec.name = k_session;
    if (spec.base.empty()) spec.base = repository.tip();
    const auto created = workspace().create_session(spec);
    EXPECT_TRUE(created) << created.error().message;
    return spec.base;
  }
  port::CaptureSpec a_capture(const std::string& base, const std::string& session = k_session) const {
    const std::string salvage = session == k_session ? k_salvage : "refs/bernstein/salvage/" + session;
    return {.session = session, .base = base, .message = "left over\n", .at_us = k_at, .salvage_ref = salvage};
  }
  port::Captured capture(const std::string& base, const std::string& session = k_session) {
    auto captured = workspace().capture(a_capture(base, session));
    EXPECT_TRUE(captured) << captured.error().message;
    return captured ? *captured : port::Captured{};
  }
  // "A b.txt, M src/a.txt"
  static std::string text_of(const std::vector<ChangedPath>& changes) {
    std::string text;
    for (const ChangedPath& change : changes) {
      const char letter = change.change == ChangeKind::added ? 'A' : (change.change == ChangeKind::deleted ? 'D' : 'M');
      text += (text.empty() ? "" : ", ") + std::string(1, letter) + " " + change.path;
    }
    return text;
  }
  static port::CandidateSpec a_candidate(const std::string& commit, const std::string& message = "Merge t1\n") {
    return {.target = k_main, .onto = "", .commit = commit, .name = "r1-t1.1", .message = message, .at_us = k_at};
  }
  // The candidate of a commit, and how it lands.
  port::Candidate candidate(const port::CandidateSpec& spec) {
    const auto outcome = workspace().build_candidate(spec);
    EXPECT_TRUE(outcome) << outcome.error().message;
    const bool built = outcome && std::holds_alternative<port::Candidate>(*outcome);
    EXPECT_TRUE(built) << "a conflict";
    return built ? std::get<port::Candidate>(*outcome) : port::Candidate{};
  }
  static port::LandSpec a_landing(const port::Candidate& candidate) {
    return {
        .target = k_main, .expected = candidate.base, .commit = candidate.commit, .note = "bernstein: land Merge t1"};
  }
  // Lands a captured commit on main; the merge commit.
  std::string land(const std::string& commit) {
    const auto landed = workspace().land(a_landing(candidate(a_candidate(commit))));
    EXPECT_TRUE(landed && std::holds_alternative<port::Landed>(*landed));
    return std::get<port::Landed>(*landed).commit;
  }

  GitRepository repository;
  std::unique_ptr<port::Workspace> opened;
};

}  // namespace bernstein::test
