#include "bernstein/run/wishes.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <set>

#include "bernstein/base/text.hpp"

namespace bernstein::run {
namespace {

constexpr std::array<std::string_view, 3> k_kinds{"approve", "retry", "undo"};

Error refuse(std::string why) {
  return {ErrorCode::invalid_input, std::move(why)};
}

// "t4 of r1".
std::string name_of(const RunState& state, TaskId task) {
  return to_string(task) + " of " + to_string(state.run);
}

std::string command(std::string_view word, const RunState& state, TaskId task) {
  return "`bernstein " + std::string(word) + " " + to_string(state.run) + "/" + to_string(task) + "`";
}

Error no_such_task(const RunState& state, TaskId task) {
  const std::string there_are = state.tasks.empty() ? "it has no tasks yet"
                                : state.tasks.size() == 1
                                    ? "its only task is t1"
                                    : "its tasks are t1 to " + to_string(state.tasks.rbegin()->first);
  return {ErrorCode::not_found, to_string(state.run) + " has no task " + to_string(task) + "; " + there_are};
}

std::string parts_in_words(const Task& task) {
  std::vector<std::string> names;
  for (TaskId part : task.parts) names.push_back(to_string(part));
  return join(names, ", ");
}

// The task that failed and without which this one cannot be done.
std::optional<TaskId> what_blocks(const RunState& state, TaskId blocked) {
  std::set<TaskId> seen;
  const std::function<std::optional<TaskId>(TaskId)> look = [&](TaskId id) -> std::optional<TaskId> {
    if (!seen.insert(id).second) return std::nullopt;
    const Task& task = task_of(state, id);
    if (task.status == TaskStatus::failed) return id;
    for (TaskId needed : task.spec.depends_on) {
      if (const auto found = look(needed)) return found;
    }
    for (std::uint32_t stage : task.spec.depends_on_stages) {
      for (const auto& [other, its] : state.tasks) {
        if (its.spec.stage != stage || its.spec.undoes) continue;
        if (const auto found = look(other)) return found;
      }
    }
    return std::nullopt;
  };
  return look(blocked);
}

Result<Draft> approve(const RunState& state, const Task& task) {
  const TaskId id = task.spec.id;
  const Attempt* last = task.attempts.empty() ? nullptr : &task.attempts.back();
  if (task.status == TaskStatus::landed) return refuse(name_of(state, id) + " has landed already");
  const bool is_in_flight = last != nullptr && state.in_flight.contains(last->id);
  const bool waits = is_in_flight && last->held && last->held->reason == Hold::approval;
  if (waits || (is_in_flight && last->approved)) return Draft{about(id), LandingApproved{}};
  const bool is_held_otherwise = is_in_flight && last->held;
  return refuse(name_of(state, id) + " waits for no approval: " +
                (is_held_otherwise ? last->held->why
                                   : "it is " + std::string(to_word(task.status)) + "; " + command("why", state, id) +
                                         " tells more"));
}

Result<Draft> retry(const RunState& state, const Task& task) {
  const TaskId id = task.spec.id;
  const std::string name = name_of(state, id);
  switch (task.status) {
    case TaskStatus::failed: {
      const Attempt* last = task.attempts.empty() ? nullptr : &task.attempts.back();
      const bool is_being_made = last != nullptr && (last->step == Step::assigned || last->step == Step::preparing);
      if (!is_being_made) return Draft{about(id), RetryWanted{}};
      return refuse("the worktree in which a person resolves the conflict of " + name +
                    " is not ready yet: `bernstein resume " + to_string(state.run) +
                    "` makes it where nobody is at work, and `bernstein status` says where it is");
    }
    case TaskStatus::blocked: {
      const std::optional<TaskId> by = what_blocks(state, id);
      if (!by) break;
      return refuse(name + " is blocked by " + to_string(*by) + ", which failed: " + command("retry", state, *by) +
                    ", and it follows by itself");
    }
    case TaskStatus::landed:
      return refuse(name + " has landed, so there is nothing to try again; " + command("undo", state, id) +
                    " takes it back");
    case TaskStatus::split:
      return refuse(name + " was split, and its parts stand for it: retry one of " + parts_in_words(task));
    case TaskStatus::waiting:
    case TaskStatus::ready:
    case TaskStatus::running:
    case TaskStatus::reported:
    case TaskStatus::verifying:
    case TaskStatus::verified:
    case TaskStatus::cancelled:
    case TaskStatus::count_:
      break;
  }
  const Attempt* last = task.attempts.empty() ? nullptr : &task.attempts.back();
  if (last != nullptr && last->held) return refuse(name + " has not failed: " + last->held->why);
  return refuse(name + " has not failed: it is " + std::string(to_word(task.status)) + "; " +
                command("why", state, id) + " tells more");
}

// A task that is to take this one back, and has not done so.
std::optional<TaskId> undo_of(const RunState& state, TaskId id) {
  for (const auto& [other, task] : state.tasks) {
    if (task.spec.undoes == id && task.status != TaskStatus::landed) return other;
  }
  return std::nullopt;
}

Result<Draft> undo(const RunState& state, const Task& task) {
  const TaskId id = task.spec.id;
  const std::string name = name_of(state, id);
  if (task.status == TaskStatus::split)
    return refuse(name + " was split, and its parts stand for it: undo one of " + parts_in_words(task));
  if (task.status != TaskStatus::landed)
    return refuse(name + " has not landed: it is " + std::string(to_word(task.status)) +
                  ", and there is nothing to take back");
  if (task.undone_by) return refuse(name + " was taken back already, by " + to_string(*task.undone_by));
  if (std::ranges::find(state.to_undo, id) != state.to_undo.end()) return refuse(name + " is to be taken back already");
  if (const std::optional<TaskId> other = undo_of(state, id)) {
    const bool has_failed = state.tasks.at(*other).status == TaskStatus::failed;
    return refuse(to_string(*other) + " is to take back " + name + " already" +
                  (has_failed ? ", and failed: " + command("retry", state, *other) : ""));
  }
  return Draft{about(id), UndoWanted{}};
}

bool take(std::string_view& text, std::string_view expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(expected.size());
  return true;
}

std::string take_value(std::string_view& text) {
  const std::size_t end = text.find('"');
  const std::string value(text.substr(0, end));
  text.remove_prefix(end == std::string_view::npos ? text.size() : end);
  return value;
}

}  // namespace

std::string_view to_word(Wish::Kind kind) {
  return k_kinds[static_cast<std::size_t>(kind)];
}

std::string to_text(const Wish& wish) {
  return R"({"kind":")" + std::string(to_word(wish.kind)) + R"(","run":")" + to_string(wish.run) + R"(","task":")" +
         to_string(wish.task) + R"(","version":1})";
}

Result<Wish> parse_wish(std::string_view text) {
  const Error unreadable{ErrorCode::invalid_input, "the request is not what this version of Bernstein writes"};
  std::string_view rest = text;
  if (!take(rest, R"({"kind":")")) return unreadable;
  const auto kind = std::ranges::find(k_kinds, take_value(rest));
  if (kind == k_kinds.end() || !take(rest, R"(","run":")")) return unreadable;
  const std::optional<RunId> run = parse_run_id(take_value(rest));
  if (!run || !take(rest, R"(","task":")")) return unreadable;
  const std::optional<TaskId> task = parse_task_id(take_value(rest));
  if (!task) return unreadable;
  const Wish wish{static_cast<Wish::Kind>(kind - k_kinds.begin()), *run, *task};
  if (to_text(wish) != text) return unreadable;
  return wish;
}

Result<Draft> draft_of(const RunState& state, const Wish& wish) {
  if (wish.run != state.run)
    return refuse("Bernstein is at work on " + to_string(state.run) + ", not on " + to_string(wish.run));
  const auto found = state.tasks.find(wish.task);
  if (found == state.tasks.end()) return no_such_task(state, wish.task);
  switch (wish.kind) {
    case Wish::Kind::approve:
      return approve(state, found->second);
    case Wish::Kind::retry:
      return retry(state, found->second);
    case Wish::Kind::undo:
      break;
  }
  return undo(state, found->second);
}

std::vector<TaskId> landed_dependents(const RunState& state, TaskId task) {
  std::set<TaskId> found;
  const std::function<void(TaskId)> look = [&](TaskId needed) {
    const std::uint32_t stage = task_of(state, needed).spec.stage;
    const auto add = [&](TaskId dependent) {
      if (found.insert(dependent).second) look(dependent);
    };
    if (const auto direct = state.dependents.find(needed); direct != state.dependents.end()) {
      for (TaskId dependent : direct->second) add(dependent);
    }
    if (stage < state.stages.size()) {
      for (TaskId dependent : state.stages[stage].dependents) add(dependent);
    }
  };
  look(task);
  std::vector<TaskId> landed;
  for (TaskId id : found) {
    const Task& dependent = task_of(state, id);
    if (dependent.status == TaskStatus::landed && !dependent.undone_by) landed.push_back(id);
  }
  return landed;
}

}  // namespace bernstein::run
