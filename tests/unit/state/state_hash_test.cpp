#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "bernstein/state/apply.hpp"
#include "support/builders.hpp"

namespace bernstein {
namespace {

using namespace test;

RunState fold(const std::vector<Event>& events) {
  RunState state;
  for (const Event& event : events) EXPECT_TRUE(apply(state, event));
  return state;
}

// One attempt that landed after a failed one, one that failed, one at work.
World a_lively_world() {
  World world(a_config().with_gate(a_command("tests")));
  world.start({a_task(1).owning("a/"), a_task(2).owning("b/"), a_task(3).owning("c/"), a_task(4).after(3)});
  world.works(at(1), {"a/x", "elsewhere"});
  world.candidate_built(at(1));
  world.check_fails(at(1));
  world.run([&](const RunState&, const OpenIntent& intent) -> std::optional<EventBody> {
    if (intent.subject != about_run()) return std::nullopt;  // the target's own check
    return world.success(intent);
  });
  world.lands(at(1, 2));
  world.works(at(2), {"b/x"});
  world.candidate_built(at(2));
  return world;
}

TEST(StateHash, IsEqualForEqualFolds) {
  const World world = a_lively_world();
  EXPECT_EQ(state_hash(fold(world.log())), state_hash(world.state()));
}

TEST(StateHash, ChangesWithEveryEvent) {
  const World world = a_lively_world();
  RunState state;
  std::set<std::string> hashes{state_hash(state)};
  for (const Event& event : world.log()) {
    ASSERT_TRUE(apply(state, event));
    EXPECT_TRUE(hashes.insert(state_hash(state)).second) << "after " << type_of(event.body);
  }
}

// The planner has made a plan, t1 was split into t3 and t4, and t2 is to be split.
World a_planned_world() {
  World world(a_config().with_planner().with_attempts(1));
  world.start_with_goal();
  world.plans(session(1), a_faulty_answer());
  world.plans(session(2), an_answer({a_task(1), a_task(2)}));
  world.fails(at(1));
  world.fails(at(2));
  world.plans(session(3), some_parts(world.state(), 1));
  world.worktree_ready(session(4));
  return world;
}

TEST(StateHash, IsEqualForEqualFoldsOfAGoal) {
  const World world = a_planned_world();
  EXPECT_EQ(state_hash(fold(world.log())), state_hash(world.state()));
}

TEST(StateHash, ChangesWithEveryEventOfAGoal) {
  const World world = a_planned_world();
  RunState state;
  std::set<std::string> hashes{state_hash(state)};
  for (const Event& event : world.log()) {
    ASSERT_TRUE(apply(state, event));
    EXPECT_TRUE(hashes.insert(state_hash(state)).second) << "after " << type_of(event.body);
  }
}

struct Change {
  const char* fact;
  std::function<void(RunState&)> make;
};
void PrintTo(const Change& change, std::ostream* out) {
  *out << change.fact;
}

Attempt& attempt(RunState& state) {
  return state.tasks.at(t(1)).attempts.at(0);
}
Task& task(RunState& state) {
  return state.tasks.at(t(1));
}

class StateHashFacts : public testing::TestWithParam<Change> {};

TEST_P(StateHashFacts, AreAllInTheDigest) {
  RunState state = fold(a_lively_world().log());
  const std::string before = state_hash(state);
  GetParam().make(state);
  EXPECT_NE(state_hash(state), before);
}

INSTANTIATE_TEST_SUITE_P(
    OfARun, StateHashFacts,
    testing::Values(Change{"run", [](RunState& s) { s.run.number = 9; }},
                    Change{"last_seq", [](RunState& s) { ++s.last_seq; }},
                    Change{"at_us", [](RunState& s) { ++s.at_us; }},
                    Change{"config", [](RunState& s) { ++s.started->config.max_agents; }},
                    Change{"plan", [](RunState& s) { s.plan->source = "other"; }},
                    Change{"stop", [](RunState& s) { s.stop = StopRequested{}; }},
                    Change{"halted", [](RunState& s) { s.halted = "no disk"; }},
                    Change{"finished", [](RunState& s) { s.finished = RunFinished{}; }},
                    Change{"target_tip", [](RunState& s) { s.target_tip = "other"; }},
                    Change{"spent", [](RunState& s) { ++s.spent.micros.value; }},
                    Change{"presumed", [](RunState& s) { ++s.presumed.micros.value; }},
                    Change{"reserved", [](RunState& s) { ++s.reserved.micros.value; }},
                    Change{"spent tokens", [](RunState& s) { ++s.spent.tokens; }},
                    Change{"dearest", [](RunState& s) { s.dearest["mock/cheap-1 low"].tokens = 1; }},
                    Change{"beyond budget", [](RunState& s) { s.beyond_budget.push_back(at(2)); }},
                    Change{"stage", [](RunState& s) { ++s.stages[0].unlanded; }},
                    Change{"open intent", [](RunState& s) { s.open_intents.erase(s.open_intents.begin()); }},
                    Change{"subject of an open intent",
                           [](RunState& s) { s.open_intents.begin()->second.subject = about(TaskId{4}); }},
                    Change{"verdict",
                           [](RunState& s) { s.verdicts.begin()->second.verdict = CheckVerdict::timed_out; }},
                    Change{"reason of a verdict", [](RunState& s) { s.verdicts.begin()->second.why = "other"; }}));

INSTANTIATE_TEST_SUITE_P(OfATask, StateHashFacts,
                         testing::Values(Change{"title", [](RunState& s) { task(s).spec.title = "Other"; }},
                                         Change{"chain", [](RunState& s) { ++task(s).chain_minutes; }},
                                         Change{"status", [](RunState& s) { task(s).status = TaskStatus::failed; }},
                                         Change{"prerequisites", [](RunState& s) { ++task(s).open_prerequisites; }},
                                         Change{"failures", [](RunState& s) { ++task(s).failures; }},
                                         Change{"losses", [](RunState& s) { ++task(s).losses; }},
                                         Change{"used", [](RunState& s) { ++task(s).used.value; }},
                                         Change{"extra files", [](RunState& s) { task(s).extra_files.insert("z"); }},
                                         Change{"route", [](RunState& s) { task(s).route = RouteChosen{}; }},
                                         Change{"why", [](RunState& s) { task(s).why = "other"; }}));

INSTANTIATE_TEST_SUITE_P(
    OfAnAttempt, StateHashFacts,
    testing::Values(Change{"step", [](RunState& s) { attempt(s).step = Step::broken; }},
                    Change{"arm", [](RunState& s) { attempt(s).arm.tier = "other"; }},
                    Change{"model", [](RunState& s) { attempt(s).arm.model = "other"; }},
                    Change{"features", [](RunState& s) { attempt(s).features["bias"] = 2; }},
                    Change{"owned", [](RunState& s) { attempt(s).owned.push_back("z"); }},
                    Change{"granted", [](RunState& s) { attempt(s).granted.push_back("z"); }},
                    Change{"reserved", [](RunState& s) { ++attempt(s).reserved.tokens; }},
                    Change{"slot", [](RunState& s) { attempt(s).slot = true; }},
                    Change{"base", [](RunState& s) { attempt(s).base = "other"; }},
                    Change{"worktree", [](RunState& s) { attempt(s).worktree = !attempt(s).worktree; }},
                    Change{"silence", [](RunState& s) { ++attempt(s).silent_us; }},
                    Change{"assigned at", [](RunState& s) { ++attempt(s).assigned_at_us; }},
                    Change{"exit", [](RunState& s) { attempt(s).exit->exit_code = 3; }},
                    Change{"work", [](RunState& s) { attempt(s).work->commit = "other"; }},
                    Change{"captured", [](RunState& s) { ++attempt(s).captured_seq; }},
                    Change{"arrival", [](RunState& s) { ++attempt(s).arrival; }},
                    Change{"approved", [](RunState& s) { attempt(s).approved = true; }},
                    Change{"merged in", [](RunState& s) { attempt(s).merge_in = "other"; }},
                    Change{"candidate", [](RunState& s) { attempt(s).candidate->base = "other"; }},
                    Change{"conflicted with", [](RunState& s) { attempt(s).conflicted_with = "other"; }},
                    Change{"conflicts", [](RunState& s) { attempt(s).conflicts.push_back({.path = "z"}); }},
                    Change{"foreseen",
                           [](RunState& s) {
                             attempt(s).foreseen[AttemptId{TaskId{9}, 1}] = {"z"};
                           }},
                    Change{"held", [](RunState& s) { attempt(s).held = LandingHeld{}; }},
                    Change{"next check", [](RunState& s) { ++attempt(s).examination->next; }},
                    Change{"failed check", [](RunState& s) { attempt(s).examination->failed->why = "other"; }},
                    Change{"checkout", [](RunState& s) { attempt(s).examination->checkout ^= true; }},
                    Change{"abandoned", [](RunState& s) { attempt(s).examination->abandoned ^= true; }},
                    Change{"recalled", [](RunState& s) { attempt(s).examination->recalled ^= true; }},
                    Change{"begun", [](RunState& s) { attempt(s).examination->begun ^= true; }},
                    Change{"rerun", [](RunState& s) { attempt(s).examination->rerun = "other"; }},
                    Change{"flaked", [](RunState& s) { attempt(s).examination->flaked = "other"; }},
                    Change{"covers",
                           [](RunState& s) {
                             attempt(s).examination->covers.push_back({TaskId{9}, 1});
                           }},
                    Change{"verdict", [](RunState& s) { attempt(s).examination->verdict->why = "other"; }},
                    Change{"broken", [](RunState& s) { attempt(s).broken = EffectFailed{}; }},
                    Change{"failure", [](RunState& s) { attempt(s).failure->why = "other"; }},
                    Change{"merge commit", [](RunState& s) { attempt(s).merge_commit = "other"; }},
                    Change{"ended at", [](RunState& s) { ++attempt(s).ended_at_us; }}));

class StateHashPlanning : public testing::TestWithParam<Change> {};

TEST_P(StateHashPlanning, IsAllInTheDigest) {
  RunState state = fold(a_planned_world().log());
  const std::string before = state_hash(state);
  GetParam().make(state);
  EXPECT_NE(state_hash(state), before);
}

INSTANTIATE_TEST_SUITE_P(
    OfThePlanner, StateHashPlanning,
    testing::Values(Change{"wanted", [](RunState& s) { s.planning.wanted = false; }},
                    Change{"to split", [](RunState& s) { s.planning.to_split.insert(TaskId{4}); }},
                    Change{"question", [](RunState& s) { s.planning.question.reset(); }},
                    Change{"first session", [](RunState& s) { ++s.planning.first_session; }},
                    Change{"failed", [](RunState& s) { s.planning.failed = "why"; }},
                    Change{"failures", [](RunState& s) { ++s.planning.task.failures; }},
                    Change{"losses", [](RunState& s) { ++s.planning.task.losses; }},
                    Change{"parks", [](RunState& s) { ++s.planning.task.parks; }},
                    Change{"sessions", [](RunState& s) { s.planning.task.attempts.pop_back(); }},
                    Change{"answer", [](RunState& s) { s.planning.task.attempts[0].answer->faults = {"other"}; }},
                    Change{"no answer", [](RunState& s) { s.planning.task.attempts[0].answer.reset(); }},
                    Change{"planned", [](RunState& s) { s.planned.push_back(a_task(5)); }},
                    Change{"approved", [](RunState& s) { s.approved = true; }},
                    Change{"parts", [](RunState& s) { s.tasks.at(TaskId{1}).parts.pop_back(); }},
                    Change{"part of", [](RunState& s) { s.tasks.at(TaskId{3}).spec.part_of = TaskId{2}; }}));

}  // namespace
}  // namespace bernstein
