#include "fold.hpp"

#include <vector>

#include "bernstein/state/apply.hpp"
#include "read_ahead.hpp"
#include "run_json.hpp"

namespace bernstein::cli {

Result<Picture> take_picture(port::EventReader& reader, RunId run, std::optional<Seq> at,
                             const std::function<void(const Event&)>& also) {
  Picture picture;
  ReadAhead ahead(reader, run, at);
  while (const std::optional<std::vector<Event>> events = ahead.take()) {
    for (const Event& event : *events) {
      note(picture.tally, event);
      BERNSTEIN_TRY_VOID(apply(picture.state, event));
      if (also) also(event);
    }
  }
  BERNSTEIN_TRY_VOID(ahead.status());
  if (!picture.state.started) {
    const Seq first = ahead.first_seq();
    const std::string begins = first == 0 ? " has no events" : " begins with event " + std::to_string(first);
    return Error{ErrorCode::not_found, to_string(run) + begins + (at ? ", after " + std::to_string(*at) : "")};
  }
  return picture;
}

Spending spending_of(const RunState& state) {
  Spending spending{.known = known_cost(state), .untold = 0};
  for (const Task* task : tasks_and_planning(state)) {
    for (const Attempt& attempt : task->attempts) {
      if (attempt.exit && !attempt.exit->usage.cost_micros) ++spending.untold;
    }
  }
  return spending;
}

}  // namespace bernstein::cli
