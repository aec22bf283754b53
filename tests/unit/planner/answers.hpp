#pragma once
// Answers of a planner, as tests need them.

#include <string>
#include <vector>

#include "bernstein/base/text.hpp"
#include "bernstein/planner/answer.hpp"

namespace bernstein::planner {

// One step as JSON: its id and title are `id`; `more` are further keys, beginning with a comma.
inline std::string step(const std::string& id, const std::string& more = "") {
  return R"({"id": ")" + id + R"(", "title": ")" + id + R"(")" + more + "}";
}

// A plan of one stage as JSON.
inline std::string plan_with(const std::vector<std::string>& steps) {
  return R"({"name": "Plan", "stages": [{"name": "all", "depends_on": [], "steps": [)" + join(steps, ", ") + "]}]}";
}

inline std::string signal(const std::string& json) {
  return R"(, "completion_signals": [)" + json + "]";
}

inline std::string faults_of(std::string_view text, const Rules& rules = {.gates = {"tests", "lint"}}) {
  return join(read_answer(text, rules).faults, "\n");
}

// A full answer, every field named as a schema wants it.
inline const std::string k_good_answer = R"({
  "name": "Limits",
  "stages": [
    {"name": "build", "depends_on": [], "steps": [
      {"id": "bucket", "title": "Token bucket", "description": "Write it.\n\nTime \"comes in\": é 😀.", "role": "backend",
       "files": ["src/limit/"], "depends_on": [], "priority": 1, "scope": "small", "complexity": "high",
       "estimated_minutes": 45, "completion_signals": [
         {"type": "file_contains", "path": "src/limit/a.py", "contains": "class A", "name": ""},
         {"type": "gate", "path": "", "contains": "", "name": "tests"}]},
      {"id": "", "title": "Middleware", "description": "", "role": "", "files": [], "depends_on": ["bucket"],
       "priority": 2, "scope": "medium", "complexity": "medium", "estimated_minutes": 30, "completion_signals": []}]},
    {"name": "docs", "depends_on": ["build"], "steps": [
      {"id": "docs", "title": "Describe", "description": "Say it", "role": "docs", "files": ["docs/**/*.md"],
       "depends_on": [], "priority": 5, "scope": "large", "complexity": "low", "estimated_minutes": 10,
       "completion_signals": [{"type": "glob_exists", "path": "docs/**/l*.md", "contains": null, "name": ""},
         {"type": "path_exists", "path": "docs/l.md", "contains": "", "name": ""}]}]}]
})";

}  // namespace bernstein::planner
