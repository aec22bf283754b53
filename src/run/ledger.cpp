#include "bernstein/run/ledger.hpp"

#include <algorithm>
#include <utility>

#include "bernstein/event/codec.hpp"

namespace bernstein::run {

Ledger::Ledger(const port::LogHead& head, RunId run)
    : run_(run), next_seq_(head.last_seq + 1), next_run_seq_(1), prev_hash_(run_genesis(run, head.last_hash)) {}

Ledger::Ledger(const port::LogHead& head, const Record& last)
    : run_(last.run),
      next_seq_(head.last_seq + 1),
      next_run_seq_(last.run_seq + 1),
      prev_hash_(last.hash),
      at_us_(last.at_us) {}

void Ledger::begin_turn(Micros at_us, Micros wall_us) {
  at_us_ = std::max(at_us_, at_us);
  wall_us_ = wall_us;
}

Event Ledger::seal(Draft draft, Seq cause) {
  Event event{.seq = next_seq_++,
              .run = run_,
              .run_seq = next_run_seq_++,
              .cause = cause,
              .subject = draft.subject,
              .at_us = at_us_,
              .wall_us = wall_us_,
              .body = std::move(draft.body)};
  Record record = to_record(event);
  record.prev_hash = prev_hash_;
  record.hash = chain_hash(record);
  prev_hash_ = record.hash;
  event.hash = record.hash;
  records_.push_back(std::move(record));
  return event;
}

std::vector<Record> Ledger::take_records() {
  return std::exchange(records_, {});
}

}  // namespace bernstein::run
