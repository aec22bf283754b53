#include "bernstein/agent/secrets.hpp"

#include <algorithm>
#include <array>

#include "bernstein/base/text.hpp"

namespace bernstein::agent {

bool is_secret_name(std::string_view name) {
  constexpr std::array<std::string_view, 5> k_words{"KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL"};
  std::string upper(name);
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return std::any_of(k_words.begin(), k_words.end(),
                     [&](std::string_view word) { return upper.find(word) != std::string::npos; });
}

Secrets secrets_of(const std::vector<AgentSpec>& agents, const Environment& environment) {
  Secrets secrets;
  for (const AgentSpec& agent : agents) {
    for (const std::string& name : agent.env) {
      const auto variable = environment.find(name);
      if (variable == environment.end() || !is_secret_name(name)) continue;
      if (trim(variable->second).size() >= k_secret_bytes_min) secrets.insert(*variable);
    }
  }
  return secrets;
}

std::set<std::string> redact_inputs(const Secrets& secrets, RunConfig& config, PlanAccepted& plan) {
  std::set<std::string> found;
  if (secrets.empty()) return found;
  Redactor redactor(secrets);
  const auto redact = [&](std::string& text) {
    std::string cleared = redactor.redact(text);
    if (cleared == text) return;
    for (const auto& [name, value] : secrets) {
      if (text.find(trim(value)) != std::string::npos) found.insert(name);
    }
    text = std::move(cleared);
  };
  const auto redact_checks = [&](std::vector<CheckSpec>& checks) {
    for (CheckSpec& check : checks) redact(check.name), redact(check.command), redact(check.contains);
  };
  redact(plan.name);
  for (StageSpec& stage : plan.stages) redact(stage.name);
  for (TaskSpec& task : plan.tasks) {
    redact(task.title);
    redact(task.description);
    redact_checks(task.signals);
  }
  for (std::string& constraint : config.constraints) redact(constraint);
  for (auto& [role, text] : config.roles) redact(text);
  for (AgentSpec& agent : config.agents) {
    for (std::vector<std::string>* words : {&agent.command, &agent.read_only, &agent.schema}) {
      for (std::string& word : *words) redact(word);
    }
    for (auto& [name, value] : agent.set) redact(value);
    for (auto& [name, value] : agent.set_in_sandbox) redact(value);
  }
  redact_checks(config.gates);
  redact(config.worktree_setup.command);
  return found;
}

}  // namespace bernstein::agent
