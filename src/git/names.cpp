#include "names.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "bernstein/base/text.hpp"

namespace bernstein::git {
namespace {

// NTFS drops dots and spaces at the end, takes what follows ':' for a stream, and has short names.
bool is_git_on_ntfs(std::string_view name) {
  name = name.substr(0, name.find(':'));
  while (!name.empty() && (name.back() == '.' || name.back() == ' ')) name.remove_suffix(1);
  const std::string lower = lower_case(name);
  return lower == ".git" || lower == "git~1";
}

// HFS+ ignores these characters (U+200C to U+200F, U+202A to U+202E, U+206A to U+206F, U+FEFF).
std::string without_ignorable(std::string_view name) {
  std::string kept;
  while (!name.empty()) {
    const auto byte = [&](std::size_t at) { return at < name.size() ? static_cast<std::uint8_t>(name[at]) : 0; };
    const bool general =
        byte(0) == 0xE2 &&
        ((byte(1) == 0x80 && ((byte(2) >= 0x8C && byte(2) <= 0x8F) || (byte(2) >= 0xAA && byte(2) <= 0xAE))) ||
         (byte(1) == 0x81 && byte(2) >= 0xAA && byte(2) <= 0xAF));
    const bool mark = byte(0) == 0xEF && byte(1) == 0xBB && byte(2) == 0xBF;
    if (!general && !mark) kept += name.front();
    name.remove_prefix(general || mark ? 3 : 1);
  }
  return kept;
}

// Length of the valid UTF-8 sequence at the front; 0 when there is none.
std::size_t sequence_bytes(std::string_view text) {
  for (std::size_t bytes = 1; bytes <= 4 && bytes <= text.size(); ++bytes) {
    if (is_valid_utf8(text.substr(0, bytes))) return bytes;
  }
  return 0;
}

}  // namespace

bool is_forbidden_name(std::string_view name) {
  if (name.empty() || name == "." || name == ".." || name.find('/') != std::string_view::npos) return true;
  if (lower_case(without_ignorable(name)) == ".git") return true;
  // On Windows a backslash separates parts.
  const std::vector<std::string_view> parts = split(name, '\\');
  return std::any_of(parts.begin(), parts.end(), is_git_on_ntfs);
}

bool is_forbidden_path(std::string_view path) {
  const std::vector<std::string_view> parts = split(path, '/');
  return std::any_of(parts.begin(), parts.end(), is_forbidden_name);
}

bool is_modules_name(std::string_view name) {
  return lower_case(without_ignorable(name)) == ".gitmodules";
}

bool is_attributes_name(std::string_view name) {
  return lower_case(without_ignorable(name)) == ".gitattributes";
}

std::string printable_path(std::string_view path) {
  constexpr std::string_view k_digits = "0123456789ABCDEF";
  std::string printable;
  while (!path.empty()) {
    std::size_t bytes = sequence_bytes(path);
    const auto first = static_cast<std::uint8_t>(path.front());
    if (bytes == 0 || first < 0x20 || first == 0x7F) {
      printable += {'\\', 'x', k_digits[first >> 4], k_digits[first & 15]};
      bytes = 1;
    } else {
      printable += path.substr(0, bytes);
    }
    path.remove_prefix(bytes);
  }
  return printable;
}

}  // namespace bernstein::git
