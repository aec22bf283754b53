#include "policy.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <map>
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
    "SELECT routes.version, routes.payload, rewards.version, rewards.payload, rewards.seq"
    " FROM events AS rewards JOIN events AS routes"
    "   ON routes.run = rewards.run AND routes.subject = rewards.subject AND routes.type = 'RouteChosen'"
    " WHERE rewards.type = 'RewardRecorded' ORDER BY rewards.seq";

Error unreadable(const std::string& seq, const std::string& why) {
  return {ErrorCode::corrupt, "event " + seq +
                                  " (RewardRecorded), from which routes are to be learnt, cannot be read: " + why +
                                  "; `bernstein audit` tells more"};
}

template <class E>
Result<E> event_of(const port::Table::Cell& version, const port::Table::Cell& payload, const std::string& seq) {
  if (version.text != std::to_string(E::version)) return unreadable(seq, "its version is " + version.text);
  Result<EventBody> body = decode(E::type, E::version, payload.text);
  if (!body) return unreadable(seq, body.error().message);
  return std::get<E>(*std::move(body));
}

// Into a file that is not there yet.
std::error_code write_new(const fs::path& path, const std::string& text) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
  if (file < 0) return {errno, std::generic_category()};
  std::size_t written = 0;
  std::error_code problem;
  while (!problem && written < text.size()) {
    const ssize_t count = ::write(file, text.data() + written, text.size() - written);
    if (count >= 0) {
      written += static_cast<std::size_t>(count);
    } else if (errno != EINTR) {
      problem = {errno, std::generic_category()};
    }
  }
  ::close(file);
  return problem;
}

double mean(std::int64_t sum, std::int64_t count, double unit) {
  return count == 0 ? 0 : static_cast<double>(sum) / static_cast<double>(count) / unit;
}

}  // namespace

Result<Policy> learnt_policy(port::EventReader& log, std::int64_t ridge_ppm) {
  BERNSTEIN_TRY(const port::Table lessons, log.query(k_lessons));
  std::map<Policy::ArmKey, ArmExperience> sums;
  for (const auto& row : lessons.rows) {
    const std::string& seq = row[4].text;
    BERNSTEIN_TRY(const auto route, event_of<RouteChosen>(row[0], row[1], seq));
    BERNSTEIN_TRY(const auto reward, event_of<RewardRecorded>(row[2], row[3], seq));
    if (!is_credible(reward)) return unreadable(seq, "its reward or its cost is out of range");
    ArmExperience& arm = sums[{reward.arm.agent, reward.arm.model}];
    arm.agent = reward.arm.agent;
    arm.model = reward.arm.model;
    add_lesson(arm, route.features, reward);
  }
  std::vector<ArmExperience> experiences;
  for (auto& [key, arm] : sums) experiences.push_back(std::move(arm));
  return Policy(ridge_ppm, experiences);
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
  // An agent without a sandbox can put links here: nothing is written through one.
  if (fs::is_symlink(fs::symlink_status(path.parent_path(), problem))) fs::remove(path.parent_path(), problem);
  fs::create_directories(path.parent_path(), problem);
  if (!problem) fs::remove(draft, problem);
  if (!problem) problem = write_new(draft, policy_json(policy, ridge_ppm));
  if (!problem) fs::rename(draft, path, problem);
  if (!problem) return Ok{};
  return Error{ErrorCode::environment, "cannot write '" + path.string() + "': " + problem.message() +
                                           "; nothing depends on it, make room or give the right to write there"};
}

}  // namespace bernstein::cli
