#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>
#include <fcntl.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "acknowledged.hpp"
#include "bernstein/failpoint/failpoint.hpp"
#include "bernstein/store/store.hpp"
#include "connection.hpp"
#include "errors.hpp"
#include "fd.hpp"
#include "file_identity.hpp"
#include "migrate.hpp"
#include "reader.hpp"
#include "rows.hpp"

namespace bernstein::store {
namespace {

class SqliteLog : public port::EventLog {
 public:
  SqliteLog(std::string path, SQLite::Database writer, SQLite::Database reader)
      : path_(std::move(path)),
        writer_(std::move(writer)),
        reader_(path_, std::move(reader), k_query_limit),
        insert_(writer_, "INSERT INTO events (" + std::string(k_columns) + ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)"),
        acknowledged_(path_),
        identity_(identity_of(path_)) {}

  Result<port::LogHead> head() override { return reader_.head(); }
  Result<std::vector<RunId>> runs() override { return reader_.runs(); }
  Status read(RunId run, const std::function<bool(const Record&)>& visit) override { return reader_.read(run, visit); }
  Status read_all(const std::function<bool(const Record&)>& visit) override { return reader_.read_all(visit); }
  Result<Seq> find_passed(const std::string& key) override { return reader_.find_passed(key); }
  Result<std::optional<Resolution>> find_resolution(const ConflictedPath& conflict) override {
    return reader_.find_resolution(conflict);
  }
  Result<port::Table> query(const std::string& sql) override { return reader_.query(sql); }

  Status append(std::span<const Record> records) override {
    if (broken_) {
      return Error{ErrorCode::environment,
                   "'" + path_ + "' is not written any more after an error: " + broken_->message};
    }
    for (const Record& record : records) {
      BERNSTEIN_CHECK(record.hash == chain_hash(record), "an appended record carries its chain hash");
    }
    Status appended = append_checked(records);
    if (!appended && appended.error().code != ErrorCode::conflict) broken_ = appended.error();
    if (appended && !records.empty()) acknowledged_.note(records.back().seq);
    return appended;
  }

 private:
  Status append_checked(std::span<const Record> records) {
    if (!identity_ || identity_of(path_) != identity_) {
      return Error{ErrorCode::environment,
                   "'" + path_ +
                       "' was deleted or replaced from outside while it was in use; nothing more is "
                       "recorded in it: put the file back, then resume"};
    }
    return guarded(path_, "append to", [&]() -> Status {
      BERNSTEIN_FAILPOINT("store.append.before_transaction");
      SQLite::Transaction transaction(writer_, SQLite::TransactionBehavior::IMMEDIATE);
      for (const Record& record : records) {
        if (record.run_seq == 1) BERNSTEIN_TRY_VOID(check_genesis(record));
        insert(record);
      }
      BERNSTEIN_FAILPOINT("store.append.before_commit");
      transaction.commit();
      BERNSTEIN_FAILPOINT("store.append.after_commit");
      return Ok{};
    });
  }

  void insert(const Record& record) {
    const std::string run = to_string(record.run);
    bind_record(insert_, record, run);
    try {
      insert_.exec();
    } catch (...) {
      insert_.tryReset();
      throw;
    }
    insert_.reset();
  }

  // The triggers check every other prev_hash, but SQL has no SHA-256.
  Status check_genesis(const Record& record) {
    Record last;
    BERNSTEIN_TRY(const bool any, RecordRows(writer_, k_last).next(last));
    const Digest before = any ? last.hash : Digest{};
    if (record.prev_hash == run_genesis(record.run, before)) return Ok{};
    return Error{ErrorCode::conflict, "cannot append to '" + path_ + "': prev_hash is not the hash before it"};
  }

  std::string path_;
  SQLite::Database writer_;
  SqliteReader reader_;
  SQLite::Statement insert_;
  Acknowledged acknowledged_;
  std::optional<FileIdentity> identity_;
  std::optional<Error> broken_;  // why nothing is written any more
};

// An empty file of mode 0600 where there is none. SQLite gives its helper files the mode of the database, and makes its
// name durable with that of the -wal.
Status create_file(const std::string& path) {
  if (!identity_of(path)) forget_acknowledged(path);
  const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (file.is_open() || errno == EEXIST) return Ok{};
  return Error{ErrorCode::environment, "cannot create '" + path + "': " + std::strerror(errno) +
                                           "; check that the directory exists and may be written"};
}

}  // namespace

Result<std::unique_ptr<port::EventLog>> open_log(const std::string& path) {
  BERNSTEIN_TRY_VOID(create_file(path));
  // No quick_check, also after a crash: it takes most of a second for 100,000 events, which each start would pay for.
  // Whoever folds events follows their chain, and that finds what it would find.
  return guarded(path, "open", [&]() -> Result<std::unique_ptr<port::EventLog>> {
    const Seq acknowledged = acknowledged_in(path);
    SQLite::Database writer = connect_writer(path);
    BERNSTEIN_TRY_VOID(check_schema(writer, path));
    if (Status whole = check_end(writer, path, acknowledged); !whole) {
      leave_wal(writer);
      return std::move(whole).error();
    }
    BERNSTEIN_FAILPOINT("store.open.before_wal");
    use_wal(writer);
    migrate(writer);
    return std::unique_ptr<port::EventLog>(std::make_unique<SqliteLog>(path, std::move(writer), connect_reader(path)));
  });
}

}  // namespace bernstein::store
