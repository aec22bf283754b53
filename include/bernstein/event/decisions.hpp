#pragma once
// Decisions: what decide/ made of the inputs, each with its reason. docs/event-log.md says for each
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

// What the planner's session answered is the run's plan from here on, or the parts of the task it was asked to split.
struct PlanAdopted {
  std::string why;

  static constexpr std::string_view type = "PlanAdopted";
  static constexpr Kind kind = Kind::decision;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) { field("why", self.why); }
  bool operator==(const PlanAdopted&) const = default;
};

// The planner is not asked again: the goal has no plan.
struct PlanFailed {
  std::string why;

  static constexpr std::string_view type = "PlanFailed";
  static constexpr Kind kind = Kind::decision;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) { field("why", self.why); }
  bool operator==(const PlanFailed&) const = default;
};

// The task has used up its attempts: before it is given up, the planner is asked for smaller ones in its place.
struct SplitWanted {
  std::string why;

  static constexpr std::string_view type = "SplitWanted";
  static constexpr Kind kind = Kind::decision;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) { field("why", self.why); }
  bool operator==(const SplitWanted&) const = default;
};

// Other tasks stand for the task. Whoever waited for it waits for the last of them, which waits for the others.
struct TaskSplit {
  std::vector<TaskId> parts;  // ascending
  std::string why;

  static constexpr std::string_view type = "TaskSplit";
  static constexpr Kind kind = Kind::decision;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) {
    field("parts", self.parts);
    field("why", self.why);
  }
  bool operator==(const TaskSplit&) const = default;
};

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
  std::map<std::string, std::string> excluded;  // by arm ("agent/tier"): why it may not be chosen, of those of its pins
  std::map<std::string, std::int64_t> features;           // bandit/features.hpp has meaning, range and unit of each
  std::string floor;                                      // why the cheapest may not be chosen; "": they may
  std::string pin;                                        // who pins the agent or the model; "": nobody
  std::string preferred;                                  // by arm: what LinUCB puts first; "" when it was not asked
  std::map<std::string, std::int64_t> probabilities_ppm;  // by arm, every eligible one; sum 1,000,000
  std::string rule;                           // "pin", "static", "warmup", "bandit", "conflict" (decide/router.hpp)
  std::uint32_t rules = 1;                    // version of decide/
  std::map<std::string, std::string> scores;  // by arm, those of `rule`, in shadow mode LinUCB's; hex floats ("0x1p+0")
  std::string why;

  static constexpr std::string_view type = "RouteChosen";
  static constexpr Kind kind = Kind::decision;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) {
    field("arm", self.arm);
    field("excluded", self.excluded);
    field("features", self.features);
    field("floor", self.floor);
    field("pin", self.pin);
    field("preferred", self.preferred);
    field("probabilities_ppm", self.probabilities_ppm);
    field("rule", self.rule);
    field("rules", self.rules);
    field("scores", self.scores);
    field("why", self.why);
  }
  bool operator==(const RouteChosen&) const = default;
};

// A new attempt, or a session of the planner, begins: it holds a slot, its files and its money until it ends.
struct TaskAssigned {
  std::string agent;
  std::string model;
  std::vector<std::string> owned;  // patterns nobody else may touch meanwhile
  UsdMicros reserved_micros;
  std::int64_t reserved_tokens = 0;
  std::string why;

  static constexpr std::string_view type = "TaskAssigned";
  static constexpr Kind kind = Kind::decision;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) {
    field("agent", self.agent);
    field("model", self.model);
    field("owned", self.owned);
    field("reserved_micros", self.reserved_micros);
    field("reserved_tokens", self.reserved_tokens);
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

// The attempt waits for its turn to land: its changes are its own, or what held it up is over.
struct LandingQueued {
  std::string why;

  static constexpr std::string_view type = "LandingQueued";
  static constexpr Kind kind = Kind::decision;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) { field("why", self.why); }
  bool operator==(const LandingQueued&) const = default;
};

// The attempt's candidate is to be checked, from the first check on: as it stands for all that it covers. About the
// run: the target itself is.
struct ChecksBegun {
  std::vector<std::string> covers;  // attempts ahead of it in the queue that its verdict speaks for too, in order
  std::string rerun;  // name of the check that failed and is not believed yet; "" when it is the first time
  std::string tree;
  std::string why;

  static constexpr std::string_view type = "ChecksBegun";
  static constexpr Kind kind = Kind::decision;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) {
    field("covers", self.covers);
    field("rerun", self.rerun);
    field("tree", self.tree);
    field("why", self.why);
  }
  bool operator==(const ChecksBegun&) const = default;
};

// Nobody needs the verdict of the check that is under way any more: it is ended.
struct CheckAbandoned {
  std::string why;

  static constexpr std::string_view type = "CheckAbandoned";
  static constexpr Kind kind = Kind::decision;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) { field("why", self.why); }
  bool operator==(const CheckAbandoned&) const = default;
};

// A check passed and failed on one tree, in one environment: it is flaky.
struct CheckFlaked {
  std::string name;
  std::string tree;
  std::string why;

  static constexpr std::string_view type = "CheckFlaked";
  static constexpr Kind kind = Kind::decision;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) {
    field("name", self.name);
    field("tree", self.tree);
    field("why", self.why);
  }
  bool operator==(const CheckFlaked&) const = default;
};

// The attempt leaves the queue until a person has said or done something.
struct LandingHeld {
  Hold reason = Hold::approval;
  std::string why;

  static constexpr std::string_view type = "LandingHeld";
  static constexpr Kind kind = Kind::decision;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) {
    field("reason", self.reason);
    field("why", self.why);
  }
  bool operator==(const LandingHeld&) const = default;
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
  UsdMicros counted_micros;  // the cost, or what was reserved where that is unknown
  std::int64_t quality_ppm = 0;
  std::int64_t reward_ppm = 0;
  std::string why;

  static constexpr std::string_view type = "RewardRecorded";
  static constexpr Kind kind = Kind::decision;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) {
    field("arm", self.arm);
    field("cost_micros", self.cost_micros);
    field("counted_micros", self.counted_micros);
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

// Agents could not resolve the conflict: a new attempt gets a worktree in which a person can, and waits for
// RetryWanted.
struct TaskHandedOver {
  std::string why;

  static constexpr std::string_view type = "TaskHandedOver";
  static constexpr Kind kind = Kind::decision;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) { field("why", self.why); }
  bool operator==(const TaskHandedOver&) const = default;
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

}  // namespace bernstein
