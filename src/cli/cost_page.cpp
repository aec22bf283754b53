#include "cost_page.hpp"

#include "fold.hpp"
#include "names.hpp"

namespace bernstein::cli {
namespace {

Result<CostPage> page_of_run(port::EventReader& reader, const CostOptions& options) {
  CostPage page{.by = options.by};
  BERNSTEIN_TRY(page.run, find_run(reader, options.run, options.at));
  BERNSTEIN_TRY_VOID(visit_run(reader, *page.run, options.at, [&](const Event& event) -> Status {
    note(page.history, event);
    return Ok{};
  }));
  const RunFacts& run = page.history.runs.at(*page.run);
  page.budget = run.budget;
  if (!run.outcome) return page;  // it is at work: what was known before it is not looked up
  BERNSTEIN_TRY(const History before, read_history(reader, run.first_seq - 1));
  BERNSTEIN_TRY(Scoring scoring, score_run(page.history, *page.run, Experience(before, run.first_seq)));
  page.scores.emplace(*page.run, std::move(scoring));
  return page;
}

Result<CostPage> page_of_all(port::EventReader& reader, const CostOptions& options) {
  CostPage page{.by = options.by};
  BERNSTEIN_TRY(page.history, read_history(reader, options.at));
  if (options.by != CostBy::run) return page;
  const auto& runs = page.history.runs;
  for (auto run = runs.rbegin(); run != runs.rend() && page.scores.size() < k_scored_runs_max; ++run) {
    const Experience before(page.history, run->second.first_seq);
    BERNSTEIN_TRY(Scoring scoring, score_run(page.history, run->first, before));
    page.scores.emplace(run->first, std::move(scoring));
  }
  return page;
}

// Over what was scored, of what `loss` tells something.
template <class Loss>
std::optional<std::int64_t> mean(const CostPage& page, Loss loss) {
  std::int64_t sum = 0;
  std::int64_t scored = 0;
  for (const auto& [run, scoring] : page.scores) {
    const auto* score = std::get_if<Score>(&scoring);
    const std::optional<std::int64_t> one = score == nullptr ? std::nullopt : loss(*score);
    if (!one) continue;
    sum += *one;
    ++scored;
  }
  return scored == 0 ? std::nullopt : std::optional(sum / scored);
}

}  // namespace

Result<CostPage> make_cost_page(port::EventReader& reader, const CostOptions& options) {
  if (options.all && !options.run.empty())
    return Error{ErrorCode::invalid_input, "a run and --all exclude each other; give one of them"};
  const bool is_by_time = options.by == CostBy::run || options.by == CostBy::day;
  const bool all = options.all || (is_by_time && options.run.empty());
  Result<CostPage> page = all ? page_of_all(reader, options) : page_of_run(reader, options);
  if (!page) return page;
  page->report = report_costs(page->history, options.by);
  page->one_model = estimate_on_one_model(page->history);
  return page;
}

std::optional<std::int64_t> mean_cost_loss(const CostPage& page) {
  return mean(page,
              [](const Score& score) { return score.cost ? std::optional(score.cost->mean_loss()) : std::nullopt; });
}

std::optional<std::int64_t> mean_makespan_loss(const CostPage& page) {
  return mean(page, [](const Score& score) { return std::optional(score.makespan.mean_loss()); });
}

}  // namespace bernstein::cli
