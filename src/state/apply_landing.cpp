#include "applier.hpp"

namespace bernstein {

Status Applier::on(const LandingQueued&) {
  BERNSTEIN_TRY(Attempt * attempt, the_attempt());
  if (attempt->id.task == k_planning) return corrupt("is to land what the planner left");
  const bool interrupted = attempt->step == Step::candidate && attempt->failed_check && attempt->failed_check->stopped;
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

Status Applier::on(const CandidateRequested&) {
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

Status Applier::on(const CandidateBuilt& e) {
  BERNSTEIN_TRY_VOID(close_intent<CandidateRequested>());
  BERNSTEIN_TRY(Attempt * attempt, the_attempt(Step::composing));
  attempt->candidate_base = e.base;
  attempt->candidate_tree = e.tree;
  state_.target_tip = e.base;
  set_step(*attempt, Step::candidate);
  return Ok{};
}

Status Applier::on(const CandidateConflicted& e) {
  BERNSTEIN_TRY_VOID(close_intent<CandidateRequested>());
  BERNSTEIN_TRY(Attempt * attempt, the_attempt(Step::composing));
  attempt->conflicts = e.paths;
  state_.target_tip = e.base;
  set_step(*attempt, Step::conflicted);
  return Ok{};
}

Status Applier::on(const CheckRequested& e) {
  BERNSTEIN_TRY(Attempt * attempt, the_attempt(Step::candidate));
  const std::optional<CheckSpec> next = next_check(*attempt);
  if (!next || e.check != *next || e.tree != attempt->candidate_tree)
    return corrupt("is not the candidate's next check");
  if (e.check.type == CheckType::command) attempt->checkout = true;
  return open_intent(*attempt, Step::checking);
}

Status Applier::on(const CheckFinished& e) {
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

Status Applier::on(const CheckReused& e) {
  BERNSTEIN_TRY(Attempt * attempt, the_attempt(Step::candidate));
  const std::optional<CheckSpec> next = next_check(*attempt);
  if (!next || e.name != next->name || e.tree != attempt->candidate_tree)
    return corrupt("is not the candidate's next check");
  auto known = state_.verdicts.find(verdict_key(e.tree, *next));
  if (known == state_.verdicts.end() || known->second.verdict != e.verdict)
    return corrupt("reuses a verdict that nobody reached");
  return take_check(
      *attempt,
      {.name = e.name, .output = known->second.output, .tree = e.tree, .verdict = e.verdict, .why = known->second.why});
}

Status Applier::on(const VerdictReached& e) {
  BERNSTEIN_TRY(Attempt * attempt, the_attempt(Step::candidate));
  if (e.verdict == Verdict::failed) return Ok{};
  if (attempt->failed_check || next_check(*attempt)) return corrupt("calls verified what did not pass all its checks");
  set_status(task_at(attempt->id.task), TaskStatus::verified, e.why);
  return Ok{};
}

Status Applier::on(const MergeRequested& e) {
  BERNSTEIN_TRY(Attempt * attempt, the_attempt(Step::candidate));
  const Task& task = task_at(attempt->id.task);
  // Only what was verified can land: there is no other way to this step.
  if (task.status != TaskStatus::verified) return corrupt("lands what was not verified");
  if (e.tree != attempt->candidate_tree) return corrupt("lands another tree than the one that was checked");
  if (e.base != attempt->candidate_base) return corrupt("lands on another commit than the one it was merged with");
  return open_intent(*attempt, Step::landing);
}

Status Applier::on(const MergeLanded& e) {
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

Status Applier::on(const MergeRefused& e) {
  BERNSTEIN_TRY_VOID(close_intent<MergeRequested>());
  BERNSTEIN_TRY(Attempt * attempt, the_attempt(Step::landing));
  state_.target_tip = e.actual;
  state_.landing.reset();
  set_step(*attempt, Step::queued);
  state_.landing_queue.insert(landing_key(*attempt));
  set_status(task_at(attempt->id.task), TaskStatus::verifying, "the target moved: its turn comes again");
  return Ok{};
}

Status Applier::on(const CheckoutSyncRequested&) {
  BERNSTEIN_TRY(Attempt * attempt, the_attempt(Step::landed));
  return open_intent(*attempt, Step::syncing);
}

Status Applier::on(const CheckoutSynced& e) {
  const std::string stood_at = checkout_stood_at();
  BERNSTEIN_TRY_VOID(close_intent<CheckoutSyncRequested>());
  state_.behind = e.outcome == SyncOutcome::left_alone ? stood_at : "";
  return finish_sync();
}

// The check that comes next for the candidate; nothing when all have passed or one has not.
std::optional<CheckSpec> Applier::next_check(const Attempt& attempt) const {
  if (attempt.failed_check) return std::nullopt;
  const std::vector<CheckSpec> checks = checks_of(state_, attempt.id.task);
  if (attempt.next_check >= checks.size()) return std::nullopt;
  return checks[attempt.next_check];
}

LandingKey Applier::landing_key(const Attempt& attempt) const {
  return {task_of(state_, attempt.id.task).spec.priority, attempt.captured_seq, attempt.id};
}

Status Applier::take_check(Attempt& attempt, const CheckFinished& check) {
  if (check.verdict == CheckVerdict::passed && !check.stopped) {
    ++attempt.next_check;
  } else {
    attempt.failed_check = check;
  }
  set_step(attempt, Step::candidate);
  return Ok{};
}

// Of the open sync that this event answers: once left behind, a checkout stays there however many landings follow.
std::string Applier::checkout_stood_at() const {
  const auto open = state_.open_intents.find(event_.cause);
  const auto* sync =
      open == state_.open_intents.end() ? nullptr : std::get_if<CheckoutSyncRequested>(&open->second.body);
  if (sync == nullptr) return "";
  return sync->behind.empty() ? sync->from : sync->behind;
}

Status Applier::finish_sync() {
  BERNSTEIN_TRY(Attempt * attempt, the_attempt(Step::syncing));
  set_step(*attempt, Step::ended);
  state_.landing.reset();
  return Ok{};
}

}  // namespace bernstein
