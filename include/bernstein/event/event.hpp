#pragma once
// Every kind of event there is. One struct for each, in inputs.hpp, decisions.hpp, effects.hpp or timers.hpp; docs/event-log.md
// says for each when it is written and what follows from it. Names are facts in the past tense; intents end in
// "Requested".
//
//     Event e{.seq = 7, .run = RunId{1}, .subject = {TaskId{4}, 2}, .body = AgentExited{.exit_code = 0}};
//     kind_of(e.body), type_of(e.body), version_of(e.body)
//
// To add one: a struct in one of them and its place in EventBody, its on() in src/state/applier.hpp, its entry in
// docs/event-log.md. The compiler and the tests find the rest.

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "bernstein/base/id.hpp"
#include "bernstein/base/units.hpp"
#include "bernstein/event/decisions.hpp"
#include "bernstein/event/effects.hpp"
#include "bernstein/event/inputs.hpp"
#include "bernstein/event/record.hpp"
#include "bernstein/event/terms.hpp"
#include "bernstein/event/timers.hpp"

namespace bernstein {

using EventBody =
    std::variant<RunStarted, PlanWanted, PlanAccepted, PlanApproved, RunResumed, RunPaused, RunContinued,
                 StopRequested,                                                                         // inputs
                 LandingApproved, RetryWanted, UndoWanted, AgentStarted, AgentStalled, AgentRecovered,  //
                 PlanAdopted, PlanFailed, TaskSplit, SplitWanted,                                       // decisions
                 TaskCreated, TaskReadied, RouteChosen, TaskAssigned, PathsGranted, LandingQueued, ChecksBegun,  //
                 CheckAbandoned, CheckReused, CheckFlaked, LandingHeld, TaskHandedOver, VerdictReached, AttemptFailed,
                 RewardRecorded, TaskRetried, TaskFailed, TaskBlocked, RunFinished, WorktreeRequested, WorktreeReady,
                 SpawnRequested, AgentExited, CaptureRequested, WorkCaptured, PlanReadRequested, PlanRead,  // effects
                 RevertRequested, ProbeRequested, ProbeFinished, CandidateRequested, CandidateBuilt,
                 CandidateConflicted, RecallRequested, Recalled, CheckRequested, CheckFinished, MergeRequested,
                 MergeLanded, MergeRefused, CheckoutSyncRequested, CheckoutSynced, WorktreeRemoveRequested,
                 WorktreeRemoved, ParkRequested, ParkEnded, TrialRequested, TrialEnded, EffectFailed>;

Kind kind_of(const EventBody& body);
std::string_view type_of(const EventBody& body);
int version_of(const EventBody& body);

// What an event is about: the run (both 0), a task (attempt 0), an attempt, or a session of the planner (task 0).
struct Subject {
  TaskId task;
  std::uint32_t attempt = 0;
  auto operator<=>(const Subject&) const = default;
};
inline Subject about_run() {
  return {};
}
inline Subject about(TaskId task) {
  return {task, 0};
}
inline Subject about(AttemptId attempt) {
  return {attempt.task, attempt.number};
}
std::string to_string(Subject subject);  // "run", "t4", "t4.2", "plan.1"
std::optional<Subject> parse_subject(std::string_view text);

// An event before it has a place in the log.
struct Draft {
  Subject subject;
  EventBody body;
  bool operator==(const Draft&) const = default;
};

// An event in its place. The columns mean what record.hpp says.
struct Event {
  Seq seq = 0;
  RunId run;
  std::int64_t run_seq = 0;
  Seq cause = 0;
  Subject subject;
  Micros at_us = 0;
  Micros wall_us = 0;
  EventBody body;
  Digest hash{};
};

}  // namespace bernstein
