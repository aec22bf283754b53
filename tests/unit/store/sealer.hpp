#pragma once
// Sealer: events as records that continue a log, without the machinery of a run.
//
//     Sealer sealer;
//     log.append(sealer.take({{about_run(), RunStarted{...}}, ...}));       // of run r1
//     sealer.in(RunId{2}).take(...)

#include <initializer_list>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "bernstein/event/codec.hpp"
#include "bernstein/event/event.hpp"
#include "bernstein/port/event_log.hpp"

namespace bernstein::test {

// 2026-03-01T00:00:00Z: the wall clock of the first event; each later one is a second after.
inline constexpr Micros k_first_wall_us = 1'772'323'200'000'000;

class Sealer {
 public:
  Sealer& in(RunId run) { return run_ = run, *this; }

  Record next(Draft draft) {
    const auto [before, is_first] = runs_.try_emplace(run_);
    Record record = to_record(Event{.seq = ++seq_,
                                    .run = run_,
                                    .run_seq = before->second.run_seq + 1,
                                    .cause = seq_ - 1,
                                    .subject = draft.subject,
                                    .at_us = seq_ * k_second,
                                    .wall_us = k_first_wall_us + (seq_ - 1) * k_second,
                                    .body = std::move(draft.body)});
    record.prev_hash = is_first ? run_genesis(run_, last_) : before->second.hash;
    record.hash = chain_hash(record);
    before->second = record;
    last_ = record.hash;
    return record;
  }

  std::vector<Record> take(std::vector<Draft> drafts) {
    std::vector<Record> records;
    for (Draft& draft : drafts) records.push_back(next(std::move(draft)));
    return records;
  }

 private:
  RunId run_{1};
  Seq seq_ = 0;
  Digest last_{};
  std::map<RunId, Record> runs_;  // the last record of each
};

inline Record rehashed(Record record) {
  record.hash = chain_hash(record);
  return record;
}

inline Draft a_draft(const std::string& why) {
  return {about(TaskId{4}), TaskReadied{.why = why}};
}

inline std::vector<Record> all_records(port::EventReader& reader) {
  std::vector<Record> records;
  const Status read = reader.read_all([&](const Record& record) { return records.push_back(record), true; });
  BERNSTEIN_CHECK(read.has_value(), "the log can be read");
  return records;
}

}  // namespace bernstein::test
