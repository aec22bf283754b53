#pragma once
// What the planner is asked, and what follows from its answers.
//
// A run that began with a goal (PlanWanted) asks one agent, read-only, for a plan. What it answers is read as any plan
// is (planner/answer.hpp): with faults it is asked again with these, at most k_answers_max times in all, and after that
// the run ends without a plan. A plan that can be used is adopted; where the person wants to see it first
// (RunConfig::approve_plan), its tasks are created only after PlanApproved.
//
// A task that has used up its attempts is split by the same planner into a few smaller ones, once: parts are not split
// again, and where no answer can be used the task fails as it would have without: also where the planner's agent has no
// login, which would end the run if a task needed it. What can start without the planner does so first. Sessions of the
// planner hold a slot and a reservation as attempts do, one at a time; the goal comes first, then tasks by id.

#include <cstdint>

namespace bernstein {

inline constexpr std::uint32_t k_answers_max = 3;  // to one question: the first, and two that mend it

}  // namespace bernstein
