#pragma once
// Record: one event as it is stored, byte for byte, and the hash chain over a run's records.
//
//     Record record = ...;                             // everything but hash
//     record.hash = chain_hash(record);
//
// The bytes, for whoever checks them with other means (tools/verify-log does, in Python):
//
//     text(x)  = length of x in bytes as u32, then its UTF-8 bytes         integers are big-endian
//     int(n)   = n as i64, two's complement
//
//     hash = SHA-256(text("bernstein-event/1") int(seq) text(run) int(run_seq) text(kind) text(type) int(version)
//                    int(cause) text(subject) int(at_us) int(wall_us) text(payload) prev_hash)
//
// in that order, columns as they are stored ("r1", "decision", "t4.2"), prev_hash as its 32 bytes. prev_hash is the
// hash of the run's previous record; for its first record it is
//
//     genesis = SHA-256(text("bernstein-run/1") text(run) last)
//
// where last is the hash of the record that stands before it in the file, of whatever run; 32 zero bytes when it is the
// first. A change of any of this is a new domain separator.

#include <cstdint>
#include <string>
#include <string_view>

#include "bernstein/base/id.hpp"
#include "bernstein/base/sha256.hpp"
#include "bernstein/base/units.hpp"
#include "bernstein/event/fields.hpp"

namespace bernstein {

// input: seen from outside. decision: what follows from the state. intent: an effect that is about to start.
// result: how the effect of an intent ended. Inputs and results drive the run; the other two are derived from them.
enum class Kind { input, decision, intent, result, count_ };
BERNSTEIN_ENUM_WORDS(Kind, "input", "decision", "intent", "result");

constexpr bool is_observed(Kind kind) {
  return kind == Kind::input || kind == Kind::result;
}

struct Record {
  Seq seq = 0;  // gapless from 1 over the file
  RunId run;
  std::int64_t run_seq = 0;  // gapless from 1 within the run
  Kind kind = Kind::input;
  std::string type;     // "TaskCreated"
  int version = 1;      // of the payload's meaning
  Seq cause = 0;        // seq of the observed event that led here; of a result: its intent; 0 for a first cause
  std::string subject;  // "run", "t4" or "t4.2"
  Micros at_us = 0;     // the run's logical clock: µs since its start, never decreasing; decisions may read it
  Micros wall_us = 0;   // µs since the epoch, for people and commit dates; decisions never read it
  std::string payload;  // canonical JSON (event/codec.hpp)
  Digest prev_hash{};
  Digest hash{};

  bool operator==(const Record&) const = default;
};

// The hash that belongs into record.hash; reads every other column.
Digest chain_hash(const Record& record);

// prev_hash of a run's first record: binds the run to the last record before it in the file (zeros when there is none),
// so that a run that was cut out shows.
Digest run_genesis(RunId run, const Digest& last_hash_before);

}  // namespace bernstein
