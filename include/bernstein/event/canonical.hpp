#pragma once
// The canonical form of a value with a `fields` list (event/fields.hpp): JSON after RFC 8785, restricted to integers.
//
//     canonical::write(text, Usage{.input_tokens = 7});
//     {"cached_tokens":null,"cost_micros":null,"input_tokens":7,"output_tokens":null}
//
// What is written how:
//   bool                   true, false
//   integers, UsdMicros    decimal; magnitude below 2^53, so that every JSON reader gets the same number
//   std::string            UTF-8 as it is; the escapes \" \\ \b \t \n \f \r, and \u00xx for the other control
//   characters enums                  their word;  TaskId: "t4" std::optional          null or the value;  std::vector:
//   an array std::map<string, T>    an object, keys in byte order;  structs: an object, fields in the order of their
//   list
//
// Equal values have equal bytes. Text that is no UTF-8 and numbers out of range are bugs of the caller and abort: what
// comes from outside is cleaned before it becomes part of an event (base/text.hpp).

#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "bernstein/base/check.hpp"
#include "bernstein/base/id.hpp"
#include "bernstein/base/units.hpp"
#include "bernstein/event/fields.hpp"

namespace bernstein::canonical {

// Integers are smaller than this in magnitude: the doubles of other JSON readers hold them exactly (RFC 8785, 3.2.2.3).
inline constexpr std::int64_t k_integer_limit = std::int64_t{1} << 53;

template <class T>
inline constexpr bool k_is_optional = false;
template <class T>
inline constexpr bool k_is_optional<std::optional<T>> = true;
template <class T>
inline constexpr bool k_is_vector = false;
template <class T>
inline constexpr bool k_is_vector<std::vector<T>> = true;
template <class T>
inline constexpr bool k_is_map = false;
template <class T>
inline constexpr bool k_is_map<std::map<std::string, T>> = true;

void write_text(std::string& out, std::string_view text);
void write_integer(std::string& out, std::int64_t value);

template <class T>
void write(std::string& out, const T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    out += value ? "true" : "false";
  } else if constexpr (std::is_enum_v<T>) {
    BERNSTEIN_CHECK(static_cast<std::size_t>(value) < Words<T>::all.size(), "a stored enum has one of its words");
    out.append(1, '"').append(to_word(value)).append(1, '"');
  } else if constexpr (std::integral<T>) {
    BERNSTEIN_CHECK(std::in_range<std::int64_t>(value), "stored integers are below 2^53 in magnitude");
    write_integer(out, static_cast<std::int64_t>(value));
  } else if constexpr (std::is_same_v<T, std::string>) {
    write_text(out, value);
  } else if constexpr (std::is_same_v<T, UsdMicros>) {
    write_integer(out, value.value);
  } else if constexpr (std::is_same_v<T, TaskId>) {
    out += "\"t";
    write_integer(out, value.number);
    out += '"';
  } else if constexpr (k_is_optional<T>) {
    if (value) {
      write(out, *value);
    } else {
      out += "null";
    }
  } else if constexpr (k_is_vector<T>) {
    char before = '[';
    for (const auto& element : value) {
      out += std::exchange(before, ',');
      write(out, element);
    }
    out += value.empty() ? "[]" : "]";
  } else if constexpr (k_is_map<T>) {
    char before = '{';
    for (const auto& [key, element] : value) {
      out += std::exchange(before, ',');
      write_text(out, key);
      out += ':';
      write(out, element);
    }
    out += value.empty() ? "{}" : "}";
  } else {
    char before = '{';
    T::fields(value, [&](std::string_view name, const auto& member) {
      out += std::exchange(before, ',');
      out.append(1, '"').append(name).append("\":");
      write(out, member);
    });
    out += before == '{' ? "{}" : "}";
  }
}

}  // namespace bernstein::canonical
