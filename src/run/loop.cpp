#include "bernstein/run/loop.hpp"

#include <utility>
#include <vector>

#include "bernstein/base/check.hpp"
#include "bernstein/decide/decide.hpp"
#include "bernstein/run/anchor.hpp"
#include "bernstein/run/inbox.hpp"
#include "bernstein/run/ledger.hpp"
#include "effects.hpp"

namespace bernstein::run {
namespace {

// Events after which the head of the chain is put where the log cannot reach.
bool is_milestone(const Event& event) {
  return std::holds_alternative<RunStarted>(event.body) || std::holds_alternative<MergeLanded>(event.body) ||
         std::holds_alternative<RunFinished>(event.body);
}

}  // namespace

Loop::Loop(Ports ports, Site site, Observer& observer)
    : ports_(ports), site_(std::move(site)), observer_(observer), inbox_(std::make_unique<Inbox>()) {}

Loop::~Loop() = default;

Result<RunOutcome> Loop::run(RunStarted started, PlanAccepted plan) {
  BERNSTEIN_TRY(const port::LogHead head, ports_.log.head());
  const RunId run{head.last_run.number + 1};
  ledger_ = std::make_unique<Ledger>(head, run);
  effects_ = std::make_unique<Effects>(ports_, site_, run, *inbox_);
  started_at_us_ = ports_.reactor.monotonic_us();
  ports_.reactor.on_signal([this](int) { note_signal(); });

  inbox_->push({{about_run(), std::move(started)}});
  inbox_->push({{about_run(), std::move(plan)}});
  while (!state_.finished) {
    if (inbox_->empty()) {
      BERNSTEIN_CHECK(effects_->under_way(), "a run that has not finished waits for something");
      ports_.reactor.turn();
    }
    if (!inbox_->empty()) BERNSTEIN_TRY_VOID(turn());
  }
  return state_.finished->outcome;
}

Status Loop::turn() {
  ledger_->begin_turn(ports_.reactor.monotonic_us() - started_at_us_, ports_.reactor.wall_us());
  std::vector<Event> events;
  for (Observation& observation : inbox_->drain()) {
    const Event input = ledger_->seal(std::move(observation.draft), observation.cause);
    events.push_back(input);
    BERNSTEIN_TRY(std::vector<Event> followed,
                  settle(state_, input, [&](Draft draft) { return ledger_->seal(std::move(draft), input.seq); }));
    events.insert(events.end(), std::make_move_iterator(followed.begin()), std::make_move_iterator(followed.end()));
  }
  BERNSTEIN_TRY_VOID(ports_.log.append(ledger_->take_records()));

  for (const Event& event : events) observer_.on_event(state_, event);
  for (const Event& event : events) {
    if (is_milestone(event)) {
      anchor(events.back());
      break;
    }
  }
  effects_->dispatch(state_);
  return Ok{};
}

void Loop::note_signal() {
  const bool first = ++signals_ == 1;
  inbox_->push({{about_run(), StopRequested{first ? StopMode::drain : StopMode::now,
                                            first ? "asked to stop" : "asked to stop now"}}});
}

void Loop::anchor(const Event& last) {
  const Status written =
      ports_.workspace.write_anchor(to_string(last.run), anchor_text(last.run, last.run_seq, last.hash), last.wall_us);
  if (!written)
    observer_.on_warning("the anchor of " + to_string(last.run) + " was not written: " + written.error().message);
}

}  // namespace bernstein::run
