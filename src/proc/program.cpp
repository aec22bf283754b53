#include "program.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <optional>

#include "bernstein/base/check.hpp"
#include "bernstein/base/text.hpp"

namespace bernstein::proc {
namespace {

Error refused(const port::ProcessSpec& spec, const std::string& why) {
  return {ErrorCode::environment, "cannot start '" + spec.argv.front() + "': " + why};
}

bool is_directory(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

enum class FileKind { absent, not_executable, program };

FileKind kind_of_file(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return FileKind::absent;
  return S_ISREG(status.st_mode) && ::access(path.c_str(), X_OK) == 0 ? FileKind::program : FileKind::not_executable;
}

bool has_nul(const std::string& text) {
  return text.find('\0') != std::string::npos;
}

std::optional<Error> argument_fault(const port::ProcessSpec& spec) {
  for (const std::string& word : spec.wrapper) {
    if (has_nul(word)) return refused(spec, "what it is to run in contains a NUL byte");
  }
  for (std::size_t i = 0; i < spec.argv.size(); ++i) {
    if (has_nul(spec.argv[i])) return refused(spec, "argument " + std::to_string(i) + " contains a NUL byte");
  }
  for (const auto& [name, value] : spec.env) {
    if (name.empty() || name.find('=') != std::string::npos || has_nul(name)) {
      return refused(spec, "'" + name + "' is no name of an environment variable");
    }
    if (has_nul(value)) return refused(spec, "the environment variable " + name + " contains a NUL byte");
  }
  return std::nullopt;
}

}  // namespace

Result<std::string> find_program(const port::ProcessSpec& spec) {
  BERNSTEIN_CHECK(!spec.argv.empty(), "a command has at least a program");
  BERNSTEIN_CHECK(!spec.directory.empty() && spec.directory.front() == '/',
                  "a process starts in an absolute directory");
  if (auto fault = argument_fault(spec)) return *fault;
  if (!is_directory(spec.directory)) return refused(spec, "its directory " + spec.directory + " is not there");

  const std::string& name = spec.argv.front();
  if (name.empty()) return refused(spec, "the name of the program is empty");
  if (name.find('/') != std::string::npos) {
    const std::string path = name.front() == '/' ? name : spec.directory + "/" + name;
    switch (kind_of_file(path)) {
      case FileKind::absent:
        return refused(spec, "there is no such file");
      case FileKind::not_executable:
        return refused(spec, "it is not an executable file; set its mode with chmod +x");
      case FileKind::program:
        return path;
    }
  }

  const auto path_variable = spec.env.find("PATH");
  const std::string path = path_variable == spec.env.end() ? "" : path_variable->second;
  bool not_executable = false;
  for (const std::string_view directory : split(path, ':')) {
    if (directory.empty() || directory.front() != '/') continue;
    std::string candidate = std::string(directory) + "/" + name;
    const FileKind kind = kind_of_file(candidate);
    if (kind == FileKind::program) return candidate;
    not_executable = not_executable || kind == FileKind::not_executable;
  }
  return refused(spec, not_executable ? "what PATH has by this name is not an executable file"
                                      : "no such program in PATH (" + path + "); install it or correct the command");
}

Result<Invocation> find_invocation(const port::ProcessSpec& spec) {
  BERNSTEIN_TRY(const std::string program, find_program(spec));
  if (spec.wrapper.empty()) return Invocation{program, spec.argv};
  const std::string& wrapper = spec.wrapper.front();
  if (kind_of_file(wrapper) != FileKind::program) {
    return refused(spec, wrapper + ", which it is to run in, is no executable file");
  }
  Invocation invocation{wrapper, spec.wrapper};
  invocation.argv.push_back(program);
  invocation.argv.insert(invocation.argv.end(), spec.argv.begin() + 1, spec.argv.end());
  return invocation;
}

}  // namespace bernstein::proc
