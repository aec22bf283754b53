#include "bernstein/event/record.hpp"

#include <gtest/gtest.h>

#include <functional>

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

}  // namespace
}  // namespace bernstein
