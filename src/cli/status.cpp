// status: where a run and its tasks stand, and what a person could do next.

#include <algorithm>
#include <chrono>
#include <ostream>

#include "bernstein/cli/commands.hpp"
#include "drive.hpp"
#include "fold.hpp"
#include "names.hpp"
#include "open_workspace.hpp"
#include "persons_turn.hpp"
#include "print.hpp"
#include "recap.hpp"
#include "run_json.hpp"
#include "waiting.hpp"
#include "words.hpp"

namespace bernstein::cli {
namespace {

constexpr std::size_t k_goal_columns_max = 200;
constexpr std::size_t k_failed_named_max = 3;  // tasks that get a line of advice each

Tint tint_of(TaskStatus status) {
  switch (status) {
    case TaskStatus::landed:
    case TaskStatus::verified:
      return Tint::good;
    case TaskStatus::failed:
      return Tint::bad;
    case TaskStatus::blocked:
    case TaskStatus::cancelled:
    case TaskStatus::split:
      return Tint::warning;
    case TaskStatus::running:
    case TaskStatus::reported:
    case TaskStatus::verifying:
      return Tint::busy;
    case TaskStatus::waiting:
    case TaskStatus::ready:
    case TaskStatus::count_:
      break;
  }
  return Tint::plain;
}

Tint tint_of(RunOutcome outcome) {
  return outcome == RunOutcome::landed ? Tint::good : Tint::bad;
}

// "2 of 5 tasks landed, 1 failed, 1 running".
std::string counts_of(const RunState& state) {
  if (awaits_approval(state)) return "a plan of " + counted(std::ssize(state.planned), "task") + " waits for a look";
  auto count = [&](TaskStatus status) {
    auto found = state.count_by_status.find(status);
    return found == state.count_by_status.end() ? std::int64_t{0} : std::int64_t{found->second};
  };
  std::string text = grouped(count(TaskStatus::landed)) + " of " +
                     counted(static_cast<std::int64_t>(state.tasks.size()) - count(TaskStatus::split), "task") +
                     " landed";
  for (TaskStatus status :
       {TaskStatus::failed, TaskStatus::blocked, TaskStatus::cancelled, TaskStatus::verified, TaskStatus::verifying,
        TaskStatus::reported, TaskStatus::running, TaskStatus::ready, TaskStatus::waiting, TaskStatus::split}) {
    if (count(status) > 0) text += ", " + grouped(count(status)) + " " + std::string(to_word(status));
  }
  return text;
}

Micros now_wall_us() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

std::string spending_words(const Spending& spending) {
  std::string text = spending.known ? format_usd(*spending.known) : "cost unknown";
  if (spending.known && spending.untold > 0) text += " + " + counted(spending.untold, "attempt") + " of unknown cost";
  return text;
}

void print_head(std::ostream& out, const Screen& screen, const Picture& picture, const std::string& unfinished) {
  const RunState& state = picture.state;
  const std::string outcome = state.finished ? std::string(to_word(state.finished->outcome)) : unfinished;
  const Tint tint = state.finished ? tint_of(state.finished->outcome) : Tint::busy;
  out << paint(screen, Tint::strong,
               to_string(state.run) + "  " + fit(one_line(state.started->goal), k_goal_columns_max))
      << '\n';
  out << paint(screen, tint, outcome) << ": " << counts_of(state) << "; " << format_duration(state.at_us) << "; "
      << spending_words(spending_of(state)) << '\n';
  if (!state.finished) {
    for (const std::string& line : waiting_lines(state, now_wall_us())) out << line << '\n';
  }
  if (state.finished && state.finished->outcome != RunOutcome::landed &&
      state.finished->outcome != RunOutcome::incomplete) {
    out << one_line(state.finished->why) << '\n';
  }
}

TextTable::Cell cost_cell(const Task& task) {
  const bool any_ended =
      std::any_of(task.attempts.begin(), task.attempts.end(), [](const Attempt& a) { return a.exit.has_value(); });
  return {any_ended ? cost_words(known_cost(task)) : "-"};
}

void print_tasks(std::ostream& out, const Screen& screen, const RunState& state) {
  TextTable table({{"TASK"},
                   {"STATUS"},
                   {"TRIES", Align::right},
                   {"AGENT"},
                   {"MODEL"},
                   {"COST", Align::right},
                   {"TITLE"},
                   {"WHY"}});
  for (const Task* shown : tasks_and_planning(state)) {
    const Task& task = *shown;
    const Arm arm = task.attempts.empty() ? Arm{.agent = "-", .model = "-", .tier = {}} : task.attempts.back().arm;
    const bool tells = task.status == TaskStatus::waiting || task.status == TaskStatus::ready ||
                       task.status == TaskStatus::failed || task.status == TaskStatus::blocked ||
                       task.status == TaskStatus::cancelled || task.status == TaskStatus::split ||
                       task.undone_by.has_value() || is_held(state, task) || is_stalled(task);
    table.add({{to_string(task.spec.id)},
               {status_words(task), tint_of(task.status)},
               {std::to_string(task.attempts.size())},
               {arm.agent},
               {arm.model},
               cost_cell(task),
               {task.spec.title},
               {tells ? reason_of(state, task) : ""}});
  }
  if (!table.empty()) {
    out << '\n';
    table.print(out, screen);
  }
}

// One thing that a person could do, each: a command and what it is good for.
// `alone`: its agents and checks that are at work although no Bernstein is.
std::vector<std::string> advice(const Picture& picture, const std::string& unfinished, bool is_latest,
                                std::uint32_t alone) {
  const RunState& state = picture.state;
  const std::string prefix = is_latest ? "" : to_string(state.run) + "/";
  std::vector<std::string> lines;
  if (!state.behind.empty()) {
    lines.push_back("your checkout was left alone" + (picture.tally.left_behind_why.empty()
                                                          ? " by an earlier run"
                                                          : ": " + one_line(picture.tally.left_behind_why)));
    lines.push_back("  " + catch_up_command(state) + "   brings it up to date; it keeps your changes, or refuses");
  }
  if (alone > 0) {
    // Their supervisors count from when they last saw the owner, which was at work when it wrote its last event.
    const Micros until_us = picture.tally.last_wall_us + config_of(state).limits.adopt_timeout_us;
    lines.push_back(commands_go_on_alone(alone) + " until about " + format_wall(until_us) + ": bernstein resume " +
                    to_string(state.run) + "   takes them back, bernstein stop ends them");
  } else if (unfinished == "interrupted") {
    lines.push_back("nobody is working on " + to_string(state.run) + " any more: bernstein resume " +
                    to_string(state.run) + "   goes on with it");
  }
  for (std::string& line : persons_turn(state)) lines.push_back(std::move(line));
  const bool goes_on = state.finished && state.held.empty() && state.finished->outcome != RunOutcome::landed &&
                       state.finished->outcome != RunOutcome::incomplete;
  if (awaits_approval(state)) {
    lines.push_back("bernstein approve " + to_string(state.run) + "   starts it");
  } else if (goes_on || unfinished == "paused") {
    lines.push_back("bernstein resume " + to_string(state.run) + "   goes on with it");
  }
  std::int64_t suspicious = 0;
  std::string example;
  for (const Task* task : tasks_and_planning(state)) {
    for (const Attempt& attempt : task->attempts) {
      if (!attempt.work || attempt.work->suspicions.empty()) continue;
      if (++suspicious == 1) example = to_string(attempt.id.task);
    }
  }
  if (suspicious > 0) {
    lines.push_back("suspicious: what agents did in " + counted(suspicious, "attempt") + "; bernstein why " + prefix +
                    example + "   tells");
  }
  std::vector<std::string> weakened;
  for (const auto& [id, task] : state.tasks) {
    if (!task.attempts.empty() && task.attempts.back().work && !task.attempts.back().work->weakened_tests.empty())
      weakened.push_back(to_string(id));
  }
  if (!weakened.empty()) {
    lines.push_back("fewer tests: " + counted(std::ssize(weakened), "task") + " took some away; bernstein why " +
                    prefix + weakened.front() + "   tells");
  }
  std::size_t failed = 0;
  for (const auto& [id, task] : state.tasks) {
    if (task.status != TaskStatus::failed) continue;
    if (++failed > k_failed_named_max) continue;
    const std::string name = prefix + to_string(id);
    if (handed_over_worktree(state, task)) continue;  // said above, with its command
    lines.push_back("bernstein why " + name + "   tells the story of " + name + "; bernstein logs " + name +
                    " what its agent said");
    const Attempt* last = task.attempts.empty() ? nullptr : &task.attempts.back();
    if (last != nullptr && last->work && !last->work->salvage.empty()) {
      lines.push_back("  its last work is kept: git switch -c fix-" + to_string(id) + " " + last->work->salvage);
    }
  }
  if (failed > k_failed_named_max)
    lines.push_back("and " + counted(static_cast<std::int64_t>(failed - k_failed_named_max), "more failed task"));
  return lines;
}

// Agents and checks of a run that nobody carries on.
std::uint32_t alone_of(const Home& home, RunId run, bool is_open) {
  if (is_open) return 0;
  const auto living = living_commands(home.sdd);
  const auto found = living.find(to_string(run));
  return found == living.end() ? 0 : found->second;
}

}  // namespace

Result<Exit> status_command(Context& context, const LookOptions& options) {
  BERNSTEIN_TRY(const Home home, open_workspace(context));
  BERNSTEIN_TRY(const RunId run, find_run(*home.reader, options.run, options.at));
  BERNSTEIN_TRY(const Picture picture, take_picture(*home.reader, run, options.at));
  // A look at the past cannot tell who was at work then.
  const std::optional<store::Owner> owner = owner_of(home);
  const bool is_at_work = owner && owner->run == to_string(run);
  const bool is_open = options.at.has_value() || picture.state.finished || is_at_work;
  const std::string unfinished = !is_open ? "interrupted" : picture.state.paused ? "paused" : "running";
  if (context.json) {
    context.out << run_json(picture.state, picture.tally.events, unfinished) << '\n';
    return Exit::done;
  }

  const Screen screen = screen_of(context);
  print_head(context.out, screen, picture, unfinished);
  print_tasks(context.out, screen, picture.state);
  if (const std::string plan = waiting_plan(picture.state); !plan.empty()) context.out << '\n' << plan;
  BERNSTEIN_TRY(const std::vector<RunId> runs, home.reader->runs());
  const std::vector<std::string> lines = advice(picture, unfinished, run == runs.back(), alone_of(home, run, is_open));
  if (!lines.empty()) context.out << '\n';
  for (const std::string& line : lines) context.out << line << '\n';
  return Exit::done;
}

}  // namespace bernstein::cli
