#include "conflicts.hpp"

namespace bernstein::run {

std::vector<ConflictedPath> conflicts_of_earlier_attempts(const Task& task) {
  std::map<std::string, ConflictedPath> by_path;
  for (const Attempt& attempt : task.attempts) {
    if (!attempt.failure || attempt.failure->class_ != FailureClass::conflict) continue;
    for (const ConflictedPath& conflict : attempt.conflicts) by_path[conflict.path] = conflict;
  }
  std::vector<ConflictedPath> conflicts;
  for (auto& [path, conflict] : by_path) conflicts.push_back(std::move(conflict));
  return conflicts;
}

std::vector<std::string> conflicts_to_resolve(const RunState& state, AttemptId attempt) {
  std::vector<std::string> paths;
  if (attempt_of(state, attempt).merge_in.empty()) return paths;
  for (const ConflictedPath& conflict : conflicts_of_earlier_attempts(task_of(state, attempt.task)))
    paths.push_back(conflict.path);
  return paths;
}

}  // namespace bernstein::run
