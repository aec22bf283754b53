#include "forecast_score.hpp"

#include "cost_rows.hpp"
#include "print.hpp"

namespace bernstein::cli {
namespace {

std::int64_t pinball(std::int64_t forecast, std::int64_t actual, std::int64_t tau_tenths) {
  const std::int64_t above = actual - forecast;
  return above >= 0 ? tau_tenths * above / 10 : (10 - tau_tenths) * -above / 10;
}

// The cost of a run, its planner's sessions included.
Sum cost_of(const History& history, RunId run) {
  Sum cost;
  for (auto at = history.attempts.lower_bound({run, AttemptId{}}); at != history.attempts.end(); ++at) {
    if (at->first.first != run) break;
    const AttemptFacts& attempt = at->second;
    if (!attempt.exited) continue;
    const std::optional<UsdMicros>& known = attempt.usage.cost_micros;
    cost.add(known ? std::optional(known->value) : std::nullopt);
  }
  return cost;
}

std::string why_not(const RunFacts& run) {
  if (run.first_seq == 0) return "its beginning is not in the log";
  if (!run.outcome) return "it has not ended";
  if (!run.plan) return "it began with a goal, and there was no plan yet to forecast";
  if (run.plan->tasks.size() > k_scored_tasks_max)
    return "its plan has more than " + grouped(k_scored_tasks_max) + " tasks, which takes long to rehearse again";
  switch (*run.outcome) {
    case RunOutcome::landed:
    case RunOutcome::incomplete:
      return "";
    case RunOutcome::budget:
      return "it ended early, by its budget";
    case RunOutcome::stopped:
      return "it was stopped before its end";
    case RunOutcome::environment:
    case RunOutcome::count_:
      break;
  }
  return "it ended early, for want of something that every task needs";
}

}  // namespace

std::int64_t Comparison::loss_at_low() const {
  return pinball(forecast.low, actual, 1);
}
std::int64_t Comparison::loss_at_mid() const {
  return pinball(forecast.mid, actual, 5);
}
std::int64_t Comparison::loss_at_high() const {
  return pinball(forecast.high, actual, 9);
}
std::int64_t Comparison::mean_loss() const {
  return (loss_at_low() + loss_at_mid() + loss_at_high()) / 3;
}

Result<Scoring> score_run(const History& history, RunId id, const Experience& before) {
  const RunFacts& run = history.runs.at(id);
  if (std::string why = why_not(run); !why.empty()) return Scoring(std::move(why));
  BERNSTEIN_TRY(const RunState state, state_before_work(run.started, *run.plan));
  const Forecast forecast = forecast_of(state, before);
  const Sum cost = cost_of(history, id);
  Score score{.cost_forecast = forecast.cost_micros,
              .unknown_attempts = cost.untold,
              .makespan = {.forecast = forecast.makespan_us, .actual = run.makespan_us},
              .source = source_words(forecast)};
  if (cost.untold == 0) score.cost = Comparison{.forecast = forecast.cost_micros, .actual = cost.known};
  return Scoring(std::move(score));
}

}  // namespace bernstein::cli
