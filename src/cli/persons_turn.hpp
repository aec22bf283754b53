#pragma once
// What a run needs a person for, and what they should know before it does: work that waits for a look, conflicts that
// agents could not resolve, a target that fails its own checks, conflicts that are coming, checks that are flaky.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bernstein/state/run_state.hpp"

namespace bernstein::cli {

// A line each, with the one command that helps; printable.
std::vector<std::string> persons_turn(const RunState& state);

// The worktree in which a person is to resolve the conflict of this task, relative to the repository; nothing when
// there is none, or it is not ready.
std::optional<std::string> handed_over_worktree(const RunState& state, const Task& task);

// "t3.1 and t5.1 will conflict in src/a.cpp"; a line for each of those that it would conflict with.
std::vector<std::string> foreseen_lines(AttemptId attempt,
                                        const std::map<std::string, std::vector<std::string>>& conflicts);

// Why the target fails its own checks; "" when that is not known.
std::string red_target(const RunState& state);

}  // namespace bernstein::cli
