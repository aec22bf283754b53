#include "query.hpp"

#include <sqlite3.h>

#include <charconv>
#include <chrono>
#include <cmath>
#include <cstring>
#include <memory>

#include "bernstein/base/text.hpp"
#include "errors.hpp"

namespace bernstein::store {
namespace {

using Clock = std::chrono::steady_clock;
using port::Table;

constexpr const char* k_would_write = "it would do more than read the events and views; write one SELECT";

struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using StatementHandle = std::unique_ptr<sqlite3_stmt, Finalize>;

int only_reads(void*, int action, const char*, const char* name, const char*, const char*) {
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_RECURSIVE:
      return SQLITE_OK;
    case SQLITE_FUNCTION:
      return name != nullptr && std::strcmp(name, "load_extension") == 0 ? SQLITE_DENY : SQLITE_OK;
    default:
      return SQLITE_DENY;
  }
}

int is_past(void* deadline) {
  return Clock::now() > *static_cast<const Clock::time_point*>(deadline) ? 1 : 0;
}

// Authorizer and deadline of a connection, as long as a query runs on it.
class Guards {
 public:
  Guards(sqlite3* database, Micros limit_us)
      : database_(database), deadline_(Clock::now() + std::chrono::microseconds(limit_us)) {
    constexpr int k_steps_between_looks = 10'000;  // about a millisecond
    sqlite3_set_authorizer(database_, only_reads, nullptr);
    sqlite3_progress_handler(database_, k_steps_between_looks, is_past, &deadline_);
  }
  Guards(const Guards&) = delete;
  Guards& operator=(const Guards&) = delete;
  ~Guards() {
    sqlite3_set_authorizer(database_, nullptr, nullptr);
    sqlite3_progress_handler(database_, 0, nullptr, nullptr);
  }

 private:
  sqlite3* database_;
  Clock::time_point deadline_;
};

Error refused(const std::string& why) {
  return {ErrorCode::invalid_input, "cannot answer the query: " + why};
}

// SQLite declares the table of json_each when a connection first uses it, by a CREATE TABLE that the authorizer would
// deny.
void declare_json_tables(sqlite3* database) {
  sqlite3_stmt* statement = nullptr;
  sqlite3_prepare_v2(database, "SELECT 1 FROM json_each('[]'), json_tree('[]')", -1, &statement, nullptr);
  sqlite3_finalize(statement);
}

Error failure(sqlite3* database, const std::string& path, Micros limit_us) {
  const int code = sqlite3_extended_errcode(database);
  const char* message = sqlite3_errmsg(database);
  switch (code & 0xff) {
    case SQLITE_AUTH:
      return refused(k_would_write);
    case SQLITE_INTERRUPT:
      return refused("it took longer than " + format_duration(limit_us) + "; ask for less, or for one run");
    case SQLITE_ERROR:
    case SQLITE_MISMATCH:
    case SQLITE_RANGE:
    case SQLITE_TOOBIG:
      // A denied function or table-valued pragma is an ordinary error to SQLite.
      return refused(std::string_view(message).starts_with("not authorized") ? k_would_write : message);
    default:
      return sqlite_error(path, "query", code, message);
  }
}

std::string hex_of(const void* bytes, int size) {
  constexpr std::string_view k_digits = "0123456789abcdef";
  const auto* at = static_cast<const unsigned char*>(bytes);
  std::string hex;
  hex.reserve(static_cast<std::size_t>(size) * 2);
  for (int i = 0; i < size; ++i) hex.append(1, k_digits[at[i] >> 4]).append(1, k_digits[at[i] & 15]);
  return hex;
}

Table::Cell real_cell(double value) {
  // JSON and CSV have no word for it, so it is text.
  if (!std::isfinite(value)) return {Table::Type::text, value > 0 ? "inf" : "-inf"};
  char digits[32];
  const auto [end, error] = std::to_chars(std::begin(digits), std::end(digits), value);
  return {Table::Type::real, std::string(digits, end)};
}

Table::Cell cell_at(sqlite3_stmt* row, int index) {
  switch (sqlite3_column_type(row, index)) {
    case SQLITE_NULL:
      return {};
    case SQLITE_INTEGER:
      return {Table::Type::integer, std::to_string(sqlite3_column_int64(row, index))};
    case SQLITE_FLOAT:
      return real_cell(sqlite3_column_double(row, index));
    case SQLITE_BLOB:
      return {Table::Type::text, hex_of(sqlite3_column_blob(row, index), sqlite3_column_bytes(row, index))};
    default: {
      const void* text = sqlite3_column_text(row, index);
      std::string bytes(static_cast<const char*>(text), static_cast<std::size_t>(sqlite3_column_bytes(row, index)));
      return {Table::Type::text, is_valid_utf8(bytes) ? std::move(bytes) : printable_utf8(bytes)};
    }
  }
}

}  // namespace

Result<Table> run_query(SQLite::Database& connection, const std::string& path, const std::string& sql, Micros limit_us,
                        std::size_t bytes_max) {
  sqlite3* database = connection.getHandle();
  declare_json_tables(database);
  const Guards guards(database, limit_us);
  const auto prepare = [&](const char*& text) {
    sqlite3_stmt* statement = nullptr;
    const int code = sqlite3_prepare_v2(database, text, -1, &statement, &text);
    return std::pair(code, StatementHandle(statement));
  };

  if (sql.find('\0') != std::string::npos) return refused("it contains a NUL character");
  const char* text = sql.c_str();
  const auto [code, statement] = prepare(text);
  if (code != SQLITE_OK) return failure(database, path, limit_us);
  if (!statement) return refused("it is empty; write one SELECT");
  // What follows may be blank or a comment, which prepare as nothing.
  const auto [more_code, more] = prepare(text);
  if (more_code != SQLITE_OK || more) return refused("there is more than one statement; write one SELECT");
  if (sqlite3_stmt_readonly(statement.get()) == 0) return refused(k_would_write);

  Table table;
  const int columns = sqlite3_column_count(statement.get());
  for (int i = 0; i < columns; ++i) table.columns.emplace_back(sqlite3_column_name(statement.get(), i));
  std::size_t bytes = 0;
  int step = SQLITE_ROW;
  while ((step = sqlite3_step(statement.get())) == SQLITE_ROW) {
    std::vector<Table::Cell>& row = table.rows.emplace_back();
    for (int i = 0; i < columns; ++i) {
      row.push_back(cell_at(statement.get(), i));
      bytes += sizeof(Table::Cell) + row.back().text.size();
    }
    if (bytes > bytes_max) {
      return refused("the answer is larger than " + std::to_string(bytes_max >> 20) + " MB; ask for less");
    }
  }
  if (step != SQLITE_DONE) return failure(database, path, limit_us);
  return table;
}

}  // namespace bernstein::store
