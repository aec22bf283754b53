#pragma once
// What is to be expected of a plan: which tasks run at the same time, how long it takes and what it costs. Pure, in
// integers, and the same wherever it is made.
//
//     Result<RunState> state = state_before_work(started, plan);
//     Forecast forecast = forecast_of(*state, Experience(history, before));
//
// The plan is rehearsed (rehearsal.hpp) a few hundred times, fewer where it is large; what each attempt comes to is
// drawn from experience (experience.hpp), by dice that depend on nothing but the rehearsal, the task and the attempt. A
// task is tried until it lands or has used up its attempts, each time by the arm that would be chosen then.
//
//   low, mid, high   of the rehearsals' costs, and of their makespans, a tenth, half and nine tenths are not above it
//   waves            the same schedule with every attempt landing, all of one length
//
// An agent is at work for its agent_timeout at most. Check time is the median of earlier attempts', for tasks that have
// a check; 0 without any.

#include <cstdint>
#include <map>
#include <vector>

#include "bernstein/state/run_state.hpp"
#include "experience.hpp"

namespace bernstein::cli {

struct Range {
  std::int64_t low = 0;
  std::int64_t mid = 0;
  std::int64_t high = 0;
};

struct Forecast {
  std::vector<std::vector<TaskId>> waves;  // each ascending by id
  std::map<TaskId, RouteChosen> routes;    // of the first attempts
  Range makespan_us;
  Range cost_micros;
  std::int64_t rehearsals = 0;
  std::int64_t attempts_seen = 0;  // that it draws from; 0: from what is presumed
};

// The state right after the plan was accepted, folded in memory as the loop would fold it; as if nobody had to approve
// the plan first.
Result<RunState> state_before_work(RunStarted started, const PlanAccepted& plan);

// `state`: as above; nothing has happened since.
Forecast forecast_of(const RunState& state, const Experience& experience);

// "from 34 attempts in this workspace", "no history yet: prior of scope and complexity".
std::string source_words(const Forecast& forecast);

// Every task that must land before this one, stages written out. Ascending, each once.
std::vector<TaskId> prerequisites_of(const RunState& state, const Task& task);

}  // namespace bernstein::cli
