// The log is append-only for whoever opens it with the sqlite3 program, too.
#include <gtest/gtest.h>

#include "bernstein/store/store.hpp"
#include "support/temp_directory.hpp"
#include "unit/store/sealer.hpp"
#include "unit/store/shell.hpp"

namespace bernstein::test {
namespace {

class Shell : public testing::Test {
 protected:
  Shell() {
    auto log = store::open_log(path_).value();
    records_ = sealer_.take({a_draft("a"), a_draft("b"), a_draft("c")});
    EXPECT_TRUE(log->append(records_));
  }

  // The statement is refused with this message, and nothing has changed.
  void expect_refused(const std::string& sql, const std::string& why) {
    const Ran ran = sqlite3_shell(path_, sql);
    EXPECT_NE(ran.exit_code, 0) << sql;
    EXPECT_NE(ran.output.find(why), std::string::npos) << sql << "\n" << ran.output;
    EXPECT_EQ(all_records(*store::open_reader(path_).value()), records_) << sql;
  }

  // A row with given values; the others are right for the next event.
  static std::string row(const std::string& seq, const std::string& run_seq, const std::string& prev_hash,
                         const std::string& at_us = "99000000", const std::string& cause = "0") {
    return "(" + seq + ", 'r1', " + run_seq + ", 'decision', 'TaskReadied', 1, " + cause + ", 't4', " + at_us +
           ", 0, '{}', " + prev_hash + ", zeroblob(32))";
  }

  const TempDirectory directory_;
  const std::string path_ = (directory_.path() / "state.db").string();
  const std::string last_hash_ = "(SELECT hash FROM events ORDER BY seq DESC LIMIT 1)";
  Sealer sealer_;
  std::vector<Record> records_;
};

TEST_F(Shell, CannotUpdate) {
  expect_refused("UPDATE events SET payload = '{}' WHERE seq = 2", "events are never changed");
  expect_refused("UPDATE OR REPLACE events SET seq = 1 WHERE seq = 2", "events are never changed");
  expect_refused("UPDATE events SET seq = seq + 100", "events are never changed");
}

TEST_F(Shell, CannotDelete) {
  expect_refused("DELETE FROM events WHERE seq = 3", "events are never removed");
  expect_refused("DELETE FROM events", "events are never removed");
}

TEST_F(Shell, CannotReplace) {
  for (const std::string seq : {"1", "2", "3"}) {
    expect_refused("INSERT OR REPLACE INTO events VALUES " + row(seq, seq, "zeroblob(32)"), "seq leaves a gap");
    expect_refused("REPLACE INTO events VALUES " + row(seq, seq, "zeroblob(32)"), "seq leaves a gap");
  }
  // A new seq that replaces an old (run, run_seq).
  expect_refused("INSERT OR REPLACE INTO events VALUES " + row("4", "3", last_hash_), "run_seq leaves a gap");
}

TEST_F(Shell, CannotUpsert) {
  expect_refused("INSERT INTO events VALUES " + row("2", "2", "zeroblob(32)") +
                     " ON CONFLICT (seq) DO UPDATE SET payload = excluded.payload",
                 "seq leaves a gap");
  expect_refused("INSERT INTO events VALUES " + row("4", "2", last_hash_) +
                     " ON CONFLICT (run, run_seq) DO UPDATE SET payload = excluded.payload",
                 "run_seq leaves a gap");
}

TEST_F(Shell, CannotLeaveGapsOrBreakTheChain) {
  expect_refused("INSERT INTO events VALUES " + row("5", "4", last_hash_), "seq leaves a gap");
  expect_refused("INSERT INTO events VALUES " + row("NULL", "4", last_hash_), "seq leaves a gap");
  expect_refused("INSERT INTO events VALUES " + row("4", "5", last_hash_), "run_seq leaves a gap");
  expect_refused("INSERT INTO events VALUES " + row("4", "4", "zeroblob(32)"), "prev_hash is not the hash before it");
  expect_refused("INSERT INTO events VALUES " + row("4", "4", last_hash_, "2999999"), "at_us goes back");
  expect_refused("INSERT INTO events VALUES " + row("4", "4", last_hash_, "99000000", "4"),
                 "cause is not an earlier event");
  expect_refused("INSERT INTO events VALUES " + row("4", "4", last_hash_, "99000000", "-1"),
                 "cause is not an earlier event");
}

TEST_F(Shell, CannotStoreAnotherShapeOfRow) {
  const auto insert = [&](const std::string& run, const std::string& kind, const std::string& version,
                          const std::string& payload, const std::string& hash) {
    return "INSERT INTO events VALUES (4, " + run + ", 1, " + kind + ", 'x', " + version + ", 0, 'run', 0, 0, " +
           payload + ", zeroblob(32), " + hash + ")";
  };
  expect_refused(insert("'r0'", "'input'", "1", "'{}'", "zeroblob(32)"), "CHECK constraint failed");
  expect_refused(insert("'r2x'", "'input'", "1", "'{}'", "zeroblob(32)"), "CHECK constraint failed");
  expect_refused(insert("'r2'", "'guess'", "1", "'{}'", "zeroblob(32)"), "CHECK constraint failed");
  expect_refused(insert("'r2'", "'input'", "0", "'{}'", "zeroblob(32)"), "CHECK constraint failed");
  expect_refused(insert("'r2'", "'input'", "'one'", "'{}'", "zeroblob(32)"),
                 "cannot store TEXT value in INTEGER column");
  expect_refused(insert("'r2'", "'input'", "1", "'{'", "zeroblob(32)"), "CHECK constraint failed");
  expect_refused(insert("'r2'", "'input'", "1", "'{}'", "zeroblob(31)"), "CHECK constraint failed");
}

// Proves that the rows above were refused for what is wrong with them.
TEST_F(Shell, CouldAppendTheRightRow) {
  EXPECT_EQ(sqlite3_shell(path_, "INSERT INTO events VALUES " + row("4", "4", last_hash_)).output, "");
  EXPECT_EQ(sqlite3_shell(path_, "SELECT count(*) FROM events").output, "4\n");
}

}  // namespace
}  // namespace bernstein::test
