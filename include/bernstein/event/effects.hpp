#pragma once
// Intents and their results: what is to be done in the world, and what became of it. docs/event-log.md says for each
// when it is written and what follows from it.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bernstein/base/id.hpp"
#include "bernstein/base/units.hpp"
#include "bernstein/event/fields.hpp"
#include "bernstein/event/record.hpp"
#include "bernstein/event/spec.hpp"
#include "bernstein/event/terms.hpp"

namespace bernstein {

// A worktree of its own for the attempt, set up and ready for the agent.
struct WorktreeRequested {
  std::string base;      // commit it starts from; contains all that the task depends on
  std::string merge_in;  // the commit of an earlier attempt whose work is merged into it, conflicts and all; "": none

  static constexpr std::string_view type = "WorktreeRequested";
  static constexpr Kind kind = Kind::intent;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) {
    field("base", self.base);
    field("merge_in", self.merge_in);
  }
  bool operator==(const WorktreeRequested&) const = default;
};
struct WorktreeReady {
  SetupUse setup = SetupUse::none;

  static constexpr std::string_view type = "WorktreeReady";
  static constexpr Kind kind = Kind::result;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) { field("setup", self.setup); }
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
  bool stalled = false;                  // ended because it made no progress for too long
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
    field("stalled", self.stalled);
    field("stopped", self.stopped);
    field("timed_out", self.timed_out);
    field("usage", self.usage);
    field("why", self.why);
  }
  bool operator==(const AgentExited&) const = default;
};
// Whether the agent was ended, by a limit or by somebody. What it told of its usage is then a lower bound.
inline bool was_ended(const AgentExited& exit) {
  return exit.timed_out || exit.stalled || exit.stopped;
}

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
  std::vector<std::string> also_kept;   // refs of what the agent committed or stashed beside its branch
  std::vector<ChangedPath> changes;     // against the base, by path
  std::string commit;                   // equals the base when nothing changed
  std::string salvage;                  // the ref that keeps it; "" when nothing changed
  std::vector<std::string> suspicions;  // what the agent did to its repository and worktree that no work needs
  std::string tree;
  std::vector<std::string> unresolved;      // paths of an earlier conflict that still hold conflict markers
  std::vector<std::string> weakened_tests;  // what it did to tests: "deletes tests/test_a.py"

  static constexpr std::string_view type = "WorkCaptured";
  static constexpr Kind kind = Kind::result;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) {
    field("also_kept", self.also_kept);
    field("changes", self.changes);
    field("commit", self.commit);
    field("salvage", self.salvage);
    field("suspicions", self.suspicions);
    field("tree", self.tree);
    field("unresolved", self.unresolved);
    field("weakened_tests", self.weakened_tests);
  }
  bool operator==(const WorkCaptured&) const = default;
};

// What the planner's session answered is to be read as a plan (planner/answer.hpp).
struct PlanReadRequested {
  static constexpr std::string_view type = "PlanReadRequested";
  static constexpr Kind kind = Kind::intent;
  static constexpr int version = 1;
  static void fields(auto&, auto&&) {}
  bool operator==(const PlanReadRequested&) const = default;
};
struct PlanRead {
  std::string answer;               // digest of the blob that holds what it said
  std::vector<std::string> faults;  // a sentence each; empty: it can be used
  std::string name;
  std::string source;                 // digest of the blob that holds it as plan.yaml; "" with faults
  std::vector<StageSpec> stages;      // empty for the parts of a task
  std::vector<TaskSpec> tasks;        // by id without gaps, from the first that is free
  std::vector<std::string> warnings;  // what was passed over in it, a sentence each

  static constexpr std::string_view type = "PlanRead";
  static constexpr Kind kind = Kind::result;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) {
    field("answer", self.answer);
    field("faults", self.faults);
    field("name", self.name);
    field("source", self.source);
    field("stages", self.stages);
    field("tasks", self.tasks);
    field("warnings", self.warnings);
  }
  bool operator==(const PlanRead&) const = default;
};

// What a task has landed is to be taken back, on top of the target as it stands. Its result is WorkCaptured.
struct RevertRequested {
  std::string landed;  // the commit on the target

  static constexpr std::string_view type = "RevertRequested";
  static constexpr Kind kind = Kind::intent;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) { field("landed", self.landed); }
  bool operator==(const RevertRequested&) const = default;
};

// Whether agents that are at work now would conflict with what was captured. Nothing waits for the answer.
struct ProbeRequested {
  std::vector<std::string> against;  // attempts
  std::string commit;

  static constexpr std::string_view type = "ProbeRequested";
  static constexpr Kind kind = Kind::intent;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) {
    field("against", self.against);
    field("commit", self.commit);
  }
  bool operator==(const ProbeRequested&) const = default;
};
struct ProbeFinished {
  std::map<std::string, std::vector<std::string>> conflicts;  // paths, by attempt; those without any are left out

  static constexpr std::string_view type = "ProbeFinished";
  static constexpr Kind kind = Kind::result;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) { field("conflicts", self.conflicts); }
  bool operator==(const ProbeFinished&) const = default;
};

// What would stand on the target if the attempt landed now is to be computed, as the commit that lands then.
struct CandidateRequested {
  std::string commit;  // the attempt's
  std::string onto;    // the candidate ahead of it; "": the target as it stands

  static constexpr std::string_view type = "CandidateRequested";
  static constexpr Kind kind = Kind::intent;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) {
    field("commit", self.commit);
    field("onto", self.onto);
  }
  bool operator==(const CandidateRequested&) const = default;
};
struct CandidateBuilt {
  std::string base;  // the commit it was merged with
  std::string base_tree;
  std::string commit;
  std::vector<std::string> left_out;  // changed paths that define checks: they stay as the target has them
  std::vector<std::string> resolved;  // conflicts that were settled as once before
  std::string tree;
  std::vector<std::string> unioned;  // where both sides' lines were kept

  static constexpr std::string_view type = "CandidateBuilt";
  static constexpr Kind kind = Kind::result;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) {
    field("base", self.base);
    field("base_tree", self.base_tree);
    field("commit", self.commit);
    field("left_out", self.left_out);
    field("resolved", self.resolved);
    field("tree", self.tree);
    field("unioned", self.unioned);
  }
  bool operator==(const CandidateBuilt&) const = default;
};
struct CandidateConflicted {
  std::string base;
  std::vector<ConflictedPath> paths;  // sorted

  static constexpr std::string_view type = "CandidateConflicted";
  static constexpr Kind kind = Kind::result;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) {
    field("base", self.base);
    field("paths", self.paths);
  }
  bool operator==(const CandidateConflicted&) const = default;
};

// Which of these checks have passed on this tree in earlier runs, in the same environment.
struct RecallRequested {
  std::vector<CheckSpec> checks;
  std::string environment;
  std::string tree;

  static constexpr std::string_view type = "RecallRequested";
  static constexpr Kind kind = Kind::intent;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) {
    field("checks", self.checks);
    field("environment", self.environment);
    field("tree", self.tree);
  }
  bool operator==(const RecallRequested&) const = default;
};
struct Recalled {
  std::vector<Seq> passed;  // the CheckFinished of each check; 0 where there is none

  static constexpr std::string_view type = "Recalled";
  static constexpr Kind kind = Kind::result;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) { field("passed", self.passed); }
  bool operator==(const Recalled&) const = default;
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
  std::string key;    // check_key(): by it later runs find the verdict (state/run_state.hpp)
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
    field("key", self.key);
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
  std::string commit;  // the candidate: the very commit that was checked
  std::string target;
  std::string tree;  // of the candidate

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
  std::vector<Resolution> resolutions;  // how conflicts of earlier attempts were settled in it
  std::string tree;

  static constexpr std::string_view type = "MergeLanded";
  static constexpr Kind kind = Kind::result;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) {
    field("commit", self.commit);
    field("parent", self.parent);
    field("resolutions", self.resolutions);
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

}  // namespace bernstein
