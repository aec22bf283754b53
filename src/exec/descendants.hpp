#pragma once
// Everybody who descends from this process, whatever session or group they have made their own. As a subreaper this
// process gets back those whose parents ended, so that nobody leaves the tree.

#include <sys/types.h>

#include <vector>

#include "bernstein/base/units.hpp"

namespace bernstein::exec {

// Sends the signal to every group that a descendant is a member of. A group is signalled as one, so that a fork under
// way in it does not escape. Descendants that fork into groups of their own meanwhile need another call.
void signal_descendants(int signal);

std::vector<pid_t> descendant_pids();

// The CPU time that all of them have used, those that ended and were reaped included. In steps of a clock tick, 10 ms.
Micros descendants_cpu_us();

}  // namespace bernstein::exec
