#pragma once
// The command of a supervisor, from its program to its process.

#include <sys/types.h>

#include "bernstein/base/result.hpp"
#include "proc/control.hpp"
#include "proc/fd.hpp"

namespace bernstein::exec {

// Starts the command as leader of a session of its own, within its limits, without signals blocked or ignored. It is
// killed when we are, and it and its descendants carry the mark by which proc::end_strays() finds them. An error
// ("cannot start 'NAME': ...") means that nothing was started.
Result<pid_t> start_command(const proc::Order& order, const proc::Fd& input, const proc::Fd& output);

}  // namespace bernstein::exec
