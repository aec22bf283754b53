// cost: what agents used and what that cost, by model, role, agent, task, run or day; what it would have cost on one
// model; and how good the forecast was. What an agent did not tell is unknown, and never counted as 0.

#include <fmt/format.h>

#include <optional>
#include <ostream>
#include <utility>

#include "bernstein/base/text.hpp"
#include "bernstein/cli/commands.hpp"
#include "cost_page.hpp"
#include "open_workspace.hpp"
#include "print.hpp"

namespace bernstein::cli {
namespace {

constexpr std::size_t k_named_attempts_max = 5;

std::string dollars(std::int64_t micros) {
  return format_usd({micros});
}

std::string about(std::int64_t micros) {
  return about_usd({micros});
}

// "1,200", "unknown", "1,200 + 2 unknown", and "-" before anybody could have told.
std::string sum_words(const Sum& sum, auto&& format) {
  if (sum.told + sum.untold == 0) return "-";
  if (sum.told == 0) return "unknown";
  return format(sum.known) + (sum.untold > 0 ? " + " + std::to_string(sum.untold) + " unknown" : "");
}

std::string percent_words(const std::optional<std::int64_t>& ppm) {
  return ppm ? std::to_string((*ppm + 5'000) / 10'000) + " %" : "-";
}

std::string per_landed_words(const Use& use) {
  if (use.landed_tasks == 0) return "-";
  const std::optional<std::int64_t> each = use.cost_per_landed();
  return each ? about(*each) : "unknown";
}

// What a task or a run is called beside its id comes last, where it may be cut.
bool has_long_names(CostBy by) {
  return by == CostBy::task || by == CostBy::run;
}

std::vector<TextTable::Column> columns_of(const CostPage& page) {
  std::vector<TextTable::Column> columns;
  if (page.by == CostBy::task && !page.run) columns.push_back({"RUN"});
  std::string head(to_word(page.by));
  for (char& letter : head) letter = static_cast<char>(letter - 'a' + 'A');
  columns.push_back({head});
  if (page.by == CostBy::model) columns.push_back({"AGENT"});
  for (const char* name :
       {"ATTEMPTS", "LANDED", "SUCCESS", "INPUT", "CACHED", "OUTPUT", "FROM CACHE", "COST", "PER LANDED"}) {
    columns.push_back({name, Align::right});
  }
  if (has_long_names(page.by)) columns.push_back({page.by == CostBy::task ? "TITLE" : "GOAL"});
  return columns;
}

std::vector<TextTable::Cell> cells_of(const CostPage& page, const CostRow& row) {
  const Use& use = row.use;
  std::vector<TextTable::Cell> cells;
  if (page.by == CostBy::task && !page.run) cells.push_back({to_string(*row.run)});
  cells.push_back({row.name});
  if (page.by == CostBy::model) cells.push_back({row.detail});
  cells.push_back({grouped(use.attempts) + (use.under_way > 0 ? " (" + grouped(use.under_way) + " at work)" : "")});
  cells.push_back({grouped(use.landed_tasks)});
  cells.push_back({percent_words(use.success_ppm())});
  cells.push_back({sum_words(use.input, grouped)});
  cells.push_back({sum_words(use.cached, grouped)});
  cells.push_back({sum_words(use.output, grouped)});
  cells.push_back({percent_words(use.cached_ppm())});
  cells.push_back({sum_words(use.cost, dollars), use.cost.untold > 0 ? Tint::warning : Tint::plain});
  cells.push_back({per_landed_words(use)});
  if (has_long_names(page.by)) cells.push_back({row.detail});
  return cells;
}

void print_total(std::ostream& out, const CostPage& page) {
  const Use& total = page.report.total;
  const Sum& cost = total.cost;
  out << "\ntotal " << (cost.told == 0 && cost.untold > 0 ? "unknown" : dollars(cost.known));
  if (cost.told > 0 && cost.untold > 0) out << " and what " << counted(cost.untold, "attempt") << " did not tell";
  if (page.budget) out << " of a budget of " << format_usd(*page.budget);
  if (total.landed_tasks > 0) {
    out << "; " << counted(total.landed_tasks, "task") << " landed";
    if (const auto each = total.cost_per_landed()) out << ", " << about(*each) << " each";
  }
  out << '\n';
}

// "t3.2, t4.1 and 3 more".
std::string names_of(const CostPage& page, const std::vector<AttemptKey>& attempts) {
  std::string names;
  for (std::size_t i = 0; i < attempts.size() && i < k_named_attempts_max; ++i) {
    const auto& [run, attempt] = attempts[i];
    names += (i == 0 ? "" : ", ") + (page.run ? "" : to_string(run) + "/") + to_string(attempt);
  }
  if (attempts.size() > k_named_attempts_max)
    names += " and " + std::to_string(attempts.size() - k_named_attempts_max) + " more";
  return names;
}

void print_one_model(std::ostream& out, const Screen& screen, const CostPage& page) {
  const OneModelEstimate& estimate = page.one_model;
  if (estimate.models.empty() || estimate.attempts == 0) return;
  out << "\non one model, an estimate: the same tokens and the same attempts; another model would use others\n";
  TextTable table({{"MODEL"}, {"AGENT"}, {"COST", Align::right}});
  for (const OneModel& one : estimate.models) table.add({{one.model}, {one.agent}, {format_usd(one.cost)}});
  table.print(out, screen);
  out << counted(estimate.attempts, "attempt") << " came to " << sum_words(estimate.came_to, dollars) << '\n';
  if (estimate.left_out.empty()) return;
  out << counted(std::ssize(estimate.left_out), "attempt") << (estimate.left_out.size() == 1 ? " is" : " are")
      << " left out, of unknown tokens: " << names_of(page, estimate.left_out) << '\n';
}

std::string range_words(const Range& range, auto&& format) {
  return format(range.mid) + " (" + format(range.low) + " to " + format(range.high) + ")";
}

std::string comparison_words(const Comparison& comparison, auto&& format) {
  const char* where = comparison.is_within()                        ? "within"
                      : comparison.actual < comparison.forecast.low ? "below"
                                                                    : "above";
  return fmt::format("{}; pinball loss {} at 10 %, {} at 50 %, {} at 90 %, mean {}", where,
                     format(comparison.loss_at_low()), format(comparison.loss_at_mid()),
                     format(comparison.loss_at_high()), format(comparison.mean_loss()));
}

void print_score(std::ostream& out, const Scoring& scoring) {
  if (const auto* why = std::get_if<std::string>(&scoring)) {
    out << "\nforecast: not scored, " << *why << '\n';
    return;
  }
  const Score& score = std::get<Score>(scoring);
  out << "\nforecast " << range_words(score.cost_forecast, about) << ", ";
  if (score.cost) {
    out << "came to " << dollars(score.cost->actual) << ": " << comparison_words(*score.cost, about) << '\n';
  } else {
    out << "cannot be scored: the cost of " << counted(score.unknown_attempts, "attempt") << " is unknown\n";
  }
  out << "forecast " << range_words(score.makespan.forecast, format_duration) << ", took "
      << format_duration(score.makespan.actual) << ": " << comparison_words(score.makespan, format_duration) << '\n'
      << "as it was before the run: " << score.source << '\n';
}

void print_mean_score(std::ostream& out, const CostPage& page) {
  const auto time = mean_makespan_loss(page);
  if (!time) return;
  const auto cost = mean_cost_loss(page);
  out << "\nforecasts of the newest " << counted(std::ssize(page.scores), "run") << ": mean pinball loss "
      << (cost ? about(*cost) : "unknown") << " and " << format_duration(*time) << " a run\n";
}

}  // namespace

Result<Exit> cost_command(Context& context, const CostOptions& options) {
  BERNSTEIN_TRY(const Home home, open_workspace(context));
  BERNSTEIN_TRY(const CostPage page, make_cost_page(*home.reader, options));
  std::ostream& out = context.out;
  if (context.json) {
    out << cost_json(page) << '\n';
    return Exit::done;
  }
  if (page.report.rows.empty()) {
    out << "no attempt" << (page.run ? " of " + to_string(*page.run) : "") << " has begun: nothing was spent\n";
    return Exit::done;
  }
  const Screen screen = screen_of(context);
  TextTable table(columns_of(page));
  for (const CostRow& row : page.report.rows) table.add(cells_of(page, row));
  table.print(out, screen);
  print_total(out, page);
  print_one_model(out, screen, page);
  if (!page.run) {
    print_mean_score(out, page);
  } else if (const auto scoring = page.scores.find(*page.run); scoring != page.scores.end()) {
    print_score(out, scoring->second);
  }
  return Exit::done;
}

}  // namespace bernstein::cli
