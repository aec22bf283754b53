#include "canonical_reader.hpp"

#include "bernstein/base/text.hpp"

namespace bernstein {
namespace {

// The value of a lower-case hexadecimal digit, or -1.
int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

}  // namespace

std::string CanonicalReader::fault() const {
  std::string text = "byte " + std::to_string(at_ - begin_) + ": expected ";
  if (expected_key_.empty()) return text.append(expected_);
  return text.append("the key '").append(expected_key_).append("'");
}

bool CanonicalReader::read_bool(bool& value) {
  if (skip("true")) return value = true, true;
  if (skip("false")) return value = false, true;
  return fail("true or false");
}

bool CanonicalReader::read_integer(std::int64_t& value) {
  const char* start = at_;
  const bool negative = skip("-");
  const char* digits = at_;
  std::int64_t magnitude = 0;
  while (at_ != end_ && is_digit(*at_)) {
    magnitude = magnitude * 10 + (*at_++ - '0');
    if (magnitude >= canonical::k_integer_limit) return fail_at(start, "an integer below 2^53");
  }
  if (at_ == digits) return fail_at(start, "an integer");
  const bool padded = *digits == '0' && (negative || at_ - digits > 1);
  if (padded) return fail_at(start, "an integer without a leading zero");
  value = negative ? -magnitude : magnitude;
  return true;
}

bool CanonicalReader::read_task(TaskId& value) {
  const char* start = at_;
  std::int64_t number = 0;
  if (!skip("\"t") || !read_integer(number) || !skip("\"")) return fail_at(start, "a task id");
  if (!std::in_range<std::uint32_t>(number)) return fail_at(start, "a task id within range");
  value.number = static_cast<std::uint32_t>(number);
  return true;
}

bool CanonicalReader::read_text(std::string& value) {
  if (!skip("\"")) return fail("a string");
  const char* const start = at_;
  const char* plain_from = at_;
  unsigned seen = 0;
  value.clear();
  for (; at_ != end_; ++at_) {
    const auto byte = static_cast<unsigned char>(*at_);
    seen |= byte;
    if (byte >= 0x20 && byte != '"' && byte != '\\') continue;
    value.append(plain_from, at_);
    if (byte == '"') {
      const std::string_view raw(start, static_cast<std::size_t>(at_ - start));
      if (seen >= 0x80 && !is_valid_utf8(raw)) return fail_at(start, "UTF-8");
      ++at_;
      return true;
    }
    if (byte != '\\') return fail("an escape instead of a control character");
    if (!read_escape(value)) return fail("an escape in its shortest form");
    plain_from = at_ + 1;
  }
  return fail("'\"'");
}

// Reads one escape and stops at its last byte. at_ stays at the backslash when it is none of ours.
bool CanonicalReader::read_escape(std::string& value) {
  if (left() < 2) return false;
  char meant = 0;
  switch (at_[1]) {
    case '"':
      meant = '"';
      break;
    case '\\':
      meant = '\\';
      break;
    case 'b':
      meant = '\b';
      break;
    case 't':
      meant = '\t';
      break;
    case 'n':
      meant = '\n';
      break;
    case 'f':
      meant = '\f';
      break;
    case 'r':
      meant = '\r';
      break;
    case 'u': {
      if (left() < 6 || at_[2] != '0' || at_[3] != '0') return false;
      const int high = hex_value(at_[4]);
      const int low = hex_value(at_[5]);
      if (high < 0 || high > 1 || low < 0) return false;
      meant = static_cast<char>(high * 16 + low);
      const bool has_short_form = meant == '\b' || meant == '\t' || meant == '\n' || meant == '\f' || meant == '\r';
      if (has_short_form) return false;
      value += meant;
      at_ += 5;
      return true;
    }
    default:
      return false;
  }
  value += meant;
  at_ += 1;
  return true;
}

// A string without escapes: words of enums need none.
bool CanonicalReader::read_word(std::string_view& word) {
  const char* start = at_;
  if (!skip("\"")) return fail("a word of its enum");
  const void* quote = std::memchr(at_, '"', left());
  if (quote == nullptr) return fail_at(start, "a word of its enum");
  const auto length = static_cast<std::size_t>(static_cast<const char*>(quote) - at_);
  word = {at_, length};
  at_ += length + 1;
  return true;
}

}  // namespace bernstein
