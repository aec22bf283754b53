#include "reader.hpp"

#include <SQLiteCpp/Statement.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <algorithm>

#include "acknowledged.hpp"
#include "bernstein/store/store.hpp"
#include "connection.hpp"
#include "errors.hpp"
#include "migrate.hpp"
#include "query.hpp"
#include "rows.hpp"

namespace bernstein::store {
namespace {

// Hops from run to run along the index: a scan of it would take as long as there are events.
constexpr const char* k_runs =
    "WITH RECURSIVE hop (run) AS ("
    "  SELECT min(run) FROM events"
    "  UNION ALL SELECT (SELECT min(run) FROM events WHERE run > hop.run) FROM hop WHERE hop.run IS NOT NULL) "
    "SELECT run FROM hop WHERE run IS NOT NULL";

std::vector<RunId> select_runs(SQLite::Database& database) {
  std::vector<RunId> runs;
  SQLite::Statement rows(database, k_runs);
  while (rows.executeStep()) {
    if (const auto run = parse_run_id(rows.getColumn(0).getString())) runs.push_back(*run);
  }
  std::ranges::sort(runs);  // r2 before r10
  return runs;
}

enum class Visited { all, as_many_as_wanted };

Result<Visited> visit_rows(SQLite::Statement& rows, const std::function<bool(const Record&)>& visit, Seq& last) {
  Record record;
  while (rows.executeStep()) {
    BERNSTEIN_TRY_VOID(read_record(rows, record));
    last = record.seq;
    if (!visit(record)) return Visited::as_many_as_wanted;
  }
  return Visited::all;
}

// Rows of a run are found by the index. One whose end is damaged would hide the run's last events, and nothing in the
// others tells that they are missing: so the table is asked as well, from its end, where the latest run is at once
// found.
Status check_last(SQLite::Database& database, const std::string& path, RunId run, Seq last) {
  SQLite::Statement row(database, "SELECT seq FROM events NOT INDEXED WHERE run = ? ORDER BY seq DESC LIMIT 1");
  row.bind(1, to_string(run));
  const Seq in_table = row.executeStep() ? row.getColumn(0).getInt64() : 0;
  if (in_table == last) return Ok{};
  return Error{ErrorCode::corrupt, "cannot read '" + path + "': the index of the events leads to event " +
                                       std::to_string(last) + " as the last of " + to_string(run) +
                                       ", the table to event " + std::to_string(in_table) +
                                       ": the database is damaged; keep a copy and put a backup in its place"};
}

// One view of the database for several statements.
class Snapshot {
 public:
  explicit Snapshot(SQLite::Database& database) : database_(database) { database_.exec("SAVEPOINT snapshot"); }
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;
  ~Snapshot() { database_.tryExec("RELEASE snapshot"); }

 private:
  SQLite::Database& database_;
};

}  // namespace

Result<port::LogHead> SqliteReader::head() {
  return guarded(path_, "read", [&]() -> Result<port::LogHead> {
    const Snapshot snapshot(database_);
    port::LogHead head;
    SQLite::Statement last(database_, "SELECT " + std::string(k_columns) + " FROM events ORDER BY seq DESC LIMIT 1");
    if (!last.executeStep()) return head;
    Record record;
    BERNSTEIN_TRY_VOID(read_record(last, record));
    head.last_seq = record.seq;
    head.last_hash = record.hash;
    head.last_run = select_runs(database_).back();
    return head;
  });
}

Result<std::vector<RunId>> SqliteReader::runs() {
  return guarded(path_, "read", [&]() -> Result<std::vector<RunId>> { return select_runs(database_); });
}

Status SqliteReader::read(RunId run, const std::function<bool(const Record&)>& visit) {
  return guarded(path_, "read", [&]() -> Status {
    const Snapshot snapshot(database_);
    SQLite::Statement rows(database_,
                           "SELECT " + std::string(k_columns) + " FROM events WHERE run = ? ORDER BY run_seq");
    rows.bind(1, to_string(run));
    Seq last = 0;
    BERNSTEIN_TRY(const Visited visited, visit_rows(rows, visit, last));
    return visited == Visited::all ? check_last(database_, path_, run, last) : Ok{};
  });
}

Status SqliteReader::read_all(const std::function<bool(const Record&)>& visit) {
  return guarded(path_, "read", [&]() -> Status {
    SQLite::Statement rows(database_, "SELECT " + std::string(k_columns) + " FROM events ORDER BY seq");
    Seq last = 0;
    BERNSTEIN_TRY_VOID(visit_rows(rows, visit, last));
    return Ok{};
  });
}

Result<port::Table> SqliteReader::query(const std::string& sql) {
  return run_query(database_, path_, sql, query_limit_us_);
}

Result<std::unique_ptr<port::EventReader>> open_reader(const std::string& path, Micros query_limit_us) {
  struct stat ignored {};
  if (::stat(path.c_str(), &ignored) != 0 && errno == ENOENT) {
    return Error{ErrorCode::not_found, "there is no '" + path + "'; nothing has run here yet"};
  }
  return guarded(path, "open", [&]() -> Result<std::unique_ptr<port::EventReader>> {
    const Seq acknowledged = acknowledged_in(path);
    SQLite::Database database = connect_reader(path);
    BERNSTEIN_TRY_VOID(check_schema(database, path));
    BERNSTEIN_TRY_VOID(check_end(database, path, acknowledged));
    if (!database.tableExists("events")) {
      return Error{ErrorCode::not_found, "'" + path + "' is empty; nothing has run here yet"};
    }
    return std::unique_ptr<port::EventReader>(
        std::make_unique<SqliteReader>(path, std::move(database), query_limit_us));
  });
}

}  // namespace bernstein::store
