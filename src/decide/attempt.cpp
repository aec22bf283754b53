#include <algorithm>
#include <iterator>

#include "bernstein/base/check.hpp"
#include "bernstein/base/path.hpp"
#include "bernstein/base/text.hpp"
#include "bernstein/decide/parks.hpp"
#include "bernstein/decide/retry.hpp"
#include "reward.hpp"
#include "steps.hpp"
#include "words.hpp"

namespace bernstein {
namespace {

Micros time_limit(const RunState& state, const Attempt& attempt) {
  const Limits& limits = config_of(state).limits;
  return attempt.id.task == k_planning ? limits.planner_timeout_us : limits.agent_timeout_us;
}

// What an agent's end that was no proper one means for the task; nothing when it was.
std::optional<AttemptFailed> failure_of_end(const RunState& state, const Attempt& attempt) {
  const AgentExited& exit = *attempt.exit;
  const std::string& agent = attempt.arm.agent;
  const Limits& limits = config_of(state).limits;
  const auto failure = [&](FailureClass failure_class, const std::string& why) {
    return AttemptFailed{.class_ = failure_class, .evidence = {{why, exit.output}}, .why = why};
  };
  const std::string said = exit.message.empty() ? "" : ": " + exit.message;
  const std::string code = "the agent exited with " + std::to_string(exit.exit_code);
  switch (exit.outcome) {
    case AgentOutcome::auth:
      return failure(FailureClass::environment,
                     "agent '" + agent + "' is not logged in, or its key is refused (run `bernstein doctor`)" + said);
    case AgentOutcome::model:
      return failure(FailureClass::environment, "agent '" + agent + "' does not know the model '" + attempt.arm.model +
                                                    "' (see bernstein.yaml)" + said);
    case AgentOutcome::quota:
      return failure(FailureClass::quota, "agent '" + agent + "' may not work now" + said);
    case AgentOutcome::overload:
      return failure(FailureClass::quota, "the service of agent '" + agent + "' fails" + said);
    case AgentOutcome::context:
      return failure(FailureClass::task, "the task is more than the model can read" + said);
    case AgentOutcome::refusal:
      return failure(FailureClass::task, "the model declined" + said);
    case AgentOutcome::crash:
    case AgentOutcome::done:
    case AgentOutcome::count_:
      break;
  }
  if (exit.stalled) {
    return failure(FailureClass::task, "the agent made no progress for " + format_duration(limits.no_progress_us) +
                                           ": no output, no CPU time, no change in its worktree");
  }
  if (exit.timed_out) {
    return failure(FailureClass::task,
                   "the agent was still working after " + format_duration(time_limit(state, attempt)));
  }
  if (exit.outcome == AgentOutcome::crash) {
    return failure(FailureClass::task, (exit.exit_code != 0 ? code : "the agent failed") + said);
  }
  if (exit.exit_code != 0) return failure(FailureClass::task, code);
  return std::nullopt;
}

std::vector<Draft> start_agent(const RunState& state, const Attempt& attempt) {
  std::vector<Draft> drafts;
  if (auto trial = trial_of(state, attempt)) drafts.push_back({about(attempt.id), *std::move(trial)});
  const Arm& arm = attempt.arm;
  drafts.push_back({about(attempt.id), SpawnRequested{arm.agent, arm.model, time_limit(state, attempt)}});
  return drafts;
}

// The park comes at once and not with the failure, which has to wait for the capture: nobody starts in between.
std::vector<Draft> after_exit(const RunState& state, const Attempt& attempt) {
  std::vector<Draft> drafts;
  if (attempt.exit) {  // else it was a person's
    if (auto park = park_after(state, attempt, failure_of_end(state, attempt)))
      drafts.push_back({about_run(), *std::move(park)});
  }
  drafts.push_back({about(attempt.id), CaptureRequested{attempt.base}});
  return drafts;
}

// Ended by somebody else: its work is kept under its salvage ref, and the task is as it was.
std::vector<Draft> fail_stopped(const RunState& state, const Task& task, const Attempt& attempt,
                                const std::string& why) {
  return fail(state, task, attempt, {.class_ = FailureClass::orchestrator, .why = why});
}

// Agents that are at work, whose files may conflict with what was captured.
std::vector<std::string> others_at_work(const RunState& state, const Attempt& attempt) {
  std::vector<std::string> others;
  for (AttemptId id : state.with_slot) {
    const Attempt& other = attempt_of(state, id);
    if (id != attempt.id && id.task != k_planning && other.step == Step::working && other.started)
      others.push_back(to_string(id));
  }
  return others;
}

std::vector<Draft> queue_to_land(const RunState& state, const Attempt& attempt) {
  const bool one_is_landing =
      state.landing && attempt_of(state, *state.landing).step != Step::landing;  // else in the chain
  const std::size_t ahead = state.landing_queue.size() + state.chain.size() + (one_is_landing ? 1U : 0U);
  std::vector<Draft> drafts{{about(attempt.id), LandingQueued{ahead == 0 ? "nothing is ahead of it"
                                                                         : std::to_string(ahead) + " ahead of it"}}};
  if (std::vector<std::string> others = others_at_work(state, attempt); !others.empty())
    drafts.push_back({about(attempt.id), ProbeRequested{std::move(others), attempt.work->commit}});
  return drafts;
}

// What a person made of a conflict, or what takes back a landing.
std::vector<Draft> judge_work_without_agent(const RunState& state, const Task& task, const Attempt& attempt) {
  const WorkCaptured& work = *attempt.work;
  std::string why;
  if (!work.unresolved.empty()) why = "conflict markers are left in " + name_paths(work.unresolved);
  if (work.changes.empty()) why = task.spec.undoes ? "nothing is left to take back" : "its worktree holds no changes";
  if (!why.empty()) return fail(state, task, attempt, {.evidence = {{why, ""}}, .why = why});
  return queue_to_land(state, attempt);
}

// The agent has ended and its work is captured: was it a proper end, and are the changes its own?
std::vector<Draft> judge_work(const RunState& state, const Task& task, const Attempt& attempt) {
  const WorkCaptured& work = *attempt.work;
  if (!attempt.exit) return judge_work_without_agent(state, task, attempt);
  const AgentExited& exit = *attempt.exit;
  if (exit.stopped) return fail_stopped(state, task, attempt, "the agent was ended: " + exit.why);
  if (auto failure = failure_of_end(state, attempt)) {
    // Nothing but the split needs the planner's agent.
    const bool splits = attempt.id.task == k_planning && state.planning.question != k_planning;
    if (splits && failure->class_ == FailureClass::environment) failure->class_ = FailureClass::task;
    return fail(state, task, attempt, *std::move(failure));
  }
  if (attempt.id.task == k_planning) return {{about(attempt.id), PlanReadRequested{}}};
  if (!work.unresolved.empty()) {
    const std::string why = "conflict markers are left in " + name_paths(work.unresolved);
    return fail(state, task, attempt, {.evidence = {{why, exit.output}}, .why = why});
  }
  if (work.changes.empty()) {
    std::string why = "the agent changed nothing";
    if (!work.also_kept.empty()) why += " on its branch; what it kept elsewhere is under " + join(work.also_kept, ", ");
    return fail(state, task, attempt, {.evidence = {{why, exit.output}}, .why = why});
  }

  std::vector<std::string> taken;    // owned by somebody in flight
  std::vector<std::string> granted;  // nobody's
  std::vector<std::string> takers;
  const auto is_one_of = [](const std::vector<std::string>& patterns, const std::string& path) {
    return std::ranges::any_of(patterns, [&](const std::string& pattern) { return matches(pattern, path); });
  };
  for (const ChangedPath& change : work.changes) {
    // To what keeps both sides' lines everybody may add, at the same time.
    const bool is_everybodys = is_one_of(config_of(state).landing.union_files, change.path);
    if (is_everybodys || is_one_of(attempt.owned, change.path)) continue;
    if (auto holder = state.ready.holder_of(change.path, task.spec.id)) {
      taken.push_back(change.path);
      const std::string name = to_string(*holder) + " '" + task_of(state, *holder).spec.title + "'";
      if (std::find(takers.begin(), takers.end(), name) == takers.end()) takers.push_back(name);
    } else {
      granted.push_back(change.path);
    }
  }
  if (!taken.empty()) {
    const std::string why = "it changed " + name_paths(taken) + ", owned by " + join(takers, ", ") +
                            (takers.size() == 1 ? ", which is in flight" : ", which are in flight");
    return fail(state, task, attempt, {.evidence = {{why, ""}}, .paths = taken, .why = why});
  }
  std::vector<Draft> drafts;
  if (!granted.empty()) {
    drafts.push_back({about(attempt.id), PathsGranted{granted, "changed outside its files; nobody in flight owns " +
                                                                   name_paths(granted)}});
  }
  std::vector<Draft> queued = queue_to_land(state, attempt);
  drafts.insert(drafts.end(), std::make_move_iterator(queued.begin()), std::make_move_iterator(queued.end()));
  return drafts;
}

// The work of an attempt before it that could not be put on the target, or of a person, whatever became of that: what
// merges is not done again. Attempts that were lost or ended by a quota on the way to resolve it are passed over, and
// so is a person's worktree that was gone or held nothing: the conflict is still there.
std::string work_to_merge(const Task& task, const Attempt& attempt) {
  if (attempt.id.task == k_planning || task.spec.undoes) return "";
  for (std::uint32_t number = attempt.id.number - 1; number > 0; --number) {
    const Attempt& before = task.attempts[number - 1];
    if (!before.failure) return "";
    const FailureClass why = before.failure->class_;
    const bool is_persons = !before.exit;
    const bool holds_something = before.work && !before.work->changes.empty();
    if (holds_something && (is_persons || why == FailureClass::conflict)) return before.work->commit;
    if (why == FailureClass::task && !is_persons) return "";
  }
  return "";
}

std::vector<Draft> after_landing(const RunState& state, const Task& task, const Attempt& attempt) {
  std::vector<Draft> drafts;
  if (attempt.exit) drafts.push_back({about(attempt.id), reward_of(state, task, attempt)});
  drafts.push_back({about(attempt.id), CheckoutSyncRequested{state.behind, attempt.candidate->base,
                                                             state.started->target, attempt.merge_commit}});
  drafts.push_back({about(attempt.id), WorktreeRemoveRequested{}});
  return drafts;
}

std::vector<Draft> broken(const RunState& state, const Task& task, const Attempt& attempt) {
  const EffectFailed& e = *attempt.broken;
  return fail(state, task, attempt, {.class_ = e.class_, .evidence = {{e.message, e.output}}, .why = e.message});
}

}  // namespace

std::vector<Draft> fail(const RunState& state, const Task& task, const Attempt& attempt, AttemptFailed failure) {
  const bool is_planner = attempt.id.task == k_planning;
  const bool is_agents = attempt.exit.has_value();
  // An agent that was killed did not do it; leaving those out would favour arms that get killed.
  const bool was_killed = is_agents && attempt.exit->stopped;
  const bool teaches = !is_planner && is_agents && (failure.class_ == FailureClass::task || was_killed);
  std::vector<Draft> drafts;
  std::vector<Draft> next;
  bool to_a_person = false;
  if (is_planner) {
    next = after_failed_session(state, failure);
  } else {
    const auto end = after_failure(state, task, failure);
    std::visit([&](const auto& body) { next.push_back({about(task.spec.id), body}); }, end);
    to_a_person = std::holds_alternative<TaskFailed>(end) && goes_to_a_person(task, failure);
  }
  drafts.push_back({about(attempt.id), std::move(failure)});
  if (teaches) drafts.push_back({about(attempt.id), reward_of(state, task, attempt)});
  drafts.insert(drafts.end(), std::make_move_iterator(next.begin()), std::make_move_iterator(next.end()));
  const bool leaves_something = attempt.worktree || task.spec.undoes;  // a candidate, if nothing else
  if (leaves_something && !is_work_at_risk(attempt)) drafts.push_back({about(attempt.id), WorktreeRemoveRequested{}});
  if (to_a_person) {
    const AttemptId persons{task.spec.id, static_cast<std::uint32_t>(task.attempts.size()) + 1};
    drafts.push_back(
        {about(persons), TaskHandedOver{"its worktree holds what there is of it, for a person to resolve"}});
  }
  return drafts;
}

std::vector<Draft> decide_attempt(const RunState& state) {
  if (state.due.empty()) return {};
  const AttemptId id = *state.due.begin();
  const Task& task = task_of(state, id.task);
  const Attempt& attempt = attempt_of(state, id);
  switch (attempt.step) {
    case Step::assigned:
      return {{about(id), WorktreeRequested{state.target_tip, work_to_merge(task, attempt)}}};
    case Step::prepared:
      return start_agent(state, attempt);
    case Step::exited:
      return after_exit(state, attempt);
    case Step::captured:
      return judge_work(state, task, attempt);
    case Step::answered:
      return judge_answer(state, attempt);
    case Step::landed:
      return after_landing(state, task, attempt);
    case Step::broken:
      return broken(state, task, attempt);
    case Step::preparing:
    case Step::working:
    case Step::capturing:
    case Step::reading:
    case Step::queued:
    case Step::composing:
    case Step::candidate:
    case Step::recalling:
    case Step::checking:
    case Step::conflicted:
    case Step::landing:
    case Step::syncing:
    case Step::held:
    case Step::handed_over:
    case Step::ended:
    case Step::count_:
      break;
  }
  BERNSTEIN_CHECK(false, "only attempts whose step waits for a decision are due");
  return {};
}

}  // namespace bernstein
