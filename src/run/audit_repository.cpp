#include "bernstein/run/audit_repository.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "bernstein/base/text.hpp"

namespace bernstein::run {
namespace {

constexpr std::size_t k_named_max = 3;  // of many of a kind

std::string name_of(RunId run, AttemptId attempt) {
  return to_string(run) + "/" + to_string(attempt);
}

std::string in_short(const std::string& commit) {
  return commit.substr(0, 12);
}

// "a, b, c and 9 more".
std::string some_of(const std::vector<std::string>& names) {
  const std::size_t named = std::min(names.size(), k_named_max);
  std::string text = join(std::span(names).first(named), ", ");
  if (named < names.size()) text += " and " + std::to_string(names.size() - named) + " more";
  return text;
}

class RepositoryAuditor {
 public:
  RepositoryAuditor(const Claims& claims, const port::RepositoryFacts& facts) : claims_(claims), facts_(facts) {}

  std::vector<Finding> look() {
    look_at_targets();
    look_at_landings();
    look_at_works();
    look_at_removals();
    std::stable_sort(findings_.begin(), findings_.end(),
                     [](const Finding& a, const Finding& b) { return a.seq < b.seq; });
    return std::move(findings_);
  }

 private:
  template <class Claim>
  void violation(FindingKind kind, const Claim& claim, std::string what) {
    findings_.push_back({kind, true, claim.run, claim.seq, std::move(what)});
  }
  void fact(FindingKind kind, RunId run, Seq seq, std::string what) {
    findings_.push_back({kind, false, run, seq, std::move(what)});
  }

  // What is on the targets is what the log has landed there, once.
  void look_at_targets() {
    std::map<std::string, const ClaimedLanding*> by_event;
    for (const ClaimedLanding& landing : claims_.landings) by_event[landing.event] = &landing;
    for (const auto& [target, there] : facts_.targets) {
      std::map<std::pair<RunId, TaskId>, const ClaimedLanding*> landed;
      for (auto found = there.landings.rbegin(); found != there.landings.rend(); ++found) {
        const auto known = by_event.find(found->event);
        if (known == by_event.end() || known->second->asked.target != target) continue;  // another log's
        const ClaimedLanding& claim = *known->second;
        const std::string name = name_of(claim.run, claim.attempt);
        if (!claim.open && !claim.landed) {
          violation(FindingKind::unrecorded_landing, claim,
                    name + " is on " + target + " as " + in_short(found->commit) +
                        ", and the log says that it was not landed");
        }
        // The same merge with another id is a copy that somebody made in rewriting the history.
        const auto [first, is_first] = landed.emplace(std::pair{claim.run, claim.attempt.task}, &claim);
        if (!is_first && first->second != &claim) {
          violation(FindingKind::double_landing, claim,
                    name + " is on " + target + ", and so is " + name_of(claim.run, first->second->attempt) +
                        ": one task landed twice");
        }
      }
    }
  }

  // Each recorded landing is the merge that was asked for. Whether it is still there is for the person to decide.
  void look_at_landings() {
    struct Gone {
      Seq seq = 0;
      std::vector<std::string> names;
    };
    std::map<std::pair<RunId, std::string>, Gone> gone;
    for (const ClaimedLanding& claim : claims_.landings) {
      if (!claim.landed) continue;
      const std::string& commit = claim.landed->commit;
      if (const auto found = facts_.commits.find(commit); found != facts_.commits.end()) {
        const bool as_asked = commit == claim.asked.commit && found->second.tree == claim.asked.tree &&
                              !found->second.parents.empty() && found->second.parents.front() == claim.asked.base;
        if (!as_asked) {
          violation(FindingKind::other_landing, claim,
                    name_of(claim.run, claim.attempt) + " landed as " + in_short(commit) +
                        ", which is not the merge that was checked");
        }
      }
      const auto target = facts_.targets.find(claim.asked.target);
      if (target != facts_.targets.end() && target->second.reached.contains(commit)) continue;
      Gone& entry = gone[{claim.run, claim.asked.target}];
      entry.seq = claim.seq;
      entry.names.push_back(name_of(claim.run, claim.attempt));
    }
    for (const auto& [where, entry] : gone) {
      const std::string& target = where.second;
      fact(FindingKind::landing_gone, where.first, entry.seq,
           some_of(entry.names) + (facts_.targets.contains(target)
                                       ? " landed on " + target + " and " + (entry.names.size() == 1 ? "is" : "are") +
                                             " not in it any more: the branch was moved since"
                                       : " landed on " + target + ", which is there no more"));
    }
  }

  // Captured work is under a salvage ref until it has landed; that of an attempt that ended, a person may throw away.
  void look_at_works() {
    struct Gone {
      Seq seq = 0;
      std::vector<std::string> refs;
    };
    std::map<RunId, Gone> gone;
    for (const ClaimedWork& claim : claims_.works) {
      const std::string& commit = claim.work.commit;
      const std::string name = name_of(claim.run, claim.attempt);
      const auto found = facts_.commits.find(commit);
      if (found != facts_.commits.end() && found->second.tree != claim.work.tree) {
        violation(FindingKind::other_work, claim,
                  "the commit " + in_short(commit) + " of " + name + " does not have the tree that was captured");
      }
      if (claim.landed || facts_.salvaged.contains(commit)) continue;
      const auto ref = facts_.refs.find(claim.work.salvage);
      if (ref != facts_.refs.end() && ref->second == commit) {
        violation(FindingKind::work_lost, claim,
                  "the commit " + in_short(commit) + " that " + claim.work.salvage + " names is not in the repository");
      } else if (ref != facts_.refs.end() && !claim.superseded) {
        violation(FindingKind::work_lost, claim,
                  claim.work.salvage + " names " + in_short(ref->second) + ", which does not hold the work of " + name +
                      " (" + in_short(commit) + ")");
      } else if (!claim.ended) {
        violation(FindingKind::work_lost, claim,
                  "the work of " + name + " (" + in_short(commit) + ") is under no salvage ref, and it has not ended");
      } else {
        gone[claim.run].seq = claim.seq;
        gone[claim.run].refs.push_back(claim.work.salvage);
      }
    }
    for (const auto& [run, entry] : gone) {
      const bool one = entry.refs.size() == 1;
      fact(FindingKind::work_lost, run, entry.seq,
           some_of(entry.refs) + (one ? " is" : " are") + " gone, with work of " + to_string(run) +
               " that did not land: Bernstein removes no salvage ref, so somebody else did");
    }
  }

  // What was removed stays removed.
  void look_at_removals() {
    for (const ClaimedRemoval& removal : claims_.removals) {
      const std::string session = session_name(removal.run, removal.attempt);
      const std::string checkout = checkout_name(removal.run, removal.attempt);
      std::vector<std::string> left;
      for (const std::string& name : {session, checkout}) {
        if (facts_.places.contains(name)) left.push_back(name + " in .sdd");
      }
      const std::string keep = "refs/bernstein/keep/" + session;
      if (facts_.refs.contains(keep)) left.push_back(keep);
      if (left.empty()) continue;
      violation(FindingKind::left_behind, removal,
                "the log says that the worktree of " + name_of(removal.run, removal.attempt) +
                    " was removed, and there is still " + join(left, ", "));
    }
  }

  const Claims& claims_;
  const port::RepositoryFacts& facts_;
  std::vector<Finding> findings_;
};

}  // namespace

port::RepositoryQuestions questions_of(const Claims& claims) {
  port::RepositoryQuestions questions{.targets = claims.targets, .commits = {}};
  for (const ClaimedLanding& landing : claims.landings) {
    if (landing.landed) questions.commits.insert(landing.landed->commit);
  }
  for (const ClaimedWork& work : claims.works) questions.commits.insert(work.work.commit);
  return questions;
}

std::vector<Finding> audit_repository(const Claims& claims, const port::RepositoryFacts& facts) {
  return RepositoryAuditor(claims, facts).look();
}

}  // namespace bernstein::run
