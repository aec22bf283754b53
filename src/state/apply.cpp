#include "bernstein/state/apply.hpp"

#include <algorithm>
#include <utility>

#include "applier.hpp"

namespace bernstein {

Status Applier::apply() {
  if (event_.seq <= state_.last_seq) return corrupt("does not follow " + std::to_string(state_.last_seq));
  const bool starts = std::holds_alternative<RunStarted>(event_.body);
  if (starts == state_.started.has_value()) return corrupt(starts ? "starts a run twice" : "comes before RunStarted");
  if (!starts && event_.run != state_.run)
    return corrupt("is of " + to_string(event_.run) + ", not of " + to_string(state_.run));
  if (state_.finished && !is_observed(kind_of(event_.body))) return corrupt("comes after RunFinished");
  BERNSTEIN_TRY_VOID(std::visit([this](const auto& body) { return on(body); }, event_.body));
  state_.last_seq = event_.seq;
  state_.at_us = event_.at_us;
  return Ok{};
}

namespace {

// What plan/ makes sure of, looked at again: a log may have been written by anybody. "" when all is in its range.
std::string out_of_range(const RunConfig& config) {
  constexpr std::int64_t k_million = 1'000'000;
  const RoutingRules& rules = config.routing;
  if (config.arms.empty()) return "no arm";
  if (config.max_agents == 0 || config.landing.max_checks == 0) return "no slot";
  if (config.limits.attempts == 0) return "no attempt";
  if (config.budget_micros.value_or(UsdMicros{}).value < 0 || config.budget_tokens.value_or(0) < 0)
    return "a negative budget";
  const bool is_sound = rules.alpha_ppm >= 0 && rules.alpha_ppm <= 1'000 * k_million && rules.explore_ppm >= 0 &&
                        rules.explore_ppm <= k_million && rules.ridge_ppm > 0 && rules.ridge_ppm <= 1'000 * k_million;
  return is_sound ? "" : "rules of routing that are out of range";
}

}  // namespace

Status Applier::on(const RunStarted& e) {
  if (const std::string what = out_of_range(e.config); !what.empty()) return corrupt("has " + what);
  state_.run = event_.run;
  state_.started = e;
  state_.target_tip = e.target_tip;
  state_.behind = e.behind;
  state_.environment = e.environment;
  for (const std::string& check : e.flaky) state_.flakes[check] = 0;
  state_.epoch = 1;
  BERNSTEIN_TRY_VOID(adopt_policy(e.policy));
  state_.planning.task.spec.id = k_planning;
  state_.planning.task.spec.title = state_.planning.task.spec.description = "the plan";
  state_.planning.task.spec.role = k_planner_role;
  return Ok{};
}

Status Applier::adopt_policy(const std::vector<ArmExperience>& experiences) {
  const RoutingRules& rules = state_.started->config.routing;
  if (!are_sound(experiences, rules.ridge_ppm))
    return corrupt(
        "says that earlier runs have learnt what cannot be learnt: its policy has sums that no attempts have");
  state_.policy = Policy(rules.ridge_ppm, experiences);
  return Ok{};
}

// Why nothing went on no longer holds. What was asked for and has no result yet is still asked for.
Status Applier::on(const RunResumed& e) {
  if (e.epoch != state_.epoch + 1) return corrupt("is of epoch " + std::to_string(e.epoch) + ", not the next one");
  state_.epoch = e.epoch;
  state_.behind = e.behind;
  // Limits that are lowered now hold for what starts from here on.
  state_.slots_at_resume = state_.busy_slots;
  state_.stop.reset();
  state_.paused.reset();
  state_.halted.clear();
  state_.finished.reset();
  state_.planning.failed.clear();  // the planner is asked anew
  state_.target_tip = e.target_tip;
  BERNSTEIN_TRY_VOID(adopt_policy(e.policy));
  forget_red();
  if (e.environment != state_.environment) state_.verdicts.clear();
  state_.environment = e.environment;
  if (state_.target_check && !state_.target_check->waits) state_.target_check.reset();
  if (e.budget_micros) state_.started->config.budget_micros = e.budget_micros;
  if (e.budget_tokens) state_.started->config.budget_tokens = e.budget_tokens;
  if (e.max_agents) state_.started->config.max_agents = *e.max_agents;
  return Ok{};
}

// What was red may have been so for a reason outside of the tree, and the person has seen to it.
void Applier::forget_red() {
  std::erase_if(state_.verdicts, [](const auto& known) { return known.second.verdict != CheckVerdict::passed; });
}

Status Applier::on(const RunPaused& e) {
  if (!state_.finished) state_.paused = e;
  return Ok{};
}

Status Applier::on(const RunContinued&) {
  state_.paused.reset();
  return Ok{};
}

Status Applier::on(const PlanAccepted& e) {
  if (state_.planning.wanted) return corrupt("brings a plan where the planner is to make one");
  return take_plan(e);
}

Status Applier::on(const PlanApproved&) {
  if (!state_.plan) return corrupt("approves a plan that is not there");
  state_.approved = true;
  return Ok{};
}

Status Applier::on(const StopRequested& e) {
  const bool too_late = state_.finished.has_value();
  if (!too_late && (!state_.stop || e.mode == StopMode::now)) state_.stop = e;
  return Ok{};
}

Status Applier::on(const RunFinished& e) {
  state_.finished = e;
  return Ok{};
}

Status Applier::on(const TaskCreated& e) {
  if (e.spec.undoes) return create_undo(e);
  if (state_.planned.empty()) return corrupt("creates a task that nobody has planned");
  const std::size_t first = state_.planned.front().id.number;  // ids have no gaps
  const std::size_t next = state_.tasks.size() + 1 - first;
  const std::optional<TaskId> whole = state_.planned.front().part_of;
  if (whole && state_.tasks.at(*whole).status != TaskStatus::split)
    return corrupt("creates a part of a task that was not split");
  if (next >= state_.planned.size() || e.spec != state_.planned[next] || event_.subject != about(e.spec.id)) {
    return corrupt("is not the plan's next task");
  }
  Task task{.spec = e.spec, .chain_minutes = e.chain_minutes};
  for (TaskId needed : e.spec.depends_on) state_.dependents[needed].push_back(e.spec.id);
  for (std::uint32_t stage : e.spec.depends_on_stages) {
    state_.stages[stage].dependents.push_back(e.spec.id);
  }
  task.open_prerequisites = static_cast<std::uint32_t>(e.spec.depends_on.size() + e.spec.depends_on_stages.size());
  if (task.open_prerequisites == 0) state_.to_ready.insert(e.spec.id);
  ++state_.count_by_status[TaskStatus::waiting];
  state_.tasks.emplace(e.spec.id, std::move(task));
  if (next + 1 == state_.planned.size()) state_.planned.clear();
  return Ok{};
}

Status Applier::on(const TaskReadied& e) {
  BERNSTEIN_TRY(Task * task, the_task(TaskStatus::waiting));
  if (state_.planning.to_split.contains(task->spec.id)) return corrupt("readies a task that is to be split");
  state_.to_ready.erase(task->spec.id);
  return make_ready(*task, e.why);
}

Status Applier::on(const TaskRetried& e) {
  BERNSTEIN_TRY(Task * task, the_task_in_flight());
  if (state_.planning.to_split.contains(task->spec.id)) return corrupt("retries a task that is to be split");
  return make_ready(*task, e.why);
}

Status Applier::on(const TaskFailed& e) {
  BERNSTEIN_TRY(Task * task, the_task_in_flight());
  const TaskId id = task->spec.id;
  if (state_.planning.to_split.erase(id) > 0) {
    const bool may_be_split = state_.planning.question != id || is_planner_at_work(state_) || !state_.planned.empty();
    if (may_be_split) return corrupt("gives up while it may be split");
    state_.planning.question.reset();
  }
  set_status(*task, TaskStatus::failed, e.why);
  if (!task->spec.undoes) block_dependents(task->spec);
  return Ok{};
}

Status Applier::on(const TaskBlocked& e) {
  BERNSTEIN_TRY(Task * task, the_task(TaskStatus::waiting));
  if (state_.planning.to_split.contains(task->spec.id)) return corrupt("blocks a task that is to be split");
  state_.to_block.erase(task->spec.id);
  set_status(*task, TaskStatus::blocked, e.why);
  block_dependents(task->spec);
  return Ok{};
}

Status Applier::on(const RetryWanted&) {
  const auto found = state_.tasks.find(event_.subject.task);
  if (found == state_.tasks.end() || found->second.status != TaskStatus::failed)
    return corrupt("wants a task again that did not fail");
  Task& task = found->second;
  forget_red();
  task.failures = task.losses = task.parks = task.conflicts = 0;
  task.failed_arm.reset();
  task.used = {};
  if (!task.spec.undoes) unblock_dependents(task.spec);
  Attempt* last = task.attempts.empty() ? nullptr : &task.attempts.back();
  if (last == nullptr || last->step != Step::handed_over) return make_ready(task, "a person wants it again");
  state_.in_flight.insert(last->id);
  set_status(task, TaskStatus::reported, "a person has resolved its conflict");
  set_step(*last, Step::exited);
  return Ok{};
}

Status Applier::on(const UndoWanted&) {
  const auto found = state_.tasks.find(event_.subject.task);
  if (found == state_.tasks.end() || found->second.status != TaskStatus::landed || found->second.undone_by)
    return corrupt("undoes what has not landed");
  if (std::ranges::find(state_.to_undo, event_.subject.task) != state_.to_undo.end()) return Ok{};  // said twice
  state_.to_undo.push_back(event_.subject.task);
  return Ok{};
}

Status Applier::create_undo(const TaskCreated& e) {
  const bool is_next = e.spec.id.number == state_.tasks.size() + state_.planned.size() + 1;
  if (state_.to_undo.empty() || e.spec.undoes != state_.to_undo.front() || !is_next ||
      event_.subject != about(e.spec.id))
    return corrupt("undoes what nobody wants undone");
  state_.to_undo.erase(state_.to_undo.begin());
  state_.to_ready.insert(e.spec.id);
  ++state_.count_by_status[TaskStatus::waiting];
  state_.tasks.emplace(e.spec.id, Task{.spec = e.spec, .chain_minutes = e.chain_minutes});
  return Ok{};
}

Status Applier::on(const RouteChosen& e) {
  BERNSTEIN_TRY(Task * task, the_task(TaskStatus::ready));
  task->route = e;
  return Ok{};
}

Error Applier::corrupt(const std::string& what) const {
  return {ErrorCode::corrupt, "event " + std::to_string(event_.seq) + " (" + std::string(type_of(event_.body)) + " " +
                                  to_string(event_.subject) + ") " + what};
}

Result<Task*> Applier::the_task(TaskStatus expected) {
  auto found = state_.tasks.find(event_.subject.task);
  if (found == state_.tasks.end()) return corrupt("is about a task that does not exist");
  if (found->second.status != expected) {
    return corrupt("finds the task " + std::string(to_word(found->second.status)) + ", not " +
                   std::string(to_word(expected)));
  }
  return &found->second;
}

// A task whose last attempt has just failed.
Result<Task*> Applier::the_task_in_flight() {
  auto found = state_.tasks.find(event_.subject.task);
  if (found == state_.tasks.end()) return corrupt("is about a task that does not exist");
  Task& task = found->second;
  if (task.attempts.empty() || !task.attempts.back().failure || is_terminal(task.status) ||
      task.status == TaskStatus::ready) {
    return corrupt("does not follow a failed attempt");
  }
  return &task;
}

Result<Attempt*> Applier::the_attempt() {
  const TaskId id = event_.subject.task;
  const std::uint32_t number = event_.subject.attempt;
  const bool exists = id == k_planning || state_.tasks.contains(id);
  if (!exists || number == 0 || number > task_at(id).attempts.size()) {
    return corrupt("is about an attempt that does not exist");
  }
  return &task_at(id).attempts[number - 1];
}

Result<Attempt*> Applier::the_attempt(Step expected) {
  BERNSTEIN_TRY(Attempt * attempt, the_attempt());
  if (attempt->step != expected) return corrupt("comes out of order");
  return attempt;
}

Result<Attempt*> Applier::the_attempt_in_flight() {
  BERNSTEIN_TRY(Attempt * attempt, the_attempt());
  if (!state_.in_flight.contains(attempt->id)) return corrupt("is about an attempt that has ended");
  return attempt;
}

// What the rest relies on; the plan's reader promises it (plan/plan.hpp).
Status Applier::check_plan(const PlanAccepted& plan) const {
  std::vector<std::uint32_t> tasks_of_stage(plan.stages.size(), 0);
  for (std::size_t i = 0; i < plan.tasks.size(); ++i) {
    const TaskSpec& task = plan.tasks[i];
    if (task.id.number != i + 1) return corrupt("does not number its tasks from t1");
    if (task.stage >= plan.stages.size()) return corrupt("has a task in a stage that does not exist");
    if (task.part_of) return corrupt("has a task that is part of another one");
    ++tasks_of_stage[task.stage];
    for (TaskId needed : task.depends_on) {
      if (needed.number < 1 || needed.number > plan.tasks.size())
        return corrupt("has a task that depends on none of its tasks");
    }
    for (std::uint32_t stage : task.depends_on_stages) {
      if (stage >= plan.stages.size()) return corrupt("has a task that depends on none of its stages");
    }
  }
  for (std::size_t i = 0; i < plan.stages.size(); ++i) {
    if (plan.stages[i].tasks != tasks_of_stage[i])
      return corrupt("miscounts the tasks of stage '" + plan.stages[i].name + "'");
  }
  return Ok{};
}

Status Applier::take_plan(const PlanAccepted& plan) {
  if (state_.plan) return corrupt("brings a second plan");
  BERNSTEIN_TRY_VOID(check_plan(plan));
  state_.planning.question.reset();
  state_.plan = plan;
  state_.planned = std::exchange(state_.plan->tasks, {});
  for (const StageSpec& stage : plan.stages)
    state_.stages.push_back({.spec = stage, .unlanded = stage.tasks, .dependents = {}});
  return Ok{};
}

void Applier::set_status(Task& task, TaskStatus status, const std::string& why) {
  if (task.spec.id == k_planning) return;  // what the planner is at, its sessions say
  auto count = state_.count_by_status.find(task.status);
  if (--count->second == 0) state_.count_by_status.erase(count);
  ++state_.count_by_status[status];
  task.status = status;
  task.why = why;
}

Status Applier::make_ready(Task& task, const std::string& why) {
  set_status(task, TaskStatus::ready, why);
  const TaskSpec& spec = task.spec;
  if (spec.undoes) return state_.ready_undos.insert(spec.id), Ok{};
  std::set<std::string> files(spec.files.begin(), spec.files.end());
  files.insert(task.extra_files.begin(), task.extra_files.end());
  const std::optional<UsdMicros> ceiling = own_ceiling(state_, task);
  state_.ready.insert(
      {spec.priority, task.chain_minutes, spec.id},
      {.role = spec.role,
       .agent = spec.agent,
       .model = spec.model,
       .complexity = spec.complexity,
       .scope = spec.scope,
       .failures = task.failures,
       .failed = task.failed_arm ? to_string(*task.failed_arm) : "",
       .resolves = task.resolver ? to_string(*task.resolver) + " " + std::to_string(task.conflicts) : "",
       .own_money = ceiling ? std::optional(*ceiling - task.used) : std::nullopt},
      {files.begin(), files.end()});
  return Ok{};
}

void Applier::unlock(TaskId id) {
  Task& task = state_.tasks.at(id);
  if (--task.open_prerequisites == 0 && task.status == TaskStatus::waiting) state_.to_ready.insert(id);
}

void Applier::unlock_dependents(const TaskSpec& landed) {
  if (auto dependents = state_.dependents.find(landed.id); dependents != state_.dependents.end()) {
    for (TaskId dependent : dependents->second) unlock(dependent);
  }
  Stage& stage = state_.stages[landed.stage];
  if (--stage.unlanded > 0) return;
  for (TaskId dependent : stage.dependents) unlock(dependent);
}

void Applier::block_dependents(const TaskSpec& lost) {
  auto block = [&](TaskId dependent) {
    if (state_.tasks.at(dependent).status == TaskStatus::waiting) state_.to_block.try_emplace(dependent, lost.id);
  };
  if (auto dependents = state_.dependents.find(lost.id); dependents != state_.dependents.end()) {
    for (TaskId dependent : dependents->second) block(dependent);
  }
  for (TaskId dependent : state_.stages[lost.stage].dependents) block(dependent);
}

// A task, but for one, without which another cannot be done and which will not land.
std::optional<TaskId> Applier::what_is_lost(const TaskSpec& spec, TaskId but_for, LostOfStages& lost_of_stages) const {
  const auto is_lost = [&](TaskId id, const Task& task) {
    return id != but_for && !task.spec.undoes &&
           (task.status == TaskStatus::failed || task.status == TaskStatus::cancelled ||
            task.status == TaskStatus::blocked);
  };
  for (TaskId needed : spec.depends_on) {
    if (is_lost(needed, state_.tasks.at(needed))) return needed;
  }
  for (std::uint32_t stage : spec.depends_on_stages) {
    const auto [lost, is_new] = lost_of_stages.try_emplace(stage);
    if (is_new) {
      const auto first = std::ranges::find_if(state_.tasks, [&](const auto& entry) {
        return entry.second.spec.stage == stage && is_lost(entry.first, entry.second);
      });
      if (first != state_.tasks.end()) lost->second = first->first;
    }
    if (lost->second) return lost->second;
  }
  return std::nullopt;
}

// Those that were blocked by this one, and by what was blocked by it: they wait again. Where something else of theirs
// is lost too, they are blocked again; that is looked for when all of them wait.
void Applier::unblock_dependents(const TaskSpec& revived) {
  std::set<TaskId> in_doubt;
  std::vector<TaskId> to_visit{revived.id};
  const auto unblock = [&](TaskId id) {
    Task& task = state_.tasks.at(id);
    const bool was_to_block = state_.to_block.erase(id) > 0;
    const bool was_blocked = task.status == TaskStatus::blocked;
    if (was_to_block || was_blocked) in_doubt.insert(id);
    if (!was_blocked) return;
    set_status(task, TaskStatus::waiting, to_string(revived.id) + " is tried again");
    to_visit.push_back(id);
  };
  std::set<std::uint32_t> seen_stages;
  while (!to_visit.empty()) {
    const TaskId id = to_visit.back();
    to_visit.pop_back();
    if (auto dependents = state_.dependents.find(id); dependents != state_.dependents.end()) {
      for (TaskId dependent : dependents->second) unblock(dependent);
    }
    const std::uint32_t stage = state_.tasks.at(id).spec.stage;
    if (!seen_stages.insert(stage).second) continue;
    for (TaskId dependent : state_.stages[stage].dependents) unblock(dependent);
  }
  LostOfStages lost_of_stages;
  for (TaskId id : in_doubt) {
    const auto lost = what_is_lost(state_.tasks.at(id).spec, revived.id, lost_of_stages);
    if (lost) state_.to_block.try_emplace(id, *lost);
  }
}

Status apply(RunState& state, const Event& event) {
  return Applier(state, event).apply();
}

}  // namespace bernstein
