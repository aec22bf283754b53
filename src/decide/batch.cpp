#include <algorithm>
#include <array>

#include "bernstein/decide/landing.hpp"

namespace bernstein {
namespace {

constexpr std::int64_t k_one = 1'000'000;

using Runs = std::array<std::int64_t, k_batch_max + 1>;

// by[i]: the chance that i candidates all pass. Rounded down, in integers: the same on every machine.
Runs chances_to_pass(std::int64_t failure_ppm) {
  Runs by{};
  by[0] = k_one;
  for (std::size_t i = 1; i < by.size(); ++i) by[i] = by[i - 1] * (k_one - failure_ppm) / k_one;
  return by;
}

}  // namespace

std::int64_t failure_chance_ppm(const RunState& state) {
  return k_one * (1 + std::int64_t{state.ejections}) /
         (10 + std::int64_t{state.ejections} + std::int64_t{state.landings});
}

// A cycle begins with n candidates of which nothing is known and ends when all have landed, or the first red one is
// found: those behind it are put together anew and, with others that take the free places, are the next cycle's. So
// what a candidate costs is the runs of a cycle by the candidates that it is done with (landed, or found red).
//   all n          one run; green: n are done. Red, with the chance 1 - pass(n): the search goes on
//   red(size)      candidates that are red together: the lower half h is run. Red: the search goes on in it, and
//   nothing
//                  is learnt of the others. Green: h are done, and the upper half is known to be red without a run
//   red(1)         is the one: done, without a run
std::int64_t runs_per_candidate_ppm(std::uint32_t n, std::int64_t failure_ppm) {
  const Runs pass = chances_to_pass(failure_ppm);
  Runs runs{};  // of the search, in millionths
  Runs done{};
  done[1] = k_one;
  for (std::size_t size = 2; size <= n; ++size) {
    const std::size_t half = size / 2;
    const std::int64_t fails = std::max<std::int64_t>(k_one - pass[size], 1);
    const std::int64_t lower_red = (k_one - pass[half]) * k_one / fails;
    const std::int64_t lower_green = k_one - lower_red;
    const std::int64_t upper = static_cast<std::int64_t>(half) * k_one + done[size - half];
    runs[size] = k_one + (lower_red * runs[half] + lower_green * runs[size - half]) / k_one;
    done[size] = (lower_red * done[half] + lower_green * upper) / k_one;
  }
  const std::int64_t red = k_one - pass[n];
  const std::int64_t cycle_runs = k_one + red * runs[n] / k_one;
  const std::int64_t cycle_done = pass[n] * n + red * done[n] / k_one;
  return cycle_runs * k_one / cycle_done;
}

std::uint32_t best_batch(std::int64_t failure_ppm) {
  std::uint32_t best = 1;
  for (std::uint32_t n = 2; n <= k_batch_max; ++n) {
    if (runs_per_candidate_ppm(n, failure_ppm) < runs_per_candidate_ppm(best, failure_ppm)) best = n;
  }
  return best;
}

std::uint32_t batch_size(const RunState& state) {
  const LandingRules& rules = config_of(state).landing;
  if (!rules.skip_intermediate) return 1;
  return rules.batch > 0 ? rules.batch : best_batch(failure_chance_ppm(state));
}

}  // namespace bernstein
