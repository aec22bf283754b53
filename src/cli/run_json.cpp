#include "run_json.hpp"

#include <array>
#include <ctime>
#include <nlohmann/json.hpp>

#include "bernstein/state/credentials.hpp"
#include "persons_turn.hpp"

namespace bernstein::cli {
namespace {

using Json = nlohmann::ordered_json;

// A sum of costs of which each may be unknown.
struct CostSum {
  UsdMicros known;
  int told = 0;
  int untold = 0;

  void add(const Attempt& attempt) {
    if (!attempt.exit) return;
    if (const std::optional<UsdMicros>& cost = attempt.exit->usage.cost_micros) {
      known += *cost;
      ++told;
    } else {
      ++untold;
    }
  }
  std::optional<UsdMicros> total() const {
    if (told == 0 && untold > 0) return std::nullopt;
    return known;
  }
};

Json dollars(const std::optional<UsdMicros>& amount) {
  if (!amount) return nullptr;
  return static_cast<double>(amount->value) / 1e6;
}

Json text_or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

Json foreseen_json(const Attempt& attempt) {
  Json json = Json::object();
  for (const auto& [other, paths] : attempt.foreseen) json[to_string(other)] = paths;
  return json;
}

// What is there only where there is something to say.
void add_optional(Json& json, const RunState& state, const Task& task) {
  const Attempt* last = task.attempts.empty() ? nullptr : &task.attempts.back();
  if (last != nullptr && state.held.contains(last->id))
    json["held"] = {{"reason", to_word(last->held->reason)}, {"why", last->held->why}};
  if (const std::optional<std::string> worktree = handed_over_worktree(state, task)) json["worktree"] = *worktree;
  if (last != nullptr && state.in_flight.contains(last->id) && !last->foreseen.empty())
    json["foreseen"] = foreseen_json(*last);
  if (task.spec.undoes) json["undoes"] = to_string(*task.spec.undoes);
  if (task.undone_by) json["undone_by"] = to_string(*task.undone_by);
}

Json task_json(const RunState& state, const Task& task) {
  const Attempt* last = task.attempts.empty() ? nullptr : &task.attempts.back();
  Json json;
  json["id"] = to_string(task.spec.id);
  json["title"] = task.spec.title;
  json["role"] = task.spec.role;
  json["status"] = to_word(task.status);
  json["attempts"] = task.attempts.size();
  json["agent"] = last ? text_or_null(last->arm.agent) : Json(nullptr);
  json["model"] = last ? text_or_null(last->arm.model) : Json(nullptr);
  json["cost_usd"] = dollars(known_cost(task));
  std::size_t suspicions = 0;
  for (const Attempt& attempt : task.attempts) suspicions += attempt.work ? attempt.work->suspicions.size() : 0;
  json["suspicions"] = suspicions;
  json["commit"] = last ? text_or_null(last->merge_commit) : Json(nullptr);
  add_optional(json, state, task);
  return json;
}

// "2026-11-30T14:05:00Z"
std::string utc_text(Micros wall_us) {
  const std::time_t seconds = wall_us / k_second;
  std::tm utc{};
  std::array<char, 32> text{};
  if (::gmtime_r(&seconds, &utc) == nullptr) return std::to_string(seconds);
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc)};
}

// What a run that has not ended waits for because of limits.
Json waiting_json(const RunState& state) {
  Json json = Json::array();
  if (!state.started || state.finished) return json;
  for (const CredentialWait& wait : waits_of(state)) {
    json.push_back({{"credential", wait.credential},
                    {"agents", wait.agents},
                    {"until", wait.until_wall_us ? Json(utc_text(*wait.until_wall_us)) : Json(nullptr)},
                    {"why", wait.why}});
  }
  return json;
}

}  // namespace

std::optional<UsdMicros> known_cost(const Task& task) {
  CostSum sum;
  for (const Attempt& attempt : task.attempts) sum.add(attempt);
  return sum.total();
}

std::optional<UsdMicros> known_cost(const RunState& state) {
  CostSum sum;
  for (const Task* task : tasks_and_planning(state)) {
    for (const Attempt& attempt : task->attempts) sum.add(attempt);
  }
  return sum.total();
}

std::string run_json(const RunState& state, std::int64_t events, const std::string& unfinished) {
  Json json;
  json["run"] = to_string(state.run);
  json["outcome"] = state.finished ? Json(to_word(state.finished->outcome)) : text_or_null(unfinished);
  Json& tasks = json["tasks"] = Json::array();
  for (const auto& [id, task] : state.tasks) tasks.push_back(task_json(state, task));
  if (state.tasks.empty()) {  // of a plan that waits for a person's look
    for (const TaskSpec& planned : state.planned) tasks.push_back(task_json(state, {.spec = planned}));
  }
  json["cost_usd"] = dollars(known_cost(state));
  json["wall_s"] = static_cast<double>(state.at_us / 1000) / 1e3;
  json["events"] = events;
  Json flaky = Json::object();
  for (const auto& [check, times] : state.flakes) {
    if (times > 0) flaky[check] = times;
  }
  if (!flaky.empty()) json["flaky"] = std::move(flaky);
  if (Json waiting = waiting_json(state); !waiting.empty()) json["waiting"] = std::move(waiting);
  if (const std::string red = red_target(state); !red.empty()) json["red_target"] = red;
  // Titles may hold what YAML let through; a stray byte must not cost the whole answer.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace bernstein::cli
