#include "descendants.hpp"

#include <dirent.h>
#include <signal.h>
#include <unistd.h>

#include <cctype>
#include <fstream>
#include <map>
#include <memory>
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
};

using ProcessTree = std::map<pid_t, std::vector<Process>>;  // by parent

ProcessTree read_processes() {
  ProcessTree tree;
  const std::unique_ptr<DIR, CloseDirectory> processes(::opendir("/proc"));
  while (const dirent* entry = processes == nullptr ? nullptr : ::readdir(processes.get())) {
    if (std::isdigit(static_cast<unsigned char>(entry->d_name[0])) == 0) continue;
    std::ifstream file(std::string("/proc/") + entry->d_name + "/stat");
    std::string stat;
    std::getline(file, stat, '\0');
    // "pid (name) state parent group ...", where the name may itself hold spaces and brackets.
    const std::size_t name_end = stat.rfind(')');
    if (name_end == std::string::npos) continue;
    std::istringstream fields(stat.substr(name_end + 1));
    char state = 0;
    pid_t parent = 0;
    Process process{.pid = static_cast<pid_t>(std::stol(stat))};
    if (fields >> state >> parent >> process.group) tree[parent].push_back(process);
  }
  return tree;
}

}  // namespace

void signal_descendants(int signal) {
  const ProcessTree tree = read_processes();
  std::set<pid_t> groups;
  std::vector<pid_t> parents{::getpid()};
  while (!parents.empty()) {
    const pid_t parent = parents.back();
    parents.pop_back();
    const auto children = tree.find(parent);
    if (children == tree.end()) continue;
    for (const Process& child : children->second) {
      groups.insert(child.group);
      parents.push_back(child.pid);
    }
  }
  for (const pid_t group : groups) {
    // Ours is never theirs: the command begins with a session of its own. 0 and 1 would mean everybody.
    if (group > 1 && group != ::getpgrp()) ::kill(-group, signal);
  }
}

}  // namespace bernstein::exec
