#include "inputs.hpp"

#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <system_error>

#include "bernstein/base/text.hpp"

namespace bernstein::cli {
namespace {

constexpr const char* k_config_name = "bernstein.yaml";

std::string take_up_to(std::istream& in, std::size_t bytes_max) {
  std::string text(bytes_max, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

void add_faults(Refusal& refusal, const std::string& file, const plan::Faults& faults) {
  const std::string text = plan::format(file, faults);
  for (std::string_view line : split(text, '\n')) refusal.reasons.emplace_back(line);
}

void append(std::vector<std::string>& to, const std::vector<std::string>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

}  // namespace

Result<std::string> read_text(const std::string& path, std::size_t bytes_max) {
  if (path == "-") return take_up_to(std::cin, bytes_max + 1);
  std::error_code problem;
  const std::filesystem::file_status status = std::filesystem::status(path, problem);
  if (!std::filesystem::exists(status)) return Error{ErrorCode::not_found, "there is no file '" + path + "'"};
  if (std::filesystem::is_directory(status))
    return Error{ErrorCode::invalid_input, "'" + path + "' is a directory, not a file"};
  std::ifstream in(path, std::ios::binary);
  if (!in) return Error{ErrorCode::invalid_input, "'" + path + "' cannot be read; check its permissions"};
  return take_up_to(in, bytes_max + 1);
}

std::variant<plan::Config, Refusal> read_config(const std::string& root) {
  Refusal refusal;
  const Result<std::string> text = read_text(root + "/" + k_config_name, plan::k_document_bytes_max);
  if (!text && text.error().code == ErrorCode::not_found) return plan::Config{};
  if (!text) {
    refusal.reasons.push_back(text.error().message);
    return refusal;
  }
  plan::ConfigResult parsed = plan::parse_config(*text, k_config_name);
  if (auto* config = std::get_if<plan::Config>(&parsed)) return std::move(*config);
  add_faults(refusal, k_config_name, std::get<plan::Faults>(parsed));
  return refusal;
}

InputResult read_inputs(const InputFiles& files) {
  Inputs inputs;
  Refusal refusal;

  auto config = read_config(files.root);
  if (auto* faults = std::get_if<Refusal>(&config)) append(refusal.reasons, faults->reasons);
  if (auto* found = std::get_if<plan::Config>(&config)) inputs.config = std::move(*found);

  append(inputs.warnings, inputs.config.warnings);
  if (files.plan_file.empty()) {
    if (!refusal.reasons.empty()) return refusal;
    return inputs;
  }
  const bool from_stdin = files.plan_file == "-";
  const std::string path =
      from_stdin ? "-" : (std::filesystem::path(files.directory) / files.plan_file).lexically_normal().string();
  const std::string shown = from_stdin ? "standard input" : files.plan_file;
  const Result<std::string> text = read_text(path, plan::k_document_bytes_max);
  if (!text) {
    refusal.reasons.push_back(text.error().message);
    return refusal;
  }
  inputs.plan_text = *text;
  plan::PlanOptions options{
      .file = shown, .check_timeout_us = inputs.config.limits.check_timeout_us, .agent_is_given = files.agent_is_given};
  if (std::holds_alternative<plan::Config>(config)) {
    std::vector<std::string>& agents = options.agents.emplace(files.built_in);
    for (const AgentSpec& agent : inputs.config.agents) agents.push_back(agent.name);
    std::vector<std::string>& gates = options.gates.emplace();
    for (const CheckSpec& gate : inputs.config.gates) gates.push_back(gate.name);
  }
  plan::PlanResult parsed = plan::parse_plan(*text, options);
  if (auto* faults = std::get_if<plan::Faults>(&parsed)) add_faults(refusal, shown, *faults);
  if (!refusal.reasons.empty()) return refusal;

  inputs.plan = std::move(std::get<plan::Plan>(parsed));
  append(inputs.warnings, inputs.plan.warnings);
  return inputs;
}

}  // namespace bernstein::cli
