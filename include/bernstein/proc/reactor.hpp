#pragma once
// Processes, timers and background work on libuv: port::Reactor for the real world.
//
//     std::unique_ptr<port::Reactor> reactor = proc::open_reactor();
//     reactor->start({.argv = {"make", "test"}, .env = {{"PATH", path}}, .directory = "/project"}, on_exit);
//     reactor->turn();
//
// What it adds to the promises of the port:
//  * Each process leads a session of its own (setsid), so it has no terminal, and a signal meant for us misses it.
//  * A child has file descriptors 0, 1 and 2 and no others, no blocked and no ignored signals.
//  * The group is asked to end with SIGTERM and has its grace, also when its leader goes first. When the leader ends
//    unasked, whoever is left is killed at once: a forgotten background process does not delay on_exit.
//  * A process that leaves the session by its own setsid is out of reach here; containing it is the sandbox's job.
//    It cannot delay on_exit, and what it writes after the end of the group is not in the file.
//  * Only absolute directories of PATH are searched: a relative one would mean a place that an agent can write.
//
//  * A supervised process is the child of bernstein-exec, which is its subreaper: there nobody gets out of reach. How
//    the two talk is in src/proc/control.hpp.
//
// Destroying the reactor kills the processes that are still there, but for supervised ones, and waits for work under
// way; no callback is called.

#include <cstdint>
#include <memory>
#include <string>

#include "bernstein/base/units.hpp"
#include "bernstein/port/reactor.hpp"

namespace bernstein::proc {

// How long killed processes may take to disappear before on_exit is called without them. Only a process that hangs in
// the kernel (a dead network disk) takes so long.
inline constexpr Micros k_group_end_us_max = 2 * k_second;

struct ReactorOptions {
  std::string supervisor;  // the path of bernstein-exec; "": start_supervised() is refused
};

// Whether the supervisor of a control directory lives. Only looks.
bool is_supervisor_alive(const std::string& control_directory);

// Kills who descends from the command of a supervisor that was killed, daemons included. A reactor does that for those
// it starts or adopts; this is for whoever does neither.
void end_strays(const std::string& control_directory);

// From here on the calling process ignores SIGPIPE, and descriptors that it inherited (but 0, 1, 2) are not passed on.
// One thread uses the reactor.
std::unique_ptr<port::Reactor> open_reactor(ReactorOptions options = {});

}  // namespace bernstein::proc
