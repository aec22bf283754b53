#pragma once
// What a check's verdict may depend on beside the tree, as far as that can be told cheaply. Where it is the same, what
// passed in an earlier run is not run again (RunStarted::environment).
//
//     const std::string environment = digest_of(gather_check_environment(context, place, config, mode));
//
// Nothing in it differs between two runs of one day: no pid, no id of a run, no path below .sdd, no time but those of
// files that nobody wrote.

#include <cstdint>
#include <map>
#include <string>

#include "bernstein/cli/context.hpp"
#include "bernstein/event/spec.hpp"
#include "place.hpp"

namespace bernstein::cli {

// What lies directly in a directory, by name: its size and time, "12 1700000000.000000000".
using EntryFacts = std::map<std::string, std::string>;

struct CheckEnvironment {
  std::map<std::string, std::string> copied;     // path → digest of its bytes; of a large one its size and time
  std::map<std::string, EntryFacts> linked;      // absolute path of each directory of symlink_dirs that is there
  std::string machine;                           // as uname(2) has it: kernel, name, release, version, architecture
  SandboxMode sandbox = SandboxMode::off;        // in which checks run, which may be less than what was asked for
  std::map<std::string, std::string> variables;  // that checks get
};

// 64 lower-case digits. Pure; different for any two environments that differ.
std::string digest_of(const CheckEnvironment& environment);

// What cannot be read is left out, as it is for a check. Reads at most k_copied_bytes_max of copied files and looks at
// k_entries_max entries; what is beyond that counts by the sizes and times of what was seen.
inline constexpr std::uintmax_t k_copied_bytes_max = 256 << 20;
inline constexpr std::size_t k_entries_max = 100'000;
CheckEnvironment gather_check_environment(const Context& context, const Place& place, const WorktreeSetup& setup,
                                          SandboxMode sandbox);

}  // namespace bernstein::cli
