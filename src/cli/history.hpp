#pragma once
// What attempts came to, over one run or over all of them: the facts that reports and forecasts are made of. A fold of
// events, as RunState is, but of few fields and of many runs at once.
//
//     BERNSTEIN_TRY(const History history, read_history(reader, std::nullopt));
//     for (const auto& [key, attempt] : history.attempts) attempt.usage.cost_micros
//
// Attempts are those on which an agent worked, sessions of the planner among them (their task is k_planning, "plan").
// What a person made of a conflict, and what takes a landing back, is no attempt here: nobody was paid for it.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "bernstein/event/event.hpp"
#include "bernstein/port/event_log.hpp"

namespace bernstein::cli {

enum class AttemptEnd { under_way, landed, planned, failed };  // planned: its answer was adopted as the plan

struct AttemptFacts {
  std::string agent;
  std::string model;
  UsdMicros reserved;
  Micros begun_wall_us = 0;
  bool exited = false;  // its agent has; what follows up to `usage` is known from then on
  Micros exited_wall_us = 0;
  Micros duration_us = 0;  // of its agent
  CostSource cost_source = CostSource::unknown;
  Usage usage;
  std::optional<Micros> checked_us;  // all checks of it together; nothing: none has run
  AttemptEnd end = AttemptEnd::under_way;
  FailureClass failure = FailureClass::task;  // of a failed one
  Seq ended_seq = 0;                          // the event that ended it; 0: under way
};

struct TaskFacts {
  TaskSpec spec;
  std::uint32_t landed_by = 0;      // the attempt, with or without an agent; 0: it has not landed
  std::optional<TaskId> undone_by;  // the task that took its landing back
};

struct RunFacts {
  Seq first_seq = 0;  // of its RunStarted; 0: there is none, the log was altered
  Micros begun_wall_us = 0;
  RunStarted started;
  std::optional<UsdMicros> budget;    // as a resume may have changed it
  std::optional<PlanAccepted> plan;   // that a person wrote; a run that began with a goal has none
  std::optional<RunOutcome> outcome;  // nothing: it has not ended
  Micros makespan_us = 0;             // on its own clock, when it ended
};

using TaskKey = std::pair<RunId, TaskId>;
using AttemptKey = std::pair<RunId, AttemptId>;

struct History {
  std::map<RunId, RunFacts> runs;
  std::map<TaskKey, TaskFacts> tasks;
  std::map<AttemptKey, AttemptFacts> attempts;
};

// Events of any runs, each run's in order. Those that tell nothing here are passed over.
void note(History& history, const Event& event);

// Whether events of this type tell something here: the others need not be decoded.
bool is_noted(std::string_view type);

// All runs, up to and including `until` where it is given. Hashes are not looked at: `audit` does.
Result<History> read_history(port::EventReader& reader, std::optional<Seq> until);

// Whether its work is on the target, and was not taken back since.
bool stands(const History& history, const TaskKey& task);
// Whether an attempt's work is what stands there.
bool stands(const History& history, const AttemptKey& attempt);

}  // namespace bernstein::cli
