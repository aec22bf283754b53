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
#include "bernstein/state/run_state.hpp"

namespace bernstein::cli {

struct Tally {
  std::int64_t events = 0;
  std::set<Subject> in_flight;         // attempts, after the last of these events
  Micros last_wall_us = 0;             // when the last of them was
  Micros agent_us = 0;                 // all agents' working time, as far as the run had an owner then
  Micros check_us = 0;                 // all checks' time, likewise
  std::map<Subject, Micros> begun_us;  // when the agent or check of an attempt began that is at work now
  std::set<TaskId> unverified;         // whose last verdict was that nothing looked at it
  std::string left_behind_why;         // what kept the person's checkout from following (RunState::behind)
};

void note(Tally& tally, const Event& event);

// The one command that brings a checkout up that was left behind (state.behind): a two-tree read moves what differs
// between the two commits and keeps what the person changed, or refuses as a whole where both changed the same file
// (git-read-tree(1)).
std::string catch_up_command(const RunState& state);

}  // namespace bernstein::cli
