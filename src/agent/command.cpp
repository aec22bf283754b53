#include "bernstein/agent/command.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace bernstein::agent {
namespace {

constexpr std::string_view k_prompt = "{prompt}";
constexpr std::string_view k_prompt_file = "{prompt_file}";
constexpr std::string_view k_usage_file = "{usage_file}";
constexpr std::string_view k_schema = "{schema}";
constexpr std::string_view k_schema_file = "{schema_file}";
constexpr std::string_view k_strict_schema_file = "{strict_schema_file}";
// Of one argument Linux takes 128 KiB (execve(2), MAX_ARG_STRLEN).
constexpr std::size_t k_prompt_argument_bytes_max = 100 << 10;
constexpr std::array<std::string_view, 9> k_always_allowed{"HOME", "LANG",   "LOGNAME", "PATH", "SHELL",
                                                           "TERM", "TMPDIR", "TZ",      "USER"};

std::string replace_placeholders(std::string_view text, const std::map<std::string_view, std::string>& values) {
  std::string replaced;
  while (!text.empty()) {
    const auto found = std::find_if(values.begin(), values.end(), [&](const auto& entry) {
      return text.substr(0, entry.first.size()) == entry.first;
    });
    if (found == values.end()) {
      replaced += text.front();
      text.remove_prefix(1);
    } else {
      replaced += found->second;
      text.remove_prefix(found->first.size());
    }
  }
  return replaced;
}

std::vector<std::string> words_of(const AgentSpec& spec, const AttemptContext& attempt) {
  if (!attempt.read_only || spec.read_only.empty()) return spec.command;
  std::vector<std::string> words = spec.read_only;
  if (!attempt.schema.empty()) words.insert(words.end(), spec.schema.begin(), spec.schema.end());
  return words;
}

}  // namespace

AgentCommand build_command(const AgentSpec& spec, const AttemptContext& attempt, const Environment& environment) {
  const std::string task = to_string(attempt.attempt.task);
  const std::string number = std::to_string(attempt.attempt.number);
  const bool fits = attempt.prompt.size() <= k_prompt_argument_bytes_max;
  const std::map<std::string_view, std::string> values{
      {k_prompt_file, attempt.prompt_file},
      {k_prompt,
       fits ? attempt.prompt : "Your task is in the file " + attempt.prompt_file + ": read all of it, and do it."},
      {k_usage_file, attempt.usage_file},
      {k_schema, attempt.schema},
      {k_schema_file, attempt.schema_file},
      {k_strict_schema_file, attempt.schema_file},
      {"{model}", attempt.model},
      {"{worktree}", attempt.worktree},
      {"{task}", task},
      {"{attempt}", number},
      {"{role}", attempt.role}};

  AgentCommand command{.argv = {}, .env = allowed_environment(environment, spec.env)};
  bool prompt_is_argument = false;
  for (const std::string& argument : words_of(spec, attempt)) {
    const auto has = [&](std::string_view placeholder) { return argument.find(placeholder) != std::string::npos; };
    prompt_is_argument = prompt_is_argument || has(k_prompt);
    command.prompt_in_file = command.prompt_in_file || has(k_prompt_file) || (has(k_prompt) && !fits);
    command.usage_in_file = command.usage_in_file || has(k_usage_file);
    if (has(k_schema_file)) command.schema_in_file = attempt.schema;
    if (has(k_strict_schema_file)) command.schema_in_file = attempt.strict;
    command.argv.push_back(replace_placeholders(argument, values));
  }
  command.prompt_on_stdin = !prompt_is_argument && !command.prompt_in_file;
  for (const auto& [name, value] : spec.set) command.env[name] = value;
  if (attempt.in_sandbox) {
    for (const auto& [name, value] : spec.set_in_sandbox) command.env[name] = value;
  }
  command.env["BERNSTEIN_RUN"] = to_string(attempt.run);
  command.env["BERNSTEIN_TASK"] = task;
  command.env["BERNSTEIN_ATTEMPT"] = number;
  return command;
}

Environment allowed_environment(const Environment& environment, const std::vector<std::string>& more) {
  Environment allowed;
  for (const auto& [name, value] : environment) {
    const bool is_allowed =
        name.starts_with("LC_") ||
        std::find(k_always_allowed.begin(), k_always_allowed.end(), name) != k_always_allowed.end() ||
        std::find(more.begin(), more.end(), name) != more.end();
    if (is_allowed) allowed.emplace(name, value);
  }
  return allowed;
}

}  // namespace bernstein::agent
