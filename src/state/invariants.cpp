#include "bernstein/state/invariants.hpp"

#include <iterator>

#include "bernstein/base/path.hpp"

namespace bernstein {
namespace {

// Two attempts in flight may not own paths that overlap. Pairwise, so that it does not lean on the trie it checks.
void check_ownership(const RunState& state, std::vector<std::string>& broken) {
  for (auto a = state.in_flight.begin(); a != state.in_flight.end(); ++a) {
    for (auto b = std::next(a); b != state.in_flight.end(); ++b) {
      for (const std::string& mine : attempt_of(state, *a).owned) {
        for (const std::string& theirs : attempt_of(state, *b).owned) {
          if (may_overlap(mine, theirs)) {
            broken.push_back(to_string(*a) + " and " + to_string(*b) + " are in flight and both own " + mine);
          }
        }
      }
    }
  }
}

void check_money(const RunState& state, std::vector<std::string>& broken) {
  UsdMicros reserved;
  UsdMicros spent;
  UsdMicros over;  // what attempts cost beyond their reservation
  for (const auto& [id, task] : state.tasks) {
    for (const Attempt& attempt : task.attempts) {
      if (attempt.slot) reserved += attempt.reserved;
      if (!attempt.exit || !attempt.exit->usage.cost_micros) continue;
      const UsdMicros cost = *attempt.exit->usage.cost_micros;
      spent += cost;
      if (cost > attempt.reserved) over += cost - attempt.reserved;
    }
  }
  if (reserved != state.reserved) broken.push_back("reserved money is not the sum over attempts in flight");
  if (spent != state.spent) broken.push_back("spent money is not the sum over attempts");
  const auto budget = state.started ? state.started->config.budget_micros : std::nullopt;
  if (budget && state.spent + state.presumed + state.reserved > *budget + over) {
    broken.push_back("spent and reserved money exceed the budget");
  }
}

void check_tasks(const RunState& state, std::vector<std::string>& broken) {
  const std::uint32_t limit = config_of(state).limits.attempts;
  for (const auto& [id, task] : state.tasks) {
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
    if (task.failures > limit) broken.push_back(name + " used up more attempts than it has");
    if (is_terminal(task.status) && flying > 0) broken.push_back(name + " has ended and still works");
    if (task.status == TaskStatus::waiting || task.status == TaskStatus::blocked) continue;
    for (TaskId needed : task.spec.depends_on) {
      if (task_of(state, needed).status != TaskStatus::landed) {
        broken.push_back(name + " started before " + to_string(needed) + " had landed");
      }
    }
    for (std::uint32_t stage : task.spec.depends_on_stages) {
      if (state.stages[stage].unlanded > 0) {
        broken.push_back(name + " started before stage '" + state.stages[stage].spec.name + "' had landed");
      }
    }
  }
}

}  // namespace

std::vector<std::string> broken_invariants(const RunState& state) {
  std::vector<std::string> broken;
  if (!state.started) return broken;
  check_ownership(state, broken);
  check_money(state, broken);
  check_tasks(state, broken);
  if (state.busy_slots > config_of(state).max_agents) broken.push_back("more agents work than max_agents allows");
  if (state.landing_queue.size() + (state.landing ? 1U : 0U) > state.in_flight.size() + 1) {
    broken.push_back("the landing queue holds attempts that are not in flight");
  }
  if (state.finished && state.finished->outcome == RunOutcome::landed) {
    for (const auto& [id, task] : state.tasks) {
      if (task.status != TaskStatus::landed) broken.push_back("the run landed without " + to_string(id));
    }
  }
  if (state.finished) {
    for (const auto& [seq, intent] : state.open_intents) {
      broken.push_back("the run finished before intent " + std::to_string(seq) + " had a result");
    }
  }
  return broken;
}

}  // namespace bernstein
