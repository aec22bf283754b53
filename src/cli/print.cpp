#include "print.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <ctime>
#include <numeric>
#include <ostream>
#include <utility>

#include "bernstein/base/check.hpp"
#include "bernstein/base/text.hpp"

namespace bernstein::cli {
namespace {

constexpr std::size_t k_width_default = 80;
constexpr std::size_t k_width_min = 20;  // of a screen; narrower ones wrap
constexpr std::size_t k_column_min = 6;  // what a column keeps when it gives way
constexpr std::string_view k_gap = "  ";

struct Range {
  std::uint32_t first;
  std::uint32_t last;
};

// After Unicode 15: marks that take no column of their own, and the blocks that East Asian Width calls wide. Coarse on
// purpose: a wrong guess shifts one line by one column.
constexpr std::array<Range, 10> k_zero_width{{{0x0300, 0x036F},
                                              {0x0483, 0x0489},
                                              {0x0591, 0x05BD},
                                              {0x064B, 0x065F},
                                              {0x0E34, 0x0E3A},
                                              {0x200B, 0x200F},
                                              {0x202A, 0x202E},
                                              {0x20D0, 0x20FF},
                                              {0xFE00, 0xFE0F},
                                              {0xFE20, 0xFE2F}}};
constexpr std::array<Range, 9> k_wide{{{0x1100, 0x115F},
                                       {0x2E80, 0x303E},
                                       {0x3041, 0xA4CF},
                                       {0xAC00, 0xD7A3},
                                       {0xF900, 0xFAFF},
                                       {0xFE30, 0xFE4F},
                                       {0xFF00, 0xFF60},
                                       {0x1F300, 0x1FAFF},
                                       {0x20000, 0x3FFFD}}};

template <std::size_t N>
bool is_in(std::uint32_t code, const std::array<Range, N>& ranges) {
  return std::any_of(ranges.begin(), ranges.end(), [&](Range r) { return code >= r.first && code <= r.last; });
}

// Marks that change the direction of what follows: they could make a line read as something else.
bool is_bidi_control(std::uint32_t code) {
  return (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069) || code == 0x200E || code == 0x200F;
}

// Takes the first character of valid UTF-8.
std::uint32_t take_character(std::string_view& text) {
  const auto lead = static_cast<std::uint8_t>(text.front());
  const std::size_t bytes = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  BERNSTEIN_CHECK(bytes <= text.size(), "only printable UTF-8 is measured");
  std::uint32_t code = bytes == 1 ? lead : lead & (0xFFu >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) code = code << 6 | (static_cast<std::uint8_t>(text[i]) & 0x3Fu);
  text.remove_prefix(bytes);
  return code;
}

std::size_t width_of(std::uint32_t code) {
  if (is_in(code, k_zero_width)) return 0;
  return is_in(code, k_wide) ? 2 : 1;
}

std::string_view escape_of(Tint tint) {
  switch (tint) {
    case Tint::plain:
      return "";
    case Tint::good:
      return "\x1b[32m";
    case Tint::bad:
      return "\x1b[31m";
    case Tint::warning:
      return "\x1b[33m";
    case Tint::busy:
      return "\x1b[36m";
    case Tint::faint:
      return "\x1b[2m";
    case Tint::strong:
      return "\x1b[1m";
  }
  return "";
}

std::size_t terminal_width(const Context& context) {
  if (auto said = context.environment.find("COLUMNS"); said != context.environment.end()) {
    std::size_t columns = 0;
    const char* end = said->second.data() + said->second.size();
    if (auto read = std::from_chars(said->second.data(), end, columns);
        read.ec == std::errc{} && read.ptr == end && columns > 0) {
      return columns;
    }
  }
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return k_width_default;
}

std::string padded(const std::string& text, std::size_t width, Align align) {
  const std::size_t has = columns_of(text);
  if (has >= width) return text;
  const std::string pad(width - has, ' ');
  return align == Align::left ? text + pad : pad + text;
}

}  // namespace

Screen screen_of(const Context& context) {
  if (!context.out_is_terminal) return {};
  return {.width = std::max(k_width_min, terminal_width(context)), .colour = context.colour};
}

std::string paint(const Screen& screen, Tint tint, std::string text) {
  if (!screen.colour || tint == Tint::plain || text.empty()) return text;
  return std::string(escape_of(tint)) + text + "\x1b[0m";
}

std::string one_line(std::string_view text) {
  const std::string printable = printable_utf8(text);
  std::string line;
  line.reserve(printable.size());
  std::string_view rest = printable;
  while (!rest.empty()) {
    std::string_view before = rest;
    const std::uint32_t code = take_character(rest);
    if (code == '\n' || code == '\t') {
      if (!line.empty() && line.back() != ' ') line += ' ';
    } else if (is_bidi_control(code)) {
      line += "\xEF\xBF\xBD";
    } else {
      line += before.substr(0, before.size() - rest.size());
    }
  }
  return std::string(trim(line));
}

std::size_t columns_of(std::string_view text) {
  std::size_t columns = 0;
  while (!text.empty()) columns += width_of(take_character(text));
  return columns;
}

std::string fit(std::string_view text, std::size_t columns) {
  BERNSTEIN_CHECK(columns > 0, "a text is cut to at least one column");
  if (columns_of(text) <= columns) return std::string(text);
  std::size_t taken = 0;
  std::string_view rest = text;
  while (true) {
    std::string_view after = rest;
    taken += width_of(take_character(after));
    if (taken > columns - 1) break;
    rest = after;
  }
  return std::string(text.substr(0, text.size() - rest.size())) + "…";
}

void TextTable::add(std::vector<Cell> cells) {
  BERNSTEIN_CHECK(cells.size() == columns_.size(), "a row has a cell for every column");
  for (Cell& cell : cells) cell.text = one_line(cell.text);
  rows_.push_back(std::move(cells));
}

std::vector<std::size_t> TextTable::widths(const Screen& screen) const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t width = columns_of(columns_[i].head);
    for (const auto& row : rows_) width = std::max(width, columns_of(row[i].text));
    widths.push_back(width);
  }
  if (screen.width == 0 || widths.empty()) return widths;
  std::size_t total = std::accumulate(widths.begin(), widths.end(), k_gap.size() * (widths.size() - 1));
  while (total > screen.width) {
    auto widest = std::max_element(widths.begin(), widths.end());
    if (*widest <= k_column_min) break;
    --*widest;
    --total;
  }
  return widths;
}

void TextTable::print(std::ostream& out, const Screen& screen) const {
  const std::vector<std::size_t> widths = this->widths(screen);
  auto print_row = [&](auto&& cell_of) {
    std::string line;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const Cell cell = cell_of(i);
      std::string text = widths[i] > 0 ? fit(cell.text, widths[i]) : cell.text;
      const bool last = i + 1 == columns_.size();
      if (!last || columns_[i].align == Align::right) text = padded(text, widths[i], columns_[i].align);
      line += paint(screen, cell.tint, std::move(text));
      if (!last) line += k_gap;
    }
    while (line.ends_with(' ')) line.pop_back();
    out << line << '\n';
  };
  print_row([&](std::size_t i) { return Cell{columns_[i].head, Tint::strong}; });
  for (const auto& row : rows_) print_row([&](std::size_t i) { return row[i]; });
}

std::string counted(std::int64_t n, std::string_view noun) {
  return grouped(n) + " " + std::string(noun) + (n == 1 ? "" : "s");
}

std::string counted_commands(std::int64_t n) {
  return grouped(n) + (n == 1 ? " agent or check" : " agents or checks");
}

std::string grouped(std::int64_t n) {
  std::string digits = std::to_string(n);
  const std::size_t first = n < 0 ? 1 : 0;
  for (std::size_t at = digits.size(); at > first + 3;) {
    at -= 3;
    digits.insert(at, ",");
  }
  return digits;
}

std::string commands_go_on_alone(std::int64_t n) {
  return counted_commands(n) + (n == 1 ? " goes on alone" : " go on alone");
}

std::string format_wall(Micros wall_us) {
  const std::time_t seconds = wall_us / k_second;
  std::tm local{};
  std::array<char, 32> text{};
  if (::localtime_r(&seconds, &local) == nullptr) return std::to_string(seconds);
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M", &local)};
}

std::string about_usd(UsdMicros amount) {
  constexpr std::int64_t k_cent = 10'000;
  const std::int64_t step = amount.value >= 100 * k_cent ? k_cent : amount.value >= k_cent ? 100 : 1;
  return format_usd({(amount.value + step / 2) / step * step});
}

std::string format_bytes(std::uint64_t bytes) {
  static constexpr std::array<std::string_view, 5> k_units{"B", "kB", "MB", "GB", "TB"};
  if (bytes < 1000) return std::to_string(bytes) + " B";
  auto amount = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (amount >= 999.95 && unit + 1 < k_units.size()) {
    amount /= 1000;
    ++unit;
  }
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f ", amount);
  return text.data() + std::string(k_units[unit]);
}

std::string format_offset(Micros since_start) {
  const Micros seconds = since_start / k_second;
  std::array<char, 48> text{};
  if (seconds < 60) {
    std::snprintf(text.data(), text.size(), "0:%02lld.%lld", static_cast<long long>(seconds),
                  static_cast<long long>(since_start % k_second / 100'000));
  } else if (seconds < 3600) {
    std::snprintf(text.data(), text.size(), "%lld:%02lld", static_cast<long long>(seconds / 60),
                  static_cast<long long>(seconds % 60));
  } else {
    std::snprintf(text.data(), text.size(), "%lld:%02lld:%02lld", static_cast<long long>(seconds / 3600),
                  static_cast<long long>(seconds / 60 % 60), static_cast<long long>(seconds % 60));
  }
  return text.data();
}

}  // namespace bernstein::cli
