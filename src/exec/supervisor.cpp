#include "supervisor.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <string>
#include <utility>

#include "bernstein/failpoint/failpoint.hpp"
#include "bernstein/proc/reactor.hpp"
#include "command.hpp"
#include "descendants.hpp"

namespace bernstein::exec {
namespace {

constexpr Micros k_owner_look_us_max = 5 * k_second;  // between two looks for the owner; less when its limit is short
constexpr Micros k_owner_look_us_min = 10'000;
constexpr Micros k_wait_us_max = 5 * k_second;  // so that a limit that passes while the machine sleeps is seen soon
constexpr Micros k_kill_wait_us_min = 500;
constexpr Micros k_kill_wait_us_max = 50'000;
constexpr std::size_t k_read_bytes = 64 << 10;
constexpr int k_reads_per_round = 16;  // so that one that writes without end leaves time for the rest

Micros now_us() {
  return proc::clock_us(CLOCK_BOOTTIME);
}

// That does not count suspended time.
Micros awake_us() {
  return proc::clock_us(CLOCK_MONOTONIC);
}

// Whether somebody has the lock of the workspace. That we ask with a shared lock does not disturb others who ask; an
// owner who tries at this instant has to try again.
bool has_owner(const std::string& lock_path) {
  const proc::Fd file{::open(lock_path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  return file.is_open() && ::flock(file.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

}  // namespace

Supervisor::Supervisor(proc::Order order, proc::OutputFile output, proc::Fd input, proc::Fd control, proc::Fd signals)
    : order_(std::move(order)),
      output_(std::move(output)),
      input_(std::move(input)),
      control_(std::move(control)),
      signals_(std::move(signals)) {
  exit_.started = false;
  owner_seen_at_ = owner_looked_at_ = waiting_since_ = awake_us();
}

port::ProcessExit Supervisor::run() {
  while (!done_) {
    wait();
    read_signals();
    read_control();
    read_output();
    reap();
    look_for_owner();
    look_for_progress();
    check_times();
  }
  drain_output();
  output_.finish();
  exit_.output_bytes = output_.bytes();
  return exit_;
}

void Supervisor::wait() {
  const Micros now = now_us();
  Micros delay = k_wait_us_max;
  const auto until = [&](Micros at) { delay = std::clamp<Micros>(at - now, 0, delay); };
  if (timeout_at_) until(*timeout_at_);
  if (killed_at_) {
    until(now + kill_wait_us_);
  } else if (grace_ends_at_) {
    until(*grace_ends_at_);
  }
  until(now + owner_look_us());
  if (heartbeat_) until(now + heartbeat_->next_look_at() - awake_us());

  std::array<pollfd, 3> files{pollfd{signals_.get(), POLLIN, 0}, pollfd{control_.get(), POLLIN, 0},
                              pollfd{output_fd_.get(), POLLIN, 0}};  // a negative one is passed over
  const timespec timeout{.tv_sec = static_cast<std::time_t>(delay / k_second),
                         .tv_nsec = static_cast<long>(delay % k_second) * 1000};
  ::ppoll(files.data(), files.size(), &timeout, nullptr);
}

void Supervisor::read_signals() {
  signalfd_siginfo info{};
  while (::read(signals_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    if (info.ssi_signo == SIGTERM) stop();
  }
}

void Supervisor::read_control() {
  std::array<char, 64> words;
  for (ssize_t count = 0; (count = ::read(control_.get(), words.data(), words.size())) > 0;) {
    for (const char* word = words.data(); word != words.data() + count; ++word) {
      if (*word == proc::k_go) begin();
      if (*word == proc::k_stop) stop();
    }
  }
}

void Supervisor::begin() {
  if (command_ != 0 || done_) return;
  Result<proc::Pipe> pipe = proc::open_pipe();
  if (!pipe) return finish(pipe.error().message);
  started_at_ = now_us();
  BERNSTEIN_FAILPOINT("exec.begin.before_command");
  Result<pid_t> pid = start_command(order_, input_, pipe->write_end);
  if (!pid) return finish(pid.error().message);
  command_ = *pid;
  BERNSTEIN_FAILPOINT("exec.begin.after_command");
  exit_.started = true;
  input_.close();
  output_fd_ = std::move(pipe->read_end);
  proc::set_nonblocking(output_fd_);
  if (order_.process.timeout_us > 0) timeout_at_ = started_at_ + order_.process.timeout_us;
  const port::SuperviseSpec& spec = order_.supervise;
  if (spec.no_progress_us > 0) heartbeat_.emplace(spec.no_progress_us, spec.watched, awake_us());
}

// The end of one that has not begun.
void Supervisor::finish(const std::string& error) {
  exit_.error = error;
  exit_.signal = error.empty() ? SIGTERM : 0;
  exit_.exit_code = error.empty() ? 128 + SIGTERM : 127;
  done_ = true;
}

void Supervisor::stop() {
  if (done_ || leader_ended_) return;
  exit_.stopped = true;
  terminate();
}

void Supervisor::terminate() {
  if (done_ || grace_ends_at_ || killed_at_) return;
  if (command_ == 0) return finish("");
  timeout_at_.reset();
  heartbeat_.reset();
  signal_descendants(SIGTERM);
  signal_descendants(SIGCONT);  // one that was suspended hears of it too
  grace_ends_at_ = now_us() + order_.process.grace_us;
}

void Supervisor::read_output() {
  std::array<char, k_read_bytes> buffer;
  for (int i = 0; i < k_reads_per_round && output_fd_.is_open(); ++i) {
    const ssize_t count = ::read(output_fd_.get(), buffer.data(), buffer.size());
    if (count > 0) {
      output_.append({buffer.data(), static_cast<std::size_t>(count)});
    } else if (count < 0 && errno == EAGAIN) {
      return;
    } else if (count == 0 || errno != EINTR) {
      output_fd_.close();
    }
  }
}

// Everything that the descendants wrote is in the pipe when they are gone. Only so much is read: a stranger whom they
// gave the other end may hold it open, and write, for ever.
void Supervisor::drain_output() {
  int left = 0;
  if (!output_fd_.is_open() || ::ioctl(output_fd_.get(), FIONREAD, &left) != 0) return;
  std::array<char, k_read_bytes> buffer;
  while (left > 0) {
    const ssize_t count =
        ::read(output_fd_.get(), buffer.data(), std::min(buffer.size(), static_cast<std::size_t>(left)));
    if (count > 0) {
      output_.append({buffer.data(), static_cast<std::size_t>(count)});
      left -= static_cast<int>(count);
    } else if (count == 0 || errno != EINTR) {
      return;
    }
  }
}

// Whoever lives and descends from us has a forefather who is our child: without children nobody is left.
void Supervisor::reap() {
  if (command_ == 0) return;
  int status = 0;
  pid_t ended = 0;
  while ((ended = ::waitpid(-1, &status, WNOHANG)) > 0) {
    if (ended != command_) continue;
    leader_ended_ = true;
    exit_.duration_us = now_us() - started_at_;
    exit_.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    exit_.exit_code = WIFSIGNALED(status) ? 128 + exit_.signal : WEXITSTATUS(status);
    timeout_at_.reset();
    heartbeat_.reset();
  }
  if (ended < 0 && errno == ECHILD) done_ = true;
}

Micros Supervisor::owner_look_us() const {
  return std::clamp(order_.supervise.orphan_limit_us / 4, k_owner_look_us_min, k_owner_look_us_max);
}

void Supervisor::look_for_owner() {
  const port::SuperviseSpec& spec = order_.supervise;
  const Micros now = awake_us();
  if (done_ || leader_ended_ || exit_.orphaned) return;
  if (now - owner_looked_at_ < owner_look_us()) return;
  owner_looked_at_ = now;
  if (spec.lock_path.empty() || has_owner(spec.lock_path)) owner_seen_at_ = now;
  const Micros since = command_ == 0 ? std::min(owner_seen_at_, waiting_since_) : owner_seen_at_;
  if (now - since <= spec.orphan_limit_us) return;
  exit_.orphaned = true;
  terminate();
}

// The warning stays there when it is followed by the end: its owner may not have seen it yet.
void Supervisor::look_for_progress() {
  const Micros now = awake_us();
  if (!heartbeat_ || now < heartbeat_->next_look_at()) return;
  heartbeat_->look(now, output_.bytes());
  const Micros silent_us = heartbeat_->silent_us();
  const Micros limit_us = order_.supervise.no_progress_us;
  const bool warns = silent_us >= limit_us / 2;
  if (warns && !warned_) proc::write_stall(order_.supervise.control_directory, silent_us);
  if (!warns && warned_) proc::remove_stall(order_.supervise.control_directory);
  warned_ = warns;
  if (silent_us < limit_us) return;
  exit_.stalled = true;
  terminate();
}

void Supervisor::check_times() {
  if (done_ || command_ == 0) return;
  const Micros now = now_us();
  if (timeout_at_ && now >= *timeout_at_) {
    exit_.timed_out = true;
    terminate();
  }
  if (grace_ends_at_ && now < *grace_ends_at_) return;
  if (!grace_ends_at_ && !leader_ended_) return;
  // Those who have their grace behind them, or were left behind by their leader.
  signal_descendants(SIGKILL);
  if (!killed_at_) killed_at_ = now;
  kill_wait_us_ = std::clamp(2 * kill_wait_us_, k_kill_wait_us_min, k_kill_wait_us_max);
  if (now - *killed_at_ < proc::k_group_end_us_max) return;
  if (!leader_ended_) {
    exit_.signal = SIGKILL;
    exit_.exit_code = 128 + SIGKILL;
    exit_.duration_us = now - started_at_;
  }
  done_ = true;
}

}  // namespace bernstein::exec
