#include "bernstein/agent/outcome.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "bernstein/agent/usage.hpp"
#include "bernstein/base/text.hpp"
#include "json_output.hpp"

namespace bernstein::agent {
namespace {

constexpr std::size_t k_plain_bytes = 4 << 10;  // of the end of the output, where a program says why it gives up

using Phrase = std::pair<std::string_view, AgentOutcome>;

// In order: a message about "too many tokens" may also speak of limits, one about a quota of "authentication".
constexpr std::array k_phrases{
    Phrase{"context length", AgentOutcome::context},
    Phrase{"context_length", AgentOutcome::context},
    Phrase{"context window", AgentOutcome::context},
    Phrase{"maximum context", AgentOutcome::context},
    Phrase{"prompt is too long", AgentOutcome::context},
    Phrase{"prompt_too_long", AgentOutcome::context},
    Phrase{"input is too long", AgentOutcome::context},
    Phrase{"input token count", AgentOutcome::context},
    Phrase{"too many tokens", AgentOutcome::context},
    Phrase{"content filter", AgentOutcome::refusal},
    Phrase{"content_filter", AgentOutcome::refusal},
    Phrase{"contentfilter", AgentOutcome::refusal},
    Phrase{"content policy", AgentOutcome::refusal},
    Phrase{"usage policy", AgentOutcome::refusal},
    Phrase{"refusal", AgentOutcome::refusal},
    Phrase{"refused to", AgentOutcome::refusal},
    Phrase{"blocked by safety", AgentOutcome::refusal},
    Phrase{"usage limit", AgentOutcome::quota},
    Phrase{"session limit", AgentOutcome::quota},
    Phrase{"weekly limit", AgentOutcome::quota},
    Phrase{"5-hour limit", AgentOutcome::quota},
    Phrase{"limit reached", AgentOutcome::quota},
    Phrase{"hit your limit", AgentOutcome::quota},
    Phrase{"rate limit", AgentOutcome::quota},
    Phrase{"rate_limit", AgentOutcome::quota},
    Phrase{"ratelimit", AgentOutcome::quota},
    Phrase{"too many requests", AgentOutcome::quota},
    Phrase{"quota", AgentOutcome::quota},
    Phrase{"resource_exhausted", AgentOutcome::quota},
    Phrase{"credit balance", AgentOutcome::quota},
    Phrase{"insufficient credit", AgentOutcome::quota},
    Phrase{"out of credits", AgentOutcome::quota},
    Phrase{"billing", AgentOutcome::quota},
    Phrase{"api key", AgentOutcome::auth},
    Phrase{"api_key", AgentOutcome::auth},
    Phrase{"apikey", AgentOutcome::auth},
    Phrase{"authentication", AgentOutcome::auth},
    Phrase{"unauthorized", AgentOutcome::auth},
    Phrase{"unauthenticated", AgentOutcome::auth},
    Phrase{"permission denied", AgentOutcome::auth},
    Phrase{"permission_denied", AgentOutcome::auth},
    Phrase{"forbidden", AgentOutcome::auth},
    Phrase{"not logged in", AgentOutcome::auth},
    Phrase{"log in", AgentOutcome::auth},
    Phrase{"auth method", AgentOutcome::auth},
    Phrase{"no auth", AgentOutcome::auth},
    Phrase{"model not found", AgentOutcome::model},
    Phrase{"model: not found", AgentOutcome::model},
    Phrase{"is not found for api version", AgentOutcome::model},
    Phrase{"model_not_found", AgentOutcome::model},
    Phrase{"modelnotfound", AgentOutcome::model},
    Phrase{"unknown model", AgentOutcome::model},
    Phrase{"no such model", AgentOutcome::model},
    Phrase{"model does not exist", AgentOutcome::model},
    Phrase{"overloaded", AgentOutcome::overload},
    Phrase{"unavailable", AgentOutcome::overload},
    Phrase{"internal server error", AgentOutcome::overload},
    Phrase{"internal error", AgentOutcome::overload},
    Phrase{"server error", AgentOutcome::overload},
    Phrase{"server had an error", AgentOutcome::overload},
    Phrase{"high demand", AgentOutcome::overload},
    Phrase{"bad gateway", AgentOutcome::overload},
    Phrase{"stream disconnected", AgentOutcome::overload},
    Phrase{"stream ended", AgentOutcome::overload},
    Phrase{"stream closed", AgentOutcome::overload},
    Phrase{"incomplete json", AgentOutcome::overload},
    Phrase{"terminated", AgentOutcome::overload},
    Phrase{"connection", AgentOutcome::overload},
    Phrase{"cannot connect", AgentOutcome::overload},
    Phrase{"failedtoopensocket", AgentOutcome::overload},
    Phrase{"econnre", AgentOutcome::overload},
    Phrase{"etimedout", AgentOutcome::overload},
    Phrase{"socket hang up", AgentOutcome::overload},
    Phrase{"network", AgentOutcome::overload},
    Phrase{"fetch failed", AgentOutcome::overload},
    Phrase{"timed out", AgentOutcome::overload},
    Phrase{"timeout", AgentOutcome::overload},
};

bool contains_any(const std::string& message, const std::vector<std::string>& phrases) {
  const std::string lowered = lower_case(message);
  return std::any_of(phrases.begin(), phrases.end(),
                     [&](const std::string& phrase) { return lowered.find(lower_case(phrase)) != std::string::npos; });
}

// The first number of three digits from 400 to 599 that stands by itself: "[API Error: 529 ...]".
std::optional<std::int64_t> status_in(std::string_view message) {
  for (std::size_t at = 0; at + 3 <= message.size(); ++at) {
    const auto joins = [](char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || c == '.' || c == '$'; };
    if (message[at] != '4' && message[at] != '5') continue;
    if (!is_digit(message[at + 1]) || !is_digit(message[at + 2])) continue;
    if ((at > 0 && joins(message[at - 1])) || (at + 3 < message.size() && is_digit(message[at + 3]))) continue;
    return (message[at] - '0') * 100 + (message[at + 1] - '0') * 10 + (message[at + 2] - '0');
  }
  return std::nullopt;
}

// What it printed for people: its lines that are no JSON, the last of them.
std::string plain_output(std::string_view output) {
  std::vector<std::string_view> lines;
  std::size_t bytes = 0;
  while (!output.empty() && bytes < k_plain_bytes) {
    const std::size_t newline = output.rfind('\n');
    const std::string_view line = trim(newline == std::string_view::npos ? output : output.substr(newline + 1));
    output = newline == std::string_view::npos ? std::string_view{} : output.substr(0, newline);
    if (line.empty() || line.front() == '{') continue;
    lines.push_back(line.substr(line.size() - std::min(line.size(), k_plain_bytes)));
    bytes += line.size();
  }
  std::string plain;
  for (auto line = lines.rbegin(); line != lines.rend(); ++line) plain.append(*line).append("\n");
  return plain;
}

class EndingReader {
 public:
  EndingReader(const AgentSpec& spec, const Session& session)
      : spec_(spec), exit_code_(session.exit_code), ended_by_us_(session.ended_by_us), clock_(session.clock) {
    std::string_view output = session.output;
    if (output.size() > k_usage_output_bytes_max) output.remove_prefix(output.size() - k_usage_output_bytes_max);
    if (!spec.failures.empty()) lines_ = json_lines(output);
    plain_ = plain_output(output);
  }

  Ending read() {
    for (const FailureRule& rule : spec_.failures) {
      if (std::optional<Ending> ending = apply(rule)) return *std::move(ending);
    }
    if (exit_code_ == 0 && !ended_by_us_) return {};
    return ending_of_plain();
  }

 private:
  std::optional<Ending> apply(const FailureRule& rule) {
    if (rule.exit && *rule.exit != exit_code_) return std::nullopt;
    const Json* line = nullptr;
    if (!rule.last.empty() || !rule.when.empty()) {
      line = last_match(lines_, rule.last.empty() ? rule.when : rule.last);
      if (line == nullptr || !matches(*line, rule.when)) return std::nullopt;
    }
    const Json* said = line == nullptr ? nullptr : find(*line, rule.message);
    const std::string message = said == nullptr ? plain_ : said->is_structured() ? said->dump() : text_of(*said);
    if (!rule.contains.empty() && !contains_any(message, rule.contains)) return std::nullopt;
    if (rule.outcome == AgentOutcome::done) return Ending{};

    std::optional<AgentOutcome> outcome = rule.outcome;
    const Json* status = line == nullptr ? nullptr : find(*line, rule.status);
    const std::optional<AgentOutcome> by_message = outcome_of_message(message);
    // A status of 400 says little; that of a bad key, a long prompt or a used-up quota may be 400, 403 or 429.
    if (!outcome && status != nullptr && status->is_number_integer()) {
      const auto code = status->get<std::int64_t>();
      outcome = code == 400 || code == 413 || !outcome_of_status(code) ? by_message : outcome_of_status(code);
    }
    if (!outcome) outcome = by_message;
    const Json* told = line == nullptr ? nullptr : find(*line, rule.retry_after);
    return ending(outcome, message,
                  told == nullptr ? std::nullopt : reset_wait("retry after " + text_of(*told), clock_));
  }

  // The last line of the plain output that says something known, else the last line. An agent without rules may have
  // told us its model's words there, which say nothing about the agent.
  Ending ending_of_plain() const {
    const std::vector<std::string_view> lines = split(plain_, '\n');
    std::string last;
    for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
      const std::optional<AgentOutcome> outcome = spec_.failures.empty() ? std::nullopt : outcome_of_message(*line);
      if (outcome) return ending(outcome, std::string(*line));
      if (last.empty()) last = *line;
    }
    return ending(AgentOutcome::crash, last);
  }

  Ending ending(std::optional<AgentOutcome> outcome, const std::string& message,
                std::optional<Micros> told = std::nullopt) const {
    Ending ending{.outcome = outcome.value_or(AgentOutcome::crash),
                  .message = shortened(message, k_message_bytes_max),
                  .retry_after_us = {}};
    if (ending.outcome == AgentOutcome::quota || ending.outcome == AgentOutcome::overload) {
      ending.retry_after_us = told ? told : reset_wait(message, clock_);
    }
    return ending;
  }

  const AgentSpec& spec_;
  int exit_code_;
  bool ended_by_us_;
  WallClock clock_;
  std::vector<Json> lines_;
  std::string plain_;
};

}  // namespace

std::optional<AgentOutcome> outcome_of_status(std::int64_t status) {
  switch (status) {
    case 401:
    case 403:
      return AgentOutcome::auth;
    case 402:
    case 429:
      return AgentOutcome::quota;
    case 404:
      return AgentOutcome::model;
    case 408:
      return AgentOutcome::overload;
    case 413:
      return AgentOutcome::context;
    default:
      break;
  }
  if (status >= 500 && status < 600) return AgentOutcome::overload;
  return std::nullopt;
}

std::optional<AgentOutcome> outcome_of_message(std::string_view message) {
  const std::string lowered = lower_case(message);
  for (const auto& [phrase, outcome] : k_phrases) {
    if (lowered.find(phrase) != std::string::npos) return outcome;
  }
  const std::optional<std::int64_t> status = status_in(lowered);
  return status ? outcome_of_status(*status) : std::nullopt;
}

Ending read_ending(const AgentSpec& spec, const Session& session) {
  return EndingReader(spec, session).read();
}

std::string read_text(const TextPlace& place, std::string_view output) {
  if (place.at.empty()) return "";
  const std::vector<Json> lines = json_lines(output);
  const Json* line = last_match(lines, place.when);
  if (line != nullptr) {
    if (const Json* value = find(*line, place.at)) return text_of(*value);
    return "";
  }
  const Json document = last_document(
      output, [&](const Json& one) { return matches(one, place.when) && find(one, place.at) != nullptr; });
  return document.is_discarded() ? "" : text_of(*find(document, place.at));
}

}  // namespace bernstein::agent
