#include "rows.hpp"

#include <SQLiteCpp/Exception.h>

#include <algorithm>
#include <limits>
#include <string_view>

namespace bernstein::store {
namespace {

std::string_view text_at(sqlite3_stmt* row, int index) {
  const auto* text = sqlite3_column_text(row, index);  // before the bytes are counted: it decides their encoding
  if (text == nullptr) return "";
  return {reinterpret_cast<const char*>(text), static_cast<std::size_t>(sqlite3_column_bytes(row, index))};
}

bool read_digest(sqlite3_stmt* row, int index, Digest& digest) {
  if (sqlite3_column_type(row, index) != SQLITE_BLOB) return false;
  const auto* bytes = static_cast<const std::uint8_t*>(sqlite3_column_blob(row, index));
  if (sqlite3_column_bytes(row, index) != static_cast<int>(digest.size())) return false;
  std::copy(bytes, bytes + digest.size(), digest.begin());
  return true;
}

bool read_run(std::string_view text, RunId& run) {
  const std::optional<RunId> parsed = parse_run_id(text);
  if (!parsed || to_string(*parsed) != text) return false;
  run = *parsed;
  return true;
}

void bind_digest(SQLite::Statement& statement, int index, const Digest& digest) {
  statement.bindNoCopy(index, digest.data(), static_cast<int>(digest.size()));
}

Status read_record(sqlite3_stmt* row, Record& record, std::string& run) {
  const auto wrong = [&](const char* column) {
    return Error{ErrorCode::corrupt, "event " + std::to_string(record.seq) + ": the column " + column +
                                         " holds what Bernstein does not write; 'bernstein audit' says more"};
  };
  record.seq = sqlite3_column_int64(row, 0);
  if (const std::string_view text = text_at(row, 1); text != run) {
    if (!read_run(text, record.run)) return wrong("run");
    run = text;
  }
  record.run_seq = sqlite3_column_int64(row, 2);
  if (!from_word(text_at(row, 3), record.kind)) return wrong("kind");
  record.type = text_at(row, 4);
  const std::int64_t version = sqlite3_column_int64(row, 5);
  if (version < 1 || version > std::numeric_limits<int>::max()) return wrong("version");
  record.version = static_cast<int>(version);
  record.cause = sqlite3_column_int64(row, 6);
  record.subject = text_at(row, 7);
  record.at_us = sqlite3_column_int64(row, 8);
  record.wall_us = sqlite3_column_int64(row, 9);
  record.payload = text_at(row, 10);
  if (!read_digest(row, 11, record.prev_hash)) return wrong("prev_hash");
  if (!read_digest(row, 12, record.hash)) return wrong("hash");
  return Ok{};
}

}  // namespace

void bind_record(SQLite::Statement& statement, const Record& record, const std::string& run) {
  statement.bind(1, record.seq);
  statement.bindNoCopy(2, run);
  statement.bind(3, record.run_seq);
  statement.bindNoCopy(4, to_word(record.kind).data());
  statement.bindNoCopy(5, record.type);
  statement.bind(6, record.version);
  statement.bind(7, record.cause);
  statement.bindNoCopy(8, record.subject);
  statement.bind(9, record.at_us);
  statement.bind(10, record.wall_us);
  statement.bindNoCopy(11, record.payload);
  bind_digest(statement, 12, record.prev_hash);
  bind_digest(statement, 13, record.hash);
}

RecordRows::RecordRows(SQLite::Database& database, const std::string& from, std::optional<RunId> run)
    : database_(database.getHandle()) {
  const std::string sql = "SELECT " + std::string(k_columns) + " " + from;
  sqlite3_stmt* statement = nullptr;
  const int prepared = sqlite3_prepare_v2(database_, sql.c_str(), static_cast<int>(sql.size()), &statement, nullptr);
  statement_.reset(statement);
  if (prepared != SQLITE_OK) throw SQLite::Exception(database_, prepared);
  if (!run) return;
  const std::string text = to_string(*run);
  const int bound = sqlite3_bind_text(statement, 1, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
  if (bound != SQLITE_OK) throw SQLite::Exception(database_, bound);
}

Result<bool> RecordRows::next(Record& record) {
  const int stepped = sqlite3_step(statement_.get());
  if (stepped == SQLITE_DONE) return false;
  if (stepped != SQLITE_ROW) throw SQLite::Exception(database_, stepped);
  BERNSTEIN_TRY_VOID(read_record(statement_.get(), record, run_));
  return true;
}

}  // namespace bernstein::store
