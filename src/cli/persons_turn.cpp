#include "persons_turn.hpp"

#include <algorithm>

#include "bernstein/base/text.hpp"
#include "print.hpp"

namespace bernstein::cli {
namespace {

constexpr std::size_t k_paths_max = 5;  // listed before "and N more"

std::string some_of(const std::vector<std::string>& paths) {
  const std::size_t shown = std::min(paths.size(), k_paths_max);
  std::string text;
  for (std::size_t i = 0; i < shown; ++i) text += (i == 0 ? "" : ", ") + one_line(paths[i]);
  if (paths.size() > shown) text += " and " + std::to_string(paths.size() - shown) + " more";
  return text;
}

std::string name_of(const RunState& state, TaskId task) {
  return to_string(state.run) + "/" + to_string(task);
}

std::string conflict_of(const Task& task) {
  for (auto attempt = task.attempts.rbegin(); attempt != task.attempts.rend(); ++attempt) {
    std::vector<std::string> paths;
    for (const ConflictedPath& conflict : attempt->conflicts) paths.push_back(conflict.path);
    if (!paths.empty()) return " in " + some_of(paths);
  }
  return "";
}

// Of those that are both on their way: what has ended conflicts with nobody any more.
void add_foreseen(const RunState& state, std::vector<std::string>& lines) {
  for (AttemptId id : state.in_flight) {
    std::map<std::string, std::vector<std::string>> coming;
    for (const auto& [other, paths] : attempt_of(state, id).foreseen) {
      if (state.in_flight.contains(other)) coming[to_string(other)] = paths;
    }
    for (std::string& line : foreseen_lines(id, coming)) lines.push_back(std::move(line));
  }
}

}  // namespace

std::vector<std::string> foreseen_lines(AttemptId attempt,
                                        const std::map<std::string, std::vector<std::string>>& conflicts) {
  std::vector<std::string> lines;
  for (const auto& [other, paths] : conflicts)
    lines.push_back(to_string(attempt) + " and " + one_line(other) + " will conflict in " + some_of(paths));
  return lines;
}

std::optional<std::string> handed_over_worktree(const RunState& state, const Task& task) {
  if (task.status != TaskStatus::failed || task.attempts.empty()) return std::nullopt;
  const Attempt& last = task.attempts.back();
  if (last.step != Step::handed_over) return std::nullopt;
  return ".sdd/worktrees/" + session_name(state.run, last.id);
}

std::string red_target(const RunState& state) {
  if (!is_target_red(state)) return "";
  return replace_all(state.started->target, "refs/heads/", "") +
         " fails its own checks: " + one_line(state.target_check->examination.verdict->why);
}

std::vector<std::string> persons_turn(const RunState& state) {
  std::vector<std::string> lines;
  for (AttemptId id : state.held) {
    const LandingHeld& held = *attempt_of(state, id).held;
    if (held.reason == Hold::base_red) {
      lines.push_back(to_string(id.task) + " waits: " + one_line(held.why));
      continue;
    }
    const std::string name = name_of(state, id.task);
    lines.push_back(to_string(id.task) + " waits for your look: bernstein approve " + name +
                    "   lands it, bernstein diff " + name + " shows it");
  }
  for (const auto& [id, task] : state.tasks) {
    const std::optional<std::string> worktree = handed_over_worktree(state, task);
    if (!worktree) continue;
    lines.push_back(to_string(id) + " waits for you: resolve its conflict" + conflict_of(task) + ", which is in " +
                    *worktree + ", then: bernstein retry " + name_of(state, id));
  }
  if (const std::string red = red_target(state); !red.empty())
    lines.push_back(red + "; mend it there" +
                    (state.finished ? ", then: bernstein resume " + to_string(state.run)
                                    : ": it is looked at again before the next landing, and by `bernstein resume " +
                                          to_string(state.run) + "` once the run has ended"));
  if (!state.finished) add_foreseen(state, lines);
  for (const auto& [check, times] : state.flakes) {
    if (times == 0) continue;
    lines.push_back("flaky: check '" + one_line(check) + "' contradicted itself " +
                    counted(static_cast<std::int64_t>(times), "time"));
  }
  return lines;
}

}  // namespace bernstein::cli
