#pragma once
// What an audit asks about the repository, and what there is: values, so that run/audit_repository.hpp compares them
// with the log without any git. git::gather_facts answers.

#include <map>
#include <set>
#include <string>
#include <vector>

namespace bernstein::port {

struct RepositoryQuestions {
  std::map<std::string, std::string> targets;  // branch ("refs/heads/main") → commit from which on we look at it
  std::set<std::string> commits;
};

struct CommitFacts {
  std::string tree;
  std::vector<std::string> parents;
};

// A commit that Bernstein made (its committer says so: a rebase or cherry-pick of it names somebody else) with a
// Bernstein-Event trailer.
struct LandingFacts {
  std::string commit;
  std::string event;  // the trailer: "57 0123456789abcdef"
};

struct TargetFacts {
  std::set<std::string> reached;       // which of the commits asked about it has
  std::vector<LandingFacts> landings;  // since the commit from which on we look, newest first
};

struct RepositoryFacts {
  std::map<std::string, TargetFacts> targets;  // those that exist
  std::map<std::string, CommitFacts> commits;  // those asked about that exist
  std::map<std::string, std::string> refs;     // below refs/bernstein/: name → id
  std::set<std::string> salvaged;              // which of the commits asked about some salvage ref holds
  std::set<std::string> places;                // names below .sdd/worktrees and .sdd/agents: "session-r1-t4.2"
};

}  // namespace bernstein::port
