#pragma once
// Rehearsal: a plan carried out by the scheduler's rules (priority, longer chain, id; slots of the run, of roles and of
// agents; file ownership), with what each attempt comes to told instead of done. Pure.
//
//     const Rehearsed rehearsed = rehearse(state, [&](const Task& task, std::uint32_t failures) { return prospect; });
//     rehearsed.makespan_us
//
// An attempt holds a slot until its agent has ended and its files until it has landed or failed; checks run
// `landing.max_checks` at once, in the order in which agents end. With one agent at most, one task ends before the next
// begins. A task is tried `limits.attempts` times; what depends on one that does not land never starts. Conflicts,
// batches of checks, parked agents, budgets and splits are left out.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "bernstein/state/run_state.hpp"

namespace bernstein::cli {

// What an attempt will come to.
struct Prospect {
  std::string agent;
  std::int64_t cost_micros = 0;
  Micros agent_us = 0;
  Micros check_us = 0;
  bool lands = true;
};
// Of the attempt of a task after so many failures.
using Foresight = std::function<Prospect(const Task& task, std::uint32_t failures)>;

struct Rehearsed {
  struct Start {
    Micros at_us = 0;
    TaskId task;
  };
  std::vector<Start> starts;  // of attempts, in order
  std::int64_t cost_micros = 0;
  Micros makespan_us = 0;  // until the last attempt ends
};

// `state`: its tasks are created; whatever has become of them is passed over.
Rehearsed rehearse(const RunState& state, const Foresight& foresee);

}  // namespace bernstein::cli
