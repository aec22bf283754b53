#include "bernstein/state/invariants.hpp"

#include <algorithm>
#include <iterator>

#include "bernstein/base/path.hpp"

namespace bernstein {
namespace {

using Sentences = std::vector<std::string>;

// A path or pattern that both attempts hold, or "". Pairwise, so that it does not lean on the trie it checks. What was
// granted is a file, so a glob has to match it; declared patterns keep clear of all that they may match.
std::string contested(const Attempt& a, const Attempt& b) {
  for (const std::string& mine : a.owned) {
    for (const std::string& theirs : b.owned) {
      if (may_overlap(mine, theirs)) return mine;
    }
  }
  for (const auto& [one, other] : {std::pair{&a, &b}, std::pair{&b, &a}}) {
    for (const std::string& file : one->granted) {
      const auto covers_it = [&](const std::string& pattern) { return matches(pattern, file); };
      if (std::any_of(other->owned.begin(), other->owned.end(), covers_it)) return file;
      if (std::any_of(other->granted.begin(), other->granted.end(), covers_it)) return file;
    }
  }
  return "";
}

// Two attempts in flight may not hold the same files.
void check_ownership(const RunState& state, Sentences& broken) {
  for (auto a = state.in_flight.begin(); a != state.in_flight.end(); ++a) {
    for (auto b = std::next(a); b != state.in_flight.end(); ++b) {
      if (std::string file = contested(attempt_of(state, *a), attempt_of(state, *b)); !file.empty()) {
        broken.push_back(to_string(*a) + " and " + to_string(*b) + " are in flight and both own " + file);
      }
    }
  }
}

// One of the two things that are budgeted, summed up anew.
void check_sums(const RunState& state, Sentences& broken, const std::string& what, auto part) {
  std::int64_t reserved = 0;
  std::int64_t spent = 0;
  std::int64_t presumed = 0;
  for (const Task* task : tasks_and_planning(state)) {
    for (const Attempt& attempt : task->attempts) {
      if (attempt.slot) reserved += part(attempt.reserved);
      if (attempt.exit) {
        const Charge charge = charge_of(*attempt.exit, attempt.reserved);
        spent += part(charge.spent);
        presumed += part(charge.presumed);
      } else if (attempt.started && !attempt.slot) {
        presumed += part(attempt.reserved);
      }
    }
  }
  if (reserved != part(state.reserved)) broken.push_back("reserved " + what + " not the sum over attempts in flight");
  if (spent != part(state.spent)) broken.push_back("spent " + what + " not the sum over attempts");
  if (presumed != part(state.presumed))
    broken.push_back("presumed " + what + " not the sum over attempts that did not tell");
}

void check_budgets(const RunState& state, Sentences& broken) {
  check_sums(state, broken, "money is", [](const Outlay& outlay) { return outlay.micros.value; });
  check_sums(state, broken, "tokens are", [](const Outlay& outlay) { return outlay.tokens; });
  // When it started: what it costs beyond its reservation is known later, and so is a budget that a resume lowered.
  for (AttemptId id : state.beyond_budget)
    broken.push_back(to_string(id) + " started although the budget did not allow it");
}

void check_task(const RunState& state, TaskId id, const Task& task, Sentences& broken) {
  const std::string name = to_string(id);
  std::size_t flying = 0;
  std::size_t landed = 0;
  for (const Attempt& attempt : task.attempts) {
    flying += state.in_flight.count(attempt.id);
    landed += attempt.merge_commit.empty() ? 0U : 1U;
  }
  if (flying > 1) broken.push_back(name + " has several attempts in flight");
  if (landed > 1) broken.push_back(name + " landed more than once");
  if ((landed == 1) != (task.status == TaskStatus::landed)) broken.push_back(name + " is landed without a landing");
  if (task.failures > config_of(state).limits.attempts) broken.push_back(name + " used up more attempts than it has");
  if (is_terminal(task.status) && flying > 0) broken.push_back(name + " has ended and still works");
  if (task.status == TaskStatus::waiting || task.status == TaskStatus::blocked) return;
  for (TaskId needed : task.spec.depends_on) {
    if (!has_landed(state, task_of(state, needed))) {
      broken.push_back(name + " started before " + to_string(needed) + " had landed");
    }
  }
  for (std::uint32_t stage : task.spec.depends_on_stages) {
    if (state.stages[stage].unlanded > 0) {
      broken.push_back(name + " started before stage '" + state.stages[stage].spec.name + "' had landed");
    }
  }
}

void check_slots(const RunState& state, Sentences& broken) {
  std::uint32_t slots = 0;
  std::map<std::string, std::uint32_t> agents;
  std::map<std::string, std::uint32_t> roles;
  for (const Task* task : tasks_and_planning(state)) {
    for (const Attempt& attempt : task->attempts) {
      if (!attempt.slot) continue;
      ++slots;
      ++agents[attempt.arm.agent];
      ++roles[task->spec.role];
    }
  }
  if (slots != state.busy_slots || agents != state.busy_agents || roles != state.busy_roles) {
    broken.push_back("the busy slots are not those of the attempts that work");
  }
  const RunConfig& config = config_of(state);
  if (slots > std::max(config.max_agents, state.slots_at_resume))
    broken.push_back("more agents work than max_agents allows");
  for (const auto& [role, count] : roles) {
    auto cap = config.role_slots.find(role);
    if (cap != config.role_slots.end() && count > cap->second) {
      broken.push_back("more agents work than role '" + role + "' has slots");
    }
  }
  for (const AgentSpec& agent : config.agents) {
    auto count = agents.find(agent.name);
    if (agent.max_parallel > 0 && count != agents.end() && count->second > agent.max_parallel) {
      broken.push_back("agent '" + agent.name + "' works more often at once than its max_parallel");
    }
  }
}

// Who is left alone is not tried, and who goes first works.
void check_credentials(const RunState& state, Sentences& broken) {
  for (const auto& [credential, first] : state.trials) {
    if (state.parked.contains(credential)) broken.push_back("'" + credential + "' is parked and on trial");
    if (!first) continue;
    if (!state.with_slot.contains(*first)) broken.push_back(to_string(*first) + " is to go first and does not work");
  }
  for (const auto& [credential, seq] : state.parked) {
    const auto open = state.open_intents.find(seq);
    const bool waits = open != state.open_intents.end() && std::holds_alternative<ParkRequested>(open->second.body);
    if (!waits) broken.push_back("'" + credential + "' is parked and nothing will end it");
  }
}

// Nothing of the planner's lands, it has one session at a time, and a task was split into others that exist.
void check_planning(const RunState& state, Sentences& broken) {
  std::size_t flying = 0;
  for (const Attempt& session : state.planning.task.attempts) {
    flying += state.in_flight.count(session.id);
    if (!session.merge_commit.empty() || session.candidate) {
      broken.push_back(to_string(session.id) + " has something to land");
    }
  }
  if (flying > 1) broken.push_back("the planner has several sessions at once");
  if (flying == 1 && !state.planning.question) broken.push_back("the planner was not asked anything");
  for (const auto& [id, task] : state.tasks) {
    if (task.spec.part_of && task_of(state, *task.spec.part_of).status != TaskStatus::split) {
      broken.push_back(to_string(id) + " is a part of " + to_string(*task.spec.part_of) + ", which was not split");
    }
    if (task.spec.part_of && task.status == TaskStatus::split)
      broken.push_back(to_string(id) + " was split twice over");
  }
}

// Whoever waits for its turn or has it is in flight; a landing goes on until the user's checkout has followed.
void check_landing(const RunState& state, Sentences& broken) {
  for (const LandingKey& key : state.landing_queue) {
    if (!state.in_flight.contains(key.attempt) || attempt_of(state, key.attempt).step != Step::queued) {
      broken.push_back(to_string(key.attempt) + " is in the landing queue and not in flight");
    }
  }
  if (state.landing && attempt_of(state, *state.landing).step == Step::ended) {
    broken.push_back(to_string(*state.landing) + " has ended and still holds up the landing queue");
  }
  std::size_t checked = state.target_check && state.target_check->waits ? 1U : 0U;
  for (AttemptId id : state.chain) {
    const Attempt& attempt = attempt_of(state, id);
    static const std::set<Step> k_in_chain{Step::composing,  Step::candidate, Step::recalling, Step::checking,
                                           Step::conflicted, Step::landing,   Step::broken};
    if (!state.in_flight.contains(id) || !k_in_chain.contains(attempt.step)) {
      broken.push_back(to_string(id) + " is in the chain and has no candidate");
    }
    if (attempt.step == Step::checking || attempt.step == Step::recalling) ++checked;
  }
  if (checked > config_of(state).landing.max_checks) broken.push_back("more is checked at once than max_checks allows");
  if (state.with_slot.size() != state.busy_slots) broken.push_back("slots are counted in two ways");
  for (const auto* some : {&state.held_by_red_target, &state.to_release}) {
    if (!std::ranges::includes(state.held, *some)) broken.push_back("what is not held waits to be released");
  }
  for (AttemptId id : state.held) {
    if (!state.in_flight.contains(id) || attempt_of(state, id).step != Step::held) {
      broken.push_back(to_string(id) + " is held and goes on");
      continue;
    }
    const Attempt& attempt = attempt_of(state, id);
    const bool by_red = attempt.held->reason == Hold::base_red;
    if (state.held_by_red_target.contains(id) != by_red) broken.push_back(to_string(id) + " is held by the other list");
    if (state.to_release.contains(id) != (!by_red && attempt.approved))
      broken.push_back(to_string(id) + " was approved and stays held");
  }
}

// The intent whose result an attempt at this step waits for; "" when it waits for none.
std::string_view awaited(Step step) {
  switch (step) {
    case Step::preparing:
      return WorktreeRequested::type;
    case Step::working:
      return SpawnRequested::type;
    case Step::capturing:
      return CaptureRequested::type;
    case Step::reading:
      return PlanReadRequested::type;
    case Step::composing:
      return CandidateRequested::type;
    case Step::recalling:
      return RecallRequested::type;
    case Step::checking:
      return CheckRequested::type;
    case Step::landing:
      return MergeRequested::type;
    case Step::syncing:
      return CheckoutSyncRequested::type;
    case Step::assigned:
    case Step::prepared:
    case Step::exited:
    case Step::captured:
    case Step::answered:
    case Step::queued:
    case Step::candidate:
    case Step::landed:
    case Step::conflicted:
    case Step::held:
    case Step::handed_over:
    case Step::broken:
    case Step::ended:
    case Step::count_:
      break;
  }
  return "";
}

// Whoever waits for a result has asked for it, once; and nobody else has. So nothing waits for what never comes.
void check_intents(const RunState& state, Sentences& broken) {
  std::map<Subject, std::string_view> asked;  // the removal of a worktree holds up nobody and is left out
  for (const auto& [seq, intent] : state.open_intents) {
    if (std::holds_alternative<WorktreeRemoveRequested>(intent.body)) continue;
    if (is_timer(intent.body)) continue;
    if (std::holds_alternative<ProbeRequested>(intent.body)) continue;
    if (intent.subject == about_run()) continue;  // the target's checks
    if (!asked.emplace(intent.subject, type_of(intent.body)).second) {
      broken.push_back(to_string(intent.subject) + " has asked for several things at once");
    }
  }
  for (const Task* task : tasks_and_planning(state)) {
    for (const Attempt& attempt : task->attempts) {
      const auto found = asked.find(about(attempt.id));
      std::string_view open = found == asked.end() ? "" : found->second;
      if (open == RevertRequested::type) open = CaptureRequested::type;  // which it stands for
      if (open == awaited(attempt.step)) continue;
      broken.push_back(to_string(attempt.id) + " waits for " +
                       (awaited(attempt.step).empty() ? "nothing" : std::string(awaited(attempt.step))) +
                       ", and open is " + (open.empty() ? "nothing" : std::string(open)));
    }
  }
}

// What an agent has done is in its worktree or kept.
void check_work(const RunState& state, Sentences& broken) {
  for (const Task* task : tasks_and_planning(state)) {
    for (const Attempt& attempt : task->attempts) {
      const std::string name = to_string(attempt.id);
      const bool gone = attempt.started && !attempt.worktree && !is_work_kept(attempt);
      if (gone) broken.push_back("the worktree of " + name + " is gone and its work is not kept");
      const bool unkept = attempt.work && !attempt.work->changes.empty() && attempt.work->salvage.empty();
      if (unkept) broken.push_back("the work of " + name + " is under no salvage ref");
    }
  }
}

// What is derived to make decisions cheap says the same as the facts.
void check_derived(const RunState& state, Sentences& broken) {
  std::map<TaskStatus, std::uint32_t> count_by_status;
  for (const auto& [id, task] : state.tasks) ++count_by_status[task.status];
  if (count_by_status != state.count_by_status) broken.push_back("the counts by status are not those of the tasks");
  auto ready = count_by_status.find(TaskStatus::ready);
  if (state.ready.size() + state.ready_undos.size() != (ready == count_by_status.end() ? 0U : ready->second)) {
    broken.push_back("the ready queue does not hold the ready tasks");
  }
}

void check_end(const RunState& state, Sentences& broken) {
  if (!state.finished) return;
  if (state.finished->outcome == RunOutcome::landed) {
    for (const auto& [id, task] : state.tasks) {
      if (task.status != TaskStatus::landed && task.status != TaskStatus::split)
        broken.push_back("the run landed without " + to_string(id));
    }
  }
  if (state.finished->outcome == RunOutcome::incomplete) {
    for (const auto& [id, task] : state.tasks) {
      if (!is_terminal(task.status))
        broken.push_back("the run ended incomplete and " + to_string(id) + " has not ended");
    }
  }
  for (AttemptId attempt : state.in_flight) {
    if (state.held.contains(attempt)) continue;  // a resume takes it up
    broken.push_back("the run finished while " + to_string(attempt) + " was in flight");
  }
  for (const auto& [seq, intent] : state.open_intents) {
    if (is_timer(intent.body)) continue;  // a resume waits for the rest
    broken.push_back("the run finished before intent " + std::to_string(seq) + " had a result");
  }
}

}  // namespace

std::vector<std::string> broken_invariants(const RunState& state) {
  Sentences broken;
  if (!state.started) return broken;
  check_ownership(state, broken);
  check_budgets(state, broken);
  for (const auto& [id, task] : state.tasks) check_task(state, id, task, broken);
  check_slots(state, broken);
  check_credentials(state, broken);
  check_planning(state, broken);
  check_landing(state, broken);
  check_intents(state, broken);
  check_work(state, broken);
  check_derived(state, broken);
  check_end(state, broken);
  return broken;
}

}  // namespace bernstein
