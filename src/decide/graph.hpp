#pragma once
// The graph of a plan: tasks and stages, and the length of what depends on each.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bernstein/event/spec.hpp"

namespace bernstein {

// For each task of a plan with so many stages, in its order: estimated minutes of the longest chain that starts with it
// (itself included). Stages count as nodes of no length, so the cost is linear in tasks and edges as written in the
// plan. A plan with a cycle is refused before a run starts (plan/); here the tasks on it count their own minutes.
std::vector<std::uint32_t> chain_minutes(const std::vector<TaskSpec>& tasks, std::size_t stages);

}  // namespace bernstein
