#include "fd_watch.hpp"

#include <utility>

#include "bernstein/base/check.hpp"

namespace bernstein::proc {

struct FdWatch::State {
  uv_poll_t handle{};
  std::function<void()> ready;
  bool closing = false;
};

FdWatch::FdWatch(uv_loop_t* loop, int fd, For what, std::function<void()> ready) : state_(new State) {
  state_->ready = std::move(ready);
  state_->handle.data = state_;
  const int init = uv_poll_init(loop, &state_->handle, fd);
  BERNSTEIN_CHECK(init == 0, "pipes and timers can be polled");
  const int started =
      uv_poll_start(&state_->handle, what == For::reading ? UV_READABLE : UV_WRITABLE, [](uv_poll_t* handle, int, int) {
        State* state = static_cast<State*>(handle->data);
        if (!state->closing) state->ready();
      });
  BERNSTEIN_CHECK(started == 0, "a new poll handle starts");
}

FdWatch::~FdWatch() {
  state_->closing = true;
  uv_close(reinterpret_cast<uv_handle_t*>(&state_->handle),
           [](uv_handle_t* handle) { delete static_cast<State*>(handle->data); });
}

}  // namespace bernstein::proc
