#include "bernstein/event/record.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "bernstein/event/chain.hpp"

namespace bernstein {
namespace {

Record a_record() {
  return {.seq = 7,
          .run = RunId{2},
          .run_seq = 3,
          .kind = Kind::decision,
          .type = "TaskReadied",
          .version = 1,
          .cause = 6,
          .subject = "t4",
          .at_us = 1'000,
          .wall_us = 1'700'000'000'000'000,
          .payload = R"({"why":"no prerequisites"})",
          .prev_hash = run_genesis(RunId{2}, Digest{})};
}

// Computed from the layout in record.hpp with Python's hashlib and struct, not with this code.
TEST(Chain, HashesTheBytesThatTheHeaderSpellsOut) {
  EXPECT_EQ(to_hex(run_genesis(RunId{1}, Digest{})),
            "491fb47260d1413b48f9ea47abc01c8c7808da960528230a1489327367a1d18a");
  EXPECT_EQ(to_hex(chain_hash(a_record())), "68eadc976bc338b667dd038e6c0b6c137e97665fd92b40678b8133733c41abba");
}

TEST(Chain, EveryColumnButTheHashIsHashed) {
  const Digest original = chain_hash(a_record());
  const std::function<void(Record&)> changes[] = {
      [](Record& r) { r.seq = 8; },        [](Record& r) { r.run = RunId{3}; },
      [](Record& r) { r.run_seq = 4; },    [](Record& r) { r.kind = Kind::intent; },
      [](Record& r) { r.type += "x"; },    [](Record& r) { r.version = 2; },
      [](Record& r) { r.cause = 5; },      [](Record& r) { r.subject = "t4.1"; },
      [](Record& r) { r.at_us = -1'000; }, [](Record& r) { r.wall_us += 1; },
      [](Record& r) { r.payload += " "; }, [](Record& r) { r.prev_hash[31] ^= 1; }};
  for (std::size_t i = 0; i < std::size(changes); ++i) {
    Record changed = a_record();
    changes[i](changed);
    EXPECT_NE(chain_hash(changed), original) << "change " << i;
  }
  Record same = a_record();
  same.hash[0] = 1;
  EXPECT_EQ(chain_hash(same), original);
}

TEST(Chain, BytesCannotMoveFromOneColumnToTheNext) {
  Record a = a_record();
  Record b = a_record();
  a.type = "Task", a.subject = "Readied";
  b.type = "TaskReadied", b.subject = "";
  EXPECT_NE(chain_hash(a), chain_hash(b));
}

TEST(Chain, AGenesisDependsOnRunAndPredecessor) {
  Digest before{};
  before[0] = 1;
  EXPECT_NE(run_genesis(RunId{1}, Digest{}), run_genesis(RunId{2}, Digest{}));
  EXPECT_NE(run_genesis(RunId{1}, Digest{}), run_genesis(RunId{1}, before));
}

// Three records of a run, the first of which is not the first of the file.
std::vector<Record> three_records() {
  std::vector<Record> records(3, a_record());
  for (std::size_t i = 0; i < records.size(); ++i) {
    records[i].seq += static_cast<Seq>(i);
    records[i].run_seq = static_cast<std::int64_t>(i) + 1;
    if (i > 0) records[i].prev_hash = records[i - 1].hash;
    records[i].hash = chain_hash(records[i]);
  }
  return records;
}

// The faults of the records, in order, up to the first.
std::string fault_of(const std::vector<Record>& records) {
  RunChain chain;
  for (const Record& record : records) {
    if (const std::string fault = chain.follow(record); !fault.empty()) return altered(record, fault).message;
  }
  return "";
}

TEST(RunChain, FollowsWhatWasWritten) {
  EXPECT_EQ(fault_of(three_records()), "");
}

TEST(RunChain, NamesTheRecordThatWasAltered) {
  constexpr const char* k_remedy = "; the log was altered or damaged: keep a copy and put a backup in its place";
  std::vector<Record> records = three_records();
  records[1].payload = R"({"why":"another"})";
  EXPECT_EQ(fault_of(records), std::string("event 8 of r2: hash does not match the row's content") + k_remedy);

  records[1].hash = chain_hash(records[1]);
  EXPECT_EQ(fault_of(records),
            std::string("event 9 of r2: prev_hash is not the hash of the event before it") + k_remedy);

  records = three_records();
  records.erase(records.begin() + 1);
  EXPECT_EQ(fault_of(records), std::string("event 9 of r2: is number 3 of its run, after 1") + k_remedy);
  records.erase(records.begin());
  EXPECT_EQ(fault_of(records), std::string("event 9 of r2: is number 3 of its run, after 0") + k_remedy);
}

}  // namespace
}  // namespace bernstein
