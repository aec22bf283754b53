// Plays a history of LinUCB and prints every score: for golden_history.py, which plays the same one.
//
//     linucb_trace ARMS ALPHA_PPM RIDGE_PPM < steps > choices
//
// A step is a line of whole numbers: bias, checks, complexity, failures, files, high_stakes, minutes, priority,
// prompt_tokens, scope, the four roles, then what each arm would be rewarded with, in ppm. A line of the answer: the
// chosen arm, then the score of each arm as a hex float.

#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "bernstein/bandit/policy.hpp"
#include "bernstein/base/text.hpp"

namespace {

using namespace bernstein;

constexpr const char* k_names[] = {"bias",        "checks",    "complexity",    "failures",      "files",
                                   "high_stakes", "minutes",   "priority",      "prompt_tokens", "scope",
                                   "role_devops", "role_docs", "role_frontend", "role_qa"};

bool read_step(std::istream& in, Features& features, std::vector<std::int64_t>& rewards) {
  for (const char* name : k_names) {
    if (!(in >> features[name])) return false;
  }
  for (std::int64_t& reward : rewards) in >> reward;
  return static_cast<bool>(in);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  std::vector<Arm> arms;
  for (int i = 0; i < std::atoi(argv[1]); ++i) arms.push_back({"agent", "model-" + std::to_string(i), "tier"});
  const double alpha = std::atof(argv[2]) / 1e6;
  Policy policy(std::atol(argv[3]));
  Features features;
  std::vector<std::int64_t> rewards(arms.size());
  while (read_step(std::cin, features, rewards)) {
    const Context context = context_of(features);
    std::size_t best = 0;
    std::vector<double> scores;
    for (const Arm& arm : arms) {
      scores.push_back(upper_bound(policy.model_of(arm).at(context), alpha));
      if (scores.back() > scores[best]) best = scores.size() - 1;
    }
    std::cout << best;
    for (double score : scores) std::cout << ' ' << hex_float(score);
    std::cout << '\n';
    RewardRecorded reward;
    reward.reward_ppm = rewards[best];
    policy.learn(arms[best], features, reward);
  }
  return 0;
}
