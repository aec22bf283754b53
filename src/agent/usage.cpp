#include "bernstein/agent/usage.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "bernstein/base/text.hpp"

namespace bernstein::agent {
namespace {

using Json = nlohmann::json;

// Beginnings of documents that are tried, from the end: each costs a pass over what follows it.
constexpr int k_documents_tried_max = 20;
// No cost has an exponent beyond it; sums with it stay far from overflow.
constexpr int k_exponent_max = 400;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Takes the digits at the front of a text.
std::string_view take_digits(std::string_view& text) {
  std::size_t count = 0;
  while (count < text.size() && is_digit(text[count])) ++count;
  const std::string_view digits = text.substr(0, count);
  text.remove_prefix(count);
  return digits;
}

// The exponent "e-7" at the front of a text; 0 when there is none, nothing when it is malformed.
std::optional<int> take_exponent(std::string_view& text) {
  if (text.empty() || (text.front() != 'e' && text.front() != 'E')) return 0;
  text.remove_prefix(1);
  int sign = 1;
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
    sign = text.front() == '-' ? -1 : 1;
    text.remove_prefix(1);
  }
  const std::string_view digits = take_digits(text);
  if (digits.empty() || digits.size() > 9) return std::nullopt;
  int exponent = 0;
  for (const char digit : digits) exponent = exponent * 10 + (digit - '0');
  return sign * std::min(exponent, k_exponent_max);
}

// "0.0123", "$1.5", "4e-05" → micros, rounded half up.
std::optional<UsdMicros> cost_from_decimal(std::string_view text) {
  if (!text.empty() && text.front() == '$') text.remove_prefix(1);
  const std::string_view whole = take_digits(text);
  std::string_view fraction;
  if (!text.empty() && text.front() == '.') {
    text.remove_prefix(1);
    fraction = take_digits(text);
    if (fraction.empty()) return std::nullopt;
  }
  const std::optional<int> exponent = take_exponent(text);
  if (whole.empty() || !exponent || !text.empty()) return std::nullopt;

  // digits × 10^shift is the amount in micros: digits left of the point count, the first right of it rounds.
  const std::string digits = std::string(whole) + std::string(fraction);
  const std::int64_t shift = *exponent + 6 - static_cast<std::int64_t>(fraction.size());
  const std::int64_t point = static_cast<std::int64_t>(digits.size()) + shift;
  std::int64_t micros = 0;
  for (std::int64_t i = 0; i < point; ++i) {
    const auto at = static_cast<std::size_t>(i);
    micros = micros * 10 + (at < digits.size() ? digits[at] - '0' : 0);
    if (micros > k_cost_max.value) return std::nullopt;
  }
  const bool rounds_up =
      point >= 0 && static_cast<std::size_t>(point) < digits.size() && digits[static_cast<std::size_t>(point)] >= '5';
  const UsdMicros cost{micros + (rounds_up ? 1 : 0)};
  if (cost > k_cost_max) return std::nullopt;
  return cost;
}

// What a pointer points to; nullptr when it points to nothing, or is no pointer at all.
const Json* find(const Json& document, const std::string& pointer) {
  if (pointer.empty()) return nullptr;
  try {
    const Json::json_pointer where(pointer);
    return document.contains(where) ? &document.at(where) : nullptr;
  } catch (const Json::exception&) {
    return nullptr;
  }
}

std::optional<std::int64_t> tokens_at(const Json& document, const std::string& pointer) {
  const Json* value = find(document, pointer);
  if (value == nullptr || !value->is_number_unsigned()) return std::nullopt;  // the parser keeps -1 and 1.0 apart
  const auto count = value->get<std::uint64_t>();
  if (count > static_cast<std::uint64_t>(k_tokens_max)) return std::nullopt;
  return static_cast<std::int64_t>(count);
}

std::optional<UsdMicros> cost_at(const Json& document, const std::string& pointer) {
  const Json* value = find(document, pointer);
  if (value == nullptr) return std::nullopt;
  if (value->is_string()) return cost_from_decimal(trim(value->get_ref<const std::string&>()));
  // dump() writes the shortest digits that give the same double: those of the text, up to 15 of them.
  return value->is_number() ? cost_from_decimal(value->dump()) : std::nullopt;
}

bool has_any(const UsageSpec& spec, const Json& document) {
  const auto has = [&](const std::string& pointer) {
    const Json* value = find(document, pointer);
    return value != nullptr && !value->is_null();
  };
  return has(spec.cached_tokens) || has(spec.cost_usd) || has(spec.input_tokens) || has(spec.output_tokens);
}

Usage usage_in(const UsageSpec& spec, const Json& document) {
  return {.cached_tokens = tokens_at(document, spec.cached_tokens),
          .cost_micros = cost_at(document, spec.cost_usd),
          .input_tokens = tokens_at(document, spec.input_tokens),
          .output_tokens = tokens_at(document, spec.output_tokens)};
}

// The last line of a text and what stands before it.
std::string_view take_last_line(std::string_view& text) {
  const std::size_t newline = text.rfind('\n');
  const std::string_view line = newline == std::string_view::npos ? text : text.substr(newline + 1);
  text = newline == std::string_view::npos ? std::string_view{} : text.substr(0, newline);
  return line;
}

Json parse_line(std::string_view line) {
  Json document = Json::parse(line, nullptr, false);
  // A cut or foreign character within a string need not cost the numbers beside it.
  if (document.is_discarded() && !is_valid_utf8(line)) document = Json::parse(printable_utf8(line), nullptr, false);
  return document;
}

Usage read_lines(const UsageSpec& spec, std::string_view output) {
  while (!output.empty()) {
    const std::string_view line = trim(take_last_line(output));
    if (line.empty() || line.front() != '{') continue;
    const Json document = parse_line(line);
    if (!document.is_discarded() && has_any(spec, document)) return usage_in(spec, document);
  }
  return {};
}

// Where the document that starts at the front of a text ends: after its last bracket. Nothing when it does not.
std::optional<std::size_t> document_end(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if ((c == '}' || c == ']') && --depth == 0) {
      return i + 1;
    }
  }
  return std::nullopt;
}

Usage read_document(const UsageSpec& spec, const std::string_view output) {
  std::string_view before = output;
  for (int tried = 0; !before.empty() && tried < k_documents_tried_max;) {
    const std::string_view line = take_last_line(before);
    if (line.empty() || (line.front() != '{' && line.front() != '[')) continue;
    ++tried;
    const std::string_view rest = output.substr(static_cast<std::size_t>(line.data() - output.data()));
    const std::optional<std::size_t> end = document_end(rest);
    if (!end) continue;
    const Json document = parse_line(rest.substr(0, *end));
    if (!document.is_discarded() && has_any(spec, document)) return usage_in(spec, document);
  }
  return {};
}

}  // namespace

Usage read_usage(const UsageSpec& spec, std::string_view output) {
  if (output.size() > k_usage_output_bytes_max) output.remove_prefix(output.size() - k_usage_output_bytes_max);
  if (spec.format == "jsonl") return read_lines(spec, output);
  if (spec.format == "json") return read_document(spec, output);
  return {};
}

}  // namespace bernstein::agent
