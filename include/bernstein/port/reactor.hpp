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

#include "bernstein/base/redact.hpp"
#include "bernstein/base/result.hpp"
#include "bernstein/base/units.hpp"

namespace bernstein::port {

struct ProcessSpec {
  std::vector<std::string> argv;             // no shell; argv[0] is looked up in PATH of env when it has no '/'
  std::vector<std::string> wrapper;          // what runs it: a program by its absolute path, and arguments. The command
                                             // follows them, its program by the absolute path it was found at
  std::map<std::string, std::string> env;    // all of it: nothing is inherited
  std::string directory;                     // absolute
  std::string stdin_text;                    // written to its stdin, then closed
  std::string output_path;                   // stdout and stderr, appended in order of arrival; created with mode 0600
  Secrets secrets;                           // what must not come into that file: base/redact.hpp says what does
  std::int64_t output_bytes_max = 64 << 20;  // what comes after is read and dropped; a last line in the file says so
  Micros timeout_us = 0;                     // > 0: SIGTERM to its group then, SIGKILL after grace_us
  Micros grace_us = 5 * k_second;
};

struct ProcessExit {
  int exit_code = 0;       // 128 + signal when a signal ended it
  int signal = 0;          // 0: it exited by itself
  bool timed_out = false;  // the limit was reached (whatever its exit code was then)
  bool stopped = false;    // stop() was called before
  Micros duration_us = 0;
  std::int64_t output_bytes = 0;  // all that it wrote, dropped bytes included

  // Of supervised processes:
  bool stalled = false;   // it made no progress for its limit, and was ended
  bool started = true;    // false: the command never ran (stopped before its go, or for the reason in `error`)
  bool orphaned = false;  // ended because nobody owned the workspace, or nobody said go, for too long
  bool lost = false;      // its supervisor was killed: the command was too, but how far it came is not known
  bool vanished = false;  // lost because its control directory was removed: nobody can be told how it ended
  std::string error;      // why the command could not be executed; a sentence, else ""

  bool operator==(const ProcessExit&) const = default;
};

// What lets a process survive us. Its supervisor (bernstein-exec) does what start() does and needs us for nothing but
// the word to begin.
struct SuperviseSpec {
  std::string control_directory;           // absolute; made with mode 0700, its parent is there; for one process alone
  std::string lock_path;                   // the lock of the workspace (flock); "": no owner is expected
  Micros orphan_limit_us = 15 * k_minute;  // after so long without an owner, or without a go, the process is ended
  std::int64_t processes_max = 0;          // > 0: RLIMIT_NPROC; counts all of the user's; not applied to root
  std::int64_t file_bytes_max = 0;         // > 0: RLIMIT_FSIZE

  // > 0: the process is ended, as by timeout_us, after so long without progress. Progress is any of: a byte of output;
  // CPU time of the process and its descendants, at 10 % of a core or more; data that they receive over TCP, at 200
  // bytes a second or more; a change in one of `watched`, which are directories by their absolute paths.
  Micros no_progress_us = 0;
  std::vector<std::string> watched;
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

  // As start(), but the process outlives this reactor, whether it is destroyed or killed, and waits for go(). `pid` is
  // the supervisor's. Every descendant is gone when on_exit is called, those that left the session included. An error
  // also when the control directory was used before (ErrorCode::conflict) or there is no supervisor program.
  virtual Result<Started> start_supervised(ProcessSpec spec, SuperviseSpec supervise,
                                           std::function<void(ProcessExit)> on_exit) = 0;
  // Lets a supervised process begin; its limits run from here. Saying it again has no effect.
  virtual void go(ProcessKey key) = 0;
  // Has `told` called when a supervised process has made no progress for half of its limit, with how long that is, and
  // with 0 when it goes on after that. Before its on_exit, never after. Whoever has adopted the process is told how it
  // stands, 0 too, in a turn soon after. Said once for a process, and without effect on one that has ended.
  virtual void on_stall(ProcessKey key, std::function<void(Micros silent_us)> told) = 0;

  struct Adopted {
    enum class State {
      running,        // or still waiting: say go() if it was meant to run; on_exit is called when it has ended
      finished,       // on_exit is called in the next turn
      never_started,  // nothing ran, and nothing ever will in this directory; no on_exit
      missing,        // there is no such directory: it was never made, or somebody removed it; no on_exit
      lost,           // its supervisor was killed, as in ProcessExit; no on_exit
    };
    State state = State::running;
    ProcessKey key = 0;    // for running and finished
    std::int64_t pid = 0;  // of the supervisor, where it is known
  };
  // Takes charge of a supervised process that an earlier reactor, perhaps of another process, started. The caller owns
  // the workspace. An error (ErrorCode::environment) means that the control directory cannot be read.
  virtual Result<Adopted> adopt(const std::string& control_directory, std::function<void(ProcessExit)> on_exit) = 0;
  // Where somebody may have removed control directories of living processes, which nobody can adopt then: kills all
  // that were started in a directory whose path is `prefix` and digits, supervisors and descendants. None is alive when
  // it returns; an error (ErrorCode::environment) when one cannot be killed. Looks at every process of the machine.
  virtual Status end_unreachable(const std::string& prefix) = 0;

  // Runs `work` on another thread, then `done` on ours.
  virtual void submit(std::function<void()> work, std::function<void()> done) = 0;

  virtual TimerKey after(Micros delay_us, std::function<void()> fire) = 0;
  virtual void cancel(TimerKey key) = 0;

  // Called with the number of each SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1 and SIGUSR2 that this process gets,
  // instead of dying of it.
  virtual void on_signal(std::function<void(int)> handler) = 0;

  // Has `changed` called in a turn after something has come into the directory, been renamed in it or gone from it;
  // once or several times, and not for what was there before. For as long as this reactor lives. An error
  // (ErrorCode::environment) when it cannot be watched: it is not there, or the machine watches too much already.
  virtual Status watch_directory(const std::string& path, std::function<void()> changed) = 0;

  // Waits until at least one callback has run, runs all that are due, and returns.
  virtual void turn() = 0;

  virtual Micros monotonic_us() = 0;   // since some fixed point; never goes back; counts suspended time
  virtual Micros wall_us() = 0;        // since the epoch
  virtual Micros utc_offset_us() = 0;  // how far the local time of a person here is ahead of UTC, now
};

}  // namespace bernstein::port
