#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Transaction.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "bernstein/store/store.hpp"
#include "support/temp_directory.hpp"
#include "unit/store/sealer.hpp"
#include "unit/store/shell.hpp"

namespace bernstein::test {
namespace {

namespace fs = std::filesystem;

class Reader : public testing::Test {
 protected:
  const TempDirectory directory_;
  const std::string path_ = (directory_.path() / "state.db").string();
  Sealer sealer_;
};

TEST_F(Reader, CreatesNothingWhereThereIsNothing) {
  EXPECT_EQ(store::open_reader(path_).error(),
            (Error{ErrorCode::not_found, "there is no '" + path_ + "'; nothing has run here yet"}));
  EXPECT_TRUE(fs::is_empty(directory_.path()));
}

TEST_F(Reader, SaysThatAnEmptyFileHoldsNothing) {
  write_file(path_, "");
  EXPECT_EQ(store::open_reader(path_).error(),
            (Error{ErrorCode::not_found, "'" + path_ + "' is empty; nothing has run here yet"}));
}

TEST_F(Reader, FollowsTheWriter) {
  auto log = store::open_log(path_).value();
  auto reader = store::open_reader(path_).value();
  const std::vector<Record> first = sealer_.take({a_draft("a")});
  EXPECT_EQ(reader->head()->last_seq, 0);
  ASSERT_TRUE(log->append(first));
  EXPECT_EQ(all_records(*reader), first);
  EXPECT_EQ(reader->head()->last_hash, first.back().hash);
}

TEST_F(Reader, SeesOnlyWhatWasCommittedWhenItBegan) {
  auto log = store::open_log(path_).value();
  auto reader = store::open_reader(path_).value();
  const std::vector<Record> first = sealer_.take({a_draft("a"), a_draft("b")});
  ASSERT_TRUE(log->append(first));
  std::vector<Record> seen;
  ASSERT_TRUE(reader->read(RunId{1}, [&](const Record& record) {
    EXPECT_TRUE(log->append(sealer_.take({a_draft("meanwhile")})));  // never blocked by a reader
    seen.push_back(record);
    return true;
  }));
  EXPECT_EQ(seen, first);
  EXPECT_EQ(all_records(*reader).size(), 4U);
}

TEST_F(Reader, ReadsWhatAnIndexLeavesOut) {
  {
    auto log = store::open_log(path_).value();
    ASSERT_TRUE(log->append(sealer_.take({a_draft("a"), a_draft("b"), a_draft("c")})));
    ASSERT_TRUE(log->append(sealer_.in(RunId{2}).take({a_draft("d")})));
  }
  // The index of another table, which holds less, in the place of ours.
  const Ran swapped = sqlite3_shell(
      path_,
      "CREATE TABLE less (run TEXT NOT NULL, run_seq INTEGER NOT NULL, UNIQUE (run, run_seq));"
      "INSERT INTO less SELECT run, run_seq FROM events WHERE run_seq < 3;"
      "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE "
      "name = 'sqlite_autoindex_less_1') WHERE name = 'sqlite_autoindex_events_1'");
  ASSERT_EQ(swapped.exit_code, 0) << swapped.output;

  auto reader = store::open_reader(path_).value();
  int seen = 0;
  const auto visit = [&](const Record&) { return ++seen > 0; };
  EXPECT_TRUE(reader->read(RunId{1}, visit));
  EXPECT_EQ(seen, 3);
}

TEST_F(Reader, MissesTheLastRowOfARunThatCanNoLongerBeTold) {
  {
    auto log = store::open_log(path_).value();
    ASSERT_TRUE(log->append(sealer_.take({a_draft("a"), a_draft("b"), a_draft("c")})));
    ASSERT_TRUE(log->append(sealer_.in(RunId{2}).take({a_draft("d")})));
  }
  ASSERT_EQ(sqlite3_shell(path_, "PRAGMA wal_checkpoint(TRUNCATE)").exit_code, 0);
  // In the table the run and its number 3 stand before the kind, in the index before the seq.
  std::string bytes = read_file(path_);
  std::size_t at = bytes.find("r1\x03");
  while (at != std::string::npos && (bytes[at + 3] < 'a' || bytes[at + 3] > 'z')) at = bytes.find("r1\x03", at + 1);
  ASSERT_NE(at, std::string::npos);
  bytes[at] = '\0';
  write_file(path_, bytes);

  auto reader = store::open_reader(path_).value();
  EXPECT_EQ(reader->read(RunId{1}, [](const Record&) { return true; }).error(),
            (Error{ErrorCode::corrupt,
                   "cannot read '" + path_ +
                       "': the index of the events leads to event 3 as the last of r1, the table to event 2: the "
                       "database is damaged; keep a copy and put a backup in its place"}));
  // Whoever has enough before the end does not miss anything.
  EXPECT_TRUE(reader->read(RunId{1}, [](const Record& record) { return record.seq < 2; }));
}

TEST_F(Reader, FindsDamageInPagesAndNoneInAWholeLog) {
  {
    auto log = store::open_log(path_).value();
    ASSERT_TRUE(log->append(sealer_.take({a_draft("a"), a_draft("b"), a_draft("c")})));
  }
  ASSERT_EQ(sqlite3_shell(path_, "PRAGMA wal_checkpoint(TRUNCATE)").exit_code, 0);
  EXPECT_EQ(store::find_damage(path_).value(), store::DamageReport{});

  // Two rows of the table change places: in the table the run and its number 3 stand before the kind.
  std::string bytes = read_file(path_);
  std::size_t at = bytes.find("r1\x03");
  while (at != std::string::npos && (bytes[at + 3] < 'a' || bytes[at + 3] > 'z')) at = bytes.find("r1\x03", at + 1);
  ASSERT_NE(at, std::string::npos);
  const std::size_t pointers = at / 4096 * 4096 + 8;  // two bytes each, after the head of the page
  std::swap_ranges(&bytes[pointers], &bytes[pointers + 2], &bytes[pointers + 2]);
  write_file(path_, bytes);
  const auto damages = store::find_damage(path_);
  ASSERT_TRUE(damages) << damages.error().message;
  EXPECT_TRUE(damages->finished);
  ASSERT_FALSE(damages->damages.empty());
  EXPECT_NE(damages->damages.front().find("out of order"), std::string::npos) << damages->damages.front();

  write_file(path_, std::string(10'000, 'x'));
  EXPECT_EQ(store::find_damage(path_).error(),
            (Error{ErrorCode::corrupt,
                   "cannot check '" + path_ + "': it is not a database; move it away, or put a backup in its place"}));
}

TEST_F(Reader, FindsNoDamageWhereItsTimeIsUp) {
  { auto log = store::open_log(path_).value(); }
  // Many pages: SQLite is interrupted in the midst of them, and the rest must not be called unused.
  const std::string rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000) ";
  ASSERT_EQ(sqlite3_shell(path_, "CREATE TABLE more AS " + rows + "SELECT i, zeroblob(2000) AS b FROM n").exit_code, 0);
  const auto damages = store::find_damage(path_, 1);
  ASSERT_TRUE(damages) << damages.error().message;
  EXPECT_EQ(*damages, (store::DamageReport{.damages = {}, .finished = false}));
  EXPECT_EQ(store::find_damage(path_).value(), store::DamageReport{});
}

TEST_F(Reader, DoesNotSeeWhatIsNotCommitted) {
  auto log = store::open_log(path_).value();
  auto reader = store::open_reader(path_).value();
  SQLite::Database other(path_, SQLite::OPEN_READWRITE);
  SQLite::Transaction open_transaction(other, SQLite::TransactionBehavior::IMMEDIATE);
  other.exec(
      "INSERT INTO events VALUES (1, 'r1', 1, 'input', 'x', 1, 0, 'run', 0, 0, '{}', zeroblob(32), zeroblob(32))");
  EXPECT_EQ(reader->head()->last_seq, 0);
  EXPECT_EQ(reader->query("SELECT count(*) FROM events")->rows.at(0).at(0).text, "0");
}

TEST_F(Reader, LeavesTheCheckpointToTheWriter) {
  // Given a database whose writer died: the events stand in the write-ahead log only.
  const std::string copy = (directory_.path() / "copy.db").string();
  std::vector<Record> records = sealer_.take({a_draft("a"), a_draft("b")});
  {
    auto log = store::open_log(path_).value();
    ASSERT_TRUE(log->append(records));
    fs::copy(path_, copy);
    fs::copy(path_ + "-wal", copy + "-wal");
  }
  const std::string before = read_file(copy + "-wal");
  // When a reader comes and goes,
  EXPECT_EQ(all_records(*store::open_reader(copy).value()), records);
  // then they still stand there.
  EXPECT_EQ(read_file(copy + "-wal"), before);
}

TEST_F(Reader, NamesAnEventThatCannotBeOurs) {
  auto log = store::open_log(path_).value();
  ASSERT_TRUE(log->append(sealer_.take({a_draft("a")})));
  SQLite::Database forger(path_, SQLite::OPEN_READWRITE);
  forger.exec("DROP TRIGGER events_are_not_updated; UPDATE events SET version = 1 << 40");
  EXPECT_EQ(log->read_all([](const Record&) { return true; }).error(),
            (Error{ErrorCode::corrupt,
                   "event 1: the column version holds what Bernstein does not write; 'bernstein audit' says more"}));
}

}  // namespace
}  // namespace bernstein::test
