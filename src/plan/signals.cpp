#include "signals.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <span>

#include "bernstein/base/path.hpp"
#include "bernstein/base/text.hpp"
#include "bernstein/plan/plan.hpp"

namespace bernstein::plan {
namespace {

constexpr std::size_t k_name_bytes_max = 60;
constexpr std::size_t k_list_bytes_max = 200;

// What a signal type looks at, and how to write it.
struct SignalType {
  std::string word;
  std::optional<CheckType> check;   // nothing: a gate of the project, which is no check of the step's own
  std::vector<std::string> fields;  // the first is the one to write; "value" is how older plans wrote any of them
  std::string example;
};

const std::vector<SignalType>& signal_types() {
  static const std::vector<SignalType> types{
      {"path_exists", CheckType::path_exists, {"path", "value"}, "{type: path_exists, path: src/a.py}"},
      {"glob_exists", CheckType::glob_exists, {"path", "value"}, "{type: glob_exists, path: \"tests/**/*.py\"}"},
      {"file_contains",
       CheckType::file_contains,
       {"path", "value"},
       "{type: file_contains, path: app.py, contains: \"def main\"}"},
      {"test_passes", CheckType::command, {"command", "value"}, "{type: test_passes, command: \"pytest -q\"}"},
      {"gate", std::nullopt, {"name"}, "{type: gate, name: tests}"},
  };
  return types;
}

// What to write instead of a command, in a plan that may have none.
std::string instead_of_command(const SignalRules& rules) {
  if (rules.gates == nullptr || rules.gates->empty()) return "look at files: " + signal_types().front().example;
  return "name a gate: {type: gate, name: " + rules.gates->front() + "}";
}

const SignalType* read_type(MapReader& signal, const SignalRules& rules, Report& report) {
  std::vector<std::string> words;
  for (const SignalType& type : signal_types()) {
    if (!rules.by_model || type.check != CheckType::command) words.push_back(type.word);
  }
  auto word = signal.line("type");
  if (!word) {
    if (!signal.has("type")) signal.fault(signal.line_of("type"), "has no type; write one of " + join(words, ", "));
    return nullptr;
  }
  for (const SignalType& type : signal_types()) {
    if (type.word != *word) continue;
    if (!rules.by_model || type.check != CheckType::command) return &type;
    signal.fault(signal.line_of("type"),
                 "is a command: a plan that a model wrote may not bring commands; " + instead_of_command(rules));
    return nullptr;
  }
  if (!rules.by_model && (*word == "llm_review" || *word == "llm_judge")) {
    // Plans of the Python Bernstein have them. No model judges work here, and the other checks hold without it.
    report.warn(signal.line_of("type"),
                "a signal of type " + quoted(*word) + " asks a model and is passed over; write " +
                    "a check that proves it, such as " + "{type: test_passes, command: \"pytest -q\"}");
    return nullptr;
  }
  signal.fault(signal.line_of("type"), "has the unknown type " + quoted(*word) +
                                           report.suggest(*word, words, "; known are " + join(words, ", ")));
  return nullptr;
}

// The one of the type's fields that is given.
std::optional<std::string> read_subject(MapReader& signal, const SignalType& type) {
  std::optional<std::string> found;
  const std::string* from = nullptr;
  for (const std::string& field : type.fields) {
    bool given = signal.has(field);
    auto text = signal.text(field);
    if (!given) continue;
    if (from != nullptr) {
      signal.fault(signal.line_of(field), "has both '" + *from + "' and '" + field + "'; keep '" + *from + "'");
      return std::nullopt;
    }
    from = &field;
    found = text;
    if (!text && !signal.is_wrong(field))
      signal.fault(signal.line_of(field), "has an empty '" + field + "'; write " + type.example);
  }
  if (from == nullptr) {
    signal.fault(signal.line(), "has no '" + type.fields.front() + "'; write " + type.example);
  }
  return found;
}

// A field of another type would be passed over, and with it what its writer wanted checked.
void refuse_other_fields(MapReader& signal, const SignalType& type) {
  for (const char* field : {"path", "command", "contains", "timeout", "flaky"}) {
    bool used = std::find(type.fields.begin(), type.fields.end(), field) != type.fields.end() ||
                (type.check == CheckType::file_contains && field == std::string_view("contains")) ||
                (type.check == CheckType::command &&
                 (field == std::string_view("timeout") || field == std::string_view("flaky")));
    if (used || !signal.has(field)) continue;
    signal.fault(signal.line_of(field),
                 std::string("has '") + field + "', which " + type.word + " does not look at; write " + type.example);
    signal.accept(field);
  }
}

// The project's gates run on every candidate, so a name that there is needs nothing more.
void check_gate(MapReader& signal, const std::string& name, const SignalRules& rules, Report& report) {
  if (rules.gates == nullptr || std::find(rules.gates->begin(), rules.gates->end(), name) != rules.gates->end()) return;
  const std::string known = rules.gates->empty()
                                ? "; the project has none: leave the signal out"
                                : "; gates are " + shortened(join(*rules.gates, ", "), k_list_bytes_max);
  signal.fault(signal.line_of("name"),
               "names the unknown gate " + quoted(name) + report.suggest(name, *rules.gates, known));
}

std::optional<CheckSpec> read_signal(MapReader& signal, const SignalRules& rules, Report& report) {
  const SignalType* type = read_type(signal, rules, report);
  if (type == nullptr) return std::nullopt;
  auto subject = read_subject(signal, *type);
  refuse_other_fields(signal, *type);
  if (!type->check) {
    signal.finish({}, UnknownKeys::warn);
    if (subject) check_gate(signal, on_one_line(*subject), rules, report);
    return std::nullopt;
  }
  CheckSpec check;
  check.type = *type->check;
  if (type->check == CheckType::file_contains) {
    auto contains = signal.text("contains");
    // Older plans wrote "path :: needle" into one field.
    std::size_t mark = subject ? subject->find(" :: ") : std::string::npos;
    if (!contains && mark != std::string::npos) {
      contains = subject->substr(mark + 4);
      subject = std::string(trim(subject->substr(0, mark)));
    }
    if (!contains && subject) {
      signal.fault(signal.line(), "does not say what the file contains; write " + type->example);
      return std::nullopt;
    }
    check.contains = contains.value_or("");
  }
  if (type->check == CheckType::command) {
    check.timeout_us = signal.duration("timeout").value_or(rules.check_timeout_us);
    check.flaky = signal.flag("flaky").value_or(false);
  }
  signal.finish({}, UnknownKeys::warn);
  if (!subject) return std::nullopt;
  check.name = shortened(type->word + " " + *subject, k_name_bytes_max);
  if (type->check == CheckType::command) {
    check.command = *subject;
    return check;
  }
  if (auto wrong = path_fault(*subject)) {
    signal.fault(signal.line(), "has the path " + quoted(*subject) + ", which " + *wrong);
    return std::nullopt;
  }
  check.path = normalise_pattern(*subject);
  check.name = shortened(type->word + " " + check.path, k_name_bytes_max);
  return check;
}

bool is_empty(const YamlEntry& entry) {
  const YamlNode& value = *entry.value;
  return value.kind == YamlNode::Kind::null || (value.kind == YamlNode::Kind::scalar && trim(value.text).empty());
}

}  // namespace

std::vector<CheckSpec> read_signals(const YamlNode& list, const std::string& owner, const SignalRules& rules,
                                    Report& report) {
  std::vector<CheckSpec> checks;
  std::size_t number = 0;
  for (const YamlNode* item : list.items) {
    std::string what = owner + ": signal " + std::to_string(++number);
    if (item->kind != YamlNode::Kind::map) {
      report.fault(item->line,
                   what + " is " + std::string(name_of(item->kind)) + "; write " + signal_types().front().example);
      continue;
    }
    YamlNode given = *item;
    if (rules.by_model) std::erase_if(given.entries, is_empty);
    MapReader signal(given, what, report);
    if (auto check = read_signal(signal, rules, report)) checks.push_back(std::move(*check));
  }
  make_names_unique(checks);
  return checks;
}

void make_names_unique(std::vector<CheckSpec>& checks) {
  std::set<std::string> taken;
  for (const CheckSpec& check : checks) taken.insert(check.name);
  std::map<std::string, int> seen;
  for (CheckSpec& check : checks) {
    int& count = seen[check.name];
    if (++count == 1) continue;
    std::string name = check.name;
    do {
      check.name = name + " (" + std::to_string(count) + ")";
    } while (!taken.insert(check.name).second && ++count > 0);
  }
}

}  // namespace bernstein::plan
