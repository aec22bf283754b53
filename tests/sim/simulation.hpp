#pragma once
// One simulated run: the real loop, effects, decisions and fold over doors in memory, killed and resumed as its seed
// says; then everything is healed, and it has to come to its end.
//
//     Tally tally;
//     Digest log = simulate(seed, "/dev/shm/x/7", tally);        // throws Violation

#include <cstdint>
#include <string>

#include "bernstein/base/sha256.hpp"
#include "doors.hpp"
#include "tally.hpp"

namespace bernstein::sim {

// `sdd` is made, used for small files, and removed. Returns the hash of the log's last event: equal hashes, equal
// bytes. With `verbose`, every event and every mishap is a line on standard output.
Digest simulate(std::uint64_t seed, const std::string& sdd, Tally& tally, bool verbose = false);

}  // namespace bernstein::sim
