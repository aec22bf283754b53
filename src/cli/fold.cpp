#include "fold.hpp"

#include "bernstein/event/codec.hpp"
#include "bernstein/state/apply.hpp"
#include "run_json.hpp"

namespace bernstein::cli {

Result<Picture> take_picture(port::EventReader& reader, RunId run, std::optional<Seq> at) {
  Picture picture;
  Status folded = Ok{};
  Seq first = 0;
  BERNSTEIN_TRY_VOID(reader.read(run, [&](const Record& record) {
    if (first == 0) first = record.seq;
    if (at && record.seq > *at) return false;
    const Result<Event> event = to_event(record);
    if (!event) {
      folded = event.error();
      return false;
    }
    note(picture.tally, *event);
    folded = apply(picture.state, *event);
    return folded.has_value();
  }));
  BERNSTEIN_TRY_VOID(folded);
  if (!picture.state.started) {
    const std::string begins = first == 0 ? " has no events" : " begins with event " + std::to_string(first);
    return Error{ErrorCode::not_found, to_string(run) + begins + (at ? ", after " + std::to_string(*at) : "")};
  }
  return picture;
}

Spending spending_of(const RunState& state) {
  Spending spending{.known = known_cost(state), .untold = 0};
  for (const auto& [id, task] : state.tasks) {
    for (const Attempt& attempt : task.attempts) {
      if (attempt.exit && !attempt.exit->usage.cost_micros) ++spending.untold;
    }
  }
  return spending;
}

}  // namespace bernstein::cli
