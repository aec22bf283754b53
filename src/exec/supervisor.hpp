#pragma once
// One command from its go until nobody who descends from it is left and its output is in the file.
//
//     waiting ──go──▶ running ──leader ends──▶ killing the rest ──nobody is left──▶ done
//        │               └──stop, a limit reached, no owner──▶ SIGTERM ──grace──▶ SIGKILL
//        └──stop, no owner, no go for too long──▶ done

#include <sys/types.h>

#include <optional>

#include "bernstein/base/units.hpp"
#include "bernstein/port/reactor.hpp"
#include "heartbeat.hpp"
#include "proc/control.hpp"
#include "proc/fd.hpp"
#include "proc/output.hpp"

namespace bernstein::exec {

class Supervisor {
 public:
  // `control` is the FIFO; `signals` a signalfd of SIGCHLD and SIGTERM, which are blocked.
  Supervisor(proc::Order order, proc::OutputFile output, proc::Fd input, proc::Fd control, proc::Fd signals);

  // How it ended. Returns within k_group_end_us_max of the command's end.
  port::ProcessExit run();

 private:
  void wait();
  void read_signals();
  void read_control();
  void read_output();
  void drain_output();
  void reap();
  Micros owner_look_us() const;
  void look_for_owner();
  void look_for_progress();
  void check_times();

  void begin();
  void stop();
  void terminate();
  void finish(const std::string& error);

  proc::Order order_;
  proc::OutputFile output_;
  proc::Fd input_;
  proc::Fd control_;
  proc::Fd signals_;
  proc::Fd output_fd_;  // the end that we read

  port::ProcessExit exit_;
  pid_t command_ = 0;  // its process; 0 before its go
  bool leader_ended_ = false;
  bool done_ = false;
  Micros started_at_ = 0;

  // Instants on the clock that counts suspended time, but for those about the owner: a machine that sleeps gives an
  // owner no chance to come back.
  std::optional<Micros> timeout_at_;
  std::optional<Micros> grace_ends_at_;  // SIGTERM was sent, SIGKILL comes then
  std::optional<Micros> killed_at_;      // SIGKILL was sent for the first time
  Micros kill_wait_us_ = 0;
  Micros owner_seen_at_ = 0;
  Micros owner_looked_at_ = 0;
  Micros waiting_since_ = 0;

  std::optional<Heartbeat> heartbeat_;  // of one that has a limit for going without progress, from its begin on
  bool warned_ = false;                 // its owner is told that it makes none
};

}  // namespace bernstein::exec
