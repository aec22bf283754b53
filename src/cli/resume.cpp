// resume: goes on with a run that was stopped, paused, or left by a crash.

#include <csignal>
#include <ostream>

#include "anchors.hpp"
#include "app.hpp"
#include "bernstein/base/text.hpp"
#include "bernstein/cli/commands.hpp"
#include "bernstein/decide/decide.hpp"
#include "bernstein/run/loop.hpp"
#include "check_environment.hpp"
#include "drive.hpp"
#include "fold.hpp"
#include "names.hpp"
#include "open_workspace.hpp"
#include "policy.hpp"
#include "print.hpp"
#include "program.hpp"
#include "resume.hpp"
#include "run_json.hpp"
#include "sandbox.hpp"
#include "signal_owner.hpp"

namespace bernstein::cli {
namespace {

Result<std::optional<UsdMicros>> read_budget(const std::string& typed) {
  if (typed.empty()) return std::optional<UsdMicros>();
  const std::optional<UsdMicros> amount = parse_usd(typed);
  if (amount && *amount > UsdMicros{}) return amount;
  return Error{ErrorCode::invalid_input,
               "--budget: '" + typed + "' is not an amount of US dollars; write it like 15 or $0.50"};
}

Result<std::optional<std::int64_t>> read_budget_tokens(const std::string& typed) {
  if (typed.empty()) return std::optional<std::int64_t>();
  const std::optional<std::int64_t> amount = parse_tokens(typed);
  if (amount && *amount > 0) return amount;
  return Error{ErrorCode::invalid_input,
               "--budget-tokens: '" + typed + "' is not a number of tokens; write it like 5M, 150k or 2000000"};
}

// A goal without a plan can be planned for once more.
bool is_at_its_end(const RunState& state) {
  return state.finished && state.plan &&
         (state.finished->outcome == RunOutcome::landed || state.finished->outcome == RunOutcome::incomplete);
}

Exit tell_end(Context& context, const Picture& picture) {
  const RunState& state = picture.state;
  (context.json ? context.err : context.out)
      << to_string(state.run) << " has ended: " << printable_utf8(state.finished->why)
      << "; nothing is left to resume\n";
  if (context.json) context.out << run_json(state, picture.tally.events, "") << '\n';
  return state.finished->outcome == RunOutcome::landed ? Exit::done : Exit::incomplete;
}

Status check_rules(const RunState& state) {
  if (state.started->rules == k_rules_version) return Ok{};
  return Error{ErrorCode::environment,
               to_string(state.run) + " is decided by version " + std::to_string(state.started->rules) +
                   " of the rules, and this Bernstein has " + std::to_string(k_rules_version) +
                   ": go on with Bernstein " + state.started->bernstein + ", or start a new run"};
}

// `bernstein approve r3` of a run whose plan may start already, or that asked nobody.
Error waits_for_nobody(const RunState& state) {
  const std::string run = to_string(state.run);
  for (AttemptId id : state.held) {
    if (attempt_of(state, id).held->reason != Hold::approval) continue;
    return {ErrorCode::invalid_input, "the plan of " + run + " waits for no approval, but what " + to_string(id.task) +
                                          " has done does: `bernstein approve " + run + "/" + to_string(id.task) +
                                          "` lands it"};
  }
  return {ErrorCode::invalid_input, run + " waits for no approval; `bernstein resume " + run + "` goes on with it"};
}

// A paused run has its owner still: it is told to go on.
Result<Exit> wake(Context& context, const Home& home, const store::Owner& owner, const ResumeOptions& options) {
  BERNSTEIN_TRY(const RunId run, find_run(*home.reader, options.run, std::nullopt));
  if (owner.run != to_string(run)) {
    return Error{ErrorCode::busy, to_string(run) + " has to wait: another Bernstein is at work on " +
                                      (owner.run.empty() ? "this workspace" : owner.run) + ", process " +
                                      std::to_string(owner.pid) +
                                      "; resume it when that one is done, or end that one "
                                      "with `bernstein stop`"};
  }
  BERNSTEIN_TRY(const Picture picture, take_picture(*home.reader, run, std::nullopt));
  if (options.approve) {
    return Error{ErrorCode::busy, to_string(run) + " is at work: process " + std::to_string(owner.pid) +
                                      "; when its plan waits for a look, it ends and says so, and then `bernstein "
                                      "approve` starts it"};
  }
  if (!picture.state.paused)
    return Error{ErrorCode::busy,
                 "another Bernstein is at work on this workspace already: process " + std::to_string(owner.pid)};
  if (options.max_agents || !options.budget.empty() || !options.budget_tokens.empty()) {
    return Error{ErrorCode::invalid_input, to_string(run) +
                                               " is paused, and its owner keeps its limits: `bernstein stop`"
                                               " it first, then resume it with new ones"};
  }
  BERNSTEIN_TRY_VOID(signal_owner(home, SIGUSR2, "RunContinued"));
  if (context.json) context.out << R"({"asked":"continue","run":")" << to_string(run) << "\"}\n";
  (context.json ? context.err : context.out) << to_string(run) << " goes on, where it was started\n";
  return Exit::done;
}

}  // namespace

Result<Exit> resume_command(Context& context, const ResumeOptions& options) {
  BERNSTEIN_TRY(const Home home, open_workspace(context));
  if (const auto owner = owner_of(home)) return wake(context, home, *owner, options);
  BERNSTEIN_TRY(const Place place, find_place(home.root));
  BERNSTEIN_TRY(Tenure tenure, take_ownership(context, place));
  return go_on(context, tenure, options);
}

Result<Exit> go_on(Context& context, Tenure& tenure, const ResumeOptions& options,
                   const std::vector<run::Wish>& wanted) {
  const Place& place = tenure.place;
  BERNSTEIN_TRY(const RunId run, find_run(*tenure.log, options.run, std::nullopt));
  BERNSTEIN_TRY_VOID(tenure.lock->work_on(to_string(run)));
  BERNSTEIN_TRY(Picture picture, take_picture(*tenure.log, run, std::nullopt));
  std::vector<Draft> wishes;
  for (const run::Wish& wish : wanted) {
    BERNSTEIN_TRY(Draft draft, run::draft_of(picture.state, wish));
    wishes.push_back(std::move(draft));
  }
  BERNSTEIN_TRY_VOID(renew_anchor(*tenure.workspace, *tenure.log, run));
  if (wanted.empty() && is_at_its_end(picture.state)) return tell_end(context, picture);
  BERNSTEIN_TRY_VOID(check_rules(picture.state));
  if (options.approve) {
    if (!awaits_approval(picture.state)) return waits_for_nobody(picture.state);
    wishes.push_back({about_run(), PlanApproved{}});
  }
  for (const auto& [other, living] : living_commands(place.sdd)) {
    if (other == to_string(run)) continue;
    return Error{ErrorCode::environment, other + " was left with " + counted_commands(living) +
                                             " at work: resume that one first, or end them with `bernstein stop`"};
  }
  const RunConfig& config = config_of(picture.state);
  if (const auto missing = missing_programs(config.agents, context.environment, place.root); !missing.empty()) {
    return Error{ErrorCode::environment, join(missing, "\n")};
  }
  BERNSTEIN_TRY(ChosenSandbox chosen, choose_sandbox(context, place, config.sandbox, config.agents));
  if (!chosen.note.empty()) context.err << "note: " << chosen.note << '\n' << std::flush;
  BERNSTEIN_TRY(const std::string behind, checkout_left_at(*tenure.log, picture.state.started->target));
  RunResumed resumed{.behind = behind, .bernstein = version(), .max_agents = options.max_agents};
  BERNSTEIN_TRY(resumed.budget_micros, read_budget(options.budget));
  BERNSTEIN_TRY(resumed.budget_tokens, read_budget_tokens(options.budget_tokens));
  const Result<std::string> tip = tenure.workspace->tip(picture.state.started->target);
  if (!tip) return tip.error().code == ErrorCode::not_found ? run::target_is_gone(picture.state) : tip.error();
  resumed.target_tip = *tip;
  resumed.environment = digest_of(gather_check_environment(context, place, config.worktree_setup, chosen.sandbox.mode));
  BERNSTEIN_TRY(const Policy learnt, learnt_policy(*tenure.log, config.routing.ridge_ppm));
  resumed.policy = experiences_for(config, learnt);
  return drive(context, tenure, {.plain = options.plain, .before = std::move(picture.tally), .sandbox = chosen.sandbox},
               [&](run::Loop& loop) { return loop.resume(run, resumed, std::move(wishes)); });
}

}  // namespace bernstein::cli
