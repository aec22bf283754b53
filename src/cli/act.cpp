// approve, retry, undo: what a person wants of tasks. Where a Bernstein is at work on their run, it is told; else the
// run goes on with that.

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <ostream>
#include <thread>

#include "bernstein/base/text.hpp"
#include "bernstein/cli/commands.hpp"
#include "bernstein/run/wishes.hpp"
#include "drive.hpp"
#include "fold.hpp"
#include "names.hpp"
#include "open_workspace.hpp"
#include "print.hpp"
#include "recap.hpp"
#include "resume.hpp"
#include "signal_owner.hpp"

namespace bernstein::cli {
namespace {

using run::Wish;

constexpr std::chrono::milliseconds k_look{20};

std::ostream& people(Context& context) {
  return context.json ? context.err : context.out;
}

Result<Wish> wish_of(const Home& home, Wish::Kind kind, const std::string& typed) {
  BERNSTEIN_TRY(const TaskStory story, read_story(*home.reader, {.run = {}, .task = typed, .at = {}}));
  if (story.spec.id == k_planning) return Error{ErrorCode::invalid_input, "the plan is no task; name one, like t4"};
  if (story.attempt != 0) {
    return Error{ErrorCode::invalid_input, "'" + one_line(typed) + "' is an attempt; name its task, " +
                                               to_string(story.run) + "/" + to_string(story.spec.id)};
  }
  return Wish{kind, story.run, story.spec.id};
}

// All of one run; each once.
Result<std::vector<Wish>> wishes_of(const Home& home, Wish::Kind kind, const std::vector<std::string>& typed) {
  std::vector<Wish> wishes;
  for (const std::string& name : typed) {
    BERNSTEIN_TRY(const Wish wish, wish_of(home, kind, name));
    if (!wishes.empty() && wish.run != wishes.front().run) {
      return Error{ErrorCode::invalid_input, to_string(wishes.front().run) + " and " + to_string(wish.run) +
                                                 " are two runs; name tasks of one at a time"};
    }
    if (std::ranges::find(wishes, wish) == wishes.end()) wishes.push_back(wish);
  }
  return wishes;
}

// What an undo does not take back, although it may not make sense without it.
void note_what_builds_on(Context& context, const RunState& state, const Wish& wish) {
  if (wish.kind != Wish::Kind::undo) return;
  const std::vector<TaskId> dependents = run::landed_dependents(state, wish.task);
  if (dependents.empty()) return;
  std::vector<std::string> names;
  for (TaskId id : dependents) names.push_back(to_string(id));
  context.err << "note: " << join(names, ", ") << (names.size() == 1 ? " depends" : " depend") << " on "
              << to_string(wish.task) << " and " << (names.size() == 1 ? "stays" : "stay") << " as landed\n"
              << std::flush;
}

// What became of a wish that the owner has taken up.
std::string outcome_of(const RunState& before, const RunState& state, const Wish& wish) {
  const std::string name = to_string(wish.run) + "/" + to_string(wish.task);
  switch (wish.kind) {
    case Wish::Kind::approve:
      return name + " is approved: it lands when it passes its checks on the target as it is now";
    case Wish::Kind::retry:
      break;
    case Wish::Kind::undo: {
      std::string by;
      for (const auto& [id, task] : state.tasks) {
        if (task.spec.undoes == wish.task) by = to_string(id);
      }
      return (by.empty() ? "a task" : by) + " takes back what " + name + " has landed, through the same checks";
    }
  }
  const std::vector<Attempt>& attempts = task_of(before, wish.task).attempts;
  const bool is_persons = !attempts.empty() && attempts.back().step == Step::handed_over;
  return is_persons ? "what you made of " + name + " is checked, and lands when it passes" : name + " is tried again";
}

// Waits until the owner has taken the wish up; false when it went before it did.
Result<bool> hand_over(const Home& home, const store::Owner& owner, const std::string& request) {
  const std::string process = "process " + std::to_string(owner.pid);
  const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(k_answer_limit_us);
  while (std::chrono::steady_clock::now() < until) {
    const run::Answer answer = run::answer_to(home.sdd, request);
    if (answer.kind == run::Answer::Kind::done) return true;
    if (answer.kind == run::Answer::Kind::refused) return Error{ErrorCode::invalid_input, one_line(answer.why)};
    if (!owner_of(home)) break;
    std::this_thread::sleep_for(k_look);
  }
  if (!run::withdraw(home.sdd, request)) {  // answered just now
    const run::Answer answer = run::answer_to(home.sdd, request);
    if (answer.kind == run::Answer::Kind::refused) return Error{ErrorCode::invalid_input, one_line(answer.why)};
    return true;
  }
  if (!owner_of(home)) return false;
  return Error{ErrorCode::environment, process + " did not answer within " + format_duration(k_answer_limit_us) +
                                           ", and is not asked any more; it may be stopped (`kill -CONT " +
                                           std::to_string(owner.pid) + "`)"};
}

std::string wished_json(const std::vector<Wish>& wishes) {
  std::vector<std::string> tasks;
  for (const Wish& wish : wishes) tasks.push_back('"' + to_string(wish.task) + '"');
  return R"({"asked":")" + std::string(to_word(wishes.front().kind)) + R"(","run":")" + to_string(wishes.front().run) +
         R"(","tasks":[)" + join(tasks, ",") + "]}";
}

// How often the input that the wish becomes is in the log.
Result<std::string> recorded(const Home& home, const Wish& wish) {
  const std::string_view type = wish.kind == Wish::Kind::approve ? LandingApproved::type
                                : wish.kind == Wish::Kind::retry ? RetryWanted::type
                                                                 : UndoWanted::type;
  BERNSTEIN_TRY(
      const port::Table table,
      home.reader->query("SELECT count(*) FROM events WHERE run = '" + to_string(wish.run) + "' AND subject = '" +
                         to_string(wish.task) + "' AND type = '" + std::string(type) + "'"));
  return table.rows.front().front().text;
}

// How many of the wishes the owner has taken up: all, or those until it went.
Result<std::size_t> tell_owner(Context& context, const Home& home, const store::Owner& owner, const RunState& before,
                               const std::vector<Wish>& wishes) {
  const std::string run = to_string(wishes.front().run);
  if (owner.run != run) {
    return Error{ErrorCode::busy, run + " has to wait: another Bernstein is at work on " +
                                      (owner.run.empty() ? "this workspace" : owner.run) + ", process " +
                                      std::to_string(owner.pid) + "; say it again when that one is done"};
  }
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const std::string at = std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(now).count());
  for (std::size_t i = 0; i < wishes.size(); ++i) {
    const std::string name = std::string(at.size() < 17 ? 17 - at.size() : 0, '0') + at + "-" +
                             std::to_string(::getpid()) + "-" + std::to_string(i + 1);
    BERNSTEIN_TRY(const std::string recorded_before, recorded(home, wishes[i]));
    BERNSTEIN_TRY(const std::string request, run::leave_request(home.sdd, name, wishes[i]));
    BERNSTEIN_TRY(const bool is_taken_up, hand_over(home, owner, request));
    if (!is_taken_up) return i;
    BERNSTEIN_TRY(const std::string recorded_after, recorded(home, wishes[i]));
    if (recorded_after == recorded_before) {
      return Error{ErrorCode::environment, "process " + std::to_string(owner.pid) +
                                               " took the request and did nothing about it; `bernstein status` says "
                                               "how things stand"};
    }
    BERNSTEIN_TRY(const Picture picture, take_picture(*home.reader, wishes[i].run, std::nullopt));
    people(context) << outcome_of(before, picture.state, wishes[i]) << '\n' << std::flush;
  }
  if (context.json) context.out << wished_json(wishes) << '\n';
  return wishes.size();
}

Result<Exit> act(Context& context, Wish::Kind kind, const ActOptions& options) {
  BERNSTEIN_TRY(const Home home, open_workspace(context));
  BERNSTEIN_TRY(std::vector<Wish> wishes, wishes_of(home, kind, options.tasks));
  BERNSTEIN_TRY(const Picture picture, take_picture(*home.reader, wishes.front().run, std::nullopt));
  for (const Wish& wish : wishes) {
    BERNSTEIN_TRY_VOID(run::draft_of(picture.state, wish));
    note_what_builds_on(context, picture.state, wish);
  }
  if (const auto owner = owner_of(home)) {
    BERNSTEIN_TRY(const std::size_t taken_up, tell_owner(context, home, *owner, picture.state, wishes));
    if (taken_up == wishes.size()) return Exit::done;
    wishes.erase(wishes.begin(), wishes.begin() + static_cast<std::ptrdiff_t>(taken_up));
  }
  BERNSTEIN_TRY(const Place place, find_place(home.root));
  BERNSTEIN_TRY(Tenure tenure, take_ownership(context, place));
  return go_on(context, tenure, {.run = to_string(wishes.front().run), .plain = options.plain}, wishes);
}

bool is_run(const std::string& typed) {
  return typed == "latest" || parse_run_id(typed).has_value();
}

}  // namespace

Result<Exit> approve_command(Context& context, const ActOptions& options) {
  const std::vector<std::string>& tasks = options.tasks;
  if (tasks.empty() || (tasks.size() == 1 && is_run(tasks.front()))) {
    return resume_command(context,
                          {.run = tasks.empty() ? "" : tasks.front(), .plain = options.plain, .approve = true});
  }
  return act(context, Wish::Kind::approve, options);
}

Result<Exit> retry_command(Context& context, const ActOptions& options) {
  return act(context, Wish::Kind::retry, options);
}

Result<Exit> undo_command(Context& context, const ActOptions& options) {
  return act(context, Wish::Kind::undo, options);
}

}  // namespace bernstein::cli
