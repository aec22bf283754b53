#include "bernstein/state/apply.hpp"

#include <utility>

#include "bernstein/base/overloaded.hpp"

namespace bernstein {
namespace {

bool waits_for_decision(Step step) {
  switch (step) {
    case Step::assigned:
    case Step::prepared:
    case Step::exited:
    case Step::captured:
    case Step::answered:
    case Step::candidate:
    case Step::landed:
    case Step::conflicted:
    case Step::broken:
      return true;
    case Step::preparing:
    case Step::working:
    case Step::capturing:
    case Step::reading:
    case Step::queued:
    case Step::composing:
    case Step::checking:
    case Step::landing:
    case Step::syncing:
    case Step::ended:
    case Step::count_:
      return false;
  }
  return false;
}

// Applies one event. Each on() states what the event changes; everything derived from it is kept up to date by the few
// helpers at the end.
class Applier {
 public:
  Applier(RunState& state, const Event& event) : state_(state), event_(event) {}

  Status apply() {
    if (event_.seq <= state_.last_seq) return corrupt("does not follow " + std::to_string(state_.last_seq));
    const bool starts = std::holds_alternative<RunStarted>(event_.body);
    if (starts == state_.started.has_value()) return corrupt(starts ? "starts a run twice" : "comes before RunStarted");
    if (!starts && event_.run != state_.run)
      return corrupt("is of " + to_string(event_.run) + ", not of " + to_string(state_.run));
    if (state_.finished && !is_observed(kind_of(event_.body))) return corrupt("comes after RunFinished");
    BERNSTEIN_TRY_VOID(std::visit([this](const auto& body) { return on(body); }, event_.body));
    state_.last_seq = event_.seq;
    state_.at_us = event_.at_us;
    return Ok{};
  }

 private:
  // ---- the run ----

  Status on(const RunStarted& e) {
    state_.run = event_.run;
    state_.started = e;
    state_.target_tip = e.target_tip;
    state_.behind = e.behind;
    state_.epoch = 1;
    state_.planning.task.spec.id = k_planning;
    state_.planning.task.spec.title = state_.planning.task.spec.description = "the plan";
    state_.planning.task.spec.role = "planner";
    return Ok{};
  }

  // Why nothing went on no longer holds. What was asked for and has no result yet is still asked for.
  Status on(const RunResumed& e) {
    if (e.epoch != state_.epoch + 1) return corrupt("is of epoch " + std::to_string(e.epoch) + ", not the next one");
    state_.epoch = e.epoch;
    state_.behind = e.behind;
    // Limits that are lowered now hold for what starts from here on.
    state_.money_at_resume = state_.spent + state_.presumed + state_.reserved;
    state_.slots_at_resume = state_.busy_slots;
    state_.stop.reset();
    state_.paused.reset();
    state_.halted.clear();
    state_.finished.reset();
    state_.target_tip = e.target_tip;
    if (e.budget_micros) state_.started->config.budget_micros = e.budget_micros;
    if (e.max_agents) state_.started->config.max_agents = *e.max_agents;
    return Ok{};
  }

  Status on(const RunPaused& e) {
    if (!state_.finished) state_.paused = e;
    return Ok{};
  }
  Status on(const RunContinued&) {
    state_.paused.reset();
    return Ok{};
  }

  Status on(const PlanAccepted& e) {
    if (state_.planning.wanted) return corrupt("brings a plan where the planner is to make one");
    return take_plan(e);
  }

  Status on(const PlanApproved&) {
    if (!state_.plan) return corrupt("approves a plan that is not there");
    state_.approved = true;
    return Ok{};
  }

  Status on(const StopRequested& e) {
    const bool too_late = state_.finished.has_value();
    if (!too_late && (!state_.stop || e.mode == StopMode::now)) state_.stop = e;
    return Ok{};
  }

  Status on(const RunFinished& e) {
    state_.finished = e;
    return Ok{};
  }

  // ---- the planner ----

  Status on(const PlanWanted&) {
    if (state_.plan || state_.planning.wanted) return corrupt("comes after a plan or a goal");
    if (!config_of(state_).planner) return corrupt("is for a planner, and the run has none");
    state_.planning.wanted = true;
    return Ok{};
  }

  Status on(const PlanReadRequested&) {
    BERNSTEIN_TRY(Attempt * attempt, the_attempt(Step::captured));
    if (attempt->id.task != k_planning) return corrupt("reads the answer of no planner");
    return open_intent(*attempt, Step::reading);
  }
  Status on(const PlanRead& e) {
    BERNSTEIN_TRY_VOID(close_intent<PlanReadRequested>());
    BERNSTEIN_TRY(Attempt * attempt, the_attempt(Step::reading));
    attempt->answer = e;
    set_step(*attempt, Step::answered);
    return Ok{};
  }

  Status on(const PlanAdopted&) {
    BERNSTEIN_TRY(Attempt * attempt, the_attempt(Step::answered));
    const PlanRead& read = *attempt->answer;
    if (!read.faults.empty() || !state_.planning.question) return corrupt("adopts what cannot be used");
    if (!state_.planned.empty()) return corrupt("adopts a second answer to one question");
    if (*state_.planning.question == k_planning) {
      BERNSTEIN_TRY_VOID(take_plan({read.name, read.source, read.stages, read.tasks}));
    } else {
      BERNSTEIN_TRY_VOID(take_parts(read, state_.tasks.at(*state_.planning.question)));
    }
    end_flight(*attempt, Step::ended);
    return Ok{};
  }

  Status on(const PlanFailed& e) {
    if (state_.planning.question != k_planning || is_planner_at_work()) return corrupt("fails no plan");
    state_.planning.question.reset();
    state_.planning.failed = e.why;
    return Ok{};
  }

  Status on(const SplitWanted& e) {
    BERNSTEIN_TRY(Task * task, the_task_in_flight());
    if (!config_of(state_).planner || task->spec.part_of) return corrupt("asks nobody to split a task, or a part");
    if (!state_.planning.to_split.insert(task->spec.id).second) return corrupt("asks twice to split a task");
    set_status(*task, TaskStatus::waiting, e.why);
    return Ok{};
  }

  Status on(const TaskSplit& e) {
    BERNSTEIN_TRY(Task * task, the_task(TaskStatus::waiting));
    const TaskId whole = task->spec.id;
    if (state_.planning.question != whole || state_.planned.empty()) return corrupt("splits a task into nothing");
    std::vector<TaskId> parts;
    for (const TaskSpec& part : state_.planned) parts.push_back(part.id);
    if (e.parts != parts) return corrupt("names other parts than the planner did");
    state_.planning.question.reset();
    state_.planning.to_split.erase(whole);
    task->parts = e.parts;
    // The last part waits for the others: whoever waited for the whole waits for it.
    if (auto waiting = state_.dependents.extract(whole); !waiting.empty()) {
      waiting.key() = parts.back();
      state_.dependents.insert(std::move(waiting));
    }
    state_.stages[task->spec.stage].unlanded += static_cast<std::uint32_t>(parts.size()) - 1;
    set_status(*task, TaskStatus::split, e.why);
    return Ok{};
  }

  // ---- tasks ----

  Status on(const TaskCreated& e) {
    if (state_.planned.empty()) return corrupt("creates a task that nobody has planned");
    const std::size_t first = state_.planned.front().id.number;  // ids have no gaps
    const std::size_t next = state_.tasks.size() + 1 - first;
    const std::optional<TaskId> whole = state_.planned.front().part_of;
    if (whole && state_.tasks.at(*whole).status != TaskStatus::split)
      return corrupt("creates a part of a task that was not split");
    if (next >= state_.planned.size() || e.spec != state_.planned[next] || event_.subject != about(e.spec.id)) {
      return corrupt("is not the plan's next task");
    }
    Task task{.spec = e.spec, .chain_minutes = e.chain_minutes};
    for (TaskId needed : e.spec.depends_on) state_.dependents[needed].push_back(e.spec.id);
    for (std::uint32_t stage : e.spec.depends_on_stages) {
      state_.stages[stage].dependents.push_back(e.spec.id);
    }
    task.open_prerequisites = static_cast<std::uint32_t>(e.spec.depends_on.size() + e.spec.depends_on_stages.size());
    if (task.open_prerequisites == 0) state_.to_ready.insert(e.spec.id);
    ++state_.count_by_status[TaskStatus::waiting];
    state_.tasks.emplace(e.spec.id, std::move(task));
    if (next + 1 == state_.planned.size()) state_.planned.clear();
    return Ok{};
  }

  Status on(const TaskReadied& e) {
    BERNSTEIN_TRY(Task * task, the_task(TaskStatus::waiting));
    if (state_.planning.to_split.contains(task->spec.id)) return corrupt("readies a task that is to be split");
    state_.to_ready.erase(task->spec.id);
    return make_ready(*task, e.why);
  }

  Status on(const TaskRetried& e) {
    BERNSTEIN_TRY(Task * task, the_task_in_flight());
    if (state_.planning.to_split.contains(task->spec.id)) return corrupt("retries a task that is to be split");
    return make_ready(*task, e.why);
  }

  Status on(const TaskFailed& e) {
    BERNSTEIN_TRY(Task * task, the_task_in_flight());
    const TaskId id = task->spec.id;
    if (state_.planning.to_split.erase(id) > 0) {
      const bool may_be_split = state_.planning.question != id || is_planner_at_work() || !state_.planned.empty();
      if (may_be_split) return corrupt("gives up while it may be split");
      state_.planning.question.reset();
    }
    set_status(*task, TaskStatus::failed, e.why);
    block_dependents(task->spec);
    return Ok{};
  }

  Status on(const TaskBlocked& e) {
    BERNSTEIN_TRY(Task * task, the_task(TaskStatus::waiting));
    if (state_.planning.to_split.contains(task->spec.id)) return corrupt("blocks a task that is to be split");
    state_.to_block.erase(task->spec.id);
    set_status(*task, TaskStatus::blocked, e.why);
    block_dependents(task->spec);
    return Ok{};
  }

  Status on(const RouteChosen& e) {
    BERNSTEIN_TRY(Task * task, the_task(TaskStatus::ready));
    task->route = e;
    return Ok{};
  }

  // ---- an attempt, from its start ----

  Status on(const TaskAssigned& e) {
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

  Status on(const WorktreeRequested& e) {
    BERNSTEIN_TRY(Attempt * attempt, the_attempt(Step::assigned));
    attempt->base = e.base;
    attempt->worktree = true;
    return open_intent(*attempt, Step::preparing);
  }
  Status on(const WorktreeReady&) {
    BERNSTEIN_TRY_VOID(close_intent<WorktreeRequested>());
    return advance(Step::preparing, Step::prepared);
  }

  Status on(const SpawnRequested&) {
    BERNSTEIN_TRY(Attempt * attempt, the_attempt(Step::prepared));
    return open_intent(*attempt, Step::working);
  }
  Status on(const AgentStarted&) {
    BERNSTEIN_TRY(Attempt * attempt, the_attempt(Step::working));
    attempt->started = true;
    return Ok{};
  }
  Status on(const AgentStalled& e) {
    BERNSTEIN_TRY(Attempt * attempt, the_attempt(Step::working));
    attempt->silent_us = e.silent_us;
    return Ok{};
  }
  Status on(const AgentRecovered&) {
    BERNSTEIN_TRY(Attempt * attempt, the_attempt(Step::working));
    attempt->silent_us = 0;
    return Ok{};
  }
  Status on(const AgentExited& e) {
    BERNSTEIN_TRY_VOID(close_intent<SpawnRequested>());
    BERNSTEIN_TRY(Attempt * attempt, the_attempt(Step::working));
    attempt->exit = e;
    free_slot(*attempt);
    const bool may_not_work = e.outcome == AgentOutcome::quota || e.outcome == AgentOutcome::overload;
    if (may_not_work) {
      ++state_.park_streak[attempt->arm.agent];
    } else if (e.outcome == AgentOutcome::done) {
      state_.park_streak.erase(attempt->arm.agent);
    }
    if (e.usage.cost_micros) {
      state_.spent += *e.usage.cost_micros;
    } else {
      state_.presumed += attempt->reserved;
    }
    if (e.exit_code == 0 && e.outcome == AgentOutcome::done && !e.timed_out && !e.stalled && !e.stopped) {
      set_status(task_at(attempt->id.task), TaskStatus::reported, "the agent says that it is done");
    }
    set_step(*attempt, Step::exited);
    return Ok{};
  }

  Status on(const CaptureRequested&) {
    BERNSTEIN_TRY(Attempt * attempt, the_attempt(Step::exited));
    return open_intent(*attempt, Step::capturing);
  }
  Status on(const WorkCaptured& e) {
    BERNSTEIN_TRY_VOID(close_intent<CaptureRequested>());
    BERNSTEIN_TRY(Attempt * attempt, the_attempt(Step::capturing));
    attempt->work = e;
    attempt->captured_seq = event_.seq;
    set_step(*attempt, Step::captured);
    return Ok{};
  }

  Status on(const PathsGranted& e) {
    BERNSTEIN_TRY(Attempt * attempt, the_attempt(Step::captured));
    attempt->granted.insert(attempt->granted.end(), e.paths.begin(), e.paths.end());
    state_.ready.lease(attempt->id.task, e.paths);
    return Ok{};
  }

  // ---- landing ----

  Status on(const LandingQueued&) {
    BERNSTEIN_TRY(Attempt * attempt, the_attempt());
    if (attempt->id.task == k_planning) return corrupt("is to land what the planner left");
    const bool interrupted =
        attempt->step == Step::candidate && attempt->failed_check && attempt->failed_check->stopped;
    if (interrupted) {
      ++attempt->interruptions;
      attempt->failed_check.reset();
      attempt->next_check = 0;
      attempt->checkout = false;
      state_.landing.reset();
    } else if (attempt->step != Step::captured) {
      return corrupt("comes out of order");
    }
    set_step(*attempt, Step::queued);
    state_.landing_queue.insert(landing_key(*attempt));
    return Ok{};
  }

  Status on(const CandidateRequested&) {
    BERNSTEIN_TRY(Attempt * attempt, the_attempt(Step::queued));
    if (state_.landing) return corrupt("takes up a landing while another one is under way");
    state_.landing_queue.erase(landing_key(*attempt));
    state_.landing = attempt->id;
    attempt->next_check = 0;
    attempt->checkout = false;
    attempt->failed_check.reset();
    set_status(task_at(attempt->id.task), TaskStatus::verifying, "its turn to land");
    return open_intent(*attempt, Step::composing);
  }
  Status on(const CandidateBuilt& e) {
    BERNSTEIN_TRY_VOID(close_intent<CandidateRequested>());
    BERNSTEIN_TRY(Attempt * attempt, the_attempt(Step::composing));
    attempt->candidate_base = e.base;
    attempt->candidate_tree = e.tree;
    state_.target_tip = e.base;
    set_step(*attempt, Step::candidate);
    return Ok{};
  }
  Status on(const CandidateConflicted& e) {
    BERNSTEIN_TRY_VOID(close_intent<CandidateRequested>());
    BERNSTEIN_TRY(Attempt * attempt, the_attempt(Step::composing));
    attempt->conflicts = e.paths;
    state_.target_tip = e.base;
    set_step(*attempt, Step::conflicted);
    return Ok{};
  }

  Status on(const CheckRequested& e) {
    BERNSTEIN_TRY(Attempt * attempt, the_attempt(Step::candidate));
    const std::optional<CheckSpec> next = next_check(*attempt);
    if (!next || e.check != *next || e.tree != attempt->candidate_tree)
      return corrupt("is not the candidate's next check");
    if (e.check.type == CheckType::command) attempt->checkout = true;
    return open_intent(*attempt, Step::checking);
  }
  Status on(const CheckFinished& e) {
    const auto open = state_.open_intents.find(event_.cause);
    if (open == state_.open_intents.end()) return corrupt("answers no open intent");
    const auto* request = std::get_if<CheckRequested>(&open->second.body);
    if (request == nullptr) return corrupt("answers an intent of another kind");
    if (e.name != request->check.name || e.tree != request->tree)
      return corrupt("is about another check than the one requested");
    const std::string key = verdict_key(e.tree, request->check);
    BERNSTEIN_TRY_VOID(close_intent<CheckRequested>());
    BERNSTEIN_TRY(Attempt * attempt, the_attempt(Step::checking));
    const bool about_the_tree = !e.stopped && e.verdict != CheckVerdict::error;
    if (about_the_tree) state_.verdicts[key] = {e.verdict, event_.seq, e.why, e.output};
    return take_check(*attempt, e);
  }
  Status on(const CheckReused& e) {
    BERNSTEIN_TRY(Attempt * attempt, the_attempt(Step::candidate));
    const std::optional<CheckSpec> next = next_check(*attempt);
    if (!next || e.name != next->name || e.tree != attempt->candidate_tree)
      return corrupt("is not the candidate's next check");
    auto known = state_.verdicts.find(verdict_key(e.tree, *next));
    if (known == state_.verdicts.end() || known->second.verdict != e.verdict)
      return corrupt("reuses a verdict that nobody reached");
    return take_check(*attempt, {.name = e.name,
                                 .output = known->second.output,
                                 .tree = e.tree,
                                 .verdict = e.verdict,
                                 .why = known->second.why});
  }

  Status on(const VerdictReached& e) {
    BERNSTEIN_TRY(Attempt * attempt, the_attempt(Step::candidate));
    if (e.verdict == Verdict::failed) return Ok{};
    if (attempt->failed_check || next_check(*attempt))
      return corrupt("calls verified what did not pass all its checks");
    set_status(task_at(attempt->id.task), TaskStatus::verified, e.why);
    return Ok{};
  }

  Status on(const MergeRequested& e) {
    BERNSTEIN_TRY(Attempt * attempt, the_attempt(Step::candidate));
    const Task& task = task_at(attempt->id.task);
    // Only what was verified can land: there is no other way to this step.
    if (task.status != TaskStatus::verified) return corrupt("lands what was not verified");
    if (e.tree != attempt->candidate_tree) return corrupt("lands another tree than the one that was checked");
    if (e.base != attempt->candidate_base) return corrupt("lands on another commit than the one it was merged with");
    return open_intent(*attempt, Step::landing);
  }
  Status on(const MergeLanded& e) {
    BERNSTEIN_TRY_VOID(close_intent<MergeRequested>());
    BERNSTEIN_TRY(Attempt * attempt, the_attempt(Step::landing));
    attempt->merge_commit = e.commit;
    state_.target_tip = e.commit;
    end_flight(*attempt, Step::landed);
    Task& task = task_at(attempt->id.task);
    set_status(task, TaskStatus::landed, "landed as " + e.commit);
    unlock_dependents(task.spec);
    return Ok{};
  }
  Status on(const MergeRefused& e) {
    BERNSTEIN_TRY_VOID(close_intent<MergeRequested>());
    BERNSTEIN_TRY(Attempt * attempt, the_attempt(Step::landing));
    state_.target_tip = e.actual;
    state_.landing.reset();
    set_step(*attempt, Step::queued);
    state_.landing_queue.insert(landing_key(*attempt));
    set_status(task_at(attempt->id.task), TaskStatus::verifying, "the target moved: its turn comes again");
    return Ok{};
  }

  Status on(const CheckoutSyncRequested&) {
    BERNSTEIN_TRY(Attempt * attempt, the_attempt(Step::landed));
    return open_intent(*attempt, Step::syncing);
  }
  Status on(const CheckoutSynced& e) {
    const std::string stood_at = checkout_stood_at();
    BERNSTEIN_TRY_VOID(close_intent<CheckoutSyncRequested>());
    state_.behind = e.outcome == SyncOutcome::left_alone ? stood_at : "";
    return finish_sync();
  }

  // ---- its end ----

  Status on(const AttemptFailed& e) {
    BERNSTEIN_TRY(Attempt * attempt, the_attempt_in_flight());
    const bool nothing_under_way = waits_for_decision(attempt->step) || attempt->step == Step::queued;
    if (!nothing_under_way) return corrupt("fails an attempt while an effect of it is under way");
    Task& task = task_at(attempt->id.task);
    attempt->failure = e;
    if (e.class_ == FailureClass::task) ++task.failures;
    if (e.class_ == FailureClass::orchestrator) ++task.losses;
    if (e.class_ == FailureClass::quota) ++task.parks;
    task.extra_files.insert(e.paths.begin(), e.paths.end());
    if (e.class_ == FailureClass::environment && state_.halted.empty()) state_.halted = e.why;
    state_.landing_queue.erase(landing_key(*attempt));
    if (state_.landing == attempt->id) state_.landing.reset();
    if (attempt->slot) free_slot(*attempt);
    end_flight(*attempt, Step::ended);
    return Ok{};
  }

  Status on(const ParkRequested& e) {
    if (event_.subject != about_run() || state_.parked.contains(e.agent)) return corrupt("parks an agent twice");
    state_.parked[e.agent] = event_.seq;
    state_.open_intents[event_.seq] = {event_.subject, event_.wall_us, event_.hash, event_.body};
    return Ok{};
  }
  Status on(const ParkEnded& e) {
    BERNSTEIN_TRY_VOID(close_intent<ParkRequested>());
    const auto park = state_.parked.find(e.agent);
    if (park == state_.parked.end() || park->second != event_.cause) return corrupt("ends no park of this agent");
    state_.parked.erase(park);
    return Ok{};
  }

  Status on(const RewardRecorded&) {
    BERNSTEIN_TRY(Attempt * attempt, the_attempt());
    if (state_.in_flight.contains(attempt->id)) return corrupt("rewards an attempt before its end");
    return Ok{};
  }

  Status on(const WorktreeRemoveRequested&) {
    BERNSTEIN_TRY(Attempt * attempt, the_attempt());
    if (!attempt->worktree || state_.in_flight.contains(attempt->id))
      return corrupt("removes a worktree that is not left over");
    if (is_work_at_risk(*attempt)) return corrupt("removes a worktree whose work is kept nowhere else");
    return open_intent(*attempt, attempt->step);
  }
  Status on(const WorktreeRemoved&) {
    BERNSTEIN_TRY_VOID(close_intent<WorktreeRemoveRequested>());
    BERNSTEIN_TRY(Attempt * attempt, the_attempt());
    attempt->worktree = false;
    attempt->checkout = false;
    return Ok{};
  }

  Status on(const EffectFailed& e) {
    auto open = state_.open_intents.find(event_.cause);
    if (open == state_.open_intents.end() || open->second.subject != event_.subject)
      return corrupt("answers no open intent");
    if (type_of(open->second.body) != e.effect) return corrupt("answers an intent of another kind");
    const bool was_sync = std::holds_alternative<CheckoutSyncRequested>(open->second.body);
    const bool was_removal = std::holds_alternative<WorktreeRemoveRequested>(open->second.body);
    if (was_sync) state_.behind = checkout_stood_at();
    state_.open_intents.erase(open);
    if (was_sync) return finish_sync();  // the landing stands; the checkout is as it was
    if (was_removal) return Ok{};        // `clean` takes what is left
    BERNSTEIN_TRY(Attempt * attempt, the_attempt_in_flight());
    attempt->broken = e;
    if (attempt->slot) free_slot(*attempt);
    set_step(*attempt, Step::broken);
    return Ok{};
  }

  // ---- helpers: finding ----

  Error corrupt(const std::string& what) const {
    return {ErrorCode::corrupt, "event " + std::to_string(event_.seq) + " (" + std::string(type_of(event_.body)) + " " +
                                    to_string(event_.subject) + ") " + what};
  }

  Result<Task*> the_task(TaskStatus expected) {
    auto found = state_.tasks.find(event_.subject.task);
    if (found == state_.tasks.end()) return corrupt("is about a task that does not exist");
    if (found->second.status != expected) {
      return corrupt("finds the task " + std::string(to_word(found->second.status)) + ", not " +
                     std::string(to_word(expected)));
    }
    return &found->second;
  }

  // A task whose last attempt has just failed.
  Result<Task*> the_task_in_flight() {
    auto found = state_.tasks.find(event_.subject.task);
    if (found == state_.tasks.end()) return corrupt("is about a task that does not exist");
    Task& task = found->second;
    if (task.attempts.empty() || !task.attempts.back().failure || is_terminal(task.status) ||
        task.status == TaskStatus::ready) {
      return corrupt("does not follow a failed attempt");
    }
    return &task;
  }

  Result<Attempt*> the_attempt() {
    const TaskId id = event_.subject.task;
    const std::uint32_t number = event_.subject.attempt;
    const bool exists = id == k_planning || state_.tasks.contains(id);
    if (!exists || number == 0 || number > task_at(id).attempts.size()) {
      return corrupt("is about an attempt that does not exist");
    }
    return &task_at(id).attempts[number - 1];
  }
  Result<Attempt*> the_attempt(Step expected) {
    BERNSTEIN_TRY(Attempt * attempt, the_attempt());
    if (attempt->step != expected) return corrupt("comes out of order");
    return attempt;
  }
  Result<Attempt*> the_attempt_in_flight() {
    BERNSTEIN_TRY(Attempt * attempt, the_attempt());
    if (!state_.in_flight.contains(attempt->id)) return corrupt("is about an attempt that has ended");
    return attempt;
  }

  // Of a task that exists, or the planner's.
  Task& task_at(TaskId id) { return id == k_planning ? state_.planning.task : state_.tasks.at(id); }

  bool is_planner_at_work() const {
    const std::vector<Attempt>& sessions = state_.planning.task.attempts;
    return !sessions.empty() && state_.in_flight.contains(sessions.back().id);
  }

  // The check that comes next for the candidate; nothing when all have passed or one has not.
  std::optional<CheckSpec> next_check(const Attempt& attempt) const {
    if (attempt.failed_check) return std::nullopt;
    const std::vector<CheckSpec> checks = checks_of(state_, attempt.id.task);
    if (attempt.next_check >= checks.size()) return std::nullopt;
    return checks[attempt.next_check];
  }

  // What the rest relies on; the plan's reader promises it (plan/plan.hpp).
  Status check_plan(const PlanAccepted& plan) const {
    std::vector<std::uint32_t> tasks_of_stage(plan.stages.size(), 0);
    for (std::size_t i = 0; i < plan.tasks.size(); ++i) {
      const TaskSpec& task = plan.tasks[i];
      if (task.id.number != i + 1) return corrupt("does not number its tasks from t1");
      if (task.stage >= plan.stages.size()) return corrupt("has a task in a stage that does not exist");
      if (task.part_of) return corrupt("has a task that is part of another one");
      ++tasks_of_stage[task.stage];
      for (TaskId needed : task.depends_on) {
        if (needed.number < 1 || needed.number > plan.tasks.size())
          return corrupt("has a task that depends on none of its tasks");
      }
      for (std::uint32_t stage : task.depends_on_stages) {
        if (stage >= plan.stages.size()) return corrupt("has a task that depends on none of its stages");
      }
    }
    for (std::size_t i = 0; i < plan.stages.size(); ++i) {
      if (plan.stages[i].tasks != tasks_of_stage[i])
        return corrupt("miscounts the tasks of stage '" + plan.stages[i].name + "'");
    }
    return Ok{};
  }

  // The same of the parts of a task (planner/answer.hpp).
  Status check_parts(const std::vector<TaskSpec>& parts, const TaskSpec& whole) const {
    const std::size_t first = state_.tasks.size() + 1;
    if (parts.empty()) return corrupt("splits a task into nothing");
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const TaskSpec& part = parts[i];
      if (part.id.number != first + i) return corrupt("does not number the parts behind the other tasks");
      if (part.part_of != whole.id || part.stage != whole.stage || !part.depends_on_stages.empty())
        return corrupt("has a part that is none");
      for (TaskId needed : part.depends_on) {
        if (needed.number < first || needed.number >= part.id.number)
          return corrupt("has a part that depends on none before it");
      }
    }
    const std::set<TaskId> last_waits_for(parts.back().depends_on.begin(), parts.back().depends_on.end());
    if (last_waits_for.size() != parts.size() - 1) return corrupt("has a last part that does not wait for the others");
    return Ok{};
  }

  LandingKey landing_key(const Attempt& attempt) const {
    return {task_of(state_, attempt.id.task).spec.priority, attempt.captured_seq, attempt.id};
  }

  // ---- helpers: changing ----

  Status take_plan(const PlanAccepted& plan) {
    if (state_.plan) return corrupt("brings a second plan");
    BERNSTEIN_TRY_VOID(check_plan(plan));
    state_.planning.question.reset();
    state_.plan = plan;
    state_.planned = std::exchange(state_.plan->tasks, {});
    for (const StageSpec& stage : plan.stages)
      state_.stages.push_back({.spec = stage, .unlanded = stage.tasks, .dependents = {}});
    return Ok{};
  }

  Status take_parts(const PlanRead& read, const Task& whole) {
    BERNSTEIN_TRY_VOID(check_parts(read.tasks, whole.spec));
    state_.planned = read.tasks;
    return Ok{};
  }

  Status assign_planner(const TaskAssigned& e) {
    Planning& planning = state_.planning;
    const std::optional<TaskId> question = open_question(state_);
    const std::optional<PlannerSpec>& planner = config_of(state_).planner;
    const bool is_answered = !state_.planned.empty() && planning.question;
    if (!question || !planner || is_answered || is_planner_at_work()) return corrupt("has nothing to ask the planner");
    if (event_.subject.attempt != planning.task.attempts.size() + 1) return corrupt("skips a session");
    if (!planning.question) {
      planning.question = question;
      planning.first_session = planning.task.attempts.size();
      planning.task.failures = planning.task.losses = planning.task.parks = 0;
    }
    begin_attempt(planning.task, e, {.agent = e.agent, .model = e.model, .tier = tier_of(e.agent, e.model)});
    return Ok{};
  }

  // What the run's agents call the model; the model itself where they do not list it.
  std::string tier_of(const std::string& name, const std::string& model) const {
    for (const AgentSpec& agent : config_of(state_).agents) {
      if (agent.name != name) continue;
      for (const ModelSpec& known : agent.models) {
        if (known.name == model) return known.tier;
      }
    }
    return model;
  }

  Attempt& begin_attempt(Task& task, const TaskAssigned& e, const Arm& arm) {
    Attempt& attempt = task.attempts.emplace_back();
    attempt.id = {event_.subject.task, event_.subject.attempt};
    attempt.arm = arm;
    attempt.owned = e.owned;
    attempt.reserved = e.reserved_micros;
    attempt.assigned_at_us = event_.at_us;
    state_.in_flight.insert(attempt.id);
    state_.reserved += e.reserved_micros;
    ++state_.busy_slots;
    ++state_.busy_agents[arm.agent];
    ++state_.busy_roles[task.spec.role];
    set_step(attempt, Step::assigned);
    return attempt;
  }

  void set_status(Task& task, TaskStatus status, const std::string& why) {
    if (task.spec.id == k_planning) return;  // what the planner is at, its sessions say
    auto count = state_.count_by_status.find(task.status);
    if (--count->second == 0) state_.count_by_status.erase(count);
    ++state_.count_by_status[status];
    task.status = status;
    task.why = why;
  }

  void set_step(Attempt& attempt, Step step) {
    attempt.step = step;
    if (waits_for_decision(step)) {
      state_.due.insert(attempt.id);
    } else {
      state_.due.erase(attempt.id);
    }
  }

  Status advance(Step from, Step to) {
    BERNSTEIN_TRY(Attempt * attempt, the_attempt(from));
    set_step(*attempt, to);
    return Ok{};
  }

  Status open_intent(Attempt& attempt, Step step) {
    state_.open_intents[event_.seq] = {event_.subject, event_.wall_us, event_.hash, event_.body};
    set_step(attempt, step);
    return Ok{};
  }

  template <class Intent>
  Status close_intent() {
    auto open = state_.open_intents.find(event_.cause);
    if (open == state_.open_intents.end() || open->second.subject != event_.subject)
      return corrupt("answers no open intent");
    if (!std::holds_alternative<Intent>(open->second.body)) return corrupt("answers an intent of another kind");
    state_.open_intents.erase(open);
    return Ok{};
  }

  Status make_ready(Task& task, const std::string& why) {
    set_status(task, TaskStatus::ready, why);
    const TaskSpec& spec = task.spec;
    std::set<std::string> files(spec.files.begin(), spec.files.end());
    files.insert(task.extra_files.begin(), task.extra_files.end());
    state_.ready.insert({spec.priority, task.chain_minutes, spec.id},
                        {spec.role, spec.agent, spec.model, spec.complexity, spec.scope, task.failures},
                        {files.begin(), files.end()});
    return Ok{};
  }

  void free_slot(Attempt& attempt) {
    attempt.slot = false;
    state_.reserved -= attempt.reserved;
    --state_.busy_slots;
    auto less = [](std::map<std::string, std::uint32_t>& counts, const std::string& name) {
      auto count = counts.find(name);
      if (--count->second == 0) counts.erase(count);
    };
    less(state_.busy_agents, attempt.arm.agent);
    less(state_.busy_roles, task_at(attempt.id.task).spec.role);
  }

  void end_flight(Attempt& attempt, Step step) {
    attempt.ended_at_us = event_.at_us;
    state_.in_flight.erase(attempt.id);
    state_.ready.release(attempt.id.task);
    set_step(attempt, step);
  }

  Status take_check(Attempt& attempt, const CheckFinished& check) {
    if (check.verdict == CheckVerdict::passed && !check.stopped) {
      ++attempt.next_check;
    } else {
      attempt.failed_check = check;
    }
    set_step(attempt, Step::candidate);
    return Ok{};
  }

  // Of the open sync that this event answers: once left behind, a checkout stays there however many landings follow.
  std::string checkout_stood_at() const {
    const auto open = state_.open_intents.find(event_.cause);
    const auto* sync =
        open == state_.open_intents.end() ? nullptr : std::get_if<CheckoutSyncRequested>(&open->second.body);
    if (sync == nullptr) return "";
    return sync->behind.empty() ? sync->from : sync->behind;
  }

  Status finish_sync() {
    BERNSTEIN_TRY(Attempt * attempt, the_attempt(Step::syncing));
    set_step(*attempt, Step::ended);
    state_.landing.reset();
    return Ok{};
  }

  void unlock(TaskId id) {
    Task& task = state_.tasks.at(id);
    if (--task.open_prerequisites == 0 && task.status == TaskStatus::waiting) state_.to_ready.insert(id);
  }
  void unlock_dependents(const TaskSpec& landed) {
    if (auto dependents = state_.dependents.find(landed.id); dependents != state_.dependents.end()) {
      for (TaskId dependent : dependents->second) unlock(dependent);
    }
    Stage& stage = state_.stages[landed.stage];
    if (--stage.unlanded > 0) return;
    for (TaskId dependent : stage.dependents) unlock(dependent);
  }

  void block_dependents(const TaskSpec& lost) {
    auto block = [&](TaskId dependent) {
      if (state_.tasks.at(dependent).status == TaskStatus::waiting) state_.to_block.try_emplace(dependent, lost.id);
    };
    if (auto dependents = state_.dependents.find(lost.id); dependents != state_.dependents.end()) {
      for (TaskId dependent : dependents->second) block(dependent);
    }
    for (TaskId dependent : state_.stages[lost.stage].dependents) block(dependent);
  }

  RunState& state_;
  const Event& event_;
};

}  // namespace

Status apply(RunState& state, const Event& event) {
  return Applier(state, event).apply();
}

}  // namespace bernstein
