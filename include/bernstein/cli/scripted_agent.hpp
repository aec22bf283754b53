#pragma once
// The hidden command `bernstein scripted-agent`: the program of the scripted agent (agent/script.hpp). It reads a
// prompt on standard input and does what the script in it says, in the current directory, on the attempt that
// BERNSTEIN_ATTEMPT names (1 without it).
//
// It is an agent, not a part of the orchestrator: it changes files, calls git in its worktree, sleeps, and misbehaves
// as told. Its exit code is 0 at the end of the script, that of `fail`, 1 when a step cannot be done, 2 when the script
// cannot be read; a line of output says why.

#include <chrono>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "bernstein/cli/context.hpp"

namespace bernstein::cli {

inline constexpr std::string_view k_scripted_agent_word = "scripted-agent";

// How long `hang` and the process that `daemonize` leaves last when nobody kills them.
inline constexpr std::chrono::hours k_scripted_hang_max{1};

int run_scripted_agent(std::istream& prompt, std::ostream& out);

// The same on standard input and context.out. Words after the command are passed over.
Exit scripted_agent_command(Context& context, const std::vector<std::string>& words);

}  // namespace bernstein::cli
