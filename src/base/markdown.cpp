#include "bernstein/base/markdown.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "bernstein/base/text.hpp"

namespace bernstein {
namespace {

constexpr std::size_t k_fence_ticks_max = 20;

// The longest run of backticks in a text.
std::size_t longest_ticks(std::string_view text) {
  std::size_t longest = 0;
  std::size_t run = 0;
  for (const char c : text) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  return longest;
}

}  // namespace

std::string code_span(const std::string& text) {
  const std::string line = replace_all(replace_all(text, "\r", "\\r"), "\n", "\\n");
  const std::size_t ticks = longest_ticks(line);
  if (ticks == 0) return "`" + line + "`";
  const std::string fence(ticks + 1, '`');
  return fence + " " + line + " " + fence;
}

std::string code_block(std::string text) {
  if (longest_ticks(text) >= k_fence_ticks_max) text = replace_all(std::move(text), "`", "'");
  const std::string fence(std::max<std::size_t>(3, longest_ticks(text) + 1), '`');
  return fence + "\n" + text + (text.ends_with('\n') ? "" : "\n") + fence + "\n";
}

}  // namespace bernstein
