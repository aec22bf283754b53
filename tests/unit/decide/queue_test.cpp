// Whole queues, at random: what must hold of each, whatever fails, conflicts, is interrupted or moves meanwhile.
// BERNSTEIN_QUEUES=2000 looks at more of them than the usual ones; a failing seed is printed with what it broke.
#include <gtest/gtest.h>

#include <algorithm>
#include <iomanip>
#include <iostream>

#include "bernstein/decide/landing.hpp"
#include "bernstein/event/codec.hpp"
#include "queue_model.hpp"
#include "support/dice.hpp"

namespace bernstein {
namespace {

using namespace test;

using Words = std::vector<std::string>;

LandingRules random_rules(QueueDice& dice) {
  LandingRules rules;
  rules.max_checks = 1 + dice.below(4);
  rules.skip_intermediate = dice.one_in(2);
  if (rules.skip_intermediate) rules.batch = dice.below(17);
  return rules;
}

struct Trouble {
  bool conflicts = false;
  bool interactions = false;
  bool priorities = false;
};

std::vector<QueueItem> random_items(QueueDice& dice, Trouble trouble) {
  std::vector<QueueItem> items(4 + dice.below(28));
  const auto size = static_cast<std::uint32_t>(items.size());
  const std::uint32_t failure_ppm = dice.below(400'000);
  for (std::uint32_t number = 1; number <= size; ++number) {
    QueueItem& item = items[number - 1];
    if (trouble.priorities) item.priority = 1 + dice.below(3);
    if (dice.with_ppm(failure_ppm)) item.bad_attempts = 1 + dice.below(2);
    if (trouble.interactions && dice.one_in(8) && number > 1) item.red_with = 1 + dice.below(number - 1);
    if (trouble.interactions && dice.one_in(4)) item.own_check = true;
  }
  for (std::uint32_t number = 1; number <= size; ++number) {
    QueueItem& item = items[number - 1];
    const std::uint32_t other = 1 + dice.below(size);
    if (!trouble.interactions || !dice.one_in(8) || other == number) continue;
    item.breaks_own_of = other;
    items[other - 1].own_check = true;
  }
  // In pairs: of two that change the same file one is put together anew.
  for (std::size_t i = 0; trouble.conflicts && i + 3 < size; i += 4) {
    if (!dice.one_in(2)) continue;
    items[i].shared = items[i + 1 + dice.below(3)].shared = {"shared " + std::to_string(i)};
  }
  return items;
}

QueueCase random_case(QueueDice& dice) {
  const Trouble trouble{.conflicts = dice.one_in(2), .interactions = dice.one_in(3), .priorities = dice.one_in(2)};
  QueueCase given;
  given.items = random_items(dice, trouble);
  given.landing = random_rules(dice);
  given.attempts = 1 + dice.below(3);
  given.all_queued = dice.one_in(2);
  if (dice.one_in(2)) given.person = 15 + dice.below(60);
  given.breaks_target = given.person != 0 && dice.one_in(3);
  if (dice.one_in(2)) given.interruption = 4 + dice.below(20);
  if (dice.one_in(6)) given.flake = 6 + dice.below(20);
  given.flaky_by_word = dice.one_in(4);
  return given;
}

std::string in_words(const QueueCase& given) {
  const LandingRules& rules = given.landing;
  return std::to_string(given.items.size()) + " items, " + std::to_string(rules.max_checks) + " checks, " +
         (rules.skip_intermediate ? "batch " + std::to_string(rules.batch) : std::string("strict")) + ", attempts " +
         std::to_string(given.attempts) + ", person " + std::to_string(given.person) + ", interruption " +
         std::to_string(given.interruption) + ", flake " + std::to_string(given.flake);
}

void expect_kept(const QueueModel& model) {
  EXPECT_EQ(model.broken(), Words{});
}

void keeps_its_promises(std::uint32_t seed) {
  QueueDice dice(seed);
  QueueCase given = random_case(dice);
  given.watches_state = seed % 4 == 0;
  SCOPED_TRACE(in_words(given));
  QueueModel model(given);
  model.run(dice);
  expect_kept(model);
}

// I7
void is_decided_alike(std::uint32_t seed) {
  QueueDice dice(seed);
  QueueModel model(random_case(dice));
  model.run(dice);
  const World& world = model.world();
  World again;
  for (const Event& event : world.log()) {
    if (is_observed(kind_of(event.body))) again.feed({event.subject, event.body}, event.cause);
  }
  ASSERT_EQ(again.log().size(), world.log().size());
  for (std::size_t i = 0; i < world.log().size(); ++i) {
    ASSERT_EQ(to_string(again.log()[i].subject), to_string(world.log()[i].subject)) << "event " << i + 1;
    ASSERT_EQ(encode(again.log()[i].body), encode(world.log()[i].body)) << "event " << i + 1;
  }
  EXPECT_EQ(state_hash(again.state()), state_hash(world.state()));
}

// I8: the queue is the same, and what an attempt comes to too; so when results come makes no difference.
void ends_the_same_in_any_order(std::uint32_t seed) {
  QueueDice dice(seed);
  QueueCase given;
  // Whoever has conflicted arrives once more; with interactions its place would matter.
  const bool conflicts = dice.one_in(2);
  given.items = random_items(dice, {.conflicts = conflicts, .interactions = !conflicts, .priorities = true});
  given.landing = random_rules(dice);
  given.all_queued = true;
  SCOPED_TRACE(in_words(given));
  std::optional<QueueModel::Content> content;
  std::map<std::string, std::string> ends;
  for (std::uint32_t order = 0; order < 4; ++order) {
    QueueDice other(seed * 31 + order);
    given.interruption = order == 3 ? 6 : 0;
    QueueModel model(given);
    model.run(other);
    expect_kept(model);
    if (!content) {
      content = model.landed_content();
      ends = model.ends();
    }
    EXPECT_EQ(model.landed_content(), *content) << "order " << order;
    EXPECT_EQ(model.ends(), ends) << "order " << order;
  }
}

// I9
void ends_as_one_by_one(std::uint32_t seed) {
  QueueDice dice(seed);
  QueueCase given;
  given.items = random_items(dice, {.priorities = dice.one_in(2)});
  given.landing = random_rules(dice);
  given.attempts = 1 + dice.below(3);
  if (dice.one_in(2)) given.person = 25;
  if (dice.one_in(2)) given.interruption = 8;
  SCOPED_TRACE(in_words(given));
  QueueModel model(given);
  model.run(dice);
  expect_kept(model);
  QueueCase serial = given;
  serial.landing = {};
  serial.person = serial.interruption = 0;
  QueueModel one_by_one(serial);
  one_by_one.run(dice);
  expect_kept(one_by_one);
  EXPECT_EQ(model.landed_content(), one_by_one.landed_content());
  EXPECT_EQ(model.ends(), one_by_one.ends());
}

// I6: what one slot runs. A batch that is green costs a run, a culprit the run that is red, the search, and the
// target's own check.
void runs_within_the_bound(std::uint32_t seed) {
  QueueDice dice(seed);
  QueueCase given;
  given.items = random_items(dice, {});
  given.landing = random_rules(dice);
  given.all_queued = true;
  SCOPED_TRACE(in_words(given));
  QueueModel model(given);
  model.run(dice);
  expect_kept(model);
  const std::uint32_t search = given.landing.skip_intermediate ? 2 + 4 : 2;  // 4: of 16 by halves
  const std::uint32_t bound = given.landing.max_checks * (model.landings() + model.ejections() * search);
  EXPECT_LE(model.command_runs(), bound);
}

constexpr std::uint32_t k_cases = 10;

class AnyQueue : public testing::TestWithParam<std::uint32_t> {
 protected:
  static void for_each_seed(void (*expect)(std::uint32_t)) {
    const auto queues = static_cast<std::uint32_t>(times("BERNSTEIN_QUEUES", 200));
    const std::uint32_t each = std::max(queues / k_cases, 1U);
    for (std::uint32_t i = 0; i < each && !HasFailure(); ++i) {
      const std::uint32_t seed = GetParam() * each + i;
      SCOPED_TRACE("seed " + std::to_string(seed));
      expect(seed);
    }
  }
};

TEST_P(AnyQueue, KeepsItsPromisesAndEnds) {
  for_each_seed(keeps_its_promises);
}
TEST_P(AnyQueue, IsDecidedAlikeFromItsRecordedInputs) {
  for_each_seed(is_decided_alike);
}
TEST_P(AnyQueue, EndsTheSameInWhateverOrderResultsCome) {
  for_each_seed(ends_the_same_in_any_order);
}
TEST_P(AnyQueue, EndsAsIfItHadLandedOneByOne) {
  for_each_seed(ends_as_one_by_one);
}
TEST_P(AnyQueue, RunsNoMoreChecksThanASearchTakes) {
  for_each_seed(runs_within_the_bound);
}

INSTANTIATE_TEST_SUITE_P(Seeds, AnyQueue, testing::Range(0U, k_cases));

// ---- what these have found, and what they rest on ----

LandingRules batches_of(std::uint32_t batch, std::uint32_t checks = 1) {
  return {.batch = batch, .max_checks = checks, .skip_intermediate = true};
}

// Tasks whose work waits in the queue, and whose candidates are there.
void queues(World& world, std::uint32_t tasks) {
  std::vector<TaskSpec> plan;
  for (std::uint32_t number = 1; number <= tasks; ++number) plan.push_back(a_task(number));
  world.start(plan);
  for (std::uint32_t number = 1; number <= tasks; ++number) world.works(at(number), {"file " + std::to_string(number)});
}

void builds(World& world, std::uint32_t from, std::uint32_t to) {
  for (std::uint32_t number = from; number <= to; ++number) world.candidate_built(at(number));
}

void is_interrupted(World& world, AttemptId id) {
  const CheckRequested& request = world.the<CheckRequested>(about(id));
  world.answer<CheckRequested>(
      id, CheckFinished{.name = request.check.name, .stopped = true, .tree = request.tree, .why = "it was ended"});
}

TEST(Queue, ABatchBeginsWhenItIsFullOrNobodyElseCanJoinIt) {
  World world(a_config().with_agents(5).with_gate(a_command("tests")).with_landing(batches_of(3)));
  queues(world, 5);
  builds(world, 1, 2);
  EXPECT_EQ(world.subjects_of<ChecksBegun>(), Words{});
  builds(world, 3, 3);
  EXPECT_EQ(world.the<ChecksBegun>(about(at(3))), (ChecksBegun{{"t1.1", "t2.1"},
                                                               "",
                                                               world.the<CandidateBuilt>(about(at(3))).tree,
                                                               "the last of a batch of 3 at most, as 10 % fail"}));
  world.check_passes(at(3));
  EXPECT_NE(world.open<CandidateRequested>(at(4)), 0) << "the next batch is put together while this one lands";
  builds(world, 4, 4);
  EXPECT_EQ(world.open<CheckRequested>(at(4)), 0);
  builds(world, 5, 5);
  EXPECT_EQ(world.the<ChecksBegun>(about(at(5))).covers, Words{"t4.1"});
}

TEST(Queue, WhatHasLandedMeanwhileIsNotSpokenForAgain) {
  World world(a_config().with_agents(4).with_gate(a_command("tests")).with_landing(batches_of(4, 2)));
  queues(world, 4);
  builds(world, 1, 4);
  EXPECT_EQ(world.the<ChecksBegun>(about(at(4))).covers, (Words{"t1.1", "t2.1", "t3.1"}));
  EXPECT_EQ(world.the<ChecksBegun>(about(at(2))).covers, Words{"t1.1"});
  world.check_passes(at(2));
  world.merged(at(1));
  world.synced(at(1));
  world.merged(at(2));
  is_interrupted(world, at(4));
  EXPECT_EQ(world.the<ChecksBegun>(about(at(4))),
            (ChecksBegun{{"t3.1"},
                         "",
                         world.the<CandidateBuilt>(about(at(4))).tree,
                         "check 'tests' was interrupted: it was ended; it starts afresh"}));
}

TEST(Queue, NobodyIsJudgedByTheCheckOfAnotherTask) {
  // t2 breaks what t1 checks of its own, which is no fault of t2, as t1 came first; and least of all one of t3.
  QueueDice dice(1);
  QueueCase given{
      .items = {{.own_check = true}, {.breaks_own_of = 1}, {}}, .landing = batches_of(3), .all_queued = true};
  QueueModel model(given);
  model.run(dice);
  expect_kept(model);
  EXPECT_EQ(model.landings(), 3U);
  EXPECT_EQ(model.world().the<ChecksBegun>(about(at(3))).why,
            "check 'own 1' failed: exit 1; that is none of its own checks, and what is ahead of it is green: it is "
            "checked for itself");
}

TEST(Queue, ChecksOfWhatStandsOnARedOneAreAbandoned) {
  World world(a_config().with_agents(3).with_gate(a_command("tests")).with_landing({.max_checks = 3}));
  queues(world, 3);
  builds(world, 1, 3);
  EXPECT_EQ(world.the<ChecksBegun>(about(at(2))).why, "a check slot is free, and with 90 % those ahead of it pass");
  world.check_fails(at(1));
  EXPECT_EQ(world.subjects_of<CheckAbandoned>(), (Words{"t2.1", "t3.1"}));
  EXPECT_EQ(world.the<CheckAbandoned>(about(at(3))).why, "what it stands on has changed");
  is_interrupted(world, at(2));
  is_interrupted(world, at(3));
  EXPECT_EQ(world.the<CandidateRequested>(about(at(2))).onto, "") << "it takes the place of the red one";
}

TEST(Queue, ARedTargetBlamesNobodyAndTheQueueGoesOnWhenItHasMoved) {
  World world(a_config().with_agents(2).with_gate(a_command("tests")));
  queues(world, 2);
  builds(world, 1, 1);
  world.check_fails(at(1));
  const Seq check = world.open<CheckRequested>(AttemptId{});
  ASSERT_NE(check, 0);
  const std::string tree = std::get<CheckRequested>(world.state().open_intents.at(check).body).tree;
  world.feed(
      {about_run(), CheckFinished{.name = "tests", .tree = tree, .verdict = CheckVerdict::failed, .why = "exit 1"}},
      check);
  EXPECT_EQ(world.the<LandingHeld>(about(at(1))),
            (LandingHeld{Hold::base_red,
                         "check 'tests' failed: exit 1; but so does main at commit-0 itself, so nobody is blamed"}));
  EXPECT_EQ(world.find<AttemptFailed>(about(at(1))), nullptr);
  world.answer<CandidateRequested>(at(2), world.candidate_of(at(2), "mended"));
  EXPECT_EQ(world.state().target_tip, "mended");
  EXPECT_EQ(world.the<LandingQueued>(about(at(1))).why, "the target may pass its checks now");
  world.check_passes(at(2));
  world.merged(at(2));
  world.synced(at(2));
  world.lands(at(1));
  world.run([&](const RunState&, const OpenIntent& intent) { return world.success(intent); });
  EXPECT_EQ(world.the<RunFinished>(about_run()).landed, 2U);
}

// ---- costs ----

struct Cost {
  double runs_per_candidate = 0;
  double runs_per_landing = 0;
  double foreseen = 0;  // a candidate, for as many failures as there were
};

// Command checks that ran, the target's own included, for 200 tasks that are all in the queue before the first is
// checked; each fails by itself with the same chance. One slot.
Cost measured(std::uint32_t batch, std::uint32_t failure_ppm, std::uint32_t seeds) {
  std::uint32_t runs = 0;
  std::uint32_t landings = 0;
  std::uint32_t candidates = 0;
  for (std::uint32_t seed = 0; seed < seeds; ++seed) {
    QueueDice dice(seed * 7919 + failure_ppm + batch);
    QueueCase given;
    given.items.resize(200);
    for (QueueItem& item : given.items) item.bad_attempts = dice.with_ppm(failure_ppm) ? 1 : 0;
    given.landing = batches_of(batch);
    given.all_queued = true;
    QueueModel model(given);
    model.run(dice);
    expect_kept(model);
    runs += model.command_runs();
    landings += model.landings();
    candidates += model.landings() + model.ejections();
  }
  const std::uint32_t size = batch != 0 ? batch : best_batch(failure_ppm);
  const std::int64_t happened_ppm = std::int64_t{candidates - landings} * 1'000'000 / candidates;
  return {double(runs) / candidates, double(runs) / landings, double(runs_per_candidate_ppm(size, happened_ppm)) / 1e6};
}

// BERNSTEIN_COST_QUEUES=20 measures so many queues of each kind, and all kinds: the table of docs/benchmarks.md.
std::uint32_t queues_of_a_kind() {
  return static_cast<std::uint32_t>(times("BERNSTEIN_COST_QUEUES", 2));
}

TEST(QueueCost, OfAFewFailuresIsUnderTwoChecksForFiveLandings) {
  EXPECT_LE(measured(8, 50'000, queues_of_a_kind()).runs_per_landing, 0.40);
  EXPECT_LE(measured(0, 50'000, queues_of_a_kind()).runs_per_landing, 0.40);
}

TEST(QueueCost, IsAsForeseen) {
  const std::uint32_t queues = queues_of_a_kind();
  const bool all = queues >= 5;
  const std::vector<std::uint32_t> chances = all ? std::vector<std::uint32_t>{1, 2, 5, 10, 20, 30} : std::vector{20U};
  const std::vector<std::uint32_t> batches = all ? std::vector<std::uint32_t>{1, 4, 8, 16, 0} : std::vector{8U, 0U};
  std::cout << "check runs, 200 tasks, one slot, " << queues << " queues each: a candidate (foreseen), a landing\n"
            << std::fixed << std::setprecision(3);
  for (std::uint32_t percent : chances) {
    std::cout << std::setw(3) << percent << " %";
    for (std::uint32_t batch : batches) {
      const Cost cost = measured(batch, percent * 10'000, queues);
      std::cout << (batch != 0 ? "  n=" + std::to_string(batch)
                               : "  auto " + std::to_string(best_batch(percent * 10'000)))
                << " " << cost.runs_per_candidate << " (" << cost.foreseen << "), " << cost.runs_per_landing;
      // With fewer queues it is more of a chance. The automatic batch has to learn the chance first.
      const double near = all && batch != 0 ? 0.10 : 0.25;
      EXPECT_NEAR(cost.runs_per_candidate, cost.foreseen, near * cost.foreseen) << percent << " %, batch " << batch;
    }
    std::cout << '\n';
  }
}

TEST(QueueCost, ChoosesTheBatchThatCostsLeast) {
  // By measurement (docs/benchmarks.md): the curve is flat about its lowest point.
  EXPECT_EQ(best_batch(10'000), 16U);
  EXPECT_EQ(best_batch(50'000), 15U);
  EXPECT_EQ(best_batch(100'000), 7U);
  EXPECT_EQ(best_batch(200'000), 3U);
  EXPECT_EQ(best_batch(300'000), 2U);
  EXPECT_EQ(best_batch(400'000), 1U);
  EXPECT_EQ(runs_per_candidate_ppm(1, 300'000), 1'000'000);
  EXPECT_EQ(runs_per_candidate_ppm(2, 300'000), 888'235) << "1.51 runs for 1.7 that are done with";
}

}  // namespace
}  // namespace bernstein
