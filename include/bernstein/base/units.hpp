#pragma once
// Money and time as integers, so that sums are exact and bytes are comparable.
//
//     UsdMicros{1'500'000}         1.50 US dollars
//     Micros{2'000'000}            two seconds, or an instant: which one the name of the variable says (_at, _us)

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bernstein {

struct UsdMicros {
  std::int64_t value = 0;
  auto operator<=>(const UsdMicros&) const = default;
  UsdMicros& operator+=(UsdMicros other) { return value += other.value, *this; }
  UsdMicros& operator-=(UsdMicros other) { return value -= other.value, *this; }
  friend UsdMicros operator+(UsdMicros a, UsdMicros b) { return {a.value + b.value}; }
  friend UsdMicros operator-(UsdMicros a, UsdMicros b) { return {a.value - b.value}; }
};

using Micros = std::int64_t;
inline constexpr Micros k_second = 1'000'000;
inline constexpr Micros k_minute = 60 * k_second;
inline constexpr Micros k_hour = 60 * k_minute;

// "$1.50", "$0.0042": at least two decimals, as many as are needed, at most six.
std::string format_usd(UsdMicros amount);
// "15", "$15", "$0.50", "1.25 USD" → micros. Nothing for negative amounts, more than six decimals or other text.
std::optional<UsdMicros> parse_usd(std::string_view text);

// "5M", "1.5M", "150k", "950": exact, and as short as that allows. parse_tokens reads it back.
std::string format_tokens(std::int64_t tokens);
// "5M", "1.5m", "150k", "2G", "5000000" → so many. Nothing for a fraction of a token, more than 10^12, or other text.
std::optional<std::int64_t> parse_tokens(std::string_view text);

// "350 ms", "12 s", "2m 05s", "1h 03m": what a person reads in a progress line.
std::string format_duration(Micros duration);
// "90", "90s", "10m", "1h", "1h30m", "500ms" → micros; a bare number is seconds. Nothing for other text or zero.
std::optional<Micros> parse_duration(std::string_view text);

}  // namespace bernstein
