// why: the story of a task in words, event by event, with the reasons that the events themselves give.

#include <fmt/format.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <ostream>

#include "bernstein/base/text.hpp"
#include "bernstein/cli/commands.hpp"
#include "fold.hpp"
#include "names.hpp"
#include "open_workspace.hpp"
#include "print.hpp"
#include "words.hpp"

namespace bernstein::cli {
namespace {

constexpr std::size_t k_evidence_bytes_max = 1200;
constexpr std::size_t k_evidence_lines_max = 8;
constexpr std::string_view k_indent = "                                    ";  // under the summaries

// Intents are about to happen, and their results say how it went; what is left of them is told at the end.
bool is_told(const EventBody& body) {
  return kind_of(body) != Kind::intent && !std::holds_alternative<WorktreeReady>(body) &&
         !std::holds_alternative<WorktreeRemoved>(body);
}

// Those that are not 0.
std::string listed(const std::map<std::string, std::int64_t>& values) {
  std::string text;
  for (const auto& [name, value] : values) {
    if (value != 0) text += (text.empty() ? "" : ", ") + name + " " + grouped(value);
  }
  return text;
}

// What a route was chosen by: lines under its summary.
std::vector<std::string> route_lines(const RouteChosen& route) {
  std::vector<std::string> lines;
  if (!route.features.empty()) lines.push_back("features: " + listed(route.features));
  std::string scores;
  for (const auto& [arm, score] : route.scores) {
    scores += fmt::format("{}{} {:.4f}", scores.empty() ? "" : ", ", arm, std::strtod(score.c_str(), nullptr));
  }
  if (!scores.empty()) lines.push_back("scores: " + scores);
  std::string chances;
  for (const auto& [arm, ppm] : route.probabilities_ppm) {
    chances += fmt::format("{}{} {:.4g}%", chances.empty() ? "" : ", ", arm, static_cast<double>(ppm) / 1e4);
  }
  if (!chances.empty()) lines.push_back("probabilities: " + chances);
  for (const auto& [arm, why] : route.excluded) lines.push_back("left out: " + arm + ", because " + why);
  return lines;
}

// The last lines of what a failed attempt leaves to read.
std::vector<std::string> evidence_lines(const AttemptFailed& failure, port::BlobStore* blobs) {
  std::vector<std::string> lines;
  for (const Evidence& evidence : failure.evidence) {
    if (evidence.label != failure.why) lines.push_back(evidence.label);
    if (evidence.output.empty() || blobs == nullptr) continue;
    const Result<std::string> output = blobs->get(evidence.output);
    if (!output) continue;
    const std::string end = tail(*output, k_evidence_bytes_max);
    std::vector<std::string_view> parts = split(trim(end), '\n');
    const std::size_t skipped = parts.size() > k_evidence_lines_max ? parts.size() - k_evidence_lines_max : 0;
    for (std::size_t i = skipped; i < parts.size(); ++i) lines.push_back("| " + std::string(parts[i]));
  }
  return lines;
}

std::vector<std::string> details_of(const EventBody& body, port::BlobStore* blobs) {
  if (const auto* route = std::get_if<RouteChosen>(&body)) return route_lines(*route);
  if (const auto* failure = std::get_if<AttemptFailed>(&body)) return evidence_lines(*failure, blobs);
  if (const auto* work = std::get_if<WorkCaptured>(&body)) {
    std::vector<std::string> lines = work->suspicions;
    for (const std::string& weakened : work->weakened_tests) lines.push_back("it " + weakened);
    return lines;
  }
  return {};
}

Tint tint_of(const EventBody& body) {
  if (std::holds_alternative<MergeLanded>(body)) return Tint::good;
  if (std::holds_alternative<AttemptFailed>(body) || std::holds_alternative<TaskFailed>(body) ||
      std::holds_alternative<EffectFailed>(body) || std::holds_alternative<CandidateConflicted>(body)) {
    return Tint::bad;
  }
  const auto* work = std::get_if<WorkCaptured>(&body);
  const bool warns = std::holds_alternative<TaskBlocked>(body) ||
                     (work != nullptr && !(work->suspicions.empty() && work->weakened_tests.empty()));
  return warns ? Tint::warning : Tint::plain;
}

void print_story(Context& context, const TaskStory& story, const RunState& state, const Home& home) {
  const Screen screen = screen_of(context);
  const Task& task = task_of(state, story.spec.id);
  const std::string name = to_string(story.run) + "/" + to_string(story.spec.id);
  context.out << paint(screen, Tint::strong, name + "  " + one_line(task.spec.title)) << '\n'
              << status_words(task) << " after " << counted(story.attempts, "attempt");
  if (const std::string reason = reason_of(state, task); !reason.empty()) context.out << ": " << one_line(reason);
  context.out << "\n\n";

  const std::unique_ptr<port::BlobStore> blobs = open_blobs(home);
  for (const Event& event : story.events) {
    if (!is_told(event.body)) continue;
    const std::string step = fmt::format("{:<15}", step_word(event.body));
    context.out << fmt::format("{:>6}  {:>8}  {:<6}", event.seq, format_offset(event.at_us), to_string(event.subject))
                << ' ' << paint(screen, tint_of(event.body), step) << one_line(summary_of(event.body)) << '\n';
    for (const std::string& line : details_of(event.body, blobs.get())) {
      context.out << paint(screen, Tint::faint, std::string(k_indent) + one_line(line)) << '\n';
    }
  }
  for (const auto& [seq, intent] : state.open_intents) {
    if (intent.subject.task != story.spec.id || intent.subject == about_run()) continue;
    context.out << fmt::format("{:>6}  {:>8}  {:<6}", seq, "...", to_string(intent.subject)) << ' '
                << paint(screen, Tint::busy, fmt::format("{:<15}", step_word(intent.body)))
                << "under way: " << one_line(summary_of(intent.body)) << '\n';
  }
}

std::string story_json(const TaskStory& story, const RunState& state) {
  using Json = nlohmann::ordered_json;
  const Task& task = task_of(state, story.spec.id);
  Json json;
  json["run"] = to_string(story.run);
  json["task"] = to_string(story.spec.id);
  json["title"] = task.spec.title;
  json["status"] = status_words(task);
  json["why"] = reason_of(state, task);
  Json& events = json["events"] = Json::array();
  for (const Event& event : story.events) {
    Json line;
    line["seq"] = event.seq;
    line["at_us"] = event.at_us;
    line["kind"] = to_word(kind_of(event.body));
    line["type"] = type_of(event.body);
    line["subject"] = to_string(event.subject);
    line["why"] = summary_of(event.body);
    if (const auto* route = std::get_if<RouteChosen>(&event.body)) {
      line["arm"] = to_string(route->arm);
      line["rule"] = route->rule;
      line["features"] = route->features;
      line["scores"] = route->scores;
      line["excluded"] = route->excluded;
      line["floor"] = route->floor;
      line["pin"] = route->pin;
      line["preferred"] = route->preferred;
      line["rules"] = route->rules;
      line["probabilities_ppm"] = route->probabilities_ppm;
    } else if (const auto* work = std::get_if<WorkCaptured>(&event.body)) {
      line["suspicions"] = work->suspicions;
      line["weakened_tests"] = work->weakened_tests;
    }
    events.push_back(std::move(line));
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

Result<Exit> why_command(Context& context, const LookOptions& options) {
  BERNSTEIN_TRY(const Home home, open_workspace(context));
  BERNSTEIN_TRY(const TaskStory story, read_story(*home.reader, options));
  BERNSTEIN_TRY(const Picture picture, take_picture(*home.reader, story.run, options.at));
  if (story.spec.id != k_planning && !picture.state.tasks.contains(story.spec.id)) {
    return Error{ErrorCode::not_found, to_string(story.spec.id) + " was planned but not created yet at event " +
                                           std::to_string(picture.state.last_seq)};
  }
  if (context.json) {
    context.out << story_json(story, picture.state) << '\n';
  } else {
    print_story(context, story, picture.state, home);
  }
  return Exit::done;
}

}  // namespace bernstein::cli
