#include "bernstein/decide/parks.hpp"

#include <algorithm>

#include "bernstein/state/credentials.hpp"
#include "words.hpp"

namespace bernstein {
namespace {

// The wait that nobody told.
Micros back_off(const RunState& state, std::uint32_t parks_before) {
  Micros wait = config_of(state).limits.quota_wait_us;
  const Micros longest = std::max(wait, k_park_us_max);
  for (std::uint32_t times = 0; times < parks_before && wait < longest; ++times) wait *= 2;
  return std::min(wait, longest);
}

std::string why_parked(const RunState& state, const Attempt& attempt, const std::optional<AttemptFailed>& failure) {
  if (!failure || attempt.exit->stopped) return "";
  if (failure->class_ == FailureClass::quota) return failure->why;
  const std::string& agent = attempt.arm.agent;
  if (!is_crash(*attempt.exit) || !is_broken_down(state, agent)) return "";
  return "agent '" + agent + "' crashed on " + plural(state.crashed.at(agent).size(), "task") +
         " in a row: " + failure->why;
}

}  // namespace

std::optional<ParkRequested> park_after(const RunState& state, const Attempt& attempt,
                                        const std::optional<AttemptFailed>& failure) {
  const std::string credential = credential_of(config_of(state), attempt.arm.agent);
  std::string why = why_parked(state, attempt, failure);
  if (why.empty() || state.parked.contains(credential)) return std::nullopt;
  const auto streak = state.park_streak.find(credential);
  const std::uint32_t before = streak == state.park_streak.end() ? 0 : streak->second;
  Micros wait = back_off(state, before);
  if (attempt.exit->retry_after_us) {
    const Micros told = *attempt.exit->retry_after_us + k_too_early_us;
    wait = before == 0 ? told : std::max(told, wait);
  }
  return ParkRequested{credential, wait, std::move(why)};
}

std::optional<TrialRequested> trial_of(const RunState& state, const Attempt& attempt) {
  const std::string credential = credential_of(config_of(state), attempt.arm.agent);
  const auto trial = state.trials.find(credential);
  if (trial == state.trials.end() || trial->second != attempt.id) return std::nullopt;
  return TrialRequested{credential, config_of(state).limits.trial_us};
}

}  // namespace bernstein
