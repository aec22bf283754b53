#include "forecast.hpp"

#include <algorithm>
#include <functional>
#include <set>
#include <string>
#include <utility>

#include "bernstein/decide/budget.hpp"
#include "bernstein/decide/router.hpp"
#include "bernstein/state/ready_queue.hpp"

namespace bernstein::cli {
namespace {

// A run of the scheduler's rules over estimated lengths instead of agents.
class Rehearsal {
 public:
  using Length = std::function<std::int64_t(const TaskSpec&)>;
  struct Start {
    std::int64_t at = 0;
    TaskId task;
  };

  Rehearsal(const RunState& state, const std::map<TaskId, RouteChosen>& routes, Length length)
      : state_(state), routes_(routes), length_(std::move(length)) {
    for (const Stage& stage : state.stages) stage_open_.push_back(stage.spec.tasks);
    for (const auto& [id, task] : state.tasks) {
      open_[id] = task.spec.depends_on.size() + task.spec.depends_on_stages.size();
      for (TaskId needed : task.spec.depends_on) followers_[needed].push_back(id);
      for (std::uint32_t stage : task.spec.depends_on_stages) stage_followers_[stage].push_back(id);
      if (open_[id] == 0) enqueue(task);
    }
  }

  // Starts in order of time; the second is when the last task ends.
  std::pair<std::vector<Start>, std::int64_t> run() {
    std::int64_t now = 0;
    while (true) {
      while (start_one(now)) {
      }
      if (ends_.empty()) return {std::move(starts_), now};
      now = ends_.begin()->first;
      while (!ends_.empty() && ends_.begin()->first == now) {
        const TaskId done = ends_.begin()->second;
        ends_.erase(ends_.begin());
        finish(task_of(state_, done));
      }
    }
  }

 private:
  void enqueue(const Task& task) {
    const TaskSpec& spec = task.spec;
    ready_.insert({.priority = spec.priority, .chain_minutes = task.chain_minutes, .task = spec.id},
                  Lane{.role = spec.role, .agent = agent_of(spec.id), .model = ""}, spec.files);
  }

  const std::string& agent_of(TaskId id) const { return routes_.at(id).arm.agent; }

  bool has_slot(const TaskSpec& spec) const {
    const RunConfig& config = config_of(state_);
    if (ends_.size() >= config.max_agents) return false;
    const auto role = config.role_slots.find(spec.role);
    if (role != config.role_slots.end() && used(busy_roles_, spec.role) >= role->second) return false;
    for (const AgentSpec& agent : config.agents) {
      if (agent.name != agent_of(spec.id) || agent.max_parallel == 0) continue;
      if (used(busy_agents_, agent.name) >= agent.max_parallel) return false;
    }
    return true;
  }

  static std::uint32_t used(const std::map<std::string, std::uint32_t>& slots, const std::string& name) {
    const auto found = slots.find(name);
    return found == slots.end() ? 0 : found->second;
  }

  bool start_one(std::int64_t now) {
    for (const Rank& rank : ready_.heads()) {
      const TaskSpec& spec = task_of(state_, rank.task).spec;
      if (!has_slot(spec)) continue;
      ready_.erase(spec.id);
      ready_.lease(spec.id, spec.files);
      ++busy_roles_[spec.role];
      ++busy_agents_[agent_of(spec.id)];
      ends_.emplace(now + length_(spec), spec.id);
      starts_.push_back({now, spec.id});
      return true;
    }
    return false;
  }

  void finish(const Task& task) {
    const TaskSpec& spec = task.spec;
    ready_.release(spec.id);
    --busy_roles_[spec.role];
    --busy_agents_[agent_of(spec.id)];
    release_followers(followers_[spec.id]);
    if (spec.stage < stage_open_.size() && --stage_open_[spec.stage] == 0)
      release_followers(stage_followers_[spec.stage]);
  }

  void release_followers(const std::vector<TaskId>& followers) {
    for (TaskId id : followers) {
      if (--open_[id] == 0) enqueue(task_of(state_, id));
    }
  }

  const RunState& state_;
  const std::map<TaskId, RouteChosen>& routes_;
  Length length_;
  std::map<TaskId, std::size_t> open_;
  std::map<TaskId, std::vector<TaskId>> followers_;
  std::map<std::uint32_t, std::vector<TaskId>> stage_followers_;
  std::vector<std::uint32_t> stage_open_;
  ReadyQueue ready_;
  std::map<std::string, std::uint32_t> busy_roles_;
  std::map<std::string, std::uint32_t> busy_agents_;
  std::set<std::pair<std::int64_t, TaskId>> ends_;
  std::vector<Start> starts_;
};

}  // namespace

Forecast forecast_of(const RunState& state) {
  Forecast forecast;
  for (const auto& [id, task] : state.tasks) {
    Task untried = task;  // settling the plan may have assigned it already: the forecast is of its first attempt
    untried.attempts.clear();
    forecast.routes.emplace(id, foresee_route(state, untried));
    const std::int64_t ceiling = attempt_ceiling(task.spec).micros.value;
    forecast.cost_micros.low += ceiling / 4;
    forecast.cost_micros.mid += ceiling / 2;
    forecast.cost_micros.high += ceiling * 2;
  }
  const auto one = [](const TaskSpec&) { return std::int64_t{1}; };
  for (const auto& start : Rehearsal(state, forecast.routes, one).run().first) {
    const auto wave = static_cast<std::size_t>(start.at);
    if (forecast.waves.size() <= wave) forecast.waves.resize(wave + 1);
    forecast.waves[wave].push_back(start.task);
  }
  for (std::vector<TaskId>& wave : forecast.waves) std::sort(wave.begin(), wave.end());

  const auto estimated = [](const TaskSpec& spec) { return std::int64_t{spec.estimated_minutes} * k_minute; };
  const std::int64_t makespan = Rehearsal(state, forecast.routes, estimated).run().second;
  forecast.makespan_us = {.low = makespan / 2, .mid = makespan, .high = makespan * 2};
  return forecast;
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
