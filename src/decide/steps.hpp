#pragma once
// The steps of decide(), one function each. Each returns the drafts of one step, or none when it has nothing to decide.

#include <vector>

#include "bernstein/state/run_state.hpp"

namespace bernstein {

// decide/attempt.cpp: what follows for the first attempt whose step waits for a decision.
std::vector<Draft> decide_attempt(const RunState& state);
// The attempt ends without landing: what it teaches, what becomes of its task, and its worktree goes.
std::vector<Draft> fail(const RunState& state, const Task& task, const Attempt& attempt, AttemptFailed failure);

// decide/planning.cpp
std::vector<Draft> ask_planner(const RunState& state);
std::vector<Draft> judge_answer(const RunState& state, const Attempt& session);
// The planner's agent and model as an arm, for what its sessions reserve.
Arm arm_of(const PlannerSpec& planner);
// What a session of the planner that ends in this failure leads to, beside the failure.
std::vector<Draft> after_failed_session(const RunState& state, const AttemptFailed& failure);

// decide/landing.cpp
std::vector<Draft> decide_landing(const RunState& state);
// That the target fails its own checks, which, and since when: for a person. Requires that it is red.
std::string red_target_in_words(const RunState& state);

// decide/schedule.cpp
std::vector<Draft> create_tasks(const RunState& state);
std::vector<Draft> ready_or_block(const RunState& state);
std::vector<Draft> create_undo(const RunState& state);
std::vector<Draft> start_undo(const RunState& state);
std::vector<Draft> assign(const RunState& state);
bool may_start(const RunState& state);  // there is a slot, and nothing keeps the run from going on
bool role_is_full(const RunState& state, const std::string& role);
// How often the agent may work at once, when it already does so; 0 when it may start once more.
std::uint32_t agent_is_full(const RunState& state, const std::string& name);
std::vector<Draft> finish(const RunState& state);

}  // namespace bernstein
