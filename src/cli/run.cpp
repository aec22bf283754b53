// run: everything that a run needs is found and checked; then .sdd is made, and the run is driven to its end.

#include <algorithm>
#include <iostream>
#include <optional>
#include <ostream>
#include <random>

#include "anchors.hpp"
#include "app.hpp"
#include "bernstein/agent/secrets.hpp"
#include "bernstein/base/text.hpp"
#include "bernstein/cli/commands.hpp"
#include "bernstein/decide/decide.hpp"
#include "bernstein/run/loop.hpp"
#include "check_environment.hpp"
#include "drive.hpp"
#include "dry_run.hpp"
#include "inputs.hpp"
#include "known_agents.hpp"
#include "leftovers.hpp"
#include "open_workspace.hpp"
#include "place.hpp"
#include "policy.hpp"
#include "print.hpp"
#include "program.hpp"
#include "resume.hpp"
#include "sandbox.hpp"
#include "settings.hpp"

namespace bernstein::cli {
namespace {

// All that is decided before anything is made.
struct Prepared {
  Place place;
  Landing landing;
  std::string goal;       // "": there is a plan
  PlanAccepted plan;      // but for its source
  std::string plan_text;  // of the file
  std::vector<std::string> warnings;
  Settings settings;
  agent::Sandbox sandbox;
};

constexpr std::size_t k_goal_bytes_max = 64 << 10;

using PrepareResult = std::variant<Prepared, Refusal>;

Refusal refusal_of(const Error& error) {
  return {.exit = exit_for(error.code), .reasons = {error.message}};
}

// What a person pasted into the files would else be in the log for good.
void redact(Prepared& prepared, const Context& context) {
  const Secrets secrets = agent::secrets_of(prepared.settings.config.agents, context.environment);
  prepared.plan_text = Redactor(secrets).redact(prepared.plan_text);
  prepared.goal = Redactor(secrets).redact(prepared.goal);
  for (const std::string& name : agent::redact_inputs(secrets, prepared.settings.config, prepared.plan)) {
    prepared.warnings.push_back("the value of " + name +
                                " stands in the plan or in bernstein.yaml: it is kept and sent as [redacted " + name +
                                "]; take it out there, its agent gets it by `env`");
  }
}

// What the person typed, or gives on standard input; "" when there is a plan.
Result<std::string> read_goal(const RunOptions& options) {
  std::string goal = options.goal;
  if (goal == "-") {
    BERNSTEIN_TRY(goal, read_text("-", k_goal_bytes_max));
  }
  if (goal.size() > k_goal_bytes_max) {
    return Error{ErrorCode::invalid_input,
                 "the goal is longer than " + std::to_string(k_goal_bytes_max >> 10) +
                     " KiB; put the details into a file of the repository and name that in it"};
  }
  if (!options.goal.empty() && trim(goal).empty()) return Error{ErrorCode::invalid_input, "the goal is empty"};
  return printable_utf8(goal);
}

PrepareResult prepare(const Context& context, const RunOptions& options) {
  Result<std::string> goal = read_goal(options);
  if (!goal) return refusal_of(goal.error());
  if (!goal->empty() && options.dry_run) {
    return Refusal{.reasons = {"--dry-run shows what a plan would do, and a goal has none yet; use --approve plan: "
                               "then the plan is made, shown, and nothing starts"}};
  }
  // The files come first: their faults are the person's next step even where the repository is not ready either.
  Result<Place> place = find_place(context.directory);
  KnownAgents known = known_agents(context, place ? place->root : context.directory);
  std::vector<std::string> names;
  for (const AgentSpec& agent : known.specs) names.push_back(agent.name);
  InputResult read = read_inputs({.directory = context.directory,
                                  .plan_file = options.plan_file,
                                  .root = place ? place->worktree : context.directory,
                                  .built_in = names,
                                  .agent_is_given = !options.agent.empty()});
  if (auto* refusal = std::get_if<Refusal>(&read)) return *refusal;
  Inputs& inputs = std::get<Inputs>(read);
  if (!place) return refusal_of(place.error());
  Result<Landing> landing = find_landing(*place, options.target);
  if (!landing) return refusal_of(landing.error());

  known.automatic = automatic_agents(context, place->root, inputs.config);
  MergeResult merged = merge_settings(inputs.config, inputs.plan, options, known);
  if (auto* refusal = std::get_if<Refusal>(&merged)) return *refusal;
  Settings& settings = std::get<Settings>(merged);
  if (!options.dry_run) {
    const std::vector<std::string> missing = missing_programs(settings.config.agents, context.environment, place->root);
    if (!missing.empty()) return Refusal{.exit = Exit::environment, .reasons = missing};
  }
  ChosenSandbox chosen;
  if (!options.dry_run) {
    Result<ChosenSandbox> tried = choose_sandbox(context, *place, settings.config.sandbox, settings.config.agents);
    if (!tried) return refusal_of(tried.error());
    chosen = std::move(*tried);
    if (!chosen.note.empty()) settings.notes.push_back(chosen.note);
  }
  Prepared prepared{.place = std::move(*place),
                    .landing = std::move(*landing),
                    .goal = std::move(*goal),
                    .plan = {.name = std::move(inputs.plan.name),
                             .source = {},
                             .stages = std::move(inputs.plan.stages),
                             .tasks = std::move(inputs.plan.tasks)},
                    .plan_text = std::move(inputs.plan_text),
                    .warnings = std::move(inputs.warnings),
                    .settings = std::move(settings),
                    .sandbox = std::move(chosen.sandbox)};
  redact(prepared, context);
  return prepared;
}

std::uint64_t new_seed() {
  std::random_device device;
  const std::uint64_t high = device();
  return ((high << 32) | device()) & ((std::uint64_t{1} << 53) - 1);
}

// Names of checks that earlier runs found flaky.
Result<std::vector<std::string>> flaky_checks(port::EventReader& log) {
  BERNSTEIN_TRY(const port::Table table, log.query("SELECT DISTINCT name FROM flaky_checks ORDER BY name"));
  std::vector<std::string> names;
  for (const auto& row : table.rows) names.push_back(row.front().text);
  return names;
}

RunStarted started_of(const Prepared& prepared, const RunOptions& options, const std::string& behind) {
  const std::string& name = prepared.plan.name;
  return {.behind = behind,
          .bernstein = version(),
          .config = prepared.settings.config,
          .goal = !prepared.goal.empty() ? prepared.goal
                  : name.empty()         ? options.plan_file
                                         : name,
          .rules = k_rules_version,
          .seed = options.seed ? *options.seed : new_seed(),
          .target = prepared.landing.target,
          .target_tip = prepared.landing.tip};
}

PlanAccepted accepted_of(const Prepared& prepared, const std::string& source) {
  PlanAccepted plan = prepared.plan;
  plan.source = source;
  return plan;
}

void tell_notes(Context& context, const Prepared& prepared) {
  for (const std::string& warning : prepared.warnings) context.err << "warning: " << printable_utf8(warning) << '\n';
  for (const std::string& note : prepared.place.notes) context.err << "note: " << note << '\n';
  for (const std::string& note : prepared.settings.notes) context.err << "note: " << note << '\n';
  context.err.flush();
}

// Agents of an earlier run would go on for as long as we own the workspace: nobody could tell them to end.
Status refuse_beside_others(const Place& place) {
  for (const auto& [run, living] : living_commands(place.sdd)) {
    return Error{ErrorCode::environment, run + " was left with " + counted_commands(living) +
                                             " at work: go on with `bernstein resume " + run +
                                             "`, or end them with `bernstein stop`"};
  }
  return Ok{};
}

Status tell_unfinished(Context& context, port::EventReader& log) {
  BERNSTEIN_TRY(const port::Table table,
                log.query("SELECT run FROM runs WHERE outcome = 'running' ORDER BY started_us"));
  for (const auto& row : table.rows) {
    const std::string& run = row.front().text;
    context.err << "note: " << run << " never came to its end; `bernstein resume " << run << "` goes on with it\n";
  }
  context.err.flush();
  return Ok{};
}

// The person at the terminal, asked whether the plan that was just shown may start.
bool is_approved_now(Context& context, port::EventReader& log, RunId run) {
  if (!context.in_is_terminal || !context.err_is_terminal || context.json) return false;
  const Result<RunState> state = run::load_state(log, run);
  if (!state || !state->finished || !awaits_approval(*state)) return false;
  context.err << "Start it? [y/N] " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes" || answer == "Yes";
}

Result<Exit> carry_out(Context& context, const Prepared& prepared, const RunOptions& options) {
  BERNSTEIN_TRY_VOID(make_sdd(prepared.place.sdd));
  BERNSTEIN_TRY(Tenure tenure, take_ownership(context, prepared.place));
  BERNSTEIN_TRY_VOID(refuse_beside_others(prepared.place));
  BERNSTEIN_TRY_VOID(tell_unfinished(context, *tenure.log));
  BERNSTEIN_TRY(const port::LogHead head, tenure.log->head());
  if (head.last_seq > 0) BERNSTEIN_TRY_VOID(renew_anchor(*tenure.workspace, *tenure.log, head.last_run));
  BERNSTEIN_TRY(const RunId anchored, last_anchored(*tenure.workspace, head.last_run));
  const RunId taken = std::max(anchored, last_run_on_disk(prepared.place.sdd));
  const RunId run{taken.number + 1};
  BERNSTEIN_TRY_VOID(tenure.lock->work_on(to_string(run)));
  if (taken > head.last_run) {
    context.err << "warning: the log ends with " << to_string(head.last_run)
                << ", and there are anchors or worktrees up to " << to_string(taken)
                << ": state.db was lost or replaced. What they hold is left alone, and this run is " << to_string(run)
                << '\n'
                << std::flush;
  }
  std::variant<PlanAccepted, PlanWanted> work = PlanWanted{};
  if (prepared.goal.empty()) {
    BERNSTEIN_TRY(const std::string source, tenure.blobs->put(prepared.plan_text));
    work = accepted_of(prepared, source);
  }
  BERNSTEIN_TRY(const std::string behind, checkout_left_at(*tenure.log, prepared.landing.target));
  RunStarted started = started_of(prepared, options, behind);
  started.environment = digest_of(gather_check_environment(
      context, prepared.place, prepared.settings.config.worktree_setup, prepared.sandbox.mode));
  BERNSTEIN_TRY(started.flaky, flaky_checks(*tenure.log));
  BERNSTEIN_TRY(const Policy learnt, learnt_policy(*tenure.log, started.config.routing.ridge_ppm));
  started.policy = experiences_for(started.config, learnt);
  BERNSTEIN_TRY(const Exit exit,
                drive(context, tenure, {.plain = options.plain, .before = {}, .sandbox = prepared.sandbox},
                      [&](run::Loop& loop) { return loop.start(started, std::move(work), taken); }));
  if (exit != Exit::stopped || !options.approve_plan) return exit;
  tenure.reactor.reset();  // whoever is asked can leave by Ctrl-C, and nothing of the run before reaches the next
  if (!is_approved_now(context, *tenure.log, run)) return exit;
  tenure.reactor = open_reactor(context);
  return go_on(context, tenure, {.run = to_string(run), .plain = options.plain, .approve = true});
}

}  // namespace

Result<Exit> run_command(Context& context, const RunOptions& options) {
  PrepareResult prepared = prepare(context, options);
  if (auto* refusal = std::get_if<Refusal>(&prepared)) {
    print_error(context, join(refusal->reasons, "\n"));
    return refusal->exit;
  }
  const Prepared& ready = std::get<Prepared>(prepared);
  tell_notes(context, ready);
  if (options.dry_run) {
    for (const std::string& missing :
         missing_programs(ready.settings.config.agents, context.environment, ready.place.root)) {
      context.err << "warning: " << missing << '\n';
    }
    RunStarted started = started_of(ready, options, "");
    if (const Result<Home> home = open_workspace(context)) {
      if (const Result<Policy> learnt = learnt_policy(*home->reader, started.config.routing.ridge_ppm))
        started.policy = experiences_for(started.config, *learnt);
    }
    return dry_run(context, started, accepted_of(ready, ""));
  }
  return carry_out(context, ready, options);
}

}  // namespace bernstein::cli
