#include "files.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "bernstein/base/check.hpp"
#include "bernstein/base/text.hpp"

namespace bernstein::run {

std::string read_end(const std::string& path, std::size_t bytes_max) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return "";
  const std::streamoff size = file.tellg();
  const std::streamoff from = std::max<std::streamoff>(0, size - static_cast<std::streamoff>(bytes_max));
  std::string text(static_cast<std::size_t>(size - from), '\0');
  file.seekg(from);
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

Status write_file(const std::string& path, const std::string& text) {
  std::error_code ignored;  // what is wrong shows when it is written
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file) return Error{ErrorCode::environment, "cannot write " + path + "; is the disk full?"};
  return Ok{};
}

const AgentSpec& agent_of(const RunState& state, const std::string& name) {
  for (const AgentSpec& agent : config_of(state).agents) {
    if (agent.name == name) return agent;
  }
  BERNSTEIN_CHECK(false, "a route names an agent of the run");
  std::abort();
}

std::vector<std::pair<std::string, std::string>> kept_evidence(const AttemptFailed& failure, port::BlobStore& blobs) {
  std::vector<std::pair<std::string, std::string>> kept;
  for (const Evidence& evidence : failure.evidence) {
    std::string output;
    if (!evidence.output.empty()) {
      Result<std::string> found = blobs.get(evidence.output);
      output = found ? printable_utf8(*found) : "(its output is no longer there)";
    }
    kept.emplace_back(evidence.label, std::move(output));
  }
  return kept;
}

}  // namespace bernstein::run
