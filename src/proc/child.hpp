#pragma once
// One process from its start until nobody of its group is left and its output is in the file.
//
//     running ──leader ends──▶ ending ──group is gone──▶ ended
//        └──timeout, stop──▶ SIGTERM ──grace──▶ SIGKILL

#include <uv.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "bernstein/base/result.hpp"
#include "bernstein/port/reactor.hpp"
#include "fd.hpp"
#include "fd_watch.hpp"
#include "output.hpp"
#include "program.hpp"
#include "timers.hpp"

namespace bernstein::proc {

class Child {
 public:
  // `ended` is called once from uv_run and must not destroy the Child. Loop and timers outlive it.
  static Result<std::unique_ptr<Child>> start(uv_loop_t* loop, TimerQueue& timers, port::ProcessSpec spec,
                                              std::function<void(port::ProcessExit)> ended);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();

  void stop();  // SIGTERM now, SIGKILL after the grace; no effect after the end of the group
  void kill();  // SIGKILL now

  std::int64_t pid() const { return pid_; }
  bool has_leader_ended() const { return leader_ended_; }

 private:
  Child(TimerQueue& timers, port::ProcessSpec spec, OutputFile output, std::function<void(port::ProcessExit)> ended);

  Status spawn(uv_loop_t* loop, Invocation invocation);
  void feed_stdin();
  void read_output();
  void drain_output();
  void terminate();
  void leader_ended(std::int64_t exit_status, int signal);
  void watch_group();
  void end();
  void cancel_timers();

  TimerQueue& timers_;
  port::ProcessSpec spec_;
  OutputFile output_;
  std::function<void(port::ProcessExit)> ended_;

  uv_process_t* process_ = nullptr;  // freed in its close callback
  std::int64_t pid_ = 0;             // of the leader: also the number of group and session
  Micros started_at_ = 0;
  port::ProcessExit exit_;
  bool leader_ended_ = false;
  bool group_ended_ = false;

  // Watches after descriptors: they are destroyed first.
  Fd stdin_fd_;
  Fd output_fd_;
  std::unique_ptr<FdWatch> stdin_watch_;
  std::unique_ptr<FdWatch> output_watch_;
  std::string_view stdin_left_;  // of spec_.stdin_text

  bool terminating_ = false;  // SIGTERM was sent; until grace_timer_ fires, only SIGTERM
  port::TimerKey timeout_timer_ = 0;
  port::TimerKey grace_timer_ = 0;
  port::TimerKey group_timer_ = 0;
  Micros group_poll_us_ = 0;
  std::optional<Micros> killed_at_;  // the group, after its leader's end
};

}  // namespace bernstein::proc
