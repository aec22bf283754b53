#include "directory_watch.hpp"

#include <utility>

namespace bernstein::proc {

struct DirectoryWatch::State {
  uv_fs_event_t handle{};
  std::function<void()> changed;
  bool closing = false;
};

Result<std::unique_ptr<DirectoryWatch>> DirectoryWatch::start(uv_loop_t* loop, const std::string& path,
                                                              std::function<void()> changed) {
  auto state = std::make_unique<State>();
  state->changed = std::move(changed);
  const auto failed = [&](int code) {
    return Error{ErrorCode::environment, "cannot watch " + path + ": " + uv_strerror(code)};
  };
  if (const int code = uv_fs_event_init(loop, &state->handle); code != 0) return failed(code);
  state->handle.data = state.get();
  const auto on_event = [](uv_fs_event_t* handle, const char*, int, int) {
    const State* watching = static_cast<const State*>(handle->data);
    if (!watching->closing) watching->changed();
  };
  // From here on the handle belongs to the loop, until it is closed.
  std::unique_ptr<DirectoryWatch> watch(new DirectoryWatch(state.release()));
  if (const int code = uv_fs_event_start(&watch->state_->handle, on_event, path.c_str(), 0); code != 0)
    return failed(code);
  return watch;
}

DirectoryWatch::~DirectoryWatch() {
  state_->closing = true;
  uv_close(reinterpret_cast<uv_handle_t*>(&state_->handle),
           [](uv_handle_t* handle) { delete static_cast<State*>(handle->data); });
}

}  // namespace bernstein::proc
