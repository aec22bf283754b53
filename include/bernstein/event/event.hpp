#pragma once
// Every kind of event there is. One struct for each, grouped by Kind; docs/event-log.md says for each when it is
// written and what follows from it. Names are facts in the past tense; intents end in "Requested".
//
//     Event e{.seq = 7, .run = RunId{1}, .subject = {TaskId{4}, 2}, .body = AgentExited{.exit_code = 0}};
//     kind_of(e.body), type_of(e.body), version_of(e.body)
//
// To add one: a struct here and its place in EventBody, its effect in state/apply.cpp, its entry in docs/event-log.md.
// The compiler and the tests find the rest.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "bernstein/base/id.hpp"
#include "bernstein/base/units.hpp"
#include "bernstein/event/fields.hpp"
#include "bernstein/event/record.hpp"
#include "bernstein/event/spec.hpp"

namespace bernstein {

// ---- Words that events use ----------------------------------------------------------------------------------------

// Why an attempt ended without landing; what happens next follows from it (decide/retry.hpp).
enum class FailureClass {
  task,          // checks red, nothing changed, somebody else's files, a conflict: uses up an attempt
  quota,         // the agent may not work now, or its service fails: parked, uses up none
  environment,   // agent missing, disk, setup command: the run stops with one message
  orchestrator,  // stopped or lost by us: uses up none
  count_
};
BERNSTEIN_ENUM_WORDS(FailureClass, "task", "quota", "environment", "orchestrator");

enum class CheckVerdict { passed, failed, timed_out, error, count_ };
BERNSTEIN_ENUM_WORDS(CheckVerdict, "passed", "failed", "timed_out", "error");

// unverified: there was no check to run; the work changes something and nobody looked at it.
enum class Verdict { passed, failed, unverified, count_ };
BERNSTEIN_ENUM_WORDS(Verdict, "passed", "failed", "unverified");

enum class RunOutcome {
  landed,       // every task landed
  incomplete,   // some failed, were blocked or cancelled
  budget,       // the money ran out before the end
  stopped,      // by a person or a signal
  environment,  // something that every task needs is missing
  count_
};
BERNSTEIN_ENUM_WORDS(RunOutcome, "landed", "incomplete", "budget", "stopped", "environment");

enum class StopMode {
  drain,  // what is in flight is finished, nothing new starts
  now,    // Bernstein leaves; agents and checks go on under their supervisors, and a resume takes them back
  count_
};
BERNSTEIN_ENUM_WORDS(StopMode, "drain", "now");

enum class CostSource { unknown, reported, computed, estimated, count_ };
BERNSTEIN_ENUM_WORDS(CostSource, "unknown", "reported", "computed", "estimated");

enum class ChangeKind { added, modified, deleted, count_ };
BERNSTEIN_ENUM_WORDS(ChangeKind, "added", "modified", "deleted");

enum class SyncOutcome {
  updated,          // the checkout follows the branch
  not_checked_out,  // the branch is not what the user has checked out: nothing to do
  left_alone,       // uncommitted changes are in the way: one command is printed
  count_
};
BERNSTEIN_ENUM_WORDS(SyncOutcome, "updated", "not_checked_out", "left_alone");

struct ChangedPath {
  ChangeKind change = ChangeKind::modified;
  std::string path;  // normalised; bytes that are no UTF-8 are written \xNN

  static void fields(auto& self, auto&& field) {
    field("change", self.change);
    field("path", self.path);
  }
  bool operator==(const ChangedPath&) const = default;
};

// Tokens of one attempt; nothing where the agent did not tell. input_tokens excludes what was read from a cache.
struct Usage {
  std::optional<std::int64_t> cached_tokens;
  std::optional<UsdMicros> cost_micros;
  std::optional<std::int64_t> input_tokens;
  std::optional<std::int64_t> output_tokens;

  static void fields(auto& self, auto&& field) {
    field("cached_tokens", self.cached_tokens);
    field("cost_micros", self.cost_micros);
    field("input_tokens", self.input_tokens);
    field("output_tokens", self.output_tokens);
  }
  bool operator==(const Usage&) const = default;
};

// What the next attempt gets to read about a failed one.
struct Evidence {
  std::string label;   // one line: "check 'tests' exited with 1"
  std::string output;  // digest of the blob that holds the output, "" when the label says all

  static void fields(auto& self, auto&& field) {
    field("label", self.label);
    field("output", self.output);
  }
  bool operator==(const Evidence&) const = default;
};

// ---- Inputs -------------------------------------------------------------------------------------------------------

struct RunStarted {
  std::string behind;     // where an earlier run left the person's checkout of the target; "" when it followed
  std::string bernstein;  // our version
  RunConfig config;
  std::string goal;         // what the person asked for, or the plan's name
  std::uint32_t rules = 1;  // version of decide/ that rules this run (decide/decide.hpp)
  std::uint64_t seed = 0;   // below 2^53
  std::string target;       // full name of the branch to land on: "refs/heads/main"
  std::string target_tip;   // commit it stood at

  static constexpr std::string_view type = "RunStarted";
  static constexpr Kind kind = Kind::input;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) {
    field("behind", self.behind);
    field("bernstein", self.bernstein);
    field("config", self.config);
    field("goal", self.goal);
    field("rules", self.rules);
    field("seed", self.seed);
    field("target", self.target);
    field("target_tip", self.target_tip);
  }
  bool operator==(const RunStarted&) const = default;
};

struct PlanAccepted {
  std::string name;
  std::string source;  // digest of the blob that holds the file's text
  std::vector<StageSpec> stages;
  std::vector<TaskSpec> tasks;  // by id, t1 first, no gaps

  static constexpr std::string_view type = "PlanAccepted";
  static constexpr Kind kind = Kind::input;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) {
    field("name", self.name);
    field("source", self.source);
    field("stages", self.stages);
    field("tasks", self.tasks);
  }
  bool operator==(const PlanAccepted&) const = default;
};

// A Bernstein took over a run that another one left: after a stop, a crash or a cause that has been mended.
struct RunResumed {
  std::string behind;                       // as in RunStarted: another run may have landed meanwhile
  std::string bernstein;                    // version of the one that goes on
  std::optional<UsdMicros> budget_micros;   // from here on, where the person gave a new one
  std::int64_t epoch = 0;                   // 2 for the first resume: how many have owned the run
  std::optional<std::uint32_t> max_agents;  // likewise
  std::string target_tip;                   // commit that the target stands at

  static constexpr std::string_view type = "RunResumed";
  static constexpr Kind kind = Kind::input;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) {
    field("behind", self.behind);
    field("bernstein", self.bernstein);
    field("budget_micros", self.budget_micros);
    field("epoch", self.epoch);
    field("max_agents", self.max_agents);
    field("target_tip", self.target_tip);
  }
  bool operator==(const RunResumed&) const = default;
};

// Nothing new starts until RunContinued or RunResumed; the run stays open.
struct RunPaused {
  std::string reason;

  static constexpr std::string_view type = "RunPaused";
  static constexpr Kind kind = Kind::input;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) { field("reason", self.reason); }
  bool operator==(const RunPaused&) const = default;
};
struct RunContinued {
  static constexpr std::string_view type = "RunContinued";
  static constexpr Kind kind = Kind::input;
  static constexpr int version = 1;
  static void fields(auto&, auto&&) {}
  bool operator==(const RunContinued&) const = default;
};

struct StopRequested {
  StopMode mode = StopMode::drain;
  std::string reason;  // "Ctrl-C"

  static constexpr std::string_view type = "StopRequested";
  static constexpr Kind kind = Kind::input;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) {
    field("mode", self.mode);
    field("reason", self.reason);
  }
  bool operator==(const StopRequested&) const = default;
};

// The agent's supervisor is there and waits: only once this is durable does the agent begin. Its end is AgentExited.
// Where the supervisor was killed before it came to begin, the agent is started again without another word.
struct AgentStarted {
  std::int64_t pid = 0;                    // of the supervisor
  std::string prompt;                      // digest of the blob that holds it
  SandboxMode sandbox = SandboxMode::off;  // what it runs in, which may be less than what was asked for

  static constexpr std::string_view type = "AgentStarted";
  static constexpr Kind kind = Kind::input;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) {
    field("pid", self.pid);
    field("prompt", self.prompt);
    field("sandbox", self.sandbox);
  }
  bool operator==(const AgentStarted&) const = default;
};

// ---- Decisions ----------------------------------------------------------------------------------------------------

struct TaskCreated {
  std::uint32_t chain_minutes =
      0;  // estimated length of the longest chain of tasks from this one to the end, itself included
  TaskSpec spec;

  static constexpr std::string_view type = "TaskCreated";
  static constexpr Kind kind = Kind::decision;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) {
    field("chain_minutes", self.chain_minutes);
    field("spec", self.spec);
  }
  bool operator==(const TaskCreated&) const = default;
};

// Everything that the task waited for has landed.
struct TaskReadied {
  std::string why;

  static constexpr std::string_view type = "TaskReadied";
  static constexpr Kind kind = Kind::decision;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) { field("why", self.why); }
  bool operator==(const TaskReadied&) const = default;
};

// Which arm works on the attempt, out of which, and with what probability each would have been chosen.
struct RouteChosen {
  Arm arm;
  std::map<std::string, std::int64_t> features;           // docs/event-log.md has meaning, range and unit of each
  std::map<std::string, std::int64_t> probabilities_ppm;  // by arm ("agent/tier"), every eligible arm; sum 1,000,000
  std::string rule;                                       // "pin", "static", later "bandit"
  std::map<std::string, std::string> scores;              // by arm; hex floats ("0x1p+0"), so that bytes are exact
  std::string why;

  static constexpr std::string_view type = "RouteChosen";
  static constexpr Kind kind = Kind::decision;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) {
    field("arm", self.arm);
    field("features", self.features);
    field("probabilities_ppm", self.probabilities_ppm);
    field("rule", self.rule);
    field("scores", self.scores);
    field("why", self.why);
  }
  bool operator==(const RouteChosen&) const = default;
};

// A new attempt begins: it holds a slot, its files and its money until it ends.
struct TaskAssigned {
  std::string agent;
  std::string model;
  std::vector<std::string> owned;  // patterns nobody else may touch meanwhile
  UsdMicros reserved_micros;
  std::string why;

  static constexpr std::string_view type = "TaskAssigned";
  static constexpr Kind kind = Kind::decision;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) {
    field("agent", self.agent);
    field("model", self.model);
    field("owned", self.owned);
    field("reserved_micros", self.reserved_micros);
    field("why", self.why);
  }
  bool operator==(const TaskAssigned&) const = default;
};

// The attempt changed paths outside its own files that nobody in flight owned: they are its own now.
struct PathsGranted {
  std::vector<std::string> paths;
  std::string why;

  static constexpr std::string_view type = "PathsGranted";
  static constexpr Kind kind = Kind::decision;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) {
    field("paths", self.paths);
    field("why", self.why);
  }
  bool operator==(const PathsGranted&) const = default;
};

// The attempt waits for its turn to land: its changes are its own, or its check was interrupted and starts afresh.
struct LandingQueued {
  std::string why;

  static constexpr std::string_view type = "LandingQueued";
  static constexpr Kind kind = Kind::decision;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) { field("why", self.why); }
  bool operator==(const LandingQueued&) const = default;
};

// The same tree was checked before: the verdict is used again.
struct CheckReused {
  Seq from = 0;  // the CheckFinished
  std::string name;
  std::string tree;
  CheckVerdict verdict = CheckVerdict::passed;

  static constexpr std::string_view type = "CheckReused";
  static constexpr Kind kind = Kind::decision;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) {
    field("from", self.from);
    field("name", self.name);
    field("tree", self.tree);
    field("verdict", self.verdict);
  }
  bool operator==(const CheckReused&) const = default;
};

struct VerdictReached {
  std::string tree;
  Verdict verdict = Verdict::passed;
  std::string why;

  static constexpr std::string_view type = "VerdictReached";
  static constexpr Kind kind = Kind::decision;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) {
    field("tree", self.tree);
    field("verdict", self.verdict);
    field("why", self.why);
  }
  bool operator==(const VerdictReached&) const = default;
};

struct AttemptFailed {
  FailureClass class_ = FailureClass::task;
  std::vector<Evidence> evidence;
  std::vector<std::string> paths;  // that the next attempt must own beside its files: it waits until they are free
  std::string why;

  static constexpr std::string_view type = "AttemptFailed";
  static constexpr Kind kind = Kind::decision;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) {
    field("class", self.class_);
    field("evidence", self.evidence);
    field("paths", self.paths);
    field("why", self.why);
  }
  bool operator==(const AttemptFailed&) const = default;
};

// What the router learns from an attempt. quality and reward in parts per million: 1,000,000 is best.
struct RewardRecorded {
  Arm arm;
  std::optional<UsdMicros> cost_micros;
  std::int64_t quality_ppm = 0;
  std::int64_t reward_ppm = 0;
  std::string why;

  static constexpr std::string_view type = "RewardRecorded";
  static constexpr Kind kind = Kind::decision;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) {
    field("arm", self.arm);
    field("cost_micros", self.cost_micros);
    field("quality_ppm", self.quality_ppm);
    field("reward_ppm", self.reward_ppm);
    field("why", self.why);
  }
  bool operator==(const RewardRecorded&) const = default;
};

// The task goes back to ready; its next attempt starts from the target as it is then.
struct TaskRetried {
  std::string why;

  static constexpr std::string_view type = "TaskRetried";
  static constexpr Kind kind = Kind::decision;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) { field("why", self.why); }
  bool operator==(const TaskRetried&) const = default;
};

struct TaskFailed {
  std::string why;

  static constexpr std::string_view type = "TaskFailed";
  static constexpr Kind kind = Kind::decision;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) { field("why", self.why); }
  bool operator==(const TaskFailed&) const = default;
};

// Something that the task depends on will not land.
struct TaskBlocked {
  TaskId by;
  std::string why;

  static constexpr std::string_view type = "TaskBlocked";
  static constexpr Kind kind = Kind::decision;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) {
    field("by", self.by);
    field("why", self.why);
  }
  bool operator==(const TaskBlocked&) const = default;
};

struct RunFinished {
  std::uint32_t failed = 0;  // failed, blocked or cancelled
  std::uint32_t landed = 0;
  RunOutcome outcome = RunOutcome::landed;
  std::string why;

  static constexpr std::string_view type = "RunFinished";
  static constexpr Kind kind = Kind::decision;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) {
    field("failed", self.failed);
    field("landed", self.landed);
    field("outcome", self.outcome);
    field("why", self.why);
  }
  bool operator==(const RunFinished&) const = default;
};

// ---- Intents and their results --------------------------------------------------------------------------------------

// A worktree of its own for the attempt, set up and ready for the agent.
struct WorktreeRequested {
  std::string base;  // commit it starts from; contains all that the task depends on

  static constexpr std::string_view type = "WorktreeRequested";
  static constexpr Kind kind = Kind::intent;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) { field("base", self.base); }
  bool operator==(const WorktreeRequested&) const = default;
};
struct WorktreeReady {
  static constexpr std::string_view type = "WorktreeReady";
  static constexpr Kind kind = Kind::result;
  static constexpr int version = 1;
  static void fields(auto&, auto&&) {}
  bool operator==(const WorktreeReady&) const = default;
};

// The agent is to work in the attempt's worktree.
struct SpawnRequested {
  std::string agent;
  std::string model;
  Micros timeout_us = 0;

  static constexpr std::string_view type = "SpawnRequested";
  static constexpr Kind kind = Kind::intent;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) {
    field("agent", self.agent);
    field("model", self.model);
    field("timeout_us", self.timeout_us);
  }
  bool operator==(const SpawnRequested&) const = default;
};
struct AgentExited {
  CostSource cost_source = CostSource::unknown;
  Micros duration_us = 0;
  int exit_code = 0;    // 128 + signal when a signal ended it
  std::string message;  // what it said of its failure; one line
  AgentOutcome outcome = AgentOutcome::done;
  std::string output;  // digest of the blob that holds the end of its output
  std::int64_t output_bytes = 0;
  std::optional<Micros> retry_after_us;  // it said when it may work again
  std::string session;                   // its own id of the session; "" when it told none
  bool stopped = false;                  // ended by somebody else: see why
  bool timed_out = false;
  Usage usage;
  std::string why;  // of a stopped one: "its supervisor was killed"

  static constexpr std::string_view type = "AgentExited";
  static constexpr Kind kind = Kind::result;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) {
    field("cost_source", self.cost_source);
    field("duration_us", self.duration_us);
    field("exit_code", self.exit_code);
    field("message", self.message);
    field("outcome", self.outcome);
    field("output", self.output);
    field("output_bytes", self.output_bytes);
    field("retry_after_us", self.retry_after_us);
    field("session", self.session);
    field("stopped", self.stopped);
    field("timed_out", self.timed_out);
    field("usage", self.usage);
    field("why", self.why);
  }
  bool operator==(const AgentExited&) const = default;
};

// What the agent left is to be committed, read, and put under a salvage ref.
struct CaptureRequested {
  std::string base;

  static constexpr std::string_view type = "CaptureRequested";
  static constexpr Kind kind = Kind::intent;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) { field("base", self.base); }
  bool operator==(const CaptureRequested&) const = default;
};
struct WorkCaptured {
  std::vector<std::string> also_kept;  // refs of what the agent committed or stashed beside its branch
  std::vector<ChangedPath> changes;    // against the base, by path
  std::string commit;                  // equals the base when nothing changed
  std::string salvage;                 // the ref that keeps it; "" when nothing changed
  std::string tree;

  static constexpr std::string_view type = "WorkCaptured";
  static constexpr Kind kind = Kind::result;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) {
    field("also_kept", self.also_kept);
    field("changes", self.changes);
    field("commit", self.commit);
    field("salvage", self.salvage);
    field("tree", self.tree);
  }
  bool operator==(const WorkCaptured&) const = default;
};

// What would stand on the target if the attempt landed now is to be computed.
struct CandidateRequested {
  std::string commit;  // the attempt's

  static constexpr std::string_view type = "CandidateRequested";
  static constexpr Kind kind = Kind::intent;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) { field("commit", self.commit); }
  bool operator==(const CandidateRequested&) const = default;
};
struct CandidateBuilt {
  std::string base;  // the target's tip it was merged with
  std::string tree;

  static constexpr std::string_view type = "CandidateBuilt";
  static constexpr Kind kind = Kind::result;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) {
    field("base", self.base);
    field("tree", self.tree);
  }
  bool operator==(const CandidateBuilt&) const = default;
};
struct CandidateConflicted {
  std::string base;
  std::vector<std::string> paths;  // sorted

  static constexpr std::string_view type = "CandidateConflicted";
  static constexpr Kind kind = Kind::result;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) {
    field("base", self.base);
    field("paths", self.paths);
  }
  bool operator==(const CandidateConflicted&) const = default;
};

struct CheckRequested {
  CheckSpec check;
  bool fresh = true;  // into a new checkout; later checks of one candidate go on in it, as `build` before `test` must
  std::string tree;

  static constexpr std::string_view type = "CheckRequested";
  static constexpr Kind kind = Kind::intent;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) {
    field("check", self.check);
    field("fresh", self.fresh);
    field("tree", self.tree);
  }
  bool operator==(const CheckRequested&) const = default;
};
struct CheckFinished {
  Micros duration_us = 0;
  int exit_code = 0;  // 128 + signal when a signal ended it
  std::string name;
  std::string output;    // digest of the blob, "" without output
  bool stopped = false;  // interrupted: says nothing about the tree
  std::string tree;
  CheckVerdict verdict = CheckVerdict::passed;
  std::string why;  // "exit 1", "no file src/a.cpp", "still running after 10m"

  static constexpr std::string_view type = "CheckFinished";
  static constexpr Kind kind = Kind::result;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) {
    field("duration_us", self.duration_us);
    field("exit_code", self.exit_code);
    field("name", self.name);
    field("output", self.output);
    field("stopped", self.stopped);
    field("tree", self.tree);
    field("verdict", self.verdict);
    field("why", self.why);
  }
  bool operator==(const CheckFinished&) const = default;
};

// The verified tree is to become the target's next commit, if the target still stands where it was.
struct MergeRequested {
  std::string base;    // compare: the target must stand here
  std::string commit;  // the attempt's; second parent
  std::string target;
  std::string tree;  // the one that was checked

  static constexpr std::string_view type = "MergeRequested";
  static constexpr Kind kind = Kind::intent;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) {
    field("base", self.base);
    field("commit", self.commit);
    field("target", self.target);
    field("tree", self.tree);
  }
  bool operator==(const MergeRequested&) const = default;
};
struct MergeLanded {
  std::string commit;
  std::string parent;
  std::string tree;

  static constexpr std::string_view type = "MergeLanded";
  static constexpr Kind kind = Kind::result;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) {
    field("commit", self.commit);
    field("parent", self.parent);
    field("tree", self.tree);
  }
  bool operator==(const MergeLanded&) const = default;
};
// Somebody moved the target: the candidate is computed again.
struct MergeRefused {
  std::string actual;  // where the target stands

  static constexpr std::string_view type = "MergeRefused";
  static constexpr Kind kind = Kind::result;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) { field("actual", self.actual); }
  bool operator==(const MergeRefused&) const = default;
};

// The user's checkout is to follow the target, if that is safe.
struct CheckoutSyncRequested {
  std::string behind;  // where the checkout was left by an earlier landing; "" when it followed
  std::string from;
  std::string target;
  std::string to;

  static constexpr std::string_view type = "CheckoutSyncRequested";
  static constexpr Kind kind = Kind::intent;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) {
    field("behind", self.behind);
    field("from", self.from);
    field("target", self.target);
    field("to", self.to);
  }
  bool operator==(const CheckoutSyncRequested&) const = default;
};
struct CheckoutSynced {
  std::string detail;  // for left_alone: what is in the way
  SyncOutcome outcome = SyncOutcome::updated;

  static constexpr std::string_view type = "CheckoutSynced";
  static constexpr Kind kind = Kind::result;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) {
    field("detail", self.detail);
    field("outcome", self.outcome);
  }
  bool operator==(const CheckoutSynced&) const = default;
};

// The attempt's worktree, its bare repository and the checkout of its candidate are to go.
struct WorktreeRemoveRequested {
  static constexpr std::string_view type = "WorktreeRemoveRequested";
  static constexpr Kind kind = Kind::intent;
  static constexpr int version = 1;
  static void fields(auto&, auto&&) {}
  bool operator==(const WorktreeRemoveRequested&) const = default;
};
struct WorktreeRemoved {
  static constexpr std::string_view type = "WorktreeRemoved";
  static constexpr Kind kind = Kind::result;
  static constexpr int version = 1;
  static void fields(auto&, auto&&) {}
  bool operator==(const WorktreeRemoved&) const = default;
};

// The agent may not work now: nothing of it starts until the time is over. About the run.
struct ParkRequested {
  std::string agent;
  Micros wait_us = 0;
  std::string why;

  static constexpr std::string_view type = "ParkRequested";
  static constexpr Kind kind = Kind::intent;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) {
    field("agent", self.agent);
    field("wait_us", self.wait_us);
    field("why", self.why);
  }
  bool operator==(const ParkRequested&) const = default;
};
struct ParkEnded {
  std::string agent;

  static constexpr std::string_view type = "ParkEnded";
  static constexpr Kind kind = Kind::result;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) { field("agent", self.agent); }
  bool operator==(const ParkEnded&) const = default;
};

// The effect of an intent could not be done: the result of any intent but SpawnRequested's later course.
struct EffectFailed {
  FailureClass class_ = FailureClass::environment;
  std::string effect;   // type of the intent
  std::string message;  // names the thing and the remedy
  std::string output;   // digest of a blob with more, or ""

  static constexpr std::string_view type = "EffectFailed";
  static constexpr Kind kind = Kind::result;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) {
    field("class", self.class_);
    field("effect", self.effect);
    field("message", self.message);
    field("output", self.output);
  }
  bool operator==(const EffectFailed&) const = default;
};

// ---- The variant and the envelope ---------------------------------------------------------------------------------

using EventBody = std::variant<
    RunStarted, PlanAccepted, RunResumed, RunPaused, RunContinued, StopRequested, AgentStarted,     // inputs
    TaskCreated, TaskReadied, RouteChosen, TaskAssigned, PathsGranted, LandingQueued, CheckReused,  // decisions
    VerdictReached, AttemptFailed, RewardRecorded, TaskRetried, TaskFailed, TaskBlocked, RunFinished, WorktreeRequested,
    WorktreeReady, SpawnRequested, AgentExited, CaptureRequested, WorkCaptured,  // effects
    CandidateRequested, CandidateBuilt, CandidateConflicted, CheckRequested, CheckFinished, MergeRequested, MergeLanded,
    MergeRefused, CheckoutSyncRequested, CheckoutSynced, WorktreeRemoveRequested, WorktreeRemoved, ParkRequested,
    ParkEnded, EffectFailed>;

Kind kind_of(const EventBody& body);
std::string_view type_of(const EventBody& body);
int version_of(const EventBody& body);

// What an event is about: the run (task 0), a task (attempt 0) or an attempt.
struct Subject {
  TaskId task;
  std::uint32_t attempt = 0;
  auto operator<=>(const Subject&) const = default;
};
inline Subject about_run() {
  return {};
}
inline Subject about(TaskId task) {
  return {task, 0};
}
inline Subject about(AttemptId attempt) {
  return {attempt.task, attempt.number};
}
std::string to_string(Subject subject);  // "run", "t4", "t4.2"
std::optional<Subject> parse_subject(std::string_view text);

// An event before it has a place in the log.
struct Draft {
  Subject subject;
  EventBody body;
  bool operator==(const Draft&) const = default;
};

// An event in its place. The columns mean what record.hpp says.
struct Event {
  Seq seq = 0;
  RunId run;
  std::int64_t run_seq = 0;
  Seq cause = 0;
  Subject subject;
  Micros at_us = 0;
  Micros wall_us = 0;
  EventBody body;
  Digest hash{};
};

}  // namespace bernstein
