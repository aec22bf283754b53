#include "bernstein/base/id.hpp"

#include <charconv>

namespace bernstein {
namespace {

constexpr std::string_view k_planning_word = "plan";

// A counter from 1, written without sign or leading zeros, so that every identity has one spelling.
std::optional<std::uint32_t> parse_counter(std::string_view text) {
  if (text.empty() || text.front() < '1' || text.front() > '9') return std::nullopt;
  std::uint32_t number = 0;
  const char* end = text.data() + text.size();
  auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return number;
}

std::string_view without_letter(std::string_view text, char letter) {
  if (!text.empty() && text.front() == letter) text.remove_prefix(1);
  return text;
}

}  // namespace

std::string to_string(RunId run) {
  return "r" + std::to_string(run.number);
}
std::string to_string(TaskId task) {
  if (task == k_planning) return std::string(k_planning_word);
  return "t" + std::to_string(task.number);
}
std::string to_string(AttemptId attempt) {
  return to_string(attempt.task) + "." + std::to_string(attempt.number);
}

std::string session_name(RunId run, AttemptId attempt) {
  return "session-" + to_string(run) + "-" + to_string(attempt);
}

std::string checkout_name(RunId run, AttemptId attempt) {
  return "check-" + to_string(run) + "-" + to_string(attempt);
}

std::string plan_file_name(RunId run) {
  return "plans/" + to_string(run) + ".yaml";
}

std::optional<RunId> parse_run_id(std::string_view text) {
  auto number = parse_counter(without_letter(text, 'r'));
  if (!number) return std::nullopt;
  return RunId{*number};
}

std::optional<TaskId> parse_task_id(std::string_view text) {
  auto number = parse_counter(without_letter(text, 't'));
  if (!number) return std::nullopt;
  return TaskId{*number};
}

std::optional<AttemptId> parse_attempt_id(std::string_view text) {
  std::size_t dot = text.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const std::string_view owner = text.substr(0, dot);
  auto task = owner == k_planning_word ? k_planning : parse_task_id(owner);
  auto number = parse_counter(text.substr(dot + 1));
  if (!task || !number) return std::nullopt;
  return AttemptId{*task, *number};
}

}  // namespace bernstein
