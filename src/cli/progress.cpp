#include "progress.hpp"

#include <algorithm>
#include <ostream>
#include <string_view>
#include <utility>

#include "bernstein/base/overloaded.hpp"
#include "bernstein/base/text.hpp"
#include "persons_turn.hpp"
#include "print.hpp"
#include "recap.hpp"
#include "waiting.hpp"
#include "words.hpp"

namespace bernstein::cli {
namespace {

constexpr const char* k_green = "\x1b[32m";
constexpr const char* k_red = "\x1b[31m";
constexpr const char* k_yellow = "\x1b[33m";
constexpr const char* k_dim = "\x1b[2m";
constexpr std::size_t k_commit_digits = 7;

std::string_view doing(Step step) {
  switch (step) {
    case Step::assigned:
    case Step::preparing:
    case Step::prepared:
      return "preparing";
    case Step::working:
      return "working";
    case Step::exited:
    case Step::capturing:
    case Step::captured:
      return "capturing";
    case Step::reading:
    case Step::answered:
      return "reading";
    case Step::queued:
      return "waiting to land";
    case Step::composing:
      return "being put together";
    case Step::candidate:
      return "waiting for its check";
    case Step::recalling:
    case Step::checking:
      return "checking";
    case Step::landing:
    case Step::landed:
    case Step::syncing:
      return "landing";
    case Step::conflicted:
      return "in conflict";
    case Step::held:
    case Step::handed_over:
      return "waiting for a person";
    case Step::broken:
    case Step::ended:
      return "ending";
    case Step::count_:
      break;
  }
  return "";
}

Micros first_assigned_us(const Task& task) {
  return task.attempts.empty() ? 0 : task.attempts.front().assigned_at_us;
}

std::string exit_clause(const AgentExited& exit) {
  if (exit.stopped) return "its agent was ended: " + printable_utf8(exit.why);
  if (exit.timed_out) return "its agent was stopped at the time limit, after " + format_duration(exit.duration_us);
  if (exit.stalled) return "its agent made no progress and was ended, after " + format_duration(exit.duration_us);
  return "its agent exited with " + std::to_string(exit.exit_code) + " after " + format_duration(exit.duration_us);
}

}  // namespace

Progress::Progress(std::ostream& out, Display display, port::Reactor& reactor, Tally before)
    : out_(out), display_(display), reactor_(reactor), tally_(std::move(before)) {}

void Progress::on_event(const RunState& state, const Event& event) {
  note(tally_, event);
  event_at_us_ = event.at_us;
  event_seen_us_ = reactor_.monotonic_us();
  tell(state, event);
  if (!display_.live) return;
  take(state);
  if (event_seen_us_ - drawn_us_ >= k_redraw_us_min || drawn_lines_ == 0) draw();
}

void Progress::on_warning(const std::string& sentence) {
  say("!", k_yellow, "warning: " + printable_utf8(sentence));
}

void Progress::tick() {
  if (display_.live && !run_.empty()) draw();
}

void Progress::close() {
  if (!display_.live) return;
  erase();
  out_.flush();
  display_.live = false;
}

// The line for the event, where it is worth one.
void Progress::tell(const RunState& state, const Event& event) {
  const TaskId id = event.subject.task;
  const auto found = state.tasks.find(id);
  const bool is_planner = id == k_planning && event.subject.attempt > 0;
  const Task* task = is_planner ? &state.planning.task : found == state.tasks.end() ? nullptr : &found->second;
  const std::string tag = "[" + to_string(id) + "] ";
  const std::string attempt = "attempt " + std::to_string(event.subject.attempt);
  const std::string title = task ? printable_utf8(task->spec.title) : "";
  std::visit(
      overloaded{
          [&](const PlanAccepted& plan) {
            say("", "",
                to_string(event.run) + ": " + std::to_string(plan.tasks.size()) +
                    (plan.tasks.size() == 1 ? " task" : " tasks") + " onto " +
                    replace_all(state.started->target, "refs/heads/", "") + ", up to " +
                    std::to_string(state.started->config.max_agents) + " at once");
          },
          [&](const PlanAdopted& adopted) {
            const bool is_split = task->attempts.at(event.subject.attempt - 1).answer->stages.empty();
            if (is_split) return;  // that line is its task's
            say("", "",
                to_string(event.run) + ": " + printable_utf8(adopted.why) + ", kept as " + plan_file_of(event.run));
          },
          [&](const PlanRead& read) {
            for (const std::string& warning : read.warnings) say("!", k_yellow, tag + printable_utf8(warning));
          },
          [&](const PlanFailed& failed) { say("✗", k_red, printable_utf8(failed.why)); },
          [&](const SplitWanted& wanted) {
            say("!", k_yellow, tag + "to be split by the planner: " + printable_utf8(wanted.why));
          },
          [&](const TaskSplit& split) { say("", "", tag + printable_utf8(split.why)); },
          [&](const RunResumed&) {
            say("", "",
                to_string(event.run) + " goes on: " + counted(std::ssize(tally_.in_flight), "attempt") +
                    " in flight, " + counted(std::ssize(state.tasks), "task") + " in all");
          },
          [&](const RunPaused& paused) {
            say("!", k_yellow,
                "paused (" + printable_utf8(paused.reason) + "): nothing new starts until `bernstein resume`");
          },
          [&](const RunContinued&) { say("", "", "goes on"); },
          [&](const TaskAssigned& assigned) {
            if (display_.live) return;  // its line shows it
            if (is_planner) {
              return say("", "",
                         tag + printable_utf8(assigned.why) + " (" + assigned.agent + "/" + assigned.model + ")");
            }
            say("", "",
                tag + title + " (" + assigned.agent + "/" + assigned.model +
                    (event.subject.attempt > 1 ? ", " + attempt : "") + ")");
          },
          [&](const AgentStalled& stalled) {
            say("!", k_yellow, tag + stall_words(stalled.silent_us, config_of(state).limits.no_progress_us));
          },
          [&](const AgentRecovered&) { say("", "", tag + "its agent makes progress again"); },
          [&](const AgentExited& exit) {
            if (exit.exit_code != 0 || exit.timed_out || exit.stopped || exit.stalled)
              say("!", k_yellow, tag + exit_clause(exit));
          },
          [&](const AttemptFailed& failed) {
            say("✗", k_yellow, tag + attempt + " failed: " + printable_utf8(failed.why));
          },
          [&](const MergeLanded& landed) {
            const Micros took = task ? event.at_us - first_assigned_us(*task) : 0;
            say("✓", k_green,
                tag + "landed " + landed.commit.substr(0, k_commit_digits) + " in " + format_duration(took) +
                    (display_.live ? "  " + title : ""));
          },
          [&](const TaskFailed& failed) { say("✗", k_red, tag + "failed: " + printable_utf8(failed.why)); },
          [&](const TaskBlocked& blocked) { say("-", k_dim, tag + "blocked: " + printable_utf8(blocked.why)); },
          [&](const EffectFailed& failed) {
            say("!", k_red, (event.subject == about_run() ? "" : tag) + printable_utf8(failed.message));
          },
          [&](const LandingHeld& held) { say("!", k_yellow, tag + printable_utf8(held.why)); },
          [&](const LandingApproved&) { say("", "", tag + "approved: it lands when it passes its checks"); },
          [&](const RetryWanted&) { say("", "", tag + "a person wants it again"); },
          [&](const UndoWanted&) { say("", "", tag + "a person wants it taken back"); },
          [&](const RevertRequested&) { say("", "", tag + title); },
          [&](const WorktreeReady&) {
            const std::optional<std::string> worktree = task ? handed_over_worktree(state, *task) : std::nullopt;
            if (!worktree || event.subject.attempt != task->attempts.size()) return;
            say("!", k_yellow,
                tag + "a person resolves its conflict in " + *worktree + ", then: bernstein retry " +
                    to_string(event.run) + "/" + to_string(id));
          },
          [&](const ProbeFinished& probe) {
            for (const std::string& line : foreseen_lines({id, event.subject.attempt}, probe.conflicts))
              say("!", k_yellow, line);
          },
          [&](const CheckFlaked& flaked) {
            const auto times = state.flakes.find(flaked.name);
            const std::uint32_t count = times == state.flakes.end() ? 1 : times->second;
            say("!", k_yellow,
                "check '" + printable_utf8(flaked.name) + "' is flaky: it contradicted itself " +
                    counted(static_cast<std::int64_t>(count), "time"));
          },
          [&](const VerdictReached& verdict) {
            if (event.subject != about_run() || verdict.verdict != Verdict::failed) return;
            say("!", k_red,
                replace_all(state.started->target, "refs/heads/", "") +
                    " fails its own checks: " + printable_utf8(verdict.why));
          },
          [&](const ParkRequested& park) {
            say("!", k_yellow,
                printable_utf8("waiting for " + park.credential + " until " +
                               format_clock(event.wall_us + park.wait_us, event.wall_us) + ": " + park.why));
          },
          [&](const ParkEnded& park) {
            say("", "", printable_utf8(park.credential) + " may be tried again, by one session first");
          },
          [&](const StopRequested& stop) {
            say("!", k_yellow,
                "stopping (" + printable_utf8(stop.reason) + "): " +
                    (stop.mode == StopMode::drain ? "what is in flight is finished; once more leaves it now"
                                                  : "agents and checks go on by themselves"));
          },
          [](const auto&) {},
      },
      event.body);
}

void Progress::take(const RunState& state) {
  run_ = to_string(state.run);
  tasks_ = state.tasks.size();
  const auto landed = state.count_by_status.find(TaskStatus::landed);
  landed_ = landed == state.count_by_status.end() ? 0 : landed->second;
  cost_ = state.spent.micros;
  waiting_ = waiting_lines(state, reactor_.wall_us());
  rows_.clear();
  for (AttemptId id : state.in_flight) {
    const Attempt& attempt = attempt_of(state, id);
    Row row{.attempt = id,
            .title = printable_utf8(task_of(state, id.task).spec.title),
            .arm = to_string(attempt.arm),
            .step = attempt.step,
            .stalled = attempt.step == Step::working && attempt.silent_us > 0,
            .since_us = attempt.assigned_at_us,
            .cost = std::nullopt};
    if (attempt.exit) row.cost = attempt.exit->usage.cost_micros;
    rows_.push_back(std::move(row));
  }
}

void Progress::say(const std::string& glyph, const std::string& colour, const std::string& text) {
  if (!display_.live) {
    out_ << text << '\n' << std::flush;
    return;
  }
  erase();
  out_ << (glyph.empty() ? "" : paint(colour, glyph) + " ") << fit(one_line(text), line_room()) << '\n';
}

// Columns of a line behind its glyph.
std::size_t Progress::line_room() const {
  return std::max<std::size_t>(display_.width, 3) - 2;
}

std::string Progress::paint(const std::string& colour, const std::string& text) const {
  return display_.colour && !colour.empty() ? colour + text + "\x1b[0m" : text;
}

std::string Progress::row_line(const Row& row) const {
  std::string right = "  " + row.arm + "  " + std::string(row.stalled ? "no progress" : doing(row.step)) + "  " +
                      format_duration(std::max<Micros>(run_time_us() - row.since_us, 0));
  if (row.cost) right += "  " + format_usd(*row.cost);
  const std::string left = to_string(row.attempt) + "  ";
  const std::size_t taken = 2 + columns_of(left) + columns_of(right);
  const std::size_t room = display_.width > taken ? display_.width - taken : 1;
  const std::string glyph = row.step == Step::working ? "▶" : "•";
  return paint(k_yellow, glyph) + " " + fit(left + fit(one_line(row.title), room) + right, line_room());
}

std::string Progress::summary_line() const {
  std::string line = run_ + "  " + std::to_string(landed_) + "/" + std::to_string(tasks_) + " landed";
  if (cost_ && cost_->value > 0) line += "  " + format_usd(*cost_);
  return paint(k_dim, fit(line + "  " + format_duration(run_time_us()), line_room()));
}

void Progress::draw() {
  erase();
  const std::size_t most = display_.height > 3 ? display_.height - 3 : 1;
  std::vector<std::string> lines;
  for (const Row& row : rows_) lines.push_back(row_line(row));
  for (const std::string& line : waiting_) lines.push_back(paint(k_yellow, "…") + " " + fit(line, line_room()));
  if (lines.size() > most) lines.resize(most);
  lines.push_back(summary_line());
  std::string block;
  for (const std::string& line : lines) block += line + "\n";
  drawn_lines_ = lines.size();
  drawn_us_ = reactor_.monotonic_us();
  out_ << block << std::flush;
}

// The cursor goes back to where the block began, and what is below it goes.
void Progress::erase() {
  if (drawn_lines_ == 0) return;
  out_ << "\x1b[" << drawn_lines_ << "A\r\x1b[J";
  drawn_lines_ = 0;
}

Micros Progress::run_time_us() const {
  return event_at_us_ + (reactor_.monotonic_us() - event_seen_us_);
}

}  // namespace bernstein::cli
