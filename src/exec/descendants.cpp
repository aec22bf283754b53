#include "descendants.hpp"

#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cctype>
#include <fstream>
#include <map>
#include <memory>
#include <numeric>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace bernstein::exec {
namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

struct Process {
  pid_t pid = 0;
  pid_t group = 0;
  Micros cpu_us = 0;  // and of its children that it has reaped
};

using ProcessTree = std::map<pid_t, std::vector<Process>>;  // by parent

ProcessTree read_processes() {
  ProcessTree tree;
  const Micros ticks_per_second = ::sysconf(_SC_CLK_TCK);
  const std::unique_ptr<DIR, CloseDirectory> processes(::opendir("/proc"));
  while (const dirent* entry = processes == nullptr ? nullptr : ::readdir(processes.get())) {
    if (std::isdigit(static_cast<unsigned char>(entry->d_name[0])) == 0) continue;
    std::ifstream file(std::string("/proc/") + entry->d_name + "/stat");
    std::string stat;
    std::getline(file, stat, '\0');
    // "pid (name) state parent group ...", where the name may itself hold spaces and brackets. Fields 14 to 17 are its
    // time in user and kernel mode, and that of its reaped children.
    const std::size_t name_end = stat.rfind(')');
    if (name_end == std::string::npos) continue;
    std::istringstream fields(stat.substr(name_end + 1));
    char state = 0;
    pid_t parent = 0;
    Process process{.pid = static_cast<pid_t>(std::stol(stat))};
    if (!(fields >> state >> parent >> process.group)) continue;
    std::string skipped;
    for (int field = 6; field <= 13; ++field) fields >> skipped;
    std::array<Micros, 4> ticks{};
    for (Micros& part : ticks) fields >> part;
    process.cpu_us = std::accumulate(ticks.begin(), ticks.end(), Micros{0}) * k_second / ticks_per_second;
    tree[parent].push_back(process);
  }
  return tree;
}

std::vector<Process> descendants() {
  const ProcessTree tree = read_processes();
  std::vector<Process> found;
  std::vector<pid_t> parents{::getpid()};
  while (!parents.empty()) {
    const auto children = tree.find(parents.back());
    parents.pop_back();
    if (children == tree.end()) continue;
    for (const Process& child : children->second) {
      found.push_back(child);
      parents.push_back(child.pid);
    }
  }
  return found;
}

Micros us_of(const timeval& time) {
  return time.tv_sec * k_second + time.tv_usec;
}

}  // namespace

void signal_descendants(int signal) {
  std::set<pid_t> groups;
  for (const Process& process : descendants()) groups.insert(process.group);
  for (const pid_t group : groups) {
    // Ours is never theirs: the command begins with a session of its own. 0 and 1 would mean everybody.
    if (group > 1 && group != ::getpgrp()) ::kill(-group, signal);
  }
}

std::vector<pid_t> descendant_pids() {
  std::vector<pid_t> pids;
  for (const Process& process : descendants()) pids.push_back(process.pid);
  return pids;
}

Micros descendants_cpu_us() {
  rusage reaped{};  // by us
  ::getrusage(RUSAGE_CHILDREN, &reaped);
  Micros sum = us_of(reaped.ru_utime) + us_of(reaped.ru_stime);
  for (const Process& process : descendants()) sum += process.cpu_us;
  return sum;
}

}  // namespace bernstein::exec
