#include "strays.hpp"

#include <dirent.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cctype>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <string_view>

#include "fd.hpp"

namespace bernstein::proc {
namespace {

// A look at all processes takes milliseconds. More looks than this find processes that cannot be killed: they hang in
// the kernel.
constexpr int k_looks_max = 50;
constexpr useconds_t k_look_pause_us = 2'000;

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

// A zombie has no environment any more.
bool carries(const std::string& pid, std::string_view mark) {
  std::ifstream file("/proc/" + pid + "/environ", std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + 1)) {
    const std::size_t end = at + mark.size();
    if ((at == 0 || text[at - 1] == '\0') && (end == text.size() || text[end] == '\0')) return true;
  }
  return false;
}

// The descriptor comes first: if the process has the mark after that, it is the one that is killed, whatever becomes of
// its pid.
bool kill_if_marked(const std::string& pid, std::string_view mark) {
  const Fd process{static_cast<int>(::syscall(SYS_pidfd_open, std::atoi(pid.c_str()), 0))};
  return process.is_open() && carries(pid, mark) &&
         ::syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0) == 0;
}

bool kill_all(std::string_view mark) {
  bool found = false;
  const std::unique_ptr<DIR, CloseDirectory> processes(::opendir("/proc"));
  while (const dirent* entry = processes == nullptr ? nullptr : ::readdir(processes.get())) {
    if (std::isdigit(static_cast<unsigned char>(entry->d_name[0])) == 0) continue;
    if (carries(entry->d_name, mark) && kill_if_marked(entry->d_name, mark)) found = true;
  }
  return found;
}

}  // namespace

void end_strays(const std::string& control_directory) {
  const std::string mark = std::string(k_control_variable) + "=" + control_directory;
  for (int look = 0; look < k_looks_max && kill_all(mark); ++look) ::usleep(k_look_pause_us);
}

}  // namespace bernstein::proc
