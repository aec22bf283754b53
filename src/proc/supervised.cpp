#include "supervised.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <utility>
#include <vector>

#include "bernstein/failpoint/failpoint.hpp"
#include "output.hpp"
#include "program.hpp"
#include "strays.hpp"

namespace bernstein::proc {
namespace {

// Between two looks at a supervisor that lives and has not said yet who it is.
constexpr Micros k_look_us = 5'000;
// Between two looks for a warning of a supervisor. A file that is looked for costs some microseconds, needs no
// descriptor, and is still there for whoever adopts.
constexpr Micros k_stall_look_us = k_second;

// posix_spawn does not copy our memory, however much it is. The supervisor gets nothing of our environment, which may
// hold keys (what failpoints need aside, in builds that have them), no terminal, and no descriptors but three. The
// first is the FIFO: so it has no moment without a reader, and a go is kept even if we are killed before the supervisor
// has opened it by itself. The second is the lock of `alive`: so there is no moment at which an adopter would find
// nobody.
Result<pid_t> spawn_supervisor(const std::string& program, const std::string& directory, const Fd& alive) {
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_t actions;
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_init(&actions);
  sigset_t all;
  sigset_t none;
  ::sigfillset(&all);
  ::sigemptyset(&none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  const std::string control = directory + "/control";
  ::posix_spawn_file_actions_addopen(&actions, 0, control.c_str(), O_RDWR | O_NONBLOCK, 0);
  ::posix_spawn_file_actions_adddup2(&actions, alive.get(), 1);
  ::posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_RDWR, 0);

  std::string name = program;
  std::string argument = directory;
  const std::array<char*, 3> argv{name.data(), argument.data(), nullptr};
  std::vector<std::string> variables = failpoint::handed_down();
  std::vector<char*> env;
  for (std::string& variable : variables) env.push_back(variable.data());
  env.push_back(nullptr);
  pid_t pid = 0;
  const int error = ::posix_spawn(&pid, program.c_str(), &actions, &attributes, argv.data(), env.data());
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  if (error == 0) return pid;
  return Error{ErrorCode::environment, "cannot start the supervisor " + program + ": " + errno_text(error) +
                                           "; bernstein-exec belongs beside bernstein"};
}

// The wrapper of glibc 2.36 does not link from C++.
int open_pidfd(pid_t pid) {
  return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
}

// The supervisor, unless its pid is somebody else's by now. The descriptor comes first: if the pid still has the right
// start after that, it had it before.
Fd open_identity(const Identity& identity) {
  if (identity.pid <= 0) return {};
  Fd fd{open_pidfd(static_cast<pid_t>(identity.pid))};
  return fd.is_open() && identity_of(identity.pid) == identity ? std::move(fd) : Fd{};
}

}  // namespace

Supervised::Supervised(uv_loop_t* loop, TimerQueue& timers, std::string directory, Fd control, Ended ended)
    : loop_(loop),
      timers_(timers),
      directory_(std::move(directory)),
      control_(std::move(control)),
      ended_(std::move(ended)) {}

Supervised::~Supervised() {
  if (look_timer_ != 0) timers_.cancel(look_timer_);
  if (stall_timer_ != 0) timers_.cancel(stall_timer_);
}

Result<std::unique_ptr<Supervised>> Supervised::start(uv_loop_t* loop, TimerQueue& timers,
                                                      const std::string& supervisor, const Order& order, Ended ended) {
  // The supervisor finds these too; known now, they are errors of the start.
  BERNSTEIN_TRY([[maybe_unused]] const Invocation invocation, find_invocation(order.process));
  BERNSTEIN_TRY([[maybe_unused]] const OutputFile output, OutputFile::open(order.process.output_path, 0));
  const std::string& directory = order.supervise.control_directory;
  BERNSTEIN_TRY_VOID(prepare_control(order));
  BERNSTEIN_FAILPOINT("proc.start_supervised.after_prepare_control");
  Result<Fd> control = open_control(directory);
  Result<Fd> alive = control ? lock_alive(directory) : control.error();
  Result<pid_t> pid = alive ? spawn_supervisor(supervisor, directory, *alive) : alive.error();
  BERNSTEIN_FAILPOINT("proc.start_supervised.after_spawn");
  Fd pidfd{pid ? open_pidfd(*pid) : -1};
  if (!pidfd.is_open()) {
    const int error = errno;
    if (pid) ::kill(*pid, SIGKILL), ::waitpid(*pid, nullptr, 0);
    remove_order(directory);
    if (!pid) return pid.error();
    return Error{ErrorCode::environment, "cannot watch the supervisor of " + directory + ": " + errno_text(error)};
  }
  std::unique_ptr<Supervised> self(new Supervised(loop, timers, directory, std::move(*control), std::move(ended)));
  self->is_child_ = true;
  self->told_stall_ = 0;
  self->watch(*pid, std::move(pidfd));
  return self;
}

Result<std::unique_ptr<Supervised>> Supervised::adopt(uv_loop_t* loop, TimerQueue& timers, const std::string& directory,
                                                      Ended ended) {
  BERNSTEIN_TRY(Fd control, open_control(directory));
  std::unique_ptr<Supervised> self(new Supervised(loop, timers, directory, std::move(control), std::move(ended)));
  self->look();
  return self;
}

// The FIFO has room for 65,536 words: this never waits, and one that does not fit is not missed.
void Supervised::say(char word) {
  while (::write(control_.get(), &word, 1) < 0 && errno == EINTR) continue;
}

void Supervised::look() {
  look_timer_ = 0;
  const std::optional<Identity> identity = read_started(directory_);
  if (Fd pidfd = identity ? open_identity(*identity) : Fd{}; pidfd.is_open()) {
    return watch(identity->pid, std::move(pidfd));
  }
  if (!is_supervisor_alive(directory_)) return end();
  look_timer_ = timers_.add(k_look_us, [this] { look(); });
}

void Supervised::watch(std::int64_t pid, Fd pidfd) {
  pid_ = pid;
  pidfd_ = std::move(pidfd);
  watch_ = std::make_unique<FdWatch>(loop_, pidfd_.get(), FdWatch::For::reading, [this] { end(); });
}

void Supervised::on_stall(Stalled stalled) {
  stalled_ = std::move(stalled);
  stall_timer_ = timers_.add(0, [this] { look_for_stall(); });
}

void Supervised::look_for_stall() {
  tell_stall();
  stall_timer_ = timers_.add(k_stall_look_us, [this] { look_for_stall(); });
}

void Supervised::tell_stall() {
  if (!stalled_) return;
  const Micros silent_us = read_stall(directory_);
  const bool is_news = !told_stall_ || (silent_us > 0) != (*told_stall_ > 0);
  told_stall_ = silent_us;
  if (is_news) stalled_(silent_us);
}

void Supervised::end() {
  tell_stall();  // the last word came between two looks
  watch_.reset();
  pidfd_.close();
  if (is_child_) ::waitpid(static_cast<pid_t>(pid_), nullptr, WNOHANG);
  remove_order(directory_);  // one that was killed before it read them left them there
  if (const std::optional<port::ProcessExit> exit = read_exit(directory_)) return ended_(*exit);
  end_strays(directory_);
  ended_({.exit_code = 128 + SIGKILL, .signal = SIGKILL, .lost = true});
}

}  // namespace bernstein::proc
