#include "dry_run.hpp"

#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "bernstein/base/text.hpp"
#include "forecast.hpp"
#include "history.hpp"
#include "open_workspace.hpp"
#include "print.hpp"

namespace bernstein::cli {
namespace {

using Json = nlohmann::ordered_json;

std::vector<std::string> words_of(const std::vector<TaskId>& ids) {
  std::vector<std::string> words;
  for (TaskId id : ids) words.push_back(to_string(id));
  return words;
}

void print_json(std::ostream& out, const RunState& state, const Forecast& forecast) {
  Json json;
  Json& tasks = json["tasks"] = Json::array();
  for (const auto& [id, task] : state.tasks) {
    const RouteChosen& route = forecast.routes.at(id);
    tasks.push_back({{"id", to_string(id)},
                     {"title", task.spec.title},
                     {"role", task.spec.role},
                     {"files", task.spec.files},
                     {"depends_on", words_of(prerequisites_of(state, task))},
                     {"agent", route.arm.agent},
                     {"model", route.arm.model},
                     {"why", route.why}});
  }
  Json& waves = json["waves"] = Json::array();
  for (const std::vector<TaskId>& wave : forecast.waves) waves.push_back(words_of(wave));
  const auto millionths = [](std::int64_t micros) { return static_cast<double>(micros) / 1e6; };
  const auto range_json = [&](const Range& range) {
    return Json{{"low", millionths(range.low)}, {"mid", millionths(range.mid)}, {"high", millionths(range.high)}};
  };
  json["makespan_s"] = range_json(forecast.makespan_us);
  json["cost_usd"] = range_json(forecast.cost_micros);
  out << json.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
}

void print_text(std::ostream& out, const RunState& state, const Forecast& forecast) {
  for (std::size_t wave = 0; wave < forecast.waves.size(); ++wave) {
    out << "wave " << wave + 1 << '\n';
    for (TaskId id : forecast.waves[wave]) {
      const Task& task = task_of(state, id);
      const RouteChosen& route = forecast.routes.at(id);
      out << fmt::format("  {:<5} {}\n", to_string(id), printable_utf8(task.spec.title));
      out << "        " << to_string(route.arm) << ": " << route.why << '\n';
      if (!task.spec.files.empty()) out << "        owns " << printable_utf8(join(task.spec.files, ", ")) << '\n';
      if (const auto needed = prerequisites_of(state, task); !needed.empty()) {
        out << "        after " << join(words_of(needed), ", ") << '\n';
      }
      if (checks_of(state, {id}).empty()) out << "        no check: it would land unverified\n";
    }
  }
  const Range& span = forecast.makespan_us;
  const Range& cost = forecast.cost_micros;
  out << fmt::format("{} in {}, up to {} at once onto {}\n", counted(std::ssize(state.tasks), "task"),
                     counted(std::ssize(forecast.waves), "wave"), config_of(state).max_agents,
                     replace_all(state.started->target, "refs/heads/", ""));
  out << fmt::format("estimated time  {} (from {} to {})\n", format_duration(span.mid), format_duration(span.low),
                     format_duration(span.high));
  out << fmt::format("estimated cost  {} (from {} to {})", about_usd({cost.mid}), about_usd({cost.low}),
                     about_usd({cost.high}));
  if (const auto& budget = config_of(state).budget_micros) out << "; budget " << format_usd(*budget);
  out << "\nestimates: " << source_words(forecast) << "; nothing was started or changed\n";
}

Result<History> history_here(const Context& context) {
  const Result<Home> home = open_workspace(context);
  // Where nothing has run yet there is nothing to learn from.
  if (!home) return home.error().code == ErrorCode::environment ? Result<History>(History{}) : home.error();
  return read_history(*home->reader, std::nullopt);
}

// Of all runs of this workspace. A log that cannot be read is no reason to show nothing.
Experience experience_here(const Context& context) {
  const Result<History> history = history_here(context);
  if (history) return {*history, std::numeric_limits<Seq>::max()};
  context.err << "note: the estimates leave out earlier runs: " << history.error().message << '\n';
  return {};
}

}  // namespace

Result<Exit> dry_run(Context& context, const RunStarted& started, const PlanAccepted& plan) {
  BERNSTEIN_TRY(const RunState state, state_before_work(started, plan));
  const Forecast forecast = forecast_of(state, experience_here(context));
  if (context.json) {
    print_json(context.out, state, forecast);
  } else {
    print_text(context.out, state, forecast);
  }
  return Exit::done;
}

}  // namespace bernstein::cli
