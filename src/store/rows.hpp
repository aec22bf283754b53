#pragma once
// Records ⇄ rows of the table events.

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <sqlite3.h>

#include <memory>
#include <optional>
#include <string>

#include "bernstein/base/result.hpp"
#include "bernstein/event/record.hpp"

namespace bernstein::store {

// The columns in the order in which bind_record and RecordRows take them.
inline constexpr const char* k_columns =
    "seq, run, run_seq, kind, type, version, cause, subject, at_us, wall_us, payload, prev_hash, hash";
inline constexpr int k_column_count = 13;

// What gives the last event of the file.
inline constexpr const char* k_last = "FROM events ORDER BY seq DESC LIMIT 1";

// Binds without copying: the record must live until the statement has run.
void bind_record(SQLite::Statement& statement, const Record& record, const std::string& run);

// The rows of events that a SELECT gives, as records:
//
//     RecordRows rows(database, "FROM events ORDER BY seq");
//     Record record;
//     while (true) { BERNSTEIN_TRY(const bool more, rows.next(record)); if (!more) break; ... }
//
// On SQLite's own statement: SQLiteCpp makes an object for each column, a tenth of the time of a look at a long run.
class RecordRows {
 public:
  // `from`: what follows the columns; its parameter ?1, when it has one, is `run`. Throws SQLite::Exception.
  RecordRows(SQLite::Database& database, const std::string& from, std::optional<RunId> run = std::nullopt);

  // Into `record`, the same one for all rows: its strings keep their memory. False after the last row;
  // ErrorCode::corrupt for what we cannot have written. Throws SQLite::Exception.
  Result<bool> next(Record& record);

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };

  sqlite3* database_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  std::string run_;  // that of the row before, nearly always the next one's
};

}  // namespace bernstein::store
