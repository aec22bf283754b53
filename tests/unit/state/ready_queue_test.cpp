#include "bernstein/state/ready_queue.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "bernstein/base/path.hpp"

namespace bernstein {
namespace {

Lane a_lane(std::string role = "backend") {
  return {.role = std::move(role)};
}

std::vector<std::uint32_t> heads_of(const ReadyQueue& queue) {
  std::vector<std::uint32_t> numbers;
  for (const Rank& rank : queue.heads()) numbers.push_back(rank.task.number);
  return numbers;
}

using Numbers = std::vector<std::uint32_t>;

TEST(ReadyQueue, OrdersByPriorityThenLongerChainThenId) {
  ReadyQueue queue;
  queue.insert({.priority = 2, .chain_minutes = 30, .task = {1}}, a_lane("a"), {});
  queue.insert({.priority = 2, .chain_minutes = 90, .task = {2}}, a_lane("b"), {});
  queue.insert({.priority = 1, .chain_minutes = 10, .task = {3}}, a_lane("c"), {});
  queue.insert({.priority = 2, .chain_minutes = 30, .task = {4}}, a_lane("d"), {});

  EXPECT_EQ(heads_of(queue), (Numbers{3, 2, 1, 4}));
}

TEST(ReadyQueue, ShowsTheBestOfEachLaneOnly) {
  ReadyQueue queue;
  queue.insert({.task = {1}}, a_lane("docs"), {});
  queue.insert({.task = {2}}, a_lane("docs"), {"docs/"});
  queue.insert({.task = {3}}, a_lane("backend"), {});

  EXPECT_EQ(heads_of(queue), (Numbers{1, 3}));
  queue.erase({1});
  EXPECT_EQ(heads_of(queue), (Numbers{2, 3}));
  EXPECT_EQ(queue.size(), 2U);
}

TEST(ReadyQueue, ParksWhatOverlapsALeaseUntilEveryHolderIsGone) {
  ReadyQueue queue;
  queue.insert({.task = {1}}, a_lane(), {"src/a/", "src/b/"});
  queue.lease({7}, {"src/a/x.cpp"});
  queue.lease({8}, {"src/b/"});
  EXPECT_EQ(heads_of(queue), Numbers{});
  EXPECT_EQ(queue.size(), 1U);  // what waits for files is still in the queue

  queue.release({7});
  EXPECT_EQ(heads_of(queue), Numbers{});
  queue.release({8});
  EXPECT_EQ(heads_of(queue), (Numbers{1}));
}

TEST(ReadyQueue, ATaskThatComesLateSeesTheLeasesThatAreThere) {
  ReadyQueue queue;
  queue.lease({7}, {"src/"});
  queue.insert({.task = {1}}, a_lane(), {"src/a.cpp"});
  EXPECT_EQ(heads_of(queue), Numbers{});
  queue.release({7});
  EXPECT_EQ(heads_of(queue), (Numbers{1}));
}

TEST(ReadyQueue, ErasingWhatIsNotThereChangesNothing) {
  ReadyQueue queue;
  queue.insert({.task = {1}}, a_lane(), {});
  queue.erase({2});
  queue.release({3});
  EXPECT_EQ(heads_of(queue), (Numbers{1}));
}

TEST(ReadyQueue, NamesTheHolderOfAPathAndNotOfWhatAGlobLeavesOut) {
  ReadyQueue queue;
  queue.lease({7}, {"docs/**/*.md"});
  queue.lease({9}, {"src/"});
  queue.lease({8}, {"src/a.cpp"});

  EXPECT_EQ(queue.holder_of("src/a.cpp", {1}), TaskId{8});
  EXPECT_EQ(queue.holder_of("src/a.cpp", {8}), TaskId{9});
  EXPECT_EQ(queue.holder_of("src/b.cpp", {9}), std::nullopt);
  EXPECT_EQ(queue.holder_of("docs/a.md", {1}), TaskId{7});
  EXPECT_EQ(queue.holder_of("docs/a.png", {1}), std::nullopt);
}

// The same queue by brute force: every task compared with every lease at every question.
class PairwiseModel {
 public:
  struct Waiting {
    Rank rank;
    Lane lane;
    std::vector<std::string> files;
  };
  void insert(Rank rank, const Lane& lane, const std::vector<std::string>& files) {
    tasks_[rank.task] = {rank, lane, files};
  }
  void erase(TaskId task) { tasks_.erase(task); }
  void lease(TaskId holder, const std::vector<std::string>& patterns) {
    leases_[holder].insert(leases_[holder].end(), patterns.begin(), patterns.end());
  }
  void release(TaskId holder) { leases_.erase(holder); }
  bool contains(TaskId task) const { return tasks_.contains(task); }

  std::set<Rank> heads() const {
    std::map<Lane, Rank> best;
    for (const auto& [id, waiting] : tasks_) {
      if (is_parked(waiting)) continue;
      auto [head, is_first] = best.try_emplace(waiting.lane, waiting.rank);
      if (!is_first) head->second = std::min(head->second, waiting.rank);
    }
    std::set<Rank> ranks;
    for (const auto& [lane, rank] : best) ranks.insert(rank);
    return ranks;
  }

 private:
  bool is_parked(const Waiting& waiting) const {
    for (const auto& [holder, patterns] : leases_) {
      for (const std::string& leased : patterns) {
        for (const std::string& file : waiting.files) {
          if (may_overlap(leased, file)) return true;
        }
      }
    }
    return false;
  }

  std::map<TaskId, Waiting> tasks_;
  std::map<TaskId, std::vector<std::string>> leases_;
};

class ReadyQueueProperty : public testing::TestWithParam<std::uint32_t> {};

TEST_P(ReadyQueueProperty, EverySequenceOfOperationsGivesTheHeadsOfThePairwiseModel) {
  std::mt19937 random(GetParam());
  SCOPED_TRACE("seed " + std::to_string(GetParam()));
  const std::vector<std::string> patterns{"a/",  "a/b", "a/b/c", "a/*.x", "b/",     "b/**/*.x", "c",
                                          "c/d", "*.y", "**",    "d/e/f", "d/e/g/", "d/?"};
  auto some = [&](std::size_t max) {
    std::vector<std::string> chosen;
    for (std::size_t left = random() % (max + 1); left > 0; --left)
      chosen.push_back(patterns[random() % patterns.size()]);
    return chosen;
  };

  ReadyQueue queue;
  PairwiseModel model;
  for (int step = 0; step < 600; ++step) {
    const TaskId task{static_cast<std::uint32_t>(1 + random() % 20)};
    switch (random() % 5) {
      case 0:
      case 1: {
        if (model.contains(task)) break;
        const Rank rank{1 + static_cast<std::uint32_t>(random() % 3), static_cast<std::uint32_t>(random() % 3) * 30,
                        task};
        const Lane lane{.role = random() % 2 == 0 ? "backend" : "docs",
                        .failures = static_cast<std::uint32_t>(random() % 2)};
        const std::vector<std::string> files = some(3);
        queue.insert(rank, lane, files);
        model.insert(rank, lane, files);
        break;
      }
      case 2:
        queue.erase(task);
        model.erase(task);
        break;
      case 3: {
        const std::vector<std::string> leased = some(2);
        queue.lease(task, leased);
        model.lease(task, leased);
        break;
      }
      default:
        queue.release(task);
        model.release(task);
        break;
    }
    ASSERT_EQ(queue.heads(), model.heads()) << "after step " << step;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, ReadyQueueProperty, testing::Range(1U, 13U));

}  // namespace
}  // namespace bernstein
