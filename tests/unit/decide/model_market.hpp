#pragma once
// A market of models for the router: what an attempt costs and how often it passes its checks, by complexity and model.
// Suites of 12 tasks are run through decide/ one after the other, each run with what the runs before it have learnt.
//
//     const Market market = market_of_sizes();
//     std::vector<SuiteResult> results = play(market, Strategy::bandit, seed, 84);
//     SuiteResult expected = oracle(market);          // per suite, by calculation
//
// Assumptions, all of them made up, and all that there is to learn:
//   suite      5 tasks of low, 5 of medium and 2 of high complexity, independent of each other, in random order; roles,
//              files, minutes and priorities are drawn at random and say nothing about the outcome
//   attempts   at most 3 a task; whether one passes its check is drawn with the probability of its complexity and
//              model, independent of what failed before
//   cost       tokens of the complexity (below) at the model's list price, times a factor drawn evenly from 0.5 to 1.5
//   landing    what passes its check lands: no conflicts, no flaky checks, no limits of rate or budget
// Draws depend on the seed, the suite, the task, the attempt and the model alone: every strategy meets the same luck.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "bernstein/event/spec.hpp"

namespace bernstein::test {

struct MarketModel {
  std::string tier;
  std::int64_t input_cents = 0;                 // per million tokens
  std::int64_t output_cents = 0;                // likewise
  std::array<std::uint32_t, 3> pass_percent{};  // by complexity: low, medium, high
};

struct Market {
  std::string name;
  std::vector<MarketModel> models;  // cheapest first
};

struct MarketTokens {
  std::int64_t input = 0;
  std::int64_t output = 0;
};
inline constexpr std::array<MarketTokens, 3> k_market_tokens{{{40'000, 4'000}, {120'000, 12'000}, {300'000, 30'000}}};
inline constexpr std::array<int, 3> k_suite_tasks{5, 5, 2};  // by complexity

// Three sizes of one vendor: smaller ones do nearly as well, at a third and a fifth of the price.
Market market_of_sizes();
// The small one fails at what is hard, and the cascade is right about what needs which.
Market market_of_steps();
// A cheap model of another vendor beside them, at a tenth of the price.
Market market_of_vendors();

enum class Strategy { cheapest, strongest, cascade, bandit };

struct SuiteResult {
  double usd = 0;
  double landed = 0;  // of 12
  double attempts = 0;
};

std::vector<SuiteResult> play(const Market& market, Strategy strategy, std::uint64_t seed, std::uint32_t suites,
                              const RoutingRules& rules = {.mode = RoutingMode::bandit});

// What one who knows the probabilities would expect: for each complexity a sequence of models to try, such that the
// cost per landed task is the lowest at a landed share of at least that of the strongest model less one point. An
// oracle that escalates keeps the router's rule that a failed attempt is followed by one of a stronger model; one that
// does not may try the same model again, which pays only because attempts are independent here.
SuiteResult oracle(const Market& market, bool escalates = true);

double usd_per_landed(const std::vector<SuiteResult>& results);
double landed_share(const std::vector<SuiteResult>& results);

}  // namespace bernstein::test
