#pragma once
// RunState: all that is known about a run, as a fold of its events (state/apply.hpp). A value: no clock, no pointers.
// decide/ reads it to find what follows; cli/ reads it to show where things stand.
//
//     RunState state;
//     for (const Event& event : log) BERNSTEIN_TRY_VOID(apply(state, event));
//     state.tasks.at(TaskId{4}).status

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "bernstein/bandit/policy.hpp"
#include "bernstein/event/event.hpp"
#include "bernstein/state/outlay.hpp"
#include "bernstein/state/ready_queue.hpp"

namespace bernstein {

// A task's life (docs/architecture.md has the picture).
enum class TaskStatus {
  waiting,
  ready,
  running,
  reported,
  verifying,
  verified,
  landed,
  failed,
  blocked,
  cancelled,
  split,  // its parts stand for it
  count_
};
BERNSTEIN_ENUM_WORDS(TaskStatus, "waiting", "ready", "running", "reported", "verifying", "verified", "landed", "failed",
                     "blocked", "cancelled", "split");
constexpr bool is_terminal(TaskStatus status) {
  return status == TaskStatus::landed || status == TaskStatus::failed || status == TaskStatus::blocked ||
         status == TaskStatus::cancelled || status == TaskStatus::split;
}

// Where an attempt stands. The steps marked * wait for a decision, the others for the result of an effect.
enum class Step {
  assigned,  // * needs a worktree
  preparing,
  prepared,  // * needs its agent
  working,
  exited,  // * needs its work captured
  capturing,
  captured,    // * needs the ownership of its changes judged; a planner's, its answer read
  reading,     // of the planner only: its answer is being read
  answered,    // * of the planner only: needs the answer judged
  queued,      // waits in the landing queue
  composing,   // its candidate is being computed: from here to `landing` it is in the chain (state/chain.hpp)
  candidate,   // it has one; decide/landing.cpp says what is next
  recalling,   // earlier runs are asked for verdicts on it
  checking,    // a check of it runs
  conflicted,  // it could not be put on what is ahead of it
  landing,
  landed,  // * needs the user's checkout to follow
  syncing,
  held,         // waits for a person, outside of the queue
  handed_over,  // a person resolves its conflict in its worktree; not in flight
  broken,       // * an effect failed
  ended,        // landed or failed; its worktree is going or gone
  count_
};

// A tree that is checked, a candidate's or the target's own: which checks it has to pass, and how far it has come.
struct Examination {
  std::string tree;
  std::vector<CheckSpec> checks;        // in the order in which they run
  std::vector<AttemptId> covers;        // ahead in the chain, for which its verdict speaks too
  bool begun = false;                   // false: another one that stands on it speaks for it
  bool recalled = false;                // earlier runs have been asked
  std::string rerun;                    // name of the check that failed and is not believed yet: nothing is reused
  std::size_t next = 0;                 // index into checks; the ones before have passed
  std::optional<CheckFinished> failed;  // the one at `next`
  bool checkout = false;                // a checkout of the tree is there, for the next command
  bool abandoned = false;               // nobody needs it any more: what runs is ended
  std::uint32_t interruptions = 0;
  std::string flaked;  // name of a check that has just contradicted itself, and nobody has said so yet
  std::optional<VerdictReached> verdict;
};

struct Attempt {
  AttemptId id;
  Step step = Step::assigned;
  Arm arm;
  std::map<std::string, std::int64_t> features;
  std::vector<std::string> owned;    // patterns of TaskAssigned
  std::vector<std::string> granted;  // files of PathsGranted
  Outlay reserved;
  bool slot = true;       // it holds one: its agent has not ended
  std::string base;       // commit its worktree starts from
  bool worktree = false;  // there is one to remove
  bool started = false;   // AgentStarted: the agent may work, so from here on the worktree may hold something
  Micros silent_us = 0;   // AgentStalled: so long its agent had made no progress when we were told; 0: it does, or did
  Micros assigned_at_us = 0;
  std::optional<AgentExited> exit;
  std::optional<WorkCaptured> work;
  std::optional<PlanRead> answer;           // of the planner only
  Seq captured_seq = 0;                     // of its WorkCaptured
  std::string merge_in;                     // the commit of an earlier attempt that its worktree began with, merged
  std::uint32_t arrival = 0;                // how many had come to the landing queue before it
  bool approved = false;                    // a person wants it on the target
  std::optional<CandidateBuilt> candidate;  // the last that was computed
  std::string conflicted_with;              // base of the last CandidateConflicted, where there is no candidate
  std::vector<ConflictedPath> conflicts;    // of it
  std::optional<Examination> examination;   // of its candidate; nothing: not begun
  std::optional<LandingHeld> held;          // why it waits outside of the queue
  std::map<AttemptId, std::vector<std::string>> foreseen;  // attempts at work that would conflict with it, and where
  std::optional<EffectFailed> broken;
  std::optional<AttemptFailed> failure;
  std::string merge_commit;  // when it landed
  Micros ended_at_us = 0;
};

struct Task {
  TaskSpec spec;
  std::uint32_t chain_minutes = 0;
  TaskStatus status = TaskStatus::waiting;
  std::uint32_t open_prerequisites = 0;  // tasks and stages that have to land first
  std::vector<Attempt> attempts;
  std::uint32_t failures = 0;         // attempts used up
  std::uint32_t losses = 0;           // attempts that were lost by us
  std::uint32_t parks = 0;            // attempts that ended because the agent may not work, nobody said how long
  std::uint32_t conflicts = 0;        // attempts that could not be put on the target
  UsdMicros used;                     // of its own ceiling: what its attempts cost, or are presumed to
  std::set<std::string> extra_files;  // paths of others that it turned out to need: owned by its next attempts
  std::optional<RouteChosen> route;   // of the attempt about to be assigned
  std::optional<Arm> failed_arm;      // of the last attempt that failed by the task's fault: it needs a stronger one
  std::optional<Arm> resolver;        // who is to resolve its conflict; nothing: there is none
  std::optional<TaskId> undone_by;    // the landed task that took its changes back
  std::vector<TaskId> parts;          // that stand for it, once it is split
  std::string why;                    // of the last change of status
};

struct Stage {
  StageSpec spec;
  std::uint32_t unlanded = 0;      // of its tasks
  std::vector<TaskId> dependents;  // tasks that wait for the whole stage
};

inline constexpr std::string_view k_planner_role = "planner";  // its own, and who is named for it in role_model_policy

// The planner at work. Its sessions are attempts of a task of their own, which is none of the plan: it holds files,
// slots and money as any other, and nothing of it lands.
struct Planning {
  bool wanted = false;        // the run began with a goal
  std::set<TaskId> to_split;  // tasks that have used up their attempts
  // What the sessions from `first_session` on are about: the goal (k_planning) or a task; nothing: they are over.
  std::optional<TaskId> question;
  std::size_t first_session = 0;
  std::string failed;  // why the goal has no plan
  Task task;           // its failures, losses and parks are those of the question
};

// The outcome of a command or a file check on a tree, so that no tree is checked twice.
struct KnownVerdict {
  CheckVerdict verdict = CheckVerdict::passed;
  Seq from = 0;
  std::string why;
  std::string output;
};

struct OpenIntent {
  Subject subject;
  Micros wall_us = 0;
  Digest hash{};
  EventBody body;
};

// Order in the landing queue. One of a higher priority overtakes at most k_overtaken_max earlier arrivals for each step
// of priority: so whoever waits ages, and comes to land.
struct LandingKey {
  std::uint32_t rank = 0;  // arrival + k_overtaken_max * (priority - 1)
  std::uint32_t arrival = 0;
  AttemptId attempt;
  auto operator<=>(const LandingKey&) const = default;
};
inline constexpr std::uint32_t k_overtaken_max = 10;

// The target itself, as it is checked before somebody is blamed for a red candidate on it.
struct TargetCheck {
  std::string commit;
  Examination examination;
  bool waits = false;  // for an intent's result
};

struct RunState {
  RunId run;
  Seq last_seq = 0;
  Micros at_us = 0;
  std::optional<RunStarted> started;
  std::optional<PlanAccepted> plan;  // the person's or the planner's
  std::vector<TaskSpec> planned;     // tasks of the plan, or of a split one, that are to be created
  bool approved = false;             // PlanApproved
  Planning planning;
  std::int64_t epoch = 0;  // how many have owned the run; 1 from its start
  std::optional<StopRequested> stop;
  std::optional<RunPaused> paused;
  std::string halted;  // why nothing new may start (an environment failure); "" when all is well
  std::optional<RunFinished> finished;

  std::map<TaskId, Task> tasks;
  std::vector<Stage> stages;
  std::map<TaskId, std::vector<TaskId>> dependents;  // tasks that name the key; those that wait for a stage are there
  std::string target_tip;                            // as far as we know
  std::string behind;                                // commit where the person's checkout was left; "": it follows

  Policy policy;  // what this run and those before it have learnt about arms

  Outlay spent;     // what agents told
  Outlay presumed;  // what ended attempts may have cost beside that: for the budgets only
  Outlay reserved;  // of attempts whose agent has not ended
  std::map<std::string, Outlay>
      dearest;  // by outlay_key(): the most that an attempt cost which cost more than it reserved
  std::vector<AttemptId> beyond_budget;  // that started although a budget did not allow it; a fault of the rules

  std::uint32_t slots_at_resume = 0;  // busy then, perhaps more than max_agents allows now

  // What keeps agents from working, by credential (state/credentials.hpp).
  std::map<std::string, Seq> parked;                       // left alone → its open ParkRequested
  std::map<std::string, std::uint32_t> park_streak;        // parks in a row, with no good end of a session between
  std::map<std::string, std::optional<AttemptId>> trials;  // its park is over → who goes first; nothing: nobody yet
  std::map<std::string, std::set<TaskId>> crashed;         // by agent: tasks on which it crashed in a row

  std::map<Seq, OpenIntent> open_intents;        // requested, no result yet
  std::map<std::string, KnownVerdict> verdicts;  // by verdict_key(); in this environment
  std::string environment;                       // of checks
  std::map<std::string, std::uint32_t>
      flakes;                    // by check: how often it contradicted itself in this run; 0: in earlier ones
  std::vector<AttemptId> chain;  // whose candidates stand on each other, front first (state/chain.hpp)
  std::uint32_t arrivals = 0;    // at the landing queue
  std::uint32_t landings = 0;
  std::uint32_t ejections = 0;              // attempts whose candidate failed its checks
  std::optional<TargetCheck> target_check;  // of the tip
  std::vector<TaskId> to_undo;              // landed tasks, in the order in which it was asked for

  // What follows is derived from the above, kept up to date so that a decision costs the same with 100,000 tasks.
  ReadyQueue ready;
  std::set<TaskId> to_ready;          // no open prerequisites, not readied yet
  std::set<TaskId> ready_undos;       // ready tasks on which no agent works
  std::map<TaskId, TaskId> to_block;  // task → the one it cannot do without
  std::set<AttemptId> due;            // attempts whose step waits for a decision
  std::set<LandingKey> landing_queue;
  std::optional<AttemptId> landing;                  // from its merge until the person's checkout has followed
  std::set<AttemptId> held;                          // of those in flight
  std::set<AttemptId> held_by_red_target;            // of those held
  std::set<AttemptId> to_release;                    // held for a person's look, and approved since
  std::set<AttemptId> in_flight;                     // assigned, not ended
  std::set<AttemptId> resolving;                     // in flight to resolve a conflict
  std::set<AttemptId> with_slot;                     // of those, whose agent has not ended
  std::map<std::string, std::uint32_t> busy_agents;  // attempts whose agent has not exited, by agent
  std::map<std::string, std::uint32_t> busy_roles;
  std::uint32_t busy_slots = 0;
  std::map<TaskStatus, std::uint32_t> count_by_status;
};

const RunConfig& config_of(const RunState& state);  // requires started
// Nothing when the run has no such agent, or the agent lists no such model.
const AgentSpec* find_agent(const RunConfig& config, std::string_view name);
const ModelSpec* find_model(const AgentSpec& agent, std::string_view name);
const Task& task_of(const RunState& state, TaskId id);  // k_planning: the planner's
const Attempt& attempt_of(const RunState& state, AttemptId id);

// What the two budgets count so far.
Outlay committed(const RunState& state);

// What all attempts of the task may cost together; nothing: no limit, as for the planner.
std::optional<UsdMicros> own_ceiling(const RunState& state, const Task& task);

// Attempts that are expected to cost alike: by agent, model and complexity.
std::string outlay_key(const Arm& arm, Complexity complexity);

// Whether its work, or that of all its parts, stands on the target.
bool has_landed(const RunState& state, const Task& task);

// What the planner is to be asked next, or is being asked: the goal (k_planning) or a task; nothing when there is none.
std::optional<TaskId> open_question(const RunState& state);

// Whether the planner is asked for smaller tasks in place of one whose attempts are used up: once, where there is one.
bool may_be_split(const RunState& state, const Task& task);

// Whether a session of the planner is in flight.
bool is_planner_at_work(const RunState& state);

// The plan is there, and its person is to look at it first.
bool awaits_approval(const RunState& state);

// The tasks of the run and, where it has one, the planner's own; its own comes last.
std::vector<const Task*> tasks_and_planning(const RunState& state);

// The checks of a candidate that speaks for these tasks; of none: the project's gates. They come in the order in which
// they run: what only reads the tree first, then the project's gates, then the tasks' own commands (which may need what
// a gate built). Those that are the same run once.
std::vector<CheckSpec> checks_of(const RunState& state, const std::vector<TaskId>& tasks);

bool is_gate(const RunState& state, const CheckSpec& check);

// Tasks that have landed and changed one of these paths: the other side of a conflict.
std::vector<TaskId> who_landed_on(const RunState& state, const std::vector<ConflictedPath>& paths);

// Whether nothing is in flight but what waits for a person.
bool is_idle(const RunState& state);

// Whether the target, as it stands, fails a check of the project's own.
bool is_target_red(const RunState& state);

// Whether the one who owned the run has left it as it was, for a resume to go on from.
bool is_left(const RunState& state);

// Whether what its agent did is under a salvage ref, as far as there was anything.
bool is_work_kept(const Attempt& attempt);

// Whether an attempt's worktree may hold work that nothing else keeps: it must not go.
bool is_work_at_risk(const Attempt& attempt);

// Whether what is open is nothing but timers: it keeps nothing from ending, and a resume waits for the rest.
bool only_timers_are_open(const RunState& state);
bool is_timer(const EventBody& intent);

// Identity of a check on a tree.
std::string verdict_key(const std::string& tree, const CheckSpec& check);

// The same over runs: SHA-256 of it and the environment of the check, as 64 hex digits.
std::string check_key(const std::string& environment, const std::string& tree, const CheckSpec& check);

// SHA-256 over the canonical form of the facts in the state (the derived part left out): equal states, equal digests.
std::string state_hash(const RunState& state);

}  // namespace bernstein
