#include "bernstein/event/codec.hpp"
#include "bernstein/run/loop.hpp"
#include "bernstein/state/apply.hpp"

namespace bernstein::run {
namespace {

// Folds what `visit` accepts; the state and the last record.
Result<LoadedRun> fold(port::EventReader& reader, RunId run, const std::function<Result<bool>(const Record&)>& accept) {
  LoadedRun loaded;
  Status folded = Ok{};
  BERNSTEIN_TRY_VOID(reader.read(run, [&](const Record& record) {
    const Result<bool> accepted = accept(record);
    if (!accepted) folded = accepted.error();
    if (!accepted || !*accepted) return false;
    Result<Event> event = to_event(record);
    folded = event ? apply(loaded.state, *event) : Status(event.error());
    loaded.last = record;
    return folded.has_value();
  }));
  BERNSTEIN_TRY_VOID(folded);
  if (!loaded.state.started) return Error{ErrorCode::not_found, "there is no run " + to_string(run)};
  return loaded;
}

}  // namespace

Result<RunState> load_state(port::EventReader& reader, RunId run, Seq until) {
  BERNSTEIN_TRY(LoadedRun loaded, fold(reader, run, [&](const Record& record) -> Result<bool> {
                  return until == 0 || record.seq <= until;
                }));
  return std::move(loaded.state);
}

Result<LoadedRun> load_to_go_on(port::EventReader& reader, RunId run) {
  std::int64_t run_seq = 0;
  Digest last{};
  return fold(reader, run, [&](const Record& record) -> Result<bool> {
    const bool follows = record.run_seq == run_seq + 1 && (run_seq == 0 || record.prev_hash == last);
    if (!follows || record.hash != chain_hash(record)) {
      return Error{ErrorCode::corrupt, "event " + std::to_string(record.seq) + " of " + to_string(run) +
                                           " was altered, or one before it is gone: nothing is built on that; see "
                                           "`bernstein audit`"};
    }
    run_seq = record.run_seq;
    last = record.hash;
    return true;
  });
}

}  // namespace bernstein::run
