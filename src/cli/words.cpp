#include "words.hpp"

#include <algorithm>

#include "bernstein/base/overloaded.hpp"
#include "bernstein/base/path.hpp"
#include "bernstein/base/text.hpp"
#include "bernstein/decide/budget.hpp"
#include "bernstein/decide/router.hpp"
#include "bernstein/state/credentials.hpp"
#include "print.hpp"

namespace bernstein::cli {
namespace {

constexpr std::size_t k_names_max = 5;  // listed before "and N more"

std::string quoted(const std::string& text) {
  return "'" + text + "'";
}

std::string some_of(const std::vector<std::string>& names) {
  const std::size_t shown = std::min(names.size(), k_names_max);
  std::string text = join(std::span(names).first(shown), ", ");
  if (names.size() > shown) text += " and " + std::to_string(names.size() - shown) + " more";
  return text;
}

std::string tokens(const std::optional<std::int64_t>& count) {
  return count ? grouped(*count) : "unknown";
}

std::string words_of(std::string_view word) {
  return replace_all(std::string(word), "_", " ");
}

// Of one that was lost with its supervisor nobody knows how long it worked.
template <class Ended>
std::string after_clause(const Ended& e) {
  return e.stopped && e.duration_us == 0 ? "" : " after " + format_duration(e.duration_us);
}

std::string ending(const AgentExited& e) {
  if (e.stopped) return "ended" + after_clause(e) + ": " + e.why;
  const std::string outcome =
      e.outcome == AgentOutcome::done || e.outcome == AgentOutcome::crash ? "" : std::string(to_word(e.outcome)) + ", ";
  const std::string how = e.timed_out ? "timed out" : e.stalled ? "stalled" : "exit " + std::to_string(e.exit_code);
  return outcome + how + after_clause(e);
}

std::string foreseen_in_words(const ProbeFinished& e) {
  if (e.conflicts.empty()) return "no conflict in sight";
  std::vector<std::string> others;
  for (const auto& [attempt, paths] : e.conflicts) others.push_back(attempt + " in " + some_of(paths));
  return "a conflict is coming with " + join(others, "; with ");
}

std::string candidate_in_words(const CandidateBuilt& e) {
  std::string text = "tree " + short_id(e.tree) + " on " + short_id(e.base);
  if (!e.left_out.empty()) text += "; left out, because they define checks: " + some_of(e.left_out);
  if (!e.unioned.empty()) text += "; both sides' lines kept: " + some_of(e.unioned);
  if (!e.resolved.empty()) text += "; settled as once before: " + some_of(e.resolved);
  return text;
}

// What a task that may not start yet is waiting for.
std::string waits_for(const RunState& state, const Task& task) {
  std::vector<std::string> names;
  for (TaskId needed : task.spec.depends_on) {
    if (auto found = state.tasks.find(needed); found == state.tasks.end() || !has_landed(state, found->second)) {
      names.push_back(to_string(needed));
    }
  }
  for (std::uint32_t stage : task.spec.depends_on_stages) {
    if (stage < state.stages.size() && state.stages[stage].unlanded > 0) {
      names.push_back("stage " + quoted(state.stages[stage].spec.name));
    }
  }
  return names.empty() ? "about to be ready" : "waits for " + some_of(names);
}

// What keeps a ready task from starting, as far as it can be named: the order of the questions is that of the
// scheduler.
std::string held_up_by(const RunState& state, const Task& task) {
  if (!state.halted.empty()) return "nothing new starts: " + state.halted;
  if (state.paused) return "nothing new starts: " + state.paused->reason;
  if (state.stop) return "nothing new starts: stopped, " + state.stop->reason;
  if (!state.started || state.finished) return task.why;
  if (!has_route(state, task)) return missing_agents(state, task);
  if (!can_be_paid(state, task))
    return shortage_in_words(state, expected_outlay(state, task, foresee_route(state, task).arm));
  const std::uint32_t slots = config_of(state).max_agents;
  for (AttemptId busy : state.in_flight) {
    for (const std::string& theirs : attempt_of(state, busy).owned) {
      auto overlaps = [&](const std::string& ours) { return may_overlap(ours, theirs); };
      if (std::any_of(task.spec.files.begin(), task.spec.files.end(), overlaps) ||
          std::any_of(task.extra_files.begin(), task.extra_files.end(), overlaps)) {
        return "waits for files that " + to_string(busy.task) + " owns: " + theirs;
      }
    }
  }
  if (state.busy_slots >= slots)
    return "waits for a slot: " + std::to_string(state.busy_slots) + " of " + std::to_string(slots) + " are taken";
  return task.why;
}

std::string budget_words(const RunConfig& config) {
  std::string words = config.budget_micros ? "budget " + format_usd(*config.budget_micros) : "no budget";
  if (!config.budget_tokens) return words;
  const std::string tokens = format_tokens(*config.budget_tokens) + " tokens";
  return config.budget_micros ? words + " and " + tokens : "budget " + tokens;
}

}  // namespace

std::string short_id(std::string_view id) {
  return std::string(id.substr(0, 10));
}

std::string cost_words(const std::optional<UsdMicros>& cost) {
  return cost ? format_usd(*cost) : "unknown";
}

std::string usage_words(const Usage& usage) {
  if (!usage.input_tokens && !usage.cached_tokens && !usage.output_tokens && !usage.cost_micros) return "usage unknown";
  return "tokens " + tokens(usage.input_tokens) + " in, " + tokens(usage.cached_tokens) + " cached, " +
         tokens(usage.output_tokens) + " out; cost " + cost_words(usage.cost_micros);
}

std::string summary_of(const EventBody& body) {
  return std::visit(
      overloaded{
          [](const RunStarted& e) {
            return quoted(e.goal) + " on " + e.target + " at " + short_id(e.target_tip) + ", " +
                   std::to_string(e.config.max_agents) + " at once, " + budget_words(e.config) + ", seed " +
                   std::to_string(e.seed);
          },
          [](const PlanAccepted& e) {
            return quoted(e.name) + ": " + counted(static_cast<std::int64_t>(e.tasks.size()), "task") + " in " +
                   counted(static_cast<std::int64_t>(e.stages.size()), "stage");
          },
          [](const PlanWanted&) { return std::string("the goal needs a plan"); },
          [](const PlanApproved&) { return std::string("a person looked at it: its tasks may start"); },
          [](const PlanAdopted& e) { return e.why; },
          [](const PlanFailed& e) { return e.why; },
          [](const SplitWanted& e) { return e.why; },
          [](const TaskSplit& e) { return e.why; },
          [](const PlanReadRequested&) { return std::string(); },
          [](const PlanRead& e) {
            if (e.faults.empty())
              return quoted(e.name) + ": " + counted(static_cast<std::int64_t>(e.tasks.size()), "task");
            return counted(static_cast<std::int64_t>(e.faults.size()), "fault") + ": " + e.faults.front();
          },
          [](const RunResumed& e) {
            return "Bernstein " + e.bernstein + " goes on with it, as its owner number " + std::to_string(e.epoch);
          },
          [](const RunPaused& e) { return e.reason + ": nothing new starts"; },
          [](const RunContinued&) { return std::string("new tasks start again"); },
          [](const StopRequested& e) { return std::string(to_word(e.mode)) + ": " + e.reason; },
          [](const AgentStarted& e) {
            return "pid " + std::to_string(e.pid) + ", sandbox " + std::string(to_word(e.sandbox));
          },
          [](const AgentStalled& e) { return "no progress for " + format_duration(e.silent_us); },
          [](const AgentRecovered&) { return std::string("makes progress again"); },
          [](const TaskCreated& e) {
            return quoted(e.spec.title) + ", role " + e.spec.role + ", priority " + std::to_string(e.spec.priority) +
                   "; longest chain from here " + std::to_string(e.chain_minutes) + " min";
          },
          [](const TaskReadied& e) { return e.why; },
          [](const RouteChosen& e) { return to_string(e.arm) + " by rule " + quoted(e.rule) + ": " + e.why; },
          [](const TaskAssigned& e) {
            return e.agent + " " + e.model + ", " + format_usd(e.reserved_micros) + " and " +
                   format_tokens(e.reserved_tokens) + " tokens reserved: " + e.why;
          },
          [](const PathsGranted& e) { return e.why; },
          [](const LandingQueued& e) { return e.why; },
          [](const LandingHeld& e) { return e.why; },
          [](const ChecksBegun& e) { return "tree " + short_id(e.tree) + ": " + e.why; },
          [](const CheckAbandoned& e) { return e.why; },
          [](const CheckFlaked& e) { return e.why; },
          [](const TaskHandedOver& e) { return e.why; },
          [](const LandingApproved&) { return std::string("a person wants it on the target"); },
          [](const RetryWanted&) { return std::string("a person wants it again"); },
          [](const UndoWanted&) { return std::string("a person wants it taken back"); },
          [](const CheckReused& e) {
            return quoted(e.name) + " " + words_of(to_word(e.verdict)) + " on this tree before (event " +
                   std::to_string(e.from) + ")";
          },
          [](const VerdictReached& e) { return std::string(to_word(e.verdict)) + ": " + e.why; },
          [](const AttemptFailed& e) { return std::string(to_word(e.class_)) + ": " + e.why; },
          [](const RewardRecorded& e) {
            return to_string(e.arm) + " earns " + std::to_string(e.reward_ppm / 10'000) + "%: " + e.why;
          },
          [](const TaskRetried& e) { return e.why; },
          [](const TaskFailed& e) { return e.why; },
          [](const TaskBlocked& e) { return e.why; },
          [](const RunFinished& e) { return std::string(to_word(e.outcome)) + ": " + e.why; },
          [](const WorktreeRequested& e) { return "from " + short_id(e.base); },
          [](const WorktreeReady& e) {
            return e.setup == SetupUse::none ? std::string() : "setup_command: " + std::string(to_word(e.setup));
          },
          [](const SpawnRequested& e) {
            return e.agent + " " + e.model + ", for at most " + format_duration(e.timeout_us);
          },
          [](const AgentExited& e) { return ending(e) + "; " + usage_words(e.usage); },
          [](const CaptureRequested& e) { return "against " + short_id(e.base); },
          [](const WorkCaptured& e) {
            const std::string odd =
                e.suspicions.empty() ? "" : "; suspicious: " + counted(std::ssize(e.suspicions), "thing");
            if (e.changes.empty()) return "nothing changed" + odd;
            std::vector<std::string> paths;
            for (const ChangedPath& change : e.changes) paths.push_back(change.path);
            return counted(static_cast<std::int64_t>(paths.size()), "path") + " changed: " + some_of(paths) +
                   "; commit " + short_id(e.commit) + ", kept at " + e.salvage + odd;
          },
          [](const RevertRequested& e) { return "takes back " + short_id(e.landed); },
          [](const ProbeRequested& e) { return "against " + some_of(e.against); },
          [](const ProbeFinished& e) { return foreseen_in_words(e); },
          [](const CandidateRequested& e) {
            return "of commit " + short_id(e.commit) + (e.onto.empty() ? "" : " on " + short_id(e.onto));
          },
          [](const CandidateBuilt& e) { return candidate_in_words(e); },
          [](const CandidateConflicted& e) {
            std::vector<std::string> paths;
            for (const ConflictedPath& conflict : e.paths) paths.push_back(conflict.path);
            return "with " + short_id(e.base) + " in " + some_of(paths);
          },
          [](const RecallRequested& e) {
            return counted(static_cast<std::int64_t>(e.checks.size()), "check") + " on tree " + short_id(e.tree);
          },
          [](const Recalled& e) {
            const auto known = std::count_if(e.passed.begin(), e.passed.end(), [](Seq seq) { return seq != 0; });
            return std::to_string(known) + " of them passed in earlier runs";
          },
          [](const CheckRequested& e) {
            return quoted(e.check.name) + " on tree " + short_id(e.tree) + (e.fresh ? ", in a new checkout" : "");
          },
          [](const CheckFinished& e) {
            return quoted(e.name) + " " + (e.stopped ? "stopped" : words_of(to_word(e.verdict))) + after_clause(e) +
                   (e.why.empty() ? "" : ": " + e.why);
          },
          [](const MergeRequested& e) {
            return "commit " + short_id(e.commit) + " onto " + e.target + " at " + short_id(e.base);
          },
          [](const MergeLanded& e) {
            return "as " + short_id(e.commit) + " on " + short_id(e.parent) + ", tree " + short_id(e.tree);
          },
          [](const MergeRefused& e) { return "the target moved to " + short_id(e.actual); },
          [](const CheckoutSyncRequested& e) { return "from " + short_id(e.from) + " to " + short_id(e.to); },
          [](const CheckoutSynced& e) {
            return words_of(to_word(e.outcome)) + (e.detail.empty() ? "" : ": " + e.detail);
          },
          [](const WorktreeRemoveRequested&) { return std::string(); },
          [](const WorktreeRemoved&) { return std::string(); },
          [](const ParkRequested& e) {
            return e.credential + " is left alone for " + format_duration(e.wait_us) + ": " + e.why;
          },
          [](const ParkEnded& e) { return e.credential + " may be tried again, by one session first"; },
          [](const TrialRequested& e) {
            return "it is the first of " + e.credential + "; others follow when it has worked for " +
                   format_duration(e.wait_us);
          },
          [](const TrialEnded& e) { return "the trial of " + e.credential + " is over"; },
          [](const EffectFailed& e) {
            return e.effect + " failed (" + std::string(to_word(e.class_)) + "): " + e.message;
          },
      },
      body);
}

std::string_view step_word(const EventBody& body) {
  return std::visit(overloaded{
                        [](const RunStarted&) { return "run"; },
                        [](const PlanAccepted&) { return "plan"; },
                        [](const PlanWanted&) { return "plan wanted"; },
                        [](const PlanApproved&) { return "approved"; },
                        [](const PlanAdopted&) { return "plan"; },
                        [](const PlanFailed&) { return "no plan"; },
                        [](const SplitWanted&) { return "to be split"; },
                        [](const TaskSplit&) { return "split"; },
                        [](const PlanReadRequested&) { return "answer"; },
                        [](const PlanRead&) { return "answer"; },
                        [](const RunResumed&) { return "resumed"; },
                        [](const RunPaused&) { return "paused"; },
                        [](const RunContinued&) { return "continued"; },
                        [](const StopRequested&) { return "stop"; },
                        [](const AgentStarted&) { return "started"; },
                        [](const AgentStalled&) { return "stalled"; },
                        [](const AgentRecovered&) { return "recovered"; },
                        [](const TaskCreated&) { return "created"; },
                        [](const TaskReadied&) { return "ready"; },
                        [](const RouteChosen&) { return "route"; },
                        [](const TaskAssigned&) { return "assigned"; },
                        [](const PathsGranted&) { return "granted"; },
                        [](const LandingQueued&) { return "queued"; },
                        [](const LandingHeld&) { return "held"; },
                        [](const LandingApproved&) { return "approved"; },
                        [](const RetryWanted&) { return "retry wanted"; },
                        [](const UndoWanted&) { return "undo wanted"; },
                        [](const TaskHandedOver&) { return "to a person"; },
                        [](const RevertRequested&) { return "revert"; },
                        [](const ProbeRequested&) { return "probe"; },
                        [](const ProbeFinished&) { return "probe"; },
                        [](const RecallRequested&) { return "recall"; },
                        [](const Recalled&) { return "recall"; },
                        [](const ChecksBegun&) { return "checks"; },
                        [](const CheckAbandoned&) { return "not needed"; },
                        [](const CheckFlaked&) { return "flaky"; },
                        [](const CheckReused&) { return "check"; },
                        [](const VerdictReached&) { return "verdict"; },
                        [](const AttemptFailed&) { return "attempt failed"; },
                        [](const RewardRecorded&) { return "reward"; },
                        [](const TaskRetried&) { return "retry"; },
                        [](const TaskFailed&) { return "failed"; },
                        [](const TaskBlocked&) { return "blocked"; },
                        [](const RunFinished&) { return "end"; },
                        [](const WorktreeRequested&) { return "worktree"; },
                        [](const WorktreeReady&) { return "worktree ready"; },
                        [](const SpawnRequested&) { return "agent"; },
                        [](const AgentExited&) { return "agent done"; },
                        [](const CaptureRequested&) { return "capture"; },
                        [](const WorkCaptured&) { return "captured"; },
                        [](const CandidateRequested&) { return "candidate"; },
                        [](const CandidateBuilt&) { return "candidate"; },
                        [](const CandidateConflicted&) { return "conflict"; },
                        [](const CheckRequested&) { return "check"; },
                        [](const CheckFinished&) { return "check"; },
                        [](const MergeRequested&) { return "merge"; },
                        [](const MergeLanded&) { return "landed"; },
                        [](const MergeRefused&) { return "moved"; },
                        [](const CheckoutSyncRequested&) { return "checkout"; },
                        [](const CheckoutSynced&) { return "checkout"; },
                        [](const WorktreeRemoveRequested&) { return "clean up"; },
                        [](const WorktreeRemoved&) { return "cleaned up"; },
                        [](const ParkRequested&) { return "parked"; },
                        [](const ParkEnded&) { return "park over"; },
                        [](const TrialRequested&) { return "on trial"; },
                        [](const TrialEnded&) { return "trial over"; },
                        [](const EffectFailed&) { return "trouble"; },
                    },
                    body);
}

std::string stall_words(Micros silent_us, Micros limit_us) {
  return "its agent has made no progress for " + format_duration(silent_us) + "; it is ended after " +
         format_duration(limit_us);
}

bool is_stalled(const Task& task) {
  if (task.attempts.empty()) return false;
  const Attempt& last = task.attempts.back();
  return last.step == Step::working && last.silent_us > 0;
}

bool is_held(const RunState& state, const Task& task) {
  return !task.attempts.empty() && state.held.contains(task.attempts.back().id);
}

std::string status_words(const Task& task) {
  if (task.spec.id != k_planning) return std::string(to_word(task.status));
  if (task.attempts.empty()) return "not asked";
  const Attempt& last = task.attempts.back();
  return last.step != Step::ended ? "planning" : last.failure ? "failed" : "planned";
}

std::string reason_of(const RunState& state, const Task& task) {
  if (task.spec.id == k_planning) {
    const bool has_failed = !task.attempts.empty() && task.attempts.back().failure;
    return has_failed ? task.attempts.back().failure->why : "";
  }
  switch (task.status) {
    case TaskStatus::waiting:
      if (state.planning.to_split.contains(task.spec.id)) return "to be split by the planner: " + task.why;
      return waits_for(state, task);
    case TaskStatus::ready:
      return held_up_by(state, task);
    case TaskStatus::running:
      if (!is_stalled(task)) break;
      return stall_words(task.attempts.back().silent_us, config_of(state).limits.no_progress_us);
    case TaskStatus::landed:
      if (task.undone_by) return task.why + ", and taken back by " + to_string(*task.undone_by);
      break;
    case TaskStatus::reported:
    case TaskStatus::verifying:
    case TaskStatus::verified:
    case TaskStatus::failed:
    case TaskStatus::blocked:
    case TaskStatus::cancelled:
    case TaskStatus::split:
    case TaskStatus::count_:
      break;
  }
  return task.why;
}

}  // namespace bernstein::cli
