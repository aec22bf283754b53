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

// Two recurrences over the size of what is looked at:
//   unknown(n)  n candidates of which nothing is known: one run; when it is red, what red(n) takes
//   red(n)      n candidates that are red together: the lower half h is run. Red: the search goes on in it, and the
//   others
//               are unknown again. Green: the upper half is known to be red without a run.
// The first red one is found; those behind it are put together anew, as unknown ones.
std::int64_t runs_per_candidate_ppm(std::uint32_t n, std::int64_t failure_ppm) {
  const Runs pass = chances_to_pass(failure_ppm);
  Runs unknown{};
  Runs red{};
  for (std::size_t size = 1; size <= n; ++size) {
    if (size > 1) {
      const std::size_t half = size / 2;
      const std::int64_t fails = std::max<std::int64_t>(k_one - pass[size], 1);
      const std::int64_t lower_red = (k_one - pass[half]) * k_one / fails;
      // Whoever stands behind the red one in its half is unknown too: red[half] counts them.
      red[size] = k_one + lower_red * (red[half] + unknown[size - half]) / k_one +
                  (k_one - lower_red) * red[size - half] / k_one;
    }
    unknown[size] = k_one + (k_one - pass[size]) * red[size] / k_one;
  }
  return unknown[n] / n;
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
  return rules.batch > 0 ? std::min(rules.batch, k_batch_max) : best_batch(failure_chance_ppm(state));
}

}  // namespace bernstein
