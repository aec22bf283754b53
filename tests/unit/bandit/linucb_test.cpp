#include "bernstein/bandit/linucb.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "bernstein/bandit/policy.hpp"

namespace bernstein {
namespace {

constexpr std::int64_t k_ridge_ppm = 1'000'000;
const Context k_bias{1'000};

// Sums of `count` rewards in the context that has the bias alone.
ArmExperience experience_of(std::int64_t count, std::int64_t reward_ppm) {
  ArmExperience experience{.completions = count};
  experience.gram.resize(136);
  experience.moment.resize(16);
  experience.gram[0] = count * 1'000'000;
  experience.moment[0] = count * 1'000 * reward_ppm;
  return experience;
}

TEST(LinUcb, KnowsNothingOfAnArmThatNobodyTried) {
  const Estimate estimate = LinearModel({}, k_ridge_ppm).at(k_bias);
  EXPECT_EQ(estimate.mean, 0);
  EXPECT_EQ(estimate.deviation, 1);  // x'A⁻¹x with A = I
}

TEST(LinUcb, WithOneComponentIsTheShrunkMean) {
  // A = 1 + n, b = n r: θ = n r / (1 + n), and the deviation is 1 / sqrt(1 + n)
  const Estimate estimate = LinearModel(experience_of(99, 500'000), k_ridge_ppm).at(k_bias);
  EXPECT_DOUBLE_EQ(estimate.mean, 0.495);
  EXPECT_DOUBLE_EQ(estimate.deviation, 0.1);
  EXPECT_DOUBLE_EQ(upper_bound(estimate, 0.3), 0.525);
}

TEST(LinUcb, ALargerRidgeNeedsMoreToBelieve) {
  EXPECT_DOUBLE_EQ(LinearModel(experience_of(3, 1'000'000), k_ridge_ppm).at(k_bias).mean, 0.75);
  EXPECT_DOUBLE_EQ(LinearModel(experience_of(3, 1'000'000), 9 * k_ridge_ppm).at(k_bias).mean, 0.25);
}

TEST(LinUcb, ScalesTheDeviationWithTheContext) {
  Context half{500};
  EXPECT_EQ(LinearModel({}, k_ridge_ppm).at(half).deviation, 0.5);
  EXPECT_EQ(LinearModel({}, k_ridge_ppm).at({}).deviation, 0);
}

TEST(LinUcb, RefusesSumsThatNoContextsHave) {
  ArmExperience negative = experience_of(1, 0);
  negative.gram[0] = -5'000'000;
  EXPECT_FALSE(can_be_fitted(negative, k_ridge_ppm));
  ArmExperience contradictory = experience_of(1, 0);
  contradictory.gram[1] = 900'000'000;  // x0·x1 far above what x0² and x1² allow
  EXPECT_FALSE(can_be_fitted(contradictory, k_ridge_ppm));
  EXPECT_TRUE(can_be_fitted(experience_of(1'000'000'000, 1'000'000), 1));
}

}  // namespace
}  // namespace bernstein
