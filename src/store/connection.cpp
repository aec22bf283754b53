#include "connection.hpp"

#include <SQLiteCpp/Exception.h>
#include <sqlite3.h>

namespace bernstein::store {
namespace {

void set_option(SQLite::Database& database, int option, int value) {
  sqlite3_db_config(database.getHandle(), option, value, nullptr);
}

// What a schema or a page that somebody tampered with may not do to us. TRUSTED_SCHEMA stays on: SQLite 3.40 counts the
// JSON functions of our views as unsafe without it, and we register no function that a view could misuse.
void harden(SQLite::Database& database) {
  set_option(database, SQLITE_DBCONFIG_DEFENSIVE, 1);
  set_option(database, SQLITE_DBCONFIG_DQS_DDL, 0);
  set_option(database, SQLITE_DBCONFIG_DQS_DML, 0);  // a misspelled "column" is an error, not a string
  database.exec("PRAGMA cell_size_check = ON");
}

}  // namespace

SQLite::Database connect_writer(const std::string& path) {
  SQLite::Database database(path, SQLite::OPEN_READWRITE, k_busy_timeout_ms);
  harden(database);
  database.exec("PRAGMA synchronous = FULL");
  database.exec("PRAGMA journal_size_limit = " + std::to_string(k_wal_bytes_kept));
  database.exec("PRAGMA recursive_triggers = ON");  // REPLACE fires DELETE triggers
  return database;
}

void use_wal(SQLite::Database& database) {
  const std::string mode = database.execAndGet("PRAGMA journal_mode = WAL").getString();
  if (mode != "wal") throw SQLite::Exception("this file system has no shared memory for WAL", SQLITE_CANTOPEN);
}

void leave_wal(SQLite::Database& database) {
  set_option(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1);
}

SQLite::Database connect_reader(const std::string& path) {
  SQLite::Database database(path, SQLite::OPEN_READONLY | SQLite::OPEN_NOMUTEX, k_busy_timeout_ms);
  harden(database);
  leave_wal(database);
  database.exec("PRAGMA query_only = ON");
  return database;
}

}  // namespace bernstein::store
