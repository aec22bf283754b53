#pragma once
// FileIdentity: which file a path names or a descriptor holds. It differs when the file was replaced.

#include <sys/stat.h>

#include <optional>
#include <string>

namespace bernstein::store {

struct FileIdentity {
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const FileIdentity&) const = default;
};

// Nothing when there is no such file.
inline std::optional<FileIdentity> identity_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return FileIdentity{status.st_dev, status.st_ino};
}

inline std::optional<FileIdentity> identity_of(int file) {
  struct stat status {};
  if (::fstat(file, &status) != 0) return std::nullopt;
  return FileIdentity{status.st_dev, status.st_ino};
}

}  // namespace bernstein::store
