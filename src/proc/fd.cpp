#include "fd.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <system_error>

#include "bernstein/base/check.hpp"

namespace bernstein::proc {

void Fd::close() {
  // Not repeated on EINTR: on Linux the descriptor is free by then and may be somebody else's.
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

Result<Pipe> open_pipe() {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    return Error{ErrorCode::environment, "cannot open a pipe: " + errno_text(errno)};
  }
  return Pipe{Fd{ends[0]}, Fd{ends[1]}};
}

void set_nonblocking(const Fd& fd) {
  const int flags = ::fcntl(fd.get(), F_GETFL);
  BERNSTEIN_CHECK(flags >= 0 && ::fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK) == 0, "the descriptor is open");
}

void stop_inheritance() {
  if (::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) == 0) return;
  // Kernels before 5.11 do not know it. The soft limit of open files bounds the search.
  const long count = ::sysconf(_SC_OPEN_MAX);
  for (int fd = 3; fd < count; ++fd) {
    const int flags = ::fcntl(fd, F_GETFD);
    if (flags >= 0) ::fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
  }
}

std::string errno_text(int error) {
  return std::generic_category().message(error);
}

Micros clock_us(int clock) {
  timespec now{};
  BERNSTEIN_CHECK(::clock_gettime(clock, &now) == 0, "the clock exists");
  return Micros{now.tv_sec} * k_second + now.tv_nsec / 1000;
}

}  // namespace bernstein::proc
