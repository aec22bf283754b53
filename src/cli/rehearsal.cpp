#include "rehearsal.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "bernstein/state/ready_queue.hpp"

namespace bernstein::cli {
namespace {

class Rehearsal {
 public:
  Rehearsal(const RunState& state, const Foresight& foresee)
      : state_(state), config_(config_of(state)), foresee_(foresee), checks_end_us_(config_.landing.max_checks, 0) {
    for (const Stage& stage : state.stages) stage_open_.push_back(stage.spec.tasks);
    for (const AgentSpec& agent : config_.agents) {
      if (agent.max_parallel > 0) agent_slots_[agent.name] = agent.max_parallel;
    }
    for (const auto& [id, task] : state.tasks) {
      Course& course = courses_[id];
      course.open = task.spec.depends_on.size() + task.spec.depends_on_stages.size();
      for (TaskId needed : task.spec.depends_on) followers_[needed].push_back(id);
      for (std::uint32_t stage : task.spec.depends_on_stages) stage_followers_[stage].push_back(id);
      if (course.open == 0) enqueue(task);
    }
  }

  Rehearsed run() {
    Micros now = 0;
    while (true) {
      while (start_one(now)) {
      }
      if (moments_.empty()) break;
      now = moments_.begin()->at_us;
      while (!moments_.empty() && moments_.begin()->at_us == now) {
        const Moment moment = *moments_.begin();
        moments_.erase(moments_.begin());
        moment.is_end ? end_attempt(moment.task) : end_agent(moment.task, now);
      }
    }
    rehearsed_.makespan_us = now;
    return std::move(rehearsed_);
  }

 private:
  struct Course {
    std::size_t open = 0;  // tasks and stages that it waits for
    std::uint32_t failures = 0;
    Prospect prospect;  // of the attempt that waits or is under way
  };
  struct Moment {
    Micros at_us = 0;
    bool is_end = false;  // of the attempt; else of its agent
    TaskId task;
    auto operator<=>(const Moment&) const = default;
  };

  void enqueue(const Task& task) {
    const TaskSpec& spec = task.spec;
    Course& course = courses_[spec.id];
    course.prospect = foresee_(task, course.failures);
    ready_.insert({.priority = spec.priority, .chain_minutes = task.chain_minutes, .task = spec.id},
                  Lane{.role = spec.role, .agent = course.prospect.agent, .model = ""}, spec.files);
  }

  bool has_slot(const TaskSpec& spec) const {
    const std::string& agent = courses_.at(spec.id).prospect.agent;
    return slots_ < config_.max_agents && is_free(config_.role_slots, busy_roles_, spec.role) &&
           is_free(agent_slots_, busy_agents_, agent);
  }

  using Slots = std::map<std::string, std::uint32_t>;
  static bool is_free(const Slots& limits, const Slots& busy, const std::string& name) {
    const auto limit = limits.find(name);
    const auto used = busy.find(name);
    return limit == limits.end() || used == busy.end() || used->second < limit->second;
  }

  bool start_one(Micros now) {
    if (slots_ >= config_.max_agents || ready_.empty()) return false;
    for (const Rank& rank : ready_.heads()) {
      const TaskSpec& spec = task_of(state_, rank.task).spec;
      if (!has_slot(spec)) continue;
      const Prospect& prospect = courses_[spec.id].prospect;
      ready_.erase(spec.id);
      ready_.lease(spec.id, spec.files);
      ++slots_;
      ++busy_roles_[spec.role];
      ++busy_agents_[prospect.agent];
      moments_.insert({.at_us = now + prospect.agent_us, .is_end = false, .task = spec.id});
      rehearsed_.starts.push_back({now, spec.id});
      rehearsed_.cost_micros += prospect.cost_micros;
      return true;
    }
    return false;
  }

  void end_agent(TaskId id, Micros now) {
    if (config_.max_agents > 1) free_slot(id);
    Micros end = now;
    if (const Micros check_us = courses_[id].prospect.check_us; check_us > 0) {
      Micros& slot = *std::ranges::min_element(checks_end_us_);
      end = slot = std::max(slot, now) + check_us;
    }
    moments_.insert({.at_us = end, .is_end = true, .task = id});
  }

  void free_slot(TaskId id) {
    --slots_;
    --busy_roles_[task_of(state_, id).spec.role];
    --busy_agents_[courses_[id].prospect.agent];
  }

  void end_attempt(TaskId id) {
    if (config_.max_agents == 1) free_slot(id);
    ready_.release(id);
    const Task& task = task_of(state_, id);
    Course& course = courses_[id];
    if (!course.prospect.lands) {
      if (++course.failures < config_.limits.attempts) enqueue(task);
      return;
    }
    release_followers(followers_[id]);
    const std::uint32_t stage = task.spec.stage;
    if (stage < stage_open_.size() && --stage_open_[stage] == 0) release_followers(stage_followers_[stage]);
  }

  void release_followers(const std::vector<TaskId>& followers) {
    for (TaskId id : followers) {
      if (--courses_[id].open == 0) enqueue(task_of(state_, id));
    }
  }

  const RunState& state_;
  const RunConfig& config_;
  const Foresight& foresee_;
  std::map<TaskId, Course> courses_;
  std::map<TaskId, std::vector<TaskId>> followers_;
  std::map<std::uint32_t, std::vector<TaskId>> stage_followers_;
  std::vector<std::uint32_t> stage_open_;  // tasks that have not landed
  ReadyQueue ready_;
  std::uint32_t slots_ = 0;  // taken
  Slots agent_slots_;
  Slots busy_agents_;
  Slots busy_roles_;
  std::vector<Micros> checks_end_us_;  // of each slot for checks
  std::set<Moment> moments_;           // to come
  Rehearsed rehearsed_;
};

}  // namespace

Rehearsed rehearse(const RunState& state, const Foresight& foresee) {
  return Rehearsal(state, foresee).run();
}

}  // namespace bernstein::cli
