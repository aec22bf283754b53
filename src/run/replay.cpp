#include "bernstein/run/replay.hpp"

#include <utility>
#include <vector>

#include "bernstein/decide/decide.hpp"
#include "bernstein/event/chain.hpp"
#include "bernstein/event/codec.hpp"
#include "bernstein/state/apply.hpp"

namespace bernstein::run {
namespace {

std::string in_words(const Record& record) {
  return record.type + " " + record.subject + " " + record.payload;
}

bool same_decision(const Record& a, const Record& b) {
  return a.kind == b.kind && a.type == b.type && a.version == b.version && a.subject == b.subject &&
         a.cause == b.cause && a.payload == b.payload;
}

// Walks the records and keeps what must follow from the last input and has not been seen yet.
class Replayer {
 public:
  explicit Replayer(RunId run) { report_.run = run; }

  // False when there is no point in going on: a divergence was found (in the report) or an error (returned).
  Result<bool> take(const Record& record) {
    if (const std::string fault = chain_.follow(record); !fault.empty()) return altered(record, fault);
    ++report_.events;
    if (next_ < expected_.size()) return compare(record);
    if (!is_observed(record.kind)) return diverge(record.seq, in_words(record), "nothing");
    return observe(record);
  }

  void part(const Record& record, const std::string& why) { diverge(record.seq, in_words(record), why); }

  ReplayReport finish(bool whole_run) {
    if (whole_run && report_.divergences == 0 && next_ < expected_.size()) {
      diverge(expected_[next_].seq, "nothing", in_words(expected_[next_]));
    }
    report_.state_hash = state_hash(state_);
    return std::move(report_);
  }

 private:
  Result<bool> compare(const Record& record) {
    const Record& expected = expected_[next_++];
    if (!same_decision(expected, record)) return diverge(record.seq, in_words(record), in_words(expected));
    ++report_.decisions;
    return true;
  }

  Result<bool> observe(const Record& record) {
    BERNSTEIN_TRY(Event input, to_event(record));
    if (const auto* started = std::get_if<RunStarted>(&input.body);
        started != nullptr && started->rules != k_rules_version) {
      return Error{ErrorCode::environment,
                   to_string(record.run) + " was decided by version " + std::to_string(started->rules) +
                       " of the rules; this Bernstein has version " + std::to_string(k_rules_version) +
                       ": replay it with the one that ran it (" + started->bernstein + ")"};
    }
    Event place = input;
    BERNSTEIN_TRY(std::vector<Event> followed, settle(state_, input, [&](Draft draft) {
                    Event event{.seq = ++place.seq,
                                .run = input.run,
                                .run_seq = ++place.run_seq,
                                .cause = input.seq,
                                .subject = draft.subject,
                                .at_us = input.at_us,
                                .wall_us = input.wall_us,
                                .body = std::move(draft.body)};
                    return event;
                  }));
    expected_.clear();
    next_ = 0;
    for (const Event& event : followed) expected_.push_back(to_record(event));
    return true;
  }

  bool diverge(Seq seq, std::string recorded, std::string recomputed) {
    report_.divergences = 1;
    report_.first_divergence = {seq, std::move(recorded), std::move(recomputed)};
    return false;
  }

  ReplayReport report_;
  RunChain chain_;
  RunState state_;
  std::vector<Record> expected_;
  std::size_t next_ = 0;
};

}  // namespace

Result<ReplayReport> replay(port::EventReader& reader, RunId run, Seq until) {
  Replayer replayer(run);
  Status walked = Ok{};
  bool found = false;
  bool cut = false;
  BERNSTEIN_TRY_VOID(reader.read(run, [&](const Record& record) {
    found = true;
    if (until != 0 && record.seq > until) {
      cut = true;
      return false;
    }
    Result<bool> go_on = replayer.take(record);
    if (!go_on && go_on.error().code == ErrorCode::corrupt) {
      // An event that cannot be read or cannot follow is where the record and what should be there part.
      replayer.part(record, go_on.error().message);
      return false;
    }
    if (!go_on) walked = go_on.error();
    return go_on && *go_on;
  }));
  BERNSTEIN_TRY_VOID(walked);
  if (!found)
    return Error{ErrorCode::not_found, "there is no run " + to_string(run) + "; `bernstein status` lists the latest"};
  return replayer.finish(!cut);
}

}  // namespace bernstein::run
