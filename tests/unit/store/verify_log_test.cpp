// tools/verify-log, the second implementation of the chain, on databases that this one wrote.
#include <gtest/gtest.h>

#include "bernstein/store/store.hpp"
#include "support/temp_directory.hpp"
#include "unit/store/sealer.hpp"
#include "unit/store/shell.hpp"

namespace bernstein::test {
namespace {

class VerifyLog : public testing::Test {
 protected:
  VerifyLog() {
    auto log = store::open_log(path_).value();
    records_ = sealer_.take(
        {{about_run(),
          RunStarted{.goal = "\u00e9\U0001F600 \"\\\b\t\n\f\r\x01\x7f\u2028", .seed = (std::uint64_t{1} << 53) - 1}},
         a_draft("a"),
         {about(AttemptId{TaskId{4}, 2}), RouteChosen{.features = {{"b", -1}, {"a", 2}, {"\u00e9", 3}, {"Z", 0}}}}});
    for (const Record& record : sealer_.in(RunId{2}).take({a_draft("b")})) records_.push_back(record);
    for (const Record& record : sealer_.in(RunId{1}).take({a_draft("c")})) records_.push_back(record);
    for (const Record& record : sealer_.in(RunId{2}).take({a_draft("d")})) records_.push_back(record);
    EXPECT_TRUE(log->append(records_));
  }

  Ran verify() const { return run(quoted(BERNSTEIN_SOURCE_DIRECTORY "/tools/verify-log") + " " + quoted(path_)); }

  // What it says after somebody who knows SQLite had a hand in the file.
  std::string after(const std::string& sql) const {
    const std::string drop =
        "DROP TRIGGER IF EXISTS events_are_not_updated; DROP TRIGGER IF EXISTS events_are_not_deleted;"
        "DROP TRIGGER IF EXISTS events_continue_the_log;";
    const Ran tampered = sqlite3_shell(path_, drop + sql);
    EXPECT_EQ(tampered.exit_code, 0) << tampered.output;
    const Ran verified = verify();
    EXPECT_EQ(verified.exit_code, 3) << sql;
    return verified.output;
  }

  // The same, with the hash made to fit: only what the hash cannot tell is left to find.
  std::string after_forging(Record record) const {
    record.hash = chain_hash(record);
    return after("UPDATE events SET payload = '" + record.payload + "', hash = x'" + to_hex(record.hash) +
                 "' WHERE seq = " + std::to_string(record.seq));
  }

  const TempDirectory directory_;
  const std::string path_ = (directory_.path() / "state.db").string();
  Sealer sealer_;
  std::vector<Record> records_;
};

TEST_F(VerifyLog, AgreesWithTheStore) {
  const Ran verified = verify();
  EXPECT_EQ(verified.exit_code, 0);
  EXPECT_EQ(verified.output, "r1: 4 events, head " + to_hex(records_[4].hash) + "\nr2: 2 events, head " +
                                 to_hex(records_[5].hash) + "\n");
}

TEST_F(VerifyLog, FindsAnAlteredColumn) {
  EXPECT_EQ(after("UPDATE events SET payload = '{\"why\":\"z\"}' WHERE seq = 2"),
            "event 2: hash is not the hash of the event\n");
}
TEST_F(VerifyLog, FindsAnAlteredTime) {
  EXPECT_EQ(after("UPDATE events SET wall_us = wall_us + 1 WHERE seq = 6"),
            "event 6: hash is not the hash of the event\n");
}
TEST_F(VerifyLog, FindsAnAlteredSubject) {
  EXPECT_EQ(after("UPDATE events SET subject = 't5' WHERE seq = 4"), "event 4: hash is not the hash of the event\n");
}
TEST_F(VerifyLog, FindsAnEventThatWasCutOut) {
  EXPECT_EQ(after("DELETE FROM events WHERE seq = 4"), "event 4: seq 4 is missing\n");
}
TEST_F(VerifyLog, FindsAnEventThatWasCutOutAndTheGapClosed) {
  EXPECT_EQ(after("DELETE FROM events WHERE seq = 2; UPDATE events SET seq = seq - 1, cause = 0 WHERE seq > 2"),
            "event 2: run_seq leaves a gap\n");
}
TEST_F(VerifyLog, FindsARunThatWasCutOutAndTheGapsClosed) {
  EXPECT_EQ(after("DELETE FROM events WHERE run = 'r1'; UPDATE events SET seq = run_seq, cause = 0"),
            "event 1: prev_hash is not the hash before it\n");
}
TEST_F(VerifyLog, FindsAFirstEventThatIsBoundToAnother) {
  EXPECT_EQ(after("UPDATE events SET prev_hash = zeroblob(32) WHERE seq = 4"),
            "event 4: prev_hash is not the hash before it\n");
}
TEST_F(VerifyLog, FindsABrokenLink) {
  EXPECT_EQ(after("UPDATE events SET prev_hash = zeroblob(32) WHERE seq = 5"),
            "event 5: prev_hash is not the hash before it\n");
}
TEST_F(VerifyLog, FindsAClockThatWentBack) {
  EXPECT_EQ(after("UPDATE events SET at_us = 0 WHERE seq = 5"), "event 5: at_us goes back\n");
}
TEST_F(VerifyLog, FindsAForgedKind) {
  EXPECT_EQ(after("PRAGMA ignore_check_constraints = ON; UPDATE events SET kind = 'guess' WHERE seq = 5"),
            "event 5: kind is unknown\n");
}

TEST_F(VerifyLog, FindsAPayloadThatIsNotCanonical) {
  const auto verdict = [&](const std::string& payload) {
    Record forged = records_.back();
    forged.payload = payload;
    return after_forging(forged);
  };
  const std::string not_canonical = "event 6: the payload is not in canonical form\n";
  EXPECT_EQ(verdict(R"({"why": "d"})"), not_canonical);
  EXPECT_EQ(verdict(R"({"why":"d","a":1})"), not_canonical);
  EXPECT_EQ(verdict(R"({"why":"d","why":"d"})"), not_canonical);
  EXPECT_EQ(verdict(R"({"why":"\u0064"})"), not_canonical);
  EXPECT_EQ(verdict(R"({"why":"\/"})"), not_canonical);
  EXPECT_EQ(verdict(R"({"why":-0})"), not_canonical);
  EXPECT_EQ(verdict(R"(["d"])"), not_canonical);
  EXPECT_EQ(verdict(R"({"why":1.5})"), "event 6: the payload has the number 1.5, which is not an integer below 2^53\n");
  EXPECT_EQ(verdict(R"({"why":9007199254740992})"),
            "event 6: the payload has the number 9007199254740992, which is not an integer below 2^53\n");
}

TEST_F(VerifyLog, SaysWhatItCannotRead) {
  std::filesystem::remove(path_);
  const Ran verified = verify();
  EXPECT_EQ(verified.exit_code, 6);
  EXPECT_EQ(verified.output, "tools/verify-log: cannot read '" + path_ + "': unable to open database file\n");
  EXPECT_FALSE(std::filesystem::exists(path_));
}

}  // namespace
}  // namespace bernstein::test
