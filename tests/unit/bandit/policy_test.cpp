#include "bernstein/bandit/policy.hpp"

#include <gtest/gtest.h>

namespace bernstein {
namespace {

const std::int64_t k_ridge_ppm = RoutingRules{}.ridge_ppm;
const Arm k_small{"a", "small-1", "cheap"};
const Arm k_large{"a", "large-1", "strong"};
const Features k_easy{{"bias", 1}, {"complexity", 0}, {"files", 3}, {"priority", 2}};
const Features k_hard{{"bias", 1}, {"complexity", 2}, {"files", 9}, {"priority", 1}};

RewardRecorded a_reward(std::int64_t ppm, std::int64_t cost = 100) {
  RewardRecorded reward;
  reward.counted_micros = {cost};
  reward.reward_ppm = ppm;
  return reward;
}

double expected(const Policy& policy, const Arm& arm, const Features& features) {
  return policy.model_of(arm).at(context_of(features)).mean;
}

TEST(Policy, LearnsWhichArmIsGoodAtWhat) {
  Policy policy;
  for (int i = 0; i < 50; ++i) {
    policy.learn(k_small, k_easy, a_reward(900'000));
    policy.learn(k_small, k_hard, a_reward(0));
    policy.learn(k_large, k_easy, a_reward(300'000));
    policy.learn(k_large, k_hard, a_reward(500'000));
  }
  EXPECT_GT(expected(policy, k_small, k_easy), expected(policy, k_large, k_easy));
  EXPECT_LT(expected(policy, k_small, k_hard), expected(policy, k_large, k_hard));
  EXPECT_EQ(policy.completions_of(k_small), 100);
  EXPECT_EQ(policy.completions_of({"b", "small-1", "cheap"}), 0);
}

TEST(Policy, IsTheSameInWhateverOrderRewardsCome) {
  Policy forward;
  Policy backward;
  for (int i = 0; i < 40; ++i) {
    const int j = 39 - i;
    forward.learn(k_small, i % 3 == 0 ? k_hard : k_easy, a_reward(i * 25'000));
    backward.learn(k_small, j % 3 == 0 ? k_hard : k_easy, a_reward(j * 25'000));
  }
  EXPECT_EQ(forward.experiences(), backward.experiences());
  EXPECT_EQ(forward.model_of(k_small).theta(), backward.model_of(k_small).theta());
}

TEST(Policy, GoesOnFromTheSumsOfAnother) {
  Policy whole;
  Policy first;
  for (int i = 0; i < 10; ++i) {
    whole.learn(k_small, k_easy, a_reward(i * 100'000));
    first.learn(k_small, k_easy, a_reward(i * 100'000));
  }
  Policy second(k_ridge_ppm, first.experiences());
  whole.learn(k_large, k_hard, a_reward(7));
  second.learn(k_large, k_hard, a_reward(7));
  EXPECT_EQ(whole.experiences(), second.experiences());
  EXPECT_EQ(whole.model_of(k_small).theta(), second.model_of(k_small).theta());
}

TEST(Policy, AnArmIsItsAgentAndModelWhateverItIsCalled) {
  Policy policy;
  policy.learn(k_small, k_easy, a_reward(1));
  EXPECT_EQ(policy.completions_of({"a", "small-1", "tiny"}), 1);
  EXPECT_EQ(policy.completions_of({"a", "small-2", "cheap"}), 0);
}

TEST(Policy, SumsFromALogMustBeSumsOfContexts) {
  Policy policy;
  policy.learn(k_small, k_easy, a_reward(500'000));
  const std::vector<ArmExperience> sound = policy.experiences();
  EXPECT_TRUE(are_sound(sound, k_ridge_ppm));
  EXPECT_TRUE(are_sound({}, k_ridge_ppm));

  auto with = [&](auto change) {
    std::vector<ArmExperience> changed = sound;
    change(changed.front());
    return changed;
  };
  EXPECT_FALSE(are_sound(with([](ArmExperience& e) { e.gram.pop_back(); }), 1));
  EXPECT_FALSE(are_sound(with([](ArmExperience& e) { e.moment.clear(); }), 1));
  EXPECT_FALSE(are_sound(with([](ArmExperience& e) { e.completions = 0; }), 1));
  EXPECT_FALSE(are_sound(with([](ArmExperience& e) { e.completions = -1; }), 1));
  EXPECT_FALSE(are_sound(with([](ArmExperience& e) { e.gram[0] = INT64_MAX; }), 1));
  EXPECT_FALSE(are_sound(with([](ArmExperience& e) { e.moment[0] = INT64_MIN; }), 1));
  EXPECT_FALSE(are_sound(with([](ArmExperience& e) { e.gram[1] = 1'000'000'000; }), 1));
  EXPECT_FALSE(are_sound({sound.front(), sound.front()}, 1));
}

}  // namespace
}  // namespace bernstein
