#include "bernstein/agent/usage.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bernstein/base/text.hpp"
#include "json_output.hpp"

namespace bernstein::agent {
namespace {

// No cost has an exponent beyond it; sums with it stay far from overflow.
constexpr int k_exponent_max = 400;

// Costs are added up in millionths of a micro-dollar: a request often costs half a micro-dollar more or less, and an
// agent makes hundreds, so that rounding each would show.
constexpr std::int64_t k_picos_per_micro = 1'000'000;
constexpr int k_pico_decimals = 12;
constexpr std::int64_t k_picos_max = k_cost_max.value * k_picos_per_micro;

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

// "0.0123", "$1.5", "4e-05" → millionths of a micro-dollar; smaller parts do not count.
std::optional<std::int64_t> picos_from_decimal(std::string_view text) {
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

  // digits × 10^shift is the amount in picos: those left of the point count.
  const std::string digits = std::string(whole) + std::string(fraction);
  const std::int64_t shift = *exponent + k_pico_decimals - static_cast<std::int64_t>(fraction.size());
  const std::int64_t point = static_cast<std::int64_t>(digits.size()) + shift;
  std::int64_t picos = 0;
  for (std::int64_t i = 0; i < point; ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (picos > k_picos_max / 10) return std::nullopt;
    picos = picos * 10 + (at < digits.size() ? digits[at] - '0' : 0);
  }
  if (picos > k_picos_max) return std::nullopt;
  return picos;
}

// One part of a place: a pointer that is added or subtracted.
struct Term {
  bool minus = false;
  std::string pointer;
};

// "/a/b - /c" → its terms. A pointer has no spaces.
std::vector<Term> terms_of(std::string_view place) {
  std::vector<Term> terms;
  bool minus = false;
  for (const std::string_view word : split(place, ' ')) {
    if (word == "-" || word == "+") {
      minus = word == "-";
    } else if (!word.empty()) {
      terms.push_back({std::exchange(minus, false), std::string(word)});
    }
  }
  return terms;
}

// Calls `visit` with each value that a pointer leads to; "*" stands for every member.
template <class F>
void visit_values(const Json& document, std::string_view pointer, F&& visit) {
  const std::size_t star = pointer.find("/*");
  const bool is_part = star != std::string_view::npos && (star + 2 == pointer.size() || pointer[star + 2] == '/');
  if (!is_part) {
    if (const Json* value = find(document, std::string(pointer))) visit(*value);
    return;
  }
  const Json* members = star == 0 ? &document : find(document, std::string(pointer.substr(0, star)));
  if (members == nullptr || !members->is_structured()) return;
  const std::string_view rest = pointer.substr(star + 2);
  for (const Json& member : *members) {
    if (rest.empty()) {
      visit(member);
    } else {
      visit_values(member, rest, visit);
    }
  }
}

std::optional<std::int64_t> tokens_in(const Json& value) {
  if (!value.is_number_unsigned()) return std::nullopt;  // the parser keeps -1 and 1.0 apart
  const auto count = value.get<std::uint64_t>();
  if (count > static_cast<std::uint64_t>(k_tokens_max)) return std::nullopt;
  return static_cast<std::int64_t>(count);
}

std::optional<std::int64_t> picos_in(const Json& value) {
  if (value.is_string()) return picos_from_decimal(trim(value.get_ref<const std::string&>()));
  // dump() writes the shortest digits that give the same double: those of the text, up to 15 of them.
  if (value.is_number()) return picos_from_decimal(value.dump());
  return std::nullopt;
}

// What stands at a place: the sum of what is there, at most `max`. Nothing when none of it is there, or it cannot be
// true.
template <class Read>
std::optional<std::int64_t> sum_at(const Json& document, std::string_view place, std::int64_t max, Read read) {
  std::optional<std::int64_t> sum;
  bool credible = true;
  for (const Term& term : terms_of(place)) {
    visit_values(document, term.pointer, [&](const Json& value) {
      if (value.is_null()) return;
      const std::optional<std::int64_t> number = read(value);
      credible = credible && number;
      if (credible) sum = sum.value_or(0) + (term.minus ? -*number : *number);
      credible = credible && sum.value_or(0) <= max && sum.value_or(0) >= -max;
    });
  }
  if (!sum || !credible || *sum < 0) return std::nullopt;
  return sum;
}

bool has_any(const UsageSpec& spec, const Json& document) {
  const auto has = [&](const std::string& place) {
    bool found = false;
    for (const Term& term : terms_of(place)) {
      visit_values(document, term.pointer, [&](const Json& value) { found = found || !value.is_null(); });
    }
    return found;
  };
  return matches(document, spec.when) &&
         (has(spec.cached_tokens) || has(spec.cost_usd) || has(spec.input_tokens) || has(spec.output_tokens));
}

// Usage whose cost is not rounded yet.
struct ExactUsage {
  Usage usage;
  std::optional<std::int64_t> cost_picos;
};

ExactUsage usage_in(const UsageSpec& spec, const Json& document) {
  return {.usage = {.cached_tokens = sum_at(document, spec.cached_tokens, k_tokens_max, tokens_in),
                    .cost_micros = std::nullopt,
                    .input_tokens = sum_at(document, spec.input_tokens, k_tokens_max, tokens_in),
                    .output_tokens = sum_at(document, spec.output_tokens, k_tokens_max, tokens_in)},
          .cost_picos = sum_at(document, spec.cost_usd, k_picos_max, picos_in)};
}

// A number that is missing from one of several lines makes their sum unknown, and so does a limit that it passes.
ExactUsage added(const ExactUsage& a, const ExactUsage& b) {
  using Number = std::optional<std::int64_t>;
  const auto plus = [](const Number& x, const Number& y, std::int64_t max) {
    return x && y && *x + *y <= max ? Number(*x + *y) : std::nullopt;
  };
  return {.usage = {.cached_tokens = plus(a.usage.cached_tokens, b.usage.cached_tokens, k_tokens_max),
                    .cost_micros = std::nullopt,
                    .input_tokens = plus(a.usage.input_tokens, b.usage.input_tokens, k_tokens_max),
                    .output_tokens = plus(a.usage.output_tokens, b.usage.output_tokens, k_tokens_max)},
          .cost_picos = plus(a.cost_picos, b.cost_picos, k_picos_max)};
}

Usage rounded(ExactUsage exact) {
  if (exact.cost_picos)
    exact.usage.cost_micros = UsdMicros{(*exact.cost_picos + k_picos_per_micro / 2) / k_picos_per_micro};
  return exact.usage;
}

Usage read_lines(const UsageSpec& spec, const std::vector<Json>& lines) {
  std::optional<ExactUsage> usage;
  for (const Json& line : lines) {
    if (!has_any(spec, line)) continue;
    const ExactUsage here = usage_in(spec, line);
    usage = usage && spec.sum ? added(*usage, here) : here;
  }
  return usage ? rounded(*usage) : Usage{};
}

}  // namespace

Usage read_usage(const UsageSpec& spec, std::string_view output) {
  if (output.size() > k_usage_output_bytes_max) output.remove_prefix(output.size() - k_usage_output_bytes_max);
  if (spec.format == "jsonl") return read_lines(spec, json_lines(output));
  if (spec.format != "json") return {};
  const Json document = last_document(output, [&](const Json& one) { return has_any(spec, one); });
  return document.is_discarded() ? Usage{} : rounded(usage_in(spec, document));
}

std::optional<UsdMicros> cost_of(const Usage& usage, const TokenPrice& price) {
  if (!usage.input_tokens || !usage.output_tokens) return std::nullopt;
  // Tokens and prices are bounded (k_tokens_max, k_price_max), and so is the sum in 128 bits.
  __extension__ using Wide = __int128;
  const auto part = [](std::int64_t tokens, UsdMicros each) { return Wide{tokens} * Wide{each.value}; };
  const Wide total = part(*usage.input_tokens, price.input) + part(usage.cached_tokens.value_or(0), price.cached) +
                     part(*usage.output_tokens, price.output);
  constexpr std::int64_t k_million = 1'000'000;
  const Wide micros = (total + k_million - 1) / k_million;
  if (micros > k_cost_max.value) return std::nullopt;
  return UsdMicros{static_cast<std::int64_t>(micros)};
}

}  // namespace bernstein::agent
