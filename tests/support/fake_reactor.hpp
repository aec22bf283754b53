#pragma once
// A reactor with a manual clock and scripted processes, for simulations: the same calls in the same order give the same
// callbacks at the same instants, whatever the machine does.
//
//     FakeReactor reactor([](const port::ProcessSpec& spec) -> Result<ScriptedProcess> {
//       return ScriptedProcess{.duration_us = 3 * k_minute, .output = "done\n", .at_end = [=] { write_files(spec); }};
//     });
//
// turn() moves the clock to the next thing that is due and runs all that is due then, in the order it was scheduled.
// The output of processes goes to real files, as the loop reads them there; nothing else of the machine is touched.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bernstein/base/result.hpp"
#include "bernstein/base/units.hpp"
#include "bernstein/port/reactor.hpp"

namespace bernstein::test {

// A time without progress, from the begin of the process on; without `until_us` to its end.
struct Silence {
  Micros from_us = 0;
  std::optional<Micros> until_us;
};

// What a process will do. It writes its output when it ends, also when it is killed.
struct ScriptedProcess {
  std::optional<Micros> duration_us = k_second;  // nothing: it runs until it is stopped
  int exit_code = 0;
  std::string output;
  std::function<void()> at_begin;  // what it does to the world as soon as it runs
  std::function<void()> at_end;    // and in the end; not done by one that is stopped before
  bool ignores_term = false;       // ends by SIGKILL after the grace
  std::optional<Silence> silence;  // nothing: it makes progress all the time
};

// An error means that the process cannot be started.
using ProcessScript = std::function<Result<ScriptedProcess>(const port::ProcessSpec&)>;

class FakeReactor final : public port::Reactor {
 public:
  static constexpr Micros k_wall_start_us = 1'750'000'000 * k_second;

  explicit FakeReactor(ProcessScript script) : script_(std::move(script)) {}

  Result<Started> start(port::ProcessSpec spec, std::function<void(port::ProcessExit)> on_exit) override;
  void stop(port::ProcessKey key) override;
  Result<Started> start_supervised(port::ProcessSpec spec, port::SuperviseSpec supervise,
                                   std::function<void(port::ProcessExit)> on_exit) override;
  void go(port::ProcessKey key) override;
  void on_stall(port::ProcessKey key, std::function<void(Micros)> told) override;
  Result<Adopted> adopt(const std::string& control_directory, std::function<void(port::ProcessExit)> on_exit) override;
  Status end_unreachable(const std::string& prefix) override;
  // The work is done when its time has passed, on a thread that is joined at once.
  void submit(std::function<void()> work, std::function<void()> done) override;
  port::TimerKey after(Micros delay_us, std::function<void()> fire) override;
  void cancel(port::TimerKey key) override;
  void on_signal(std::function<void(int)> handler) override { signal_handler_ = std::move(handler); }
  // Looked at in the beginning of every turn, which is all that it has to wait for then.
  Status watch_directory(const std::string& path, std::function<void()> changed) override;
  void turn() override;
  Micros monotonic_us() override { return now_; }
  Micros wall_us() override { return k_wall_start_us + now_; }
  Micros utc_offset_us() override { return 0; }

  // ---- For tests ----
  // Submitted work is done on the caller's thread: cheaper, and what it throws comes out of turn().
  void work_in_place() { work_in_place_ = true; }
  // How long each piece of submitted work takes; at once by default. Asked once per submit.
  void set_work_duration(std::function<Micros()> duration) { work_duration_ = std::move(duration); }
  // This process gets a signal so much later.
  void raise_after(Micros delay_us, int signal);
  // The program that uses this reactor is killed and a new one begins: every callback is forgotten, timers, work and
  // plain processes are gone. Supervised processes go on and can be adopted; after their orphan limit they are ended.
  void crash();
  // The supervisor of this directory is killed: its process is lost.
  void kill_supervisor(const std::string& control_directory);
  // Somebody removes every control directory: who is at work goes on, and can neither be adopted nor leave a word.
  void remove_control_directories();
  // Time passes while nobody calls turn(), as between two lives of the program: all that is due by then happens.
  void pass(Micros duration_us);
  // Control directories of the supervised processes that run or wait for their go.
  std::vector<std::string> supervised() const;
  bool is_idle() const { return agenda_.empty() && running_.empty(); }
  bool expects_something() const { return !agenda_.empty(); }  // else turn() has nothing to wait for
  // Every process that was started, in order.
  const std::vector<port::ProcessSpec>& started() const { return started_; }
  std::size_t running() const { return running_.size(); }

 private:
  using Slot = std::pair<Micros, std::int64_t>;  // when, and in which order among those of one instant

  struct Running {
    port::ProcessSpec spec;
    ScriptedProcess script;
    std::function<void(port::ProcessExit)> on_exit;
    Micros started_at = 0;
    std::optional<Slot> end;  // by itself, or by the signal that is on its way
    std::optional<Slot> timeout;
    port::ProcessExit exit;
    bool terminating = false;

    std::optional<port::SuperviseSpec> supervise;
    std::optional<Slot> orphan;  // its limit, while it waits for its go or has no owner
    bool unreachable = false;    // its control directory is gone
    bool is_adopted = false;
    std::function<void(Micros)> on_stall;
    Micros silent_us = 0;      // as its supervisor's warning says
    std::vector<Slot> stalls;  // what its silence will lead to
    std::optional<Slot> news;  // its adopter is to be told how it stands
  };

  struct Watched {
    std::string path;
    std::function<void()> changed;
    std::vector<std::string> names;  // that were there when it was last looked at
  };

  void look_at_directories();
  Slot schedule(Micros delay_us, std::function<void()> action);
  port::ProcessKey add(port::ProcessSpec spec, ScriptedProcess script, std::function<void(port::ProcessExit)> on_exit);
  void begin(port::ProcessKey key);
  void expect_owner(port::ProcessKey key);
  void expect_silence(port::ProcessKey key);
  void warn(port::ProcessKey key, Micros silent_us);
  void forget(std::optional<Slot>& slot);
  void forget_silence(Running& running);
  // The key of a supervised process that runs; 0 when there is none.
  port::ProcessKey supervised_in(const std::string& control_directory) const;
  void terminate(port::ProcessKey key);
  void end(port::ProcessKey key);

  ProcessScript script_;
  bool work_in_place_ = false;
  std::function<Micros()> work_duration_ = [] { return Micros{0}; };
  std::function<void(int)> signal_handler_;
  Micros now_ = 0;
  std::int64_t last_order_ = 0;
  std::int64_t calls_ = 0;  // of the caller's callbacks
  port::ProcessKey last_process_ = 0;
  std::map<Slot, std::function<void()>> agenda_;
  std::map<port::TimerKey, Slot> timers_;  // the key is the order
  std::map<port::ProcessKey, Running> running_;
  std::vector<port::ProcessSpec> started_;
  std::vector<Watched> watched_;
  std::map<std::string, port::ProcessExit> ended_supervised_;  // by control directory: its exit.json
};

}  // namespace bernstein::test
