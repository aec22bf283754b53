#pragma once
// All that `bernstein cost` shows, put together (cost_page.cpp) and told in words (cost.cpp) or as JSON
// (cost_json.cpp).
//
//     BERNSTEIN_TRY(const CostPage page, make_cost_page(*home.reader, options));

#include <map>
#include <optional>
#include <string>

#include "bernstein/cli/commands.hpp"
#include "bernstein/port/event_log.hpp"
#include "cost_rows.hpp"
#include "forecast_score.hpp"
#include "one_model.hpp"

namespace bernstein::cli {

struct CostPage {
  CostBy by = CostBy::model;
  std::optional<RunId> run;  // nothing: all of them
  History history;           // of that run, or of all
  CostReport report;
  OneModelEstimate one_model;
  std::optional<UsdMicros> budget;  // of one run
  std::map<RunId, Scoring> scores;  // of one run, or of the newest where rows are by run
};

// The scores of so many of the newest runs are shown: each is a forecast made again.
inline constexpr std::size_t k_scored_runs_max = 20;

Result<CostPage> make_cost_page(port::EventReader& reader, const CostOptions& options);

std::string cost_json(const CostPage& page);

// The mean of the losses of all that were scored; nothing without any. Micro-USD, µs.
std::optional<std::int64_t> mean_cost_loss(const CostPage& page);
std::optional<std::int64_t> mean_makespan_loss(const CostPage& page);

}  // namespace bernstein::cli
