#pragma once
// Budgets: what an attempt may take out of them, and whether there is enough left to start one.
//
// There are two, of money and of tokens (for plans with a flat rate); a run may have either, both or none, and both are
// kept in the same way. An attempt reserves what it is expected to use at most before it starts, and starts only if
//
//     spent + presumed + reserved + its own reservation <= budget
//
// so this holds in every prefix of the log as long as agents use what was reserved (state/invariants.cpp looks at it).
// What agents do not tell is presumed to be what they reserved (state/outlay.hpp).
//
// The expectation is a ceiling by complexity, which scope halves (small) or doubles (large):
//
//                 money      tokens
//     low         $0.25        150k
//     medium      $1           500k
//     high        $3           1.5M
//
//   - no more than what is left of the task's own ceiling (`limits.task_cost`, a step's `budget`);
//   - at least the most that an attempt by the same agent, model and complexity used which used more than it had
//     reserved: so whoever does so overshoots once, with those that were at work beside it.
//
// When less than that is left and nothing is in flight, a last attempt gets what is left, unless that is less than a
// tenth of it (1 / k_least_share), or than what an attempt of its kind is known to have used. So a run uses its budget
// up, ends instead of waiting for ever, and overshoots by less than one attempt's ceiling where agents keep to theirs.

#include <cstdint>
#include <optional>
#include <string>

#include "bernstein/state/run_state.hpp"

namespace bernstein {

inline constexpr std::int64_t k_least_share = 10;

// What one attempt of the task is expected to use at most: the table above.
Outlay attempt_ceiling(const TaskSpec& spec);

// What its next attempt, by this arm, would reserve if the budgets were large enough.
Outlay expected_outlay(const RunState& state, const Task& task, const Arm& arm);

// What it does reserve; nothing when a budget does not allow it now.
std::optional<Outlay> reservation(const RunState& state, const Task& task, const Arm& arm);

// Why the task gets no other attempt, for its own ceiling; "" when it may have one. A first attempt, also after a
// person's retry, may always be made.
std::string own_ceiling_in_words(const RunState& state, const Task& task);

// Which budget leaves less than the attempt is expected to use: "the budget leaves less than its $2.00".
std::string shortage_in_words(const RunState& state, const Outlay& expected);

// Why the run ends, and what goes on with it, where the budgets do not allow the task's next attempt.
std::string end_of_budget_in_words(const RunState& state, const Task& task, const Arm& arm);

}  // namespace bernstein
