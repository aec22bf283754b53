#include "cost_rows.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>
#include <map>
#include <tuple>

namespace bernstein::cli {
namespace {

constexpr std::int64_t k_million = 1'000'000;

std::optional<std::int64_t> share_ppm(std::int64_t part, std::int64_t whole) {
  if (whole == 0) return std::nullopt;
  __extension__ using Wide = __int128;  // tokens may be many
  return static_cast<std::int64_t>(Wide{part} * k_million / whole);
}

std::string day_of(Micros wall_us) {
  const std::chrono::sys_days day = std::chrono::floor<std::chrono::days>(
      std::chrono::sys_time<std::chrono::microseconds>(std::chrono::microseconds(wall_us)));
  const std::chrono::year_month_day date(day);
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()));
}

// What a row is sorted by, and what it is called.
struct Key {
  RunId run;
  TaskId task;
  std::string name;
  std::string detail;
  auto operator<=>(const Key&) const = default;
};

Key key_of_task(const History& history, const TaskKey& task, CostBy by) {
  const TaskSpec& spec = history.tasks.at(task).spec;
  switch (by) {
    case CostBy::role:
      return {.run = {}, .task = {}, .name = spec.role, .detail = ""};
    case CostBy::task:
      return {.run = task.first, .task = task.second, .name = to_string(task.second), .detail = spec.title};
    case CostBy::run:
      return {.run = task.first,
              .task = {},
              .name = to_string(task.first),
              .detail = history.runs.at(task.first).started.goal};
    case CostBy::model:
    case CostBy::agent:
    case CostBy::day:
    case CostBy::count_:
      break;
  }
  return {};
}

Key key_of(const History& history, const AttemptKey& key, const AttemptFacts& attempt, CostBy by) {
  switch (by) {
    case CostBy::model:
      return {.run = {}, .task = {}, .name = attempt.model, .detail = attempt.agent};
    case CostBy::agent:
      return {.run = {}, .task = {}, .name = attempt.agent, .detail = ""};
    case CostBy::day:
      return {.run = {},
              .task = {},
              .name = day_of(attempt.exited ? attempt.exited_wall_us : attempt.begun_wall_us),
              .detail = ""};
    case CostBy::role:
    case CostBy::task:
    case CostBy::run:
    case CostBy::count_:
      break;
  }
  return key_of_task(history, {key.first, key.second.task}, by);
}

void add(Use& use, const AttemptFacts& attempt, bool is_planner, bool stands) {
  ++use.attempts;
  if (attempt.end != AttemptEnd::under_way && !is_planner) ++use.ended;
  if (stands) ++use.landed_attempts;
  if (!attempt.exited) {
    if (attempt.end == AttemptEnd::under_way) ++use.under_way;
    return;
  }
  const Usage& usage = attempt.usage;
  use.input.add(usage.input_tokens);
  use.cached.add(usage.cached_tokens);
  use.output.add(usage.output_tokens);
  use.cost.add(usage.cost_micros ? std::optional(usage.cost_micros->value) : std::nullopt);
  ++use.sources.at(static_cast<std::size_t>(attempt.cost_source));
  if (usage.input_tokens && usage.cached_tokens) {
    use.input_beside_cached += *usage.input_tokens;
    use.cached_beside_input += *usage.cached_tokens;
  }
}

bool is_by_task(CostBy by) {
  return by == CostBy::role || by == CostBy::task || by == CostBy::run;
}

}  // namespace

std::optional<std::int64_t> Use::success_ppm() const {
  return share_ppm(landed_attempts, ended);
}

std::optional<std::int64_t> Use::cached_ppm() const {
  return share_ppm(cached_beside_input, input_beside_cached + cached_beside_input);
}

std::optional<std::int64_t> Use::cost_per_landed() const {
  if (landed_tasks == 0 || cost.untold > 0) return std::nullopt;
  return (cost.known + landed_tasks / 2) / landed_tasks;
}

CostReport report_costs(const History& history, CostBy by) {
  std::map<Key, Use> uses;
  CostReport report;
  for (const auto& [key, attempt] : history.attempts) {
    const bool is_planner = key.second.task == k_planning;
    const bool lasts = stands(history, key);
    add(uses[key_of(history, key, attempt, by)], attempt, is_planner, lasts);
    add(report.total, attempt, is_planner, lasts);
  }
  for (const auto& [key, task] : history.tasks) {
    if (task.spec.undoes || !stands(history, key)) continue;
    ++report.total.landed_tasks;
    const AttemptKey landed{key.first, {key.second, task.landed_by}};
    const auto attempt = history.attempts.find(landed);
    if (attempt != history.attempts.end()) {
      ++uses[key_of(history, landed, attempt->second, by)].landed_tasks;
    } else if (is_by_task(by)) {
      ++uses[key_of_task(history, key, by)].landed_tasks;
    }
  }
  for (auto& [key, use] : uses) {
    const bool has_run = by == CostBy::task || by == CostBy::run;
    report.rows.push_back({key.name, key.detail, has_run ? std::optional(key.run) : std::nullopt, use});
  }
  return report;
}

}  // namespace bernstein::cli
