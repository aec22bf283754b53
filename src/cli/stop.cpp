// stop, pause: what a person asks of the Bernstein that is at work. Where none is, stop ends what goes on without it.

#include <csignal>
#include <filesystem>
#include <ostream>

#include "bernstein/base/text.hpp"
#include "bernstein/cli/commands.hpp"
#include "bernstein/proc/reactor.hpp"
#include "drive.hpp"
#include "open_workspace.hpp"
#include "print.hpp"
#include "signal_owner.hpp"

namespace bernstein::cli {
namespace {

namespace fs = std::filesystem;

std::ostream& people(Context& context) {
  return context.json ? context.err : context.out;
}

// Ends agents and checks that nobody owns. Nothing is recorded: a resume reads how they ended.
Result<Exit> end_what_is_left(Context& context, const Home& home) {
  BERNSTEIN_TRY(const std::unique_ptr<store::Lock> lock, store::acquire_lock(home.sdd + "/lock"));
  const std::unique_ptr<port::Reactor> reactor = proc::open_reactor();
  std::uint32_t ended = 0;
  std::uint32_t waited_for = 0;
  std::error_code ignored;
  fs::directory_iterator runs;
  if (fs::is_directory(fs::symlink_status(home.sdd + "/control", ignored))) {
    runs = fs::directory_iterator(home.sdd + "/control", ignored);
  }
  for (const auto& run : runs) {
    std::error_code problem;
    if (!fs::is_directory(run.symlink_status(problem))) continue;  // a link leads to what is not ours
    for (const auto& place : fs::directory_iterator(run.path(), problem)) {
      if (!proc::is_supervisor_alive(place.path().string())) {
        proc::end_strays(place.path().string());
        continue;
      }
      const auto adopted = reactor->adopt(place.path().string(), [&](const port::ProcessExit&) { ++ended; });
      if (!adopted) context.err << "warning: " << adopted.error().message << '\n';
      if (!adopted || adopted->state != port::Reactor::Adopted::State::running) continue;
      reactor->stop(adopted->key);
      ++waited_for;
    }
  }
  while (ended < waited_for) reactor->turn();  // each has its grace, and is killed after it
  people(context) << "no Bernstein is at work here; "
                  << (waited_for == 0 ? "nothing is left to end"
                                      : "ended " + counted_commands(waited_for) +
                                            ": `bernstein resume` saves what they left and tries their tasks again")
                  << '\n';
  return Exit::done;
}

}  // namespace

Result<Exit> stop_command(Context& context, const StopOptions& options) {
  BERNSTEIN_TRY(const Home home, open_workspace(context));
  if (!owner_of(home)) return end_what_is_left(context, home);
  BERNSTEIN_TRY_VOID(signal_owner(home, options.now ? SIGQUIT : SIGTERM, "StopRequested"));
  if (context.json) context.out << R"({"asked":")" << (options.now ? "leave" : "stop") << "\"}\n";
  people(context) << (options.now ? "it leaves now; agents go on until a resume takes them back\n"
                                  : "it finishes what is in flight, starts nothing new, and stops\n");
  return Exit::done;
}

Result<Exit> pause_command(Context& context) {
  BERNSTEIN_TRY(const Home home, open_workspace(context));
  BERNSTEIN_TRY_VOID(signal_owner(home, SIGUSR1, "RunPaused"));
  if (context.json) context.out << "{\"asked\":\"pause\"}\n";
  people(context) << "nothing new starts until `bernstein resume`; what is in flight goes on\n";
  return Exit::done;
}

}  // namespace bernstein::cli
