#include "history.hpp"

#include <type_traits>
#include <variant>

#include "bernstein/event/codec.hpp"
#include "bernstein/state/run_state.hpp"

namespace bernstein::cli {
namespace {

// What each event that tells something changes.
class Noting {
 public:
  Noting(History& history, const Event& event) : history_(history), event_(event) {}

  void on(const RunStarted& e) {
    history_.runs[event_.run] = {
        .first_seq = event_.seq, .begun_wall_us = event_.wall_us, .started = e, .budget = e.config.budget_micros};
  }
  void on(const PlanAccepted& e) { history_.runs[event_.run].plan = e; }
  void on(const RunResumed& e) {
    RunFacts& run = history_.runs[event_.run];
    run.outcome.reset();
    if (e.budget_micros) run.budget = e.budget_micros;
  }
  void on(const RunFinished& e) {
    RunFacts& run = history_.runs[event_.run];
    run.outcome = e.outcome;
    run.makespan_us = event_.at_us;
  }
  void on(const TaskCreated& e) { history_.tasks[{event_.run, e.spec.id}].spec = e.spec; }
  void on(const TaskAssigned& e) {
    if (event_.subject.task == k_planning) {
      history_.tasks[{event_.run, k_planning}].spec = {
          .id = k_planning, .role = std::string(k_planner_role), .title = "the plan"};
    }
    history_.tasks[{event_.run, event_.subject.task}];
    history_.attempts[key()] = {
        .agent = e.agent, .model = e.model, .reserved = e.reserved_micros, .begun_wall_us = event_.wall_us};
  }
  void on(const AgentExited& e) {
    AttemptFacts* attempt = find();
    if (attempt == nullptr) return;
    attempt->exited = true;
    attempt->exited_wall_us = event_.wall_us;
    attempt->duration_us = e.duration_us;
    attempt->cost_source = e.usage.cost_micros ? e.cost_source : CostSource::unknown;
    attempt->usage = e.usage;
  }
  void on(const CheckFinished& e) {
    AttemptFacts* attempt = find();
    if (attempt != nullptr && !e.stopped) attempt->checked_us = attempt->checked_us.value_or(0) + e.duration_us;
  }
  void on(const MergeLanded&) {
    TaskFacts& task = history_.tasks[{event_.run, event_.subject.task}];
    task.landed_by = event_.subject.attempt;
    if (task.spec.undoes) history_.tasks[{event_.run, *task.spec.undoes}].undone_by = task.spec.id;
    end(AttemptEnd::landed);
  }
  void on(const PlanAdopted&) { end(AttemptEnd::planned); }
  void on(const AttemptFailed& e) {
    end(AttemptEnd::failed);
    if (AttemptFacts* attempt = find()) attempt->failure = e.class_;
  }

 private:
  AttemptKey key() const { return {event_.run, {event_.subject.task, event_.subject.attempt}}; }
  AttemptFacts* find() {
    const auto found = history_.attempts.find(key());
    return found == history_.attempts.end() ? nullptr : &found->second;
  }
  void end(AttemptEnd how) {
    AttemptFacts* attempt = find();
    if (attempt == nullptr) return;
    attempt->end = how;
    attempt->ended_seq = event_.seq;
  }

  History& history_;
  const Event& event_;
};

template <class Body>
concept Noted = requires(Noting noting, const Body& body) {
  noting.on(body);
};

template <class... Body>
bool is_noted_of(std::string_view type, std::type_identity<std::variant<Body...>>) {
  return ((Noted<Body> && Body::type == type) || ...);
}

}  // namespace

bool is_noted(std::string_view type) {
  return is_noted_of(type, std::type_identity<EventBody>{});
}

void note(History& history, const Event& event) {
  Noting noting(history, event);
  std::visit(
      [&]<class Body>(const Body& body) {
        if constexpr (Noted<Body>) {
          history.runs[event.run];  // there is one for each task, also of a log that was altered
          noting.on(body);
        }
      },
      event.body);
}

Result<History> read_history(port::EventReader& reader, std::optional<Seq> until) {
  History history;
  std::optional<Error> fault;
  BERNSTEIN_TRY_VOID(reader.read_all([&](const Record& record) {
    if (until && record.seq > *until) return false;
    if (!is_noted(record.type)) return true;
    Result<Event> event = to_event(record);
    if (!event) return (fault = std::move(event).error(), false);
    note(history, *event);
    return true;
  }));
  if (fault) return *std::move(fault);
  return history;
}

bool stands(const History& history, const TaskKey& task) {
  const auto found = history.tasks.find(task);
  if (found == history.tasks.end() || found->second.landed_by == 0) return false;
  const std::optional<TaskId>& undo = found->second.undone_by;
  return !undo || !stands(history, TaskKey{task.first, *undo});
}

bool stands(const History& history, const AttemptKey& attempt) {
  const TaskKey task{attempt.first, attempt.second.task};
  const auto found = history.tasks.find(task);
  return found != history.tasks.end() && found->second.landed_by == attempt.second.number && stands(history, task);
}

}  // namespace bernstein::cli
