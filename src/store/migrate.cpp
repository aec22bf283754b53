#include "migrate.hpp"

#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>

#include <map>

#include "bernstein/base/sha256.hpp"
#include "bernstein/failpoint/failpoint.hpp"
#include "migrations.hpp"

namespace bernstein::store {
namespace {

constexpr int k_application_id = 0x4245524E;  // 'BERN', as in migrations/0001_events.sql

int application_id(SQLite::Database& database) {
  return database.execAndGet("PRAGMA application_id").getInt();
}

bool has_tables(SQLite::Database& database) {
  return database.execAndGet("SELECT count(*) FROM sqlite_schema").getInt() != 0;
}

// Digest of each migration that the database has, by name.
std::map<std::string, std::string> applied_migrations(SQLite::Database& database) {
  std::map<std::string, std::string> applied;
  if (!database.tableExists("schema_migrations")) return applied;
  SQLite::Statement rows(database, "SELECT name, sha256 FROM schema_migrations");
  while (rows.executeStep()) applied.emplace(rows.getColumn(0).getString(), rows.getColumn(1).getString());
  return applied;
}

}  // namespace

Status check_schema(SQLite::Database& database, const std::string& path) {
  if (!has_tables(database)) return Ok{};
  if (application_id(database) != k_application_id) {
    return Error{ErrorCode::corrupt,
                 "'" + path + "' is a database of another program; move it away, and Bernstein starts a new one"};
  }
  std::map<std::string, std::string> applied = applied_migrations(database);
  for (const EmbeddedText& migration : migrations()) {
    const auto found = applied.find(std::string(migration.name));
    if (found == applied.end()) continue;
    if (found->second != to_hex(sha256(migration.text))) {
      return Error{ErrorCode::corrupt, "'" + path + "' has migration " + found->first +
                                           " in another form than this Bernstein; use the version that wrote it"};
    }
    applied.erase(found);
  }
  if (applied.empty()) return Ok{};
  return Error{ErrorCode::corrupt, "'" + path + "' was written by a newer Bernstein (migration " +
                                       applied.begin()->first + " is unknown here); use that one"};
}

void migrate(SQLite::Database& database) {
  for (const EmbeddedText& migration : migrations()) {
    SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
    database.exec("CREATE TABLE IF NOT EXISTS schema_migrations (name TEXT PRIMARY KEY, sha256 TEXT NOT NULL) STRICT");
    if (applied_migrations(database).contains(std::string(migration.name))) continue;
    database.exec(std::string(migration.text));
    SQLite::Statement note(database, "INSERT INTO schema_migrations (name, sha256) VALUES (?, ?)");
    note.bind(1, std::string(migration.name));
    note.bind(2, to_hex(sha256(migration.text)));
    note.exec();
    BERNSTEIN_FAILPOINT("store.migrate.before_commit");
    transaction.commit();
    BERNSTEIN_FAILPOINT("store.migrate.after_commit");
  }
}

}  // namespace bernstein::store
