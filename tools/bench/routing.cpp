// What routing saves: every strategy on the same suites of tasks, with the same luck, in memory. Prints the tables of
// docs/benchmarks.md; the assumptions are those of tests/unit/decide/model_market.hpp.
//
//     build/bench/tools/bench/routing [SEEDS=200] [ALPHA] [EXPLORE] [RIDGE] [MARKET]
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "unit/decide/model_market.hpp"

namespace bernstein::test {
namespace {

constexpr std::uint32_t k_suites = 84;     // 1,008 tasks
constexpr std::uint32_t k_learning = 42;   // the first 504 of them
constexpr double k_claimed_saving = 0.23;  // of the Python tool of the same name, by its own account

struct Row {
  double usd_per_landed = 0;
  double landed_share = 0;
  double attempts = 0;  // per task
};

Row row_of(const std::vector<SuiteResult>& results) {
  double attempts = 0;
  for (const SuiteResult& suite : results) attempts += suite.attempts;
  return {usd_per_landed(results), landed_share(results), attempts / (12.0 * static_cast<double>(results.size()))};
}

void print(const char* name, const Row& row, double strongest) {
  std::printf("| %-42s | $%.4f | %5.1f %% | %6.2f %% | %.2f |\n", name, row.usd_per_landed,
              100 * row.usd_per_landed / strongest, 100 * row.landed_share, row.attempts);
}

void play_market(const Market& market, std::uint32_t seeds, const RoutingRules& rules) {
  std::vector<SuiteResult> cheapest;
  std::vector<SuiteResult> strongest;
  std::vector<SuiteResult> cascade;
  std::vector<SuiteResult> learning;
  std::vector<SuiteResult> learnt;
  for (std::uint32_t seed = 1; seed <= seeds; ++seed) {
    const auto add = [](std::vector<SuiteResult>& all, const std::vector<SuiteResult>& some) {
      all.insert(all.end(), some.begin(), some.end());
    };
    add(cheapest, play(market, Strategy::cheapest, seed, k_suites));
    add(strongest, play(market, Strategy::strongest, seed, k_suites));
    add(cascade, play(market, Strategy::cascade, seed, k_suites));
    const std::vector<SuiteResult> bandit = play(market, Strategy::bandit, seed, k_suites, rules);
    learning.insert(learning.end(), bandit.begin(), bandit.begin() + k_learning);
    learnt.insert(learnt.end(), bandit.begin() + k_learning, bandit.end());
  }
  const SuiteResult best = oracle(market);
  const double always = usd_per_landed(strongest);
  std::printf("\n### %s\n\n| model | input, output per million | passes low | medium | high |\n|---|---|---|---|---|\n",
              market.name.c_str());
  for (const MarketModel& model : market.models) {
    std::printf("| %s | $%.2f, $%.2f | %u %% | %u %% | %u %% |\n", model.tier.c_str(),
                static_cast<double>(model.input_cents) / 100, static_cast<double>(model.output_cents) / 100,
                model.pass_percent[0], model.pass_percent[1], model.pass_percent[2]);
  }
  std::printf(
      "\n| strategy | per landed task | of always strongest | landed | attempts per task |\n|---|---|---|---|---|\n");
  print("always the strongest", row_of(strongest), always);
  print("always the cheapest", row_of(cheapest), always);
  print("static cascade", row_of(cascade), always);
  std::vector<SuiteResult> whole = learning;
  whole.insert(whole.end(), learnt.begin(), learnt.end());
  print("bandit, the first 504 tasks", row_of(learning), always);
  print("bandit, the 504 after these", row_of(learnt), always);
  print("bandit, all 1,008", row_of(whole), always);
  const SuiteResult free = oracle(market, false);
  print("oracle that escalates, by calculation", {best.usd / best.landed, best.landed / 12, 0}, always);
  print("oracle that may try the same again", {free.usd / free.landed, free.landed / 12, 0}, always);
  std::printf("| %-42s | $%.4f | %5.1f %% | ? | ? |\n", "Python Bernstein: claimed, of another market",
              always * (1 - k_claimed_saving), 100 * (1 - k_claimed_saving));
  std::printf(
      "\nbandit after 504 tasks ÷ oracle: %.3f; bandit ÷ static cascade: %.3f (all), landed: %+.2f points of the "
      "strongest\n",
      usd_per_landed(learnt) / (best.usd / best.landed), usd_per_landed(whole) / usd_per_landed(cascade),
      100 * (landed_share(whole) - landed_share(strongest)));
}

}  // namespace
}  // namespace bernstein::test

int main(int argc, char** argv) {
  using namespace bernstein;
  const auto seeds = static_cast<std::uint32_t>(argc > 1 ? std::atoi(argv[1]) : 200);
  RoutingRules rules{.mode = RoutingMode::bandit};
  if (argc > 2) rules.alpha_ppm = static_cast<std::int64_t>(std::atof(argv[2]) * 1e6);
  if (argc > 3) rules.explore_ppm = static_cast<std::int64_t>(std::atof(argv[3]) * 1e6);
  if (argc > 4) rules.ridge_ppm = static_cast<std::int64_t>(std::atof(argv[4]) * 1e6);
  const std::string only = argc > 5 ? argv[5] : "";
  std::printf("%u seeds, 84 suites of 12 tasks each; alpha %.3f, explore %.3f, ridge %.2f, warmup %u\n", seeds,
              static_cast<double>(rules.alpha_ppm) / 1e6, static_cast<double>(rules.explore_ppm) / 1e6,
              static_cast<double>(rules.ridge_ppm) / 1e6, rules.warmup);
  for (const test::Market& market : {test::market_of_sizes(), test::market_of_steps(), test::market_of_vendors()}) {
    if (only.empty() || only == market.name) test::play_market(market, seeds, rules);
  }
  return 0;
}
