#pragma once
// What a process that we did not write may touch: a sandbox and a process become the words that go before its command,
// for bubblewrap (bwrap). Whether that works on this machine is tried elsewhere, before a run starts.
//
//     Sandbox sandbox{.mode = SandboxMode::automatic, .bwrap = "/usr/bin/bwrap", .sdd = "/project/.sdd",
//                     .read_only = {"/project"}};
//     agent::sandbox_words(sandbox, {.directory = "/project/.sdd/worktrees/session-r1-t4.2",
//                                    .writable = {"worktrees/session-r1-t4.2", "agents/session-r1-t4.2.git"}})
//         {"/usr/bin/env", "--ignore-signal=TERM", "/usr/bin/bwrap", ..., "--"}   then the program and its arguments
//
// With auto a process sees the machine as it is, but for what is read-only and for .sdd, which is empty but for its own
// places in it. With strict everything is read-only but for its own places, and `personal` places are empty and its
// own. With both it has a PID namespace of its own: it sees no process of anybody else, and when it ends, whatever it
// started ends. Of several rules for a path, the one for the nearest directory above it holds.
//
// What the words keep as it was: standard streams, environment (but PWD and, with strict, TMPDIR), working directory,
// exit code (128 + signal when a signal ended it), and that SIGTERM reaches the process and leaves it its grace.

#include <string>
#include <vector>

#include "bernstein/event/spec.hpp"

namespace bernstein::agent {

// Decided once, before a run starts. Paths are absolute, with no symbolic link, '.' or '/' at the end in them.
struct Sandbox {
  SandboxMode mode = SandboxMode::off;  // what holds, which may be less than what was asked for
  std::string bwrap;                    // the program
  std::string sdd;                      // of the repository
  std::vector<std::string> read_only;   // the person's repository; with strict, what stays to be seen in `personal`
  std::vector<std::string> personal;    // strict: directories that become empty and writable: the home, /tmp
  bool root = false;                    // we are root: the process keeps no right by which it could undo all this

  bool operator==(const Sandbox&) const = default;
};

// One process. What is not there is passed over.
struct SandboxedProcess {
  std::string directory;               // where it starts; absolute
  std::vector<std::string> writable;   // in .sdd, relative to it
  std::vector<std::string> read_only;  // the same
  bool network = true;                 // false: only with strict, none but a loopback of its own
};

// The words to put before an absolute path of a program and its arguments (ProcessSpec::wrapper); none with off.
std::vector<std::string> sandbox_words(const Sandbox& sandbox, const SandboxedProcess& process);

}  // namespace bernstein::agent
