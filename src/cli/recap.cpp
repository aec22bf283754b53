#include "recap.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <vector>

#include "bernstein/base/text.hpp"
#include "persons_turn.hpp"
#include "print.hpp"
#include "run_json.hpp"
#include "waiting.hpp"

namespace bernstein::cli {
namespace {

constexpr std::size_t k_description_columns_max = 200;

std::size_t count(const RunState& state, TaskStatus status) {
  return static_cast<std::size_t>(std::count_if(state.tasks.begin(), state.tasks.end(),
                                                [&](const auto& entry) { return entry.second.status == status; }));
}

std::string cost_text(const std::optional<UsdMicros>& cost) {
  return cost ? format_usd(*cost) : "unknown cost";
}

std::string headline(const RunState& state) {
  std::int64_t attempts = 0;
  for (const Task* task : tasks_and_planning(state)) attempts += std::ssize(task->attempts);
  const std::string took = " in " + format_duration(state.at_us) + "; " + counted(attempts, "attempt") + ", " +
                           cost_text(known_cost(state)) + "\n";
  if (!state.plan) return to_string(state.run) + ": no plan" + took;
  if (awaits_approval(state)) {
    return to_string(state.run) + ": a plan of " + counted(std::ssize(state.planned), "task") + took;
  }
  const std::size_t landed = count(state, TaskStatus::landed);
  const std::size_t failed = count(state, TaskStatus::failed);
  const std::size_t blocked = count(state, TaskStatus::blocked);
  std::string line =
      to_string(state.run) + ": " + std::to_string(landed) + " of " +
      counted(std::ssize(state.tasks) - static_cast<std::int64_t>(count(state, TaskStatus::split)), "task") + " landed";
  if (failed > 0) line += ", " + std::to_string(failed) + " failed";
  if (blocked > 0) line += ", " + std::to_string(blocked) + " blocked";
  return line + took;
}

// Why it ended, where that is not the good end.
std::string ending(const RunState& state) {
  if (!state.finished || state.finished->outcome == RunOutcome::landed) return "";
  const std::string outcome = std::string(to_word(state.finished->outcome)) + ": ";
  const std::string why = one_line(state.finished->why);
  return "  " + (why.starts_with(outcome) ? "" : outcome) + why + "\n";
}

std::string costs(const RunState& state) {
  struct Row {
    std::int64_t attempts = 0;
    std::int64_t untold = 0;
    UsdMicros cost;
  };
  std::map<std::string, Row> rows;
  for (const Task* task : tasks_and_planning(state)) {
    for (const Attempt& attempt : task->attempts) {
      if (!attempt.exit) continue;
      Row& row = rows[to_string(attempt.arm)];
      ++row.attempts;
      if (attempt.exit->usage.cost_micros) {
        row.cost += *attempt.exit->usage.cost_micros;
      } else {
        ++row.untold;
      }
    }
  }
  std::string text;
  for (const auto& [arm, row] : rows) {
    text += "  cost    " + arm + ": " + (row.untold == row.attempts ? "unknown" : format_usd(row.cost)) + ", " +
            counted(row.attempts, "attempt");
    if (row.untold > 0 && row.untold < row.attempts) text += " (" + std::to_string(row.untold) + " of unknown cost)";
    text += "\n";
  }
  return text;
}

std::string time_saved(const RunState& state, const Tally& tally) {
  const Micros alone = tally.agent_us + tally.check_us;
  if (alone <= state.at_us || count(state, TaskStatus::landed) == 0) return "";
  return "  time    " + format_duration(state.at_us) + " against " + format_duration(alone) +
         " of one agent after another: " + format_duration(alone - state.at_us) + " saved\n";
}

std::string task_name(const Task& task) {
  return to_string(task.spec.id) + " " + one_line(task.spec.title);
}

std::string salvage_of(const Task& task) {
  for (auto attempt = task.attempts.rbegin(); attempt != task.attempts.rend(); ++attempt) {
    if (attempt->work && !attempt->work->salvage.empty()) return attempt->work->salvage;
  }
  return "";
}

std::string not_landed(const RunState& state) {
  std::string text;
  for (const auto& [id, task] : state.tasks) {
    if (has_landed(state, task)) continue;
    text += "  " + std::string(to_word(task.status)) + "  " + task_name(task);
    if (!task.why.empty()) text += ": " + one_line(task.why);
    text += "\n";
    if (const std::string salvage = salvage_of(task); !salvage.empty())
      text += "          its work is kept: " + salvage + "\n";
  }
  return text;
}

// Whose capture failed: the worktree stays, also when a later attempt of its task has landed.
std::string unsaved(const RunState& state) {
  std::string text;
  for (const Task* task : tasks_and_planning(state)) {
    for (const Attempt& attempt : task->attempts) {
      if (!is_work_at_risk(attempt) || attempt.step == Step::handed_over) continue;
      text += "  unsaved  the work of " + to_string(attempt.id) + " is in .sdd/worktrees/" +
              session_name(state.run, attempt.id) + " and nowhere else; look at it\n";
    }
  }
  return text;
}

// What agents did that no work needs; of each attempt the first thing.
std::string suspicious(const RunState& state) {
  std::string text;
  for (const Task* task : tasks_and_planning(state)) {
    for (const Attempt& attempt : task->attempts) {
      if (!attempt.work || attempt.work->suspicions.empty()) continue;
      const std::vector<std::string>& all = attempt.work->suspicions;
      text += "  suspicious  " + to_string(attempt.id) + ": " + one_line(all.front());
      if (all.size() > 1) text += ", and " + std::to_string(all.size() - 1) + " more";
      text += "; bernstein why " + to_string(state.run) + "/" + to_string(attempt.id.task) + "\n";
    }
  }
  return text;
}

// What the last attempts did to tests; of each the first thing.
std::string weakened(const RunState& state) {
  std::string text;
  for (const auto& [id, task] : state.tasks) {
    if (task.attempts.empty() || !task.attempts.back().work) continue;
    const std::vector<std::string>& all = task.attempts.back().work->weakened_tests;
    if (all.empty()) continue;
    text += "  fewer tests  " + to_string(task.attempts.back().id) + " " + one_line(all.front());
    if (all.size() > 1) text += ", and " + std::to_string(all.size() - 1) + " more";
    text += "; bernstein why " + to_string(state.run) + "/" + to_string(id) + "\n";
  }
  return text;
}

// Of a run that a resume goes on with: what that would wait for.
std::string waiting(const RunState& state, const Tally& tally) {
  const bool goes_on = state.finished && state.finished->outcome != RunOutcome::landed &&
                       state.finished->outcome != RunOutcome::incomplete;
  std::string text;
  if (!goes_on) return text;
  for (const std::string& line : waiting_lines(state, tally.last_wall_us)) text += "  limits  " + line + "\n";
  return text;
}

std::string for_a_person(const RunState& state) {
  std::string text;
  for (const std::string& line : persons_turn(state)) text += "  person  " + line + "\n";
  return text;
}

// Landed, and taken back.
std::string undone(const RunState& state) {
  std::string text;
  for (const auto& [id, task] : state.tasks) {
    if (task.undone_by) text += "  undone  " + task_name(task) + ", by " + to_string(*task.undone_by) + "\n";
  }
  return text;
}

std::string unverified(const RunState& state, const Tally& tally) {
  std::string text;
  for (TaskId id : tally.unverified) {
    const auto task = state.tasks.find(id);
    if (task == state.tasks.end() || task->second.status != TaskStatus::landed) continue;
    text += "  unverified  " + task_name(task->second) + ": no check looked at it\n";
  }
  return text;
}

std::string checkout(const RunState& state, const Tally& tally) {
  if (state.behind.empty()) return "";
  const std::string branch = replace_all(state.started ? state.started->target : "", "refs/heads/", "");
  std::string text = "  your checkout was left alone" +
                     (tally.left_behind_why.empty() ? " by an earlier run" : ": " + one_line(tally.left_behind_why)) +
                     "\n";
  return text + "  this brings it up to " + branch +
         " and keeps your changes, or refuses:  " + catch_up_command(state) + "\n";
}

// What lands all that waits for a look; "" when nothing does.
std::string approve_command_of(const RunState& state) {
  std::string words;
  for (AttemptId id : state.held) {
    if (attempt_of(state, id).held->reason != Hold::approval) continue;
    words += " " + to_string(state.run) + "/" + to_string(id.task);
  }
  return words.empty() ? "" : "bernstein approve" + words;
}

std::string next_steps(const RunState& state) {
  std::vector<std::string> steps;
  for (const auto& [id, task] : state.tasks) {
    if (task.status != TaskStatus::failed) continue;
    const std::string name = to_string(state.run) + "/" + to_string(id);
    if (handed_over_worktree(state, task)) continue;  // said above, with its command
    steps.push_back("bernstein why " + name);
    steps.push_back("bernstein logs " + name);
    break;
  }
  const bool goes_on = state.finished && state.finished->outcome != RunOutcome::landed &&
                       state.finished->outcome != RunOutcome::incomplete;
  if (!state.plan) {
    steps.insert(steps.end(), {"bernstein why plan", "bernstein logs plan"});
    if (state.finished && state.finished->outcome == RunOutcome::incomplete)
      steps.push_back("bernstein resume " + to_string(state.run) + " asks again");
  }
  if (awaits_approval(state)) {
    steps.push_back("bernstein approve " + to_string(state.run) + " starts it");
    if (state.planning.wanted) {
      steps.push_back("or change " + plan_file_of(state.run) + " and `bernstein run` that");
    }
  } else if (const std::string approvals = approve_command_of(state); !approvals.empty()) {
    steps.push_back(approvals);
  } else if (goes_on) {
    steps.push_back("bernstein resume " + to_string(state.run));
  }
  if (steps.empty()) steps.push_back("bernstein status " + to_string(state.run));
  return "  next    " + join(steps, "  ·  ") + "\n";
}

}  // namespace

std::string waiting_plan(const RunState& state) {
  if (!awaits_approval(state)) return "";
  std::string text;
  for (const TaskSpec& task : state.planned) {
    text += "  " + to_string(task.id) + "  " + one_line(task.title) + " (" + one_line(task.role) + ")";
    std::vector<std::string> after;
    for (TaskId needed : task.depends_on) after.push_back(to_string(needed));
    for (std::uint32_t stage : task.depends_on_stages)
      after.push_back("stage " + one_line(state.stages[stage].spec.name));
    if (!after.empty()) text += ", after " + join(after, ", ");
    if (!task.files.empty()) text += "; owns " + one_line(join(task.files, ", "));
    text += "\n";
    if (task.description != task.title)
      text += "      " + fit(one_line(task.description), k_description_columns_max) + "\n";
    for (const CheckSpec& check : task.signals) text += "      checked by " + one_line(check.name) + "\n";
  }
  return text;
}

std::string plan_file_of(RunId run) {
  return ".sdd/" + plan_file_name(run);
}

std::string recap(const RunState& state, const Tally& tally) {
  return headline(state) + ending(state) + waiting_plan(state) + costs(state) + time_saved(state, tally) +
         not_landed(state) + waiting(state, tally) + for_a_person(state) + undone(state) + unsaved(state) +
         suspicious(state) + weakened(state) + unverified(state, tally) + checkout(state, tally) + next_steps(state);
}

}  // namespace bernstein::cli
