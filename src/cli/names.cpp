#include "names.hpp"

#include <algorithm>

#include "bernstein/base/text.hpp"
#include "bernstein/event/codec.hpp"
#include "print.hpp"

namespace bernstein::cli {
namespace {

// Task and attempt as typed, before anybody looked whether they exist. `key`: a word that is no number.
struct TypedTask {
  std::string run;
  std::optional<TaskId> task;
  std::uint32_t attempt = 0;
  std::string key;
};

TypedTask parse_task(const std::string& typed) {
  TypedTask parsed;
  std::string_view name = trim(typed);
  // A step's id may hold a slash of its own: only what looks like a run is taken for one.
  if (const std::size_t slash = name.find('/'); slash != std::string_view::npos) {
    const std::string_view run = name.substr(0, slash);
    if (parse_run_id(run) || run == "latest") {
      parsed.run = run;
      name.remove_prefix(slash + 1);
    }
  }
  if (const auto attempt = parse_attempt_id(name)) {
    parsed.task = attempt->task;
    parsed.attempt = attempt->number;
  } else {
    parsed.task = name == to_string(k_planning) ? k_planning : parse_task_id(name);
  }
  parsed.key = name;
  return parsed;
}

std::string range_of(const std::vector<RunId>& runs) {
  if (runs.size() == 1) return "the only run is " + to_string(runs.front());
  return "there are " + to_string(runs.front()) + " to " + to_string(runs.back());
}

Result<RunId> run_of_event(port::EventReader& reader, Seq at, const std::vector<RunId>& runs) {
  BERNSTEIN_TRY(const port::Table table, reader.query("SELECT run FROM events WHERE seq <= " + std::to_string(at) +
                                                      " ORDER BY seq DESC LIMIT 1"));
  if (table.rows.empty() || table.rows.front().empty()) {
    return Error{ErrorCode::not_found,
                 "there is no event at or before " + std::to_string(at) + "; sequence numbers start at 1"};
  }
  const auto run = parse_run_id(table.rows.front().front().text);
  if (!run || !std::binary_search(runs.begin(), runs.end(), *run)) {
    return Error{ErrorCode::corrupt,
                 "event " + std::to_string(at) + " names a run that is none; `bernstein audit` says more"};
  }
  return *run;
}

Error no_such_task(RunId run, const std::string& name, const std::vector<TaskSpec>& tasks) {
  const std::string there_are = tasks.empty()       ? "it has no tasks yet"
                                : tasks.size() == 1 ? "its only task is t1"
                                                    : "its tasks are t1 to " + to_string(tasks.back().id);
  if (parse_task_id(name) || parse_attempt_id(name)) {
    return {ErrorCode::not_found, to_string(run) + " has no task " + name + "; " + there_are};
  }
  std::vector<std::string> words;
  for (const TaskSpec& task : tasks) {
    if (!task.key.empty()) words.push_back(task.key);
  }
  const std::string near = did_you_mean_clause(name, words);
  return {ErrorCode::not_found, to_string(run) + " has no task '" + one_line(name) + "'" +
                                    (near.empty() ? "; write t4, r3/t4 or, for an attempt, t4.2" : near)};
}

// What names tasks: plans, and the creation of those that take back others.
bool names_tasks(const Record& record) {
  return record.type == PlanAccepted::type || record.type == PlanRead::type || record.type == TaskCreated::type;
}

void add_tasks(std::vector<TaskSpec>& tasks, const EventBody& body) {
  if (const auto* created = std::get_if<TaskCreated>(&body)) {
    if (created->spec.undoes) tasks.push_back(created->spec);
    return;
  }
  const auto* accepted = std::get_if<PlanAccepted>(&body);
  const auto* read = std::get_if<PlanRead>(&body);
  const std::vector<TaskSpec>& more = accepted != nullptr ? accepted->tasks : read->tasks;
  tasks.insert(tasks.end(), more.begin(), more.end());
}

bool begins_attempt(const EventBody& body) {
  return std::holds_alternative<TaskAssigned>(body) || std::holds_alternative<TaskHandedOver>(body) ||
         std::holds_alternative<RevertRequested>(body);
}

const TaskSpec* find_spec(const std::vector<TaskSpec>& tasks, const TypedTask& typed) {
  auto found = std::find_if(tasks.begin(), tasks.end(), [&](const TaskSpec& task) {
    return typed.task ? task.id == *typed.task : !task.key.empty() && task.key == typed.key;
  });
  return found == tasks.end() ? nullptr : &*found;
}

}  // namespace

Result<RunId> find_run(port::EventReader& reader, const std::string& typed, std::optional<Seq> at) {
  BERNSTEIN_TRY(const std::vector<RunId> runs, reader.runs());
  if (runs.empty()) {
    return Error{ErrorCode::not_found, "there are no runs yet; start one with `bernstein run plan.yaml`"};
  }
  const std::string_view name = trim(typed);
  if (name.empty() || name == "latest") {
    if (at) return run_of_event(reader, *at, runs);
    return runs.back();
  }
  const auto run = parse_run_id(name);
  if (!run) {
    const std::vector<std::string> words{"latest"};
    const std::string near = did_you_mean_clause(name, words);
    return Error{ErrorCode::not_found,
                 "'" + one_line(name) + "' is no run" + (near.empty() ? "; write r3, 3 or latest" : near)};
  }
  if (!std::binary_search(runs.begin(), runs.end(), *run)) {
    return Error{ErrorCode::not_found, "there is no run " + to_string(*run) + "; " + range_of(runs)};
  }
  return *run;
}

Result<TaskStory> read_story(port::EventReader& reader, const LookOptions& options) {
  const TypedTask typed = parse_task(options.task);
  if (!typed.run.empty() && !options.run.empty() && parse_run_id(typed.run) != parse_run_id(options.run)) {
    return Error{ErrorCode::invalid_input,
                 "'" + options.task + "' is not a task of run " + options.run + "; name one run"};
  }
  TaskStory story;
  BERNSTEIN_TRY(story.run, find_run(reader, typed.run.empty() ? options.run : typed.run, options.at));

  // A plan names its tasks, and comes before what happens to them; most records need not be decoded.
  std::optional<Error> fault;
  bool found = typed.task == k_planning;
  std::vector<TaskSpec> tasks;
  std::string task_subject = to_string(k_planning);  // as long as nothing else was found
  std::string attempt_prefix = task_subject + ".";
  BERNSTEIN_TRY_VOID(reader.read(story.run, [&](const Record& record) {
    if (options.at && record.seq > *options.at) return false;
    if (!found && !names_tasks(record)) return true;
    if (found && record.subject != task_subject && !record.subject.starts_with(attempt_prefix)) return true;
    Result<Event> event = to_event(record);
    if (!event) {
      fault = event.error();
      return false;
    }
    if (!found) {
      add_tasks(tasks, event->body);
      const TaskSpec* spec = find_spec(tasks, typed);
      if (spec == nullptr) return true;
      found = true;
      story.spec = *spec;
      story.attempt = typed.attempt;
      task_subject = to_string(spec->id);
      attempt_prefix = task_subject + ".";
      if (!std::holds_alternative<TaskCreated>(event->body)) return true;
    }
    if (begins_attempt(event->body)) {
      story.attempts = std::max(story.attempts, event->subject.attempt);
    }
    const bool shown = story.attempt == 0 || event->subject.attempt == story.attempt;
    if (shown) story.events.push_back(std::move(*event));
    return true;
  }));
  if (fault) return *std::move(fault);
  if (!found) return no_such_task(story.run, typed.key, tasks);
  if (story.attempt > story.attempts) {
    const std::string task = to_string(story.spec.id);
    return Error{
        ErrorCode::not_found,
        task + " of " + to_string(story.run) + " has no attempt " + std::to_string(story.attempt) + "; " +
            (story.attempts == 0   ? "none has begun"
             : story.attempts == 1 ? "the only one is " + task + ".1"
                                   : "there are " + task + ".1 to " + task + "." + std::to_string(story.attempts))};
  }
  return story;
}

}  // namespace bernstein::cli
