#pragma once
// What an agent is told: one text (Markdown) for each attempt, the same for every agent.
//
//     std::string prompt = agent::build_prompt({.task = spec, .gates = gates, .attempt = 2, .earlier = {first}});
//
// The description is in it verbatim, after it a blank line. The parts, in this order: title and role, "## Task",
// "## A conflict to resolve", "## Your role", "## Files", "## Checks", "## Constraints", "## Read first", "## When you
// are done",
// "## Earlier attempts"; those that would be empty are left out, but for Files and Checks.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bernstein/event/spec.hpp"
#include "bernstein/event/terms.hpp"
#include "bernstein/state/earlier_attempt.hpp"

namespace bernstein::agent {

// The whole prompt, unless the description alone is longer: that is never cut. What gives way is the output of earlier
// attempts, the oldest first, then long lists; each cut is stated where it was made.
inline constexpr std::size_t k_prompt_bytes_max = 200 << 10;
inline constexpr std::size_t k_prompt_output_bytes_max = 16 << 10;  // of one piece of evidence: its end
inline constexpr std::size_t k_prompt_list_bytes_max = 8 << 10;     // of files, checks, constraints, ...: each

// The agent's worktree begins with the work of an earlier attempt, merged with the branch as it is now.
struct ConflictToResolve {
  std::string commit;                                       // that work
  std::vector<ConflictedPath> paths;                        // where it does not merge
  std::vector<std::pair<std::string, std::string>> others;  // who changed these: name and description of each task
};

struct PromptInput {
  TaskSpec task;
  std::optional<ConflictToResolve> conflict;
  std::string role_text;  // what its role is asked to keep an eye on (agent/roles.hpp); "" for nothing
  std::vector<std::string> constraints;
  std::vector<std::string> context_files;
  std::vector<CheckSpec> gates;
  std::uint32_t attempt = 1;
  std::uint32_t attempts_max = 1;
  std::vector<EarlierAttempt> earlier;  // oldest first
};

std::string build_prompt(const PromptInput& input);

// The part of a prompt about earlier attempts, its heading included; "" on a first attempt.
std::string_view earlier_attempts_part(std::string_view prompt);

}  // namespace bernstein::agent
