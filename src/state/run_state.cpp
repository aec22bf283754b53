#include "bernstein/state/run_state.hpp"

#include <algorithm>
#include <iterator>

#include "bernstein/base/check.hpp"
#include "bernstein/base/sha256.hpp"

namespace bernstein {

const RunConfig& config_of(const RunState& state) {
  BERNSTEIN_CHECK(state.started.has_value(), "a run has a configuration once it has started");
  return state.started->config;
}

const AgentSpec* find_agent(const RunConfig& config, std::string_view name) {
  const auto found = std::ranges::find(config.agents, name, &AgentSpec::name);
  return found == config.agents.end() ? nullptr : &*found;
}

const ModelSpec* find_model(const AgentSpec& agent, std::string_view name) {
  const auto found = std::ranges::find(agent.models, name, &ModelSpec::name);
  return found == agent.models.end() ? nullptr : &*found;
}

const Task& task_of(const RunState& state, TaskId id) {
  if (id == k_planning) return state.planning.task;
  auto task = state.tasks.find(id);
  BERNSTEIN_CHECK(task != state.tasks.end(), "the task exists");
  return task->second;
}

const Attempt& attempt_of(const RunState& state, AttemptId id) {
  const Task& task = task_of(state, id.task);
  BERNSTEIN_CHECK(id.number >= 1 && id.number <= task.attempts.size(), "the attempt exists");
  return task.attempts[id.number - 1];
}

Outlay committed(const RunState& state) {
  return state.spent + state.presumed + state.reserved;
}

std::optional<UsdMicros> own_ceiling(const RunState& state, const Task& task) {
  if (task.spec.id == k_planning) return std::nullopt;
  return task.spec.budget_micros ? task.spec.budget_micros : config_of(state).limits.task_cost_micros;
}

std::string outlay_key(const Arm& arm, Complexity complexity) {
  return arm.agent + "/" + arm.model + " " + std::string(to_word(complexity));
}

bool has_landed(const RunState& state, const Task& task) {
  if (task.status != TaskStatus::split) return task.status == TaskStatus::landed;
  return std::all_of(task.parts.begin(), task.parts.end(),
                     [&](TaskId part) { return has_landed(state, task_of(state, part)); });
}

std::optional<TaskId> open_question(const RunState& state) {
  const Planning& planning = state.planning;
  if (planning.question) return planning.question;
  if (planning.wanted && !state.plan && planning.failed.empty()) return k_planning;
  if (!planning.to_split.empty()) return *planning.to_split.begin();
  return std::nullopt;
}

bool may_be_split(const RunState& state, const Task& task) {
  return config_of(state).planner && !task.spec.part_of;
}

bool is_planner_at_work(const RunState& state) {
  const std::vector<Attempt>& sessions = state.planning.task.attempts;
  return !sessions.empty() && state.in_flight.contains(sessions.back().id);
}

bool awaits_approval(const RunState& state) {
  return state.plan && config_of(state).approve_plan && !state.approved;
}

std::vector<const Task*> tasks_and_planning(const RunState& state) {
  std::vector<const Task*> tasks;
  tasks.reserve(state.tasks.size() + 1);
  for (const auto& [id, task] : state.tasks) tasks.push_back(&task);
  if (!state.planning.task.attempts.empty()) tasks.push_back(&state.planning.task);
  return tasks;
}

std::vector<CheckSpec> checks_of(const RunState& state, const std::vector<TaskId>& tasks) {
  const auto is_command = [](const CheckSpec& check) { return check.type == CheckType::command; };
  std::vector<CheckSpec> checks;
  const auto add = [&](const CheckSpec& check) {
    const auto is_same = [&](const CheckSpec& other) { return verdict_key("", other) == verdict_key("", check); };
    if (std::none_of(checks.begin(), checks.end(), is_same)) checks.push_back(check);
  };
  const auto add_signals = [&](bool commands) {
    for (TaskId task : tasks) {
      for (const CheckSpec& check : task_of(state, task).spec.signals) {
        if (is_command(check) == commands) add(check);
      }
    }
  };
  add_signals(false);
  for (const CheckSpec& gate : config_of(state).gates) add(gate);
  add_signals(true);
  return checks;
}

bool is_gate(const RunState& state, const CheckSpec& check) {
  const std::vector<CheckSpec>& gates = config_of(state).gates;
  return std::ranges::find(gates, check) != gates.end();
}

std::vector<TaskId> who_landed_on(const RunState& state, const std::vector<ConflictedPath>& paths) {
  std::vector<TaskId> landed;
  for (const auto& [id, task] : state.tasks) {
    if (task.status != TaskStatus::landed) continue;
    const std::vector<ChangedPath>& changes = task.attempts.back().work->changes;
    const auto meets = [&](const ConflictedPath& conflict) {
      return std::ranges::find(changes, conflict.path, &ChangedPath::path) != changes.end();
    };
    if (std::ranges::any_of(paths, meets)) landed.push_back(id);
  }
  return landed;
}

bool is_idle(const RunState& state) {
  return state.in_flight.size() == state.held.size();
}

bool is_target_red(const RunState& state) {
  if (!state.target_check || state.target_check->commit != state.target_tip) return false;
  const std::optional<VerdictReached>& verdict = state.target_check->examination.verdict;
  return verdict && verdict->verdict == Verdict::failed;
}

bool is_left(const RunState& state) {
  return state.stop && state.stop->mode == StopMode::now;
}

bool is_work_kept(const Attempt& attempt) {
  // A capture that finds the worktree spoilt fails the attempt, and has salvaged what there was.
  return attempt.work || (attempt.broken && attempt.broken->effect == CaptureRequested::type &&
                          attempt.broken->class_ == FailureClass::task);
}

bool is_work_at_risk(const Attempt& attempt) {
  return attempt.worktree && attempt.started && !is_work_kept(attempt);
}

bool is_timer(const EventBody& intent) {
  return std::holds_alternative<ParkRequested>(intent) || std::holds_alternative<TrialRequested>(intent);
}

bool only_timers_are_open(const RunState& state) {
  return std::ranges::all_of(state.open_intents, [](const auto& open) { return is_timer(open.second.body); });
}

std::string verdict_key(const std::string& tree, const CheckSpec& check) {
  std::string key = tree;
  for (const std::string& part : {std::string(to_word(check.type)), check.path, check.contains, check.command}) {
    key += '\0';
    key += part;
  }
  return key;
}

std::string check_key(const std::string& environment, const std::string& tree, const CheckSpec& check) {
  return to_hex(sha256(environment + '\0' + verdict_key(tree, check)));
}

}  // namespace bernstein
