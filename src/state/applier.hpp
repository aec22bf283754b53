#pragma once
// Applies one event to the state. There is an on() for each kind of event, which states what the event changes and
// refuses one that cannot follow; everything that is derived from the facts is kept up to date by the few helpers
// below.
//
//     apply.cpp            the run, its tasks, and finding what an event is about
//     apply_planning.cpp   the planner: goals, and tasks that are split
//     apply_attempt.cpp    an attempt from its start to its end
//     apply_landing.cpp    candidate, checks, landing

#include <optional>
#include <string>
#include <vector>

#include "bernstein/base/result.hpp"
#include "bernstein/event/event.hpp"
#include "bernstein/state/run_state.hpp"

namespace bernstein {

class Applier {
 public:
  Applier(RunState& state, const Event& event) : state_(state), event_(event) {}

  Status apply();

 private:
  // ---- the run and its tasks ----

  Status on(const RunStarted& e);
  Status on(const RunResumed& e);
  Status on(const RunPaused& e);
  Status on(const RunContinued&);
  Status on(const PlanAccepted& e);
  Status on(const PlanApproved&);
  Status on(const StopRequested& e);
  Status on(const RunFinished& e);
  Status on(const TaskCreated& e);
  Status on(const TaskReadied& e);
  Status on(const TaskRetried& e);
  Status on(const TaskFailed& e);
  Status on(const TaskBlocked& e);
  Status on(const RouteChosen& e);

  // ---- the planner ----

  Status on(const PlanWanted&);
  Status on(const PlanReadRequested&);
  Status on(const PlanRead& e);
  Status on(const PlanAdopted&);
  Status on(const PlanFailed& e);
  Status on(const SplitWanted& e);
  Status on(const TaskSplit& e);

  // ---- an attempt ----

  Status on(const TaskAssigned& e);
  Status on(const TaskHandedOver& e);
  Status on(const RetryWanted&);
  Status on(const UndoWanted&);
  Status on(const RevertRequested& e);
  Status on(const WorktreeRequested& e);
  Status on(const WorktreeReady&);
  Status on(const SpawnRequested&);
  Status on(const AgentStarted&);
  Status on(const AgentStalled& e);
  Status on(const AgentRecovered&);
  Status on(const AgentExited& e);
  Status on(const CaptureRequested&);
  Status on(const WorkCaptured& e);
  Status on(const PathsGranted& e);
  Status on(const AttemptFailed& e);
  Status on(const ParkRequested& e);
  Status on(const ParkEnded& e);
  Status on(const TrialRequested& e);
  Status on(const TrialEnded& e);
  Status on(const RewardRecorded&);
  Status on(const WorktreeRemoveRequested&);
  Status on(const WorktreeRemoved&);
  Status on(const EffectFailed& e);

  // ---- landing ----

  Status on(const LandingQueued&);
  Status on(const LandingHeld& e);
  Status on(const LandingApproved&);
  Status on(const ProbeRequested& e);
  Status on(const ProbeFinished& e);
  Status on(const CandidateRequested& e);
  Status on(const CandidateBuilt& e);
  Status on(const CandidateConflicted& e);
  Status on(const ChecksBegun& e);
  Status on(const CheckAbandoned&);
  Status on(const CheckFlaked& e);
  Status on(const RecallRequested& e);
  Status on(const Recalled& e);
  Status on(const CheckRequested& e);
  Status on(const CheckFinished& e);
  Status on(const CheckReused& e);
  Status on(const VerdictReached& e);
  Status on(const MergeRequested& e);
  Status on(const MergeLanded& e);
  Status on(const MergeRefused& e);
  Status on(const CheckoutSyncRequested&);
  Status on(const CheckoutSynced& e);

  // ---- finding; a refusal where it is not as the event says ----

  Error corrupt(const std::string& what) const;
  Result<Task*> the_task(TaskStatus expected);
  // A task whose last attempt has just failed.
  Result<Task*> the_task_in_flight();
  Result<Attempt*> the_attempt();
  Result<Attempt*> the_attempt(Step expected);
  Result<Attempt*> the_attempt_in_flight();
  // What the rest relies on; the plan's reader promises it (plan/plan.hpp).
  Status check_plan(const PlanAccepted& plan) const;

  // Of a task that exists, or the planner's.
  Task& task_at(TaskId id) { return id == k_planning ? state_.planning.task : state_.tasks.at(id); }

  // ---- changing tasks ----

  Status take_plan(const PlanAccepted& plan);
  void set_status(Task& task, TaskStatus status, const std::string& why);
  Status make_ready(Task& task, const std::string& why);
  void unlock(TaskId id);
  void unlock_dependents(const TaskSpec& landed);
  void block_dependents(const TaskSpec& lost);
  void unblock_dependents(const TaskSpec& revived);
  void forget_red();
  Status adopt_policy(const std::vector<ArmExperience>& experiences);
  using LostOfStages = std::map<std::uint32_t, std::optional<TaskId>>;  // found so far: each is searched once
  std::optional<TaskId> what_is_lost(const TaskSpec& spec, TaskId but_for, LostOfStages& lost_of_stages) const;
  Status create_undo(const TaskCreated& e);

  // ---- changing what the planner is at ----

  // The same of the parts of a task (planner/answer.hpp).
  Status check_parts(const std::vector<TaskSpec>& parts, const TaskSpec& whole) const;
  Status take_parts(const PlanRead& read, const Task& whole);
  Status assign_planner(const TaskAssigned& e);
  // What the run's agents call the model; the model itself where they do not list it.
  std::string tier_of(const std::string& name, const std::string& model) const;

  // ---- changing attempts ----

  Attempt& begin_attempt(Task& task, const TaskAssigned& e, const Arm& arm);
  // One that no agent works on: it holds no slot.
  Attempt& begin_without_agent(Task& task, const std::string& who);
  void set_step(Attempt& attempt, Step step);
  Status advance(Step from, Step to);
  Status open_intent(Attempt& attempt, Step step);
  void open_timer();
  void note_how_it_ended(const Attempt& attempt);
  void end_trial(const Attempt& attempt);
  void free_slot(Attempt& attempt);
  void charge(const Attempt& attempt, const Charge& charge);
  void end_flight(Attempt& attempt, Step step);

  template <class Intent>
  Status close_intent() {
    auto open = state_.open_intents.find(event_.cause);
    if (open == state_.open_intents.end() || open->second.subject != event_.subject)
      return corrupt("answers no open intent");
    if (!std::holds_alternative<Intent>(open->second.body)) return corrupt("answers an intent of another kind");
    state_.open_intents.erase(open);
    return Ok{};
  }

  // ---- changing what lands ----

  LandingKey landing_key(const Attempt& attempt) const;
  void forget_held(AttemptId id);
  void leave_chain(AttemptId id);
  void move_target(const std::string& commit);
  template <class Intent>
  Status take_base(const std::string& base) {
    const auto open = state_.open_intents.find(event_.cause);
    const auto* request = open == state_.open_intents.end() ? nullptr : std::get_if<Intent>(&open->second.body);
    if (request == nullptr) return corrupt("answers no open intent");
    const Intent asked = *request;
    BERNSTEIN_TRY_VOID(close_intent<Intent>());
    return note_base(asked, base);
  }
  Status note_base(const CandidateRequested& request, const std::string& base);

  // ---- changing what is checked: a candidate, or the target itself where the event is about the run ----

  // `may_be_new`: a candidate that nobody has begun to check is given one.
  Result<Examination*> the_examination(Step expected, bool may_be_new = false);
  Status wait_for_examination(Step step);
  Status go_on_with_examination();
  static void begin_again(std::optional<Examination>& examination, Examination fresh, const ChecksBegun& e);
  Status begin_target_check(const ChecksBegun& e);
  static const CheckSpec* next_check(const Examination& examination);
  static bool is_complete(const Examination& examination);
  bool is_vouched() const;
  Status take_check(Examination& examination, const CheckFinished& check);
  Status fail_target_check(const EffectFailed& e);
  // Of the open sync that this event answers: once left behind, a checkout stays there however many landings follow.
  std::string checkout_stood_at() const;
  Status finish_sync();

  RunState& state_;
  const Event& event_;
};

}  // namespace bernstein
