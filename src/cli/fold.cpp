#include "fold.hpp"

#include <vector>

#include "bernstein/state/apply.hpp"
#include "read_ahead.hpp"
#include "run_json.hpp"

namespace bernstein::cli {

Status visit_run(port::EventReader& reader, RunId run, std::optional<Seq> at,
                 const std::function<Status(const Event&)>& visit) {
  ReadAhead ahead(reader, run, at);
  bool any = false;
  while (const std::optional<std::vector<Event>> events = ahead.take()) {
    for (const Event& event : *events) BERNSTEIN_TRY_VOID(visit(event));
    any = any || !events->empty();
  }
  BERNSTEIN_TRY_VOID(ahead.status());
  if (any) return Ok{};
  const Seq first = ahead.first_seq();
  const std::string begins = first == 0 ? " has no events" : " begins with event " + std::to_string(first);
  return Error{ErrorCode::not_found, to_string(run) + begins + (at ? ", after " + std::to_string(*at) : "")};
}

Result<Picture> take_picture(port::EventReader& reader, RunId run, std::optional<Seq> at) {
  Picture picture;
  BERNSTEIN_TRY_VOID(visit_run(reader, run, at, [&](const Event& event) {
    note(picture.tally, event);
    return apply(picture.state, event);
  }));
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
