#include "bernstein/state/outlay.hpp"

#include <algorithm>

namespace bernstein {

Outlay larger_of(const Outlay& a, const Outlay& b) {
  return {std::max(a.micros, b.micros), std::max(a.tokens, b.tokens)};
}

Outlay told_by(const AgentExited& exit) {
  const Usage& usage = exit.usage;
  return {usage.cost_micros.value_or(UsdMicros{}), usage.input_tokens.value_or(0) + usage.output_tokens.value_or(0)};
}

namespace {

Outlay presumed_of_refused(const AgentExited& exit, const Outlay& reserved) {
  const Micros worked = std::clamp<Micros>(exit.duration_us / k_second, 0, k_whole_session_us / k_second);
  const auto part = [&](std::int64_t whole) { return whole * worked / (k_whole_session_us / k_second); };
  return {{part(reserved.micros.value)}, part(reserved.tokens)};
}

}  // namespace

Charge charge_of(const AgentExited& exit, const Outlay& reserved_by_it) {
  const Usage& usage = exit.usage;
  const bool was_refused = exit.outcome == AgentOutcome::quota || exit.outcome == AgentOutcome::overload;
  const Outlay reserved = was_refused ? presumed_of_refused(exit, reserved_by_it) : reserved_by_it;
  Charge charge{.spent = told_by(exit), .presumed = {}};
  const Outlay counted = larger_of(charge.spent, reserved);
  const bool told_all = !was_ended(exit);
  const bool knows_micros = told_all && usage.cost_micros;
  const bool knows_tokens = told_all && usage.input_tokens && usage.output_tokens;
  if (!knows_micros) charge.presumed.micros = counted.micros - charge.spent.micros;
  if (!knows_tokens) charge.presumed.tokens = counted.tokens - charge.spent.tokens;
  return charge;
}

}  // namespace bernstein
