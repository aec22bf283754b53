// bernstein-exec CONTROL_DIR: the supervisor of one command (an agent or a check), started by bernstein.
//
// It outlives the bernstein that started it: it owns the command's output, enforces its limits, gathers its descendants
// and writes down how it ended. What lies in the directory is told in src/proc/control.hpp.
//
// Exit codes: 0 exit.json tells the rest, also that the command could not be started; 2 no such order; 75 the directory
// is in use or was used before; 6 the directory cannot be written. Only with 0 was exit.json written.

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <utility>

#include "bernstein/base/result.hpp"
#include "bernstein/failpoint/failpoint.hpp"
#include "proc/control.hpp"
#include "proc/fd.hpp"
#include "proc/output.hpp"
#include "supervisor.hpp"

namespace bernstein::exec {
namespace {

// Nothing but SIGKILL ends us before the command. SIGTERM is a wish to stop it.
Result<proc::Fd> take_signals() {
  for (const int ignored : {SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGXFSZ, SIGUSR1, SIGUSR2, SIGALRM}) {
    ::signal(ignored, SIG_IGN);
  }
  ::signal(SIGCHLD, SIG_DFL);  // an ignored one, if inherited, would reap for us
  sigset_t taken;
  ::sigemptyset(&taken);
  ::sigaddset(&taken, SIGCHLD);
  ::sigaddset(&taken, SIGTERM);
  ::sigprocmask(SIG_SETMASK, &taken, nullptr);
  proc::Fd signals{::signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK)};
  if (!signals.is_open()) return Error{ErrorCode::environment, "no descriptor is free"};
  return signals;
}

// A session of our own, so that no terminal's signals are meant for us. Refused to the leader of a group, which a
// shell makes of what it starts at its prompt: such a one goes on without.
void leave_terminal() {
  ::setsid();
  // 0, 1 and 2 are taken, so that no file of ours becomes one of them.
  int fd = 0;
  while (fd >= 0 && fd <= STDERR_FILENO) fd = ::open("/dev/null", O_RDWR);
  ::close(fd);
  proc::stop_inheritance();
}

Result<port::ProcessExit> run(const std::string& directory, Result<proc::Order> order, proc::Fd signals) {
  if (!order) return order.error();
  BERNSTEIN_TRY(proc::Fd control, proc::open_control(directory));
  BERNSTEIN_TRY(proc::Fd input, proc::open_input(directory));
  BERNSTEIN_TRY(
      proc::OutputFile output,
      proc::OutputFile::open(order->process.output_path, order->process.output_bytes_max, order->process.secrets));
  BERNSTEIN_FAILPOINT("exec.run.before_order_is_gone");
  proc::remove_order(directory);
  BERNSTEIN_FAILPOINT("exec.run.before_go");
  return Supervisor(std::move(*order), std::move(output), std::move(input), std::move(control), std::move(signals))
      .run();
}

Status supervise(const std::string& directory) {
  BERNSTEIN_TRY(proc::Fd signals, take_signals());
  leave_terminal();
  BERNSTEIN_TRY(const proc::Fd alive, proc::inherit_alive(directory, STDOUT_FILENO));
  Result<proc::Order> order = proc::read_order(directory);
  const bool is_no_control_directory =
      !order && order.error().code == ErrorCode::not_found && !proc::read_started(directory);
  if (is_no_control_directory) return order.error();
  const std::optional<proc::Identity> self = proc::identity_of(::getpid());
  if (!self) return Error{ErrorCode::environment, "/proc is not there; mount it"};
  BERNSTEIN_FAILPOINT("exec.claim.before_link");
  BERNSTEIN_TRY_VOID(proc::claim_control(directory, *self));
  BERNSTEIN_FAILPOINT("exec.claim.after_link");

  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  Result<port::ProcessExit> exit = run(directory, std::move(order), std::move(signals));
  if (exit) return proc::write_exit(directory, *exit);
  proc::remove_order(directory);
  return proc::write_exit(directory, {.exit_code = 127, .started = false, .error = std::move(exit).error().message});
}

int exit_code_of(const Status& status) {
  if (status) return 0;
  std::fprintf(stderr, "bernstein-exec: %s\n", status.error().message.c_str());
  switch (status.error().code) {
    case ErrorCode::busy:
    case ErrorCode::conflict:
      return 75;
    case ErrorCode::invalid_input:
    case ErrorCode::not_found:
      return 2;
    case ErrorCode::environment:
    case ErrorCode::corrupt:
    case ErrorCode::cancelled:
      return 6;
  }
  return 6;
}

}  // namespace
}  // namespace bernstein::exec

int main(int argc, char** argv) {
  using namespace bernstein;
  if (argc != 2 || argv[1][0] != '/') {
    std::fprintf(stderr,
                 "usage: bernstein-exec CONTROL_DIR    (an absolute path; bernstein makes it and starts this)\n");
    return 2;
  }
  try {
    return exec::exit_code_of(exec::supervise(argv[1]));
  } catch (const std::exception& surprise) {
    std::fprintf(stderr, "bernstein-exec: unexpected trouble: %s\n", surprise.what());
    return 6;
  }
}
