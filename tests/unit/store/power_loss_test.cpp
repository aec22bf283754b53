// The log on a machine that loses power at any moment, in the middle of a commit, of a checkpoint, of opening.
// BERNSTEIN_CRASHES=1000 for a thorough look, BERNSTEIN_SEED to see one again.
#include <gtest/gtest.h>

#include <iostream>

#include "bernstein/event/chain.hpp"
#include "bernstein/store/store.hpp"
#include "support/dice.hpp"
#include "support/faulty_disk.hpp"
#include "support/temp_directory.hpp"
#include "unit/store/sealer.hpp"

namespace bernstein::test {
namespace {

struct Outcome {
  int crashes = 0;
  int in_append = 0;              // of them, while a batch was on its way
  std::int64_t acknowledged = 0;  // events whose append had returned Ok when the power went
  int doubtful_kept = 0;          // batches without an answer that are there, whole
  // What may not be:
  int lost = 0;        // an acknowledged event is gone or altered
  int partial = 0;     // some events of a batch are there without the others
  int broken = 0;      // the chain does not hold
  int unreadable = 0;  // the log does not open, or cannot be read
  std::string first;   // of these, in words
};

class Machine {
 public:
  Machine(std::uint64_t seed, FaultyDisk::Syncs syncs) : random_(seed), disk_(syncs) {}

  Outcome crash(int times) {
    constexpr int k_crashes_of_a_log = 25;  // then a new one, so that making one is crashed too
    for (int i = 0; i < times; ++i) {
      if (i % k_crashes_of_a_log == 0) log_ = std::make_unique<Story>();
      ++outcome_.crashes;
      live();
      disk_.power_on(random_);
      if (!look()) log_ = std::make_unique<Story>();
    }
    return outcome_;
  }

 private:
  struct Story {
    TempDirectory directory;
    std::string path = (directory.path() / "state.db").string();
    Sealer sealer;
    Sealer sealer_before;  // the batch in doubt
    std::vector<Record> acknowledged;
    std::vector<Record> in_doubt;
  };

  std::vector<Record> a_batch() {
    std::vector<Record> batch;
    const std::uint64_t size = 1 + random_() % 6;
    // Some are large, so that the -wal fills up and is checkpointed now and then.
    while (batch.size() < size)
      batch.push_back(log_->sealer.next(a_draft(std::string(random_() % (random_() % 8 == 0 ? 60'000 : 600), 'x'))));
    return batch;
  }

  void live() {
    Story& story = *log_;
    disk_.lose_power_at(1 + static_cast<std::int64_t>(random_() % (random_() % 2 == 0 ? 30 : 800)));
    auto log = store::open_log(story.path);
    while (log && !disk_.is_off()) {
      story.sealer_before = story.sealer;
      const std::vector<Record> batch = a_batch();
      if ((*log)->append(batch)) {
        story.acknowledged.insert(story.acknowledged.end(), batch.begin(), batch.end());
      } else {
        EXPECT_TRUE(disk_.is_off()) << "only power loss ends an append";
        story.in_doubt = batch;
        ++outcome_.in_append;
      }
      if (random_() % 16 == 0) {
        log.value().reset();  // checkpoints, and removes the -wal
        log = store::open_log(story.path);
      }
    }
    outcome_.acknowledged += static_cast<std::int64_t>(story.acknowledged.size());
  }

  void note(int& count, const std::string& what) {
    ++count;
    if (outcome_.first.empty()) outcome_.first = "crash " + std::to_string(outcome_.crashes) + ": " + what;
  }

  // What is there after the power came back; false when nothing can be built on it.
  bool look() {
    Story& story = *log_;
    auto log = store::open_log(story.path);
    if (!log) return note(outcome_.unreadable, log.error().message), false;
    std::vector<Record> there;
    RunChain chain;
    std::string fault;
    const Status read = (*log)->read(RunId{1}, [&](const Record& record) {
      if (fault.empty()) fault = chain.follow(record);
      return there.push_back(record), true;
    });
    if (!read) return note(outcome_.unreadable, read.error().message), false;
    if (!fault.empty()) return note(outcome_.broken, fault), false;

    std::vector<Record> with_doubtful = story.acknowledged;
    with_doubtful.insert(with_doubtful.end(), story.in_doubt.begin(), story.in_doubt.end());
    if (there == story.acknowledged) {
      if (!story.in_doubt.empty()) story.sealer = story.sealer_before;
    } else if (there == with_doubtful) {
      ++outcome_.doubtful_kept;
    } else if (there.size() > story.acknowledged.size() && there.size() < with_doubtful.size()) {
      return note(outcome_.partial, "a part of a batch is there"), false;
    } else {
      note(outcome_.lost, std::to_string(there.size()) + " events of " + std::to_string(story.acknowledged.size()));
      return false;
    }
    story.acknowledged = std::move(there);
    story.in_doubt.clear();
    return true;
  }

  std::mt19937_64 random_;
  FaultyDisk disk_;
  std::unique_ptr<Story> log_;
  Outcome outcome_;
};

void print(const Outcome& outcome) {
  std::cout << outcome.crashes << " crashes (" << outcome.in_append << " in an append), " << outcome.acknowledged
            << " acknowledged events looked at: " << outcome.lost << " lost, " << outcome.partial << " partial, "
            << outcome.broken << " broken, " << outcome.unreadable << " unreadable; " << outcome.doubtful_kept
            << " batches without an answer were there\n";
}

TEST(PowerLoss, TakesNothingThatWasAcknowledgedAndLeavesNothingHalf) {
  Machine machine(seed_of_test(), FaultyDisk::Syncs::are_kept);

  const Outcome outcome = machine.crash(times("BERNSTEIN_CRASHES", 150));

  print(outcome);
  EXPECT_EQ(outcome.lost, 0) << outcome.first;
  EXPECT_EQ(outcome.partial, 0) << outcome.first;
  EXPECT_EQ(outcome.broken, 0) << outcome.first;
  EXPECT_EQ(outcome.unreadable, 0) << outcome.first;
  EXPECT_GT(outcome.in_append, outcome.crashes / 4);
}

// Without this one, a disk that forgets to lose anything would pass the one above.
TEST(PowerLoss, OfADriveThatLiesAboutSyncsIsSeenByThisTest) {
  Machine machine(seed_of_test(), FaultyDisk::Syncs::are_lies);

  const Outcome outcome = machine.crash(50);

  print(outcome);
  EXPECT_GT(outcome.lost + outcome.unreadable, 10) << outcome.first;
}

}  // namespace
}  // namespace bernstein::test
