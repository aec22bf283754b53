#pragma once
// A supervised process as its owner sees it: our end of a control directory. The same for one that we started and for
// one that we adopted: its supervisor's end is told by a pidfd, what became of it by exit.json.

#include <uv.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "bernstein/base/result.hpp"
#include "bernstein/port/reactor.hpp"
#include "control.hpp"
#include "fd.hpp"
#include "fd_watch.hpp"
#include "timers.hpp"

namespace bernstein::proc {

class Supervised {
 public:
  using Ended = std::function<void(port::ProcessExit)>;
  using Stalled = std::function<void(Micros silent_us)>;  // 0: it goes on

  // Starts the program `supervisor`, which waits for go(). `ended` is called once, must not destroy the Supervised, and
  // in the case of adopt() may be called at once. Loop and timers outlive it.
  static Result<std::unique_ptr<Supervised>> start(uv_loop_t* loop, TimerQueue& timers, const std::string& supervisor,
                                                   const Order& order, Ended ended);
  // Of a control directory where somebody was alive a moment ago.
  static Result<std::unique_ptr<Supervised>> adopt(uv_loop_t* loop, TimerQueue& timers, const std::string& directory,
                                                   Ended ended);
  Supervised(const Supervised&) = delete;
  Supervised& operator=(const Supervised&) = delete;
  ~Supervised();  // leaves supervisor and command alone

  void go() { say(k_go); }
  void stop() { say(k_stop); }
  // As port::Reactor::on_stall().
  void on_stall(Stalled stalled);

  std::int64_t pid() const { return pid_; }  // of the supervisor; 0 as long as it is not known

 private:
  Supervised(uv_loop_t* loop, TimerQueue& timers, std::string directory, Fd control, Ended ended);

  void say(char word);
  void look();
  void watch(std::int64_t pid, Fd pidfd);
  void look_for_stall();
  void tell_stall();
  void end();

  uv_loop_t* loop_;
  TimerQueue& timers_;
  std::string directory_;
  Fd control_;
  Ended ended_;
  std::int64_t pid_ = 0;
  bool is_child_ = false;
  port::TimerKey look_timer_ = 0;
  Stalled stalled_;
  port::TimerKey stall_timer_ = 0;
  std::optional<Micros> told_stall_;  // nothing: our owner does not know yet how it stands
  Fd pidfd_;
  std::unique_ptr<FdWatch> watch_;
};

}  // namespace bernstein::proc
