#include "effects.hpp"

#include <utility>

#include "bernstein/base/overloaded.hpp"
#include "bernstein/base/text.hpp"
#include "bernstein/failpoint/failpoint.hpp"
#include "bernstein/janitor/tests_weakened.hpp"
#include "conflicts.hpp"
#include "failures.hpp"
#include "merge_message.hpp"

namespace bernstein::run {
namespace {

constexpr std::size_t k_commit_digits = 12;

// Of these paths those that still hold what a conflict leaves behind.
std::vector<std::string> with_conflict_markers(port::Workspace& workspace, const std::string& tree,
                                               const std::vector<std::string>& paths) {
  std::vector<std::string> found;
  for (const std::string& path : paths) {
    const Result<std::string> text = workspace.read_file(tree, path);
    const auto has_line = [&](std::string_view start) {
      return text->starts_with(start) || text->find("\n" + std::string(start)) != std::string::npos;
    };
    if (text && has_line("<<<<<<< ") && has_line(">>>>>>> ")) found.push_back(path);
  }
  return found;
}

std::vector<std::string> weakened_tests(port::Workspace& workspace, const std::string& base,
                                        const port::Captured& captured) {
  const auto text_in = [&](const std::string& tree) {
    return [&workspace, &tree](const std::string& path) -> std::optional<std::string> {
      Result<std::string> text = workspace.read_file(tree, path);
      if (!text) return std::nullopt;
      return *std::move(text);
    };
  };
  return janitor::tests_weakened(captured.changes, text_in(base), text_in(captured.tree));
}

EventBody work_captured(port::Workspace& workspace, const port::Captured& captured, const port::CaptureSpec& spec,
                        const std::vector<std::string>& conflicts) {
  return WorkCaptured{.also_kept = captured.also_kept,
                      .changes = captured.changes,
                      .commit = captured.commit,
                      .salvage = captured.changes.empty() ? "" : spec.salvage_ref,
                      .suspicions = captured.suspicions,
                      .tree = captured.tree,
                      .unresolved = with_conflict_markers(workspace, captured.tree, conflicts),
                      .weakened_tests = weakened_tests(workspace, spec.base, captured)};
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
  end_abandoned_checks(state);
  for (const auto& [seq, intent] : state.open_intents) {
    if (!under_way_.insert(seq).second) continue;
    const Task task{.intent = seq,
                    .subject = intent.subject,
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
                         .copy_files = config.worktree_setup.copy_files,
                         .merge_in = intent.merge_in};
  auto made = std::make_shared<Result<std::string>>(std::string());  // shared by the two halves of the job
  ports_.reactor.submit([&workspace = ports_.workspace, spec, made] { *made = workspace.create_session(spec); },
                        [this, &state, task, base = intent.base, made] {
                          if (!*made) return end_and_fail(task, WorktreeRequested::type, made->error());
                          if (config_of(state).worktree_setup.command.empty()) return answer(task, WorktreeReady{});
                          set_up_worktree(state, task, base, **made);
                        });
}

port::CaptureSpec Effects::capture_spec(const RunState& state, const Task& task) const {
  return {.session = session(task.attempt),
          .base = attempt_of(state, task.attempt).base,
          .not_ours = set_up_paths(config_of(state)),
          .message = task_of(state, task.attempt.task).spec.title + "\n\nLeft uncommitted by the agent of " +
                     to_string(task.attempt) + " in " + to_string(run_) + ".\n",
          .at_us = task.wall_us,
          .salvage_ref = "refs/bernstein/salvage/" + to_string(run_) + "/" + to_string(task.attempt)};
}

void Effects::start(const RunState& state, const Task& task, const CaptureRequested&) {
  const port::CaptureSpec spec = capture_spec(state, task);
  in_background(
      task,
      [&workspace = ports_.workspace, spec, conflicts = conflicts_to_resolve(state, task.attempt)]() -> EventBody {
        Result<port::Captured> captured = workspace.capture(spec);
        if (captured) return work_captured(workspace, *captured, spec, conflicts);
        // What the agent did to its own worktree or branch is the attempt's failure; anything else would hit every
        // task.
        const bool agents_doing = captured.error().code == ErrorCode::conflict;
        return failed(agents_doing ? FailureClass::task : FailureClass::environment, CaptureRequested::type,
                      captured.error());
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
  in_background(task,
                [&workspace = ports_.workspace, name = session(task.attempt), checkout = checkout(task.attempt),
                 candidate = candidate(task.attempt)]() -> EventBody {
                  for (const Status& removed : {workspace.drop_candidate(candidate),
                                                workspace.remove_checkout(checkout), workspace.remove_session(name)}) {
                    if (!removed) return environment_failed<WorktreeRemoveRequested>(removed.error());
                  }
                  return WorktreeRemoved{};
                });
}

void Effects::start(const RunState&, const Task& task, const ParkRequested& intent) {
  answer_after(task, intent.wait_us, ParkEnded{intent.credential});
}

void Effects::start(const RunState&, const Task& task, const TrialRequested& intent) {
  answer_after(task, intent.wait_us, TrialEnded{intent.credential});
}

// By the clock on the wall since the intent, because limits end by it, also while nobody is there: whoever takes over
// waits for the rest. A clock that jumps cannot make it longer.
void Effects::answer_after(const Task& task, Micros wait_us, EventBody result) {
  const Micros passed = std::max<Micros>(ports_.reactor.wall_us() - task.wall_us, 0);
  const Micros left = std::max<Micros>(wait_us - passed, 0);
  timers_[task.intent] = ports_.reactor.after(left, [this, task, result = std::move(result)] {
    timers_.erase(task.intent);
    answer(task, result);
  });
}

void Effects::in_background(const Task& task, std::function<EventBody()> work) {
  auto result = std::make_shared<EventBody>();
  ports_.reactor.submit([result, work = std::move(work)] { *result = work(); },
                        [this, task, result] { answer(task, std::move(*result)); });
}

void Effects::answer(const Task& task, EventBody result) {
  BERNSTEIN_FAILPOINT("run.effects.before_answer");
  under_way_.erase(task.intent);
  running_.erase(task.intent);
  abandoned_.erase(task.intent);
  waiting_.erase(task.intent);
  inbox_.push({{task.subject, std::move(result)}, task.intent});
}

std::string Effects::session(AttemptId attempt) const {
  return session_name(run_, attempt);
}

// Of the target's own checks, which are about no attempt, as of an attempt's.
std::string Effects::checkout(AttemptId attempt) const {
  return attempt.number == 0 ? "check-" + to_string(run_) + "-target" : checkout_name(run_, attempt);
}

std::string Effects::candidate(AttemptId attempt) const {
  return to_string(run_) + "-" + to_string(attempt);
}

std::string Effects::log_path(AttemptId attempt, const std::string& suffix) const {
  const std::string name = attempt.number == 0 ? "target" : to_string(attempt);
  return site_.sdd + "/logs/" + to_string(run_) + "/" + name + suffix + ".log";
}

}  // namespace bernstein::run
