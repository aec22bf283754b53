#include "bernstein/event/codec.hpp"
#include "bernstein/run/loop.hpp"
#include "bernstein/state/apply.hpp"

namespace bernstein::run {

Result<RunState> load_state(port::EventReader& reader, RunId run, Seq until) {
  RunState state;
  Status folded = Ok{};
  BERNSTEIN_TRY_VOID(reader.read(run, [&](const Record& record) {
    if (until != 0 && record.seq > until) return false;
    Result<Event> event = to_event(record);
    folded = event ? apply(state, *event) : Status(event.error());
    return folded.has_value();
  }));
  BERNSTEIN_TRY_VOID(folded);
  if (!state.started) return Error{ErrorCode::not_found, "there is no run " + to_string(run)};
  return state;
}

}  // namespace bernstein::run
