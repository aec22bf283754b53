#pragma once
// A run as it stands, or stood after an event: the fold of its records and the few sums beside it that people ask for.
//
//     BERNSTEIN_TRY(const Picture picture, take_picture(reader, run, options.at));

#include <cstdint>
#include <functional>
#include <optional>

#include "bernstein/port/event_log.hpp"
#include "bernstein/state/run_state.hpp"
#include "tally.hpp"

namespace bernstein::cli {

struct Picture {
  RunState state;
  Tally tally;
};

// The events of a run up to `at`, in order, checked against their chain. ErrorCode::not_found when there is none.
Status visit_run(port::EventReader& reader, RunId run, std::optional<Seq> at,
                 const std::function<Status(const Event&)>& visit);

// Errors are those of visit_run().
Result<Picture> take_picture(port::EventReader& reader, RunId run, std::optional<Seq> at);

// What the agents of a run told about their costs.
struct Spending {
  std::optional<UsdMicros> known;  // nothing: attempts have ended, and none of them told
  std::int64_t untold = 0;         // ended without telling
};
Spending spending_of(const RunState& state);

}  // namespace bernstein::cli
