#pragma once
// What a run is asked to do, as plain data: tasks, checks, agents and limits. It is read from plan.yaml and
// bernstein.yaml (plan/), recorded in RunStarted and PlanAccepted (event/event.hpp), and never changes after that.
//
// Everything here is canonical: paths and patterns are normalised (base/path.hpp), dependencies are resolved to ids,
// defaults are filled in. What stands in the file is kept beside the run as a blob.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bernstein/base/id.hpp"
#include "bernstein/base/units.hpp"
#include "bernstein/event/agent_spec.hpp"
#include "bernstein/event/fields.hpp"

namespace bernstein {

enum class Scope { small, medium, large, count_ };
BERNSTEIN_ENUM_WORDS(Scope, "small", "medium", "large");

enum class Complexity { low, medium, high, count_ };
BERNSTEIN_ENUM_WORDS(Complexity, "low", "medium", "high");

// What a check looks at. The first three read the candidate's tree; a command runs in a clean checkout of it.
enum class CheckType { path_exists, glob_exists, file_contains, command, count_ };
BERNSTEIN_ENUM_WORDS(CheckType, "path_exists", "glob_exists", "file_contains", "command");

// What agents, checks and setup commands may touch (agent/sandbox.hpp).
enum class SandboxMode { off, automatic, strict, count_ };
BERNSTEIN_ENUM_WORDS(SandboxMode, "off", "auto", "strict");

// One check: a completion signal of a task or a quality gate of the project.
struct CheckSpec {
  std::string command;    // command: run by `sh -c` at the root of the tree; written by the user, never by a model
  std::string contains;   // file_contains: the bytes looked for
  bool flaky = false;     // command: its user knows that it fails now and then; a red is run once more
  std::string name;       // unique within its list; what reports call it: "tests", "path_exists src/a.cpp"
  std::string path;       // path_exists, file_contains: a path; glob_exists: a glob
  Micros timeout_us = 0;  // command: > 0
  CheckType type = CheckType::path_exists;

  static void fields(auto& self, auto&& field) {
    field("command", self.command);
    field("contains", self.contains);
    field("flaky", self.flaky);
    field("name", self.name);
    field("path", self.path);
    field("timeout_us", self.timeout_us);
    field("type", self.type);
  }
  bool operator==(const CheckSpec&) const = default;
};

// One step of a plan.
struct TaskSpec {
  std::string agent;                       // pin: name of an agent; "" leaves it to the router
  std::optional<UsdMicros> budget_micros;  // all its attempts together; nothing: limits.task_cost_micros
  Complexity complexity = Complexity::medium;
  std::vector<TaskId> depends_on;                // ascending; tasks of this plan
  std::vector<std::uint32_t> depends_on_stages;  // ascending; indexes into PlanAccepted::stages
  std::string description;                       // goes into the prompt verbatim; never empty
  std::string effort;                            // pin for agents that know efforts: "", "low", "normal", "high", "max"
  std::uint32_t estimated_minutes = 30;          // >= 1
  std::vector<std::string> files;                // owned: normalised patterns, sorted, unique
  TaskId id;                                     // t1, t2, ... in plan order
  std::string key;                               // the step's `id:` in the file, "" without one
  std::string model;                             // pin: model name or tier word; "" leaves it to the router
  std::optional<TaskId> part_of;                 // the task in whose place it stands, with others
  std::uint32_t priority = 2;                    // 1 (most urgent) to 5
  std::string role = "backend";
  Scope scope = Scope::medium;
  std::vector<CheckSpec> signals;  // in file order
  std::uint32_t stage = 0;         // index into PlanAccepted::stages
  std::string title;               // one line, never empty
  std::optional<TaskId> undoes;    // the landed task whose changes it takes back: no agent works on it

  static void fields(auto& self, auto&& field) {
    field("agent", self.agent);
    field("budget_micros", self.budget_micros);
    field("complexity", self.complexity);
    field("depends_on", self.depends_on);
    field("depends_on_stages", self.depends_on_stages);
    field("description", self.description);
    field("effort", self.effort);
    field("estimated_minutes", self.estimated_minutes);
    field("files", self.files);
    field("id", self.id);
    field("key", self.key);
    field("model", self.model);
    field("part_of", self.part_of);
    field("priority", self.priority);
    field("role", self.role);
    field("scope", self.scope);
    field("signals", self.signals);
    field("stage", self.stage);
    field("title", self.title);
    field("undoes", self.undoes);
  }
  bool operator==(const TaskSpec&) const = default;
};

struct StageSpec {
  std::vector<std::uint32_t> depends_on;  // ascending; indexes of stages, all of whose tasks must land first
  std::string name;                       // unique in the plan
  std::uint32_t tasks = 0;                // how many tasks it has, >= 1

  static void fields(auto& self, auto&& field) {
    field("depends_on", self.depends_on);
    field("name", self.name);
    field("tasks", self.tasks);
  }
  bool operator==(const StageSpec&) const = default;
};

// One choice of the router: an agent with one of its models. Written "agent/tier".
struct Arm {
  std::string agent;
  std::string model;
  std::string tier;

  static void fields(auto& self, auto&& field) {
    field("agent", self.agent);
    field("model", self.model);
    field("tier", self.tier);
  }
  bool operator==(const Arm&) const = default;
};
inline std::string to_string(const Arm& arm) {
  return arm.agent + "/" + arm.tier;
}

// What has been learnt about an arm, as sums over its rewarded attempts (bandit/policy.hpp). x is the context of an
// attempt's route (bandit/features.hpp), r its reward.
struct ArmExperience {
  std::string agent;
  std::int64_t completions = 0;    // rewarded attempts
  UsdMicros cost_micros;           // known or presumed
  std::vector<std::int64_t> gram;  // Σ x·xᵀ in millionths, its upper triangle by rows; empty without completions
  std::string model;
  std::vector<std::int64_t> moment;  // Σ r·x in thousand-millionths; empty without completions
  std::int64_t reward_ppm = 0;       // Σ r

  static void fields(auto& self, auto&& field) {
    field("agent", self.agent);
    field("completions", self.completions);
    field("cost_micros", self.cost_micros);
    field("gram", self.gram);
    field("model", self.model);
    field("moment", self.moment);
    field("reward_ppm", self.reward_ppm);
  }
  bool operator==(const ArmExperience&) const = default;
};

// Who chooses an arm (decide/router.hpp).
enum class RoutingMode {
  static_,  // the cascade
  bandit,   // LinUCB, once there is enough experience
  shadow,   // the cascade; what LinUCB would choose is recorded beside it
  count_
};
BERNSTEIN_ENUM_WORDS(RoutingMode, "static", "bandit", "shadow");

struct RoutingRules {
  std::int64_t alpha_ppm = 200'000;   // how much the unknown draws, >= 0 (bandit/linucb.hpp)
  std::int64_t explore_ppm = 20'000;  // 0 to 1,000,000: part of the bandit's choices that is spread evenly
  RoutingMode mode = RoutingMode::static_;
  std::int64_t ridge_ppm = 4'000'000;  // > 0
  std::uint32_t warmup = 50;           // completions before the bandit may choose

  static void fields(auto& self, auto&& field) {
    field("alpha_ppm", self.alpha_ppm);
    field("explore_ppm", self.explore_ppm);
    field("mode", self.mode);
    field("ridge_ppm", self.ridge_ppm);
    field("warmup", self.warmup);
  }
  bool operator==(const RoutingRules&) const = default;
};

// A role's pin: which agent or model works on tasks of that role. "" leaves that part to the router.
struct RolePolicy {
  std::string agent;
  std::string model;

  static void fields(auto& self, auto&& field) {
    field("agent", self.agent);
    field("model", self.model);
  }
  bool operator==(const RolePolicy&) const = default;
};

struct WorktreeSetup {
  std::string command;                  // run by `sh -c` in a new worktree before the agent; "" for none
  std::vector<std::string> copy_files;  // normalised paths, copied from the user's checkout where they exist
  // Patterns of the files that its result follows from; nothing: the usual lock files. An empty list: it always runs.
  std::optional<std::vector<std::string>> inputs;
  std::vector<std::string> symlink_dirs;  // normalised paths, linked to the user's checkout where they exist

  static void fields(auto& self, auto&& field) {
    field("command", self.command);
    field("copy_files", self.copy_files);
    field("inputs", self.inputs);
    field("symlink_dirs", self.symlink_dirs);
  }
  bool operator==(const WorktreeSetup&) const = default;
};

// Who makes a plan out of a goal, and smaller tasks out of one that failed.
struct PlannerSpec {
  std::string agent;
  std::string model;

  static void fields(auto& self, auto&& field) {
    field("agent", self.agent);
    field("model", self.model);
  }
  bool operator==(const PlannerSpec&) const = default;
};

struct Limits {
  Micros adopt_timeout_us = 15 * k_minute;  // so long agents and checks go on when no Bernstein is there
  Micros agent_timeout_us = 30 * k_minute;
  std::uint32_t attempts = 3;  // per task, >= 1
  std::uint32_t breaker = 3;   // an agent that crashed on so many tasks in a row is left alone; 0: never
  Micros check_timeout_us = 10 * k_minute;
  std::int64_t file_bytes = 0;  // > 0: no file that an agent or a check writes may be larger
  Micros no_progress_us = 5 * k_minute;
  std::uint32_t planned_tasks = 100;          // at most, in a plan that a model wrote; >= 1
  Micros planner_timeout_us = 15 * k_minute;  // of one session of the planner
  std::int64_t processes = 0;                 // > 0: so many may the user have when they start one more; not for root
  std::uint32_t quota_attempts = 20;          // per task that ended because its agent may not work; >= 1
  Micros quota_wait_us =
      30 * k_second;           // so long such an agent is left alone; doubled each time, unless it says until when
  std::optional<UsdMicros>
      task_cost_micros;  // all attempts of a task together, unless it says itself; nothing: no limit
  Micros trial_us = k_minute;  // so long the first session after that has to work before others follow

  static void fields(auto& self, auto&& field) {
    field("adopt_timeout_us", self.adopt_timeout_us);
    field("agent_timeout_us", self.agent_timeout_us);
    field("attempts", self.attempts);
    field("breaker", self.breaker);
    field("check_timeout_us", self.check_timeout_us);
    field("file_bytes", self.file_bytes);
    field("no_progress_us", self.no_progress_us);
    field("planned_tasks", self.planned_tasks);
    field("planner_timeout_us", self.planner_timeout_us);
    field("processes", self.processes);
    field("quota_attempts", self.quota_attempts);
    field("quota_wait_us", self.quota_wait_us);
    field("task_cost_micros", self.task_cost_micros);
    field("trial_us", self.trial_us);
  }
  bool operator==(const Limits&) const = default;
};

// merge: a commit with two parents, the target and the attempt's. squash: one parent, the target; the attempt's own
// commits stay under its salvage ref.
enum class LandingMethod { merge, squash, count_ };
BERNSTEIN_ENUM_WORDS(LandingMethod, "merge", "squash");

// How what passed its checks comes onto the target (decide/landing.hpp).
struct LandingRules {
  std::uint32_t batch = 0;               // how many candidates one check may stand for; 0: by the measured failure rate
  std::vector<std::string> check_files;  // patterns: what an attempt changes there is left out unless its task owns it
  std::uint32_t max_checks = 1;          // candidates that are checked at once; >= 1
  LandingMethod method = LandingMethod::merge;
  bool skip_intermediate = false;        // a green batch lands although its inner commits were not checked one by one
  std::vector<std::string> union_files;  // patterns: where both sides add lines, both are kept

  static void fields(auto& self, auto&& field) {
    field("batch", self.batch);
    field("check_files", self.check_files);
    field("max_checks", self.max_checks);
    field("method", self.method);
    field("skip_intermediate", self.skip_intermediate);
    field("union_files", self.union_files);
  }
  bool operator==(const LandingRules&) const = default;
};

// Everything that decide/ may depend on beside the plan and the results.
struct RunConfig {
  std::vector<AgentSpec> agents;              // sorted by name
  bool approve_merge = false;                 // nothing lands before LandingApproved
  bool approve_plan = false;                  // nothing starts before PlanApproved
  std::vector<Arm> arms;                      // what the router may choose from; cheapest first; at least one
  std::optional<UsdMicros> budget_micros;     // nothing: no limit
  std::optional<std::int64_t> budget_tokens;  // input and output, without what a cache gave; nothing: no limit
  std::vector<std::string> constraints;       // sentences for every prompt
  std::vector<std::string> context_files;     // normalised paths named in every prompt
  std::vector<CheckSpec> gates;               // run on every candidate, in file order
  LandingRules landing;
  Limits limits;
  std::uint32_t max_agents = 4;        // >= 1
  std::optional<PlannerSpec> planner;  // nothing: no goal, and a task that failed is not split
  std::map<std::string, RolePolicy> role_policy;
  std::map<std::string, std::string>
      roles;  // what tasks of a role are told, for the roles that the plan has or may get
  std::map<std::string, std::uint32_t> role_slots;  // at most so many tasks of a role at once
  RoutingRules routing;
  SandboxMode sandbox = SandboxMode::automatic;  // wanted; what an agent got is in its AgentStarted
  WorktreeSetup worktree_setup;

  static void fields(auto& self, auto&& field) {
    field("agents", self.agents);
    field("approve_merge", self.approve_merge);
    field("approve_plan", self.approve_plan);
    field("arms", self.arms);
    field("budget_micros", self.budget_micros);
    field("budget_tokens", self.budget_tokens);
    field("constraints", self.constraints);
    field("context_files", self.context_files);
    field("gates", self.gates);
    field("landing", self.landing);
    field("limits", self.limits);
    field("max_agents", self.max_agents);
    field("planner", self.planner);
    field("role_policy", self.role_policy);
    field("role_slots", self.role_slots);
    field("roles", self.roles);
    field("routing", self.routing);
    field("sandbox", self.sandbox);
    field("worktree_setup", self.worktree_setup);
  }
  bool operator==(const RunConfig&) const = default;
};

}  // namespace bernstein
