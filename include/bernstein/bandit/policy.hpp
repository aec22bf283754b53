#pragma once
// What has been learnt about the arms: a fold over the rewards of all runs.
//
//     Policy policy(config.routing.ridge_ppm, started.policy);     // of the runs before
//     policy.learn(reward.arm, route.features, reward);            // and of this one
//     policy.model_of(arm).at(context_of(features))
//
// An arm is an agent with a model; what plans call it (its tier) may change, and it stays the same arm. Rewards may
// come in any order: equal rewards give an equal policy, bit by bit. Nothing is forgotten.

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "bernstein/bandit/features.hpp"
#include "bernstein/bandit/linucb.hpp"
#include "bernstein/event/decisions.hpp"
#include "bernstein/event/spec.hpp"

namespace bernstein {

// Adds what a reward teaches, in the context of its route, to the sums of its arm.
void add_lesson(ArmExperience& experience, const Features& features, const RewardRecorded& reward);

struct LearntArm {
  ArmExperience experience;
  LinearModel model;
};

class Policy {
 public:
  using ArmKey = std::pair<std::string, std::string>;  // agent, model

  Policy() : Policy(RoutingRules{}.ridge_ppm) {}
  // Requires experiences that are_sound(), each of another arm.
  explicit Policy(std::int64_t ridge_ppm, const std::vector<ArmExperience>& experiences = {});

  void learn(const Arm& arm, const Features& features, const RewardRecorded& reward);

  const LinearModel& model_of(const Arm& arm) const;  // of an arm that nobody has tried: the prior
  std::int64_t completions_of(const Arm& arm) const;  // rewarded attempts
  const std::map<ArmKey, LearntArm>& arms() const { return arms_; }
  std::vector<ArmExperience> experiences() const;  // by agent, then model

 private:
  std::int64_t ridge_ppm_;
  LinearModel prior_;
  std::map<ArmKey, LearntArm> arms_;
};

// Whether a reward is one that decide/ can have given.
bool is_credible(const RewardRecorded& reward);

// Whether sums have the sizes and ranges that they must have: what is read from a log may be anything.
bool are_sound(const std::vector<ArmExperience>& experiences, std::int64_t ridge_ppm);

}  // namespace bernstein
