#include "bernstein/failpoint/failpoint.hpp"

#ifdef BERNSTEIN_FAILPOINTS

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstdlib>
#include <mutex>

namespace bernstein::failpoint {
namespace {

constexpr const char* k_crash = "BERNSTEIN_CRASH";
constexpr const char* k_count = "BERNSTEIN_CRASH_COUNT";
constexpr const char* k_list = "BERNSTEIN_CRASH_LIST";

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

struct Crash {
  std::string site;  // "": nowhere
  long hit = 1;
};

Crash parse_crash(const std::string& text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos) return {text};
  return {text.substr(0, colon), std::strtol(text.c_str() + colon + 1, nullptr, 10)};
}

// Shared by all threads; guarded.
struct Orders {
  std::mutex guard;
  Crash crash = parse_crash(variable(k_crash));
  long hits = 0;  // of its site
  const std::string count = variable(k_count);
  const std::string list = variable(k_list);
};

Orders& orders() {
  static Orders orders;
  return orders;
}

// One write of a short line to a file opened for appending: lines of several processes do not mix. A list that cannot
// be written is the tool's to miss.
void note(const std::string& list, const char* site) {
  const int file = ::open(list.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0) return;
  const std::string line =
      std::string(program_invocation_short_name) + " " + std::to_string(::getpid()) + " " + site + "\n";
  [[maybe_unused]] const ssize_t written = ::write(file, line.data(), line.size());
  ::close(file);
}

// Which hit this is among those of all processes: the length of the file.
long count_hit(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0 || ::flock(file, LOCK_EX) != 0 || ::write(file, ".", 1) != 1) return 0;
  const off_t length = ::lseek(file, 0, SEEK_END);
  ::close(file);
  return static_cast<long>(length);
}

[[noreturn]] void die() {
  while (true) ::kill(::getpid(), SIGKILL);
}

}  // namespace

void pass(const char* site) {
  Orders& now = orders();
  const std::lock_guard lock(now.guard);
  if (!now.list.empty()) note(now.list, site);
  if (now.crash.site != site) return;
  const long hit = now.count.empty() ? ++now.hits : count_hit(now.count);
  if (hit == now.crash.hit) die();
}

void arm(const std::string& crash) {
  const std::lock_guard lock(orders().guard);
  orders().crash = parse_crash(crash);
  orders().hits = 0;
}

std::vector<std::string> handed_down() {
  std::vector<std::string> variables;
  for (const char* name : {k_crash, k_count, k_list}) {
    if (const std::string value = variable(name); !value.empty()) variables.push_back(std::string(name) + "=" + value);
  }
  return variables;
}

}  // namespace bernstein::failpoint

#endif
