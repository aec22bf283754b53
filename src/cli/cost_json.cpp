// cost --json; docs/cli.md says what each key means.

#include <nlohmann/json.hpp>

#include "cost_page.hpp"

namespace bernstein::cli {
namespace {

using Json = nlohmann::ordered_json;
using Number = std::optional<std::int64_t>;

Json number_or_null(const Number& value) {
  return value ? Json(*value) : Json(nullptr);
}

// Dollars of micro-USD, seconds of µs, a fraction of parts per million.
Json millionths_or_null(const Number& value) {
  return value ? Json(static_cast<double>(*value) / 1e6) : Json(nullptr);
}

void add_use(Json& json, const Use& use) {
  json["attempts"] = use.attempts;
  json["ended_attempts"] = use.ended;
  json["landed_attempts"] = use.landed_attempts;
  json["landed_tasks"] = use.landed_tasks;
  json["success_rate"] = millionths_or_null(use.success_ppm());
  json["input_tokens"] = number_or_null(use.input.total());
  json["cached_tokens"] = number_or_null(use.cached.total());
  json["output_tokens"] = number_or_null(use.output.total());
  json["cached_share"] = millionths_or_null(use.cached_ppm());
  json["cost_usd"] = millionths_or_null(use.cost.total());
  json["unknown_attempts"] = use.cost.untold;
  json["cost_per_landed_usd"] = millionths_or_null(use.cost_per_landed());
  Json& sources = json["cost_sources"] = Json::object();
  for (std::size_t i = 0; i < use.sources.size(); ++i) {
    sources[std::string(to_word(static_cast<CostSource>(i)))] = use.sources.at(i);
  }
}

Json comparison_json(const Range& forecast, const Comparison* comparison) {
  Json json{{"low", millionths_or_null(forecast.low)},
            {"mid", millionths_or_null(forecast.mid)},
            {"high", millionths_or_null(forecast.high)}};
  json["actual"] = comparison == nullptr ? Json(nullptr) : millionths_or_null(comparison->actual);
  json["within"] = comparison == nullptr ? Json(nullptr) : Json(comparison->is_within());
  json["pinball"] = comparison == nullptr ? Json(nullptr) : millionths_or_null(comparison->mean_loss());
  if (comparison != nullptr) {
    json["pinball_at"] = {{"10", millionths_or_null(comparison->loss_at_low())},
                          {"50", millionths_or_null(comparison->loss_at_mid())},
                          {"90", millionths_or_null(comparison->loss_at_high())}};
  }
  return json;
}

Json scoring_json(const Scoring& scoring) {
  if (const auto* why = std::get_if<std::string>(&scoring)) return {{"not_scored", *why}};
  const Score& score = std::get<Score>(scoring);
  return {{"cost_usd", comparison_json(score.cost_forecast, score.cost ? &*score.cost : nullptr)},
          {"makespan_s", comparison_json(score.makespan.forecast, &score.makespan)},
          {"unknown_attempts", score.unknown_attempts},
          {"source", score.source}};
}

// Its own key for what it is by, as `--by` calls it.
Json row_json(const CostPage& page, const CostRow& row) {
  Json json;
  const std::string by(to_word(page.by));
  if (page.by == CostBy::task) json["run"] = to_string(*row.run);
  json[by] = row.name;
  if (page.by == CostBy::model) json["agent"] = row.detail;
  if (page.by == CostBy::task) json["title"] = row.detail;
  if (page.by == CostBy::run) {
    json["goal"] = row.detail;
    const auto& outcome = page.history.runs.at(*row.run).outcome;
    json["outcome"] = outcome ? to_word(*outcome) : "running";
  }
  add_use(json, row.use);
  if (page.by == CostBy::run && !page.run) {
    const auto scoring = page.scores.find(*row.run);
    json["forecast"] = scoring == page.scores.end() ? Json(nullptr) : scoring_json(scoring->second);
  }
  return json;
}

std::string name_of(const AttemptKey& attempt) {
  return to_string(attempt.first) + "/" + to_string(attempt.second);
}

Json one_model_json(const OneModelEstimate& estimate) {
  Json json;
  json["note"] = "an estimate: the same tokens and the same attempts; another model would use others";
  json["attempts"] = estimate.attempts;
  json["came_to_usd"] = estimate.came_to.untold > 0 ? Json(nullptr) : millionths_or_null(estimate.came_to.total());
  Json& models = json["models"] = Json::array();
  for (const OneModel& one : estimate.models) {
    models.push_back({{"model", one.model}, {"agent", one.agent}, {"cost_usd", millionths_or_null(one.cost.value)}});
  }
  Json& left_out = json["left_out"] = Json::array();
  for (const AttemptKey& attempt : estimate.left_out) left_out.push_back(name_of(attempt));
  return json;
}

}  // namespace

std::string cost_json(const CostPage& page) {
  const Use& total = page.report.total;
  const bool is_known = total.cost.told > 0 || total.cost.untold == 0;
  Json json;
  json["total_usd"] = millionths_or_null(is_known ? Number(total.cost.known) : std::nullopt);
  json["unknown_attempts"] = total.cost.untold;
  json["grouped_by"] = to_word(page.by);
  Json& runs = json["runs"] = Json::array();
  for (const auto& [run, facts] : page.history.runs) runs.push_back(to_string(run));
  Json& by = json["by"] = Json::array();
  for (const CostRow& row : page.report.rows) by.push_back(row_json(page, row));
  add_use(json["total"], total);
  json["on_one_model"] = one_model_json(page.one_model);
  if (page.run) {
    const auto scoring = page.scores.find(*page.run);
    json["forecast"] = scoring == page.scores.end() ? Json(nullptr) : scoring_json(scoring->second);
  } else if (page.by == CostBy::run) {
    json["forecast"] = {{"mean_pinball",
                         {{"cost_usd", millionths_or_null(mean_cost_loss(page))},
                          {"makespan_s", millionths_or_null(mean_makespan_loss(page))}}}};
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace bernstein::cli
