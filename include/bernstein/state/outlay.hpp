#pragma once
// What attempts take out of the budgets: money, and tokens for plans with a flat rate.
//
//     Outlay reserved{.micros = {1'000'000}, .tokens = 500'000};
//     Charge charge = charge_of(exit, reserved);     // spent: what the agent told; presumed: what it may have used
//     beside
//
// Tokens are those of the input and the output. What was read from a cache is left out: it costs a tenth or less, and
// an agent reads the same words anew with every step.

#include <cstdint>

#include "bernstein/base/units.hpp"
#include "bernstein/event/effects.hpp"

namespace bernstein {

struct Outlay {
  UsdMicros micros;
  std::int64_t tokens = 0;
  bool operator==(const Outlay&) const = default;
  Outlay& operator+=(const Outlay& other) { return micros += other.micros, tokens += other.tokens, *this; }
  Outlay& operator-=(const Outlay& other) { return micros -= other.micros, tokens -= other.tokens, *this; }
  friend Outlay operator+(Outlay a, const Outlay& b) { return a += b; }
};

// The larger of each.
Outlay larger_of(const Outlay& a, const Outlay& b);

struct Charge {
  Outlay spent;     // what the agent told: known, or of one that was ended, at least that
  Outlay presumed;  // what the budgets count beside it, so that nothing unknown is taken for 0
};

// What the agent told of its usage; 0 where it did not.
Outlay told_by(const AgentExited& exit);

// What the attempt counts as, for money and tokens each by itself: what its agent told; what it reserved where the
// agent told nothing, or half; the larger of both where the agent was ended before it could tell all. Of one that was
// refused by its service and told nothing, a part of what it reserved, by how long it worked: all after k_whole_session_us.
// Else a service that refuses all the time would use up a budget with nothing done.
inline constexpr Micros k_whole_session_us = 10 * k_minute;
Charge charge_of(const AgentExited& exit, const Outlay& reserved);

}  // namespace bernstein
