#include "effects.hpp"

#include <utility>

#include "bernstein/base/overloaded.hpp"
#include "bernstein/base/text.hpp"
#include "bernstein/failpoint/failpoint.hpp"
#include "merge_message.hpp"

namespace bernstein::run {
namespace {

constexpr std::size_t k_commit_digits = 12;

EventBody failed(FailureClass failure, std::string_view effect, const Error& error) {
  return EffectFailed{failure, std::string(effect), printable_utf8(error.message), ""};
}

// The result of an effect of ours that failed: what the world refuses to every task.
template <class Intent>
EventBody environment_failed(const Error& error) {
  return failed(FailureClass::environment, Intent::type, error);
}

EventBody end_of_landing(const port::LandSpec& spec, const port::LandOutcome& outcome) {
  return std::visit(overloaded{[&](const port::Landed& landed) -> EventBody {
                                 return MergeLanded{landed.commit, spec.expected, spec.tree};
                               },
                               [](const port::Moved& moved) -> EventBody { return MergeRefused{moved.actual}; }},
                    outcome);
}

// Of a tip that was asked for: that there is no such branch, not that it cannot be read.
bool is_missing(const Result<std::string>& tip) {
  return !tip && tip.error().code == ErrorCode::not_found;
}

std::vector<std::string> set_up_paths(const RunConfig& config) {
  std::vector<std::string> paths = config.worktree_setup.symlink_dirs;
  paths.insert(paths.end(), config.worktree_setup.copy_files.begin(), config.worktree_setup.copy_files.end());
  return paths;
}

}  // namespace

Error target_is_gone(const RunState& state) {
  const std::string branch = replace_all(state.started->target, "refs/heads/", "");
  return {ErrorCode::environment, "the branch " + branch + ", on which " + to_string(state.run) +
                                      " lands, is gone; bring it back with `git branch " + branch + " " +
                                      state.target_tip.substr(0, k_commit_digits) + "` and resume"};
}

Effects::Effects(Ports ports, const Site& site, RunId run, Inbox& inbox, Seq inherited)
    : ports_(ports), site_(site), run_(run), inbox_(inbox), inherited_(inherited) {}

Effects::~Effects() {
  for (const auto& [intent, timer] : timers_) ports_.reactor.cancel(timer);
}

void Effects::dispatch(const RunState& state) {
  if (is_left(state)) return;  // what is asked for now is the next one's
  if (sweep_due_) sweep_control_directories(state);
  let_agents_begin(state);
  for (const auto& [seq, intent] : state.open_intents) {
    if (!under_way_.insert(seq).second) continue;
    const Task task{.intent = seq,
                    .attempt = {intent.subject.task, intent.subject.attempt},
                    .wall_us = intent.wall_us,
                    .event = event_trailer(seq, intent.hash)};
    std::visit(
        [&](const auto& body) {
          if constexpr (requires { start(state, task, body); }) start(state, task, body);
        },
        intent.body);
  }
}

void Effects::start(const RunState& state, const Task& task, const WorktreeRequested& intent) {
  const RunConfig& config = config_of(state);
  port::SessionSpec spec{.name = session(task.attempt),
                         .base = intent.base,
                         .symlink_dirs = config.worktree_setup.symlink_dirs,
                         .copy_files = config.worktree_setup.copy_files};
  auto made = std::make_shared<Result<std::string>>(std::string());  // shared by the two halves of the job
  ports_.reactor.submit([&workspace = ports_.workspace, spec, made] { *made = workspace.create_session(spec); },
                        [this, &state, task, base = intent.base, made] {
                          if (!*made) return end_and_fail(task, WorktreeRequested::type, made->error());
                          if (config_of(state).worktree_setup.command.empty()) return answer(task, WorktreeReady{});
                          set_up_worktree(state, task, base, **made);
                        });
}

void Effects::start(const RunState& state, const Task& task, const CaptureRequested& intent) {
  port::CaptureSpec spec{.session = session(task.attempt),
                         .base = intent.base,
                         .not_ours = set_up_paths(config_of(state)),
                         .message = task_of(state, task.attempt.task).spec.title +
                                    "\n\nLeft uncommitted by the agent of " + to_string(task.attempt) + " in " +
                                    to_string(run_) + ".\n",
                         .at_us = task.wall_us,
                         .salvage_ref = "refs/bernstein/salvage/" + to_string(run_) + "/" + to_string(task.attempt)};
  in_background(task, [&workspace = ports_.workspace, spec]() -> EventBody {
    Result<port::Captured> captured = workspace.capture(spec);
    if (captured) {
      const bool changed = !captured->changes.empty();
      return WorkCaptured{captured->also_kept, captured->changes, captured->commit, changed ? spec.salvage_ref : "",
                          captured->tree};
    }
    // What the agent did to its own worktree or branch is the attempt's failure; anything else would hit every task.
    const bool agents_doing = captured.error().code == ErrorCode::conflict;
    return failed(agents_doing ? FailureClass::task : FailureClass::environment, CaptureRequested::type,
                  captured.error());
  });
}

void Effects::start(const RunState& state, const Task& task, const CandidateRequested& intent) {
  in_background(task,
                [&workspace = ports_.workspace, target = state.started->target, commit = intent.commit,
                 gone = target_is_gone(state)]() -> EventBody {
                  Result<port::CandidateOutcome> outcome = workspace.build_candidate(target, commit);
                  if (!outcome) {
                    const bool is_gone = is_missing(workspace.tip(target));
                    return environment_failed<CandidateRequested>(is_gone ? gone : outcome.error());
                  }
                  return std::visit(overloaded{[](const port::Candidate& c) -> EventBody {
                                                 return CandidateBuilt{c.base, c.tree};
                                               },
                                               [](const port::Conflict& c) -> EventBody {
                                                 return CandidateConflicted{c.base, c.paths};
                                               }},
                                    *outcome);
                });
}

void Effects::start(const RunState& state, const Task& task, const MergeRequested& intent) {
  port::LandSpec spec{.target = intent.target,
                      .expected = intent.base,
                      .commit = intent.commit,
                      .tree = intent.tree,
                      .message = merge_message(state, attempt_of(state, task.attempt), task.event),
                      .at_us = task.wall_us};
  auto outcome = std::make_shared<Result<port::LandOutcome>>(Error{});
  auto certain = std::make_shared<bool>(false);  // that it has not landed
  // A landing moves the target or finds it missing. So one that it misses was not moved, unless before our time.
  const bool is_first_try = task.intent > inherited_;
  ports_.reactor.submit(
      [&workspace = ports_.workspace, spec, outcome, certain, is_first_try, gone = target_is_gone(state)] {
        *outcome = workspace.land(spec);
        if (*outcome) return;
        const Result<std::string> tip = workspace.tip(spec.target);
        const bool missed_it = outcome->error().code == ErrorCode::not_found;
        *certain = tip ? *tip == spec.expected : is_missing(tip) && missed_it && is_first_try;
        if (is_missing(tip)) *outcome = gone;
      },
      [this, task, spec, outcome, certain] {
        if (*outcome) return answer(task, end_of_landing(spec, **outcome));
        // An earlier life of ours may have landed it: to call it failed would have it done, and landed, again.
        if (!*certain) return cannot_tell(task, "its merge is on " + spec.target, outcome->error());
        answer(task, environment_failed<MergeRequested>(outcome->error()));
      });
}

void Effects::start(const RunState&, const Task& task, const CheckoutSyncRequested& intent) {
  in_background(task, [&workspace = ports_.workspace, intent]() -> EventBody {
    Result<port::SyncResult> synced = workspace.sync_checkout(intent.target, intent.from, intent.to);
    // The person may have caught up meanwhile or not: it stands at one of the two.
    const bool try_again = synced && synced->outcome == SyncOutcome::left_alone && !intent.behind.empty();
    if (try_again) synced = workspace.sync_checkout(intent.target, intent.behind, intent.to);
    if (!synced) return environment_failed<CheckoutSyncRequested>(synced.error());
    return CheckoutSynced{printable_utf8(synced->detail), synced->outcome};
  });
}

void Effects::start(const RunState&, const Task& task, const WorktreeRemoveRequested&) {
  in_background(
      task,
      [&workspace = ports_.workspace, name = session(task.attempt), checkout = checkout(task.attempt)]() -> EventBody {
        if (Status removed = workspace.remove_checkout(checkout); !removed) {
          return environment_failed<WorktreeRemoveRequested>(removed.error());
        }
        if (Status removed = workspace.remove_session(name); !removed) {
          return environment_failed<WorktreeRemoveRequested>(removed.error());
        }
        return WorktreeRemoved{};
      });
}

// By the clock on the wall, because limits end by it, also while nobody is there. One that jumps cannot make it longer.
void Effects::start(const RunState&, const Task& task, const ParkRequested& intent) {
  const Micros passed = std::max<Micros>(ports_.reactor.wall_us() - task.wall_us, 0);
  const Micros left = std::max<Micros>(intent.wait_us - passed, 0);
  timers_[task.intent] = ports_.reactor.after(left, [this, task, agent = intent.agent] {
    timers_.erase(task.intent);
    answer(task, ParkEnded{agent});
  });
}

void Effects::start(const RunState& state, const Task& task, const CheckRequested& intent) {
  if (intent.check.type == CheckType::command) return run_check(state, task, intent);
  look_at_tree(task, intent);
}

void Effects::in_background(const Task& task, std::function<EventBody()> work) {
  auto result = std::make_shared<EventBody>();
  ports_.reactor.submit([result, work = std::move(work)] { *result = work(); },
                        [this, task, result] { answer(task, std::move(*result)); });
}

void Effects::answer(const Task& task, EventBody result) {
  BERNSTEIN_FAILPOINT("run.effects.before_answer");
  under_way_.erase(task.intent);
  waiting_.erase(task.intent);
  inbox_.push({{about(task.attempt), std::move(result)}, task.intent});
}

std::string Effects::session(AttemptId attempt) const {
  return session_name(run_, attempt);
}

std::string Effects::checkout(AttemptId attempt) const {
  return checkout_name(run_, attempt);
}

std::string Effects::log_path(AttemptId attempt, const std::string& suffix) const {
  return site_.sdd + "/logs/" + to_string(run_) + "/" + to_string(attempt) + suffix + ".log";
}

}  // namespace bernstein::run
