#pragma once
// How long a credential is left alone (state/credentials.hpp), and why.
//
// A session that its service refuses (AgentOutcome::quota, overload) parks its credential:
//
//     the service said until when   so long, and k_too_early_us more; the task is not charged for it
//     it did not                    limits.quota_wait, doubled for each park in a row before, at most k_park_us_max
//                                   (or quota_wait itself, where that is longer)
//     it said, and was wrong        whichever of the two is longer: who refuses again and again is asked less and less
//
// "In a row" ends with the next session of the credential that ends well. Sessions that are refused while it is parked
// already change nothing: a storm is one park.
//
// An agent that crashes on limits.breaker tasks in a row, with no session between that ended well, is left alone in the
// same way: what cannot work is not fed one task after the other. Its attempts are used up all the same, so a run whose
// only agent is broken ends. 0 switches this off.
//
// What follows a park is a trial: SpawnRequested of the first session brings a TrialRequested with it.

#include <optional>

#include "bernstein/state/run_state.hpp"

namespace bernstein {

inline constexpr Micros k_park_us_max = 15 * k_minute;  // of a wait that nobody told
inline constexpr Micros k_too_early_us = k_second;      // clocks differ, and told times are rounded

// What the end of the attempt's session, which is `failure` or none, means for its credential; nothing: it stays as it
// is. Requires that the session has ended.
std::optional<ParkRequested> park_after(const RunState& state, const Attempt& attempt,
                                        const std::optional<AttemptFailed>& failure);

// The timer of the attempt's session when it is the first after a park.
std::optional<TrialRequested> trial_of(const RunState& state, const Attempt& attempt);

}  // namespace bernstein
