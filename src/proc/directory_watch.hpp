#pragma once
// Tells when the entries of a directory change (inotify). The uv handle lives on the heap and is freed in its close
// callback, never before.

#include <uv.h>

#include <functional>
#include <memory>
#include <string>

#include "bernstein/base/result.hpp"

namespace bernstein::proc {

class DirectoryWatch {
 public:
  // `changed` is called from uv_run. ErrorCode::environment when the directory cannot be watched.
  static Result<std::unique_ptr<DirectoryWatch>> start(uv_loop_t* loop, const std::string& path,
                                                       std::function<void()> changed);
  DirectoryWatch(const DirectoryWatch&) = delete;
  DirectoryWatch& operator=(const DirectoryWatch&) = delete;
  ~DirectoryWatch();

 private:
  struct State;
  explicit DirectoryWatch(State* state) : state_(state) {}
  State* state_;
};

}  // namespace bernstein::proc
