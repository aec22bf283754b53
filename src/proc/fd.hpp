#pragma once
// File descriptors with one owner.

#include <string>
#include <utility>

#include "bernstein/base/result.hpp"
#include "bernstein/base/units.hpp"

namespace bernstein::proc {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) close(), fd_ = std::exchange(other.fd_, -1);
    return *this;
  }
  ~Fd() { close(); }

  void close();
  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// A pipe whose two ends are not inherited. Unlike the socket pairs of libuv it can be opened by name (/dev/stdout).
struct Pipe {
  Fd read_end;
  Fd write_end;
};
Result<Pipe> open_pipe();

void set_nonblocking(const Fd& fd);

// Descriptors from 3 on that are open now will not be inherited by children.
void stop_inheritance();

// What errno says: "No space left on device".
std::string errno_text(int error);

// Microseconds of a clock of clock_gettime(2).
Micros clock_us(int clock);

}  // namespace bernstein::proc
