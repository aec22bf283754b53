#pragma once
// What `run --dry-run` expects: which tasks run at the same time, how long it takes and what it costs. Pure.
//
//     Forecast forecast = forecast_of(state);       // state: RunStarted and PlanAccepted, settled; nothing else
//
// Estimates from the plan alone, in integers:
//   makespan   the plan's estimated_minutes, list-scheduled in the order of the real scheduler (priority, longer chain,
//   id)
//              under max_agents, role and agent slots and file ownership: mid as estimated, low half of that, high
//              double
//   cost       per task a share of the ceiling of one attempt (decide/budget.hpp): low a quarter, mid a half, high two
//   whole
//              attempts; summed over the tasks
//   waves      the same schedule with every task of one length

#include <cstdint>
#include <map>
#include <vector>

#include "bernstein/state/run_state.hpp"

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
};

Forecast forecast_of(const RunState& state);

// Every task that must land before this one, stages written out. Ascending, each once.
std::vector<TaskId> prerequisites_of(const RunState& state, const Task& task);

}  // namespace bernstein::cli
