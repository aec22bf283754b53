#include "baseline.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <ostream>

#include "bernstein/agent/command.hpp"
#include "bernstein/base/units.hpp"
#include "bernstein/port/reactor.hpp"
#include "bernstein/proc/reactor.hpp"
#include "bernstein/store/store.hpp"
#include "sandbox.hpp"

namespace bernstein::cli {
namespace {

constexpr const char* k_checkout = "init-baseline";

std::string fact_of(const port::ProcessExit& exit) {
  if (exit.timed_out) return "still running after " + format_duration(k_baseline_us_max);
  if (exit.exit_code == 0) return "passed in " + format_duration(exit.duration_us);
  return "exit " + std::to_string(exit.exit_code) + " after " + format_duration(exit.duration_us);
}

Result<port::ProcessExit> run_to_end(port::Reactor& reactor, port::ProcessSpec spec) {
  std::optional<port::ProcessExit> ended;
  BERNSTEIN_TRY([[maybe_unused]] const auto started,
                reactor.start(std::move(spec), [&](port::ProcessExit exit) { ended = exit; }));
  while (!ended) reactor.turn();
  return *ended;
}

}  // namespace

Result<std::vector<TriedGate>> try_gates(Context& context, const Place& place, const std::vector<Proposal>& gates,
                                         const std::vector<std::string>& symlink_dirs) {
  // A run may be under way: its worktrees and ours lie side by side, the lock keeps two of us apart.
  BERNSTEIN_TRY(const std::unique_ptr<store::Lock> lock, store::acquire_lock(place.sdd + "/lock"));
  BERNSTEIN_TRY(const std::unique_ptr<port::Workspace> workspace, open_repository(place));
  BERNSTEIN_TRY(const std::string directory,
                workspace->checkout_tree({.name = k_checkout, .tree = place.head, .symlink_dirs = symlink_dirs}));
  const std::string logs = place.sdd + "/logs/init";
  std::error_code problem;
  std::filesystem::remove_all(logs, problem);
  std::filesystem::create_directories(logs, problem);
  if (problem) return Error{ErrorCode::environment, "cannot make " + logs + ": " + problem.message()};

  // As in a run, so that a gate which needs more than a run will give it is not called green. That there is no sandbox
  // is for a run to say.
  BERNSTEIN_TRY(const ChosenSandbox chosen, choose_sandbox(context, place, SandboxMode::automatic, {}));
  const auto wrapper = agent::sandbox_words(
      chosen.sandbox, {.directory = directory, .writable = {std::string("worktrees/") + k_checkout}, .read_only = {}});
  const std::unique_ptr<port::Reactor> reactor = proc::open_reactor();
  std::vector<TriedGate> tried;
  for (const Proposal& gate : gates) {
    context.err << "trying " << gate.name << ": " << gate.command << std::flush;
    TriedGate result{.gate = gate, .green = false, .fact = "", .log = logs + "/" + gate.name + ".log"};
    auto exit = run_to_end(*reactor, {.argv = {"sh", "-c", gate.command},
                                      .wrapper = wrapper,
                                      .env = agent::allowed_environment(context.environment, {}),
                                      .directory = directory,
                                      .stdin_text = "",
                                      .output_path = result.log,
                                      .timeout_us = k_baseline_us_max});
    if (!exit) return std::move(exit).error();
    result.green = exit->exit_code == 0 && !exit->timed_out;
    result.fact = fact_of(*exit);
    context.err << "  " << result.fact << '\n' << std::flush;
    tried.push_back(std::move(result));
  }
  BERNSTEIN_TRY_VOID(workspace->remove_checkout(k_checkout));
  return tried;
}

}  // namespace bernstein::cli
