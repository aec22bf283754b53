#pragma once
// Strays: descendants of a supervisor that was killed. Its command goes with it (PR_SET_PDEATHSIG), and whoever
// descends from that, daemons included, is init's child from then on. They are known by a variable in their
// environment, which each command is given and its descendants inherit. One that was started with an environment of its
// own choice, as by `env -i`, is not found.

#include <string>

#include "bernstein/base/result.hpp"

namespace bernstein::proc {

// "BERNSTEIN_CONTROL": the control directory of the command that a process descends from.
inline constexpr const char* k_control_variable = "BERNSTEIN_CONTROL";

// Kills every process with the mark of this control directory, and looks again until there is none: they may fork
// meanwhile. For a directory whose supervisor is dead.
void end_strays(const std::string& control_directory);

// The same for every control directory whose path is `prefix` and digits, and for their supervisors, which are known by
// their argument. For directories that are gone, and with them the locks that tell who lives.
Status end_unreachable(const std::string& prefix);

}  // namespace bernstein::proc
