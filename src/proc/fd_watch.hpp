#pragma once
// Tells when a descriptor can be read or written. The uv handle lives on the heap and is freed in its close callback,
// never before; the descriptor may be closed as soon as the watch is gone.

#include <uv.h>

#include <functional>

namespace bernstein::proc {

class FdWatch {
 public:
  enum class For { reading, writing };

  // `ready` is called from uv_run whenever the descriptor is ready or broken: the read or write then tells which.
  FdWatch(uv_loop_t* loop, int fd, For what, std::function<void()> ready);
  FdWatch(const FdWatch&) = delete;
  FdWatch& operator=(const FdWatch&) = delete;
  // May run within `ready` itself.
  ~FdWatch();

 private:
  struct State;
  State* state_;
};

}  // namespace bernstein::proc
