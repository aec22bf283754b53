#pragma once
// Ledger: gives drafts their place in the log: seq, cause, time and hash.
//
//     Ledger ledger(head, run, clock);
//     ledger.begin_turn(at_us, wall_us);
//     Event event = ledger.seal(draft, cause);
//     log.append(ledger.take_records());           // everything sealed since the last take, in order
//
// Sealing does no I/O. Records that were sealed and not appended must not be lost: the next ones continue their chain.

#include <vector>

#include "bernstein/event/event.hpp"
#include "bernstein/port/event_log.hpp"

namespace bernstein::run {

class Ledger {
 public:
  // Starts a new run after `head`, or continues one whose last record is `last`.
  Ledger(const port::LogHead& head, RunId run);
  Ledger(const port::LogHead& head, const Record& last);

  // Times for everything sealed until the next call. The logical clock never goes back: an earlier at_us is lifted.
  void begin_turn(Micros at_us, Micros wall_us);

  Event seal(Draft draft, Seq cause);

  std::vector<Record> take_records();

 private:
  RunId run_;
  Seq next_seq_;
  std::int64_t next_run_seq_;
  Digest prev_hash_;
  Micros at_us_ = 0;
  Micros wall_us_ = 0;
  std::vector<Record> records_;
};

}  // namespace bernstein::run
