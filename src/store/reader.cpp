#include "reader.hpp"

#include <SQLiteCpp/Statement.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "acknowledged.hpp"
#include "bernstein/base/text.hpp"
#include "bernstein/store/store.hpp"
#include "connection.hpp"
#include "errors.hpp"
#include "migrate.hpp"
#include "query.hpp"
#include "rows.hpp"

namespace bernstein::store {
namespace {

constexpr int k_damages_max = 5;  // more say no more

// Interrupts what a connection does when its time is up. A thread, for the check of pages that SQLite 3.40 makes looks
// for interruptions and calls no progress handler. The connection must outlive it.
class Interrupter {
 public:
  Interrupter(sqlite3* database, Micros limit_us)
      : thread_([this, database, limit_us] {
          std::unique_lock lock(mutex_);
          if (over_.wait_for(lock, std::chrono::microseconds(limit_us), [this] { return done_; })) return;
          fired_ = true;
          sqlite3_interrupt(database);
        }) {}
  Interrupter(const Interrupter&) = delete;
  Interrupter& operator=(const Interrupter&) = delete;
  ~Interrupter() {
    {
      const std::lock_guard lock(mutex_);
      done_ = true;
    }
    over_.notify_one();
    thread_.join();
  }

  bool has_fired() const { return fired_; }

 private:
  std::mutex mutex_;
  std::condition_variable over_;
  bool done_ = false;
  std::atomic<bool> fired_ = false;
  std::thread thread_;  // the last: it uses the others
};

// Hops from run to run along the index: a scan of it would take as long as there are events.
constexpr const char* k_runs =
    "WITH RECURSIVE hop (run) AS ("
    "  SELECT min(run) FROM events"
    "  UNION ALL SELECT (SELECT min(run) FROM events WHERE run > hop.run) FROM hop WHERE hop.run IS NOT NULL) "
    "SELECT run FROM hop WHERE run IS NOT NULL";

// A scan of the table from the run's first row, not along the index: that would look each row up (a third of the time
// of a look at a long run), and an index with a damaged end would hide the run's last events, of which nothing in the
// others tells that they are missing. One with a damaged beginning makes the scan begin too late, which the chain
// tells.
constexpr const char* k_of_one_run =
    "FROM events NOT INDEXED"
    " WHERE run = ?1"
    "   AND seq >= coalesce((SELECT seq FROM events WHERE run = ?1 ORDER BY run_seq LIMIT 1), 0)"
    " ORDER BY seq";

std::vector<RunId> select_runs(SQLite::Database& database) {
  std::vector<RunId> runs;
  SQLite::Statement rows(database, k_runs);
  while (rows.executeStep()) {
    if (const auto run = parse_run_id(rows.getColumn(0).getString())) runs.push_back(*run);
  }
  std::ranges::sort(runs);  // r2 before r10
  return runs;
}

// The seq of the last row; nothing when `visit` wanted no more.
Result<std::optional<Seq>> visit_rows(RecordRows rows, const std::function<bool(const Record&)>& visit) {
  Record record;
  while (true) {
    BERNSTEIN_TRY(const bool more, rows.next(record));
    if (!more) return std::optional(record.seq);
    if (!visit(record)) return std::optional<Seq>();
  }
}

// A damaged row whose run can no longer be read is passed over by the scan. Within the run the chain tells; that it was
// the last one, the index does.
Status check_last(SQLite::Database& database, const std::string& path, RunId run, Seq scanned) {
  SQLite::Statement row(database, "SELECT seq FROM events WHERE run = ? ORDER BY run_seq DESC LIMIT 1");
  row.bind(1, to_string(run));
  const Seq indexed = row.executeStep() ? row.getColumn(0).getInt64() : 0;
  if (indexed <= scanned) return Ok{};
  return Error{ErrorCode::corrupt, "cannot read '" + path + "': the index of the events leads to event " +
                                       std::to_string(indexed) + " as the last of " + to_string(run) +
                                       ", the table to event " + std::to_string(scanned) +
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
    Record record;
    BERNSTEIN_TRY(const bool any, RecordRows(database_, k_last).next(record));
    if (!any) return head;
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
    BERNSTEIN_TRY(const std::optional<Seq> last, visit_rows(RecordRows(database_, k_of_one_run, run), visit));
    return last ? check_last(database_, path_, run, *last) : Ok{};
  });
}

Status SqliteReader::read_all(const std::function<bool(const Record&)>& visit) {
  return guarded(path_, "read", [&]() -> Status {
    BERNSTEIN_TRY_VOID(visit_rows(RecordRows(database_, "FROM events ORDER BY seq"), visit));
    return Ok{};
  });
}

// Both go along a partial index of their own (migrations/0003_recall.sql), whose expressions have to be spelled as
// there.
Result<Seq> SqliteReader::find_passed(const std::string& key) {
  return guarded(path_, "read", [&]() -> Result<Seq> {
    SQLite::Statement last(database_,
                           "SELECT seq, json_extract(payload, '$.verdict') = 'passed' FROM events"
                           " WHERE type = 'CheckFinished' AND json_extract(payload, '$.key') = ?"
                           " AND NOT json_extract(payload, '$.stopped') ORDER BY seq DESC LIMIT 1");
    last.bind(1, key);
    if (!last.executeStep()) return Seq{0};
    return last.getColumn(1).getInt() != 0 ? last.getColumn(0).getInt64() : Seq{0};
  });
}

Result<std::optional<Resolution>> SqliteReader::find_resolution(const ConflictedPath& conflict) {
  return guarded(path_, "read", [&]() -> Result<std::optional<Resolution>> {
    SQLite::Statement last(
        database_,
        "SELECT json_extract(known.value, '$.result') FROM events, json_each(payload, '$.resolutions') AS known"
        " WHERE type = 'MergeLanded' AND json_extract(payload, '$.resolutions[0]') IS NOT NULL"
        " AND json_extract(known.value, '$.base') = ? AND json_extract(known.value, '$.ours') = ?"
        " AND json_extract(known.value, '$.theirs') = ? ORDER BY seq DESC LIMIT 1");
    last.bind(1, conflict.base);
    last.bind(2, conflict.ours);
    last.bind(3, conflict.theirs);
    if (!last.executeStep()) return std::optional<Resolution>();
    return std::optional(Resolution{conflict.base, conflict.ours, last.getColumn(0).getString(), conflict.theirs});
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

Result<DamageReport> find_damage(const std::string& path, Micros limit_us) {
  return guarded(path, "check", [&]() -> Result<DamageReport> {
    SQLite::Database database = connect_reader(path);
    SQLite::Statement rows(database, "PRAGMA quick_check(" + std::to_string(k_damages_max) + ")");
    Interrupter interrupter(database.getHandle(), limit_us);
    DamageReport report;
    try {
      while (rows.executeStep()) {
        // Pages that an interrupted check has not come to are called unused by it: that is no damage.
        if (interrupter.has_fired()) return (report.finished = false, report);
        const std::string answer = rows.getColumn(0).getString();  // "ok", or lines below "*** in database main ***"
        for (const std::string_view line : split(answer, '\n'))
          if (!line.empty() && line != "ok" && !line.starts_with("***")) report.damages.emplace_back(line);
      }
    } catch (const SQLite::Exception& exception) {
      if (exception.getErrorCode() != SQLITE_INTERRUPT) throw;
      report.finished = false;
    }
    return report;
  });
}

std::string sqlite_version() {
  return sqlite3_libversion();
}

}  // namespace bernstein::store
