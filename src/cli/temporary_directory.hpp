#pragma once
// A directory of our own among the temporary files; gone at the end unless it is kept.
//
//     BERNSTEIN_TRY(TemporaryDirectory place, TemporaryDirectory::make(temporary_root(), "demo"));

#include <string>
#include <utility>

#include "bernstein/base/result.hpp"

namespace bernstein::cli {

// TMPDIR, or /tmp where that leads nowhere.
std::string temporary_root();

class TemporaryDirectory {
 public:
  // "<parent>/bernstein-<purpose>-a1B2c3". ErrorCode::environment.
  static Result<TemporaryDirectory> make(const std::string& parent, const std::string& purpose);
  TemporaryDirectory(TemporaryDirectory&& other) noexcept;
  TemporaryDirectory& operator=(TemporaryDirectory&&) = delete;
  ~TemporaryDirectory();

  const std::string& path() const { return path_; }
  void keep() { keep_ = true; }

 private:
  explicit TemporaryDirectory(std::string path) : path_(std::move(path)) {}
  std::string path_;
  bool keep_ = false;
};

}  // namespace bernstein::cli
