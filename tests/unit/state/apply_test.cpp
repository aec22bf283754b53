#include "bernstein/state/apply.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "bernstein/base/text.hpp"
#include "support/builders.hpp"

namespace bernstein {
namespace {

using namespace test;

using Words = std::vector<std::string>;

RunState fold(const std::vector<Event>& events) {
  RunState state;
  for (const Event& event : events) {
    const Status applied = apply(state, event);
    EXPECT_TRUE(applied) << (applied ? "" : applied.error().message);
  }
  return state;
}

// The log up to the last event of this type about t1 or one of its attempts, that event included.
template <class T>
std::vector<Event> up_to(const std::vector<Event>& log) {
  auto last = std::find_if(log.rbegin(), log.rend(), [](const Event& event) {
    return event.subject.task == t(1) && std::holds_alternative<T>(event.body);
  });
  EXPECT_NE(last, log.rend()) << T::type;
  return {log.begin(), last.base()};
}

Event next_event(const RunState& state, Subject subject, EventBody body, Seq cause = 0) {
  return {.seq = state.last_seq + 1,
          .run = RunId{1},
          .run_seq = state.last_seq + 1,
          .cause = cause == 0 ? state.last_seq : cause,
          .subject = subject,
          .at_us = state.at_us,
          .body = std::move(body)};
}

// Events about t1 and its last attempt, each as right as it can be in this state: only its place may be wrong.
std::vector<Event> everything_about_t1(const RunState& state) {
  const Task& task = task_of(state, t(1));
  const std::uint32_t attempts = static_cast<std::uint32_t>(task.attempts.size());
  const Attempt attempt = task.attempts.empty() ? Attempt{.id = at(1)} : task.attempts.back();
  const std::vector<CheckSpec> checks = checks_of(state, {t(1)});
  const Examination examination = attempt.examination.value_or(Examination{});
  const CheckSpec check = checks.at(std::min(examination.next, checks.size() - 1));
  const CandidateBuilt candidate = attempt.candidate.value_or(CandidateBuilt{});
  Seq open = 0;
  std::string effect;
  for (const auto& [seq, intent] : state.open_intents) {
    if (intent.subject != about(attempt.id)) continue;
    open = seq;
    effect = type_of(intent.body);
  }
  const std::string& tree = candidate.tree;
  const std::string& base = candidate.base;
  const std::string work = attempt.work ? attempt.work->commit : "";

  std::vector<Event> events;
  for (EventBody body : std::vector<EventBody>{TaskReadied{}, RouteChosen{.arm = {"mock", "cheap-1", "cheap"}},
                                               TaskRetried{}, TaskFailed{}, TaskBlocked{.by = t(2)}}) {
    events.push_back(next_event(state, about(t(1)), std::move(body)));
  }
  events.push_back(next_event(state, about(at(1, attempts + 1)), TaskAssigned{}));
  for (EventBody body : std::vector<EventBody>{AgentStarted{},
                                               AgentStalled{},
                                               AgentRecovered{},
                                               PathsGranted{},
                                               LandingQueued{},
                                               CheckReused{.name = check.name, .tree = tree},
                                               VerdictReached{.tree = tree},
                                               AttemptFailed{},
                                               RewardRecorded{.arm = {"mock", "cheap-1", "cheap"}},
                                               WorktreeRequested{},
                                               WorktreeReady{},
                                               SpawnRequested{},
                                               AgentExited{},
                                               CaptureRequested{},
                                               WorkCaptured{},
                                               LandingHeld{},
                                               ChecksBegun{.tree = tree},
                                               CheckAbandoned{},
                                               CheckFlaked{.name = check.name},
                                               ProbeRequested{.against = {}, .commit = "other"},
                                               ProbeFinished{},
                                               RecallRequested{.checks = checks, .tree = tree},
                                               Recalled{.passed = std::vector<Seq>(checks.size(), 0)},
                                               CandidateRequested{.commit = work},
                                               CandidateBuilt{.base = state.target_tip},
                                               CandidateConflicted{.base = state.target_tip},
                                               CheckRequested{.check = check, .tree = tree},
                                               CheckFinished{.name = check.name, .tree = tree},
                                               MergeRequested{.base = base, .commit = candidate.commit, .tree = tree},
                                               MergeLanded{},
                                               MergeRefused{},
                                               CheckoutSyncRequested{},
                                               CheckoutSynced{},
                                               WorktreeRemoveRequested{},
                                               WorktreeRemoved{},
                                               EffectFailed{.effect = effect}}) {
    events.push_back(next_event(state, about(attempt.id), std::move(body), open));
  }
  return events;
}

// Types of the events about t1 that may follow on this log. Everything else must be refused as corrupt, with its seq.
Words legal_after(const std::vector<Event>& log) {
  Words legal;
  const std::vector<Event> all = everything_about_t1(fold(log));
  for (const Event& event : all) {
    RunState state = fold(log);  // anew: an event that was refused leaves a state that must not be used
    const Status applied = apply(state, event);
    if (applied) {
      legal.emplace_back(type_of(event.body));
      continue;
    }
    EXPECT_EQ(applied.error().code, ErrorCode::corrupt);
    const std::string start = "event " + std::to_string(event.seq) + " (" + std::string(type_of(event.body)) + " " +
                              to_string(event.subject) + ") ";
    EXPECT_EQ(applied.error().message.substr(0, start.size()), start);
  }
  std::sort(legal.begin(), legal.end());
  return legal;
}

// t1 is checked and lands; t2 waits behind it.
std::vector<Event> a_landing() {
  World world(a_config().with_gate(a_command("tests")));
  world.start({a_task(1).owning("a/"), a_task(2).after(1)});
  world.worktree_ready(at(1));
  world.feed({about(at(1)), AgentStarted{.pid = 7}}, world.open<SpawnRequested>(at(1)));
  world.agent_exits(at(1));
  world.captured(at(1), {"a/x"});
  world.candidate_built(at(1));
  world.check_passes(at(1));
  world.merged(at(1));
  world.removed(at(1));
  world.synced(at(1));
  return world.log();
}

std::vector<Event> a_failure() {
  World world(a_config().with_gate(a_command("tests")));
  world.start({a_task(1)});
  world.fails(at(1));
  return world.log();
}

TEST(Apply, LetsEachStepOfAnAttemptFollowOnTheRightOneOnly) {
  const std::vector<Event> log = a_landing();
  EXPECT_EQ(legal_after(up_to<TaskCreated>(log)), (Words{"TaskBlocked", "TaskReadied"}));
  EXPECT_EQ(legal_after(up_to<TaskReadied>(log)), (Words{"RouteChosen"}));
  EXPECT_EQ(legal_after(up_to<RouteChosen>(log)), (Words{"RouteChosen", "TaskAssigned"}));
  EXPECT_EQ(legal_after(up_to<TaskAssigned>(log)), (Words{"AttemptFailed", "WorktreeRequested"}));
  EXPECT_EQ(legal_after(up_to<WorktreeRequested>(log)), (Words{"EffectFailed", "WorktreeReady"}));
  EXPECT_EQ(legal_after(up_to<WorktreeReady>(log)), (Words{"AttemptFailed", "SpawnRequested"}));
  EXPECT_EQ(legal_after(up_to<SpawnRequested>(log)),
            (Words{"AgentExited", "AgentRecovered", "AgentStalled", "AgentStarted", "EffectFailed"}));
  EXPECT_EQ(legal_after(up_to<AgentExited>(log)), (Words{"AttemptFailed", "CaptureRequested"}));
  EXPECT_EQ(legal_after(up_to<CaptureRequested>(log)), (Words{"EffectFailed", "WorkCaptured"}));
  EXPECT_EQ(legal_after(up_to<WorkCaptured>(log)), (Words{"AttemptFailed", "LandingQueued", "PathsGranted"}));
  EXPECT_EQ(legal_after(up_to<LandingQueued>(log)), (Words{"AttemptFailed", "CandidateRequested"}));
  EXPECT_EQ(legal_after(up_to<CandidateRequested>(log)),
            (Words{"CandidateBuilt", "CandidateConflicted", "EffectFailed"}));
  EXPECT_EQ(legal_after(up_to<CandidateBuilt>(log)),
            (Words{"AttemptFailed", "CandidateRequested", "ChecksBegun", "LandingHeld"}));
  EXPECT_EQ(legal_after(up_to<ChecksBegun>(log)), (Words{"AttemptFailed", "CandidateRequested", "CheckRequested",
                                                         "ChecksBegun", "LandingHeld", "RecallRequested"}));
  EXPECT_EQ(legal_after(up_to<CheckRequested>(log)), (Words{"CheckAbandoned", "CheckFinished", "EffectFailed"}));
  EXPECT_EQ(legal_after(up_to<CheckFinished>(log)),
            (Words{"AttemptFailed", "CandidateRequested", "ChecksBegun", "LandingHeld", "VerdictReached"}));
  EXPECT_EQ(legal_after(up_to<VerdictReached>(log)),
            (Words{"AttemptFailed", "CandidateRequested", "LandingHeld", "MergeRequested"}));
  EXPECT_EQ(legal_after(up_to<MergeRequested>(log)), (Words{"EffectFailed", "MergeLanded", "MergeRefused"}));
  EXPECT_EQ(legal_after(up_to<MergeLanded>(log)),
            (Words{"CheckoutSyncRequested", "RewardRecorded", "WorktreeRemoveRequested"}));
  EXPECT_EQ(legal_after(up_to<CheckoutSynced>(log)), (Words{"RewardRecorded"}));
}

TEST(Apply, LetsATaskGoOnOrEndAfterAFailedAttempt) {
  const std::vector<Event> log = a_failure();
  EXPECT_EQ(legal_after(up_to<AttemptFailed>(log)),
            (Words{"RewardRecorded", "TaskFailed", "TaskRetried", "WorktreeRemoveRequested"}));
}

struct Refusal {
  const char* name;
  std::function<std::vector<Event>()> before;
  Draft draft;
  Seq cause;
  const char* message;  // # stands for its seq
};
void PrintTo(const Refusal& refusal, std::ostream* out) {
  *out << refusal.name;
}

class ApplyRefuses : public testing::TestWithParam<Refusal> {};

TEST_P(ApplyRefuses, WithASentenceThatNamesTheEvent) {
  RunState state = fold(GetParam().before());
  Event event = next_event(state, GetParam().draft.subject, GetParam().draft.body, GetParam().cause);
  const Status applied = apply(state, event);
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().code, ErrorCode::corrupt);
  EXPECT_EQ(applied.error().message, replace_all(GetParam().message, "#", std::to_string(event.seq)));
}

std::vector<Event> nothing() {
  return {};
}
std::vector<Event> started() {
  World world;
  world.feed({about_run(), a_start(a_config())});
  return world.log();
}
std::vector<Event> planned() {
  World world;
  world.start({a_task(1), a_task(2).after(1)});
  return world.log();
}
std::vector<Event> plan_accepted() {
  std::vector<Event> log = planned();
  log.resize(2);
  return log;
}
std::vector<Event> finished() {
  World world;
  world.start({a_task(1)});
  world.lands(at(1));
  return world.log();
}
template <class T>
std::vector<Event> landing_up_to() {
  return up_to<T>(a_landing());
}
PlanAccepted plan_with(std::vector<TaskSpec> tasks, std::uint32_t counted) {
  return {.stages = {{.name = "s", .tasks = counted}}, .tasks = std::move(tasks)};
}

INSTANTIATE_TEST_SUITE_P(
    TheRun, ApplyRefuses,
    testing::Values(
        Refusal{
            "early", nothing, {about_run(), StopRequested{}}, 0, "event # (StopRequested run) comes before RunStarted"},
        Refusal{"twice", started, {about_run(), a_start(a_config())}, 0, "event # (RunStarted run) starts a run twice"},
        Refusal{"second plan",
                planned,
                {about_run(), PlanAccepted{}},
                0,
                "event # (PlanAccepted run) brings a second plan"},
        Refusal{"ids",
                started,
                {about_run(), plan_with({a_task(2)}, 1)},
                0,
                "event # (PlanAccepted run) does not number its tasks from t1"},
        Refusal{"stage",
                started,
                {about_run(), plan_with({a_task(1).in_stage(1)}, 1)},
                0,
                "event # (PlanAccepted run) has a task in a stage that does not exist"},
        Refusal{"needed task",
                started,
                {about_run(), plan_with({a_task(1).after(3)}, 1)},
                0,
                "event # (PlanAccepted run) has a task that depends on none of its tasks"},
        Refusal{"needed stage",
                started,
                {about_run(), plan_with({a_task(1).after_stage(4)}, 1)},
                0,
                "event # (PlanAccepted run) has a task that depends on none of its stages"},
        Refusal{"count",
                started,
                {about_run(), plan_with({a_task(1)}, 2)},
                0,
                "event # (PlanAccepted run) miscounts the tasks of stage 's'"},
        Refusal{"unplanned",
                planned,
                {about(TaskId{3}), TaskCreated{.spec = a_task(3)}},
                0,
                "event # (TaskCreated t3) creates a task that nobody has planned"},
        Refusal{"out of order",
                plan_accepted,
                {about(TaskId{2}), TaskCreated{.spec = a_task(2).after(1)}},
                0,
                "event # (TaskCreated t2) is not the plan's next task"},
        Refusal{"no plan",
                started,
                {about(TaskId{1}), TaskCreated{.spec = a_task(1)}},
                0,
                "event # (TaskCreated t1) creates a task that nobody has planned"},
        Refusal{"after the end",
                finished,
                {about(at(1)), WorktreeRemoveRequested{}},
                0,
                "event # (WorktreeRemoveRequested t1.1) comes after RunFinished"}));

INSTANTIATE_TEST_SUITE_P(
    Attempts, ApplyRefuses,
    testing::Values(Refusal{"no task",
                            planned,
                            {about(TaskId{9}), TaskReadied{}},
                            0,
                            "event # (TaskReadied t9) is about a task that does not exist"},
                    Refusal{"status",
                            planned,
                            {about(TaskId{2}), RouteChosen{}},
                            0,
                            "event # (RouteChosen t2) finds the task waiting, not ready"},
                    Refusal{"no attempt",
                            planned,
                            {about(at(1, 2)), AttemptFailed{}},
                            0,
                            "event # (AttemptFailed t1.2) is about an attempt that does not exist"},
                    Refusal{"cause",
                            planned,
                            {about(at(1)), WorktreeReady{}},
                            3,
                            "event # (WorktreeReady t1.1) answers no open intent"},
                    Refusal{"others' intent",
                            landing_up_to<SpawnRequested>,
                            {about(TaskId{1}), EffectFailed{.effect = "SpawnRequested"}},
                            0,
                            "event # (EffectFailed t1) answers no open intent"},
                    Refusal{"other kind",
                            landing_up_to<SpawnRequested>,
                            {about(at(1)), WorktreeReady{}},
                            0,
                            "event # (WorktreeReady t1.1) answers an intent of another kind"},
                    Refusal{"other effect",
                            landing_up_to<SpawnRequested>,
                            {about(at(1)), EffectFailed{.effect = "MergeRequested"}},
                            0,
                            "event # (EffectFailed t1.1) answers an intent of another kind"},
                    Refusal{"skip",
                            landing_up_to<RouteChosen>,
                            {about(at(1, 2)), TaskAssigned{}},
                            0,
                            "event # (TaskAssigned t1.2) skips an attempt"},
                    Refusal{"no route",
                            landing_up_to<TaskReadied>,
                            {about(at(1)), TaskAssigned{}},
                            0,
                            "event # (TaskAssigned t1.1) assigns a task without a route"},
                    Refusal{"ended",
                            a_failure,
                            {about(at(1)), AttemptFailed{}},
                            0,
                            "event # (AttemptFailed t1.1) is about an attempt that has ended"},
                    Refusal{"under way",
                            planned,
                            {about(at(1)), AttemptFailed{}},
                            0,
                            "event # (AttemptFailed t1.1) fails an attempt while an effect of it is under way"},
                    Refusal{"in use",
                            planned,
                            {about(at(1)), WorktreeRemoveRequested{}},
                            0,
                            "event # (WorktreeRemoveRequested t1.1) removes a worktree that is not left over"}));

INSTANTIATE_TEST_SUITE_P(
    OnlyVerifiedTreesLand, ApplyRefuses,
    testing::Values(Refusal{"other check",
                            landing_up_to<ChecksBegun>,
                            {about(at(1)), CheckRequested{.check = a_command("lint")}},
                            0,
                            "event # (CheckRequested t1.1) is not the tree's next check"},
                    Refusal{"made-up verdict",
                            landing_up_to<ChecksBegun>,
                            {about(at(1)), CheckReused{.name = "tests", .tree = "tree of commit of t1.1 on commit-0"}},
                            0,
                            "event # (CheckReused t1.1) reuses a verdict that nobody reached"},
                    Refusal{"other answer",
                            landing_up_to<CheckRequested>,
                            {about(at(1)), CheckFinished{.name = "tests", .tree = "other"}},
                            0,
                            "event # (CheckFinished t1.1) is about another check than the one requested"},
                    Refusal{"unchecked",
                            landing_up_to<CandidateBuilt>,
                            {about(at(1)), VerdictReached{}},
                            0,
                            "event # (VerdictReached t1.1) calls verified what did not pass all its checks"},
                    Refusal{"uncovered",
                            landing_up_to<ChecksBegun>,
                            {about(at(1)), VerdictReached{}},
                            0,
                            "event # (VerdictReached t1.1) calls verified what did not pass all its checks"},
                    Refusal{"blameless",
                            landing_up_to<CheckFinished>,
                            {about(at(1)), VerdictReached{.verdict = Verdict::failed}},
                            0,
                            "event # (VerdictReached t1.1) fails what did not fail a check"},
                    Refusal{"unverified",
                            landing_up_to<CheckFinished>,
                            {about(at(1)), MergeRequested{}},
                            0,
                            "event # (MergeRequested t1.1) lands what was not verified"},
                    Refusal{
                        "other tree",
                        landing_up_to<VerdictReached>,
                        {about(at(1)), MergeRequested{.base = "commit-0", .commit = "merge of t1.1", .tree = "other"}},
                        0,
                        "event # (MergeRequested t1.1) lands another commit than the one that was checked"},
                    Refusal{"other commit",
                            landing_up_to<VerdictReached>,
                            {about(at(1)), MergeRequested{.base = "commit-0",
                                                          .commit = "commit of t1.1",
                                                          .tree = "tree of commit of t1.1 on commit-0"}},
                            0,
                            "event # (MergeRequested t1.1) lands another commit than the one that was checked"},
                    Refusal{"other base",
                            landing_up_to<VerdictReached>,
                            {about(at(1)), MergeRequested{.base = "other",
                                                          .commit = "merge of t1.1",
                                                          .tree = "tree of commit of t1.1 on commit-0"}},
                            0,
                            "event # (MergeRequested t1.1) lands on another commit than the one it stands on"}));

// ---- The planner ----

// A goal whose plan has t1, which is split into t3 and t4 when it has failed, and t2.
std::vector<Event> a_goal_and_a_split() {
  World world(a_config().with_planner().with_attempts(1));
  world.start_with_goal();
  world.plans(session(1), an_answer({a_task(1), a_task(2)}));
  world.removed(session(1));
  world.fails(at(1));
  world.plans(session(2), some_parts(world.state(), 1));
  world.removed(session(2));
  world.fails(at(3));
  return world.log();
}
// The log up to the n-th event of this type, that event included.
template <class T, int n = 1>
std::vector<Event> planning_up_to() {
  const std::vector<Event> log = a_goal_and_a_split();
  int left = n;
  const auto found = std::find_if(
      log.begin(), log.end(), [&](const Event& event) { return std::holds_alternative<T>(event.body) && --left == 0; });
  EXPECT_NE(found, log.end()) << T::type;
  return {log.begin(), found + 1};
}
// The same, with another answer in place of the n-th.
template <int n>
std::vector<Event> answered_with(PlanRead read) {
  std::vector<Event> log = planning_up_to<PlanRead, n>();
  log.back().body = std::move(read);
  return log;
}
template <int n>
std::function<std::vector<Event>()> answering(PlanRead read) {
  return [read] { return answered_with<n>(read); };
}
PlanRead parts(std::vector<TaskSpec> tasks, bool of_t1 = true) {
  for (TaskSpec& task : tasks) task.part_of = of_t1 ? t(1) : t(2);
  return {.tasks = std::move(tasks)};
}
std::vector<Event> started_with_planner() {
  World world;
  world.feed({about_run(), a_start(a_config().with_planner())});
  return world.log();
}
std::vector<Event> given_up() {
  World world(a_config().with_planner());
  world.start_with_goal();
  for (std::uint32_t i = 1; i <= 3; ++i) world.plans(session(i), a_faulty_answer());
  return world.log();
}
std::vector<Event> question_failed_once() {
  World world(a_config().with_planner());
  world.start_with_goal();
  world.feed({about_run(), StopRequested{}});
  world.plans(session(1), a_faulty_answer());
  std::vector<Event> log = world.log();
  while (!std::holds_alternative<AttemptFailed>(log.back().body)) log.pop_back();
  return log;
}

Draft adopts(std::uint32_t number) {
  return {about(session(number)), PlanAdopted{}};
}
TaskSpec in_no_stage() {
  return a_task(4).after(3).in_stage(1);
}
TaskSpec after_a_stage() {
  return a_task(4).after(3).after_stage(0);
}

INSTANTIATE_TEST_SUITE_P(
    Goals, ApplyRefuses,
    testing::Values(Refusal{"plan before goal",
                            planned,
                            {about_run(), PlanWanted{}},
                            0,
                            "event # (PlanWanted run) comes after a plan or a goal"},
                    Refusal{"second goal",
                            planning_up_to<PlanWanted>,
                            {about_run(), PlanWanted{}},
                            0,
                            "event # (PlanWanted run) comes after a plan or a goal"},
                    Refusal{"no planner",
                            started,
                            {about_run(), PlanWanted{}},
                            0,
                            "event # (PlanWanted run) is for a planner, and the run has none"},
                    Refusal{"plan beside goal",
                            planning_up_to<PlanWanted>,
                            {about_run(), PlanAccepted{}},
                            0,
                            "event # (PlanAccepted run) brings a plan where the planner is to make one"},
                    Refusal{"nothing to approve",
                            planning_up_to<PlanWanted>,
                            {about_run(), PlanApproved{}},
                            0,
                            "event # (PlanApproved run) approves a plan that is not there"},
                    Refusal{"nothing to ask",
                            started_with_planner,
                            {about(session(1)), TaskAssigned{}},
                            0,
                            "event # (TaskAssigned plan.1) has nothing to ask the planner"},
                    Refusal{"two at once",
                            planning_up_to<TaskAssigned>,
                            {about(session(2)), TaskAssigned{}},
                            0,
                            "event # (TaskAssigned plan.2) has nothing to ask the planner"},
                    Refusal{"given up",
                            given_up,
                            {about(session(4)), TaskAssigned{}},
                            0,
                            "event # (TaskAssigned plan.4) has nothing to ask the planner"},
                    Refusal{"skip",
                            planning_up_to<PlanWanted>,
                            {about(session(2)), TaskAssigned{}},
                            0,
                            "event # (TaskAssigned plan.2) skips a session"},
                    Refusal{"reads an agent",
                            planning_up_to<WorkCaptured, 2>,
                            {about(at(1)), PlanReadRequested{}},
                            0,
                            "event # (PlanReadRequested t1.1) reads the answer of no planner"},
                    Refusal{"reads early",
                            planning_up_to<AgentExited>,
                            {about(session(1)), PlanReadRequested{}},
                            0,
                            "event # (PlanReadRequested plan.1) comes out of order"},
                    Refusal{"not asked to read",
                            planning_up_to<WorkCaptured>,
                            {about(session(1)), PlanRead{}},
                            0,
                            "event # (PlanRead plan.1) answers no open intent"},
                    Refusal{"adopts early", planning_up_to<PlanReadRequested>, adopts(1), 0,
                            "event # (PlanAdopted plan.1) comes out of order"},
                    Refusal{"adopts twice", planning_up_to<PlanAdopted>, adopts(1), 0,
                            "event # (PlanAdopted plan.1) comes out of order"},
                    Refusal{"adopts faults", answering<1>(a_faulty_answer()), adopts(1), 0,
                            "event # (PlanAdopted plan.1) adopts what cannot be used"},
                    Refusal{"adopts a bad plan", answering<1>(an_answer({a_task(2)})), adopts(1), 0,
                            "event # (PlanAdopted plan.1) does not number its tasks from t1"},
                    Refusal{"lands a plan",
                            planning_up_to<WorkCaptured>,
                            {about(session(1)), LandingQueued{}},
                            0,
                            "event # (LandingQueued plan.1) is to land what the planner left"},
                    Refusal{"fails at work",
                            planning_up_to<TaskAssigned>,
                            {about_run(), PlanFailed{}},
                            0,
                            "event # (PlanFailed run) fails no plan"},
                    Refusal{"fails unasked",
                            planning_up_to<PlanWanted>,
                            {about_run(), PlanFailed{}},
                            0,
                            "event # (PlanFailed run) fails no plan"},
                    Refusal{"fails a plan that is there",
                            planning_up_to<PlanAdopted>,
                            {about_run(), PlanFailed{}},
                            0,
                            "event # (PlanFailed run) fails no plan"}));

INSTANTIATE_TEST_SUITE_P(
    Splits, ApplyRefuses,
    testing::Values(Refusal{"nobody to split",
                            [] { return up_to<AttemptFailed>(a_failure()); },
                            {about(TaskId{1}), SplitWanted{}},
                            0,
                            "event # (SplitWanted t1) asks nobody to split a task, or a part"},
                    Refusal{"a part",
                            planning_up_to<AttemptFailed, 2>,
                            {about(TaskId{3}), SplitWanted{}},
                            0,
                            "event # (SplitWanted t3) asks nobody to split a task, or a part"},
                    Refusal{"no failure",
                            planning_up_to<TaskCreated, 2>,
                            {about(TaskId{1}), SplitWanted{}},
                            0,
                            "event # (SplitWanted t1) does not follow a failed attempt"},
                    Refusal{"twice",
                            planning_up_to<SplitWanted>,
                            {about(TaskId{1}), SplitWanted{}},
                            0,
                            "event # (SplitWanted t1) asks twice to split a task"},
                    Refusal{"retried",
                            planning_up_to<SplitWanted>,
                            {about(TaskId{1}), TaskRetried{}},
                            0,
                            "event # (TaskRetried t1) retries a task that is to be split"},
                    Refusal{"readied",
                            planning_up_to<SplitWanted>,
                            {about(TaskId{1}), TaskReadied{}},
                            0,
                            "event # (TaskReadied t1) readies a task that is to be split"},
                    Refusal{"blocked",
                            planning_up_to<SplitWanted>,
                            {about(TaskId{1}), TaskBlocked{}},
                            0,
                            "event # (TaskBlocked t1) blocks a task that is to be split"},
                    Refusal{"failed unasked",
                            planning_up_to<SplitWanted>,
                            {about(TaskId{1}), TaskFailed{}},
                            0,
                            "event # (TaskFailed t1) gives up while it may be split"},
                    Refusal{"failed with parts",
                            planning_up_to<PlanAdopted, 2>,
                            {about(TaskId{1}), TaskFailed{}},
                            0,
                            "event # (TaskFailed t1) gives up while it may be split"},
                    Refusal{"asked with parts",
                            planning_up_to<PlanAdopted, 2>,
                            {about(session(3)), TaskAssigned{}},
                            0,
                            "event # (TaskAssigned plan.3) has nothing to ask the planner"},
                    Refusal{"no parts yet",
                            planning_up_to<PlanRead, 2>,
                            {about(TaskId{1}), TaskSplit{}},
                            0,
                            "event # (TaskSplit t1) splits a task into nothing"},
                    Refusal{"other parts",
                            planning_up_to<PlanAdopted, 2>,
                            {about(TaskId{1}), TaskSplit{{TaskId{3}}, ""}},
                            0,
                            "event # (TaskSplit t1) names other parts than the planner did"},
                    Refusal{"another whole",
                            planning_up_to<PlanAdopted, 2>,
                            {about(TaskId{2}), TaskSplit{{TaskId{3}, TaskId{4}}, ""}},
                            0,
                            "event # (TaskSplit t2) finds the task running, not waiting"},
                    Refusal{"created before",
                            planning_up_to<PlanAdopted, 2>,
                            {about(TaskId{3}), TaskCreated{.spec = some_parts(fold(planned()), 1).tasks[0]}},
                            0,
                            "event # (TaskCreated t3) creates a part of a task that was not split"},
                    Refusal{"into nothing", answering<2>(parts({})), adopts(2), 0,
                            "event # (PlanAdopted plan.2) splits a task into nothing"},
                    Refusal{"numbers", answering<2>(parts({a_task(4), a_task(5).after(4)})), adopts(2), 0,
                            "event # (PlanAdopted plan.2) does not number the parts behind the other tasks"},
                    Refusal{"parts of another", answering<2>(parts({a_task(3), a_task(4).after(3)}, false)), adopts(2),
                            0, "event # (PlanAdopted plan.2) has a part that is none"},
                    Refusal{"parts elsewhere", answering<2>(parts({a_task(3), in_no_stage()})), adopts(2), 0,
                            "event # (PlanAdopted plan.2) has a part that is none"},
                    Refusal{"parts after stages", answering<2>(parts({a_task(3), after_a_stage()})), adopts(2), 0,
                            "event # (PlanAdopted plan.2) has a part that is none"},
                    Refusal{"waits for others", answering<2>(parts({a_task(3), a_task(4).after(2)})), adopts(2), 0,
                            "event # (PlanAdopted plan.2) has a part that depends on none before it"},
                    Refusal{"cycle", answering<2>(parts({a_task(3).after(4), a_task(4).after(3)})), adopts(2), 0,
                            "event # (PlanAdopted plan.2) has a part that depends on none before it"},
                    Refusal{"last waits for too few", answering<2>(parts({a_task(3), a_task(4), a_task(5).after(4)})),
                            adopts(2), 0,
                            "event # (PlanAdopted plan.2) has a last part that does not wait for the others"},
                    Refusal{"last waits for one twice",
                            answering<2>(parts({a_task(3), a_task(4), a_task(5).after(4).after(4)})), adopts(2), 0,
                            "event # (PlanAdopted plan.2) has a last part that does not wait for the others"}));

TEST(Apply, AQuestionThatFailedMayBeAskedAgainOrGivenUp) {
  const std::vector<Event> log = question_failed_once();
  RunState again = fold(log);
  EXPECT_TRUE(apply(again, next_event(again, about(session(2)), TaskAssigned{})));
  RunState given_up = fold(log);
  EXPECT_TRUE(apply(given_up, next_event(given_up, about_run(), PlanFailed{"why"})));
  EXPECT_EQ(given_up.planning.failed, "why");
  EXPECT_EQ(open_question(given_up), std::nullopt);
}

TEST(Apply, APlanHasNoPartsOfTasks) {
  RunState state = fold(started());
  TaskSpec task = a_task(1);
  task.part_of = t(99);
  const Event event = next_event(state, about_run(), plan_with({task}, 1));
  EXPECT_EQ(apply(state, event).error().message, "event 2 (PlanAccepted run) has a task that is part of another one");
}

TEST(Apply, RefusesAnEventThatDoesNotFollow) {
  RunState state = fold(planned());
  Event event = next_event(state, about_run(), StopRequested{});
  event.seq = state.last_seq;
  EXPECT_EQ(apply(state, event).error().message, "event 8 (StopRequested run) does not follow 8");
}

TEST(Apply, RefusesAnEventOfAnotherRun) {
  RunState state = fold(planned());
  Event event = next_event(state, about_run(), StopRequested{});
  event.run = RunId{2};
  EXPECT_EQ(apply(state, event).error().message, "event 9 (StopRequested run) is of r2, not of r1");
}

// SIGINT and the last result may come in one turn of the loop: the run is over, and the signal must not break its log.
TEST(Apply, AStopThatComesAfterTheEndChangesNothing) {
  RunState state = fold(finished());
  EXPECT_TRUE(apply(state, next_event(state, about_run(), StopRequested{})));
  EXPECT_FALSE(state.stop);
}

TEST(Apply, ASecondStopCanOnlyMakeItStricter) {
  RunState state = fold(started());
  EXPECT_TRUE(apply(state, next_event(state, about_run(), StopRequested{StopMode::drain, "first"})));
  EXPECT_TRUE(apply(state, next_event(state, about_run(), StopRequested{StopMode::now, "second"})));
  EXPECT_TRUE(apply(state, next_event(state, about_run(), StopRequested{StopMode::drain, "third"})));
  EXPECT_EQ(state.stop, (StopRequested{StopMode::now, "second"}));
}

// Two lists may use one name: a gate "tests" and a task's own "tests". The reason must be that of the check at hand.
TEST(Apply, AReusedVerdictBringsTheReasonOfItsOwnCheck) {
  World world(a_config().with_gate(a_command("tests")));
  CheckSpec own = a_command("tests");
  own.command = "run other tests";
  world.start({a_task(1).owning("a/").checked_by(own), a_task(2).owning("b/").checked_by(own)});
  world.works(at(1), {"a/x"});
  world.candidate_built(at(1));
  world.check_passes(at(1));
  world.check_fails(at(1), "exit 7");
  world.works(at(2), {"b/x"});
  const Seq open = world.open<CandidateRequested>(at(2));
  CandidateBuilt same = world.candidate_of(at(2), "commit-0");
  same.tree = "tree of commit of t1.1 on commit-0";
  world.feed({about(at(2)), same}, open);
  EXPECT_EQ(world.the<AttemptFailed>(about(at(2))).why, "check 'tests' failed: exit 7");
}

}  // namespace
}  // namespace bernstein
