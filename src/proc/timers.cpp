#include "timers.hpp"

#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <limits>

#include "bernstein/base/check.hpp"

namespace bernstein::proc {

TimerQueue::TimerQueue(uv_loop_t* loop) : timer_fd_(::timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK)) {
  BERNSTEIN_CHECK(timer_fd_.is_open(), "a descriptor for the timer is free");
  watch_ = std::make_unique<FdWatch>(loop, timer_fd_.get(), FdWatch::For::reading, [this] { fire_due(); });
}

Micros TimerQueue::now_us() {
  return clock_us(CLOCK_BOOTTIME);
}

port::TimerKey TimerQueue::add(Micros delay_us, std::function<void()> fire) {
  const Micros now = now_us();
  const Micros due = now + std::clamp<Micros>(delay_us, 0, std::numeric_limits<Micros>::max() / 2 - now);
  const port::TimerKey key = ++last_key_;
  queue_.emplace(std::pair{due, key}, std::move(fire));
  due_at_.emplace(key, due);
  if (queue_.begin()->first.second == key) arm();
  return key;
}

void TimerQueue::cancel(port::TimerKey key) {
  const auto found = due_at_.find(key);
  if (found == due_at_.end()) return;
  // The descriptor may then wake us for nothing; fire_due() finds nobody due and arms it anew.
  queue_.erase({found->second, key});
  due_at_.erase(found);
}

void TimerQueue::arm() {
  itimerspec when{};  // all zero: disarmed
  if (!queue_.empty()) {
    const Micros due = std::max<Micros>(queue_.begin()->first.first, 1);
    when.it_value.tv_sec = static_cast<std::time_t>(due / k_second);
    when.it_value.tv_nsec = static_cast<long>(due % k_second) * 1000;
  }
  BERNSTEIN_CHECK(::timerfd_settime(timer_fd_.get(), TFD_TIMER_ABSTIME, &when, nullptr) == 0, "the time is valid");
}

void TimerQueue::fire_due() {
  std::uint64_t expirations = 0;
  [[maybe_unused]] const auto drained = ::read(timer_fd_.get(), &expirations, sizeof expirations);
  const Micros now = now_us();
  const port::TimerKey last = last_key_;  // those made by a callback wait for the next round: no round is endless
  while (!queue_.empty()) {
    const auto first = queue_.begin();
    const auto [due, key] = first->first;
    if (due > now || key > last) break;
    std::function<void()> fire = std::move(first->second);
    queue_.erase(first);
    due_at_.erase(key);
    fire();
  }
  arm();
}

}  // namespace bernstein::proc
