#include "one_model.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "bernstein/agent/usage.hpp"

namespace bernstein::cli {
namespace {

using ModelAndAgent = std::pair<std::string, std::string>;

std::map<ModelAndAgent, TokenPrice> prices_of(const History& history) {
  std::map<ModelAndAgent, TokenPrice> prices;
  for (const auto& [id, run] : history.runs) {
    for (const AgentSpec& agent : run.started.config.agents) {
      for (const ModelSpec& model : agent.models) {
        if (model.price) prices[{model.name, agent.name}] = *model.price;
      }
    }
  }
  return prices;
}

}  // namespace

OneModelEstimate estimate_on_one_model(const History& history) {
  OneModelEstimate estimate;
  std::map<ModelAndAgent, UsdMicros> costs;
  const std::map<ModelAndAgent, TokenPrice> prices = prices_of(history);
  for (const auto& [key, attempt] : history.attempts) {
    if (!attempt.exited) continue;
    const Usage& usage = attempt.usage;
    if (!usage.input_tokens || !usage.output_tokens) {
      estimate.left_out.push_back(key);
      continue;
    }
    ++estimate.attempts;
    estimate.came_to.add(usage.cost_micros ? std::optional(usage.cost_micros->value) : std::nullopt);
    for (const auto& [who, price] : prices) {
      costs[who] += agent::cost_of(usage, price).value_or(agent::k_cost_max);
    }
  }
  for (const auto& [who, cost] : costs) estimate.models.push_back({who.first, who.second, cost});
  std::ranges::stable_sort(estimate.models, {}, &OneModel::cost);
  return estimate;
}

}  // namespace bernstein::cli
