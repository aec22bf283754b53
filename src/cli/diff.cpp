// diff: what an attempt changed, as git shows it.

#include <nlohmann/json.hpp>
#include <ostream>

#include "bernstein/base/text.hpp"
#include "bernstein/cli/commands.hpp"
#include "names.hpp"
#include "open_workspace.hpp"
#include "print.hpp"
#include "words.hpp"

namespace bernstein::cli {
namespace {

struct Change {
  std::uint32_t attempt = 0;
  std::string from;
  std::string to;
  bool landed = false;
};

// Of a landed task, what its landing brought to the target; else what was captured of the attempt. Nothing when nothing
// was captured yet.
std::optional<Change> change_of(const TaskStory& story) {
  Change change{.attempt = story.shown_attempt(), .from = {}, .to = {}, .landed = false};
  std::string base;
  for (const Event& event : story.events) {
    if (const auto* landed = std::get_if<MergeLanded>(&event.body)) {
      return Change{event.subject.attempt, landed->parent, landed->commit, true};
    }
    if (event.subject.attempt != change.attempt) continue;
    if (const auto* requested = std::get_if<CaptureRequested>(&event.body)) base = requested->base;
    if (const auto* captured = std::get_if<WorkCaptured>(&event.body)) {
      change.from = base;
      change.to = captured->commit;
    }
  }
  if (change.to.empty()) return std::nullopt;
  return change;
}

Error nothing_captured(const Home& home, const TaskStory& story) {
  const std::string task = to_string(story.run) + "/" + to_string(story.spec.id);
  if (story.shown_attempt() == 0) {
    return {ErrorCode::not_found, "no agent has worked on " + task + " yet; `bernstein why " + task + "` says why"};
  }
  const AttemptId attempt{story.spec.id, story.shown_attempt()};
  return {ErrorCode::not_found, "nothing of " + to_string(story.run) + "/" + to_string(attempt) +
                                    " was captured yet; while its agent works, look in " + home.sdd + "/worktrees/" +
                                    session_name(story.run, attempt)};
}

Tint tint_of(std::string_view line) {
  if (line.starts_with("diff ") || line.starts_with("+++") || line.starts_with("---")) return Tint::strong;
  if (line.starts_with("+")) return Tint::good;
  if (line.starts_with("-")) return Tint::bad;
  return line.starts_with("@@") ? Tint::busy : Tint::plain;
}

void print_diff(Context& context, const std::string& diff) {
  if (!context.out_is_terminal) {
    context.out << diff;
    return;
  }
  const Screen screen = screen_of(context);
  std::string_view rest = diff;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    context.out << paint(screen, tint_of(line), printable_utf8(line)) << '\n';
  }
}

}  // namespace

Result<Exit> diff_command(Context& context, const LookOptions& options) {
  BERNSTEIN_TRY(const Home home, open_workspace(context));
  BERNSTEIN_TRY(const TaskStory story, read_story(*home.reader, options));
  const std::optional<Change> change = change_of(story);
  if (!change) return nothing_captured(home, story);
  const std::string attempt = to_string(AttemptId{story.spec.id, change->attempt});
  std::string diff;
  if (change->from != change->to) {
    BERNSTEIN_TRY(const std::unique_ptr<port::Workspace> repository, open_repository(home));
    BERNSTEIN_TRY(diff, repository->diff(change->from, change->to));
  }
  if (context.json) {
    nlohmann::ordered_json json;
    json["run"] = to_string(story.run);
    json["task"] = to_string(story.spec.id);
    json["attempt"] = attempt;
    json["landed"] = change->landed;
    json["from"] = change->from;
    json["to"] = change->to;
    json["diff"] = diff;
    context.out << json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << '\n';
    return Exit::done;
  }
  context.err << to_string(story.run) << "/" << attempt << (change->landed ? " landed" : " did not land") << ": "
              << (change->from == change->to ? "it changed nothing"
                                             : "git diff " + short_id(change->from) + " " + short_id(change->to))
              << '\n';
  print_diff(context, diff);
  return Exit::done;
}

}  // namespace bernstein::cli
