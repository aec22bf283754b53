#pragma once
// Books of a run's budget, kept from its events alone: reservations, what agents told, what a person allowed. They know
// nothing of RunState, and say where an event breaks what decide/budget.hpp promises.
//
//     Books money(Books::Of::micros, Habit::keeps);
//     for (const Event& event : world.log()) money.take(event);     // failures of gtest

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "bernstein/decide/budget.hpp"
#include "bernstein/event/event.hpp"

namespace bernstein::test {

// How agents use what they reserve.
enum class Habit {
  keeps,   // more or less, but at most the ceiling of such an attempt
  steady,  // up to three times their ceiling, and attempts of a kind always the same
  wild     // up to three times what they reserved, every time anew
};

// One of the two budgets, kept by the events of the log.
class Books {
 public:
  enum class Of { micros, tokens };
  Books(Of of, Habit habit) : of_(of), habit_(habit) {}

  void take(const Event& event) {
    SCOPED_TRACE("event " + std::to_string(event.seq) + " " + std::string(type_of(event.body)) + " " +
                 to_string(event.subject) + (of_ == Of::micros ? ", money" : ", tokens"));
    const AttemptId id{event.subject.task, event.subject.attempt};
    if (const auto* e = std::get_if<RunStarted>(&event.body)) start(*e);
    if (const auto* e = std::get_if<RunResumed>(&event.body)) resume(*e);
    if (const auto* e = std::get_if<TaskCreated>(&event.body)) specs_[e->spec.id] = e->spec;
    if (const auto* e = std::get_if<TaskAssigned>(&event.body)) assign(id, *e);
    if (std::holds_alternative<AgentStarted>(event.body)) flights_.at(id).started = true;
    if (const auto* e = std::get_if<AgentExited>(&event.body)) exit(id, *e);
    if (const auto* e = std::get_if<EffectFailed>(&event.body)) lose(id, *e);
    check_overshoot();
  }

  // Whether this attempt could start while nothing is in flight.
  bool would_admit(const Task& task, const Arm& arm) const {
    if (!budget_) return true;
    const std::int64_t left = *budget_ - total();
    const std::int64_t seen = seen_of(key_of(arm.agent, arm.model, task.spec.complexity));
    const std::int64_t expected = std::max(seen, limit_of(task.spec));
    return left >= expected || (left > 0 && left >= seen && left >= expected / 10);
  }

  // What an attempt of this task may use if its agent keeps to it.
  std::int64_t limit_of(const TaskSpec& spec) const {
    const std::int64_t ceiling = part(attempt_ceiling(spec));
    const auto own = own_ceiling_of(spec);
    return own ? std::min(ceiling, *own - used_of(spec.id)) : ceiling;
  }
  std::int64_t reserved_of(AttemptId id) const { return flights_.at(id).reserved; }

  std::int64_t attempts() const { return attempts_; }
  std::int64_t excesses() const { return excesses_; }
  std::int64_t last_ones() const { return last_ones_; }
  std::int64_t worst() const { return worst_; }

 private:
  struct Flight {
    std::int64_t reserved = 0;
    std::int64_t limit = 0;
    std::string key;
    bool is_last = false;  // it got less than it is expected to use
    bool started = false;
  };

  std::int64_t part(const Outlay& outlay) const { return of_ == Of::micros ? outlay.micros.value : outlay.tokens; }
  std::int64_t total() const { return used_ + reserved_; }
  static std::string key_of(const std::string& agent, const std::string& model, Complexity complexity) {
    return agent + " " + model + " " + std::string(to_word(complexity));
  }
  std::int64_t seen_of(const std::string& key) const {
    const auto found = seen_.find(key);
    return found == seen_.end() ? 0 : found->second;
  }
  std::int64_t used_of(TaskId id) const {
    const auto found = used_by_task_.find(id);
    return found == used_by_task_.end() ? 0 : found->second;
  }
  std::optional<std::int64_t> own_ceiling_of(const TaskSpec& spec) const {
    if (of_ == Of::tokens || spec.id == k_planning) return std::nullopt;
    if (spec.budget_micros) return spec.budget_micros->value;
    return own_ceiling_;
  }

  void start(const RunStarted& e) {
    if (of_ == Of::tokens) budget_ = e.config.budget_tokens;
    if (of_ == Of::micros && e.config.budget_micros) budget_ = e.config.budget_micros->value;
    if (e.config.limits.task_cost_micros) own_ceiling_ = e.config.limits.task_cost_micros->value;
    specs_[k_planning].id = k_planning;
  }

  void resume(const RunResumed& e) {
    if (of_ == Of::tokens && e.budget_tokens) budget_ = e.budget_tokens;
    if (of_ == Of::micros && e.budget_micros) budget_ = e.budget_micros->value;
    committed_at_resume_ = total();
    excess_since_admission_ = 0;
  }

  void assign(AttemptId id, const TaskAssigned& e) {
    const TaskSpec& spec = specs_.at(id.task);
    Flight flight{.reserved = part({e.reserved_micros, e.reserved_tokens}),
                  .limit = limit_of(spec),
                  .key = key_of(e.agent, e.model, spec.complexity)};
    const std::int64_t seen = seen_of(flight.key);
    flight.is_last = flight.reserved < std::max(flight.limit, seen);
    reserved_ += flight.reserved;
    ++attempts_;
    if (budget_) {
      EXPECT_LE(total(), *budget_) << "it started although the budget did not allow it";
    }
    EXPECT_GT(flight.reserved, 0);
    EXPECT_GE(flight.reserved, seen) << "an attempt of its kind is known to have used more";
    if (flight.is_last) {
      ++last_ones_;
      EXPECT_TRUE(flights_.empty()) << "only the last one may get what is left";
      EXPECT_GE(flight.reserved, flight.limit / 10) << "a hopelessly small rest";
    }
    if (const auto own = own_ceiling_of(spec); own && used_of(spec.id) > 0) {
      EXPECT_GE(*own - used_of(spec.id), part(attempt_ceiling(spec)) / 10) << "its own ceiling is used up";
    }
    committed_at_resume_ = 0;
    excess_since_admission_ = 0;
    flights_.emplace(id, flight);
  }

  void exit(AttemptId id, const AgentExited& e) {
    const Flight flight = flights_.at(id);
    const Usage& usage = e.usage;
    const bool is_ended = e.timed_out || e.stalled || e.stopped;
    const std::int64_t told = of_ == Of::micros ? usage.cost_micros.value_or(UsdMicros{}).value
                                                : usage.input_tokens.value_or(0) + usage.output_tokens.value_or(0);
    const bool is_known = of_ == Of::micros ? usage.cost_micros.has_value() : usage.input_tokens && usage.output_tokens;
    // Of one that was refused: the part of ten minutes that it worked.
    const bool is_refused = e.outcome == AgentOutcome::quota || e.outcome == AgentOutcome::overload;
    const std::int64_t seconds = is_refused ? std::min<std::int64_t>(e.duration_us / k_second, 600) : 600;
    const std::int64_t presumed = flight.reserved * seconds / 600;
    const std::int64_t counted = is_known && !is_ended ? told : std::max(told, presumed);
    const std::int64_t excess = std::max<std::int64_t>(counted - flight.reserved, 0);
    if (excess > 0) note_excess(id, flight, told, excess);
    flights_.erase(id);
    reserved_ -= flight.reserved;
    used_ += counted;
    used_by_task_[id.task] += counted;
    excess_since_admission_ += excess;
  }

  void note_excess(AttemptId id, const Flight& flight, std::int64_t told, std::int64_t excess) {
    ++excesses_;
    if (!seen_.contains(flight.key)) {
      for (const auto& [other, its] : flights_) {
        if (its.key == flight.key) unaware_.insert(other);
      }
    }
    seen_[flight.key] = std::max(seen_of(flight.key), told);
    if (unaware_.contains(id)) excess_of_unaware_ += excess;
    if (habit_ == Habit::keeps) {
      EXPECT_TRUE(flight.is_last) << "who keeps to its ceiling uses more only where it got a rest";
      EXPECT_LT(excess, flight.limit) << "of one attempt's ceiling";
    }
    if (habit_ == Habit::steady) {
      EXPECT_TRUE(unaware_.contains(id)) << "its kind had been seen to use more when it started";
    }
  }

  // The attempt was lost before its agent had ended; what the agent did until then is not known.
  void lose(AttemptId id, const EffectFailed& e) {
    const auto found = flights_.find(id);
    if (found == flights_.end()) return;
    reserved_ -= found->second.reserved;
    if (found->second.started && e.effect == SpawnRequested::type) {
      used_ += found->second.reserved;
      used_by_task_[id.task] += found->second.reserved;
    }
    flights_.erase(found);
  }

  void check_overshoot() {
    if (!budget_) return;
    // A resume may lower the budget below what is in use already; nothing is admitted then.
    const std::int64_t over = total() - std::max(*budget_, committed_at_resume_);
    worst_ = std::max(worst_, over);
    // What was admitted fitted, so only what is used beyond reservations since then can be too much.
    EXPECT_LE(over, excess_since_admission_);
    if (habit_ == Habit::steady) {
      EXPECT_LE(over, excess_of_unaware_);
    }
  }

  Of of_;
  Habit habit_;
  std::optional<std::int64_t> budget_;
  std::optional<std::int64_t> own_ceiling_;
  std::map<TaskId, TaskSpec> specs_;
  std::map<TaskId, std::int64_t> used_by_task_;
  std::map<AttemptId, Flight> flights_;
  std::map<std::string, std::int64_t> seen_;  // by kind: the most that an attempt used beyond its reservation
  std::set<AttemptId> unaware_;               // in flight when the first of their kind was seen to use more
  std::int64_t used_ = 0;                     // told or presumed
  std::int64_t reserved_ = 0;
  std::int64_t committed_at_resume_ = 0;  // until something is admitted
  std::int64_t excess_since_admission_ = 0;
  std::int64_t excess_of_unaware_ = 0;
  std::int64_t attempts_ = 0;
  std::int64_t excesses_ = 0;
  std::int64_t last_ones_ = 0;
  std::int64_t worst_ = 0;
};

}  // namespace bernstein::test
