// replay: prints what run/replay.hpp finds.

#include "bernstein/run/replay.hpp"

#include <nlohmann/json.hpp>
#include <ostream>

#include "bernstein/cli/commands.hpp"
#include "names.hpp"
#include "open_workspace.hpp"
#include "print.hpp"

namespace bernstein::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string report_json(const run::ReplayReport& report) {
  Json json;
  json["run"] = to_string(report.run);
  json["events"] = report.events;
  json["decisions"] = report.decisions;
  json["divergences"] = report.divergences;
  Json& first = json["first_divergence"] = nullptr;
  if (const auto& divergence = report.first_divergence) {
    first = Json::object();
    first["seq"] = divergence->seq;
    first["recorded"] = divergence->recorded;
    first["recomputed"] = divergence->recomputed;
  }
  json["state_hash"] = report.state_hash;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void print_report(std::ostream& out, const Screen& screen, const run::ReplayReport& report) {
  out << to_string(report.run) << ": " << counted(report.events, "event") << ", "
      << counted(report.decisions, "decision") << " derived again, ";
  if (!report.first_divergence) {
    out << paint(screen, Tint::good, "all equal byte for byte") << "\nstate " << report.state_hash << '\n';
    return;
  }
  const run::Divergence& first = *report.first_divergence;
  out << paint(screen, Tint::bad, "diverged at event " + std::to_string(first.seq)) << '\n'
      << "  recorded:   " << one_line(first.recorded) << '\n'
      << "  recomputed: " << one_line(first.recomputed) << '\n';
}

}  // namespace

Result<Exit> replay_command(Context& context, const ReplayOptions& options) {
  BERNSTEIN_TRY(const Home home, open_workspace(context));
  const std::optional<Seq> at = options.until > 0 ? std::optional(options.until) : std::nullopt;
  BERNSTEIN_TRY(const RunId run, find_run(*home.reader, options.run, at));
  BERNSTEIN_TRY(const run::ReplayReport report, run::replay(*home.reader, run, options.until));
  if (report.events == 0 && !report.first_divergence) {
    return Error{ErrorCode::not_found, to_string(run) + " has no event up to " + std::to_string(options.until) +
                                           "; name a later one with --until"};
  }
  if (context.json) {
    context.out << report_json(report) << '\n';
  } else {
    print_report(context.out, screen_of(context), report);
  }
  return report.divergences == 0 ? Exit::done : Exit::diverged;
}

}  // namespace bernstein::cli
