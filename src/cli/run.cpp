// run: everything that a run needs is found and checked; then .sdd is made, the lock taken, and the loop runs.

#include <sys/ioctl.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <random>

#include "app.hpp"
#include "bernstein/agent/script.hpp"
#include "bernstein/base/text.hpp"
#include "bernstein/cli/commands.hpp"
#include "bernstein/decide/decide.hpp"
#include "bernstein/proc/reactor.hpp"
#include "bernstein/run/loop.hpp"
#include "bernstein/store/store.hpp"
#include "dry_run.hpp"
#include "inputs.hpp"
#include "place.hpp"
#include "program.hpp"
#include "progress.hpp"
#include "recap.hpp"
#include "run_json.hpp"
#include "sandbox.hpp"
#include "settings.hpp"

namespace bernstein::cli {
namespace {

// All that is decided before anything is made.
struct Prepared {
  Place place;
  Landing landing;
  Inputs inputs;
  Settings settings;
  agent::Sandbox sandbox;
};

using PrepareResult = std::variant<Prepared, Refusal>;

Refusal refusal_of(const Error& error) {
  return {.exit = exit_for(error.code), .reasons = {error.message}};
}

PrepareResult prepare(const Context& context, const RunOptions& options) {
  // The files come first: their faults are the person's next step even where the repository is not ready either.
  Result<Place> place = find_place(context.directory);
  InputResult read = read_inputs({.directory = context.directory,
                                  .plan_file = options.plan_file,
                                  .root = place ? place->worktree : context.directory});
  if (auto* refusal = std::get_if<Refusal>(&read)) return *refusal;
  Inputs& inputs = std::get<Inputs>(read);
  if (!place) return refusal_of(place.error());
  Result<Landing> landing = find_landing(*place, options.target);
  if (!landing) return refusal_of(landing.error());

  MergeResult merged =
      merge_settings(inputs.config, inputs.plan, options, {agent::scripted_agent_spec(context.program)});
  if (auto* refusal = std::get_if<Refusal>(&merged)) return *refusal;
  Settings& settings = std::get<Settings>(merged);
  if (!options.dry_run) {
    const std::vector<std::string> missing = missing_programs(settings.config.agents, context.environment, place->root);
    if (!missing.empty()) return Refusal{.exit = Exit::environment, .reasons = missing};
  }
  ChosenSandbox chosen;
  if (!options.dry_run) {
    Result<ChosenSandbox> tried = choose_sandbox(context, *place, inputs.config.sandbox, settings.config.agents);
    if (!tried) return refusal_of(tried.error());
    chosen = std::move(*tried);
    if (!chosen.note.empty()) settings.notes.push_back(chosen.note);
  }
  return Prepared{std::move(*place), std::move(*landing), std::move(inputs), std::move(settings),
                  std::move(chosen.sandbox)};
}

std::uint64_t new_seed() {
  std::random_device device;
  const std::uint64_t high = device();
  return ((high << 32) | device()) & ((std::uint64_t{1} << 53) - 1);
}

RunStarted started_of(const Prepared& prepared, const RunOptions& options) {
  const plan::Plan& plan = prepared.inputs.plan;
  return {.bernstein = version(),
          .config = prepared.settings.config,
          .goal = plan.name.empty() ? options.plan_file : plan.name,
          .rules = k_rules_version,
          .seed = options.seed ? *options.seed : new_seed(),
          .target = prepared.landing.target,
          .target_tip = prepared.landing.tip};
}

PlanAccepted accepted_of(const Prepared& prepared, const std::string& source) {
  const plan::Plan& plan = prepared.inputs.plan;
  return {.name = plan.name, .source = source, .stages = plan.stages, .tasks = plan.tasks};
}

void tell_notes(Context& context, const Prepared& prepared) {
  for (const std::string& warning : prepared.inputs.warnings)
    context.err << "warning: " << printable_utf8(warning) << '\n';
  for (const std::string& note : prepared.place.notes) context.err << "note: " << note << '\n';
  for (const std::string& note : prepared.settings.notes) context.err << "note: " << note << '\n';
  context.err.flush();
}

// Runs that nobody brought to their end: a crash, a lost machine.
Status tell_unfinished(Context& context, port::EventReader& log) {
  BERNSTEIN_TRY(const port::Table table, log.query("SELECT run FROM runs WHERE outcome IS NULL ORDER BY started_us"));
  for (const auto& row : table.rows) {
    const std::string& run = row.front().text;
    context.err << "note: " << run << " never came to its end; what landed has landed, the work of its agents is under "
                << "refs/bernstein/salvage/" << run << " or in .sdd/worktrees (bernstein status " << run << ")\n";
  }
  context.err.flush();
  return Ok{};
}

Display display_for(const Context& context, bool plain) {
  const bool terminal = context.json ? context.err_is_terminal : context.out_is_terminal;
  Display display{.live = terminal && !plain, .colour = terminal && context.colour};
  winsize size{};
  if (display.live && ioctl(context.json ? STDERR_FILENO : STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    display.width = size.ws_col;
    display.height = size.ws_row;
  }
  return display;
}

// Keeps the elapsed times of a display moving while the loop waits.
class Ticker {
 public:
  Ticker(port::Reactor& reactor, std::function<void()> tick) : reactor_(reactor), tick_(std::move(tick)) { arm(); }
  ~Ticker() { reactor_.cancel(key_); }
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;

 private:
  void arm() {
    key_ = reactor_.after(k_tick_us, [this] {
      tick_();
      arm();
    });
  }

  port::Reactor& reactor_;
  std::function<void()> tick_;
  port::TimerKey key_ = 0;
};

Exit exit_of(RunOutcome outcome) {
  switch (outcome) {
    case RunOutcome::landed:
      return Exit::done;
    case RunOutcome::incomplete:
      return Exit::incomplete;
    case RunOutcome::budget:
      return Exit::budget;
    case RunOutcome::stopped:
      return Exit::stopped;
    case RunOutcome::environment:
    case RunOutcome::count_:
      break;
  }
  return Exit::environment;
}

Result<Exit> carry_out(Context& context, const Prepared& prepared, const RunOptions& options) {
  const Place& place = prepared.place;
  BERNSTEIN_TRY_VOID(make_sdd(place.sdd));
  BERNSTEIN_TRY(const std::unique_ptr<store::Lock> lock, store::acquire_lock(place.sdd + "/lock"));
  BERNSTEIN_TRY(const std::unique_ptr<port::EventLog> log, store::open_log(place.sdd + "/state.db"));
  BERNSTEIN_TRY(const std::unique_ptr<port::BlobStore> blobs, store::open_blobs(place.sdd + "/blobs"));
  BERNSTEIN_TRY(const std::unique_ptr<port::Workspace> workspace, open_repository(place));
  const std::unique_ptr<port::Reactor> reactor = proc::open_reactor();
  BERNSTEIN_TRY_VOID(tell_unfinished(context, *log));
  BERNSTEIN_TRY(const std::string source, blobs->put(prepared.inputs.plan_text));

  std::ostream& people = context.json ? context.err : context.out;
  Progress progress(people, display_for(context, options.plain), *reactor);
  run::Loop loop({.log = *log, .blobs = *blobs, .workspace = *workspace, .reactor = *reactor},
                 {.sdd = place.sdd, .environment = context.environment, .sandbox = prepared.sandbox}, progress);
  Result<RunOutcome> outcome = RunOutcome::environment;
  {
    const Ticker ticker(*reactor, [&] { progress.tick(); });
    outcome = loop.run(started_of(prepared, options), accepted_of(prepared, source));
  }
  progress.close();
  if (!outcome) return std::move(outcome).error();
  people << recap(loop.state(), progress.tally()) << std::flush;
  if (context.json) context.out << run_json(loop.state(), progress.tally().events, "") << '\n';
  return exit_of(*outcome);
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
    return dry_run(context, started_of(ready, options), accepted_of(ready, ""));
  }
  return carry_out(context, ready, options);
}

}  // namespace bernstein::cli
