#include "graph.hpp"

#include <algorithm>

namespace bernstein {

std::vector<std::uint32_t> chain_minutes(const std::vector<TaskSpec>& tasks, std::size_t stages) {
  // Nodes: tasks first, then stages. An edge leads from what must land to what waits for it: task → dependent task,
  // task → its stage, stage → tasks that wait for the stage.
  const std::size_t nodes = tasks.size() + stages;
  std::vector<std::vector<std::size_t>> waits_for(
      nodes);  // reversed edges: to walk from the ends of the plan to its start
  std::vector<std::uint32_t> open_followers(nodes, 0);
  auto edge = [&](std::size_t from, std::size_t to) {
    waits_for[to].push_back(from);
    ++open_followers[from];
  };
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const TaskSpec& task = tasks[i];
    edge(i, tasks.size() + task.stage);
    for (TaskId needed : task.depends_on) {
      if (needed.number >= 1 && needed.number <= tasks.size()) edge(needed.number - 1, i);
    }
    for (std::uint32_t stage : task.depends_on_stages) {
      if (stage < stages) edge(tasks.size() + stage, i);
    }
  }

  auto own_minutes = [&](std::size_t node) { return node < tasks.size() ? tasks[node].estimated_minutes : 0U; };
  std::vector<std::uint32_t> length(nodes);
  for (std::size_t node = 0; node < nodes; ++node) length[node] = own_minutes(node);
  std::vector<std::size_t> settled;
  for (std::size_t node = 0; node < nodes; ++node) {
    if (open_followers[node] == 0) settled.push_back(node);
  }
  for (std::size_t next = 0; next < settled.size(); ++next) {
    const std::size_t node = settled[next];
    for (std::size_t before : waits_for[node]) {
      length[before] = std::max(length[before], own_minutes(before) + length[node]);
      if (--open_followers[before] == 0) settled.push_back(before);
    }
  }
  length.resize(tasks.size());
  return length;
}

}  // namespace bernstein
