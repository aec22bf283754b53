#include "dry_run.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <vector>

#include "bernstein/base/text.hpp"
#include "bernstein/decide/decide.hpp"
#include "forecast.hpp"
#include "print.hpp"

namespace bernstein::cli {
namespace {

using Json = nlohmann::ordered_json;

// The state right after the plan was accepted, folded in memory as the loop would fold it.
Result<RunState> state_of(const RunStarted& started, const PlanAccepted& plan) {
  RunState state;
  state.run = RunId{1};
  Seq seq = 0;
  const Seal seal = [&](Draft draft) {
    return Event{
        .seq = ++seq, .run = RunId{1}, .run_seq = seq, .subject = draft.subject, .body = std::move(draft.body)};
  };
  BERNSTEIN_TRY([[maybe_unused]] auto begun, settle(state, seal({about_run(), started}), seal));
  BERNSTEIN_TRY([[maybe_unused]] auto accepted, settle(state, seal({about_run(), plan}), seal));
  return state;
}

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
  const Range& span = forecast.makespan_us;
  json["makespan_s"] = {{"low", span.low / k_second}, {"mid", span.mid / k_second}, {"high", span.high / k_second}};
  const auto dollars = [](std::int64_t micros) { return static_cast<double>(micros) / 1e6; };
  const Range& cost = forecast.cost_micros;
  json["cost_usd"] = {{"low", dollars(cost.low)}, {"mid", dollars(cost.mid)}, {"high", dollars(cost.high)}};
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
  out << fmt::format("estimated cost  {} (from {} to {})", format_usd({cost.mid}), format_usd({cost.low}),
                     format_usd({cost.high}));
  if (const auto& budget = config_of(state).budget_micros) out << "; budget " << format_usd(*budget);
  if (const auto& budget = config_of(state).budget_tokens) out << "; budget " << format_tokens(*budget) << " tokens";
  out << "\nestimates come from the plan's estimated_minutes, scope and complexity; nothing was started or changed\n";
}

}  // namespace

Result<Exit> dry_run(Context& context, const RunStarted& started, const PlanAccepted& plan) {
  BERNSTEIN_TRY(const RunState state, state_of(started, plan));
  const Forecast forecast = forecast_of(state);
  if (context.json) {
    print_json(context.out, state, forecast);
  } else {
    print_text(context.out, state, forecast);
  }
  return Exit::done;
}

}  // namespace bernstein::cli
