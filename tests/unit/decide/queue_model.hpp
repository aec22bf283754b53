#pragma once
// A model of a repository, its checks and its person for the landing queue: whole queues of attempts are landed in it,
// in memory, in whatever order results come, and what must hold of every queue is watched on the way.
//
//     QueueModel model({.items = some_items(200), .landing = {.batch = 8, .skip_intermediate = true}});
//     model.run(dice);
//     EXPECT_EQ(model.broken(), Words{});
//
// A commit is a map from paths to values. Item k writes to `file k`, and to the paths that it shares with others: two
// that write to one of these conflict, unless the later one began on a target that held the earlier one's.

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "support/builders.hpp"

namespace bernstein::test {

class QueueDice {
 public:
  explicit QueueDice(std::uint32_t seed) : engine_(seed) {}
  std::uint32_t below(std::size_t limit) { return static_cast<std::uint32_t>(engine_() % limit); }
  bool one_in(std::size_t n) { return n != 0 && below(n) == 0; }
  bool with_ppm(std::uint32_t ppm) { return below(1'000'000) < ppm; }

 private:
  std::mt19937 engine_;
};

// One task and what becomes of its attempts.
struct QueueItem {
  std::uint32_t priority = 2;
  std::uint32_t bad_attempts = 0;   // so many of its first ones are red wherever they stand
  std::vector<std::string> shared;  // paths
  std::uint32_t red_with = 0;       // another item with which it is red; 0: none
  bool own_check = false;           // a command of its own beside the gate
  std::uint32_t breaks_own_of = 0;  // the item whose own check is red where this one has landed; 0: none
};

struct QueueCase {
  std::vector<QueueItem> items;  // t1, t2, ...
  LandingRules landing;
  std::uint32_t attempts = 1;
  bool all_queued = false;       // nothing is put together before all are in the queue
  std::size_t person = 0;        // commits to the target one time in so many steps; 0: never
  bool breaks_target = false;    // now and then with what is red, mended when the run has ended by it
  std::size_t interruption = 0;  // one check in so many is interrupted; 0: none
  std::size_t flake = 0;         // one green run in so many is red; 0: none
  bool flaky_by_word = false;    // the gate is called flaky
  bool watches_state = false;    // the invariants of the state too: they cost more than the queue
};

class QueueModel {
 public:
  using Content = std::map<std::string, std::string>;
  struct Commit {
    std::string parent;
    Content content;
    std::string tree;
    bool is_persons = false;
  };

  explicit QueueModel(QueueCase given);

  // To the end of the run; of the world as of the dice only the order of answers and accidents.
  void run(QueueDice& dice);

  const World& world() const { return world_; }
  const std::vector<std::string>& broken() const { return broken_; }
  const std::string& tip() const { return tip_; }
  const Commit& commit(const std::string& id) const { return commits_.at(id); }
  // What the queue made of the target, the person's part left out.
  Content landed_content() const;
  std::map<std::string, std::string> ends() const;  // status by task
  std::uint32_t command_runs() const { return command_runs_; }
  std::uint32_t landings() const { return world_.state().landings; }
  std::uint32_t ejections() const { return world_.state().ejections; }
  bool is_red(const Content& content) const;  // of the gate

 private:
  struct Work {
    AttemptId attempt;
    Content base;
    Content edits;
  };

  std::optional<Seq> choose(QueueDice& dice) const;
  EventBody answer_to(const OpenIntent& intent, QueueDice& dice);
  EventBody capture(AttemptId id, const CaptureRequested& request);
  EventBody put_together(const CandidateRequested& request);
  EventBody check(const OpenIntent& intent, const CheckRequested& request, QueueDice& dice);
  EventBody land(AttemptId id, const MergeRequested& request);
  std::string add_commit(const std::string& salt, const std::string& parent, Content content);
  void person_commits(const std::string& value);
  bool goes_on_after_the_end();

  void watch(std::size_t from);  // the events since then
  void watch_slots();
  void watch_landing(AttemptId id, const MergeRequested& request);
  void watch_failure(AttemptId id, const AttemptFailed& failure);
  void watch_overtaking();
  void watch_end();
  void say(std::string sentence);

  QueueCase given_;
  World world_;
  std::map<std::string, Commit> commits_;
  std::map<std::string, Content> trees_;
  std::map<std::string, Work> works_;
  std::string tip_ = "commit-0";
  std::string checkout_ = "commit-0";
  std::uint32_t persons_commits_ = 0;
  std::map<std::string, std::uint32_t> interrupted_;         // by tree
  std::set<std::pair<std::string, std::string>> green_;      // tree and check
  std::map<std::pair<std::string, std::string>, int> runs_;  // ended by themselves
  std::vector<AttemptId> arrived_;
  std::vector<AttemptId> taken_;  // from the queue into the chain
  std::uint32_t command_runs_ = 0;
  std::vector<std::string> broken_;
};

}  // namespace bernstein::test
