// cost: what a run's agents used, by model. What an agent did not tell is unknown, and never counted as 0.

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>
#include <utility>

#include "bernstein/cli/commands.hpp"
#include "fold.hpp"
#include "names.hpp"
#include "open_workspace.hpp"
#include "print.hpp"
#include "words.hpp"

namespace bernstein::cli {
namespace {

using Json = nlohmann::ordered_json;

// A sum of numbers of which some may be unknown.
struct Sum {
  std::int64_t known = 0;
  std::int64_t told = 0;
  std::int64_t untold = 0;

  void add(std::optional<std::int64_t> value) {
    known += value.value_or(0);
    ++(value ? told : untold);
  }
  std::optional<std::int64_t> total() const { return told > 0 ? std::optional(known) : std::nullopt; }
};

struct Use {
  std::int64_t attempts = 0;
  std::int64_t running = 0;  // their agents have not ended: nothing is known of them yet
  Sum input;
  Sum cached;
  Sum output;
  Sum cost;

  void add(const Attempt& attempt) {
    ++attempts;
    if (!attempt.exit) {
      if (attempt.step != Step::ended) ++running;
      return;
    }
    const Usage& usage = attempt.exit->usage;
    input.add(usage.input_tokens);
    cached.add(usage.cached_tokens);
    output.add(usage.output_tokens);
    cost.add(usage.cost_micros ? std::optional(usage.cost_micros->value) : std::nullopt);
  }
};

using ModelAndAgent = std::pair<std::string, std::string>;

std::map<ModelAndAgent, Use> uses_of(const RunState& state) {
  std::map<ModelAndAgent, Use> uses;
  for (const Task* task : tasks_and_planning(state)) {
    for (const Attempt& attempt : task->attempts) uses[{attempt.arm.model, attempt.arm.agent}].add(attempt);
  }
  return uses;
}

Json number_or_null(const std::optional<std::int64_t>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json dollars_or_null(const std::optional<std::int64_t>& micros) {
  return micros ? Json(static_cast<double>(*micros) / 1e6) : Json(nullptr);
}

std::string cost_json(const std::map<ModelAndAgent, Use>& uses, const Spending& spending) {
  Json json;
  json["total_usd"] = dollars_or_null(spending.known ? std::optional(spending.known->value) : std::nullopt);
  json["unknown_attempts"] = spending.untold;
  Json& by = json["by"] = Json::array();
  for (const auto& [who, use] : uses) {
    Json row;
    row["model"] = who.first;
    row["agent"] = who.second;
    row["attempts"] = use.attempts;
    row["input_tokens"] = number_or_null(use.input.total());
    row["cached_tokens"] = number_or_null(use.cached.total());
    row["output_tokens"] = number_or_null(use.output.total());
    row["cost_usd"] = dollars_or_null(use.cost.total());
    row["unknown_attempts"] = use.cost.untold;
    by.push_back(std::move(row));
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// "1,200", "unknown", "1,200 + 2 unknown", and "-" before anybody could have told.
std::string sum_words(const Sum& sum, auto&& format) {
  if (sum.told + sum.untold == 0) return "-";
  if (sum.told == 0) return "unknown";
  return format(sum.known) + (sum.untold > 0 ? " + " + std::to_string(sum.untold) + " unknown" : "");
}

void print_table(std::ostream& out, const Screen& screen, const std::map<ModelAndAgent, Use>& uses) {
  TextTable table({{"MODEL"},
                   {"AGENT"},
                   {"ATTEMPTS", Align::right},
                   {"INPUT", Align::right},
                   {"CACHED", Align::right},
                   {"OUTPUT", Align::right},
                   {"COST", Align::right}});
  auto dollars = [](std::int64_t micros) { return format_usd(UsdMicros{micros}); };
  for (const auto& [who, use] : uses) {
    const std::string attempts =
        grouped(use.attempts) + (use.running > 0 ? " (" + grouped(use.running) + " at work)" : "");
    table.add({{who.first},
               {who.second},
               {attempts},
               {sum_words(use.input, grouped)},
               {sum_words(use.cached, grouped)},
               {sum_words(use.output, grouped)},
               {sum_words(use.cost, dollars), use.cost.untold > 0 ? Tint::warning : Tint::plain}});
  }
  table.print(out, screen);
}

}  // namespace

Result<Exit> cost_command(Context& context, const LookOptions& options) {
  BERNSTEIN_TRY(const Home home, open_workspace(context));
  BERNSTEIN_TRY(const RunId run, find_run(*home.reader, options.run, options.at));
  BERNSTEIN_TRY(const Picture picture, take_picture(*home.reader, run, options.at));
  const std::map<ModelAndAgent, Use> uses = uses_of(picture.state);
  const Spending spending = spending_of(picture.state);
  if (context.json) {
    context.out << cost_json(uses, spending) << '\n';
    return Exit::done;
  }

  if (uses.empty()) {
    context.out << "no attempt of " << to_string(run) << " has begun: nothing was spent\n";
    return Exit::done;
  }
  print_table(context.out, screen_of(context), uses);
  context.out << "\ntotal " << cost_words(spending.known);
  if (spending.known && spending.untold > 0) {
    context.out << " and what " << counted(spending.untold, "attempt") << " did not tell";
  }
  if (const auto& budget = config_of(picture.state).budget_micros)
    context.out << " of a budget of " << format_usd(*budget);
  context.out << '\n';
  return Exit::done;
}

}  // namespace bernstein::cli
