#pragma once
// Acknowledged: the seq of the last event whose append has returned, in a file "<database>-seq" beside the database.
//
// SQLite takes a damaged or shortened end of its -wal for a transaction that was never committed, and an empty file for
// a new database: events that were durable would be gone without a word, and the chain of those before them would hold.
// The note is written after the commit and never synced. So it may lag behind the log (after power loss), which tells
// nothing, but it is never ahead of it unless the log has lost events.

#include <SQLiteCpp/Database.h>

#include <string>

#include "bernstein/base/id.hpp"
#include "bernstein/base/result.hpp"
#include "fd.hpp"

namespace bernstein::store {

class Acknowledged {
 public:
  explicit Acknowledged(const std::string& database_path);

  // Best effort: a note that cannot be written is one that lags behind.
  void note(Seq last);

 private:
  Fd file_;
};

// The note beside a database; 0 when there is none that can be read. Take it before the database is looked at: a writer
// may go on in between.
Seq acknowledged_in(const std::string& database_path);

// For a new database in the place of one that somebody has moved away.
void forget_acknowledged(const std::string& database_path);

// ErrorCode::corrupt when the database ends before that event.
Status check_end(SQLite::Database& database, const std::string& path, Seq acknowledged);

}  // namespace bernstein::store
