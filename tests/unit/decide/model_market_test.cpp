// What routing saves, in a short form of tools/bench/routing: 6 seeds, where the bounds hold with room to spare.
#include "unit/decide/model_market.hpp"

#include <gtest/gtest.h>

namespace bernstein::test {
namespace {

constexpr std::uint32_t k_seeds = 6;
constexpr std::uint32_t k_suites = 60;
constexpr std::size_t k_learning = 42;  // 504 tasks

std::vector<SuiteResult> play_all(const Market& market, Strategy strategy) {
  std::vector<SuiteResult> all;
  for (std::uint32_t seed = 1; seed <= k_seeds; ++seed) {
    const std::vector<SuiteResult> some = play(market, strategy, seed, k_suites);
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

TEST(ModelMarket, TheBanditIsCheaperThanTheStrongestAndTheCascadeAndLandsAsMuch) {
  const Market market = market_of_sizes();
  const std::vector<SuiteResult> bandit = play_all(market, Strategy::bandit);
  const std::vector<SuiteResult> strongest = play_all(market, Strategy::strongest);
  const std::vector<SuiteResult> cascade = play_all(market, Strategy::cascade);
  EXPECT_LT(usd_per_landed(bandit), 0.60 * usd_per_landed(strongest));
  EXPECT_LT(usd_per_landed(bandit), 0.90 * usd_per_landed(cascade));
  EXPECT_GT(landed_share(bandit), landed_share(strongest) - 0.01);

  std::vector<SuiteResult> learnt;
  for (std::size_t i = 0; i < bandit.size(); ++i) {
    if (i % k_suites >= k_learning) learnt.push_back(bandit[i]);
  }
  const SuiteResult best = oracle(market);
  EXPECT_LT(usd_per_landed(learnt), 1.10 * best.usd / best.landed);
}

TEST(ModelMarket, WhereTheCascadeIsRightTheBanditCostsNoMore) {
  const Market market = market_of_steps();
  EXPECT_LT(usd_per_landed(play_all(market, Strategy::bandit)),
            1.03 * usd_per_landed(play_all(market, Strategy::cascade)));
}

TEST(ModelMarket, GivesEveryStrategyTheSameLuck) {
  const std::vector<SuiteResult> once = play(market_of_sizes(), Strategy::bandit, 7, 10);
  const std::vector<SuiteResult> again = play(market_of_sizes(), Strategy::bandit, 7, 10);
  for (std::size_t i = 0; i < once.size(); ++i) {
    EXPECT_EQ(once[i].usd, again[i].usd);
    EXPECT_EQ(once[i].landed, again[i].landed);
  }
}

}  // namespace
}  // namespace bernstein::test
