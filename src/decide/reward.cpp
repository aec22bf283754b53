#include "reward.hpp"

#include <algorithm>

#include "bernstein/decide/budget.hpp"

namespace bernstein {

RewardRecorded reward_of(const Task& task, const Attempt& attempt) {
  constexpr std::int64_t k_one = 1'000'000;
  RewardRecorded reward{.arm = attempt.arm};
  if (attempt.exit) reward.cost_micros = attempt.exit->usage.cost_micros;
  const bool landed = !attempt.merge_commit.empty();
  reward.quality_ppm = landed ? k_one : 0;
  const std::int64_t ceiling = attempt_ceiling(task.spec).micros.value;
  const std::int64_t cost =
      std::clamp<std::int64_t>(reward.cost_micros.value_or(attempt.reserved.micros).value, 0, ceiling);
  const std::int64_t saved_ppm = k_one - cost * k_one / ceiling;  // below 6e6 · 1e6: no overflow
  reward.reward_ppm = landed ? saved_ppm : 0;
  reward.why = (landed ? std::string("landed") : std::string("did not land")) + ", cost " +
               (reward.cost_micros ? format_usd(*reward.cost_micros)
                                   : "unknown, counted as the reserved " + format_usd(attempt.reserved.micros)) +
               " of a ceiling of " + format_usd({ceiling});
  return reward;
}

}  // namespace bernstein
