#pragma once
// Time, processes and background work as run/ needs them. proc/ implements it with libuv; tests/support has one with a
// manual clock and scripted processes. Both pass tests/contract/reactor_contract.
//
//     reactor.start(spec, [&](ProcessExit exit) { inbox.push(...); });
//     while (!finished) { reactor.turn(); ... }        // every callback runs inside turn(), on the caller's thread
//
// A callback only takes note of what it is told (run/inbox.hpp); decisions are made by the loop.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "bernstein/base/result.hpp"
#include "bernstein/base/units.hpp"

namespace bernstein::port {

struct ProcessSpec {
  std::vector<std::string> argv;             // no shell; argv[0] is looked up in PATH of env when it has no '/'
  std::map<std::string, std::string> env;    // all of it: nothing is inherited
  std::string directory;                     // absolute
  std::string stdin_text;                    // written to its stdin, then closed
  std::string output_path;                   // stdout and stderr, appended in order of arrival; created with mode 0600
  std::int64_t output_bytes_max = 64 << 20;  // what comes after is read and dropped; a last line in the file says so
  Micros timeout_us = 0;                     // > 0: SIGTERM to its group then, SIGKILL after grace_us
  Micros grace_us = 5 * k_second;
};

struct ProcessExit {
  int exit_code = 0;             // 128 + signal when a signal ended it
  int signal = 0;                // 0: it exited by itself
  bool timed_out = false;        // the limit was reached (whatever its exit code was then)
  bool stopped = false;          // stop() was called before
  Micros duration_us = 0;
  std::int64_t output_bytes = 0; // all that it wrote, dropped bytes included
};

using ProcessKey = std::int64_t;  // ours, not the pid
using TimerKey = std::int64_t;

class Reactor {
 public:
  virtual ~Reactor() = default;

  struct Started {
    ProcessKey key = 0;
    std::int64_t pid = 0;
  };
  // Starts a process in a group of its own. An error (ErrorCode::environment: not found, not executable, too many
  // processes) means that nothing was started. Otherwise on_exit is called once, when the process has ended, nobody of
  // its group is left (who is, gets killed), and all its output is in the file.
  virtual Result<Started> start(ProcessSpec spec, std::function<void(ProcessExit)> on_exit) = 0;
  // SIGTERM to the group, SIGKILL after its grace. Its on_exit is called as always. No effect on one that ended.
  virtual void stop(ProcessKey key) = 0;

  // Runs `work` on another thread, then `done` on ours.
  virtual void submit(std::function<void()> work, std::function<void()> done) = 0;

  virtual TimerKey after(Micros delay_us, std::function<void()> fire) = 0;
  virtual void cancel(TimerKey key) = 0;

  // Called with the number of each SIGINT and SIGTERM that this process gets, instead of dying of it.
  virtual void on_signal(std::function<void(int)> handler) = 0;

  // Waits until at least one callback has run, runs all that are due, and returns.
  virtual void turn() = 0;

  virtual Micros monotonic_us() = 0;  // since some fixed point; never goes back; counts suspended time
  virtual Micros wall_us() = 0;       // since the epoch
};

}  // namespace bernstein::port
