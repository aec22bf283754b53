#include "bernstein/event/canonical.hpp"

#include <charconv>

#include "bernstein/base/text.hpp"

namespace bernstein::canonical {
namespace {

void write_escape(std::string& out, unsigned char byte) {
  constexpr std::string_view k_digits = "0123456789abcdef";
  switch (byte) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\f':
      out += "\\f";
      return;
    case '\r':
      out += "\\r";
      return;
    default:
      break;
  }
  out.append("\\u00").append(1, k_digits[byte >> 4]).append(1, k_digits[byte & 15]);
}

}  // namespace

void write_text(std::string& out, std::string_view text) {
  out += '"';
  std::size_t plain_from = 0;
  unsigned seen = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    seen |= byte;
    if (byte >= 0x20 && byte != '"' && byte != '\\') continue;
    out.append(text, plain_from, i - plain_from);
    write_escape(out, byte);
    plain_from = i + 1;
  }
  out.append(text, plain_from);
  out += '"';
  if (seen >= 0x80) BERNSTEIN_CHECK(is_valid_utf8(text), "stored text is UTF-8");
}

void write_integer(std::string& out, std::int64_t value) {
  BERNSTEIN_CHECK(value > -k_integer_limit && value < k_integer_limit, "stored integers are below 2^53 in magnitude");
  char digits[20];
  const auto [end, error] = std::to_chars(std::begin(digits), std::end(digits), value);
  out.append(digits, end);
}

}  // namespace bernstein::canonical
