#include "bernstein/agent/sandbox.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>

namespace bernstein::agent {
namespace {

using Words = std::vector<std::string>;

// What becomes of a directory. Of two for one path the later one holds.
enum class Rule { personal, masked, read_only, writable, devices, processes, machine_read_only, machine };
using Rules = std::map<std::string, Rule>;  // a directory sorts before what lies in it, and is mounted before it

// Root has every right, and some of them undo the sandbox: mounting, opening disks, tracing. These, which a build or a
// package manager may need, do not.
constexpr std::array<const char*, 13> k_rights_of_root{
    "CAP_CHOWN",      "CAP_DAC_OVERRIDE", "CAP_FOWNER",           "CAP_FSETID",
    "CAP_KILL",       "CAP_SETGID",       "CAP_SETUID",           "CAP_SETPCAP",
    "CAP_SETFCAP",    "CAP_NET_RAW",      "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT",
    "CAP_AUDIT_WRITE"};

bool is_read_only(Rule rule) {
  return rule == Rule::read_only || rule == Rule::machine_read_only;
}

// The rule for the nearest directory above a path; "/" has one.
Rule rule_above(const Rules& rules, const std::string& path) {
  for (std::size_t slash = path.rfind('/'); slash > 0 && slash != std::string::npos;
       slash = path.rfind('/', slash - 1)) {
    if (const auto found = rules.find(path.substr(0, slash)); found != rules.end()) return found->second;
  }
  return rules.at("/");
}

void set(Rules& rules, const std::string& path, Rule rule) {
  if (path.empty() || path == "/") return;  // what all of the machine is, is the mode's business
  Rule& held = rules.try_emplace(path, rule).first->second;
  held = std::max(held, rule);
}

Rules rules_of(const Sandbox& sandbox, const SandboxedProcess& process) {
  const bool strict = sandbox.mode == SandboxMode::strict;
  Rules rules{{"/", strict ? Rule::machine_read_only : Rule::machine}, {"/proc", Rule::processes}};
  if (strict) {
    set(rules, "/dev", Rule::devices);
    for (const std::string& path : sandbox.personal) set(rules, path, Rule::personal);
  }
  for (const std::string& path : sandbox.read_only) set(rules, path, Rule::read_only);
  if (!sandbox.sdd.empty()) {
    set(rules, sandbox.sdd, Rule::masked);
    for (const std::string& path : process.read_only) set(rules, sandbox.sdd + "/" + path, Rule::read_only);
    for (const std::string& path : process.writable) set(rules, sandbox.sdd + "/" + path, Rule::writable);
  }
  return rules;
}

void add(Words& words, std::initializer_list<std::string> more) {
  words.insert(words.end(), more);
}

Words mounts(const Rules& rules) {
  Words words;
  Words sealed;  // a place that is masked is sealed when everything in it has been mounted
  for (const auto& [path, rule] : rules) {
    switch (rule) {
      case Rule::machine:
        add(words, {"--dev-bind", path, path});
        break;
      case Rule::machine_read_only:
        add(words, {"--ro-bind", path, path});
        break;
      case Rule::processes:
        add(words, {"--proc", path});
        break;
      case Rule::devices:
        add(words, {"--dev", path});
        break;
      case Rule::personal:
        add(words, {"--perms", "1777", "--tmpfs", path});
        break;
      case Rule::masked:
        add(words, {"--tmpfs", path});
        add(sealed, {"--remount-ro", path});
        break;
      case Rule::read_only:
        if (!is_read_only(rule_above(rules, path))) add(words, {"--ro-bind-try", path, path});
        break;
      case Rule::writable:
        add(words, {"--bind-try", path, path});
        break;
    }
  }
  words.insert(words.end(), sealed.begin(), sealed.end());
  return words;
}

}  // namespace

std::vector<std::string> sandbox_words(const Sandbox& sandbox, const SandboxedProcess& process) {
  if (sandbox.mode == SandboxMode::off) return {};
  const bool strict = sandbox.mode == SandboxMode::strict;

  // SIGTERM goes to every process of the group. bwrap would die of it and take the process along before that had its
  // grace, so bwrap ignores it and the process does not. That bwrap dies with its parent is how nobody outlives a
  // supervisor that was killed.
  Words words{"/usr/bin/env", "--ignore-signal=TERM", sandbox.bwrap, "--die-with-parent", "--unshare-pid"};
  if (strict) add(words, {"--unshare-ipc"});
  if (strict && !process.network) add(words, {"--unshare-net"});
  if (sandbox.root) {
    add(words, {"--cap-drop", "ALL"});
    for (const char* right : k_rights_of_root) add(words, {"--cap-add", right});
  }
  const Words mounted = mounts(rules_of(sandbox, process));
  words.insert(words.end(), mounted.begin(), mounted.end());
  if (strict) add(words, {"--setenv", "TMPDIR", "/tmp"});
  add(words, {"--chdir", process.directory, "--"});
  // env would take a program with a '=' in its path for a variable; a shell takes it for what it is.
  add(words, {"/usr/bin/env", "--default-signal=TERM", "/bin/sh", "-c", "exec \"$0\" \"$@\""});
  return words;
}

}  // namespace bernstein::agent
