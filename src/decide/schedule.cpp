#include <algorithm>

#include "bernstein/base/text.hpp"
#include "bernstein/decide/budget.hpp"
#include "bernstein/decide/router.hpp"
#include "bernstein/state/credentials.hpp"
#include "graph.hpp"
#include "steps.hpp"
#include "words.hpp"

namespace bernstein {
namespace {

std::uint32_t count_of(const std::map<std::string, std::uint32_t>& counts, const std::string& name) {
  auto found = counts.find(name);
  return found == counts.end() ? 0 : found->second;
}

// Conflicts are resolved one after the other: two at once would only conflict again.
std::optional<AttemptId> resolver_at_work(const RunState& state) {
  for (AttemptId id : state.resolving) {
    if (!state.held.contains(id)) return id;
  }
  return std::nullopt;
}

bool waits_for_resolver(const RunState& state, const Task& task) {
  return task.resolver && resolver_at_work(state);
}

// Why a ready task whose files are free does not start now. Asked only when another one does, for its reason.
std::string does_not_fit(const RunState& state, const Task& task) {
  const std::string& role = task.spec.role;
  if (role_is_full(state, role)) {
    return "role '" + role + "' has its " + plural(config_of(state).role_slots.at(role), "slot") + " taken";
  }
  if (waits_for_resolver(state, task))
    return "its conflict is resolved after that of " + to_string(*resolver_at_work(state));
  if (!has_route(state, task)) return missing_agents(state, task);
  return shortage_in_words(state, expected_outlay(state, task, foresee_route(state, task).arm));
}

std::string passed_over_in_words(const RunState& state, const std::vector<TaskId>& passed_over) {
  constexpr std::size_t k_named_max = 3;
  std::vector<std::string> named;
  for (TaskId task : passed_over) {
    if (named.size() == k_named_max) break;
    named.push_back(to_string(task) + " (" + does_not_fit(state, task_of(state, task)) + ")");
  }
  if (named.empty()) return "";
  std::string text = "; passed over " + join(named, ", ");
  if (passed_over.size() > named.size()) text += " and " + std::to_string(passed_over.size() - named.size()) + " more";
  return text;
}

std::vector<std::string> files_of(const Task& task) {
  std::set<std::string> files(task.spec.files.begin(), task.spec.files.end());
  files.insert(task.extra_files.begin(), task.extra_files.end());
  return {files.begin(), files.end()};
}

std::vector<Draft> start_attempt(const RunState& state, const Task& task, RouteChosen route, const Outlay& reserved,
                                 const std::vector<TaskId>& passed_over) {
  const AttemptId id{task.spec.id, static_cast<std::uint32_t>(task.attempts.size()) + 1};
  std::vector<std::string> owned = files_of(task);
  std::string why =
      "slot " + std::to_string(state.busy_slots + 1) + " of " + std::to_string(config_of(state).max_agents) +
      " is free; of " + plural(state.ready.size(), "ready task") + " the first that fits, by priority " +
      std::to_string(task.spec.priority) + ", then " + std::to_string(task.chain_minutes) + " min of work behind it";
  why += owned.empty() ? "; owns no files" : "; nobody in flight owns " + name_paths(owned);
  why += passed_over_in_words(state, passed_over);
  TaskAssigned assigned{route.arm.agent, route.arm.model, std::move(owned),
                        reserved.micros, reserved.tokens, std::move(why)};
  return {{about(id), std::move(route)}, {about(id), std::move(assigned)}};
}

}  // namespace

std::vector<Draft> create_tasks(const RunState& state) {
  const std::vector<TaskSpec>& planned = state.planned;
  if (planned.empty() || awaits_approval(state)) return {};
  // Parts are as urgent as the task in whose place they stand.
  const std::optional<TaskId> whole = planned.front().part_of;
  const std::vector<std::uint32_t> chains =
      whole ? std::vector<std::uint32_t>(planned.size(), task_of(state, *whole).chain_minutes)
            : chain_minutes(planned, state.stages.size());
  std::vector<Draft> drafts;
  drafts.reserve(planned.size());
  for (std::size_t i = 0; i < planned.size(); ++i) {
    drafts.push_back({about(planned[i].id), TaskCreated{chains[i], planned[i]}});
  }
  return drafts;
}

std::vector<Draft> ready_or_block(const RunState& state) {
  if (!state.to_block.empty()) {
    const auto& [task, by] = *state.to_block.begin();
    const bool failed = task_of(state, by).status == TaskStatus::failed;
    return {{about(task),
             TaskBlocked{by, to_string(by) + (failed ? " failed" : " is blocked itself") + ", so it will not land"}}};
  }
  if (state.to_ready.empty()) return {};
  const Task& task = task_of(state, *state.to_ready.begin());
  const std::size_t tasks = task.spec.depends_on.size();
  const std::size_t stages = task.spec.depends_on_stages.size();
  std::string why = "waits for nothing";
  if (tasks + stages > 0) {
    why = "all it waited for has landed: ";
    if (tasks > 0) why += plural(tasks, "task");
    if (tasks > 0 && stages > 0) why += ", ";
    if (stages > 0) why += plural(stages, "stage");
  }
  return {{about(task.spec.id), TaskReadied{why}}};
}

// What a person wants taken back becomes a task of its own, on which no agent works.
std::vector<Draft> create_undo(const RunState& state) {
  if (state.to_undo.empty() || !state.planned.empty()) return {};
  const Task& landed = task_of(state, state.to_undo.front());
  const std::string name = to_string(landed.spec.id);
  TaskSpec spec{.complexity = Complexity::low,
                .description = "Takes back what " + name + " has landed.",
                .estimated_minutes = 1,
                .id = TaskId{static_cast<std::uint32_t>(state.tasks.size()) + 1},
                .priority = 1,
                .role = landed.spec.role,
                .scope = Scope::small,
                .stage = landed.spec.stage,
                .title = "Undo " + name + ": " + landed.spec.title,
                .undoes = landed.spec.id};
  const Subject subject = about(spec.id);
  return {{subject, TaskCreated{1, std::move(spec)}}};
}

std::vector<Draft> start_undo(const RunState& state) {
  const bool nothing_new = state.stop || state.paused || !state.halted.empty();
  if (nothing_new || state.ready_undos.empty()) return {};
  const Task& task = task_of(state, *state.ready_undos.begin());
  const AttemptId id{task.spec.id, static_cast<std::uint32_t>(task.attempts.size()) + 1};
  const Task& landed = task_of(state, *task.spec.undoes);
  return {{about(id), RevertRequested{landed.attempts.back().merge_commit}}};
}

bool may_start(const RunState& state) {
  const bool nothing_new = state.stop || state.paused || !state.halted.empty();
  if (nothing_new || state.busy_slots >= config_of(state).max_agents) return false;
  // One agent means one thing at a time, landing and cleaning up included: nothing runs side by side, so nothing can
  // arrive in another order, and two runs of a plan are decided alike.
  const bool one_at_a_time = config_of(state).max_agents == 1;
  return !one_at_a_time || (is_idle(state) && only_timers_are_open(state));
}

bool role_is_full(const RunState& state, const std::string& role) {
  const auto& caps = config_of(state).role_slots;
  auto cap = caps.find(role);
  return cap != caps.end() && count_of(state.busy_roles, role) >= cap->second;
}

std::uint32_t agent_is_full(const RunState& state, const std::string& name) {
  const AgentSpec* agent = find_agent(config_of(state), name);
  if (agent == nullptr || agent->max_parallel == 0) return 0;
  return count_of(state.busy_agents, name) >= agent->max_parallel ? agent->max_parallel : 0;
}

std::vector<Draft> assign(const RunState& state) {
  if (!may_start(state)) return {};
  // Work-conserving: whoever is first and fits gets the slot; one that does not fit holds up nobody.
  std::vector<TaskId> passed_over;
  for (const Rank& rank : state.ready.heads()) {
    const Task& task = task_of(state, rank.task);
    const bool may_go = !role_is_full(state, task.spec.role) && !waits_for_resolver(state, task);
    if (std::optional<RouteChosen> route = may_go ? choose_route(state, task) : std::nullopt) {
      if (const std::optional<Outlay> reserved = reservation(state, task, route->arm)) {
        return start_attempt(state, task, *std::move(route), *reserved, passed_over);
      }
    }
    passed_over.push_back(rank.task);
  }
  return {};
}

namespace {

// The run ends because somebody who is held has to be seen to; a resume takes them up.
void wait_for_person(const RunState& state, RunFinished& end) {
  std::vector<std::string> to_approve;
  for (AttemptId id : state.held) {
    const LandingHeld& held = *attempt_of(state, id).held;
    if (held.reason == Hold::base_red) {
      end.outcome = RunOutcome::environment;
      end.why = red_target_in_words(state);
      return;
    }
    to_approve.push_back(to_string(id.task));
  }
  end.outcome = RunOutcome::stopped;
  end.why = join(to_approve, ", ") + (to_approve.size() == 1 ? " waits" : " wait") +
            " for a person's look: `bernstein approve " + to_string(state.run) + "/" + to_approve.front() +
            "` lands it";
}

// Of what could start next if there were enough left.
std::string first_beyond_budget_in_words(const RunState& state) {
  if (const std::set<Rank> ready = state.ready.heads(); !ready.empty()) {
    const Task& first = task_of(state, ready.begin()->task);
    return end_of_budget_in_words(state, first, foresee_route(state, first).arm);
  }
  const std::optional<PlannerSpec>& planner = config_of(state).planner;
  return planner ? end_of_budget_in_words(state, state.planning.task, arm_of(*planner))
                 : "nothing is left that may start";
}

}  // namespace

namespace {

// Whether somebody can go on once the agents that are left alone are back. Requires that nothing is in flight.
bool waits_for_agents(const RunState& state) {
  if (state.parked.empty()) return false;
  if (open_question(state)) return true;
  return std::ranges::any_of(state.ready.heads(),
                             [&](const Rank& rank) { return can_be_paid(state, task_of(state, rank.task)); });
}

}  // namespace

std::vector<Draft> finish(const RunState& state) {
  if (!is_idle(state) || !only_timers_are_open(state)) return {};
  auto count = [&](TaskStatus status) {
    auto found = state.count_by_status.find(status);
    return found == state.count_by_status.end() ? 0U : found->second;
  };
  const std::uint32_t total = static_cast<std::uint32_t>(state.tasks.size()) - count(TaskStatus::split);
  const std::uint32_t landed = count(TaskStatus::landed);
  const std::uint32_t lost = count(TaskStatus::failed) + count(TaskStatus::blocked) + count(TaskStatus::cancelled);
  RunFinished end{.failed = lost, .landed = landed};
  if (!state.planning.failed.empty()) {
    end.outcome = RunOutcome::incomplete;
    end.why = state.planning.failed;
  } else if (awaits_approval(state)) {
    end.outcome = RunOutcome::stopped;
    end.why = "the plan waits for a person's look: `bernstein approve " + to_string(state.run) + "` starts it";
  } else if (state.plan && landed == total) {
    end.outcome = RunOutcome::landed;
    end.why = "all " + plural(total, "task") + " landed";
  } else if (state.plan && landed + lost == total) {
    end.outcome = RunOutcome::incomplete;
    end.why = std::to_string(landed) + " of " + plural(total, "task") + " landed, " + std::to_string(lost) + " did not";
  } else if (!state.halted.empty()) {
    end.outcome = RunOutcome::environment;
    end.why = state.halted;
  } else if (!state.held.empty()) {
    wait_for_person(state, end);
  } else if (state.stop) {
    end.outcome = RunOutcome::stopped;
    end.why = "stopped: " + state.stop->reason;
  } else if (state.paused || waits_for_agents(state)) {
    return {};  // it stays open
  } else {
    // Nothing is in flight, so nobody owns files and no slot is taken: only a budget can be what is in the way.
    end.outcome = RunOutcome::budget;
    end.why = first_beyond_budget_in_words(state);
  }
  return {{about_run(), end}};
}

}  // namespace bernstein
