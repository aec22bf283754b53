#pragma once
// Inputs: what came from outside, from a person or an agent. docs/event-log.md says for each
// when it is written and what follows from it.

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

struct RunStarted {
  std::string behind;     // where an earlier run left the person's checkout of the target; "" when it followed
  std::string bernstein;  // our version
  RunConfig config;
  std::string environment;            // of checks: digest of all beside the tree that their verdicts may depend on
  std::vector<std::string> flaky;     // names of checks that earlier runs found flaky; ascending
  std::string goal;                   // what the person asked for, verbatim, or the plan's name
  std::vector<ArmExperience> policy;  // what all runs before have learnt about arms that this one may choose
  std::uint32_t rules = 1;            // version of decide/ that rules this run (decide/decide.hpp)
  std::uint64_t seed = 0;             // below 2^53
  std::string target;                 // full name of the branch to land on: "refs/heads/main"
  std::string target_tip;             // commit it stood at

  static constexpr std::string_view type = "RunStarted";
  static constexpr Kind kind = Kind::input;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) {
    field("behind", self.behind);
    field("bernstein", self.bernstein);
    field("config", self.config);
    field("environment", self.environment);
    field("flaky", self.flaky);
    field("goal", self.goal);
    field("policy", self.policy);
    field("rules", self.rules);
    field("seed", self.seed);
    field("target", self.target);
    field("target_tip", self.target_tip);
  }
  bool operator==(const RunStarted&) const = default;
};

// There is no plan yet: the planner (RunConfig::planner) is to make one for the run's goal.
struct PlanWanted {
  static constexpr std::string_view type = "PlanWanted";
  static constexpr Kind kind = Kind::input;
  static constexpr int version = 1;
  static void fields(auto&, auto&&) {}
  bool operator==(const PlanWanted&) const = default;
};

// A plan that a person wrote.
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

// The person has seen the plan of a run that waits for that (RunConfig::approve_plan): its tasks may start.
struct PlanApproved {
  static constexpr std::string_view type = "PlanApproved";
  static constexpr Kind kind = Kind::input;
  static constexpr int version = 1;
  static void fields(auto&, auto&&) {}
  bool operator==(const PlanApproved&) const = default;
};

// The person has seen what a task has done and wants it on the target. About the task.
struct LandingApproved {
  static constexpr std::string_view type = "LandingApproved";
  static constexpr Kind kind = Kind::input;
  static constexpr int version = 1;
  static void fields(auto&, auto&&) {}
  bool operator==(const LandingApproved&) const = default;
};

// The person wants a task that failed, was blocked or cancelled to be tried again, or to have what they made of its
// conflict in the worktree that was handed to them. About the task.
struct RetryWanted {
  static constexpr std::string_view type = "RetryWanted";
  static constexpr Kind kind = Kind::input;
  static constexpr int version = 1;
  static void fields(auto&, auto&&) {}
  bool operator==(const RetryWanted&) const = default;
};

// The person wants what a task has landed taken back. About the task.
struct UndoWanted {
  static constexpr std::string_view type = "UndoWanted";
  static constexpr Kind kind = Kind::input;
  static constexpr int version = 1;
  static void fields(auto&, auto&&) {}
  bool operator==(const UndoWanted&) const = default;
};

// A Bernstein took over a run that another one left: after a stop, a crash or a cause that has been mended.
struct RunResumed {
  std::string behind;                         // as in RunStarted: another run may have landed meanwhile
  std::string bernstein;                      // version of the one that goes on
  std::optional<UsdMicros> budget_micros;     // from here on, where the person gave a new one
  std::optional<std::int64_t> budget_tokens;  // likewise
  std::string environment;                    // as in RunStarted
  std::int64_t epoch = 0;                     // 2 for the first resume: how many have owned the run
  std::optional<std::uint32_t> max_agents;    // likewise
  std::vector<ArmExperience> policy;          // as in RunStarted, of all runs, this one too
  std::string target_tip;                     // commit that the target stands at

  static constexpr std::string_view type = "RunResumed";
  static constexpr Kind kind = Kind::input;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) {
    field("behind", self.behind);
    field("bernstein", self.bernstein);
    field("budget_micros", self.budget_micros);
    field("budget_tokens", self.budget_tokens);
    field("environment", self.environment);
    field("epoch", self.epoch);
    field("max_agents", self.max_agents);
    field("policy", self.policy);
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

// The agent has made no progress for half of the limit that it has for that (limits.no_progress): no output, no CPU
// time, no change in its worktree. After the whole of it, it is ended.
struct AgentStalled {
  Micros silent_us = 0;

  static constexpr std::string_view type = "AgentStalled";
  static constexpr Kind kind = Kind::input;
  static constexpr int version = 1;
  static void fields(auto& self, auto&& field) { field("silent_us", self.silent_us); }
  bool operator==(const AgentStalled&) const = default;
};
// And after that it did.
struct AgentRecovered {
  static constexpr std::string_view type = "AgentRecovered";
  static constexpr Kind kind = Kind::input;
  static constexpr int version = 1;
  static void fields(auto&, auto&&) {}
  bool operator==(const AgentRecovered&) const = default;
};

}  // namespace bernstein
