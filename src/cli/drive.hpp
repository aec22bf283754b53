#pragma once
// Driving a run: what `run` and `resume` have in common. Whoever drives owns the workspace.
//
//     BERNSTEIN_TRY(Tenure tenure, take_ownership(context, place));
//     return drive(context, tenure, {.plain = options.plain}, [&](run::Loop& loop) { return loop.start(...); });

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "bernstein/agent/sandbox.hpp"
#include "bernstein/cli/context.hpp"
#include "bernstein/port/blob_store.hpp"
#include "bernstein/port/event_log.hpp"
#include "bernstein/port/reactor.hpp"
#include "bernstein/port/workspace.hpp"
#include "bernstein/run/loop.hpp"
#include "bernstein/store/store.hpp"
#include "place.hpp"
#include "tally.hpp"

namespace bernstein::cli {

// All that the one Bernstein that is at work in a place holds.
struct Tenure {
  Place place;
  std::unique_ptr<store::Lock> lock;
  std::unique_ptr<port::EventLog> log;
  std::unique_ptr<port::BlobStore> blobs;
  std::unique_ptr<port::Workspace> workspace;
  std::unique_ptr<port::Reactor> reactor;
};

// Where bernstein-exec has to be: the program that starts agents and checks and stays with them.
std::string supervisor_of(const Context& context);

// Of one drive: another one takes a new one.
std::unique_ptr<port::Reactor> open_reactor(const Context& context);

// ErrorCode::busy when another Bernstein is at work there. The place has its .sdd.
Result<Tenure> take_ownership(const Context& context, const Place& place);

struct DriveOptions {
  bool plain = false;  // lines instead of a display that changes in place
  Tally before;        // of what the log has of the run already
  agent::Sandbox sandbox;
};
// Shows the run that `begin` carries on, prints its recap when it has ended, and gives its exit code.
Result<Exit> drive(Context& context, Tenure& tenure, DriveOptions options,
                   const std::function<Result<RunOutcome>(run::Loop&)>& begin);

// Where the last landing, of whatever run, left the person's checkout of the target; "" when it followed.
Result<std::string> checkout_left_at(port::EventReader& log, const std::string& target);

// Agents and checks that go on without a Bernstein, counted by run ("r3").
std::map<std::string, std::uint32_t> living_commands(const std::string& sdd);

}  // namespace bernstein::cli
