#include "strays.hpp"

#include <dirent.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

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

// Which control directories, by their path.
using Places = std::function<bool(std::string_view)>;

// The texts of a file in /proc/<pid>, each of which ends in a zero byte. A zombie has none any more.
std::vector<std::string> texts_in(const std::string& pid, const char* name) {
  std::ifstream file("/proc/" + pid + "/" + name, std::ios::binary);
  std::vector<std::string> texts;
  for (std::string text; std::getline(file, text, '\0');) texts.push_back(text);
  return texts;
}

bool carries_mark(const std::string& pid, const Places& places) {
  const std::string name = std::string(k_control_variable) + "=";
  const std::vector<std::string> variables = texts_in(pid, "environ");
  return std::any_of(variables.begin(), variables.end(), [&](const std::string& variable) {
    return variable.starts_with(name) && places(std::string_view(variable).substr(name.size()));
  });
}

bool is_supervisor(const std::string& pid, const Places& places) {
  const std::vector<std::string> words = texts_in(pid, "cmdline");
  return words.size() == 2 && words[0].ends_with("/bernstein-exec") && places(words[1]);
}

// Whether the process with this pid, as a file name, is to go.
using Wanted = std::function<bool(const std::string&)>;

// The descriptor comes first: if the process is wanted after that, it is the one that is killed, whatever becomes of
// its pid.
void kill_if(const std::string& pid, const Wanted& is_wanted) {
  const Fd process{static_cast<int>(::syscall(SYS_pidfd_open, std::atoi(pid.c_str()), 0))};
  if (process.is_open() && is_wanted(pid)) ::syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0);
}

// Whether there was any.
bool kill_all(const Wanted& is_wanted) {
  bool found = false;
  const std::unique_ptr<DIR, CloseDirectory> processes(::opendir("/proc"));
  while (const dirent* entry = processes == nullptr ? nullptr : ::readdir(processes.get())) {
    if (std::isdigit(static_cast<unsigned char>(entry->d_name[0])) == 0 || !is_wanted(entry->d_name)) continue;
    found = true;
    kill_if(entry->d_name, is_wanted);
  }
  return found;
}

// False when somebody is left.
bool end_all(const Wanted& is_wanted) {
  for (int look = 0; look < k_looks_max; ++look) {
    if (!kill_all(is_wanted)) return true;
    ::usleep(k_look_pause_us);
  }
  return false;
}

}  // namespace

void end_strays(const std::string& control_directory) {
  end_all([&](const std::string& pid) {
    return carries_mark(pid, [&](std::string_view place) { return place == control_directory; });
  });
}

Status end_unreachable(const std::string& prefix) {
  const Places places = [&](std::string_view place) {
    return place.starts_with(prefix) && place.find_first_not_of("0123456789", prefix.size()) == std::string_view::npos;
  };
  const bool ended =
      end_all([&](const std::string& pid) { return carries_mark(pid, places) || is_supervisor(pid, places); });
  if (ended) return Ok{};
  return Error{ErrorCode::environment, "a process of " + prefix + "*, which was removed, cannot be killed; end it"};
}

}  // namespace bernstein::proc
