#include "errors.hpp"

#include <sqlite3.h>

#include "connection.hpp"

namespace bernstein::store {

Error sqlite_error(const std::string& path, std::string_view doing, int code, std::string_view detail) {
  const std::string subject = "cannot " + std::string(doing) + " '" + path + "': ";
  const std::string reason = " (SQLite: " + std::string(detail) + ")";
  switch (code & 0xff) {
    case SQLITE_FULL:
      return {ErrorCode::environment, subject + "the disk is full; free some space and resume"};
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return {ErrorCode::environment, subject + "the file or its directory may not be written; check who owns them"};
    case SQLITE_CANTOPEN:
      return {ErrorCode::environment, subject + "check that the directory exists and may be written" + reason};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {ErrorCode::environment, subject + "another process has locked it for more than " +
                                          std::to_string(k_busy_timeout_ms / 1000) +
                                          " s; end what else writes there (a SQLite shell, a backup) and resume"};
    case SQLITE_NOTADB:
      return {ErrorCode::corrupt, subject + "it is not a database; move it away, or put a backup in its place"};
    case SQLITE_CORRUPT:
      return {ErrorCode::corrupt,
              subject + "the database is damaged; keep a copy and put a backup in its place" + reason};
    case SQLITE_IOERR:
      return {ErrorCode::environment, subject + "the disk or file system reports an error" + reason};
    case SQLITE_CONSTRAINT:
      return {ErrorCode::conflict, subject + std::string(detail)};
    default:
      return {ErrorCode::environment, subject + std::string(detail)};
  }
}

}  // namespace bernstein::store
