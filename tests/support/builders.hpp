#pragma once
// Builders for tests of the core: a plan in a few words, and a world without clock, processes or git to run it in.
//
//     World world(a_config().with_agents(2));
//     world.start({a_task(1).owning("src/auth"), a_task(2).after(1)});
//     world.lands(t(1));                                        // every effect of t1's attempt succeeds
//     world.the<TaskReadied>(about(t(2))).why                  // "all it waited for has landed: 1 task"
//
// Everything that happens goes through settle(), as in a real run, so what a test sees is what a log would hold.

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "bernstein/base/check.hpp"
#include "bernstein/event/event.hpp"
#include "bernstein/state/run_state.hpp"

namespace bernstein::test {

inline TaskId t(std::uint32_t number) {
  return TaskId{number};
}
inline AttemptId at(std::uint32_t task, std::uint32_t attempt = 1) {
  return {TaskId{task}, attempt};
}
inline AttemptId session(std::uint32_t number) {  // of the planner
  return {k_planning, number};
}
inline UsdMicros cents(std::int64_t amount) {
  return {amount * 10'000};
}

// ---- Plans ----------------------------------------------------------------------------------------------------------

// A task with a title and a description after its number, medium in everything, role "backend".
class TaskBuilder {
 public:
  explicit TaskBuilder(std::uint32_t number);
  TaskBuilder& titled(std::string title) { return spec_.title = std::move(title), *this; }
  TaskBuilder& owning(std::string pattern);
  TaskBuilder& after(std::uint32_t task);
  TaskBuilder& after_stage(std::uint32_t stage);
  TaskBuilder& in_stage(std::uint32_t stage) { return spec_.stage = stage, *this; }
  TaskBuilder& with_priority(std::uint32_t priority) { return spec_.priority = priority, *this; }
  TaskBuilder& with_minutes(std::uint32_t minutes) { return spec_.estimated_minutes = minutes, *this; }
  TaskBuilder& with_role(std::string role) { return spec_.role = std::move(role), *this; }
  TaskBuilder& with_complexity(Complexity complexity) { return spec_.complexity = complexity, *this; }
  TaskBuilder& with_scope(Scope scope) { return spec_.scope = scope, *this; }
  TaskBuilder& costing_at_most(UsdMicros ceiling) { return spec_.budget_micros = ceiling, *this; }
  TaskBuilder& pinned_to(std::string agent, std::string model = "");
  TaskBuilder& checked_by(CheckSpec check) { return spec_.signals.push_back(std::move(check)), *this; }

  operator TaskSpec() const { return spec_; }

 private:
  TaskSpec spec_;
};
inline TaskBuilder a_task(std::uint32_t number) {
  return TaskBuilder(number);
}

CheckSpec a_command(std::string name);     // its command is "run " + name
CheckSpec a_path_check(std::string path);  // named "path_exists " + path

// One agent "mock" with the models "small" (cheap) and "big" (strong), four at once, no budget, no gates.
class ConfigBuilder {
 public:
  ConfigBuilder();
  ConfigBuilder& with_agents(std::uint32_t max) { return config_.max_agents = max, *this; }
  ConfigBuilder& with_budget(UsdMicros budget) { return config_.budget_micros = budget, *this; }
  ConfigBuilder& with_token_budget(std::int64_t tokens) { return config_.budget_tokens = tokens, *this; }
  ConfigBuilder& with_task_cost(UsdMicros ceiling) { return config_.limits.task_cost_micros = ceiling, *this; }
  ConfigBuilder& with_attempts(std::uint32_t attempts) { return config_.limits.attempts = attempts, *this; }
  ConfigBuilder& with_gate(CheckSpec gate) { return config_.gates.push_back(std::move(gate)), *this; }
  ConfigBuilder& with_role_slots(const std::string& role, std::uint32_t slots);
  ConfigBuilder& with_role_policy(const std::string& role, RolePolicy policy);
  // Replaces the router's arms and the agents by these, "agent/tier" each, cheapest first; the model is named like the
  // tier with "-1" behind it.
  ConfigBuilder& with_arms(std::initializer_list<std::string_view> arms);
  // Another agent that the router does not choose by itself.
  ConfigBuilder& with_agent(AgentSpec agent);
  ConfigBuilder& with_max_parallel(const std::string& agent, std::uint32_t max);
  ConfigBuilder& with_planner(std::string agent = "mock", std::string model = "strong-1");
  ConfigBuilder& with_landing(LandingRules rules) { return config_.landing = std::move(rules), *this; }
  ConfigBuilder& with_merge_approval() { return config_.approve_merge = true, *this; }
  ConfigBuilder& with_approval() { return config_.approve_plan = true, *this; }
  ConfigBuilder& with_quota_attempts(std::uint32_t attempts) { return config_.limits.quota_attempts = attempts, *this; }

  operator RunConfig() const { return config_; }

 private:
  RunConfig config_;
};
inline ConfigBuilder a_config() {
  return {};
}

RunStarted a_start(RunConfig config);
// Stages "stage 0", "stage 1", ... as many as the tasks name.
PlanAccepted a_plan(std::vector<TaskSpec> tasks);

// ---- Results --------------------------------------------------------------------------------------------------------

AgentExited an_exit(int code = 0, std::optional<UsdMicros> cost = cents(10));
WorkCaptured some_work(AttemptId id, const std::vector<std::string>& paths, const std::string& base);

// What a session of the planner answers: a plan for the goal, ...
PlanRead an_answer(std::vector<TaskSpec> tasks);
// ... so many parts of a task, of which the last waits for the others, ...
PlanRead some_parts(const RunState& state, std::uint32_t whole, std::uint32_t count = 2);
// ... or what cannot be used.
PlanRead a_faulty_answer(std::vector<std::string> faults = {"there is a cycle"});

// ---- The world ------------------------------------------------------------------------------------------------------

class World {
 public:
  // What an open intent leads to; nothing: it stays open for now.
  using Script = std::function<std::optional<EventBody>(const RunState&, const OpenIntent&)>;
  // Which of the open intents is answered next: an index into them, in the order of their seqs.
  using Choice = std::function<std::size_t(std::size_t open)>;

  explicit World(RunConfig config = a_config(), RunId run = RunId{1});

  // Starts the run and accepts the plan; what followed.
  std::vector<Event> start(std::vector<TaskSpec> tasks);
  // The same with a goal, for which the planner makes the plan.
  std::vector<Event> start_with_goal();
  // One input or result, and all that follows from it (the input left out). Aborts when it cannot follow.
  std::vector<Event> feed(Draft input, Seq cause = 0);

  // The result of the attempt's open intent of this kind.
  template <class Intent>
  std::vector<Event> answer(AttemptId id, EventBody result) {
    const Seq seq = open<Intent>(id);
    BERNSTEIN_CHECK(seq != 0, "the attempt has an open intent of that kind");
    return feed({about(id), std::move(result)}, seq);
  }
  // Seq of the attempt's open intent of a kind; 0 when there is none.
  template <class Intent>
  Seq open(AttemptId id) const {
    for (const auto& [seq, intent] : state_.open_intents) {
      if (intent.subject == about(id) && std::holds_alternative<Intent>(intent.body)) return seq;
    }
    return 0;
  }

  std::vector<Event> worktree_ready(AttemptId id) { return answer<WorktreeRequested>(id, WorktreeReady{}); }
  std::vector<Event> agent_exits(AttemptId id, int code = 0, std::optional<UsdMicros> cost = cents(10));
  std::vector<Event> captured(AttemptId id, const std::vector<std::string>& paths);
  std::vector<Event> candidate_built(AttemptId id);
  std::vector<Event> check_passes(AttemptId id) { return check_ends(id, CheckVerdict::passed, "exit 0"); }
  std::vector<Event> check_fails(AttemptId id, const std::string& why = "exit 1");
  std::vector<Event> check_ends(AttemptId id, CheckVerdict verdict, const std::string& why);
  std::vector<Event> merged(AttemptId id);
  std::vector<Event> synced(AttemptId id) { return answer<CheckoutSyncRequested>(id, CheckoutSynced{}); }
  std::vector<Event> removed(AttemptId id) { return answer<WorktreeRemoveRequested>(id, WorktreeRemoved{}); }
  template <class Intent>
  std::vector<Event> breaks(AttemptId id, FailureClass class_, const std::string& message) {
    return answer<Intent>(id, EffectFailed{.class_ = class_, .effect = std::string(Intent::type), .message = message});
  }
  // The planner's session works, up to its answer; its worktree stays.
  std::vector<Event> plans(AttemptId session, PlanRead answer);
  std::vector<Event> stops(StopMode mode, const std::string& reason = "Ctrl-C");
  std::vector<Event> resumes();  // with the target where it was

  // Several of them in a row, from the worktree on.
  void works(AttemptId id, const std::vector<std::string>& paths);  // until its work is captured
  void lands(AttemptId id);                                         // until nothing of it is open; takes its turn
  void fails(AttemptId id);                                         // its agent exits with 1; worktree removed

  // Answers open intents by the script, in the order of their seqs or of `choice`, until nothing is open that the
  // script answers. At most `inputs_max` answers, then it aborts: a run has to end.
  void run(const Script& script, const Choice& choice = {}, std::size_t inputs_max = 100'000);
  // Success for everything: the answer that lands the attempt.
  EventBody success(const OpenIntent& intent) const;
  CandidateBuilt candidate_of(AttemptId id, const std::string& base) const;

  const RunState& state() const { return state_; }
  const std::vector<Event>& log() const { return log_; }
  TaskStatus status(std::uint32_t task) const { return task_of(state_, t(task)).status; }
  std::size_t working() const;  // attempts whose agent has not ended
  bool finished() const { return state_.finished.has_value(); }
  // Every invariant that was broken after any event so far (state/invariants.hpp). Looked at only when asked for.
  void watch_invariants() { watches_ = true; }
  const std::vector<std::string>& broken() const { return broken_; }

  // The last event of a type, about a subject; nullptr when there is none.
  template <class T>
  const T* find(Subject subject) const {
    for (auto event = log_.rbegin(); event != log_.rend(); ++event) {
      if (event->subject == subject && std::holds_alternative<T>(event->body)) return &std::get<T>(event->body);
    }
    return nullptr;
  }
  // The same when there has to be one.
  template <class T>
  const T& the(Subject subject) const {
    const T* found = find<T>(subject);
    BERNSTEIN_CHECK(found != nullptr, ("there is a " + std::string(T::type) + " about " + to_string(subject)).c_str());
    return *found;
  }
  // The last event of a type, about whatever; there has to be one.
  template <class T>
  const T& last() const {
    const T* found = nullptr;
    for (const Event& event : log_) {
      if (const T* body = std::get_if<T>(&event.body)) found = body;
    }
    BERNSTEIN_CHECK(found != nullptr, "there is an event of this type");
    return *found;
  }
  // Subjects of all events of a type, in order.
  template <class T>
  std::vector<std::string> subjects_of() const {
    std::vector<std::string> subjects;
    for (const Event& event : log_) {
      if (std::holds_alternative<T>(event.body)) subjects.push_back(to_string(event.subject));
    }
    return subjects;
  }

 private:
  Event seal(Draft draft, Seq cause);
  void look(const Event* event);

  RunConfig config_;
  RunId run_;
  RunState state_;
  std::vector<Event> log_;
  bool watches_ = false;
  std::vector<std::string> broken_;
};

// The types of events with their subjects, "TaskReadied t1": what a test compares sequences by.
std::vector<std::string> in_short(const std::vector<Event>& events);

}  // namespace bernstein::test
