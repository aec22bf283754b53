#include "bernstein/agent/script.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <utility>

#include "bernstein/base/text.hpp"

namespace bernstein::agent {
namespace {

// An action, or what is wrong with it.
using Parsed = std::variant<ScriptAction, std::string>;

struct NumberedLine {
  int number = 0;
  std::string_view text;
};

// The first word of a text, which is taken away with the spaces that follow.
std::string_view take_word(std::string_view& text) {
  const std::size_t end = std::min(text.find(' '), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(end);
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  return word;
}

std::optional<std::int64_t> parse_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_number = error == std::errc{} && end == text.data() + text.size() && !text.empty() && number >= 0;
  return is_number ? std::optional(number) : std::nullopt;
}

std::string unescape(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char next = text[i] == '\\' && i + 1 < text.size() ? text[i + 1] : '\0';
    if (next == 'n' || next == 't' || next == '\\') {
      plain += next == 'n' ? '\n' : next == 't' ? '\t' : '\\';
      ++i;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

// TEXT as the lines of a file.
std::string lines(std::string_view text) {
  std::string content = unescape(text);
  if (!content.empty() && content.back() != '\n') content += '\n';
  return content;
}

// Commands that are a word and a path. Make: std::string → ScriptAction.
template <class Make>
Parsed with_path(std::string_view rest, const Make& make) {
  const std::string path(take_word(rest));
  if (path.empty()) return "needs a path";
  if (!rest.empty()) return "takes one path; '" + std::string(rest) + "' is too much";
  return ScriptAction{make(path)};
}

Parsed parse_write(std::string_view rest) {
  const std::string path(take_word(rest));
  if (path.empty()) return "needs a path";
  return ScriptAction{WriteFile{path, lines(rest)}};
}

Parsed parse_append(std::string_view rest) {
  const std::string path(take_word(rest));
  if (path.empty() || rest.empty()) return "needs a path and a text";
  return ScriptAction{AppendFile{path, lines(rest)}};
}

Parsed parse_edit(std::string_view rest) {
  constexpr std::string_view k_arrow = " =>";
  const std::string path(take_word(rest));
  const std::size_t arrow = rest.find(k_arrow);
  if (path.empty() || arrow == 0 || arrow == std::string_view::npos) return "needs a path and 'OLD => NEW'";
  std::string_view new_text = rest.substr(arrow + k_arrow.size());
  if (!new_text.empty() && new_text.front() == ' ') new_text.remove_prefix(1);
  return ScriptAction{EditFile{path, unescape(rest.substr(0, arrow)), unescape(new_text)}};
}

Parsed parse_commit(std::string_view rest) {
  if (rest.empty()) return "needs a message";
  return ScriptAction{CommitAll{unescape(rest)}};
}

Parsed parse_sleep(std::string_view rest) {
  const std::optional<Micros> duration = parse_duration(rest);
  if (!duration) return "needs a duration such as 200ms or 2s";
  return ScriptAction{Sleep{*duration}};
}

Parsed parse_usage(std::string_view rest) {
  constexpr const char* k_help = "needs INPUT OUTPUT [CACHED] COST_USD, such as 1200 340 0.0042";
  std::vector<std::string_view> words;
  while (!rest.empty()) words.push_back(take_word(rest));
  if (words.size() != 3 && words.size() != 4) return k_help;
  const auto input = parse_number(words[0]);
  const auto output = parse_number(words[1]);
  const auto cached = words.size() == 4 ? parse_number(words[2]) : std::nullopt;
  const auto cost = parse_usd(words.back());
  if (!input || !output || !cost || (words.size() == 4 && !cached)) return k_help;
  return ScriptAction{TellUsage{*input, *output, cached, *cost}};
}

Parsed parse_print(std::string_view rest) {
  return ScriptAction{Print{unescape(rest)}};
}

Parsed parse_spam(std::string_view rest) {
  const auto bytes = parse_number(rest);
  if (!bytes) return "needs a number of bytes";
  return ScriptAction{Spam{*bytes}};
}

Parsed parse_fail(std::string_view rest) {
  const auto code = parse_number(rest);
  if (!code || *code < 1 || *code > 255) return "needs an exit code from 1 to 255";
  return ScriptAction{Fail{static_cast<int>(*code)}};
}

template <class Action>
Parsed parse_bare(std::string_view rest) {
  if (!rest.empty()) return "takes nothing; '" + std::string(rest) + "' is too much";
  return ScriptAction{Action{}};
}

using Parser = Parsed (*)(std::string_view rest);
const std::map<std::string, Parser, std::less<>> k_commands{
    {"append", parse_append},
    {"commit", parse_commit},
    {"daemonize", parse_bare<Daemonize>},
    {"delete", [](std::string_view rest) { return with_path(rest, [](auto path) { return DeleteFile{path}; }); }},
    {"edit", parse_edit},
    {"fail", parse_fail},
    {"hang", parse_bare<Hang>},
    {"ignore-term", parse_bare<IgnoreTerm>},
    {"print", parse_print},
    {"read-evidence",
     [](std::string_view rest) { return with_path(rest, [](auto path) { return ReadEvidence{path}; }); }},
    {"sleep", parse_sleep},
    {"spam", parse_spam},
    {"touch", [](std::string_view rest) { return with_path(rest, [](auto path) { return TouchFile{path}; }); }},
    {"usage", parse_usage},
    {"write", parse_write},
};
constexpr std::string_view k_on_attempt = "on-attempt";

Error fault(int line, const std::string& what) {
  return {ErrorCode::invalid_input, "script line " + std::to_string(line) + ": " + what};
}

Result<ScriptStep> parse_step(const NumberedLine& line) {
  ScriptStep step{.line = line.number, .on_attempt = {}, .action = Hang{}};
  std::string_view rest = line.text;
  std::string_view word = take_word(rest);
  if (word == k_on_attempt) {
    const auto attempt = parse_number(take_word(rest));
    if (!attempt || *attempt < 1 || *attempt > 1'000'000 || rest.empty()) {
      return fault(line.number, "'on-attempt' needs a number from 1 and a command");
    }
    step.on_attempt = static_cast<std::uint32_t>(*attempt);
    word = take_word(rest);
    if (word == k_on_attempt) return fault(line.number, "'on-attempt' stands once before a command");
  }
  const auto command = k_commands.find(word);
  if (command == k_commands.end()) {
    std::vector<std::string> names{std::string(k_on_attempt)};
    for (const auto& [name, parser] : k_commands) names.push_back(name);
    return fault(line.number, "unknown command '" + std::string(word) + "'" + did_you_mean_clause(word, names));
  }
  Parsed parsed = command->second(rest);
  if (const auto* what = std::get_if<std::string>(&parsed)) {
    return fault(line.number, "'" + std::string(word) + "' " + *what);
  }
  step.action = std::get<ScriptAction>(std::move(parsed));
  return step;
}

// The lines of the script, without blank ones and comments. Nothing when there is no script.
std::optional<std::vector<NumberedLine>> script_lines(std::string_view prompt) {
  std::vector<NumberedLine> found;
  bool inside = false;
  bool in_block = false;
  int number = 0;
  for (const std::string_view raw : split(prompt, '\n')) {
    const std::string_view line = trim(raw);
    if (!inside) {
      in_block = line == "```script";
      inside = in_block || line == "script:";
      continue;
    }
    ++number;
    if (in_block ? line == "```" : line.empty()) break;
    if (!line.empty() && line.front() != '#') found.push_back({number, line});
  }
  return inside ? std::optional(std::move(found)) : std::nullopt;
}

}  // namespace

Result<std::vector<ScriptStep>> parse_script(std::string_view prompt) {
  const auto found = script_lines(prompt);
  if (!found) {
    return Error{ErrorCode::invalid_input,
                 "the prompt has no script; put a line 'script:' and commands below it into the task's description"};
  }
  std::vector<ScriptStep> steps;
  for (const NumberedLine& line : *found) {
    BERNSTEIN_TRY(ScriptStep step, parse_step(line));
    steps.push_back(std::move(step));
  }
  return steps;
}

std::string usage_line(const TellUsage& usage) {
  std::string line = R"({"usage":{"input":)" + std::to_string(usage.input_tokens) + R"(,"output":)" +
                     std::to_string(usage.output_tokens);
  if (usage.cached_tokens) line += R"(,"cached":)" + std::to_string(*usage.cached_tokens);
  return line + R"(},"cost":)" + format_usd(usage.cost_micros).substr(1) + "}";
}

AgentSpec scripted_agent_spec(const std::string& binary) {
  return {.command = {binary, "scripted-agent"},
          .env = {},
          .max_parallel = 0,
          .models = {{.name = "script-small", .tier = "cheap"},
                     {.name = "script-medium", .tier = "middle"},
                     {.name = "script-large", .tier = "strong"}},
          .name = "scripted",
          .usage = {.cached_tokens = "/usage/cached",
                    .cost_usd = "/cost",
                    .format = "jsonl",
                    .input_tokens = "/usage/input",
                    .output_tokens = "/usage/output"}};
}

}  // namespace bernstein::agent
