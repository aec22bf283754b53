#pragma once
// Timers with microseconds, on the clock that counts suspended time (libuv's own have milliseconds and stand still
// while the machine sleeps). They fire in order of their time; those of one instant in the order they were made.

#include <uv.h>

#include <functional>
#include <map>
#include <memory>
#include <utility>

#include "bernstein/base/units.hpp"
#include "bernstein/port/reactor.hpp"
#include "fd.hpp"
#include "fd_watch.hpp"

namespace bernstein::proc {

class TimerQueue {
 public:
  explicit TimerQueue(uv_loop_t* loop);

  // `fire` is called once from uv_run, not before `delay_us` has passed; a delay below 0 counts as 0.
  port::TimerKey add(Micros delay_us, std::function<void()> fire);
  void cancel(port::TimerKey key);  // no effect on one that has fired

  static Micros now_us();

 private:
  void arm();
  void fire_due();

  Fd timer_fd_;
  std::unique_ptr<FdWatch> watch_;
  port::TimerKey last_key_ = 0;
  std::map<std::pair<Micros, port::TimerKey>, std::function<void()>> queue_;
  std::map<port::TimerKey, Micros> due_at_;
};

}  // namespace bernstein::proc
