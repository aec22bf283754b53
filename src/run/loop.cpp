#include "bernstein/run/loop.hpp"

#include <algorithm>
#include <csignal>
#include <utility>
#include <vector>

#include "bernstein/base/check.hpp"
#include "bernstein/decide/decide.hpp"
#include "bernstein/failpoint/failpoint.hpp"
#include "bernstein/run/anchor.hpp"
#include "bernstein/run/inbox.hpp"
#include "bernstein/run/ledger.hpp"
#include "bernstein/run/wishes.hpp"
#include "effects.hpp"

namespace bernstein::run {
namespace {

// Events after which the head of the chain is put where the log cannot reach.
bool is_milestone(const Event& event) {
  return std::holds_alternative<RunStarted>(event.body) || std::holds_alternative<RunResumed>(event.body) ||
         std::holds_alternative<MergeLanded>(event.body) || std::holds_alternative<RunFinished>(event.body);
}

}  // namespace

Loop::Loop(Ports ports, Site site, Observer& observer)
    : ports_(ports), site_(std::move(site)), observer_(observer), inbox_(std::make_unique<Inbox>()) {}

Loop::~Loop() = default;

Result<RunOutcome> Loop::start(RunStarted started, std::variant<PlanAccepted, PlanWanted> work, RunId taken) {
  BERNSTEIN_TRY(const port::LogHead head, ports_.log.head());
  const RunId run{std::max(head.last_run, taken).number + 1};
  take_over(run, Ledger(head, run));
  inbox_->push({{about_run(), std::move(started)}});
  std::visit([&](auto& given) { inbox_->push({{about_run(), std::move(given)}}); }, work);
  return carry_on();
}

Result<RunOutcome> Loop::resume(RunId run, RunResumed resumed, std::vector<Draft> wishes) {
  BERNSTEIN_TRY(LoadedRun loaded, load_to_go_on(ports_.log, run));
  BERNSTEIN_TRY(const port::LogHead head, ports_.log.head());
  state_ = std::move(loaded.state);
  resumed.epoch = state_.epoch + 1;
  take_over(run, Ledger(head, loaded.last));
  for (Draft& wish : wishes) inbox_->push({std::move(wish)});
  inbox_->push({{about_run(), std::move(resumed)}});
  return carry_on();
}

void Loop::take_over(RunId run, Ledger ledger) {
  ledger_ = std::make_unique<Ledger>(std::move(ledger));
  effects_ = std::make_unique<Effects>(ports_, site_, run, *inbox_, state_.last_seq);
  taken_over_us_ = ports_.reactor.monotonic_us();
  taken_over_at_us_ = state_.at_us;
  ports_.reactor.on_signal([this](int signal) { note_signal(signal); });
  watch_wishes();
}

// What cannot be watched is looked at whenever something else happens.
void Loop::watch_wishes() {
  Status watched = make_requests_directory(site_.sdd);
  if (watched) {
    watched = ports_.reactor.watch_directory(requests_directory(site_.sdd), [this] { wishes_due_ = true; });
  }
  is_watching_ = watched.has_value();
  if (!watched)
    observer_.on_warning("what other commands want of this run is noticed late: " + watched.error().message);
}

Result<RunOutcome> Loop::carry_on() {
  do {
    if (inbox_->empty() && !wishes_due_) {
      BERNSTEIN_CHECK(effects_->under_way() || state_.paused, "a run that has not finished waits for something");
      ports_.reactor.turn();
    }
    if (!inbox_->empty()) BERNSTEIN_TRY_VOID(turn());
    if (wishes_due_ || !is_watching_) BERNSTEIN_TRY_VOID(take_wishes());
    if (effects_->dead_end()) return *effects_->dead_end();
  } while (!state_.finished && !is_left(state_));
  return state_.finished ? state_.finished->outcome : RunOutcome::stopped;
}

Status Loop::turn() {
  ledger_->begin_turn(taken_over_at_us_ + ports_.reactor.monotonic_us() - taken_over_us_, ports_.reactor.wall_us());
  std::vector<Event> events;
  for (Observation& observation : inbox_->drain()) {
    const Event input = ledger_->seal(std::move(observation.draft), observation.cause);
    events.push_back(input);
    BERNSTEIN_TRY(std::vector<Event> followed,
                  settle(state_, input, [&](Draft draft) { return ledger_->seal(std::move(draft), input.seq); }));
    events.insert(events.end(), std::make_move_iterator(followed.begin()), std::make_move_iterator(followed.end()));
  }
  BERNSTEIN_TRY_VOID(ports_.ownership.still_ours());
  BERNSTEIN_FAILPOINT("run.turn.before_append");
  BERNSTEIN_TRY_VOID(ports_.log.append(ledger_->take_records()));
  BERNSTEIN_FAILPOINT("run.turn.before_dispatch");

  for (const Event& event : events) observer_.on_event(state_, event);
  for (const Event& event : events) {
    if (is_milestone(event)) {
      anchor(events.back());
      break;
    }
  }
  effects_->dispatch(state_);
  BERNSTEIN_FAILPOINT("run.turn.after_dispatch");
  return Ok{};
}

// One after the other: each is judged by what those before it have led to, and answered when it is durable.
Status Loop::take_wishes() {
  wishes_due_ = false;
  const std::vector<Request> requests = read_requests(site_.sdd);
  for (const Request& request : requests) {
    if (!inbox_->empty()) BERNSTEIN_TRY_VOID(turn());
    if (state_.finished || is_left(state_)) return Ok{};  // whoever asked sees that we go
    Result<Draft> draft = request.wish ? draft_of(state_, *request.wish) : Result<Draft>(request.wish.error());
    if (!draft) {
      answer_refused(site_.sdd, request.name, draft.error().message);
      continue;
    }
    inbox_->push({*std::move(draft)});
    BERNSTEIN_TRY_VOID(turn());
    BERNSTEIN_FAILPOINT("run.wish.before_answer");
    answer_done(site_.sdd, request.name);
  }
  if (requests.size() == k_requests_max) wishes_due_ = true;
  return Ok{};
}

void Loop::note_signal(int signal) {
  const auto ask = [this](EventBody wish) { inbox_->push({{about_run(), std::move(wish)}}); };
  if (signal == SIGUSR1) return ask(RunPaused{"asked to pause"});
  if (signal == SIGUSR2) return ask(RunContinued{});
  const bool hung_up = signal == SIGHUP;  // the terminal was closed
  const bool again = signal == SIGINT && interrupts_++ > 0;
  const bool now = signal == SIGQUIT || hung_up || again;
  ask(StopRequested{now ? StopMode::now : StopMode::drain,
                    hung_up ? "the terminal was closed" : (now ? "asked to stop now" : "asked to stop")});
}

void Loop::anchor(const Event& last) {
  const Status written =
      ports_.workspace.write_anchor(to_string(last.run), anchor_text(last.run, last.run_seq, last.hash), last.wall_us);
  if (!written)
    observer_.on_warning("the anchor of " + to_string(last.run) + " was not written: " + written.error().message);
}

}  // namespace bernstein::run
