#pragma once
// replay: every decision of a run is derived again from its recorded inputs and compared byte for byte with what was
// recorded. Needs the log alone: no git, no agents, no network, no clock.
//
//     BERNSTEIN_TRY(ReplayReport report, replay(reader, RunId{3}));
//     report.divergences                       // 0, or 1: replay stops at the first, since all after it would follow
//     from it

#include <cstdint>
#include <optional>
#include <string>

#include "bernstein/base/result.hpp"
#include "bernstein/port/event_log.hpp"
#include "bernstein/state/run_state.hpp"

namespace bernstein::run {

struct Divergence {
  Seq seq = 0;           // of the recorded event, or of the place where one is missing
  std::string recorded;  // "TaskAssigned t4.1 {...}", or "nothing"
  std::string recomputed;
};

struct ReplayReport {
  RunId run;
  std::int64_t events = 0;     // read
  std::int64_t decisions = 0;  // decisions and intents derived again and found equal
  int divergences = 0;
  std::optional<Divergence> first_divergence;
  std::string state_hash;  // of the state at the end (bernstein::state_hash)
};

// A record that is not the one that was written (its chain), cannot be read or cannot follow is a divergence too:
// `recomputed` says why then. ErrorCode::not_found for an unknown run; ErrorCode::environment when it was decided by
// rules that this build does not have.
Result<ReplayReport> replay(port::EventReader& reader, RunId run, Seq until = 0);

}  // namespace bernstein::run
