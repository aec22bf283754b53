#pragma once
// Records ⇄ rows of the table events.

#include <SQLiteCpp/Statement.h>

#include "bernstein/base/result.hpp"
#include "bernstein/event/record.hpp"

namespace bernstein::store {

// The columns in the order in which bind_record and read_record take them.
inline constexpr const char* k_columns =
    "seq, run, run_seq, kind, type, version, cause, subject, at_us, wall_us, payload, prev_hash, hash";
inline constexpr int k_column_count = 13;

// Binds without copying: the record must live until the statement has run.
void bind_record(SQLite::Statement& statement, const Record& record, const std::string& run);

// Into `record`, whose strings keep their memory from row to row. ErrorCode::corrupt for what we cannot have written.
Status read_record(SQLite::Statement& statement, Record& record);

}  // namespace bernstein::store
