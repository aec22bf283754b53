#pragma once
// A process group: signalled as one, and watched until its last member is gone.

#include <cstdint>

namespace bernstein::proc {

// Sends a signal to every member. Nobody there: no effect. A fork under way in the group does not escape it: the kernel
// restarts a fork that a signal interrupts.
void signal_group(std::int64_t group, int signal);

// Whether a member lives. Zombies do not count: they wait for their own parent or for init, which may never reap them.
bool is_group_alive(std::int64_t group);

}  // namespace bernstein::proc
