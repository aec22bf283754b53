#pragma once
// MemoryEventLog: the event log without a file. It keeps the promises of port/event_log.hpp (tests/contract asks both),
// but for queries: it has no SQL.
//
//     MemoryEventLog log;
//     log.fail_next_append({ErrorCode::environment, "the disk is full"});   // what a test wants to go wrong

#include <optional>
#include <vector>

#include "bernstein/port/event_log.hpp"

namespace bernstein::test {

class MemoryEventLog : public port::EventLog {
 public:
  Result<port::LogHead> head() override;
  Result<std::vector<RunId>> runs() override;
  Status read(RunId run, const std::function<bool(const Record&)>& visit) override;
  Status read_all(const std::function<bool(const Record&)>& visit) override;
  Result<Seq> find_passed(const std::string& key) override;
  Result<std::optional<Resolution>> find_resolution(const ConflictedPath& conflict) override;
  Result<port::Table> query(const std::string& sql) override;
  Status append(std::span<const Record> records) override;

  // The next append does nothing and returns this.
  void fail_next_append(Error error) { next_failure_ = std::move(error); }

  const std::vector<Record>& records() const { return records_; }
  int appends() const { return appends_; }  // that succeeded

 private:
  std::vector<Record> records_;
  std::optional<Error> next_failure_;
  int appends_ = 0;
};

}  // namespace bernstein::test
