#include "control.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <string_view>
#include <utility>
#include <vector>

#include "bernstein/base/text.hpp"
#include "bernstein/failpoint/failpoint.hpp"
#include "control_json.hpp"
#include "strays.hpp"

namespace bernstein::proc {
namespace {

using State = port::Reactor::Adopted::State;

constexpr std::size_t k_file_bytes_max = 64 << 20;  // more than any command line and environment

Error fault(const std::string& what, const std::string& path) {
  return {ErrorCode::environment, "cannot " + what + " " + path + ": " + errno_text(errno)};
}

std::string path_of(const std::string& directory, std::string_view name) {
  return directory + "/" + std::string(name);
}

bool exists(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}

std::optional<std::string> read_file(const std::string& path) {
  const Fd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)};
  std::string text;
  std::array<char, 64 << 10> buffer;
  while (file.is_open() && text.size() <= k_file_bytes_max) {
    const ssize_t count = ::read(file.get(), buffer.data(), buffer.size());
    if (count == 0) return text;
    if (count > 0) text.append(buffer.data(), static_cast<std::size_t>(count));
    if (count < 0 && errno != EINTR) break;
  }
  return std::nullopt;
}

Status write_new_file(const std::string& path, std::string_view bytes, bool durable) {
  const Fd file{::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600)};
  if (!file.is_open()) return fault("write", path);
  while (!bytes.empty()) {
    const ssize_t count = ::write(file.get(), bytes.data(), bytes.size());
    if (count < 0 && errno != EINTR) return fault("write", path);
    if (count > 0) bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  if (durable && ::fsync(file.get()) != 0) return fault("write", path);
  return Ok{};
}

Status sync_directory(const std::string& directory) {
  const Fd file{::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!file.is_open() || ::fsync(file.get()) != 0) return fault("write", directory);
  return Ok{};
}

// Nothing when somebody else has it. Whoever takes it and is no supervisor lets go at once.
Result<std::optional<Fd>> try_lock(const std::string& directory, int kind) {
  const std::string path = path_of(directory, "alive");
  Fd file{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)};
  if (!file.is_open()) return fault("open", path);
  if (::flock(file.get(), kind | LOCK_NB) == 0) return std::optional<Fd>(std::move(file));
  if (errno == EWOULDBLOCK) return std::optional<Fd>();
  return fault("lock", path);
}

}  // namespace

std::optional<Identity> identity_of(std::int64_t pid) {
  const std::optional<std::string> boot = read_file("/proc/sys/kernel/random/boot_id");
  const std::optional<std::string> stat = read_file("/proc/" + std::to_string(pid) + "/stat");
  if (!boot || !stat) return std::nullopt;
  // "pid (name) state parent ...", where the name may itself hold spaces and brackets. The start is field 22.
  const std::size_t name_end = stat->rfind(')');
  if (name_end == std::string::npos || name_end + 2 > stat->size()) return std::nullopt;
  const std::vector<std::string_view> fields = split(std::string_view(*stat).substr(name_end + 2), ' ');
  constexpr std::size_t k_start = 22 - 3;
  if (fields.size() <= k_start) return std::nullopt;
  return Identity{std::string(trim(*boot)), pid, std::strtoll(std::string(fields[k_start]).c_str(), nullptr, 10)};
}

Status prepare_control(const Order& order) {
  const std::string& directory = order.supervise.control_directory;
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) return fault("make the directory", directory);
  for (const std::string_view name : {"spec.json", "started.json", "exit.json"}) {
    if (!exists(path_of(directory, name))) continue;
    return Error{ErrorCode::conflict, "the control directory " + directory + " was used before; take a new one"};
  }
  if (!order.process.stdin_text.empty()) {
    BERNSTEIN_TRY_VOID(write_new_file(path_of(directory, "stdin"), order.process.stdin_text, false));
  }
  return write_new_file(path_of(directory, "spec.json"), write_json(order), false);
}

void remove_order(const std::string& directory) {
  for (const std::string_view name : {"spec.json", "stdin"}) ::unlink(path_of(directory, name).c_str());
}

Result<State> examine_control(const std::string& directory) {
  if (!exists(directory) && errno == ENOENT) return State::missing;
  BERNSTEIN_TRY(const std::optional<Fd> lock, try_lock(directory, LOCK_EX));
  if (!lock) return State::running;
  if (read_exit(directory)) return State::finished;
  remove_order(directory);
  const Status claimed = claim_control(directory, {});
  if (claimed || claimed.error().code != ErrorCode::conflict) {
    BERNSTEIN_TRY_VOID(claimed);
    return State::never_started;
  }
  // Started by a supervisor, or taken like this by an adopter before us.
  const std::optional<Identity> started = read_started(directory);
  if (started && started->pid == 0) return State::never_started;
  end_strays(directory);
  return State::lost;
}

bool is_supervisor_alive(const std::string& directory) {
  const Result<std::optional<Fd>> lock = try_lock(directory, LOCK_SH);
  return lock && !lock->has_value();
}

std::optional<Identity> read_started(const std::string& directory) {
  const std::optional<std::string> text = read_file(path_of(directory, "started.json"));
  return text ? identity_from_json(*text) : std::nullopt;
}

std::optional<port::ProcessExit> read_exit(const std::string& directory) {
  const std::optional<std::string> text = read_file(path_of(directory, "exit.json"));
  return text ? exit_from_json(*text) : std::nullopt;
}

Result<Fd> inherit_alive(const std::string& directory, int descriptor) {
  struct stat given {};
  struct stat wanted {};
  const bool is_given = ::fstat(descriptor, &given) == 0 && ::stat(path_of(directory, "alive").c_str(), &wanted) == 0 &&
                        given.st_dev == wanted.st_dev && given.st_ino == wanted.st_ino;
  if (!is_given) return lock_alive(directory);
  // The lock belongs to the open file, which is the same here and there: to ask again for what is held is granted.
  Fd file{::fcntl(descriptor, F_DUPFD_CLOEXEC, 0)};
  if (file.is_open() && ::flock(file.get(), LOCK_EX | LOCK_NB) == 0) return file;
  return Error{ErrorCode::busy, "another supervisor is at work in " + directory};
}

Result<Fd> lock_alive(const std::string& directory) {
  BERNSTEIN_TRY(std::optional<Fd> lock, try_lock(directory, LOCK_EX));
  if (!lock) return Error{ErrorCode::busy, "another supervisor is at work in " + directory};
  return std::move(*lock);
}

// link(2) rather than O_EXCL, so that the file is never there in part. That it exists outlasts a power loss, and what
// is in it need not: it names a process of a boot that is over then.
Status claim_control(const std::string& directory, const Identity& self) {
  const std::string path = path_of(directory, "started.json");
  const std::string temporary = path + ".tmp";
  BERNSTEIN_TRY_VOID(write_new_file(temporary, write_json(self), false));
  const int error = ::link(temporary.c_str(), path.c_str()) == 0 ? 0 : errno;
  ::unlink(temporary.c_str());
  if (error == EEXIST) {
    return Error{ErrorCode::conflict, "the control directory " + directory + " was used before; take a new one"};
  }
  errno = error;
  if (error != 0) return fault("write", path);
  return sync_directory(directory);
}

Result<Order> read_order(const std::string& directory) {
  const std::string path = path_of(directory, "spec.json");
  if (!exists(path)) return Error{ErrorCode::not_found, "there is no " + path + "; name a control directory"};
  const std::optional<std::string> text = read_file(path);
  if (!text) return fault("read", path);
  BERNSTEIN_TRY(Order order, order_from_json(*text, path));
  order.supervise.control_directory = directory;
  return order;
}

Result<Fd> open_input(const std::string& directory) {
  const std::string path = path_of(directory, "stdin");
  Fd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
  if (!file.is_open() && errno == ENOENT) file = Fd{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
  if (!file.is_open()) return fault("open", path);
  return file;
}

Status write_exit(const std::string& directory, const port::ProcessExit& exit) {
  const std::string path = path_of(directory, "exit.json");
  const std::string temporary = path + ".tmp";
  BERNSTEIN_FAILPOINT("exec.write_exit.before_write");
  BERNSTEIN_TRY_VOID(write_new_file(temporary, write_json(exit), true));
  BERNSTEIN_FAILPOINT("exec.write_exit.before_rename");
  if (::rename(temporary.c_str(), path.c_str()) != 0) return fault("write", path);
  BERNSTEIN_FAILPOINT("exec.write_exit.after_rename");
  return sync_directory(directory);
}

Result<Fd> open_control(const std::string& directory) {
  const std::string path = path_of(directory, "control");
  if (::mkfifo(path.c_str(), 0600) != 0 && errno != EEXIST) return fault("make", path);
  Fd fifo{::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW)};
  if (!fifo.is_open()) return fault("open", path);
  struct stat status {};
  if (::fstat(fifo.get(), &status) != 0 || !S_ISFIFO(status.st_mode)) {
    return Error{ErrorCode::environment, path + " is no FIFO; remove it"};
  }
  return fifo;
}

}  // namespace bernstein::proc
