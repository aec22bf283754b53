#include "program.hpp"

#include <unistd.h>

#include <filesystem>
#include <system_error>

#include "bernstein/base/text.hpp"
#include "bernstein/plan/catalog.hpp"

namespace bernstein::cli {
namespace {

bool is_executable(const std::filesystem::path& file) {
  std::error_code problem;
  return std::filesystem::is_regular_file(file, problem) && access(file.c_str(), X_OK) == 0;
}

}  // namespace

std::optional<std::string> find_program(const std::string& name, const std::string& path,
                                        const std::string& directory) {
  if (name.find('/') != std::string::npos) {
    const std::filesystem::path file = std::filesystem::path(directory) / name;
    if (is_executable(file)) return file.string();
    return std::nullopt;
  }
  for (std::string_view folder : split(path, ':')) {
    if (!folder.starts_with('/')) continue;
    const std::filesystem::path file = std::filesystem::path(folder) / name;
    if (is_executable(file)) return file.string();
  }
  return std::nullopt;
}

std::optional<std::string> program_of(const AgentSpec& agent, const std::map<std::string, std::string>& environment,
                                      const std::string& directory) {
  if (agent.command.empty()) return std::nullopt;
  const auto path = environment.find("PATH");
  return find_program(agent.command.front(), path == environment.end() ? "" : path->second, directory);
}

std::vector<std::string> missing_programs(const std::vector<AgentSpec>& agents,
                                          const std::map<std::string, std::string>& environment,
                                          const std::string& directory) {
  std::vector<std::string> sentences;
  for (const AgentSpec& agent : agents) {
    if (agent.command.empty() || agent.command.front().find('{') != std::string::npos) continue;
    if (program_of(agent, environment, directory)) continue;
    const std::string& program = agent.command.front();
    const plan::CatalogEntry* entry = plan::find_in_catalog(agent.name);
    sentences.push_back("agent '" + agent.name + "': the program '" + program + "' cannot be found" +
                        (program.find('/') == std::string::npos ? " in PATH" : "") + "; install it" +
                        (entry == nullptr || entry->facts.install.empty() ? "" : " (" + entry->facts.install + ")") +
                        ", or correct its command under agents: in bernstein.yaml");
  }
  return sentences;
}

}  // namespace bernstein::cli
