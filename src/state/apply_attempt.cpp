#include <algorithm>
#include <utility>

#include "applier.hpp"
#include "bernstein/state/credentials.hpp"

namespace bernstein {
namespace {

bool waits_for_decision(Step step) {
  switch (step) {
    case Step::assigned:
    case Step::prepared:
    case Step::exited:
    case Step::captured:
    case Step::answered:
    case Step::landed:
    case Step::broken:
      return true;
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
      return false;
  }
  return false;
}

}  // namespace

Status Applier::on(const TaskAssigned& e) {
  if (event_.subject.task == k_planning) return assign_planner(e);
  BERNSTEIN_TRY(Task * task, the_task(TaskStatus::ready));
  if (event_.subject.attempt != task->attempts.size() + 1) return corrupt("skips an attempt");
  if (!task->route) return corrupt("assigns a task without a route");
  const RouteChosen route = *std::exchange(task->route, std::nullopt);
  state_.ready.erase(task->spec.id);
  state_.ready.lease(task->spec.id, e.owned);
  begin_attempt(*task, e, route.arm).features = route.features;
  set_status(*task, TaskStatus::running, e.why);
  return Ok{};
}

Status Applier::on(const WorktreeRequested& e) {
  BERNSTEIN_TRY(Attempt * attempt, the_attempt(Step::assigned));
  attempt->base = e.base;
  attempt->merge_in = e.merge_in;
  attempt->worktree = true;
  return open_intent(*attempt, Step::preparing);
}

Status Applier::on(const WorktreeReady&) {
  BERNSTEIN_TRY_VOID(close_intent<WorktreeRequested>());
  BERNSTEIN_TRY(Attempt * attempt, the_attempt(Step::preparing));
  const bool is_persons = !state_.in_flight.contains(attempt->id);
  attempt->started = is_persons;  // who may work from now on
  set_step(*attempt, is_persons ? Step::handed_over : Step::prepared);
  return Ok{};
}

Status Applier::on(const TaskHandedOver&) {
  BERNSTEIN_TRY(Task * task, the_task(TaskStatus::failed));
  if (event_.subject.attempt != task->attempts.size() + 1) return corrupt("skips an attempt");
  Attempt& attempt = begin_without_agent(*task, "a person");
  set_step(attempt, Step::assigned);
  return Ok{};
}

Status Applier::on(const RevertRequested& e) {
  BERNSTEIN_TRY(Task * task, the_task(TaskStatus::ready));
  if (!task->spec.undoes) return corrupt("takes back nothing");
  if (event_.subject.attempt != task->attempts.size() + 1) return corrupt("skips an attempt");
  const std::vector<Attempt>& undone = task_at(*task->spec.undoes).attempts;
  if (undone.empty() || undone.back().merge_commit != e.landed) return corrupt("takes back what did not land");
  state_.ready_undos.erase(task->spec.id);
  Attempt& attempt = begin_without_agent(*task, "bernstein");
  attempt.worktree = true;  // none, but a candidate with its checkout, which go with it
  state_.in_flight.insert(attempt.id);
  set_status(*task, TaskStatus::running, "takes back " + to_string(*task->spec.undoes));
  return open_intent(attempt, Step::capturing);
}

Status Applier::on(const SpawnRequested&) {
  BERNSTEIN_TRY(Attempt * attempt, the_attempt(Step::prepared));
  return open_intent(*attempt, Step::working);
}

Status Applier::on(const AgentStarted&) {
  BERNSTEIN_TRY(Attempt * attempt, the_attempt(Step::working));
  attempt->started = true;
  return Ok{};
}

Status Applier::on(const AgentStalled& e) {
  BERNSTEIN_TRY(Attempt * attempt, the_attempt(Step::working));
  attempt->silent_us = e.silent_us;
  return Ok{};
}

Status Applier::on(const AgentRecovered&) {
  BERNSTEIN_TRY(Attempt * attempt, the_attempt(Step::working));
  attempt->silent_us = 0;
  return Ok{};
}

namespace {

bool is_credible(const AgentExited& e) {
  constexpr std::int64_t k_most = 1'000'000'000'000'000;  // sums of thousands of them stay far from overflow
  const auto is_count = [](const std::optional<std::int64_t>& n) { return !n || (*n >= 0 && *n < k_most); };
  const Usage& usage = e.usage;
  const std::int64_t cost = usage.cost_micros.value_or(UsdMicros{}).value;
  return is_count(usage.input_tokens) && is_count(usage.output_tokens) && is_count(usage.cached_tokens) && cost >= 0 &&
         cost < k_most && e.duration_us >= 0 && is_count(e.retry_after_us);
}

}  // namespace

Status Applier::on(const AgentExited& e) {
  if (!is_credible(e)) return corrupt("tells of a usage or a time that cannot be");
  BERNSTEIN_TRY_VOID(close_intent<SpawnRequested>());
  BERNSTEIN_TRY(Attempt * attempt, the_attempt(Step::working));
  attempt->exit = e;
  free_slot(*attempt);
  note_how_it_ended(*attempt);
  charge(*attempt, charge_of(e, attempt->reserved));
  if (e.exit_code == 0 && e.outcome == AgentOutcome::done && !e.timed_out && !e.stalled && !e.stopped) {
    set_status(task_at(attempt->id.task), TaskStatus::reported, "the agent says that it is done");
  }
  set_step(*attempt, Step::exited);
  return Ok{};
}

Status Applier::on(const CaptureRequested&) {
  BERNSTEIN_TRY(Attempt * attempt, the_attempt(Step::exited));
  return open_intent(*attempt, Step::capturing);
}

Status Applier::on(const WorkCaptured& e) {
  BERNSTEIN_TRY(Attempt * attempt, the_attempt(Step::capturing));
  if (task_at(attempt->id.task).spec.undoes) {
    BERNSTEIN_TRY_VOID(close_intent<RevertRequested>());
  } else {
    BERNSTEIN_TRY_VOID(close_intent<CaptureRequested>());
  }
  attempt->work = e;
  attempt->captured_seq = event_.seq;
  set_step(*attempt, Step::captured);
  return Ok{};
}

Status Applier::on(const PathsGranted& e) {
  BERNSTEIN_TRY(Attempt * attempt, the_attempt(Step::captured));
  attempt->granted.insert(attempt->granted.end(), e.paths.begin(), e.paths.end());
  state_.ready.lease(attempt->id.task, e.paths);
  return Ok{};
}

Status Applier::on(const AttemptFailed& e) {
  BERNSTEIN_TRY(Attempt * attempt, the_attempt_in_flight());
  const bool nothing_under_way = waits_for_decision(attempt->step) || attempt->step == Step::queued ||
                                 attempt->step == Step::candidate || attempt->step == Step::conflicted ||
                                 attempt->step == Step::held;
  if (!nothing_under_way) return corrupt("fails an attempt while an effect of it is under way");
  Task& task = task_at(attempt->id.task);
  attempt->failure = e;
  if (e.class_ == FailureClass::task) ++task.failures;
  if (e.class_ == FailureClass::orchestrator) ++task.losses;
  const bool told_until_when = said_until_when(*attempt);
  if (e.class_ == FailureClass::quota && !told_until_when) ++task.parks;
  if (e.class_ == FailureClass::task) {
    task.failed_arm = attempt->arm;
    task.resolver.reset();
  }
  if (e.class_ == FailureClass::conflict) {
    ++task.conflicts;
    task.resolver = attempt->arm;
  }
  const bool ejected = attempt->examination && attempt->examination->verdict &&
                       attempt->examination->verdict->verdict == Verdict::failed;
  if (ejected) ++state_.ejections;
  task.extra_files.insert(e.paths.begin(), e.paths.end());
  if (e.class_ == FailureClass::environment && state_.halted.empty()) state_.halted = e.why;
  state_.landing_queue.erase(landing_key(*attempt));
  forget_held(attempt->id);
  leave_chain(attempt->id);
  if (state_.landing == attempt->id) state_.landing.reset();
  if (attempt->slot) free_slot(*attempt);
  end_flight(*attempt, Step::ended);
  return Ok{};
}

Status Applier::on(const ParkRequested& e) {
  if (event_.subject != about_run() || state_.parked.contains(e.credential)) return corrupt("parks a credential twice");
  state_.parked[e.credential] = event_.seq;
  state_.trials.erase(e.credential);
  ++state_.park_streak[e.credential];
  open_timer();
  return Ok{};
}

Status Applier::on(const ParkEnded& e) {
  BERNSTEIN_TRY_VOID(close_intent<ParkRequested>());
  const auto park = state_.parked.find(e.credential);
  if (park == state_.parked.end() || park->second != event_.cause) return corrupt("ends no park of this credential");
  state_.parked.erase(park);
  state_.trials[e.credential] = std::nullopt;
  return Ok{};
}

Status Applier::on(const TrialRequested& e) {
  BERNSTEIN_TRY(const Attempt* attempt, the_attempt(Step::prepared));
  const auto trial = state_.trials.find(e.credential);
  if (trial == state_.trials.end() || trial->second != attempt->id)
    return corrupt("times a session that is not on trial");
  open_timer();
  return Ok{};
}

Status Applier::on(const TrialEnded& e) {
  BERNSTEIN_TRY_VOID(close_intent<TrialRequested>());
  const auto trial = state_.trials.find(e.credential);
  const AttemptId session{event_.subject.task, event_.subject.attempt};
  if (trial != state_.trials.end() && trial->second == session) state_.trials.erase(trial);
  return Ok{};
}

Status Applier::on(const RewardRecorded& e) {
  BERNSTEIN_TRY(Attempt * attempt, the_attempt());
  if (state_.in_flight.contains(attempt->id)) return corrupt("rewards an attempt before its end");
  if (e.arm != attempt->arm) return corrupt("rewards an arm that the attempt did not have");
  if (!is_credible(e)) return corrupt("is out of range");
  state_.policy.learn(e.arm, attempt->features, e);
  return Ok{};
}

Status Applier::on(const WorktreeRemoveRequested&) {
  BERNSTEIN_TRY(Attempt * attempt, the_attempt());
  const bool leaves_something = attempt->worktree || task_at(attempt->id.task).spec.undoes;
  if (!leaves_something || state_.in_flight.contains(attempt->id))
    return corrupt("removes a worktree that is not left over");
  if (is_work_at_risk(*attempt)) return corrupt("removes a worktree whose work is kept nowhere else");
  return open_intent(*attempt, attempt->step);
}

Status Applier::on(const WorktreeRemoved&) {
  BERNSTEIN_TRY_VOID(close_intent<WorktreeRemoveRequested>());
  BERNSTEIN_TRY(Attempt * attempt, the_attempt());
  attempt->worktree = false;
  return Ok{};
}

Status Applier::on(const EffectFailed& e) {
  auto open = state_.open_intents.find(event_.cause);
  if (open == state_.open_intents.end() || open->second.subject != event_.subject)
    return corrupt("answers no open intent");
  if (type_of(open->second.body) != e.effect) return corrupt("answers an intent of another kind");
  if (is_timer(open->second.body)) return corrupt("says that a timer failed");
  const bool was_sync = std::holds_alternative<CheckoutSyncRequested>(open->second.body);
  const bool was_probe = std::holds_alternative<ProbeRequested>(open->second.body);
  const bool was_removal = std::holds_alternative<WorktreeRemoveRequested>(open->second.body);
  if (was_sync) state_.behind = checkout_stood_at();
  state_.open_intents.erase(open);
  if (was_sync) return finish_sync();  // the landing stands; the checkout is as it was
  if (was_removal) return Ok{};        // `clean` takes what is left
  if (was_probe) return Ok{};          // it was a hint only
  if (event_.subject == about_run()) return fail_target_check(e);
  BERNSTEIN_TRY(Attempt * attempt, the_attempt());
  if (attempt->step == Step::preparing && !state_.in_flight.contains(attempt->id)) {
    attempt->broken = e;  // there is no worktree for the person
    set_step(*attempt, Step::ended);
    return Ok{};
  }
  BERNSTEIN_TRY(attempt, the_attempt_in_flight());
  attempt->broken = e;
  if (attempt->slot) free_slot(*attempt);
  // It may have worked until it was lost, and nobody tells what that cost.
  if (attempt->step == Step::working && attempt->started)
    charge(*attempt, {.spent = {}, .presumed = attempt->reserved});
  set_step(*attempt, Step::broken);
  return Ok{};
}

Attempt& Applier::begin_attempt(Task& task, const TaskAssigned& e, const Arm& arm) {
  Attempt& attempt = task.attempts.emplace_back();
  attempt.id = {event_.subject.task, event_.subject.attempt};
  attempt.arm = arm;
  attempt.owned = e.owned;
  attempt.reserved = {e.reserved_micros, e.reserved_tokens};
  attempt.assigned_at_us = event_.at_us;
  state_.in_flight.insert(attempt.id);
  if (task.resolver) state_.resolving.insert(attempt.id);
  state_.reserved += attempt.reserved;
  const RunConfig& config = config_of(state_);
  const Outlay counted = committed(state_);
  const bool is_beyond = (config.budget_micros && counted.micros > *config.budget_micros) ||
                         (config.budget_tokens && counted.tokens > *config.budget_tokens);
  if (is_beyond) state_.beyond_budget.push_back(attempt.id);
  ++state_.busy_slots;
  state_.with_slot.insert(attempt.id);
  ++state_.busy_agents[arm.agent];
  ++state_.busy_roles[task.spec.role];
  const auto trial = state_.trials.find(credential_of(config_of(state_), arm.agent));
  if (trial != state_.trials.end() && !trial->second) trial->second = attempt.id;
  set_step(attempt, Step::assigned);
  return attempt;
}

Attempt& Applier::begin_without_agent(Task& task, const std::string& who) {
  Attempt& attempt = task.attempts.emplace_back();
  attempt.id = {event_.subject.task, event_.subject.attempt};
  attempt.arm = {.agent = who, .model = "", .tier = ""};
  attempt.slot = false;
  attempt.assigned_at_us = event_.at_us;
  return attempt;
}

void Applier::set_step(Attempt& attempt, Step step) {
  attempt.step = step;
  if (waits_for_decision(step)) {
    state_.due.insert(attempt.id);
  } else {
    state_.due.erase(attempt.id);
  }
}

Status Applier::advance(Step from, Step to) {
  BERNSTEIN_TRY(Attempt * attempt, the_attempt(from));
  set_step(*attempt, to);
  return Ok{};
}

Status Applier::open_intent(Attempt& attempt, Step step) {
  state_.open_intents[event_.seq] = {event_.subject, event_.wall_us, event_.hash, event_.body};
  set_step(attempt, step);
  return Ok{};
}

void Applier::charge(const Attempt& attempt, const Charge& charge) {
  Task& task = task_at(attempt.id.task);
  state_.spent += charge.spent;
  state_.presumed += charge.presumed;
  task.used += charge.spent.micros + charge.presumed.micros;
  // Who costs more than it reserved once is expected to do so again.
  const Outlay& told = charge.spent;
  if (told.micros <= attempt.reserved.micros && told.tokens <= attempt.reserved.tokens) return;
  Outlay& dearest = state_.dearest[outlay_key(attempt.arm, task.spec.complexity)];
  if (told.micros > attempt.reserved.micros) dearest.micros = std::max(dearest.micros, told.micros);
  if (told.tokens > attempt.reserved.tokens) dearest.tokens = std::max(dearest.tokens, told.tokens);
}

void Applier::open_timer() {
  state_.open_intents[event_.seq] = {event_.subject, event_.wall_us, event_.hash, event_.body};
}

// What its session's end tells of the agent and its credential. One that began before a park and ends well after it
// says nothing about what the park is for.
void Applier::note_how_it_ended(const Attempt& attempt) {
  const AgentExited& exit = *attempt.exit;
  const std::string& agent = attempt.arm.agent;
  const std::string credential = credential_of(config_of(state_), agent);
  const bool ended_well = exit.outcome == AgentOutcome::done && !is_crash(exit) && !exit.stopped;
  if (ended_well && !state_.parked.contains(credential)) state_.park_streak.erase(credential);
  if (ended_well) state_.crashed.erase(agent);
  if (is_crash(exit)) state_.crashed[agent].insert(attempt.id.task);
}

// Whoever was to go first has gone. Of one that was lost, or never came to work, nothing is known: another one goes.
void Applier::end_trial(const Attempt& attempt) {
  const auto trial = state_.trials.find(credential_of(config_of(state_), attempt.arm.agent));
  if (trial == state_.trials.end() || trial->second != attempt.id) return;
  if (attempt.exit && !attempt.exit->stopped) {
    state_.trials.erase(trial);
  } else {
    trial->second.reset();
  }
}

void Applier::free_slot(Attempt& attempt) {
  end_trial(attempt);
  attempt.slot = false;
  state_.reserved -= attempt.reserved;
  --state_.busy_slots;
  state_.with_slot.erase(attempt.id);
  auto less = [](std::map<std::string, std::uint32_t>& counts, const std::string& name) {
    auto count = counts.find(name);
    if (--count->second == 0) counts.erase(count);
  };
  less(state_.busy_agents, attempt.arm.agent);
  less(state_.busy_roles, task_at(attempt.id.task).spec.role);
}

void Applier::end_flight(Attempt& attempt, Step step) {
  attempt.ended_at_us = event_.at_us;
  state_.in_flight.erase(attempt.id);
  state_.resolving.erase(attempt.id);
  state_.ready.release(attempt.id.task);
  set_step(attempt, step);
}

}  // namespace bernstein
