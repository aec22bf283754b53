#pragma once
// A small run to look at: t1 lands at once; t2 fails its check, is tried again and lands, which the user's checkout
// does not follow; t3 fails for good, so t4 is blocked.
//
//     const World world = small_story();
//     log.append(sealed(world.log(), RunId{1}, log.head().value()));

#include <string>
#include <vector>

#include "bernstein/event/event.hpp"
#include "bernstein/port/event_log.hpp"
#include "support/builders.hpp"

namespace bernstein::test {

// The records of a run's events, after what the log holds already. `events` are numbered from 1, as World does it.
std::vector<Record> sealed(const std::vector<Event>& events, RunId run, const port::LogHead& before);

// `check_output`: digest of what t2's red check printed.
World small_story(const std::string& check_output = "");

}  // namespace bernstein::test
