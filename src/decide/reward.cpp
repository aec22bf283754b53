#include "reward.hpp"

#include <algorithm>

#include "bernstein/decide/budget.hpp"

namespace bernstein {
RewardRecorded reward_of(const RunState& state, const Task& task, const Attempt& attempt) {
  constexpr std::int64_t k_one = 1'000'000;
  std::int64_t ceiling = attempt_ceiling(task.spec).micros.value;
  if (const auto own = own_ceiling(state, task)) ceiling = std::clamp<std::int64_t>(own->value, 1, ceiling);
  RewardRecorded reward{.arm = attempt.arm};
  if (attempt.exit) reward.cost_micros = attempt.exit->usage.cost_micros;
  reward.counted_micros = reward.cost_micros.value_or(UsdMicros{ceiling / 2});
  if (attempt.merge_commit.empty()) {
    reward.why = "did not land";
  } else if (!checks_of(state, {task.spec.id}).empty()) {
    reward.quality_ppm = k_one;
    reward.why = "landed";
  } else {
    reward.quality_ppm = k_one / 2;
    reward.why = "landed unverified";
  }
  const std::int64_t cost = std::clamp<std::int64_t>(reward.counted_micros.value, 0, ceiling);
  const std::int64_t saved_ppm = std::max(k_one - cost * k_one / ceiling, k_one / 10);  // 6e6 · 1e6: no overflow
  reward.reward_ppm = reward.quality_ppm * saved_ppm / k_one;
  reward.why += ", cost " +
                (reward.cost_micros ? format_usd(*reward.cost_micros)
                                    : "unknown, counted as " + format_usd(reward.counted_micros)) +
                " of a ceiling of " + format_usd({ceiling});
  return reward;
}

}  // namespace bernstein
