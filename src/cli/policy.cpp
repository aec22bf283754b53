#include "policy.hpp"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <system_error>

#include "bernstein/event/codec.hpp"
#include "bernstein/state/run_state.hpp"

namespace bernstein::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

// Rewards go along an index of their own, and each finds its route along another one (migrations/0004_rewards.sql).
constexpr const char* k_lessons =
    "SELECT routes.version, routes.payload, rewards.version, rewards.payload"
    " FROM events AS rewards JOIN events AS routes"
    "   ON routes.run = rewards.run AND routes.subject = rewards.subject AND routes.type = 'RouteChosen'"
    " WHERE rewards.type = 'RewardRecorded' ORDER BY rewards.seq";

template <class E>
Result<E> event_of(const port::Table::Cell& version, const port::Table::Cell& payload) {
  BERNSTEIN_TRY(EventBody body, decode(E::type, std::stoi(version.text), payload.text));
  return std::get<E>(std::move(body));
}

double mean(std::int64_t sum, std::int64_t count, double unit) {
  return count == 0 ? 0 : static_cast<double>(sum) / static_cast<double>(count) / unit;
}

}  // namespace

Result<Policy> learnt_policy(port::EventReader& log, std::int64_t ridge_ppm) {
  BERNSTEIN_TRY(const port::Table lessons, log.query(k_lessons));
  Policy policy(ridge_ppm);
  for (const auto& row : lessons.rows) {
    BERNSTEIN_TRY(const auto route, event_of<RouteChosen>(row[0], row[1]));
    BERNSTEIN_TRY(const auto reward, event_of<RewardRecorded>(row[2], row[3]));
    policy.learn(reward.arm, route.features, reward);
  }
  return policy;
}

std::vector<ArmExperience> experiences_for(const RunConfig& config, const Policy& policy) {
  std::vector<ArmExperience> experiences = policy.experiences();
  std::erase_if(experiences,
                [&](const ArmExperience& experience) { return find_agent(config, experience.agent) == nullptr; });
  return experiences;
}

std::string policy_json(const Policy& policy, std::int64_t ridge_ppm) {
  Json json;
  std::int64_t completions = 0;
  Json arms = Json::array();
  for (const auto& [key, learnt] : policy.arms()) {
    const ArmExperience& experience = learnt.experience;
    completions += experience.completions;
    Json theta;
    for (std::size_t i = 0; i < k_dimension; ++i) theta[std::string(k_context_names[i])] = learnt.model.theta()[i];
    arms.push_back({{"agent", experience.agent},
                    {"model", experience.model},
                    {"completions", experience.completions},
                    {"mean_reward", mean(experience.reward_ppm, experience.completions, 1e6)},
                    {"mean_cost_usd", mean(experience.cost_micros.value, experience.completions, 1e6)},
                    {"theta", std::move(theta)}});
  }
  json["completions"] = completions;
  json["ridge"] = static_cast<double>(ridge_ppm) / 1e6;
  json["arms"] = std::move(arms);
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

Status export_policy(const Policy& policy, std::int64_t ridge_ppm, const std::string& sdd) {
  const fs::path path = fs::path(sdd) / "routing" / "policy.json";
  const fs::path draft = path.string() + ".new";
  std::error_code problem;
  fs::create_directories(path.parent_path(), problem);
  if (!problem) {
    std::ofstream file(draft, std::ios::binary | std::ios::trunc);
    file << policy_json(policy, ridge_ppm);
    if (!file.flush()) problem = std::make_error_code(std::errc::io_error);
  }
  if (!problem) fs::rename(draft, path, problem);
  if (!problem) return Ok{};
  return Error{ErrorCode::environment, "cannot write '" + path.string() + "': " + problem.message() +
                                           "; nothing depends on it, make room or give the right to write there"};
}

}  // namespace bernstein::cli
