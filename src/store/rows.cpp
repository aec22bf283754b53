#include "rows.hpp"

#include <SQLiteCpp/Column.h>

#include <algorithm>
#include <limits>
#include <string_view>

namespace bernstein::store {
namespace {

std::string_view text_at(SQLite::Statement& row, int index) {
  const SQLite::Column column = row.getColumn(index);
  const char* text = column.getText("");  // before getBytes: it decides the encoding that is counted
  return {text, static_cast<std::size_t>(column.getBytes())};
}

bool read_digest(SQLite::Statement& row, int index, Digest& digest) {
  const SQLite::Column column = row.getColumn(index);
  if (!column.isBlob() || column.getBytes() != static_cast<int>(digest.size())) return false;
  const auto* bytes = static_cast<const std::uint8_t*>(column.getBlob());
  std::copy(bytes, bytes + digest.size(), digest.begin());
  return true;
}

bool read_run(std::string_view text, RunId& run) {
  // Nearly always the run of the row before.
  if (run.number != 0 && to_string(run) == text) return true;
  const std::optional<RunId> parsed = parse_run_id(text);
  if (!parsed || to_string(*parsed) != text) return false;
  run = *parsed;
  return true;
}

void bind_digest(SQLite::Statement& statement, int index, const Digest& digest) {
  statement.bindNoCopy(index, digest.data(), static_cast<int>(digest.size()));
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

Status read_record(SQLite::Statement& row, Record& record) {
  const auto wrong = [&](const char* column) {
    return Error{ErrorCode::corrupt, "event " + std::to_string(record.seq) + ": the column " + column +
                                         " holds what Bernstein does not write; 'bernstein audit' says more"};
  };
  record.seq = row.getColumn(0).getInt64();
  if (!read_run(text_at(row, 1), record.run)) return wrong("run");
  record.run_seq = row.getColumn(2).getInt64();
  if (!from_word(text_at(row, 3), record.kind)) return wrong("kind");
  record.type = text_at(row, 4);
  const std::int64_t version = row.getColumn(5).getInt64();
  if (version < 1 || version > std::numeric_limits<int>::max()) return wrong("version");
  record.version = static_cast<int>(version);
  record.cause = row.getColumn(6).getInt64();
  record.subject = text_at(row, 7);
  record.at_us = row.getColumn(8).getInt64();
  record.wall_us = row.getColumn(9).getInt64();
  record.payload = text_at(row, 10);
  if (!read_digest(row, 11, record.prev_hash)) return wrong("prev_hash");
  if (!read_digest(row, 12, record.hash)) return wrong("hash");
  return Ok{};
}

}  // namespace bernstein::store
