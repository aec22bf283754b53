// The effects of the landing queue: candidates, verdicts of earlier runs, the target.

#include <algorithm>
#include <utility>

#include "bernstein/base/overloaded.hpp"
#include "bernstein/base/text.hpp"
#include "conflicts.hpp"
#include "effects.hpp"
#include "failures.hpp"
#include "merge_message.hpp"

namespace bernstein::run {
namespace {

EventBody candidate_built(const port::Candidate& c) {
  return CandidateBuilt{.base = c.base,
                        .base_tree = c.base_tree,
                        .commit = c.commit,
                        .left_out = c.left_out,
                        .resolved = c.resolved,
                        .tree = c.tree,
                        .unioned = c.unioned};
}

// How the conflicts of a task's earlier attempts stand in the tree that landed.
std::vector<Resolution> resolutions_in(port::Workspace& workspace, const std::string& tree,
                                       const std::vector<ConflictedPath>& conflicts) {
  std::vector<Resolution> resolutions;
  for (const ConflictedPath& conflict : conflicts) {
    const Result<std::string> result = workspace.blob_id(tree, conflict.path);
    if (!result) continue;  // it is remembered for convenience alone
    resolutions.push_back({conflict.base, conflict.ours, *result, conflict.theirs});
  }
  return resolutions;
}

}  // namespace

void Effects::start(const RunState& state, const Task& task, const RevertRequested& intent) {
  const bernstein::Task& undo = task_of(state, task.attempt.task);
  port::RevertSpec spec{.target = state.started->target,
                        .landed = intent.landed,
                        .message = undo.spec.title + "\n\nThis takes back commit " + intent.landed + ".\n",
                        .at_us = task.wall_us,
                        .salvage_ref = capture_spec(state, task).salvage_ref};
  in_background(task, [&workspace = ports_.workspace, spec]() -> EventBody {
    const Result<port::RevertOutcome> outcome = workspace.revert(spec);
    if (!outcome) return environment_failed<RevertRequested>(outcome.error());
    if (const auto* work = std::get_if<port::Captured>(&*outcome)) {
      return WorkCaptured{.changes = work->changes,
                          .commit = work->commit,
                          .salvage = work->changes.empty() ? "" : spec.salvage_ref,
                          .tree = work->tree};
    }
    std::vector<std::string> paths;
    for (const ConflictedPath& path : std::get<port::Conflict>(*outcome).paths) paths.push_back(path.path);
    return failed(FailureClass::task, RevertRequested::type,
                  {ErrorCode::conflict, "what landed later builds on it in " + join(paths, ", ") +
                                            "; undo that first, or take it back by hand with `git revert`"});
  });
}

void Effects::start(const RunState& state, const Task& task, const ProbeRequested& intent) {
  std::vector<std::pair<std::string, port::CaptureSpec>> others;
  for (const std::string& name : intent.against) {
    const std::optional<AttemptId> other = parse_attempt_id(name);
    const bool is_at_work = other && attempt_of(state, *other).step == Step::working;
    if (!is_at_work) continue;
    Task of_other = task;
    of_other.attempt = *other;
    others.emplace_back(name, capture_spec(state, of_other));
  }
  in_background(task, [&workspace = ports_.workspace, others, commit = intent.commit]() -> EventBody {
    ProbeFinished found;
    for (const auto& [name, spec] : others) {
      Result<std::vector<std::string>> paths = workspace.probe(spec, commit);
      if (paths && !paths->empty()) found.conflicts[name] = *std::move(paths);
    }
    return found;
  });
}

void Effects::start(const RunState& state, const Task& task, const CandidateRequested& intent) {
  const LandingRules& rules = config_of(state).landing;
  const Attempt& attempt = attempt_of(state, task.attempt);
  build_candidate(state, task,
                  {.target = state.started->target,
                   .onto = intent.onto,
                   .commit = intent.commit,
                   .name = candidate(task.attempt),
                   .method = rules.method,
                   .message = merge_message(state, attempt, task.event),
                   .at_us = task.wall_us,
                   .from_target = rules.check_files,
                   .owned = attempt.owned,
                   .union_files = rules.union_files});
}

void Effects::build_candidate(const RunState& state, const Task& task, const port::CandidateSpec& spec) {
  auto outcome = std::make_shared<Result<port::CandidateOutcome>>(Error{});
  ports_.reactor.submit(
      [&workspace = ports_.workspace, spec, outcome, gone = target_is_gone(state)] {
        *outcome = workspace.build_candidate(spec);
        if (!*outcome && is_missing(workspace.tip(spec.target))) *outcome = gone;
      },
      [this, &state, task, spec, outcome] {
        if (!*outcome) return answer(task, environment_failed<CandidateRequested>(outcome->error()));
        if (const auto* built = std::get_if<port::Candidate>(&**outcome)) return answer(task, candidate_built(*built));
        const auto& conflict = std::get<port::Conflict>(**outcome);
        port::CandidateSpec again = spec;
        again.resolutions = known_resolutions(conflict.paths);
        const bool is_news = spec.resolutions.empty() && !again.resolutions.empty();
        if (is_news) return build_candidate(state, task, again);
        answer(task, CandidateConflicted{conflict.base, conflict.paths});
      });
}

std::vector<Resolution> Effects::known_resolutions(const std::vector<ConflictedPath>& conflicts) {
  std::vector<Resolution> known;
  for (const ConflictedPath& conflict : conflicts) {
    const Result<std::optional<Resolution>> found = ports_.log.find_resolution(conflict);
    if (!found || !*found) return {};
    known.push_back(**found);
  }
  return known;
}

void Effects::start(const RunState&, const Task& task, const RecallRequested& intent) {
  Recalled recalled;
  for (const CheckSpec& check : intent.checks) {
    const Result<Seq> passed = ports_.log.find_passed(check_key(intent.environment, intent.tree, check));
    recalled.passed.push_back(passed ? *passed : 0);  // what cannot be recalled is checked
  }
  answer(task, std::move(recalled));
}

void Effects::start(const RunState& state, const Task& task, const CheckRequested& intent) {
  if (intent.check.type == CheckType::command) return run_check(state, task, intent);
  look_at_tree(state, task, intent);
}

void Effects::end_abandoned_checks(const RunState& state) {
  for (AttemptId id : state.chain) {
    const Attempt& attempt = attempt_of(state, id);
    if (attempt.step != Step::checking || !attempt.examination->abandoned) continue;
    for (const auto& [seq, intent] : state.open_intents) {
      if (intent.subject != about(id) || !std::holds_alternative<CheckRequested>(intent.body)) continue;
      const auto running = running_.find(seq);
      if (running == running_.end() || !abandoned_.insert(seq).second) continue;
      ports_.reactor.stop(running->second);
    }
  }
}

void Effects::start(const RunState& state, const Task& task, const MergeRequested& intent) {
  const bernstein::Task& what = task_of(state, task.attempt.task);
  const port::LandSpec spec{.target = intent.target,
                            .expected = intent.base,
                            .commit = intent.commit,
                            .note = "bernstein: land " + what.spec.title};
  auto outcome = std::make_shared<Result<port::LandOutcome>>(Error{});
  auto resolutions = std::make_shared<std::vector<Resolution>>();
  auto certain = std::make_shared<bool>(false);  // that it has not landed
  // A landing moves the target or finds it missing. So one that it misses was not moved, unless before our time.
  const bool is_first_try = task.intent > inherited_;
  ports_.reactor.submit(
      [&workspace = ports_.workspace, spec, outcome, resolutions, certain, is_first_try, tree = intent.tree,
       conflicts = conflicts_of_earlier_attempts(what), gone = target_is_gone(state)] {
        *outcome = workspace.land(spec);
        if (*outcome) {
          *resolutions = resolutions_in(workspace, tree, conflicts);
          return;
        }
        const Result<std::string> tip = workspace.tip(spec.target);
        const bool missed_it = outcome->error().code == ErrorCode::not_found;
        *certain = tip ? *tip == spec.expected : is_missing(tip) && missed_it && is_first_try;
        if (is_missing(tip)) *outcome = gone;
      },
      [this, task, spec, outcome, resolutions, certain, tree = intent.tree] {
        if (*outcome) {
          return std::visit(overloaded{[&](const port::Landed& landed) {
                                         answer(task, MergeLanded{landed.commit, spec.expected, *resolutions, tree});
                                       },
                                       [&](const port::Moved& moved) { answer(task, MergeRefused{moved.actual}); }},
                            **outcome);
        }
        // An earlier life of ours may have landed it: to call it failed would have it done, and landed, again.
        if (!*certain) return cannot_tell(task, "its merge is on " + spec.target, outcome->error());
        answer(task, environment_failed<MergeRequested>(outcome->error()));
      });
}

}  // namespace bernstein::run
