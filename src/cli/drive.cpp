#include "drive.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <filesystem>
#include <ostream>
#include <utility>

#include "bernstein/base/text.hpp"
#include "bernstein/proc/reactor.hpp"
#include "policy.hpp"
#include "print.hpp"
#include "progress.hpp"
#include "recap.hpp"
#include "red_since.hpp"
#include "run_json.hpp"

namespace bernstein::cli {
namespace {

namespace fs = std::filesystem;

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

// What goes on, and how it is taken back, when the run was left rather than ended.
std::string farewell(const RunState& state, const std::string& sdd) {
  const std::string run = to_string(state.run);
  const auto all = living_commands(sdd);
  const auto found = all.find(run);
  if (found == all.end()) return "left as it is: `bernstein resume " + run + "` goes on with it\n";
  return commands_go_on_alone(found->second) + " for up to " +
         format_duration(config_of(state).limits.adopt_timeout_us) + ": `bernstein resume " + run +
         "` takes them back, `bernstein stop` ends them\n";
}

// A file that is only looked at does not make a run fail.
void show_what_was_learnt(Context& context, const Tenure& tenure, const RunState& state) {
  if (!state.started) return;
  const std::int64_t ridge_ppm = config_of(state).routing.ridge_ppm;
  const Result<Policy> learnt = learnt_policy(*tenure.log, ridge_ppm);
  const Status exported = learnt ? export_policy(*learnt, ridge_ppm, tenure.place.sdd) : learnt.error();
  if (!exported) context.err << "warning: " << exported.error().message << '\n' << std::flush;
}

}  // namespace

std::string supervisor_of(const Context& context) {
  return (fs::path(context.program).parent_path() / "bernstein-exec").string();
}

std::unique_ptr<port::Reactor> open_reactor(const Context& context) {
  return proc::open_reactor({.supervisor = supervisor_of(context)});
}

Result<Tenure> take_ownership(const Context& context, const Place& place) {
  Tenure tenure{.place = place, .lock = {}, .log = {}, .blobs = {}, .workspace = {}, .reactor = {}};
  const std::string supervisor = supervisor_of(context);
  if (::access(supervisor.c_str(), X_OK) != 0) {
    return Error{ErrorCode::environment, "there is no program " + supervisor + ": install it beside bernstein"};
  }
  BERNSTEIN_TRY(tenure.lock, store::acquire_lock(place.sdd + "/lock"));
  BERNSTEIN_TRY(tenure.log, store::open_log(place.sdd + "/state.db"));
  BERNSTEIN_TRY(tenure.blobs, store::open_blobs(place.sdd + "/blobs"));
  BERNSTEIN_TRY(tenure.workspace, open_repository(place));
  tenure.reactor = open_reactor(context);
  return tenure;
}

Result<Exit> drive(Context& context, Tenure& tenure, DriveOptions options,
                   const std::function<Result<RunOutcome>(run::Loop&)>& begin) {
  port::Reactor& reactor = *tenure.reactor;
  std::ostream& people = context.json ? context.err : context.out;
  Progress progress(people, display_for(context, options.plain), reactor, std::move(options.before));
  run::Loop loop({.log = *tenure.log,
                  .blobs = *tenure.blobs,
                  .workspace = *tenure.workspace,
                  .reactor = reactor,
                  .ownership = *tenure.lock},
                 {.sdd = tenure.place.sdd, .environment = context.environment, .sandbox = std::move(options.sandbox)},
                 progress);
  Result<RunOutcome> outcome = RunOutcome::environment;
  {
    const Ticker ticker(reactor, [&] { progress.tick(); });
    outcome = begin(loop);
  }
  progress.close();
  if (!outcome) return std::move(outcome).error();
  show_what_was_learnt(context, tenure, loop.state());
  people << (loop.state().finished ? recap(loop.state(), progress.tally()) : farewell(loop.state(), tenure.place.sdd))
         << std::flush;
  if (const std::string since = red_since(loop.state(), *tenure.workspace, *tenure.log); !since.empty())
    people << since << '\n' << std::flush;
  if (context.json) context.out << run_json(loop.state(), progress.tally().events, "stopped") << '\n';
  return exit_of(*outcome);
}

Result<std::string> checkout_left_at(port::EventReader& log, const std::string& target) {
  BERNSTEIN_TRY(
      const port::Table table,
      log.query("SELECT coalesce(nullif(json_extract(asked.payload, '$.behind'), ''),"
                " json_extract(asked.payload, '$.from')), json_extract(asked.payload, '$.target')"
                " FROM events AS done JOIN events AS asked ON asked.seq = done.cause"
                " WHERE done.seq = (SELECT max(ended.seq) FROM events AS ended"
                "   JOIN events AS begun ON begun.seq = ended.cause"
                "   WHERE ended.type IN ('CheckoutSynced', 'EffectFailed')"
                "   AND begun.type = 'CheckoutSyncRequested')"
                " AND (done.type = 'EffectFailed' OR json_extract(done.payload, '$.outcome') = 'left_alone')"));
  if (table.rows.empty() || table.rows.front()[1].text != target) return std::string();
  return table.rows.front()[0].text;
}

std::map<std::string, std::uint32_t> living_commands(const std::string& sdd) {
  std::map<std::string, std::uint32_t> living;
  std::error_code ignored;
  if (!fs::is_directory(fs::symlink_status(sdd + "/control", ignored))) return living;
  for (const auto& run : fs::directory_iterator(sdd + "/control", ignored)) {
    std::error_code problem;
    if (!fs::is_directory(run.symlink_status(problem))) continue;  // a link leads to what is not ours
    for (const auto& place : fs::directory_iterator(run.path(), problem)) {
      if (proc::is_supervisor_alive(place.path().string())) ++living[run.path().filename().string()];
    }
  }
  return living;
}

}  // namespace bernstein::cli
