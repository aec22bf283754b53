#pragma once
// The commands, one function each: options in, exit code out. What they print is in docs/cli.md; an Error is printed by
// main as one line and becomes the exit code of its kind.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bernstein/base/id.hpp"
#include "bernstein/cli/context.hpp"
#include "bernstein/event/fields.hpp"

namespace bernstein::cli {

enum class CostBy { model, role, agent, task, run, day, count_ };

}  // namespace bernstein::cli

namespace bernstein {
BERNSTEIN_ENUM_WORDS(cli::CostBy, "model", "role", "agent", "task", "run", "day");
}  // namespace bernstein

namespace bernstein::cli {

struct RunOptions {
  std::string plan_file;       // relative to context.directory; "-" reads standard input; "" with a goal
  std::string goal;            // that the planner is to make a plan for; "-" reads standard input; "" with a plan
  bool approve_plan = false;   // nothing starts before `bernstein approve`
  bool approve_merge = false;  // nothing lands before it
  bool dry_run = false;
  std::optional<std::uint32_t> max_agents;
  std::string budget;  // of money and of tokens, as typed; "" for none
  std::string budget_tokens;
  std::string agent;
  std::string model;
  std::string target;  // branch name; "" for the one that is checked out
  std::optional<std::uint64_t> seed;
  bool plain = false;  // lines instead of a display that changes in place
};
Result<Exit> run_command(Context& context, const RunOptions& options);

struct ResumeOptions {
  std::string run;
  std::optional<std::uint32_t> max_agents;  // from here on
  std::string budget;                       // likewise; as typed, "" for the one it has
  std::string budget_tokens;                // likewise
  bool plain = false;
  bool approve = false;  // its plan, which waits for that
};
Result<Exit> resume_command(Context& context, const ResumeOptions& options);

// What a person wants of tasks, whether or not a Bernstein is at work on their run. `approve` of nothing or of a run
// ("r3") is about the plan.
struct ActOptions {
  std::vector<std::string> tasks;  // as typed: "t4", "r3/t4", a step's `id:`; all of one run
  bool plain = false;
};
Result<Exit> approve_command(Context& context, const ActOptions& options);
Result<Exit> retry_command(Context& context, const ActOptions& options);
Result<Exit> undo_command(Context& context, const ActOptions& options);

struct StopOptions {
  bool now = false;  // leave at once; agents and checks go on
};
Result<Exit> stop_command(Context& context, const StopOptions& options);
Result<Exit> pause_command(Context& context);

Result<Exit> init_command(Context& context);

struct DemoOptions {
  bool keep = false;  // the temporary repository stays
};
Result<Exit> demo_command(Context& context, const DemoOptions& options);

// RUN as typed ("r3", "3", "latest" or ""); TASK as typed ("t4", "r3/t4", "t4.2").
struct LookOptions {
  std::string run;
  std::string task;
  std::optional<Seq> at;  // as things stood after that event
};
Result<Exit> status_command(Context& context, const LookOptions& options);
Result<Exit> events_command(Context& context, const LookOptions& options);
Result<Exit> why_command(Context& context, const LookOptions& options);
Result<Exit> diff_command(Context& context, const LookOptions& options);
Result<Exit> logs_command(Context& context, const LookOptions& options);

struct CostOptions {
  std::string run;   // "": the latest, or all where rows are by run or by day
  bool all = false;  // all runs; with `run` that is refused
  CostBy by = CostBy::model;
  std::optional<Seq> at;  // as things stood after that event
};
Result<Exit> cost_command(Context& context, const CostOptions& options);

struct ReplayOptions {
  std::string run;
  Seq until = 0;  // 0: all
};
Result<Exit> replay_command(Context& context, const ReplayOptions& options);

struct AuditOptions {
  std::string run;  // "" for the whole log
};
Result<Exit> audit_command(Context& context, const AuditOptions& options);

struct AgentsOptions {
  bool probe = false;  // ask each client whether somebody is logged in
};
Result<Exit> agents_command(Context& context, const AgentsOptions& options);

struct DoctorOptions {
  bool probe = false;  // also what takes longer: each client's own word, its flags, and the gates
};
Result<Exit> doctor_command(Context& context, const DoctorOptions& options);

struct SqlOptions {
  std::string query;
  bool csv = false;
};
Result<Exit> sql_command(Context& context, const SqlOptions& options);

struct CleanOptions {
  bool dry_run = false;
};
Result<Exit> clean_command(Context& context, const CleanOptions& options);

}  // namespace bernstein::cli
