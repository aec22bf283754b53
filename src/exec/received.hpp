#pragma once
// What the descendants of this process have received over TCP: an agent that reads a long answer may do so in silence,
// with next to no CPU time.
//
//     ReceivedBytes before = descendants_received();
//     std::uint64_t more = received_since(before, descendants_received());

#include <cstdint>
#include <map>

namespace bernstein::exec {

using ReceivedBytes = std::map<std::uint64_t, std::uint64_t>;  // by the inode of a socket

// Of the connections that are open, in the network of this process. Empty where the kernel does not tell.
ReceivedBytes descendants_received();

// What came meanwhile. A connection that was opened and closed between the two is not seen.
std::uint64_t received_since(const ReceivedBytes& before, const ReceivedBytes& now);

}  // namespace bernstein::exec
