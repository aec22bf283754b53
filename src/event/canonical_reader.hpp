#pragma once
// CanonicalReader: the strict counterpart of canonical::write, in one pass and without a document tree.
//
//     CanonicalReader reader(R"({"why":"no prerequisites"})");
//     TaskReadied body;
//     if (!reader.read(body) || !reader.finish()) return reader.fault();
//
// It accepts exactly the bytes that canonical::write makes of some value of the type: same order of keys, same escapes,
// no spaces. The depth is that of the type, so no input can exhaust the stack. After a false, only fault() may be
// called.

#include <concepts>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "bernstein/event/canonical.hpp"

namespace bernstein {

class CanonicalReader {
 public:
  explicit CanonicalReader(std::string_view text)
      : begin_(text.data()), at_(text.data()), end_(text.data() + text.size()) {}

  template <class T>
  bool read(T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      return read_bool(value);
    } else if constexpr (std::is_enum_v<T>) {
      std::string_view word;
      return read_word(word) && (from_word(word, value) || fail_at(word.data(), "a word of its enum"));
    } else if constexpr (std::integral<T>) {
      std::int64_t number = 0;
      const char* start = at_;
      if (!read_integer(number)) return false;
      if (!std::in_range<T>(number)) return fail_at(start, "an integer within range");
      value = static_cast<T>(number);
      return true;
    } else if constexpr (std::is_same_v<T, std::string>) {
      return read_text(value);
    } else if constexpr (std::is_same_v<T, UsdMicros>) {
      return read_integer(value.value);
    } else if constexpr (std::is_same_v<T, TaskId>) {
      return read_task(value);
    } else if constexpr (canonical::k_is_optional<T>) {
      if (skip("null")) return value.reset(), true;
      return read(value.emplace());
    } else if constexpr (canonical::k_is_vector<T>) {
      return read_vector(value);
    } else if constexpr (canonical::k_is_map<T>) {
      return read_map(value);
    } else {
      return read_struct(value);
    }
  }

  // Whether everything was read.
  bool finish() { return at_ == end_ || fail("the end"); }

  // What was expected and where: "byte 7: expected the key 'why'". Only after a false.
  std::string fault() const;

 private:
  template <class T>
  bool read_vector(T& value) {
    if (!skip("[")) return fail("'['");
    if (skip("]")) return true;
    do {
      if (!read(value.emplace_back())) return false;
    } while (skip(","));
    return skip("]") || fail("',' or ']'");
  }

  template <class T>
  bool read_map(T& value) {
    if (!skip("{")) return fail("'{'");
    if (skip("}")) return true;
    do {
      std::string key;
      const char* start = at_;
      if (!read_text(key)) return false;
      if (!value.empty() && key <= value.rbegin()->first) return fail_at(start, "keys in ascending order");
      if (!skip(":")) return fail("':'");
      if (!read(value.emplace_hint(value.end(), std::move(key), typename T::mapped_type{})->second)) return false;
    } while (skip(","));
    return skip("}") || fail("',' or '}'");
  }

  template <class T>
  bool read_struct(T& value) {
    bool good = skip("{") || fail("'{'");
    bool first = true;
    T::fields(value, [&]<std::size_t N>(const char(&name)[N], auto& member) {
      good = good && read_key(name, std::exchange(first, false)) && read(member);
    });
    return good && (skip("}") || fail("'}'"));
  }

  template <std::size_t N>
  bool read_key(const char (&name)[N], bool first) {
    constexpr std::size_t k_length = N - 1;
    if (!first && !skip(",")) return fail("','");
    const bool there = left() >= k_length + 3 && at_[0] == '"' && std::memcmp(at_ + 1, name, k_length) == 0 &&
                       at_[k_length + 1] == '"' && at_[k_length + 2] == ':';
    if (!there) return expected_key_ = {name, k_length}, false;
    at_ += k_length + 3;
    return true;
  }

  template <std::size_t N>
  bool skip(const char (&literal)[N]) {
    constexpr std::size_t k_length = N - 1;
    if (left() < k_length || std::memcmp(at_, literal, k_length) != 0) return false;
    at_ += k_length;
    return true;
  }

  bool read_bool(bool& value);
  bool read_integer(std::int64_t& value);
  bool read_task(TaskId& value);
  bool read_text(std::string& value);
  bool read_escape(std::string& value);
  bool read_word(std::string_view& word);

  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
  bool fail(std::string_view expected) { return expected_ = expected, false; }
  bool fail_at(const char* place, std::string_view expected) { return at_ = place, fail(expected); }

  const char* begin_;
  const char* at_;
  const char* end_;
  std::string_view expected_;
  std::string_view expected_key_;
};

}  // namespace bernstein
