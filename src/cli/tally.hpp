#pragma once
// What a recap tells beside the state: sums over events that the state does not keep.
//
//     Tally tally;
//     for (const Event& event : run) note(tally, event);

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "bernstein/event/event.hpp"

namespace bernstein::cli {

struct Tally {
  std::int64_t events = 0;
  Micros agent_us = 0;           // all agents' working time
  Micros check_us = 0;           // all checks' time
  std::set<TaskId> unverified;   // whose last verdict was that nothing looked at it
  std::string left_behind_from;  // the commit at which the user's checkout was left; "" while it follows
  std::string left_behind_why;

  std::map<Seq, std::string> syncs;  // open CheckoutSyncRequested → its `from`
};

void note(Tally& tally, const Event& event);

// The one command that brings a checkout up that was left behind: a two-tree read moves what differs between the two
// commits and keeps what the person changed, or refuses as a whole where both changed the same file (git-read-tree(1)).
std::string catch_up_command(const Tally& tally);

}  // namespace bernstein::cli
