#include "bernstein/base/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>

#include "bernstein/base/check.hpp"

namespace bernstein {
namespace {

// Longer words are not compared: nobody mistypes them, and a hostile one would cost its length squared.
constexpr std::size_t k_suggestion_bytes_max = 100;
constexpr std::string_view k_replacement = "\xEF\xBF\xBD";  // U+FFFD

// Optimal string alignment: insertions, deletions, replacements and swaps of neighbours cost one each. Both words are
// short enough for rows of a fixed size: this runs for every wrong word times every word it could be.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  using Row = std::array<std::uint8_t, 2 * k_suggestion_bytes_max>;
  BERNSTEIN_CHECK(a.size() < Row{}.size() && b.size() < Row{}.size(), "only short words are compared");
  Row rows[3];
  Row* before = &rows[0];
  Row* last = &rows[1];
  Row* now = &rows[2];
  for (std::size_t j = 0; j <= b.size(); ++j) (*last)[j] = static_cast<std::uint8_t>(j);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    (*now)[0] = static_cast<std::uint8_t>(i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      int cost = a[i - 1] == b[j - 1] ? 0 : 1;
      int least = std::min({(*last)[j] + 1, (*now)[j - 1] + 1, (*last)[j - 1] + cost});
      bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) least = std::min(least, (*before)[j - 2] + 1);
      (*now)[j] = static_cast<std::uint8_t>(least);
    }
    Row* oldest = before;
    before = last;
    last = now;
    now = oldest;
  }
  return (*last)[b.size()];
}

struct Character {
  std::size_t bytes = 0;  // 0: not valid here
  std::uint32_t code = 0;
};

// The character at the front of a text that is not empty, after RFC 3629: no overlong forms, no surrogates.
Character first_character(std::string_view text) {
  auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  std::uint8_t lead = at(0);
  if (lead < 0x80) return {1, lead};
  std::size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < bytes) return {};
  std::uint32_t code = lead & (0xFFu >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((at(i) & 0xC0) != 0x80) return {};
    code = code << 6 | (at(i) & 0x3Fu);
  }
  bool overlong = (bytes == 3 && code < 0x800) || (bytes == 4 && code < 0x10000);
  if (overlong || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return {};
  return {bytes, code};
}

// C0, DEL and C1: a terminal may take U+009B for the start of a control sequence.
bool is_control(std::uint32_t code) {
  return (code < 0x20 && code != '\n' && code != '\t') || (code >= 0x7F && code <= 0x9F);
}

bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

}  // namespace

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string join(std::span<const std::string> parts, std::string_view separator) {
  std::string joined;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) joined += separator;
    joined += parts[i];
  }
  return joined;
}

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
  BERNSTEIN_CHECK(!from.empty(), "replace_all looks for something");
  std::size_t at = text.find(from);
  if (at == std::string::npos) return text;
  std::string replaced;
  std::size_t done = 0;
  for (; at != std::string::npos; at = text.find(from, done)) {
    replaced.append(text, done, at - done).append(to);
    done = at + from.size();
  }
  return replaced.append(text, done);
}

std::optional<std::string> did_you_mean(std::string_view word, std::span<const std::string> candidates) {
  if (word.size() > k_suggestion_bytes_max) return std::nullopt;
  const std::string* best = nullptr;
  // A distance of the whole word would call any letter near any other.
  std::size_t limit = std::min(std::max<std::size_t>(1, word.size() / 3), word.empty() ? 0 : word.size() - 1);
  for (const std::string& candidate : candidates) {
    if (candidate.size() > word.size() + limit || word.size() > candidate.size() + limit) continue;
    std::size_t distance = edit_distance(word, candidate);
    if (distance > limit) continue;
    best = &candidate;
    if (distance == 0) break;
    limit = distance - 1;  // only a nearer one replaces it: ties go to the first
  }
  if (best == nullptr) return std::nullopt;
  return *best;
}

std::string did_you_mean_clause(std::string_view word, std::span<const std::string> candidates) {
  auto candidate = did_you_mean(word, candidates);
  return candidate ? "; did you mean '" + *candidate + "'?" : "";
}

std::string hex_float(double value) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), std::abs(value), std::chars_format::hex);
  return (std::signbit(value) ? "-0x" : "0x") + std::string(digits.data(), end.ptr);
}

bool is_valid_utf8(std::string_view text) {
  while (!text.empty()) {
    Character character = first_character(text);
    if (character.bytes == 0) return false;
    text.remove_prefix(character.bytes);
  }
  return true;
}

std::string printable_utf8(std::string_view text) {
  std::string printable;
  printable.reserve(text.size());
  while (!text.empty()) {
    Character character = first_character(text);
    bool shown = character.bytes > 0 && !is_control(character.code);
    std::size_t bytes = std::max<std::size_t>(1, character.bytes);
    printable += shown ? text.substr(0, bytes) : k_replacement;
    text.remove_prefix(bytes);
  }
  return printable;
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::string on_one_line(std::string_view text) {
  std::string line;
  bool broken = false;
  for (char c : trim(text)) {
    if (c == '\n' || c == '\r' || c == '\t') {
      broken = true;
      continue;
    }
    if (broken && c == ' ') continue;
    if (broken) {
      while (!line.empty() && line.back() == ' ') line.pop_back();
      line += ' ';
    }
    broken = false;
    line += c;
  }
  return printable_utf8(line);
}

std::string shortened(std::string_view text, std::size_t max_bytes) {
  std::string line = on_one_line(text);
  if (line.size() <= max_bytes) return line;
  std::size_t end = max_bytes - 3;
  // Continuation bytes belong to the character before.
  while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xC0) == 0x80) --end;
  return line.substr(0, end) + "...";
}

std::string tail(std::string_view text, std::size_t max_bytes) {
  if (text.size() <= max_bytes) return std::string(text);
  std::size_t start = text.size() - max_bytes;
  // A line start is worth losing some bytes for, not most of them: it is looked for in the first half only.
  std::size_t newline = text.substr(0, start + max_bytes / 2).find('\n', start - 1);
  if (newline != std::string_view::npos) {
    start = newline + 1;
  } else {
    // At most three bytes continue a character; more than that is no UTF-8, and cutting on would help nobody.
    for (int i = 0; i < 3 && start < text.size() && (static_cast<std::uint8_t>(text[start]) & 0xC0) == 0x80; ++i)
      ++start;
  }
  return "[... " + std::to_string(start) + " bytes cut ...]\n" + std::string(text.substr(start));
}

}  // namespace bernstein
