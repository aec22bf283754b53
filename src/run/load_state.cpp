#include "bernstein/event/chain.hpp"
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
  RunChain chain;
  return fold(reader, run, [&](const Record& record) -> Result<bool> {
    if (const std::string fault = chain.follow(record); !fault.empty()) return altered(record, fault);
    return true;
  });
}

}  // namespace bernstein::run
