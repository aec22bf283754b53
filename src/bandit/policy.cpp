#include "bernstein/bandit/policy.hpp"

#include <algorithm>
#include <set>

namespace bernstein {
namespace {

constexpr std::size_t k_gram_size = k_dimension * (k_dimension + 1) / 2;

bool is_sound(const ArmExperience& experience) {
  constexpr std::int64_t k_sum_max = std::int64_t{1} << 53U;  // a double holds each below exactly
  const auto is_small = [](std::int64_t sum) { return sum >= 0 && sum < k_sum_max; };
  const bool is_empty = experience.completions == 0;
  return experience.gram.size() == (is_empty ? 0 : k_gram_size) &&
         experience.moment.size() == (is_empty ? 0 : k_dimension) && is_small(experience.completions) &&
         is_small(experience.cost_micros.value) && is_small(experience.reward_ppm) &&
         std::ranges::all_of(experience.gram, is_small) && std::ranges::all_of(experience.moment, is_small);
}

}  // namespace

void add_lesson(ArmExperience& experience, const Features& features, const RewardRecorded& reward) {
  const Context context = context_of(features);
  experience.gram.resize(k_gram_size);
  experience.moment.resize(k_dimension);
  auto sum = experience.gram.begin();
  for (std::size_t row = 0; row < k_dimension; ++row) {
    for (std::size_t column = row; column < k_dimension; ++column) {
      *sum++ += std::int64_t{context[row]} * context[column];
    }
    experience.moment[row] += context[row] * reward.reward_ppm;
  }
  ++experience.completions;
  experience.cost_micros += reward.counted_micros;
  experience.reward_ppm += reward.reward_ppm;
}

Policy::Policy(std::int64_t ridge_ppm, const std::vector<ArmExperience>& experiences)
    : ridge_ppm_(ridge_ppm), prior_({}, ridge_ppm) {
  for (const ArmExperience& experience : experiences) {
    arms_.emplace(ArmKey{experience.agent, experience.model},
                  LearntArm{experience, LinearModel(experience, ridge_ppm_)});
  }
}

void Policy::learn(const Arm& arm, const Features& features, const RewardRecorded& reward) {
  const ArmKey key{arm.agent, arm.model};
  auto learnt = arms_.find(key);
  if (learnt == arms_.end()) {
    ArmExperience none;
    none.agent = arm.agent;
    none.model = arm.model;
    learnt = arms_.emplace(key, LearntArm{std::move(none), prior_}).first;
  }
  add_lesson(learnt->second.experience, features, reward);
  learnt->second.model = LinearModel(learnt->second.experience, ridge_ppm_);
}

const LinearModel& Policy::model_of(const Arm& arm) const {
  const auto learnt = arms_.find({arm.agent, arm.model});
  return learnt == arms_.end() ? prior_ : learnt->second.model;
}

std::int64_t Policy::completions_of(const Arm& arm) const {
  const auto learnt = arms_.find({arm.agent, arm.model});
  return learnt == arms_.end() ? 0 : learnt->second.experience.completions;
}

std::vector<ArmExperience> Policy::experiences() const {
  std::vector<ArmExperience> all;
  for (const auto& [key, learnt] : arms_) all.push_back(learnt.experience);
  return all;
}

bool is_credible(const RewardRecorded& reward) {
  constexpr std::int64_t k_cost_max = 1'000'000'000'000'000;
  return reward.reward_ppm >= 0 && reward.reward_ppm <= 1'000'000 && reward.counted_micros.value >= 0 &&
         reward.counted_micros.value < k_cost_max;
}

bool are_sound(const std::vector<ArmExperience>& experiences, std::int64_t ridge_ppm) {
  std::set<Policy::ArmKey> arms;
  return std::ranges::all_of(experiences, [&](const ArmExperience& experience) {
    return is_sound(experience) && can_be_fitted(experience, ridge_ppm) &&
           arms.emplace(experience.agent, experience.model).second;
  });
}

}  // namespace bernstein
