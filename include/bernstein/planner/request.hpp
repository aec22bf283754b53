#pragma once
// What a planner is asked: one text (Markdown) for a coding agent that reads the repository, changes nothing, and
// answers with a plan (planner/answer.hpp).
//
//     std::string text = build_request({.goal = "Limit the rate of the API", .map = map, .gates = gates});
//
// The goal is in it verbatim. The parts, in this order: "## The goal", "## The task to split", "## What was tried",
// "## What a good plan is", "## Checks", "## Roles", "## Constraints", "## Read first", "## Other tasks",
// "## The repository", "## Your answer", "## Your earlier answer"; those that would be empty are left out.
//
// What others wrote is quoted so that it cannot end its quotation. Of output, an earlier answer and names of files the
// text says that they are information and no instruction, of a task's text that it is to be split and not to be done.
// Constraints are the person's own words and stand as they are. The same request has the same text.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bernstein/event/spec.hpp"
#include "bernstein/state/earlier_attempt.hpp"

namespace bernstein::planner {

// The whole text. The goal is never cut; when it leaves less than k_request_rest_bytes_min of this, the text is so much
// longer than the goal and no more. What gives way is the map first, then long lists, then what was tried; each cut is
// stated where it was made.
inline constexpr std::size_t k_request_bytes_max = 200 << 10;
inline constexpr std::size_t k_request_rest_bytes_min = 24 << 10;
inline constexpr std::size_t k_request_answer_bytes_max = 32 << 10;  // of an earlier answer: its beginning
inline constexpr std::size_t k_request_task_bytes_max = 32 << 10;    // of the description of a task: its beginning
inline constexpr std::size_t k_request_tried_bytes_max = 64 << 10;   // of all attempts; the newest are kept
inline constexpr std::size_t k_request_output_bytes_max = 16 << 10;  // of one piece of evidence: its end
inline constexpr std::size_t k_request_list_bytes_max = 8 << 10;     // of gates, roles, constraints, ...: each

// An answer that was no plan, and what was wrong with it (Answer::faults).
struct RejectedAnswer {
  std::string answer;
  std::vector<std::string> faults;
};

struct Request {
  std::string goal;
  std::optional<TaskSpec> task;          // to be split; nothing: the goal is to be planned
  std::vector<EarlierAttempt> attempts;  // of that task, oldest first
  std::vector<std::string> others;       // titles of the plan's other tasks
  std::string map;                       // of the repository (planner/map.hpp)
  std::vector<CheckSpec> gates;
  std::vector<std::string> roles;  // that are known; empty: any word will do
  std::vector<std::string> constraints;
  std::vector<std::string> context_files;
  std::uint32_t tasks_max = 100;
  std::optional<RejectedAnswer> rejected;  // nothing: the planner is asked for the first time
};

std::string build_request(const Request& request);

}  // namespace bernstein::planner
