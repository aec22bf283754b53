#include "child.hpp"

#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include "bernstein/base/check.hpp"
#include "bernstein/proc/reactor.hpp"
#include "group.hpp"

namespace bernstein::proc {
namespace {

constexpr std::size_t k_read_bytes = 64 << 10;
constexpr int k_reads_per_turn = 16;  // so that one that writes without end leaves time for the others
constexpr Micros k_group_poll_us_min = 500;
constexpr Micros k_group_poll_us_max = 50'000;

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

}  // namespace

Result<std::unique_ptr<Child>> Child::start(uv_loop_t* loop, TimerQueue& timers, port::ProcessSpec spec,
                                            std::function<void(port::ProcessExit)> ended) {
  BERNSTEIN_TRY(Invocation invocation, find_invocation(spec));
  BERNSTEIN_TRY(OutputFile output, OutputFile::open(spec.output_path, spec.output_bytes_max, spec.secrets));
  std::unique_ptr<Child> child(new Child(timers, std::move(spec), std::move(output), std::move(ended)));
  BERNSTEIN_TRY_VOID(child->spawn(loop, std::move(invocation)));
  return child;
}

Child::Child(TimerQueue& timers, port::ProcessSpec spec, OutputFile output,
             std::function<void(port::ProcessExit)> ended)
    : timers_(timers), spec_(std::move(spec)), output_(std::move(output)), ended_(std::move(ended)) {}

Child::~Child() {
  cancel_timers();
  if (process_ == nullptr) return;
  process_->data = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(process_),
           [](uv_handle_t* handle) { delete reinterpret_cast<uv_process_t*>(handle); });
}

Status Child::spawn(uv_loop_t* loop, Invocation invocation) {
  BERNSTEIN_TRY(Pipe output, open_pipe());
  Pipe input;
  if (!spec_.stdin_text.empty()) {
    BERNSTEIN_TRY(input, open_pipe());
  }

  std::vector<std::string> variables;
  for (const auto& [name, value] : spec_.env) variables.push_back(name + "=" + value);
  std::vector<char*> arguments = pointers(invocation.argv);
  std::vector<char*> environment = pointers(variables);
  std::array<uv_stdio_container_t, 3> stdio{};
  stdio[0].flags = input.read_end.is_open() ? UV_INHERIT_FD : UV_IGNORE;  // ignored: /dev/null
  stdio[0].data.fd = input.read_end.get();
  stdio[1].flags = stdio[2].flags = UV_INHERIT_FD;
  stdio[1].data.fd = stdio[2].data.fd = output.write_end.get();

  uv_process_options_t options{};
  options.file = invocation.program.c_str();
  options.args = arguments.data();
  options.env = environment.data();
  options.cwd = spec_.directory.c_str();
  options.flags = UV_PROCESS_DETACHED;  // setsid
  options.stdio = stdio.data();
  options.stdio_count = static_cast<int>(stdio.size());
  options.exit_cb = [](uv_process_t* process, std::int64_t exit_status, int signal) {
    if (process->data != nullptr) static_cast<Child*>(process->data)->leader_ended(exit_status, signal);
  };

  process_ = new uv_process_t{};
  process_->data = this;
  started_at_ = TimerQueue::now_us();
  const int error = uv_spawn(loop, process_, &options);
  if (error != 0) {
    return Error{ErrorCode::environment, "cannot start '" + spec_.argv.front() + "': " + uv_strerror(error)};
  }
  pid_ = process_->pid;

  output_fd_ = std::move(output.read_end);
  set_nonblocking(output_fd_);
  output_watch_ = std::make_unique<FdWatch>(loop, output_fd_.get(), FdWatch::For::reading, [this] { read_output(); });
  if (input.write_end.is_open()) {
    stdin_fd_ = std::move(input.write_end);
    set_nonblocking(stdin_fd_);
    stdin_left_ = spec_.stdin_text;
    stdin_watch_ = std::make_unique<FdWatch>(loop, stdin_fd_.get(), FdWatch::For::writing, [this] { feed_stdin(); });
  }
  if (spec_.timeout_us > 0) {
    timeout_timer_ = timers_.add(spec_.timeout_us, [this] {
      exit_.timed_out = true;
      terminate();
    });
  }
  return Ok{};
}

void Child::feed_stdin() {
  while (!stdin_left_.empty()) {
    const ssize_t count = ::write(stdin_fd_.get(), stdin_left_.data(), stdin_left_.size());
    if (count >= 0) {
      stdin_left_.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN) {
      return;
    } else if (errno != EINTR) {
      break;  // EPIPE: nobody will read the rest, which is the process's own choice
    }
  }
  stdin_watch_.reset();
  stdin_fd_.close();
}

void Child::read_output() {
  std::array<char, k_read_bytes> buffer;
  for (int i = 0; i < k_reads_per_turn; ++i) {
    const ssize_t count = ::read(output_fd_.get(), buffer.data(), buffer.size());
    if (count > 0) {
      output_.append({buffer.data(), static_cast<std::size_t>(count)});
    } else if (count < 0 && errno == EAGAIN) {
      return;
    } else if (count == 0 || errno != EINTR) {
      output_watch_.reset();
      output_fd_.close();
      return;
    }
  }
}

// Everything that the group wrote is in the pipe when the group is gone. Only so much is read: somebody who left the
// session may hold the other end open, and write, for ever.
void Child::drain_output() {
  if (!output_fd_.is_open()) return;
  int left = 0;
  if (::ioctl(output_fd_.get(), FIONREAD, &left) != 0) left = 0;
  std::array<char, k_read_bytes> buffer;
  while (left > 0) {
    const ssize_t count =
        ::read(output_fd_.get(), buffer.data(), std::min(buffer.size(), static_cast<std::size_t>(left)));
    if (count > 0) {
      output_.append({buffer.data(), static_cast<std::size_t>(count)});
      left -= static_cast<int>(count);
    } else if (count == 0 || errno != EINTR) {
      break;
    }
  }
  output_watch_.reset();
  output_fd_.close();
}

void Child::stop() {
  if (group_ended_) return;
  exit_.stopped = true;
  terminate();
}

void Child::kill() {
  if (!group_ended_) signal_group(pid_, SIGKILL);
}

void Child::terminate() {
  if (terminating_ || group_ended_) return;
  terminating_ = true;
  timers_.cancel(timeout_timer_);
  signal_group(pid_, SIGTERM);
  signal_group(pid_, SIGCONT);  // one that was suspended hears of it too
  grace_timer_ = timers_.add(spec_.grace_us, [this] {
    grace_timer_ = 0;
    signal_group(pid_, SIGKILL);
  });
}

void Child::leader_ended(std::int64_t exit_status, int signal) {
  leader_ended_ = true;
  exit_.duration_us = TimerQueue::now_us() - started_at_;
  exit_.signal = signal;
  exit_.exit_code = signal != 0 ? 128 + signal : static_cast<int>(exit_status);
  timers_.cancel(timeout_timer_);
  stdin_watch_.reset();
  stdin_fd_.close();
  watch_group();
}

// Called again and again, less and less often, until the group is gone. While it has its grace it is only watched.
void Child::watch_group() {
  group_timer_ = 0;
  if (!is_group_alive(pid_)) return end();
  const Micros now = TimerQueue::now_us();
  if (grace_timer_ == 0) {
    signal_group(pid_, SIGKILL);
    if (!killed_at_) killed_at_ = now, group_poll_us_ = 0;
    if (now - *killed_at_ >= k_group_end_us_max) return end();
  }
  group_poll_us_ = std::clamp(2 * group_poll_us_, k_group_poll_us_min, k_group_poll_us_max);
  group_timer_ = timers_.add(group_poll_us_, [this] { watch_group(); });
}

void Child::end() {
  group_ended_ = true;
  cancel_timers();
  drain_output();
  output_.finish();
  exit_.output_bytes = output_.bytes();
  ended_(exit_);
}

void Child::cancel_timers() {
  for (port::TimerKey* timer : {&timeout_timer_, &grace_timer_, &group_timer_}) {
    if (*timer != 0) timers_.cancel(std::exchange(*timer, 0));
  }
}

}  // namespace bernstein::proc
