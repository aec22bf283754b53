#include "group.hpp"

#include <dirent.h>
#include <signal.h>
#include <sys/types.h>

#include <cctype>
#include <cerrno>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include "bernstein/base/check.hpp"

namespace bernstein::proc {
namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

// A line of /proc/<pid>/stat, "pid (name) state parent group ...", where the name may itself hold spaces and brackets.
bool is_living_member(const std::string& stat, std::int64_t group) {
  const std::size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos) return false;
  std::istringstream fields(stat.substr(name_end + 1));
  char state = 0;
  std::int64_t parent = 0;
  std::int64_t member_of = 0;
  fields >> state >> parent >> member_of;
  return fields && member_of == group && state != 'Z' && state != 'X';
}

}  // namespace

void signal_group(std::int64_t group, int signal) {
  BERNSTEIN_CHECK(group > 1, "a group that is not everybody's");
  ::kill(static_cast<pid_t>(-group), signal);
}

bool is_group_alive(std::int64_t group) {
  BERNSTEIN_CHECK(group > 1, "a group that is not everybody's");
  if (::kill(static_cast<pid_t>(-group), 0) != 0 && errno == ESRCH) return false;
  const std::unique_ptr<DIR, CloseDirectory> processes(::opendir("/proc"));
  if (processes == nullptr) return true;
  while (const dirent* entry = ::readdir(processes.get())) {
    if (std::isdigit(static_cast<unsigned char>(entry->d_name[0])) == 0) continue;
    std::ifstream file(std::string("/proc/") + entry->d_name + "/stat");
    std::string stat;
    if (std::getline(file, stat, '\0') && is_living_member(stat, group)) return true;
  }
  return false;
}

}  // namespace bernstein::proc
