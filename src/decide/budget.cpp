#include "bernstein/decide/budget.hpp"

namespace bernstein {

UsdMicros attempt_ceiling(const TaskSpec& spec) {
  std::int64_t micros = 0;
  switch (spec.complexity) {
    case Complexity::low:
      micros = 250'000;
      break;
    case Complexity::medium:
      micros = 1'000'000;
      break;
    case Complexity::high:
      micros = 3'000'000;
      break;
    case Complexity::count_:
      break;
  }
  switch (spec.scope) {
    case Scope::small:
      return {micros / 2};
    case Scope::medium:
      return {micros};
    case Scope::large:
      return {micros * 2};
    case Scope::count_:
      break;
  }
  return {micros};
}

std::optional<UsdMicros> reservation(const RunState& state, const TaskSpec& spec) {
  const UsdMicros ceiling = attempt_ceiling(spec);
  const std::optional<UsdMicros> budget = config_of(state).budget_micros;
  if (!budget) return ceiling;
  const UsdMicros left = *budget - state.spent - state.presumed - state.reserved;
  if (left >= ceiling) return ceiling;
  const bool nothing_in_flight = is_idle(state);
  if (nothing_in_flight && left > UsdMicros{0}) return left;
  return std::nullopt;
}

}  // namespace bernstein
