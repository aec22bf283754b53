#pragma once
// Small text helpers that several rooms need. All are pure; all treat text as bytes unless they say UTF-8.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bernstein {

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string_view trim(std::string_view text);
std::vector<std::string_view> split(std::string_view text, char separator);  // "a,,b" → a, "", b; "" → one empty part
std::string join(std::span<const std::string> parts, std::string_view separator);
std::string replace_all(std::string text, std::string_view from, std::string_view to);

// The candidate that `word` was probably meant to be: smallest Damerau-Levenshtein distance, at most a third of the
// word's length (and at least 1); ties go to the first candidate. Nothing when none is near.
std::optional<std::string> did_you_mean(std::string_view word, std::span<const std::string> candidates);
// The same as a clause for an error message: "; did you mean 'backend'?", or "" when none is near.
std::string did_you_mean_clause(std::string_view word, std::span<const std::string> candidates);

// A number in hexadecimal, exact and as short as can be: "0x1.8p+1", "-0x1p-3", "0x0p+0". As C's "%a" prints it.
std::string hex_float(double value);

bool is_valid_utf8(std::string_view text);
// Invalid sequences become U+FFFD; control characters other than newline and tab become U+FFFD too, so that text which
// an agent wrote cannot steer a terminal.
std::string printable_utf8(std::string_view text);
// Letters of ASCII in lower case; other bytes as they are.
std::string lower_case(std::string_view text);

// Text on one line without control characters: line breaks and what surrounds them become one space.
std::string on_one_line(std::string_view text);
// The same, at most so many bytes (at least 3) and never half a character; "..." stands for the rest.
std::string shortened(std::string_view text, std::size_t max_bytes);

// The last `max_bytes` of a text, from the start of a line or at least of a character, with a first line that says how
// much was cut: "[... 12345 bytes cut ...]\n". The whole text when it fits.
std::string tail(std::string_view text, std::size_t max_bytes);

}  // namespace bernstein
