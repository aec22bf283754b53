#pragma once
// The event log as run/ and cli/ need it. store/ implements it on SQLite; tests/support has one in memory.
// Both pass tests/contract/event_log_contract.
//
//     BERNSTEIN_TRY(LogHead head, log.head());
//     ... seal records from head.last_seq + 1 on (run/ledger.hpp) ...
//     BERNSTEIN_TRY_VOID(log.append(records));     // all or nothing; durable when it returns

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bernstein/base/result.hpp"
#include "bernstein/event/record.hpp"
#include "bernstein/event/terms.hpp"

namespace bernstein::port {

struct LogHead {
  Seq last_seq = 0;    // 0: the log is empty
  Digest last_hash{};  // of that record; zeros when empty
  RunId last_run;      // highest run number; r0: none yet
};

// A table of text as a query answers it. A cell is nothing for NULL.
struct Table {
  enum class Type { null, integer, real, text };
  struct Cell {
    Type type = Type::null;
    std::string text;  // integers and reals in their shortest decimal form
  };
  std::vector<std::string> columns;
  std::vector<std::vector<Cell>> rows;
};

// Reading. Sees what was committed when the call began; never blocks the writer and is never blocked by it.
class EventReader {
 public:
  virtual ~EventReader() = default;

  virtual Result<LogHead> head() = 0;
  // Runs in the log, ascending.
  virtual Result<std::vector<RunId>> runs() = 0;
  // The records of a run in order of seq, until `visit` returns false. Nothing for an unknown run.
  virtual Status read(RunId run, const std::function<bool(const Record&)>& visit) = 0;
  // The same over all runs in the file.
  virtual Status read_all(const std::function<bool(const Record&)>& visit) = 0;
  // The CheckFinished by which a check passed, by its key (check_key() in state/run_state.hpp); 0 when it never did, or
  // when the last word on it is another one.
  virtual Result<Seq> find_passed(const std::string& key) = 0;
  // How a conflict of these three versions was settled last, in a tree that landed.
  virtual Result<std::optional<Resolution>> find_resolution(const ConflictedPath& conflict) = 0;
  // One SELECT (or WITH, VALUES, EXPLAIN) over the events table and the views. Anything that would write is refused
  // with ErrorCode::invalid_input; so are several statements at once.
  virtual Result<Table> query(const std::string& sql) = 0;
};

// The one writer.
class EventLog : public EventReader {
 public:
  // Appends in one transaction. When it returns Ok, the records survive power loss; when it returns an error, none of
  // them is in the log. Records must continue the log: next seq, next run_seq, prev_hash of the run's last record.
  //
  // After an error that is not ErrorCode::conflict this object refuses to write, for good: a failed fsync cannot be
  // retried, and leaves the one case in which nobody knows what the disk holds. Opened again, the log has all of that
  // batch or nothing of it, and whoever goes on goes on from what is there.
  virtual Status append(std::span<const Record> records) = 0;
};

}  // namespace bernstein::port
