#pragma once
// How a struct that is stored in events says what its fields are: once, in the order of their names.
//
//     struct Usage {
//       std::int64_t cached_tokens = 0;
//       std::int64_t input_tokens = 0;
//       static void fields(auto& self, auto&& field) {
//         field("cached_tokens", self.cached_tokens);
//         field("input_tokens", self.input_tokens);
//       }
//     };
//
// The encoder, the decoder (event/codec.hpp) and the digest of the state all go through this one list. Names are in
// ascending byte order, because the canonical form sorts keys (after RFC 8785); a test walks every event and checks it.
//
// Enums that are stored end in `count_` and declare their words, in the order of their values:
//
//     enum class Scope { small, medium, large, count_ };
//     BERNSTEIN_ENUM_WORDS(Scope, "small", "medium", "large");
//     to_word(Scope::large)      "large"

#include <array>
#include <cstddef>
#include <string_view>
#include <type_traits>

namespace bernstein {

template <class E>
using EnumWords = std::array<std::string_view, static_cast<std::size_t>(E::count_)>;

template <class E>
struct Words;  // specialised by BERNSTEIN_ENUM_WORDS

template <class E>
constexpr std::string_view to_word(E value) {
  return Words<E>::all[static_cast<std::size_t>(value)];
}

// The value that a word stands for; false when it stands for none.
template <class E>
constexpr bool from_word(std::string_view word, E& value) {
  for (std::size_t i = 0; i < Words<E>::all.size(); ++i) {
    if (Words<E>::all[i] == word) return value = static_cast<E>(i), true;
  }
  return false;
}

}  // namespace bernstein

// The words of an enum whose last enumerator is `count_`. To be used in namespace bernstein.
#define BERNSTEIN_ENUM_WORDS(Enum, ...)                \
  template <>                                          \
  struct Words<Enum> {                                 \
    static constexpr EnumWords<Enum> all{__VA_ARGS__}; \
  }
