#include "experience.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "bernstein/decide/budget.hpp"
#include "dice.hpp"

namespace bernstein::cli {
namespace {

constexpr std::int64_t k_million = 1'000'000;
constexpr std::int64_t k_presumed_weight = 2;  // attempts
constexpr std::int64_t k_share_max =
    1000 * k_million;  // a thousandfold: more tells of a wrong estimate, not of the next task

// The header has this as a table.
constexpr std::array<std::int64_t, 5> k_presumed_cost_ppm{100'000, 250'000, 400'000, 600'000, 1'000'000};
constexpr std::array<std::int64_t, 5> k_presumed_time_ppm{400'000, 700'000, 1'000'000, 1'400'000, 2'000'000};

std::int64_t presumed_landing_ppm(Complexity complexity) {
  switch (complexity) {
    case Complexity::low:
      return 900'000;
    case Complexity::medium:
      return 800'000;
    case Complexity::high:
    case Complexity::count_:
      break;
  }
  return 700'000;
}

std::int64_t share_of(std::int64_t part, std::int64_t whole) {
  __extension__ using Wide = __int128;
  const Wide share = Wide{std::max<std::int64_t>(part, 0)} * k_million / std::max<std::int64_t>(whole, 1);
  return share > k_share_max ? k_share_max : static_cast<std::int64_t>(share);
}

// How much more attempts came to in the mean than `presumed` says, which counts as some of them.
std::int64_t scale_ppm(std::int64_t sum, std::int64_t attempts, const std::array<std::int64_t, 5>& presumed) {
  const std::int64_t mean = std::accumulate(presumed.begin(), presumed.end(), std::int64_t{0}) / std::ssize(presumed);
  return share_of(sum + k_presumed_weight * mean, (attempts + k_presumed_weight) * mean);
}

bool teaches(const AttemptKey& key, const AttemptFacts& attempt, Seq before) {
  if (key.second.task == k_planning || !attempt.exited || attempt.ended_seq == 0 || attempt.ended_seq >= before)
    return false;
  return attempt.end == AttemptEnd::landed || attempt.failure == FailureClass::task ||
         attempt.failure == FailureClass::conflict;
}

// What a draw is for, so that no two of them are the same number.
enum class Throw : std::uint64_t { attempt, world };

std::uint64_t key_part(Throw what) {
  return static_cast<std::uint64_t>(what);
}

}  // namespace

Experience::Experience(const History& history, Seq before) {
  std::vector<Micros> checks;
  Shares sum;
  for (const auto& [key, attempt] : history.attempts) {
    if (!teaches(key, attempt, before)) continue;
    const TaskSpec& spec = history.tasks.at({key.first, key.second.task}).spec;
    const Shares shares{
        .cost_ppm = share_of(attempt.usage.cost_micros.value_or(attempt.reserved).value, attempt_ceiling(spec).micros.value),
        .time_ppm = share_of(attempt.duration_us, std::int64_t{spec.estimated_minutes} * k_minute)};
    for (const Kind& kind : {Kind{spec.complexity, attempt.agent, attempt.model}, Kind{spec.complexity, "", ""}}) {
      Pool& pool = pools_[kind];
      (attempt.end == AttemptEnd::landed ? pool.landed : pool.failed).push_back(shares);
    }
    if (attempt.checked_us) checks.push_back(*attempt.checked_us);
    sum.cost_ppm += shares.cost_ppm;
    sum.time_ppm += shares.time_ppm;
    ++attempts_;
  }
  presumed_scale_ppm_ = {.cost_ppm = scale_ppm(sum.cost_ppm, attempts_, k_presumed_cost_ppm),
                         .time_ppm = scale_ppm(sum.time_ppm, attempts_, k_presumed_time_ppm)};
  std::uint64_t next_id = 1;
  for (auto& [kind, pool] : pools_) pool.id = next_id++;
  if (checks.empty()) return;
  const auto middle = checks.begin() + std::ssize(checks) / 2;
  std::ranges::nth_element(checks, middle);
  check_us_ = *middle;
}

const Experience::Pool& Experience::pool_of(const Kind& kind) const {
  static const Pool k_none;
  const auto found = pools_.find(kind);
  return found == pools_.end() ? k_none : found->second;
}

// The weight of two attempts goes to all arms of the complexity, and of theirs to what is presumed.
std::int64_t Experience::landing_ppm(const Kind& kind) const {
  const std::int64_t before =
      kind.agent.empty() ? presumed_landing_ppm(kind.complexity) : landing_ppm({kind.complexity, "", ""});
  const Pool& pool = pool_of(kind);
  const std::int64_t landed = std::ssize(pool.landed);
  return (landed * k_million + k_presumed_weight * before) / (landed + std::ssize(pool.failed) + k_presumed_weight);
}

// The attempt in place `which` of the rehearsal's world; past those of the pool stand the two that are presumed.
Experience::Shares Experience::shares(const Kind& kind, bool lands, std::uint64_t rehearsal,
                                      std::uint64_t which) const {
  const Pool& pool = pool_of(kind);
  const std::vector<Shares>& known = lands ? pool.landed : pool.failed;
  const std::uint64_t size = known.size() + k_presumed_weight;
  const std::uint64_t place = which % size;
  Dice world({rehearsal, key_part(Throw::world), pool.id, lands ? 1U : 0U, place,
              static_cast<std::uint64_t>(kind.complexity), kind.agent.empty() ? 0U : 1U});
  const std::uint64_t drawn = world.below(size);
  if (drawn < known.size()) return known[drawn];
  if (!kind.agent.empty()) return shares({kind.complexity, "", ""}, lands, rehearsal, world.next());
  const std::uint64_t presumed = world.below(k_presumed_cost_ppm.size());
  return {.cost_ppm = k_presumed_cost_ppm.at(presumed) * presumed_scale_ppm_.cost_ppm / k_million,
          .time_ppm = k_presumed_time_ppm.at(presumed) * presumed_scale_ppm_.time_ppm / k_million};
}

Trial Experience::draw(const Arm& arm, Complexity complexity, std::uint64_t rehearsal, std::uint64_t task,
                       std::uint64_t attempt) const {
  const Kind kind{complexity, arm.agent, arm.model};
  Dice dice({rehearsal, key_part(Throw::attempt), task, attempt});
  const bool lands = static_cast<std::int64_t>(dice.below(k_million)) < landing_ppm(kind);
  const Shares drawn = shares(kind, lands, rehearsal, dice.next());
  return {.lands = lands, .cost_ppm = drawn.cost_ppm, .time_ppm = drawn.time_ppm};
}

}  // namespace bernstein::cli
