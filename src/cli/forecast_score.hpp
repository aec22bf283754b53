#pragma once
// How good a forecast was: made again from what was known when the run began, and compared with what came. Nothing of
// this is stored. Pure.
//
//     Result<Scoring> scoring = score_run(history, RunId{3}, Experience(history, history.runs.at(RunId{3}).first_seq));
//     if (const auto* score = std::get_if<Score>(&*scoring)) score->makespan.mean_loss()
//
// The pinball loss (Koenker and Bassett 1978) of the quantile forecast q at τ, when y came: τ(y - q) where y is above
// q, else (1 - τ)(q - y). 0 is best; it is in the unit of what was forecast. The mean over 10 %, 50 % and 90 % rewards
// a range that is narrow and holds what comes.

#include <optional>
#include <string>
#include <variant>

#include "forecast.hpp"
#include "history.hpp"

namespace bernstein::cli {

// Micro-USD, or µs.
struct Comparison {
  Range forecast;
  std::int64_t actual = 0;

  bool is_within() const { return forecast.low <= actual && actual <= forecast.high; }
  std::int64_t loss_at_low() const;   // τ = 10 %
  std::int64_t loss_at_mid() const;   // 50 %
  std::int64_t loss_at_high() const;  // 90 %
  std::int64_t mean_loss() const;
};

struct Score {
  Range cost_forecast;
  std::optional<Comparison> cost;     // nothing: the cost of attempts is unknown
  std::int64_t unknown_attempts = 0;  // whose cost is
  Comparison makespan;
  std::string source;  // source_words() of the forecast
};

// Plans with more tasks are not scored: a look at what a run cost is quick.
inline constexpr std::size_t k_scored_tasks_max = 1'000;

// A score, or in a sentence why there is none: the run has not come to its own end, or no plan was there to forecast.
using Scoring = std::variant<Score, std::string>;

// `history`: of this run at least. `before`: what was known when it began.
Result<Scoring> score_run(const History& history, RunId run, const Experience& before);

}  // namespace bernstein::cli
