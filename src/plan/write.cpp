#include "bernstein/plan/write.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <utility>

#include "bernstein/base/check.hpp"
#include "bernstein/base/text.hpp"
#include "bernstein/base/units.hpp"

// yaml-cpp's emitter is not used: it replaces characters that have no assigned meaning (U+FFFE), and its literal blocks
// lose leading spaces. What is needed here is small.

namespace bernstein::plan {
namespace {

constexpr std::array<std::string_view, 9> k_words_with_a_meaning{"true", "false", "yes", "no", "on",
                                                                 "off",  "null",  "y",   "n"};
constexpr std::string_view k_plain_marks = " _-./()+*,;'?!=";

// Characters that editors and other readers of YAML take for a line break, a mark of the file's encoding or nothing.
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> k_odd_characters{{{"\xE2\x80\xA8", "\\u2028"},
                                                                                         {"\xE2\x80\xA9", "\\u2029"},
                                                                                         {"\xEF\xBB\xBF", "\\uFEFF"},
                                                                                         {"\xEF\xBF\xBE", "\\uFFFE"},
                                                                                         {"\xEF\xBF\xBF", "\\uFFFF"}}};

bool is_control(std::string_view text, std::size_t i) {
  const auto c = static_cast<unsigned char>(text[i]);
  if (c < 0x20 || c == 0x7F) return true;
  return c == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) <= 0xA0;  // U+0080 to U+00A0
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Without quotes, only what no reader of YAML could take for anything but this text.
bool may_stand_plain(std::string_view text) {
  if (text.empty() || !is_letter(text.front()) || text.back() == ' ') return false;
  const std::string word = lower_case(text);
  if (std::find(k_words_with_a_meaning.begin(), k_words_with_a_meaning.end(), word) != k_words_with_a_meaning.end()) {
    return false;
  }
  return std::all_of(text.begin(), text.end(), [](char c) {
    return is_letter(c) || is_digit(c) || k_plain_marks.find(c) != std::string_view::npos;
  });
}

bool may_stand_literally(std::string_view text) {
  if (text.find('\n') == std::string_view::npos || text.ends_with("\n\n")) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\n' && text[i] != '\t' && is_control(text, i)) return false;
  }
  for (const auto& [character, escape] : k_odd_characters) {
    if (text.find(character) != std::string_view::npos) return false;
  }
  // The first line tells the indentation; a line of spaces alone is one that editors strip.
  const std::vector<std::string_view> lines = split(text, '\n');
  if (lines.front().empty() || lines.front().front() == ' ') return false;
  return std::none_of(lines.begin(), lines.end(), [](std::string_view line) {
    return !line.empty() && (line.front() == '\t' || trim(line).empty());
  });
}

std::string in_quotes(std::string_view text) {
  constexpr std::string_view k_hex = "0123456789ABCDEF";
  std::string quoted = "\"";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (c == '\n') {
      quoted += "\\n";
    } else if (c == '\t') {
      quoted += "\\t";
    } else if (is_control(text, i)) {
      if (static_cast<unsigned char>(c) == 0xC2) ++i;
      const auto code = static_cast<unsigned char>(text[i]);
      quoted += "\\x";
      quoted += k_hex[code >> 4];
      quoted += k_hex[code & 15];
    } else {
      quoted += c;
    }
  }
  for (const auto& [character, escape] : k_odd_characters) quoted = replace_all(std::move(quoted), character, escape);
  return quoted + "\"";
}

std::string on_line(std::string_view text) {
  return may_stand_plain(text) ? std::string(text) : in_quotes(text);
}

// "10m", "90s", "1500ms": what is read as exactly this time.
std::string exact_duration(Micros duration) {
  if (duration % k_minute == 0) return std::to_string(duration / k_minute) + "m";
  if (duration % k_second == 0) return std::to_string(duration / k_second) + "s";
  return std::to_string(duration / 1000) + "ms";
}

class PlanWriter {
 public:
  explicit PlanWriter(const Plan& plan) : plan_(plan), ids_(ids_of(plan)) {}

  std::string write() {
    if (plan_.name != "plan") line(0, "name", plan_.name);
    block(0, "description", plan_.description);
    write_settings();
    text_ += "stages:\n";
    for (std::uint32_t i = 0; i < plan_.stages.size(); ++i) write_stage(i);
    return std::move(text_);
  }

 private:
  // The ids of steps, with made-up ones where a dependency needs one.
  static std::vector<std::string> ids_of(const Plan& plan) {
    std::vector<std::string> ids;
    std::set<std::string> taken;
    std::set<TaskId> needed;
    for (const TaskSpec& task : plan.tasks) {
      ids.push_back(task.key);
      taken.insert(task.key);
      needed.insert(task.depends_on.begin(), task.depends_on.end());
    }
    for (const TaskId id : needed) {
      BERNSTEIN_CHECK(id.number >= 1 && id.number <= ids.size(), "a dependency is a task of the plan");
      std::string& key = ids[id.number - 1];
      if (!key.empty()) continue;
      key = to_string(id);
      while (!taken.insert(key).second) key += "-step";
    }
    return ids;
  }

  void write_settings() {
    const PlanSettings& settings = plan_.settings;
    if (!settings.agent.empty()) line(0, "cli", settings.agent);
    if (!settings.model.empty()) line(0, "model", settings.model);
    if (settings.budget) line(0, "budget", format_usd(*settings.budget));
    if (settings.budget_tokens) word(0, "budget_tokens", format_tokens(*settings.budget_tokens));
    if (settings.max_agents) number(0, "max_agents", *settings.max_agents);
    list(0, "constraints", settings.constraints);
    list(0, "context_files", settings.context_files);
  }

  void write_stage(std::uint32_t index) {
    const StageSpec& stage = plan_.stages[index];
    line(2, "name", stage.name, true);
    std::vector<std::string> names;
    for (const std::uint32_t other : stage.depends_on) names.push_back(plan_.stages[other].name);
    list(4, "depends_on", names);
    text_ += "    steps:\n";
    for (std::size_t i = 0; i < plan_.tasks.size(); ++i) {
      if (plan_.tasks[i].stage == index) write_step(plan_.tasks[i], ids_[i]);
    }
  }

  void write_step(const TaskSpec& task, const std::string& id) {
    const TaskSpec usual;
    line(6, "title", task.title, true);
    if (!id.empty()) line(8, "id", id);
    if (task.description != task.title) block(8, "description", task.description);
    std::vector<std::string> names;
    for (const TaskId other : task.depends_on) names.push_back(ids_[other.number - 1]);
    list(8, "depends_on", names);
    if (task.role != usual.role) line(8, "role", task.role);
    if (task.priority != usual.priority) number(8, "priority", task.priority);
    if (task.scope != usual.scope) line(8, "scope", to_word(task.scope));
    if (task.complexity != usual.complexity) line(8, "complexity", to_word(task.complexity));
    list(8, "files", task.files);
    if (!task.agent.empty()) line(8, "cli", task.agent);
    if (!task.model.empty()) line(8, "model", task.model);
    if (!task.effort.empty()) line(8, "effort", task.effort);
    if (task.budget_micros) line(8, "budget", format_usd(*task.budget_micros));
    if (task.estimated_minutes != usual.estimated_minutes) number(8, "estimated_minutes", task.estimated_minutes);
    if (!task.signals.empty()) text_ += "        completion_signals:\n";
    for (const CheckSpec& check : task.signals) write_signal(check);
  }

  void write_signal(const CheckSpec& check) {
    const bool is_command = check.type == CheckType::command;
    line(10, "type", is_command ? "test_passes" : to_word(check.type), true);
    if (is_command) {
      block(12, "command", check.command);
      word(12, "timeout", exact_duration(check.timeout_us));
      if (check.flaky) word(12, "flaky", "true");
    } else if (check.type == CheckType::file_contains && trim(check.contains).empty()) {
      // Only older plans can say this, and only in one field.
      line(12, "value", check.path + " :: " + check.contains);
    } else {
      line(12, "path", check.path);
      if (check.type == CheckType::file_contains) block(12, "contains", check.contains);
    }
  }

  // A key with a text on its line; `item` when it is the first of an entry of a list.
  void line(std::size_t indent, std::string_view key, std::string_view value, bool item = false) {
    text_ += std::string(indent, ' ') + (item ? "- " : "") + std::string(key) + ": " + on_line(value) + "\n";
  }

  // A value that needs no quotes.
  void word(std::size_t indent, std::string_view key, const std::string& value) {
    text_ += std::string(indent, ' ') + std::string(key) + ": " + value + "\n";
  }
  void number(std::size_t indent, std::string_view key, std::uint32_t value) {
    word(indent, key, std::to_string(value));
  }

  // A key with a text that may have several lines; nothing for "".
  void block(std::size_t indent, std::string_view key, std::string_view value) {
    if (value.empty()) return;
    if (!may_stand_literally(value)) return line(indent, key, value);
    text_ += std::string(indent, ' ') + std::string(key) + (value.ends_with('\n') ? ": |\n" : ": |-\n");
    if (value.ends_with('\n')) value.remove_suffix(1);
    for (const std::string_view part : split(value, '\n')) {
      if (!part.empty()) text_ += std::string(indent + 2, ' ') + std::string(part);
      text_ += '\n';
    }
  }

  void list(std::size_t indent, std::string_view key, const std::vector<std::string>& values) {
    if (values.empty()) return;
    text_ += std::string(indent, ' ') + std::string(key) + ":\n";
    for (const std::string& value : values) text_ += std::string(indent + 2, ' ') + "- " + on_line(value) + "\n";
  }

  const Plan& plan_;
  std::vector<std::string> ids_;
  std::string text_;
};

}  // namespace

std::string write_plan(const Plan& plan) {
  return PlanWriter(plan).write();
}

}  // namespace bernstein::plan
