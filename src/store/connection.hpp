#pragma once
// Connections to the database, set up the way the log needs them.

#include <SQLiteCpp/Database.h>

#include <string>

namespace bernstein::store {

// How long a connection waits for a lock of another process.
inline constexpr int k_busy_timeout_ms = 5'000;

// A long reader keeps the -wal growing. When it is done, the next checkpoint that starts the file over cuts it to this.
inline constexpr int k_wal_bytes_kept = 8 << 20;

// Durable at COMMIT (WAL, synchronous=FULL), and the only one that checkpoints. The file must be there.
SQLite::Database connect_writer(const std::string& path);
// After check_schema: WAL is a property of the file, so it is not switched on in files of others.
void use_wal(SQLite::Database& database);
// Closing it leaves the -wal as it is, for whoever wants to see what is wrong with it.
void leave_wal(SQLite::Database& database);

// Cannot write, by flag of the file handle and by pragma, and does not checkpoint when it closes: two connections that
// checkpoint at once are what the WAL-reset bug of SQLite before 3.51.3 needs. For one thread at a time: it takes no
// mutex for each column.
SQLite::Database connect_reader(const std::string& path);

}  // namespace bernstein::store
