#pragma once
// Reading the log through a connection of its own that cannot write.

#include <SQLiteCpp/Database.h>

#include <string>

#include "bernstein/base/units.hpp"
#include "bernstein/port/event_log.hpp"

namespace bernstein::store {

class SqliteReader : public port::EventReader {
 public:
  SqliteReader(std::string path, SQLite::Database database, Micros query_limit_us)
      : path_(std::move(path)), database_(std::move(database)), query_limit_us_(query_limit_us) {}

  Result<port::LogHead> head() override;
  Result<std::vector<RunId>> runs() override;
  Status read(RunId run, const std::function<bool(const Record&)>& visit) override;
  Status read_all(const std::function<bool(const Record&)>& visit) override;
  Result<Seq> find_passed(const std::string& key) override;
  Result<std::optional<Resolution>> find_resolution(const ConflictedPath& conflict) override;
  Result<port::Table> query(const std::string& sql) override;

 private:
  std::string path_;
  SQLite::Database database_;
  Micros query_limit_us_;
};

}  // namespace bernstein::store
