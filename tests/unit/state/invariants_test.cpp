#include "bernstein/state/invariants.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "bernstein/state/apply.hpp"
#include "support/builders.hpp"

namespace bernstein {
namespace {

using namespace test;

// t1 landed, t2 and t3 at work, t4 waits in the landing queue behind t5, t6 and t7 wait for others.
std::vector<Event> a_busy_log() {
  World world(a_config().with_agents(4).with_budget(cents(10'000)));
  world.start({a_task(1).owning("a/"), a_task(2).owning("b/"), a_task(3).owning("c/"), a_task(4).owning("d/"),
               a_task(5).owning("e/"), a_task(6).after(2), a_task(7).in_stage(1).after_stage(0)});
  world.lands(at(1));
  world.works(at(5), {"e/x"});
  world.works(at(4), {"d/x"});
  return world.log();
}

RunState fold(const std::vector<Event>& events) {
  RunState state;
  for (const Event& event : events) EXPECT_TRUE(apply(state, event));
  return state;
}

Attempt& attempt(RunState& state, std::uint32_t task) {
  return state.tasks.at(t(task)).attempts.at(0);
}

TEST(Invariants, AllHoldInAHealthyRunAndBeforeIt) {
  EXPECT_EQ(broken_invariants(fold(a_busy_log())), std::vector<std::string>{});
  EXPECT_EQ(broken_invariants(RunState{}), std::vector<std::string>{});
}

TEST(Invariants, NameAnAttemptThatStartedAlthoughTheBudgetDidNotAllowIt) {
  std::vector<Event> log = a_busy_log();
  const auto is_assignment = [](const Event& event) { return std::holds_alternative<TaskAssigned>(event.body); };
  const auto last = std::find_if(log.rbegin(), log.rend(), is_assignment);
  ASSERT_NE(last, log.rend());
  std::get<TaskAssigned>(last->body).reserved_micros = cents(10'000);
  EXPECT_EQ(broken_invariants(fold(log)),
            std::vector<std::string>{to_string(last->subject) + " started although the budget did not allow it"});
}

struct Breakage {
  std::function<void(RunState&)> make;
  const char* sentence;
};
void PrintTo(const Breakage& breakage, std::ostream* out) {
  *out << breakage.sentence;
}

class BrokenInvariants : public testing::TestWithParam<Breakage> {};

TEST_P(BrokenInvariants, AreNamed) {
  RunState state = fold(a_busy_log());
  GetParam().make(state);
  const std::vector<std::string> broken = broken_invariants(state);
  EXPECT_TRUE(std::find(broken.begin(), broken.end(), GetParam().sentence) != broken.end())
      << testing::PrintToString(broken);
}

INSTANTIATE_TEST_SUITE_P(
    Each, BrokenInvariants,
    testing::Values(
        Breakage{[](RunState& s) { attempt(s, 3).owned = {"b/deep/"}; }, "t2.1 and t3.1 are in flight and both own b/"},
        Breakage{[](RunState& s) { attempt(s, 3).granted = {"b/x"}; }, "t2.1 and t3.1 are in flight and both own b/x"},
        Breakage{[](RunState& s) { ++s.reserved.micros.value; },
                 "reserved money is not the sum over attempts in flight"},
        Breakage{[](RunState& s) { ++s.spent.micros.value; }, "spent money is not the sum over attempts"},
        Breakage{[](RunState& s) { ++s.presumed.micros.value; },
                 "presumed money is not the sum over attempts that did not tell"},
        Breakage{[](RunState& s) { ++s.reserved.tokens; }, "reserved tokens are not the sum over attempts in flight"},
        Breakage{[](RunState& s) { ++s.spent.tokens; }, "spent tokens are not the sum over attempts"},
        Breakage{[](RunState& s) { ++s.presumed.tokens; },
                 "presumed tokens are not the sum over attempts that did not tell"},
        Breakage{[](RunState& s) { s.beyond_budget.push_back(at(2)); },
                 "t2.1 started although the budget did not allow it"},
        Breakage{[](RunState& s) {
                   s.tasks.at(TaskId{2}).attempts.push_back({.id = at(2, 2), .slot = false});
                   s.in_flight.insert(at(2, 2));
                 },
                 "t2 has several attempts in flight"},
        Breakage{[](RunState& s) {
                   s.tasks.at(TaskId{1}).attempts.push_back({.id = at(1, 2), .slot = false, .merge_commit = "x"});
                 },
                 "t1 landed more than once"},
        Breakage{[](RunState& s) { s.tasks.at(TaskId{2}).status = TaskStatus::landed; },
                 "t2 is landed without a landing"},
        Breakage{[](RunState& s) { s.tasks.at(TaskId{2}).failures = 4; }, "t2 used up more attempts than it has"},
        Breakage{[](RunState& s) { s.tasks.at(TaskId{2}).status = TaskStatus::failed; },
                 "t2 has ended and still works"},
        Breakage{[](RunState& s) { s.tasks.at(TaskId{6}).status = TaskStatus::ready; },
                 "t6 started before t2 had landed"},
        Breakage{[](RunState& s) { s.tasks.at(TaskId{7}).status = TaskStatus::ready; },
                 "t7 started before stage 'stage 0' had landed"},
        Breakage{[](RunState& s) { ++s.busy_slots; }, "the busy slots are not those of the attempts that work"},
        Breakage{[](RunState& s) { s.busy_roles.clear(); }, "the busy slots are not those of the attempts that work"},
        Breakage{[](RunState& s) { s.started->config.max_agents = 1; }, "more agents work than max_agents allows"},
        Breakage{[](RunState& s) { s.started->config.role_slots["backend"] = 1; },
                 "more agents work than role 'backend' has slots"},
        Breakage{[](RunState& s) { s.started->config.agents[0].max_parallel = 1; },
                 "agent 'mock' works more often at once than its max_parallel"},
        Breakage{[](RunState& s) { attempt(s, 4).step = Step::captured; },
                 "t4.1 is in the landing queue and not in flight"},
        Breakage{[](RunState& s) { attempt(s, 5).step = Step::ended; }, "t5.1 is in the chain and has no candidate"},
        Breakage{[](RunState& s) {
                   attempt(s, 5).step = Step::ended;
                   s.landing = attempt(s, 5).id;
                 },
                 "t5.1 has ended and still holds up the landing queue"},
        Breakage{[](RunState& s) { s.held.insert(attempt(s, 5).id); }, "t5.1 is held and goes on"},
        Breakage{[](RunState& s) { ++s.count_by_status[TaskStatus::ready]; },
                 "the counts by status are not those of the tasks"},
        Breakage{[](RunState& s) { s.tasks.at(TaskId{6}).status = TaskStatus::ready; },
                 "the ready queue does not hold the ready tasks"},
        Breakage{[](RunState& s) { s.open_intents.clear(); }, "t2.1 waits for WorktreeRequested, and open is nothing"},
        Breakage{[](RunState& s) { attempt(s, 2).step = Step::exited; },
                 "t2.1 waits for nothing, and open is WorktreeRequested"},
        Breakage{[](RunState& s) { s.open_intents[1'000] = s.open_intents.begin()->second; },
                 "t2.1 has asked for several things at once"},
        Breakage{[](RunState& s) {
                   attempt(s, 2).started = true;
                   attempt(s, 2).worktree = false;
                 },
                 "the worktree of t2.1 is gone and its work is not kept"},
        Breakage{[](RunState& s) { attempt(s, 4).work->salvage.clear(); }, "the work of t4.1 is under no salvage ref"},
        Breakage{[](RunState& s) { s.finished = RunFinished{.outcome = RunOutcome::landed}; },
                 "the run landed without t2"},
        Breakage{[](RunState& s) { s.finished = RunFinished{.outcome = RunOutcome::incomplete}; },
                 "the run ended incomplete and t6 has not ended"},
        Breakage{[](RunState& s) { s.finished = RunFinished{.outcome = RunOutcome::stopped}; },
                 "the run finished while t2.1 was in flight"}));

// t1 was split into t3 and t4, which is at work no more; t2 is at work, and the planner was asked about nothing else.
std::vector<Event> a_split_log() {
  World world(a_config().with_planner().with_attempts(1));
  world.start_with_goal();
  world.plans(session(1), an_answer({a_task(1), a_task(2)}));
  world.removed(session(1));
  world.fails(at(1));
  world.plans(session(2), some_parts(world.state(), 1));
  return world.log();
}

TEST(Invariants, AllHoldAfterASplit) {
  EXPECT_EQ(broken_invariants(fold(a_split_log())), std::vector<std::string>{});
}

class BrokenPlanning : public testing::TestWithParam<Breakage> {};

TEST_P(BrokenPlanning, IsNamed) {
  RunState state = fold(a_split_log());
  GetParam().make(state);
  const std::vector<std::string> broken = broken_invariants(state);
  EXPECT_TRUE(std::find(broken.begin(), broken.end(), GetParam().sentence) != broken.end())
      << testing::PrintToString(broken);
}

INSTANTIATE_TEST_SUITE_P(
    Each, BrokenPlanning,
    testing::Values(
        Breakage{[](RunState& s) { s.planning.task.attempts[0].merge_commit = "x"; }, "plan.1 has something to land"},
        Breakage{[](RunState& s) { s.planning.task.attempts[0].candidate = CandidateBuilt{}; },
                 "plan.1 has something to land"},
        Breakage{[](RunState& s) {
                   s.in_flight.insert({session(1), session(2)});
                 },
                 "the planner has several sessions at once"},
        Breakage{[](RunState& s) { s.in_flight.insert(session(2)); }, "the planner was not asked anything"},
        Breakage{[](RunState& s) { s.tasks.at(TaskId{1}).status = TaskStatus::failed; },
                 "t3 is a part of t1, which was not split"},
        Breakage{[](RunState& s) { s.tasks.at(TaskId{3}).status = TaskStatus::split; }, "t3 was split twice over"},
        Breakage{[](RunState& s) { s.planning.task.attempts[1].slot = true; },
                 "the busy slots are not those of the attempts that work"},
        Breakage{[](RunState& s) { s.planning.task.attempts[1].exit->usage.cost_micros = cents(99); },
                 "spent money is not the sum over attempts"},
        Breakage{[](RunState& s) { s.planning.task.attempts[1].step = Step::reading; },
                 "plan.2 waits for PlanReadRequested, and open is nothing"},
        Breakage{[](RunState& s) {
                   s.planning.task.attempts[1].started = true;
                   s.planning.task.attempts[1].worktree = false;
                   s.planning.task.attempts[1].work.reset();
                 },
                 "the worktree of plan.2 is gone and its work is not kept"},
        Breakage{[](RunState& s) { s.tasks.at(TaskId{4}).status = TaskStatus::ready; },
                 "t4 started before t3 had landed"},
        Breakage{[](RunState& s) { s.finished = RunFinished{.outcome = RunOutcome::landed}; },
                 "the run landed without t3"}));

TEST(Invariants, ARunThatFinishedHasNoOpenIntents) {
  RunState state = fold(a_busy_log());
  state.finished = RunFinished{.outcome = RunOutcome::stopped};
  const std::string open = std::to_string(state.open_intents.begin()->first);
  const std::vector<std::string> broken = broken_invariants(state);
  const std::string sentence = "the run finished before intent " + open + " had a result";
  EXPECT_TRUE(std::find(broken.begin(), broken.end(), sentence) != broken.end()) << testing::PrintToString(broken);
}

}  // namespace
}  // namespace bernstein
