#include "bernstein/base/units.hpp"

#include <array>
#include <limits>

#include "bernstein/base/text.hpp"

namespace bernstein {
namespace {

constexpr std::int64_t k_max = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t k_micros_per_usd = 1'000'000;

// Takes the digits at the front of `text`. Nothing when there are none or the number does not fit.
std::optional<std::int64_t> take_number(std::string_view& text) {
  if (text.empty() || !is_digit(text.front())) return std::nullopt;
  std::int64_t value = 0;
  while (!text.empty() && is_digit(text.front())) {
    std::int64_t digit = text.front() - '0';
    if (value > (k_max - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
    text.remove_prefix(1);
  }
  return value;
}

std::string padded(std::int64_t value, std::size_t width) {
  std::string digits = std::to_string(value);
  return digits.size() < width ? std::string(width - digits.size(), '0') + digits : digits;
}

// The magnitude of any number: the smallest one has no positive counterpart of its own type.
std::uint64_t magnitude(std::int64_t value) {
  return value < 0 ? std::uint64_t{0} - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
}

struct DurationUnit {
  std::string_view suffix;
  Micros size;
};
// "ms" stands before "m": the first suffix that fits is taken. An order of sizes is checked apart.
constexpr std::array<DurationUnit, 4> k_units{{{"ms", 1'000}, {"h", k_hour}, {"m", k_minute}, {"s", k_second}}};

struct TokenUnit {
  char suffix;
  std::int64_t size;
  std::size_t decimals;  // that its smallest fraction has
};
constexpr std::array<TokenUnit, 3> k_token_units{{{'G', 1'000'000'000, 9}, {'M', 1'000'000, 6}, {'k', 1'000, 3}}};
constexpr std::int64_t k_tokens_max = 1'000'000'000'000;

}  // namespace

std::string format_usd(UsdMicros amount) {
  std::uint64_t micros = magnitude(amount.value);
  std::string cents = padded(static_cast<std::int64_t>(micros % k_micros_per_usd), 6);
  while (cents.size() > 2 && cents.back() == '0') cents.pop_back();
  return (amount.value < 0 ? "-$" : "$") + std::to_string(micros / k_micros_per_usd) + "." + cents;
}

std::optional<UsdMicros> parse_usd(std::string_view text) {
  if (!text.empty() && text.front() == '$') text.remove_prefix(1);
  if (text.ends_with("USD")) {
    text.remove_suffix(3);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  }
  auto dollars = take_number(text);
  if (!dollars || *dollars > k_max / k_micros_per_usd - 1) return std::nullopt;
  std::int64_t micros = 0;
  if (!text.empty()) {
    if (text.front() != '.') return std::nullopt;
    text.remove_prefix(1);
    std::size_t decimals = text.size();
    auto fraction = take_number(text);
    if (!fraction || !text.empty() || decimals > 6) return std::nullopt;
    micros = *fraction;
    for (; decimals < 6; ++decimals) micros *= 10;
  }
  return UsdMicros{*dollars * k_micros_per_usd + micros};
}

std::string format_tokens(std::int64_t tokens) {
  const auto count = static_cast<std::int64_t>(magnitude(tokens) & static_cast<std::uint64_t>(k_max));
  const std::string sign = tokens < 0 ? "-" : "";
  for (const TokenUnit& unit : k_token_units) {
    if (count < unit.size) continue;
    std::string fraction = padded(count % unit.size, unit.decimals);
    while (!fraction.empty() && fraction.back() == '0') fraction.pop_back();
    return sign + std::to_string(count / unit.size) + (fraction.empty() ? "" : "." + fraction) + unit.suffix;
  }
  return sign + std::to_string(count);
}

std::optional<std::int64_t> parse_tokens(std::string_view text) {
  TokenUnit unit{' ', 1, 0};
  for (const TokenUnit& one : k_token_units) {
    const bool has_it = !text.empty() && (text.back() | 0x20) == (one.suffix | 0x20);
    if (has_it) unit = one;
  }
  if (unit.size > 1) text.remove_suffix(1);
  const auto whole = take_number(text);
  if (!whole || *whole > k_tokens_max / unit.size) return std::nullopt;
  std::int64_t tokens = *whole * unit.size;
  if (!text.empty()) {
    if (text.front() != '.' || text.size() - 1 > unit.decimals) return std::nullopt;
    text.remove_prefix(1);
    const std::size_t decimals = text.size();
    auto fraction = take_number(text);
    if (!fraction || !text.empty()) return std::nullopt;
    for (std::size_t i = decimals; i < unit.decimals; ++i) *fraction *= 10;
    tokens += *fraction;
  }
  if (tokens > k_tokens_max) return std::nullopt;
  return tokens;
}

std::string format_duration(Micros duration) {
  std::string sign = duration < 0 ? "-" : "";
  auto micros = static_cast<std::int64_t>(magnitude(duration) & static_cast<std::uint64_t>(k_max));
  if (micros < k_second) return sign + std::to_string(micros / 1'000) + " ms";
  if (micros < k_minute) return sign + std::to_string(micros / k_second) + " s";
  if (micros < k_hour) {
    return sign + std::to_string(micros / k_minute) + "m " + padded(micros % k_minute / k_second, 2) + "s";
  }
  return sign + std::to_string(micros / k_hour) + "h " + padded(micros % k_hour / k_minute, 2) + "m";
}

std::optional<Micros> parse_duration(std::string_view text) {
  Micros total = 0;
  Micros last_size = k_max;
  bool bare = true;
  while (!text.empty()) {
    auto number = take_number(text);
    if (!number) return std::nullopt;
    Micros size = 0;
    if (text.empty() && bare) {
      size = k_second;
    } else {
      for (const DurationUnit& unit : k_units) {
        if (!text.starts_with(unit.suffix)) continue;
        size = unit.size;
        text.remove_prefix(unit.suffix.size());
        break;
      }
    }
    // Each unit once, from large to small: "30m1h" is more likely a typing error than an hour and a half.
    if (size == 0 || size >= last_size || *number > (k_max - total) / size) return std::nullopt;
    total += *number * size;
    last_size = size;
    bare = false;
  }
  if (total == 0) return std::nullopt;
  return total;
}

}  // namespace bernstein
