#pragma once
// Record: one event as it is stored, byte for byte, and the hash chain over a run's records.
//
//     Record record = ...;                             // everything but hash
//     record.hash = chain_hash(record);
//
// The chain (docs/event-log.md): hash = SHA-256 over a domain separator, every stored column but `hash`, and the previous
// hash; lengths are 32-bit and integers 64-bit, big-endian. A second implementation, in Python, is tools/verify-log.

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

constexpr bool is_observed(Kind kind) { return kind == Kind::input || kind == Kind::result; }

struct Record {
  Seq seq = 0;                  // gapless from 1 over the file
  RunId run;
  std::int64_t run_seq = 0;     // gapless from 1 within the run
  Kind kind = Kind::input;
  std::string type;             // "TaskCreated"
  int version = 1;              // of the payload's meaning
  Seq cause = 0;                // seq of the observed event that led here; of a result: its intent; 0 for a first cause
  std::string subject;          // "run", "t4" or "t4.2"
  Micros at_us = 0;             // the run's logical clock: µs since its start, never decreasing; decisions may read it
  Micros wall_us = 0;           // µs since the epoch, for people and commit dates; decisions never read it
  std::string payload;          // canonical JSON (event/codec.hpp)
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
