#pragma once
// The chain: the front of the landing queue, as candidates that stand on each other. The first stands on the target's
// tip, each of the others on the nearest one ahead of it that is not failing; so one that fails keeps its place and
// holds up nobody ("nearest non-failing item ahead", Zuul's rule for dependent pipelines).
//
//     target ── t3.1 ── t5.1        t4.1 conflicts with t3.1: it is tried again when it is the front
//                   ╲ t4.1 ✗
//
//     for (const Link& link : links_of(state)) ...        // front first, one for each attempt of state.chain
//
// A green candidate vouches for those it covers (Examination::covers): they are on the way from the target to it.

#include <vector>

#include "bernstein/state/run_state.hpp"

namespace bernstein {

enum class LinkState {
  standing,  // its candidate stands where it should
  failing,   // it conflicts there, or fails its checks
  stale,     // its candidate stands on something that is not ahead of it any more
  pending,   // something ahead of it has to be computed first, or its own candidate is being computed
};

struct Link {
  AttemptId attempt;
  LinkState state = LinkState::pending;
  std::string base;       // the commit that it stands on, or has to
  bool landable = false;  // it and all that it stands on are green, or need not be checked one by one
};

std::vector<Link> links_of(const RunState& state);

}  // namespace bernstein
