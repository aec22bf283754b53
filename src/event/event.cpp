#include "bernstein/event/event.hpp"

namespace bernstein {

Kind kind_of(const EventBody& body) {
  return std::visit([](const auto& event) { return event.kind; }, body);
}

std::string_view type_of(const EventBody& body) {
  return std::visit([](const auto& event) { return event.type; }, body);
}

int version_of(const EventBody& body) {
  return std::visit([](const auto& event) { return event.version; }, body);
}

std::string to_string(Subject subject) {
  if (subject == about_run()) return "run";
  if (subject.attempt == 0) return to_string(subject.task);
  return to_string(AttemptId{subject.task, subject.attempt});
}

std::optional<Subject> parse_subject(std::string_view text) {
  if (text == "run") return about_run();
  Subject subject;
  if (const auto attempt = parse_attempt_id(text)) {
    subject = about(*attempt);
  } else if (const auto task = parse_task_id(text)) {
    subject = about(*task);
  }
  // People may type "4" or "t04"; what is stored has one form only.
  if (subject == about_run() || to_string(subject) != text) return std::nullopt;
  return subject;
}

}  // namespace bernstein
