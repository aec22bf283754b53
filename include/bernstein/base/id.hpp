#pragma once
// Identities. All are small counters, so they sort, print and compare the same on every machine.
//
//     RunId{1}            prints as "r1"
//     TaskId{4}           prints as "t4", numbered within its run in plan order
//     AttemptId{{4}, 2}   prints as "t4.2", the second attempt of t4
//     session_name(RunId{1}, AttemptId{{4}, 2})   "session-r1-t4.2": worktree directory and branch suffix
//     checkout_name(RunId{1}, AttemptId{{4}, 2})  "check-r1-t4.2": directory that its candidate is checked in
//     AttemptId{k_planning, 1}                    prints as "plan.1", the planner's first session of a run
//
// parse_* accept what a person may type: "r3" or "3"; "t4" or "4"; "t4.2" or "plan.1".

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bernstein {

struct RunId {
  std::uint32_t number = 0;
  auto operator<=>(const RunId&) const = default;
};

struct TaskId {
  std::uint32_t number = 0;
  auto operator<=>(const TaskId&) const = default;
};

// The planner's sessions are numbered through a run as attempts of no task of the plan (state/run_state.hpp).
inline constexpr TaskId k_planning{0};

struct AttemptId {
  TaskId task;
  std::uint32_t number = 0;  // from 1
  auto operator<=>(const AttemptId&) const = default;
};

// Position of an event in state.db: gapless from 1 over all runs.
using Seq = std::int64_t;

std::string to_string(RunId run);
std::string to_string(TaskId task);
std::string to_string(AttemptId attempt);
std::string session_name(RunId run, AttemptId attempt);
std::string checkout_name(RunId run, AttemptId attempt);
std::string plan_file_name(RunId run);  // "plans/r1.yaml" in .sdd: the plan that was made for a goal

std::optional<RunId> parse_run_id(std::string_view text);
std::optional<TaskId> parse_task_id(std::string_view text);
std::optional<AttemptId> parse_attempt_id(std::string_view text);

}  // namespace bernstein
