#include "forecast.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "bernstein/decide/budget.hpp"
#include "bernstein/decide/decide.hpp"
#include "bernstein/decide/router.hpp"
#include "print.hpp"
#include "rehearsal.hpp"

namespace bernstein::cli {
namespace {

constexpr std::int64_t k_rehearsals_max = 400;
constexpr std::int64_t k_rehearsals_min = 20;
constexpr std::int64_t k_rehearsed_tasks_max = 20'000;  // over all rehearsals: half a second or less

// The routes of a task's attempts, each found once. The one place where the router is asked.
class Routes {
 public:
  explicit Routes(const RunState& state) : state_(state) {}

  const RouteChosen& of(const Task& task, std::uint32_t failures) {
    std::vector<RouteChosen>& routes = routes_[task.spec.id];
    while (routes.size() <= failures) {
      Task tried = task;  // settling the plan may have assigned it already: the forecast is of a run yet to come
      tried.attempts.clear();
      tried.failures = static_cast<std::uint32_t>(routes.size());
      routes.push_back(choose_route(state_, tried));
    }
    return routes[failures];
  }

 private:
  const RunState& state_;
  std::map<TaskId, std::vector<RouteChosen>> routes_;
};

std::int64_t part_of(std::int64_t whole, std::int64_t share_ppm) {
  constexpr std::int64_t k_million = 1'000'000;
  __extension__ using Wide = __int128;
  return static_cast<std::int64_t>(Wide{whole} * share_ppm / k_million);
}

// Nearest rank. Requires at least one.
Range quantiles(std::vector<std::int64_t> outcomes) {
  std::ranges::sort(outcomes);
  const auto at = [&](std::int64_t percent) {
    return outcomes[static_cast<std::size_t>((std::ssize(outcomes) - 1) * percent / 100)];
  };
  return {.low = at(10), .mid = at(50), .high = at(90)};
}

std::vector<std::vector<TaskId>> waves_of(const RunState& state, Routes& routes) {
  const Rehearsed rehearsed = rehearse(state, [&](const Task& task, std::uint32_t failures) {
    return Prospect{.agent = routes.of(task, failures).arm.agent, .agent_us = 1};
  });
  std::vector<std::vector<TaskId>> waves;
  for (const Rehearsed::Start& start : rehearsed.starts) {
    const auto wave = static_cast<std::size_t>(start.at_us);
    if (waves.size() <= wave) waves.resize(wave + 1);
    waves[wave].push_back(start.task);
  }
  for (std::vector<TaskId>& wave : waves) std::ranges::sort(wave);
  return waves;
}

std::set<TaskId> checked_tasks(const RunState& state) {
  std::set<TaskId> checked;
  for (const auto& [id, task] : state.tasks) {
    if (!checks_of(state, {id}).empty()) checked.insert(id);
  }
  return checked;
}

}  // namespace

Result<RunState> state_before_work(RunStarted started, const PlanAccepted& plan) {
  started.config.approve_plan = false;
  RunState state;
  state.run = RunId{1};
  Seq seq = 0;
  const Seal seal = [&](Draft draft) {
    return Event{
        .seq = ++seq, .run = RunId{1}, .run_seq = seq, .subject = draft.subject, .body = std::move(draft.body)};
  };
  BERNSTEIN_TRY([[maybe_unused]] auto begun, settle(state, seal({about_run(), std::move(started)}), seal));
  BERNSTEIN_TRY([[maybe_unused]] auto accepted, settle(state, seal({about_run(), plan}), seal));
  return state;
}

Forecast forecast_of(const RunState& state, const Experience& experience) {
  Routes routes(state);
  Forecast forecast{.waves = waves_of(state, routes), .attempts_seen = experience.attempts()};
  const std::int64_t tasks = std::max<std::int64_t>(std::ssize(state.tasks), 1);
  forecast.rehearsals = std::clamp(k_rehearsed_tasks_max / tasks, k_rehearsals_min, k_rehearsals_max);
  const std::set<TaskId> checked = checked_tasks(state);

  std::vector<std::int64_t> costs;
  std::vector<std::int64_t> makespans;
  for (std::int64_t rehearsal = 0; rehearsal < forecast.rehearsals; ++rehearsal) {
    const Rehearsed rehearsed = rehearse(state, [&](const Task& task, std::uint32_t failures) {
      const TaskSpec& spec = task.spec;
      const Arm& arm = routes.of(task, failures).arm;
      const Trial trial =
          experience.draw(arm, spec.complexity, static_cast<std::uint64_t>(rehearsal), spec.id.number, failures);
      const Micros agent_us = part_of(std::int64_t{spec.estimated_minutes} * k_minute, trial.time_ppm);
      return Prospect{.agent = arm.agent,
                      .cost_micros = part_of(attempt_ceiling(spec).value, trial.cost_ppm),
                      .agent_us = std::min(agent_us, config_of(state).limits.agent_timeout_us),
                      .check_us = checked.contains(spec.id) ? experience.check_us() : 0,
                      .lands = trial.lands};
    });
    costs.push_back(rehearsed.cost_micros);
    makespans.push_back(rehearsed.makespan_us);
  }
  forecast.cost_micros = quantiles(std::move(costs));
  forecast.makespan_us = quantiles(std::move(makespans));
  for (const auto& [id, task] : state.tasks) forecast.routes.emplace(id, routes.of(task, 0));
  return forecast;
}

std::string source_words(const Forecast& forecast) {
  if (forecast.attempts_seen == 0) return "no history yet: prior of scope and complexity";
  return "from " + counted(forecast.attempts_seen, "attempt") + " in this workspace";
}

std::vector<TaskId> prerequisites_of(const RunState& state, const Task& task) {
  std::set<TaskId> needed(task.spec.depends_on.begin(), task.spec.depends_on.end());
  if (!task.spec.depends_on_stages.empty()) {
    const std::set<std::uint32_t> stages(task.spec.depends_on_stages.begin(), task.spec.depends_on_stages.end());
    for (const auto& [id, other] : state.tasks) {
      if (stages.contains(other.spec.stage)) needed.insert(id);
    }
  }
  return {needed.begin(), needed.end()};
}

}  // namespace bernstein::cli
