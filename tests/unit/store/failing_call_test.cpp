// The n-th call to the disk fails, n = 1, 2, 3, ... until all goes well, as SQLite tests itself: once, so that the next
// call succeeds, and for ever. Opening, two appends and closing are to end in errors that a person can act on, and in a
// log that holds whole batches.
#include <gtest/gtest.h>

#include <ostream>

#include "bernstein/store/store.hpp"
#include "support/dice.hpp"
#include "support/faulty_disk.hpp"
#include "support/temp_directory.hpp"
#include "unit/store/sealer.hpp"

namespace bernstein::test {
namespace {

struct Fault {
  int code;
  FaultyDisk::Lasting lasting;
  bool on_a_new_log;
  const char* name;
};

void PrintTo(const Fault& fault, std::ostream* out) {
  *out << fault.name;
}

class FailingCall : public testing::TestWithParam<Fault> {
 protected:
  // Errors name the file and say what to do.
  static void expect_helpful(const Error& error, const std::string& path) {
    EXPECT_EQ(error.code, ErrorCode::environment) << error.message;
    EXPECT_NE(error.message.find("'" + path + "': "), std::string::npos) << error.message;
    const bool has_remedy =
        error.message.find("the disk is full; free some space and resume") != std::string::npos ||
        error.message.find("the disk or file system reports an error") != std::string::npos ||
        error.message.find("check that the directory exists and may be written") != std::string::npos;
    EXPECT_TRUE(has_remedy) << error.message;
    if (GetParam().code == SQLITE_FULL) {
      EXPECT_NE(error.message.find("disk is full"), std::string::npos) << error.message;
    }
  }
};

// The log after the fault: what was acknowledged, and nothing else; or, where what failed may have been the last step
// of a commit, all of its batch.
void expect_whole_batches(FaultyDisk& disk, const std::string& path, const std::vector<Record>& acknowledged,
                          const std::vector<Record>& failed) {
  auto log = store::open_log(path);
  ASSERT_TRUE(log) << log.error().message;
  const std::vector<Record> there = all_records(**log);
  if (there == acknowledged) return;
  std::vector<Record> with_failed = acknowledged;
  with_failed.insert(with_failed.end(), failed.begin(), failed.end());
  EXPECT_EQ(there, with_failed);
  EXPECT_TRUE(disk.failed_call().starts_with("sync of ")) << disk.failed_call();
}

TEST_P(FailingCall, IsAnErrorAndLeavesWholeBatches) {
  const Fault fault = GetParam();
  int failed_appends = 0;
  int failed_opens = 0;
  int n = 0;
  for (bool goes_well = false; !goes_well;) {
    ++n;
    ASSERT_LT(n, 1'000);
    SCOPED_TRACE("call " + std::to_string(n));
    FaultyDisk disk;
    const TempDirectory directory;
    const std::string path = (directory.path() / "state.db").string();
    Sealer sealer;
    std::vector<Record> acknowledged;
    std::vector<Record> failed;
    if (!fault.on_a_new_log) {
      acknowledged = sealer.take({a_draft("before")});
      ASSERT_TRUE(store::open_log(path).value()->append(acknowledged));
    }

    disk.fail_at(n, fault.code, fault.lasting);
    {
      auto log = store::open_log(path);
      if (!log) {
        ++failed_opens;
        expect_helpful(log.error(), path);
      }
      for (int batch = 0; log && batch < 2; ++batch) {
        const std::vector<Record> records =
            sealer.take({a_draft("a"), a_draft(std::string(20'000, 'b')), a_draft("c")});
        const Status appended = (*log)->append(records);
        if (appended) {
          acknowledged.insert(acknowledged.end(), records.begin(), records.end());
          continue;
        }
        ++failed_appends;
        failed = records;
        expect_helpful(appended.error(), path);
        // After the fault of one call the disk is well again: this object knows better than to believe it.
        const Status again = (*log)->append(records);
        ASSERT_FALSE(again);
        EXPECT_EQ(again.error().message,
                  "'" + path + "' is not written any more after an error: " + appended.error().message);
        EXPECT_EQ(all_records(**log), acknowledged);
        break;
      }
      goes_well = log.has_value() && failed.empty() && !disk.has_failed();
    }
    disk.heal();
    expect_whole_batches(disk, path, acknowledged, failed);
  }
  std::cout << n - 1 << " calls failed in turn: " << failed_opens << " opens and " << failed_appends
            << " appends ended in an error\n";
  EXPECT_GT(failed_appends, 3);
}

// The one error after which nobody can know what the disk holds: the commit is written, and its sync fails.
TEST(FailingSync, LeavesAllOrNothingOfItsBatch) {
  std::mt19937_64 random(seed_of_test());
  int all = 0;
  int nothing = 0;
  for (int i = 0; i < 60; ++i) {
    FaultyDisk disk;
    const TempDirectory directory;
    const std::string path = (directory.path() / "state.db").string();
    Sealer sealer;
    std::vector<Record> records = sealer.take({a_draft("before")});
    auto log = store::open_log(path).value();
    ASSERT_TRUE(log->append(records));
    const std::vector<Record> failed = sealer.take({a_draft("a"), a_draft(std::string(9'000, 'b'))});
    const std::int64_t before = disk.calls();
    disk.fail_next_sync();

    const Status appended = log->append(failed);
    disk.lose_power();
    log.reset();
    disk.power_on(random);

    ASSERT_FALSE(appended);
    EXPECT_GT(disk.calls(), before + 1) << "the sync comes after the writes";
    const std::vector<Record> there = all_records(*store::open_log(path).value());
    if (there == records) {
      ++nothing;
    } else {
      records.insert(records.end(), failed.begin(), failed.end());
      EXPECT_EQ(there, records);
      ++all;
    }
  }
  EXPECT_GT(all, 0);
  EXPECT_GT(nothing, 0);
}

using enum FaultyDisk::Lasting;
INSTANTIATE_TEST_SUITE_P(, FailingCall,
                         testing::Values(Fault{SQLITE_FULL, once, false, "full_once"},
                                         Fault{SQLITE_FULL, for_ever, false, "full_for_ever"},
                                         Fault{SQLITE_FULL, once, true, "full_once_new"},
                                         Fault{SQLITE_FULL, for_ever, true, "full_for_ever_new"},
                                         Fault{SQLITE_IOERR, once, false, "broken_once"},
                                         Fault{SQLITE_IOERR, for_ever, false, "broken_for_ever"},
                                         Fault{SQLITE_IOERR, once, true, "broken_once_new"},
                                         Fault{SQLITE_IOERR, for_ever, true, "broken_for_ever_new"}),
                         [](const auto& one) { return std::string(one.param.name); });

}  // namespace
}  // namespace bernstein::test
