#include "bernstein/state/credentials.hpp"

#include <set>

namespace bernstein {
namespace {

const OpenIntent& park_of(const RunState& state, const std::string& credential) {
  return state.open_intents.at(state.parked.at(credential));
}

CredentialWait wait_of(const RunState& state, const std::string& credential) {
  CredentialWait wait{.credential = credential};
  for (const AgentSpec& agent : config_of(state).agents) {
    if (credential_of(config_of(state), agent.name) == credential) wait.agents.push_back(agent.name);
  }
  if (state.parked.contains(credential)) {
    const OpenIntent& park = park_of(state, credential);
    const auto& asked = std::get<ParkRequested>(park.body);
    wait.until_wall_us = park.wall_us + asked.wait_us;
    wait.why = asked.why;
    return wait;
  }
  wait.trial = state.trials.at(credential);
  wait.why = wait.trial ? credential + " is tried with " + to_string(*wait.trial) + " first"
                        : credential + " is to be tried with one session first";
  return wait;
}

}  // namespace

std::string credential_of(const RunConfig& config, const std::string& agent) {
  const AgentSpec* spec = find_agent(config, agent);
  return spec == nullptr || spec->credential.empty() ? agent : spec->credential;
}

bool may_take_one(const RunState& state, const std::string& agent) {
  const std::string credential = credential_of(config_of(state), agent);
  if (state.parked.contains(credential)) return false;
  const auto trial = state.trials.find(credential);
  return trial == state.trials.end() || !trial->second;
}

std::string why_not_now(const RunState& state, const std::string& agent) {
  if (may_take_one(state, agent)) return "";
  const CredentialWait wait = wait_of(state, credential_of(config_of(state), agent));
  return wait.until_wall_us ? wait.credential + " is left alone: " + wait.why : wait.why;
}

std::vector<CredentialWait> waits_of(const RunState& state) {
  std::set<std::string> closed;
  for (const auto& [credential, park] : state.parked) closed.insert(credential);
  for (const auto& [credential, trial] : state.trials) closed.insert(credential);
  std::vector<CredentialWait> waits;
  for (const std::string& credential : closed) waits.push_back(wait_of(state, credential));
  return waits;
}

bool said_until_when(const Attempt& attempt) {
  return attempt.exit && attempt.exit->retry_after_us;
}

bool is_crash(const AgentExited& exit) {
  const bool ended_by_others = exit.stopped || exit.timed_out || exit.stalled;
  return !ended_by_others &&
         (exit.outcome == AgentOutcome::crash || (exit.outcome == AgentOutcome::done && exit.exit_code != 0));
}

bool is_broken_down(const RunState& state, const std::string& agent) {
  const std::uint32_t limit = config_of(state).limits.breaker;
  const auto crashed = state.crashed.find(agent);
  return limit > 0 && crashed != state.crashed.end() && crashed->second.size() >= limit;
}

}  // namespace bernstein
