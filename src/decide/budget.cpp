#include "bernstein/decide/budget.hpp"

#include <algorithm>

#include "bernstein/base/text.hpp"

namespace bernstein {
namespace {

Outlay ceiling_of(Complexity complexity) {
  switch (complexity) {
    case Complexity::low:
      return {{250'000}, 150'000};
    case Complexity::medium:
      return {{1'000'000}, 500'000};
    case Complexity::high:
      return {{3'000'000}, 1'500'000};
    case Complexity::count_:
      break;
  }
  return {};
}

// The most that an attempt of its kind used which used more than it had reserved; 0 when all kept to it.
Outlay dearest(const RunState& state, const Task& task, const Arm& arm) {
  const auto found = state.dearest.find(outlay_key(arm, task.spec.complexity));
  return found == state.dearest.end() ? Outlay{} : found->second;
}

// What one of the two budgets gives to an attempt that is expected to use so much, where one of its kind has used
// `seen`; nothing when too little is left.
std::optional<std::int64_t> granted(std::optional<std::int64_t> left, std::int64_t expected, std::int64_t seen,
                                    bool nothing_in_flight) {
  if (!left || *left >= expected) return expected;
  const bool is_worth_it = *left > 0 && *left >= std::max(expected / k_least_share, seen);
  return nothing_in_flight && is_worth_it ? left : std::nullopt;
}

std::optional<std::int64_t> micros_left(const RunState& state) {
  const std::optional<UsdMicros> budget = config_of(state).budget_micros;
  if (!budget) return std::nullopt;
  return (*budget - committed(state).micros).value;
}

std::optional<std::int64_t> tokens_left(const RunState& state) {
  const std::optional<std::int64_t> budget = config_of(state).budget_tokens;
  if (!budget) return std::nullopt;
  return *budget - committed(state).tokens;
}

std::string in_micros(std::int64_t amount) {
  return format_usd({amount});
}
std::string in_tokens(std::int64_t amount) {
  return format_tokens(amount) + " tokens";
}

// One budget that does not allow an attempt: "the budget of $1.00 does not allow another attempt: $0.90 spent".
std::string refusal(const std::string& budget, const std::string& spent, const std::string& presumed) {
  return "the budget of " + budget + " does not allow another attempt: " + spent + " spent" +
         (presumed.empty() ? "" : ", " + presumed + " presumed for attempts that did not tell all");
}

}  // namespace

Outlay attempt_ceiling(const TaskSpec& spec) {
  const Outlay ceiling = ceiling_of(spec.complexity);
  switch (spec.scope) {
    case Scope::small:
      return {{ceiling.micros.value / 2}, ceiling.tokens / 2};
    case Scope::large:
      return ceiling + ceiling;
    case Scope::medium:
    case Scope::count_:
      break;
  }
  return ceiling;
}

Outlay expected_outlay(const RunState& state, const Task& task, const Arm& arm) {
  Outlay ceiling = attempt_ceiling(task.spec);
  if (const auto own = own_ceiling(state, task)) ceiling.micros = std::min(ceiling.micros, *own - task.used);
  return larger_of(ceiling, dearest(state, task, arm));
}

std::optional<Outlay> reservation(const RunState& state, const Task& task, const Arm& arm) {
  const Outlay seen = dearest(state, task, arm);
  const Outlay expected = expected_outlay(state, task, arm);
  const bool is_last = is_idle(state);
  const auto micros = granted(micros_left(state), expected.micros.value, seen.micros.value, is_last);
  const auto tokens = granted(tokens_left(state), expected.tokens, seen.tokens, is_last);
  if (!micros || !tokens) return std::nullopt;
  return Outlay{{*micros}, *tokens};
}

std::string own_ceiling_in_words(const RunState& state, const Task& task) {
  const auto own = own_ceiling(state, task);
  const UsdMicros least{attempt_ceiling(task.spec).micros.value / k_least_share};
  if (!own || task.used == UsdMicros{} || *own - task.used >= least) return "";
  return "its attempts have used " + format_usd(task.used) + " of the " + format_usd(*own) +
         " that it may cost, and what is left is too little for another: `bernstein retry " + to_string(state.run) +
         "/" + to_string(task.spec.id) + "` gives it as much again";
}

std::string shortage_in_words(const RunState& state, const Outlay& expected) {
  const auto micros = micros_left(state);
  if (micros && *micros < expected.micros.value)
    return "the budget leaves less than its " + in_micros(expected.micros.value);
  return "the budget leaves less than its " + in_tokens(expected.tokens);
}

std::string end_of_budget_in_words(const RunState& state, const Task& task, const Arm& arm) {
  const RunConfig& config = config_of(state);
  const Outlay expected = expected_outlay(state, task, arm);
  const Outlay needed = committed(state) + expected;
  std::vector<std::string> refusals;
  std::string remedy = "`bernstein resume " + to_string(state.run);
  const Outlay ceiling = attempt_ceiling(task.spec);
  bool is_dear = false;  // it reserves more than its ceiling, in a budget that does not allow it
  if (const auto left = micros_left(state); left && *left < expected.micros.value) {
    const bool presumes = state.presumed.micros > UsdMicros{};
    refusals.push_back(refusal(format_usd(*config.budget_micros), format_usd(state.spent.micros),
                               presumes ? format_usd(state.presumed.micros) : ""));
    is_dear = expected.micros > ceiling.micros;
    remedy += " --budget " + format_usd(needed.micros).substr(1);  // a shell would take $2 for a variable
  }
  if (const auto left = tokens_left(state); left && *left < expected.tokens) {
    refusals.push_back(refusal(in_tokens(*config.budget_tokens), format_tokens(state.spent.tokens),
                               state.presumed.tokens > 0 ? format_tokens(state.presumed.tokens) : ""));
    is_dear = is_dear || expected.tokens > ceiling.tokens;
    remedy += " --budget-tokens " + format_tokens(needed.tokens);
  }
  const std::string next = task.spec.id == k_planning ? "the planner" : to_string(task.spec.id);
  return join(refusals, "; ") + "; " + remedy + "` lets " + next + " start" +
         (is_dear ? ", of whose kind an attempt by " + to_string(arm) + " used more than it had reserved" : "");
}

}  // namespace bernstein
