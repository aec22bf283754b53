#pragma once
// What Bernstein keeps in .sdd: the event log (SQLite), the blobs (files), and the lock that says who writes them.
//
//     BERNSTEIN_TRY(auto lock, store::acquire_lock(".sdd/lock"));        // ErrorCode::busy: somebody else is at work
//     BERNSTEIN_TRY(auto log, store::open_log(".sdd/state.db"));         // creates it when there is none
//     BERNSTEIN_TRY(auto reader, store::open_reader(".sdd/state.db"));   // any number, in any process
//     BERNSTEIN_TRY(auto blobs, store::open_blobs(".sdd/blobs"));
//
// Files are made for their owner only (mode 0600). Errors name the path and what to do. Objects may be used by one
// thread at a time; each has its own connection, so several of them get along.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bernstein/base/result.hpp"
#include "bernstein/base/units.hpp"
#include "bernstein/port/blob_store.hpp"
#include "bernstein/port/event_log.hpp"
#include "bernstein/port/ownership.hpp"

namespace bernstein::store {

// A query that runs longer ends with an error, so that a careless join cannot hold a terminal or a web page for ever.
inline constexpr Micros k_query_limit = 60 * k_second;

// A search for damage reads the whole file, which may be large and on a slow disk.
inline constexpr Micros k_damage_limit = 10 * k_second;

// The writer. Creates the file where there is none and brings the schema up to date. There must be one writer at a time
// (acquire_lock): a second one is refused record by record with ErrorCode::conflict, not kept out.
//
// append also fails, for good, when the file was deleted or replaced while it was open (ErrorCode::environment).
//
// Errors: ErrorCode::environment (directory missing, permissions, disk full, locked by another process),
// ErrorCode::corrupt (not a database, damaged, not Bernstein's, written by a newer version, or shorter than it was: a
// file "<path>-seq" beside it says which event the log ended with).
Result<std::unique_ptr<port::EventLog>> open_log(const std::string& path);

// A reader: cannot write, creates nothing, leaves checkpoints to the writer. ErrorCode::not_found when there is no
// file.
Result<std::unique_ptr<port::EventReader>> open_reader(const std::string& path, Micros query_limit_us = k_query_limit);

struct DamageReport {
  std::vector<std::string> damages;  // a sentence each
  bool finished = true;              // false: its time was up; what it had not come to may be damaged
  bool operator==(const DamageReport&) const = default;
};

// What SQLite finds wrong with the pages of a database (PRAGMA quick_check), no longer than `limit_us`. Only reads, all
// of the file. Whether the events in it are those that were written, an audit tells. Errors as of open_reader.
Result<DamageReport> find_damage(const std::string& path, Micros limit_us = k_damage_limit);

// "3.40.1": of the SQLite that is loaded.
std::string sqlite_version();

// Creates the directory where there is none.
Result<std::unique_ptr<port::BlobStore>> open_blobs(const std::string& directory);

// Held as long as the object lives; the kernel releases it when the process ends, however it ends. It locks the file,
// not the path: when the file is deleted or replaced, still_ours() tells.
class Lock : public port::Ownership {
 public:
  // Says in the file which run its owner works on ("r3"), for those who look. Until then it works on none.
  virtual Status work_on(const std::string& run) = 0;
};

// How long whoever comes second waits for the first one to write its pid.
inline constexpr Micros k_owner_wait = k_second / 5;

// ErrorCode::busy when another process holds it: the message names its pid, and the run that it works on.
Result<std::unique_ptr<Lock>> acquire_lock(const std::string& path);

struct Owner {
  std::int64_t pid = 0;
  std::string run;  // "r3"; "" while it works on none, as `bernstein clean` does
};

// Who holds the lock; nothing when nobody does, or whoever does has not written its pid yet. Looking turns nobody away.
std::optional<Owner> find_owner(const std::string& path);

}  // namespace bernstein::store
