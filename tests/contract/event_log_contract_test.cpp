// What port/event_log.hpp promises, asked of the log in SQLite and of the one in memory.
#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "bernstein/port/event_log.hpp"
#include "bernstein/store/store.hpp"
#include "support/memory_event_log.hpp"
#include "support/temp_directory.hpp"
#include "unit/store/sealer.hpp"

namespace bernstein::test {
namespace {

struct InMemory {
  MemoryEventLog in_memory;
  port::EventLog& log() { return in_memory; }
};

struct InSqlite {
  const TempDirectory directory;
  std::unique_ptr<port::EventLog> opened = store::open_log((directory.path() / "state.db").string()).value();
  port::EventLog& log() { return *opened; }
};

template <class Implementation>
class EventLogContract : public testing::Test {
 protected:
  port::EventLog& log() { return implementation_.log(); }

  std::vector<Record> of_run(std::uint32_t run) {
    std::vector<Record> records;
    EXPECT_TRUE(log().read(RunId{run}, [&](const Record& record) { return records.push_back(record), true; }));
    return records;
  }

  Sealer sealer_;

 private:
  Implementation implementation_;
};

struct Names {
  template <class Implementation>
  static std::string GetName(int) {
    return std::is_same_v<Implementation, InMemory> ? "memory" : "sqlite";
  }
};
using Implementations = testing::Types<InMemory, InSqlite>;
TYPED_TEST_SUITE(EventLogContract, Implementations, Names);

TYPED_TEST(EventLogContract, StartsEmpty) {
  const Result<port::LogHead> head = this->log().head();
  ASSERT_TRUE(head);
  EXPECT_EQ(head->last_seq, 0);
  EXPECT_EQ(head->last_hash, Digest{});
  EXPECT_EQ(head->last_run, RunId{});
  EXPECT_EQ(*this->log().runs(), std::vector<RunId>{});
  EXPECT_EQ(all_records(this->log()), std::vector<Record>{});
}

TYPED_TEST(EventLogContract, KeepsEveryColumnOfWhatWasAppended) {
  Record first =
      this->sealer_.next({about_run(), StopRequested{.mode = StopMode::now, .reason = "\u00e9\n\x01\"\U0001F600"}});
  first.at_us = -5;
  first.wall_us = std::int64_t{1} << 52;
  first = rehashed(first);
  ASSERT_TRUE(this->log().append(std::vector{first}));
  EXPECT_EQ(all_records(this->log()), std::vector{first});
}

TYPED_TEST(EventLogContract, HeadIsTheLastRecordAndTheHighestRun) {
  const std::vector<Record> high = this->sealer_.in(RunId{10}).take({a_draft("a")});
  const std::vector<Record> low = this->sealer_.in(RunId{9}).take({a_draft("b"), a_draft("c")});
  ASSERT_TRUE(this->log().append(high));
  ASSERT_TRUE(this->log().append(low));
  const Result<port::LogHead> head = this->log().head();
  ASSERT_TRUE(head);
  EXPECT_EQ(head->last_seq, 3);
  EXPECT_EQ(head->last_hash, low.back().hash);
  EXPECT_EQ(head->last_run, RunId{10});
}

TYPED_TEST(EventLogContract, ReadsEachRunInOrderHoweverTheyAreInterleaved) {
  std::vector<Record> all;
  for (const std::uint32_t run : {2U, 10U, 2U, 1U, 10U, 2U}) {
    all.push_back(this->sealer_.in(RunId{run}).next(a_draft("of r" + std::to_string(run))));
    ASSERT_TRUE(this->log().append(std::span(&all.back(), 1)));
  }
  EXPECT_EQ(*this->log().runs(), (std::vector{RunId{1}, RunId{2}, RunId{10}}));
  EXPECT_EQ(this->of_run(1), (std::vector{all[3]}));
  EXPECT_EQ(this->of_run(2), (std::vector{all[0], all[2], all[5]}));
  EXPECT_EQ(this->of_run(10), (std::vector{all[1], all[4]}));
  EXPECT_EQ(this->of_run(3), std::vector<Record>{});
  EXPECT_EQ(all_records(this->log()), all);
}

TYPED_TEST(EventLogContract, StopsReadingWhenTheVisitorHasEnough) {
  ASSERT_TRUE(this->log().append(this->sealer_.take({a_draft("a"), a_draft("b"), a_draft("c")})));
  for (const bool whole_file : {true, false}) {
    int seen = 0;
    const auto visit = [&](const Record&) { return ++seen < 2; };
    ASSERT_TRUE(whole_file ? this->log().read_all(visit) : this->log().read(RunId{1}, visit));
    EXPECT_EQ(seen, 2);
  }
}

TYPED_TEST(EventLogContract, AVisitorMayAppendAndSeesWhatWasThereWhenItBegan) {
  ASSERT_TRUE(this->log().append(this->sealer_.take({a_draft("a"), a_draft("b")})));
  int seen = 0;
  ASSERT_TRUE(this->log().read_all([&](const Record&) {
    EXPECT_TRUE(this->log().append(this->sealer_.take({a_draft("more")})));
    return ++seen < 10;
  }));
  EXPECT_EQ(seen, 2);
  EXPECT_EQ(this->log().head()->last_seq, 4);
}

TYPED_TEST(EventLogContract, AppendingNothingIsFine) {
  EXPECT_TRUE(this->log().append({}));
  EXPECT_EQ(this->log().head()->last_seq, 0);
}

TYPED_TEST(EventLogContract, ABadRecordInTheMiddleLeavesNothingOfItsBatch) {
  const std::pair<const char*, std::function<void(Record&)>> faults[] = {
      {"a gap in seq", [](Record& r) { r.seq += 1; }},
      {"a seq that is there", [](Record& r) { r.seq -= 1; }},
      {"a gap in run_seq", [](Record& r) { r.run_seq += 1; }},
      {"a run_seq that is there", [](Record& r) { r.run_seq -= 1; }},
      {"a wrong predecessor", [](Record& r) { r.prev_hash[0] ^= 1; }},
      {"a clock that goes back", [](Record& r) { r.at_us = 0; }},
      {"a cause in the future", [](Record& r) { r.cause = r.seq; }},
      {"a negative cause", [](Record& r) { r.cause = -1; }},
      {"a run that begins elsewhere", [](Record& r) { r.run = RunId{7}, r.run_seq = 1; }},
  };
  const std::vector<Record> before = this->sealer_.take({a_draft("acknowledged")});
  ASSERT_TRUE(this->log().append(before));
  const std::vector<Record> good = this->sealer_.take({a_draft("a"), a_draft("b"), a_draft("c")});

  for (const auto& [what, damage] : faults) {
    std::vector<Record> bad = good;
    damage(bad[1]);
    bad[1] = rehashed(bad[1]);
    const Status appended = this->log().append(bad);
    ASSERT_FALSE(appended) << what;
    EXPECT_EQ(appended.error().code, ErrorCode::conflict) << what << ": " << appended.error().message;
    EXPECT_EQ(all_records(this->log()), before) << what;
  }
  // Conflicts are the caller's: the log goes on.
  EXPECT_TRUE(this->log().append(good));
  EXPECT_EQ(this->log().head()->last_seq, 4);
}

TYPED_TEST(EventLogContract, TheSameRecordsAreNotAppendedTwice) {
  const std::vector<Record> records = this->sealer_.take({a_draft("a"), a_draft("b")});
  ASSERT_TRUE(this->log().append(records));
  const Status again = this->log().append(records);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::conflict);
  EXPECT_EQ(all_records(this->log()), records);
}

TYPED_TEST(EventLogContract, AFirstRecordIsBoundToTheOneBeforeIt) {
  ASSERT_TRUE(this->log().append(this->sealer_.take({a_draft("a")})));
  Record unbound = this->sealer_.in(RunId{2}).next(a_draft("b"));
  unbound.prev_hash = run_genesis(RunId{2}, Digest{});  // as if it stood first in the file
  const Status appended = this->log().append(std::vector{rehashed(unbound)});
  ASSERT_FALSE(appended);
  EXPECT_EQ(appended.error().code, ErrorCode::conflict);
}

template <class Implementation>
using EventLogContractDeathTest = EventLogContract<Implementation>;
TYPED_TEST_SUITE(EventLogContractDeathTest, Implementations, Names);

TYPED_TEST(EventLogContractDeathTest, ARecordWithoutItsHashIsABrokenPromise) {
  Record record = this->sealer_.next(a_draft("a"));
  record.payload = R"({"why":"b"})";
  EXPECT_DEATH((void)this->log().append(std::vector{record}), "carries its chain hash");
}

}  // namespace
}  // namespace bernstein::test
