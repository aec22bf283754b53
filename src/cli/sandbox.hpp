#pragma once
// Which sandbox a run gets: bubblewrap is tried once, by running something in it, and not taken for granted because it
// is installed: containers and hardened kernels forbid what it needs.
//
//     BERNSTEIN_TRY(const ChosenSandbox chosen, choose_sandbox(context, place, SandboxMode::automatic, agents));
//     chosen.note     "no sandbox: bubblewrap is not installed, so ..."

#include <optional>
#include <string>
#include <vector>

#include "bernstein/agent/sandbox.hpp"
#include "bernstein/base/result.hpp"
#include "bernstein/cli/context.hpp"
#include "bernstein/event/spec.hpp"
#include "place.hpp"

namespace bernstein::cli {

inline constexpr Micros k_sandbox_try_us_max = 10 * k_second;

struct ChosenSandbox {
  agent::Sandbox sandbox;  // mode off when auto is wanted and does not work
  std::string note;        // why there is none although auto is wanted, and what to do; else ""
};

// `agents`: whose programs stay to be seen in places that strict makes personal. ErrorCode::environment when strict is
// wanted and does not work. Leaves nothing behind.
Result<ChosenSandbox> choose_sandbox(const Context& context, const Place& place, SandboxMode wanted,
                                     const std::vector<AgentSpec>& agents);

struct SandboxObstacle {
  std::string what;  // "bubblewrap is not installed"
  std::string fix;
};

// Why there can be no such sandbox here; nothing when one was tried and worked, or none is wanted.
std::optional<SandboxObstacle> find_obstacle(const Context& context, const Place& place, SandboxMode wanted,
                                             const std::vector<AgentSpec>& agents);

}  // namespace bernstein::cli
