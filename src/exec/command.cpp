#include "command.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <string>
#include <vector>

#include "proc/program.hpp"
#include "proc/strays.hpp"

namespace bernstein::exec {
namespace {

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

bool limit(decltype(RLIMIT_NPROC) resource, std::int64_t amount) {
  rlimit value{};
  if (::getrlimit(resource, &value) != 0) return false;
  const auto wanted = static_cast<rlim_t>(amount);
  if (wanted > value.rlim_max) return true;  // it is stricter already
  value.rlim_cur = value.rlim_max = wanted;
  return ::setrlimit(resource, &value) == 0;
}

bool apply_limits(const port::SuperviseSpec& spec) {
  if (spec.processes_max > 0 && ::getuid() != 0 && !limit(RLIMIT_NPROC, spec.processes_max)) return false;
  return spec.file_bytes_max == 0 || limit(RLIMIT_FSIZE, spec.file_bytes_max);
}

void reset_signals() {
  // The system call itself: posix_spawn leaves the two signals of the thread library ignored, and signal() does not
  // touch them. All zero is the default action, without flags or mask.
  const std::array<std::uint64_t, 4> defaults{};
  for (int signal = 1; signal < NSIG; ++signal) ::syscall(SYS_rt_sigaction, signal, &defaults, nullptr, 8);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

}  // namespace

Result<pid_t> start_command(const proc::Order& order, const proc::Fd& input, const proc::Fd& output) {
  BERNSTEIN_TRY(proc::Invocation invocation, proc::find_invocation(order.process));
  std::vector<std::string> variables;
  for (const auto& [name, value] : order.process.env) {
    if (name != proc::k_control_variable) variables.push_back(name + "=" + value);
  }
  variables.push_back(std::string(proc::k_control_variable) + "=" + order.supervise.control_directory);
  const std::vector<char*> argv = pointers(invocation.argv);
  const std::vector<char*> env = pointers(variables);
  BERNSTEIN_TRY(proc::Pipe report, proc::open_pipe());  // carries the errno of a failure; closed by a successful exec

  const pid_t supervisor = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::setsid();
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != supervisor) ::_exit(127);  // it was killed before that took effect
    const bool ready = ::dup2(input.get(), 0) == 0 && ::dup2(output.get(), 1) == 1 && ::dup2(output.get(), 2) == 2 &&
                       ::chdir(order.process.directory.c_str()) == 0 && apply_limits(order.supervise);
    if (ready) {
      reset_signals();
      ::execve(invocation.program.c_str(), argv.data(), env.data());
    }
    const int error = errno;
    [[maybe_unused]] const auto told = ::write(report.write_end.get(), &error, sizeof error);
    ::_exit(127);
  }
  int error = pid < 0 ? errno : 0;
  report.write_end.close();
  if (pid > 0) {
    while (::read(report.read_end.get(), &error, sizeof error) < 0 && errno == EINTR) continue;
    if (error != 0) ::waitpid(pid, nullptr, 0);
  }
  if (error == 0) return pid;
  return Error{ErrorCode::environment, "cannot start '" + order.process.argv.front() + "': " + proc::errno_text(error)};
}

}  // namespace bernstein::exec
