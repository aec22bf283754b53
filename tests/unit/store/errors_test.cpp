#include "store/errors.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

namespace bernstein::store {
namespace {

Error error_of(int code) {
  return sqlite_error(".sdd/state.db", "append to", code, "what SQLite says");
}

TEST(SqliteErrors, NameTheFileAndTheRemedy) {
  EXPECT_EQ(error_of(SQLITE_FULL),
            (Error{ErrorCode::environment,
                   "cannot append to '.sdd/state.db': the disk is full; free some space and resume"}));
  EXPECT_EQ(
      error_of(SQLITE_READONLY_DIRECTORY),
      (Error{ErrorCode::environment,
             "cannot append to '.sdd/state.db': the file or its directory may not be written; check who owns them"}));
  EXPECT_EQ(
      error_of(SQLITE_BUSY_SNAPSHOT),
      (Error{ErrorCode::environment,
             "cannot append to '.sdd/state.db': another process has locked it for more than 5 s; end what else writes "
             "there (a SQLite shell, a backup) and resume"}));
  EXPECT_EQ(
      error_of(SQLITE_CORRUPT),
      (Error{ErrorCode::corrupt,
             "cannot append to '.sdd/state.db': the database is damaged; keep a copy and put a backup in its place "
             "(SQLite: what SQLite says)"}));
  EXPECT_EQ(
      error_of(SQLITE_NOTADB),
      (Error{ErrorCode::corrupt,
             "cannot append to '.sdd/state.db': it is not a database; move it away, or put a backup in its place"}));
  EXPECT_EQ(
      error_of(SQLITE_IOERR_FSYNC),
      (Error{ErrorCode::environment,
             "cannot append to '.sdd/state.db': the disk or file system reports an error (SQLite: what SQLite says)"}));
  EXPECT_EQ(
      error_of(SQLITE_CANTOPEN),
      (Error{
          ErrorCode::environment,
          "cannot append to '.sdd/state.db': check that the directory exists and may be written (SQLite: what SQLite "
          "says)"}));
  EXPECT_EQ(error_of(SQLITE_CONSTRAINT_TRIGGER),
            (Error{ErrorCode::conflict, "cannot append to '.sdd/state.db': what SQLite says"}));
  EXPECT_EQ(error_of(SQLITE_NOMEM),
            (Error{ErrorCode::environment, "cannot append to '.sdd/state.db': what SQLite says"}));
}

}  // namespace
}  // namespace bernstein::store
