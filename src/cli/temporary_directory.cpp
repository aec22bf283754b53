#include "temporary_directory.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

namespace bernstein::cli {

namespace fs = std::filesystem;

std::string temporary_root() {
  std::error_code problem;
  const fs::path wanted = fs::temp_directory_path(problem);
  return problem ? "/tmp" : wanted.string();
}

Result<TemporaryDirectory> TemporaryDirectory::make(const std::string& parent, const std::string& purpose) {
  std::string name = parent + "/bernstein-" + purpose + "-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) {
    return Error{ErrorCode::environment, "cannot make a directory in " + parent + ": " + std::strerror(errno)};
  }
  return TemporaryDirectory(name);
}

TemporaryDirectory::TemporaryDirectory(TemporaryDirectory&& other) noexcept
    : path_(std::exchange(other.path_, "")), keep_(other.keep_) {}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  if (!path_.empty() && !keep_) fs::remove_all(path_, ignored);
}

}  // namespace bernstein::cli
