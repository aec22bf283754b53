#pragma once
// The git half of an audit: whether the repository holds what the log says that it must.
//
//     const AuditReport report = *audit(reader, anchors);
//     const auto facts = git::gather_facts(root, questions_of(report.claims));
//     for (const Finding& finding : audit_repository(report.claims, facts)) ...
//
// A violation is what nobody but a faulty Bernstein (or somebody who tampers) brings about. What a person may rightly
// do (move a branch, delete the salvage of an ended attempt, prune) looks the same afterwards as a loss: the log cannot
// tell them apart, so it is said as a fact.
//
// The log is read first and the repository afterwards, so a run that goes on meanwhile is ahead of its claims: what the
// claims do not know is no finding, nor is the landing of a merge whose result was not recorded yet.

#include <string>
#include <string_view>
#include <vector>

#include "bernstein/base/id.hpp"
#include "bernstein/event/fields.hpp"
#include "bernstein/port/repository_facts.hpp"
#include "bernstein/run/audit.hpp"

namespace bernstein::run {

enum class FindingKind {
  double_landing,      // a task is on the target twice
  unrecorded_landing,  // on the target, and the log says that it was refused or failed
  other_landing,       // its merge commit is not the merge that was checked
  landing_gone,        // fact: the target does not have it
  work_lost,           // a captured commit is under no salvage ref
  other_work,          // it is there with another tree
  left_behind,         // a worktree, repository or ref that the log says was removed
  count_
};

}  // namespace bernstein::run

namespace bernstein {
BERNSTEIN_ENUM_WORDS(run::FindingKind, "double_landing", "unrecorded_landing", "other_landing", "landing_gone",
                     "work_lost", "other_work", "left_behind");
}  // namespace bernstein

namespace bernstein::run {

struct Finding {
  FindingKind kind = FindingKind::double_landing;
  bool violation = true;  // else a fact
  RunId run;
  Seq seq = 0;       // the event that claims otherwise
  std::string what;  // one sentence
};

port::RepositoryQuestions questions_of(const Claims& claims);

// In the order of their seqs.
std::vector<Finding> audit_repository(const Claims& claims, const port::RepositoryFacts& facts);

}  // namespace bernstein::run
