#pragma once
// Runs gates once on a commit, so that a person knows which are green before any agent has touched anything.

#include <string>
#include <vector>

#include "bernstein/base/result.hpp"
#include "bernstein/cli/context.hpp"
#include "detect.hpp"
#include "place.hpp"

namespace bernstein::cli {

inline constexpr Micros k_baseline_us_max = 5 * k_minute;  // for one gate

struct TriedGate {
  Proposal gate;
  bool green = false;
  std::string fact;  // "passed in 12 s", "exit 1 after 350 ms", "still running after 5m 00s"
  std::string log;   // file with its output
};

// In a clean checkout of the commit with these directories linked, one after another, each in what the ones before
// left; told to context.err as they go.
Result<std::vector<TriedGate>> try_gates(Context& context, const Place& place, const std::vector<Proposal>& gates,
                                         const std::vector<std::string>& symlink_dirs);

}  // namespace bernstein::cli
