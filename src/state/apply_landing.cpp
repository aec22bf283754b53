#include <algorithm>
#include <utility>

#include "applier.hpp"
#include "bernstein/state/chain.hpp"

namespace bernstein {

// ---- the queue and the chain ----

Status Applier::on(const LandingQueued&) {
  BERNSTEIN_TRY(Attempt * attempt, the_attempt());
  if (attempt->id.task == k_planning) return corrupt("is to land what the planner left");
  if (attempt->step == Step::held) {
    attempt->held.reset();
    forget_held(attempt->id);
  } else if (attempt->step == Step::captured) {
    attempt->arrival = state_.arrivals++;
  } else {
    return corrupt("comes out of order");
  }
  set_step(*attempt, Step::queued);
  state_.landing_queue.insert(landing_key(*attempt));
  return Ok{};
}

Status Applier::on(const CandidateRequested& e) {
  BERNSTEIN_TRY(Attempt * attempt, the_attempt());
  const bool is_in_chain = std::ranges::find(state_.chain, attempt->id) != state_.chain.end();
  const bool waits = is_in_chain ? attempt->step == Step::candidate || attempt->step == Step::conflicted
                                 : attempt->step == Step::queued;
  if (!waits || e.commit != attempt->work->commit) return corrupt("comes out of order");
  if (!is_in_chain) {
    state_.landing_queue.erase(landing_key(*attempt));
    state_.chain.push_back(attempt->id);
  }
  attempt->candidate.reset();
  attempt->conflicted_with.clear();
  attempt->conflicts.clear();
  attempt->examination.reset();
  set_status(task_at(attempt->id.task), TaskStatus::verifying, "in the landing queue");
  return open_intent(*attempt, Step::composing);
}

Status Applier::on(const CandidateBuilt& e) {
  BERNSTEIN_TRY_VOID(take_base<CandidateRequested>(e.base));
  BERNSTEIN_TRY(Attempt * attempt, the_attempt(Step::composing));
  attempt->candidate = e;
  set_step(*attempt, Step::candidate);
  return Ok{};
}

Status Applier::on(const CandidateConflicted& e) {
  BERNSTEIN_TRY_VOID(take_base<CandidateRequested>(e.base));
  BERNSTEIN_TRY(Attempt * attempt, the_attempt(Step::composing));
  attempt->conflicted_with = e.base;
  attempt->conflicts = e.paths;
  set_step(*attempt, Step::conflicted);
  return Ok{};
}

Status Applier::on(const LandingHeld& e) {
  BERNSTEIN_TRY(Attempt * attempt, the_attempt(Step::candidate));
  const std::optional<VerdictReached> verdict = attempt->examination ? attempt->examination->verdict : std::nullopt;
  const bool is_red = verdict && verdict->verdict == Verdict::failed;
  if (e.reason == Hold::base_red && !(is_red && is_target_red(state_)))
    return corrupt("blames a target that is not red");
  if (e.reason == Hold::approval && is_red) return corrupt("shows a person what did not pass");
  attempt->held = e;
  state_.held.insert(attempt->id);
  if (e.reason == Hold::base_red) state_.held_by_red_target.insert(attempt->id);
  if (e.reason == Hold::approval && attempt->approved) state_.to_release.insert(attempt->id);
  leave_chain(attempt->id);
  attempt->candidate.reset();
  attempt->examination.reset();
  const bool is_good = e.reason == Hold::approval;
  set_status(task_at(attempt->id.task), is_good ? TaskStatus::verified : TaskStatus::verifying, e.why);
  set_step(*attempt, Step::held);
  return Ok{};
}

Status Applier::on(const LandingApproved&) {
  const auto task = state_.tasks.find(event_.subject.task);
  if (task == state_.tasks.end() || task->second.attempts.empty()) return corrupt("approves what is not there");
  Attempt& attempt = task->second.attempts.back();
  attempt.approved = true;
  const bool waits = state_.held.contains(attempt.id) && attempt.held->reason == Hold::approval;
  if (waits) state_.to_release.insert(attempt.id);
  return Ok{};
}

Status Applier::on(const ProbeRequested& e) {
  BERNSTEIN_TRY(const Attempt* attempt, the_attempt(Step::queued));
  if (!attempt->work || e.commit != attempt->work->commit) return corrupt("asks about another commit");
  state_.open_intents[event_.seq] = {event_.subject, event_.wall_us, event_.hash, event_.body};
  return Ok{};
}

Status Applier::on(const ProbeFinished& e) {
  BERNSTEIN_TRY_VOID(close_intent<ProbeRequested>());
  BERNSTEIN_TRY(Attempt * attempt, the_attempt());
  attempt->foreseen.clear();
  for (const auto& [name, paths] : e.conflicts) {
    const std::optional<AttemptId> other = parse_attempt_id(name);
    if (!other) return corrupt("names no attempt");
    attempt->foreseen[*other] = paths;
  }
  return Ok{};
}

// ---- checks ----

Status Applier::on(const ChecksBegun& e) {
  if (event_.subject == about_run()) return begin_target_check(e);
  BERNSTEIN_TRY(Attempt * attempt, the_attempt(Step::candidate));
  if (!attempt->candidate || e.tree != attempt->candidate->tree)
    return corrupt("checks another tree than the candidate's");
  if (attempt->examination && attempt->examination->verdict) return corrupt("checks anew what has a verdict");
  std::vector<TaskId> tasks;
  Examination fresh{.tree = e.tree};
  for (const std::string& name : e.covers) {
    const std::optional<AttemptId> covered = parse_attempt_id(name);
    if (!covered || std::ranges::find(state_.chain, *covered) == state_.chain.end())
      return corrupt("covers an attempt that is not ahead of it");
    fresh.covers.push_back(*covered);
    tasks.push_back(covered->task);
  }
  tasks.push_back(attempt->id.task);
  fresh.checks = checks_of(state_, tasks);
  begin_again(attempt->examination, std::move(fresh), e);
  return Ok{};
}

Status Applier::begin_target_check(const ChecksBegun& e) {
  std::optional<Examination> before;
  if (state_.target_check && state_.target_check->waits) return corrupt("comes out of order");
  const bool again = state_.target_check && state_.target_check->commit == state_.target_tip;
  if (again) before = state_.target_check->examination;
  begin_again(before, {.tree = e.tree, .checks = checks_of(state_, {})}, e);
  state_.target_check = TargetCheck{.commit = state_.target_tip, .examination = *std::move(before)};
  return Ok{};
}

// What is begun once more, after an interruption or because a red is not believed, keeps what it has been through.
void Applier::begin_again(std::optional<Examination>& examination, Examination fresh, const ChecksBegun& e) {
  if (examination && examination->tree == e.tree) {
    const bool interrupted = examination->failed && examination->failed->stopped && !examination->abandoned;
    fresh.interruptions = examination->interruptions + (interrupted ? 1U : 0U);
    fresh.recalled = examination->recalled;
  }
  fresh.begun = true;
  fresh.rerun = e.rerun;
  examination = std::move(fresh);
}

Status Applier::on(const RecallRequested& e) {
  BERNSTEIN_TRY(Examination * examination, the_examination(Step::candidate));
  if (examination->recalled || examination->next > 0 || e.tree != examination->tree)
    return corrupt("comes out of order");
  return wait_for_examination(Step::recalling);
}

Status Applier::on(const Recalled& e) {
  const auto open = state_.open_intents.find(event_.cause);
  if (open == state_.open_intents.end()) return corrupt("answers no open intent");
  const auto* request = std::get_if<RecallRequested>(&open->second.body);
  if (request == nullptr) return corrupt("answers an intent of another kind");
  if (e.passed.size() != request->checks.size()) return corrupt("answers for other checks than it was asked for");
  for (std::size_t i = 0; i < e.passed.size(); ++i) {
    if (e.passed[i] == 0) continue;
    state_.verdicts.try_emplace(verdict_key(request->tree, request->checks[i]),
                                KnownVerdict{CheckVerdict::passed, e.passed[i], "passed in an earlier run", ""});
  }
  BERNSTEIN_TRY_VOID(close_intent<RecallRequested>());
  BERNSTEIN_TRY(Examination * examination, the_examination(Step::recalling));
  examination->recalled = true;
  return go_on_with_examination();
}

Status Applier::on(const CheckRequested& e) {
  BERNSTEIN_TRY(Examination * examination, the_examination(Step::candidate));
  const CheckSpec* next = next_check(*examination);
  if (next == nullptr || e.check != *next || e.tree != examination->tree)
    return corrupt("is not the tree's next check");
  if (e.check.type == CheckType::command) examination->checkout = true;
  return wait_for_examination(Step::checking);
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
  BERNSTEIN_TRY(Examination * examination, the_examination(Step::checking));
  const bool about_the_tree = !e.stopped && e.verdict != CheckVerdict::error;
  if (about_the_tree) {
    const auto known = state_.verdicts.find(key);
    const bool passed = e.verdict == CheckVerdict::passed;
    const bool contradicts =
        known != state_.verdicts.end() && (known->second.verdict == CheckVerdict::passed) != passed;
    if (contradicts) examination->flaked = e.name;
    state_.verdicts[key] = {e.verdict, event_.seq, e.why, e.output};
  }
  return take_check(*examination, e);
}

Status Applier::on(const CheckReused& e) {
  BERNSTEIN_TRY(Examination * examination, the_examination(Step::candidate));
  const CheckSpec* next = next_check(*examination);
  if (next == nullptr || e.name != next->name || e.tree != examination->tree)
    return corrupt("is not the tree's next check");
  const auto known = state_.verdicts.find(verdict_key(e.tree, *next));
  if (known == state_.verdicts.end() || known->second.verdict != e.verdict)
    return corrupt("reuses a verdict that nobody reached");
  return take_check(
      *examination,
      {.name = e.name, .output = known->second.output, .tree = e.tree, .verdict = e.verdict, .why = known->second.why});
}

Status Applier::on(const CheckAbandoned&) {
  BERNSTEIN_TRY(Examination * examination, the_examination(Step::checking));
  examination->abandoned = true;
  return Ok{};
}

Status Applier::on(const CheckFlaked& e) {
  BERNSTEIN_TRY(Examination * examination, the_examination(Step::candidate));
  if (examination->flaked != e.name) return corrupt("calls a check flaky that did not contradict itself");
  examination->flaked.clear();
  ++state_.flakes[e.name];
  return Ok{};
}

Status Applier::on(const VerdictReached& e) {
  BERNSTEIN_TRY(Examination * examination, the_examination(Step::candidate, true));
  const bool is_red = e.verdict == Verdict::failed;
  if (is_red ? !examination->failed : !is_complete(*examination) && !is_vouched())
    return corrupt(is_red ? "fails what did not fail a check" : "calls verified what did not pass all its checks");
  if (examination->verdict) return corrupt("says twice what became of it");
  examination->verdict = e;
  if (event_.subject != about_run() && !is_red) {
    set_status(task_at(event_.subject.task), TaskStatus::verified, e.why);
  }
  return Ok{};
}

// ---- landing ----

Status Applier::on(const MergeRequested& e) {
  BERNSTEIN_TRY(Attempt * attempt, the_attempt(Step::candidate));
  const Task& task = task_at(attempt->id.task);
  // Only what was verified can land: there is no other way to this step.
  if (task.status != TaskStatus::verified) return corrupt("lands what was not verified");
  if (state_.landing || state_.chain.front() != attempt->id) return corrupt("lands before its turn");
  if (!attempt->candidate || e.commit != attempt->candidate->commit || e.tree != attempt->candidate->tree)
    return corrupt("lands another commit than the one that was checked");
  if (e.base != attempt->candidate->base || e.base != state_.target_tip)
    return corrupt("lands on another commit than the one it stands on");
  if (config_of(state_).approve_merge && !attempt->approved) return corrupt("lands what nobody has approved");
  state_.landing = attempt->id;
  return open_intent(*attempt, Step::landing);
}

Status Applier::on(const MergeLanded& e) {
  BERNSTEIN_TRY_VOID(close_intent<MergeRequested>());
  BERNSTEIN_TRY(Attempt * attempt, the_attempt(Step::landing));
  attempt->merge_commit = e.commit;
  leave_chain(attempt->id);
  move_target(e.commit);
  ++state_.landings;
  end_flight(*attempt, Step::landed);
  Task& task = task_at(attempt->id.task);
  set_status(task, TaskStatus::landed, "landed as " + e.commit);
  if (task.spec.undoes) {
    Task& undone = task_at(*task.spec.undoes);
    undone.undone_by = task.spec.id;
    if (undone.spec.undoes) task_at(*undone.spec.undoes).undone_by.reset();  // what was taken back is there again
  } else {
    unlock_dependents(task.spec);
  }
  return Ok{};
}

Status Applier::on(const MergeRefused& e) {
  BERNSTEIN_TRY_VOID(close_intent<MergeRequested>());
  BERNSTEIN_TRY(Attempt * attempt, the_attempt(Step::landing));
  move_target(e.actual);
  state_.landing.reset();
  set_step(*attempt, Step::candidate);
  set_status(task_at(attempt->id.task), TaskStatus::verifying, "the target moved: it is put together anew");
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

// ---- what these have in common ----

LandingKey Applier::landing_key(const Attempt& attempt) const {
  const std::uint32_t priority = task_of(state_, attempt.id.task).spec.priority;
  return {attempt.arrival + k_overtaken_max * (priority - 1), attempt.arrival, attempt.id};
}

void Applier::forget_held(AttemptId id) {
  state_.held.erase(id);
  state_.held_by_red_target.erase(id);
  state_.to_release.erase(id);
}

void Applier::leave_chain(AttemptId id) {
  std::erase(state_.chain, id);
}

void Applier::move_target(const std::string& commit) {
  state_.target_tip = commit;
  if (state_.target_check && !state_.target_check->waits && state_.target_check->commit != commit)
    state_.target_check.reset();
}

// The first of the chain is merged with the target as it stands, which may not be where we thought.
Status Applier::note_base(const CandidateRequested& request, const std::string& base) {
  if (request.onto.empty()) {
    move_target(base);
  } else if (request.onto != base) {
    return corrupt("was merged with another commit than the one ahead of it");
  }
  return Ok{};
}

Result<Examination*> Applier::the_examination(Step expected, bool may_be_new) {
  if (event_.subject == about_run()) {
    const bool waits = expected != Step::candidate;
    if (!state_.target_check || state_.target_check->waits != waits) return corrupt("comes out of order");
    return &state_.target_check->examination;
  }
  BERNSTEIN_TRY(Attempt * attempt, the_attempt(expected));
  if (!attempt->examination && may_be_new && attempt->candidate) {
    attempt->examination = Examination{.tree = attempt->candidate->tree};
  }
  if (!attempt->examination) return corrupt("comes out of order");
  return &*attempt->examination;
}

Status Applier::wait_for_examination(Step step) {
  if (event_.subject == about_run()) {
    state_.target_check->waits = true;
    state_.open_intents[event_.seq] = {event_.subject, event_.wall_us, event_.hash, event_.body};
    return Ok{};
  }
  BERNSTEIN_TRY(Attempt * attempt, the_attempt());
  return open_intent(*attempt, step);
}

Status Applier::go_on_with_examination() {
  if (event_.subject == about_run()) {
    state_.target_check->waits = false;
    move_target(state_.target_tip);  // it may have moved meanwhile
    return Ok{};
  }
  BERNSTEIN_TRY(Attempt * attempt, the_attempt());
  set_step(*attempt, Step::candidate);
  return Ok{};
}

// The check that comes next; nothing when all have passed or one has not.
const CheckSpec* Applier::next_check(const Examination& examination) {
  if (examination.failed || examination.next >= examination.checks.size()) return nullptr;
  return &examination.checks[examination.next];
}

bool Applier::is_complete(const Examination& examination) {
  return examination.begun && !examination.failed && examination.next == examination.checks.size();
}

// One that stands on it was checked in its place too.
bool Applier::is_vouched() const {
  if (event_.subject == about_run()) return false;
  const AttemptId id{event_.subject.task, event_.subject.attempt};
  const std::vector<Link> links = links_of(state_);
  return std::ranges::any_of(links, [&](const Link& link) { return link.attempt == id && link.landable; });
}

Status Applier::take_check(Examination& examination, const CheckFinished& check) {
  if (check.verdict == CheckVerdict::passed && !check.stopped) {
    ++examination.next;
  } else {
    examination.failed = check;
  }
  return go_on_with_examination();
}

// The target could not be checked: nobody knows whether it is red.
Status Applier::fail_target_check(const EffectFailed& e) {
  BERNSTEIN_TRY(Examination * examination, the_examination(Step::checking));
  return take_check(*examination,
                    {.name = e.effect, .tree = examination->tree, .verdict = CheckVerdict::error, .why = e.message});
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
