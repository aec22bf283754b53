#pragma once
// Values for every event type, made by walking its list of fields: no test has to be told about a new type.
//
//     for_each_type([]<class T>() { T event = random_value<T>(random); });
//     T event = sample<T>();     // the same on every machine; every list has an element, every optional a value

#include <concepts>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "bernstein/event/canonical.hpp"
#include "bernstein/event/event.hpp"

namespace bernstein::test {

template <class... T>
void for_each_alternative(std::type_identity<std::variant<T...>>, auto&& visit) {
  (visit.template operator()<T>(), ...);
}
void for_each_type(auto&& visit) {
  for_each_alternative(std::type_identity<EventBody>{}, visit);
}

// Where values come from. One Source fills a whole event, field by field.
class Source {
 public:
  virtual ~Source() = default;
  virtual std::int64_t integer(std::int64_t least, std::int64_t greatest) = 0;
  virtual std::string text() = 0;
  virtual bool present() = 0;          // an optional
  virtual std::size_t elements() = 0;  // of a list or map
};

// Anything goes: extremes, every character class, empty lists.
class RandomSource : public Source {
 public:
  explicit RandomSource(std::uint64_t seed) : engine_(seed) {}

  std::int64_t integer(std::int64_t least, std::int64_t greatest) override {
    switch (below(4)) {
      case 0:
        return least;
      case 1:
        return greatest;
      case 2:
        return least <= 7 && greatest >= 7 ? 7 : least;
      default:
        return least + static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(greatest - least + 1));
    }
  }
  std::string text() override {
    static const std::string k_pieces[] = {"a",          "src/limit.py",
                                           "\"",         "\\",
                                           "\b",         "\t",
                                           "\n",         "\f",
                                           "\r",         std::string(1, '\0'),
                                           "\x01",       "\x1f",
                                           "\x7f",       "/",
                                           "\u00e9",     "\u20ac",
                                           "\U0001F600", "\uffff",
                                           "\u2028",     " ",
                                           "{",          "]",
                                           ",",          "\\u0041"};
    std::string made;
    for (std::size_t left = below(6); left > 0; --left) made += k_pieces[below(std::size(k_pieces))];
    return made;
  }
  bool present() override { return below(2) == 0; }
  std::size_t elements() override { return below(4); }

 private:
  std::size_t below(std::size_t limit) { return static_cast<std::size_t>(engine_() % limit); }

  std::mt19937_64 engine_;
};

// Counts: 1, 2, 3 and "4", so that swapped fields show; every class of character comes by.
class CountingSource : public Source {
 public:
  std::int64_t integer(std::int64_t least, std::int64_t greatest) override {
    return least + next_++ % (greatest - least + 1);
  }
  std::string text() override {
    static const std::string k_specials[] = {"", "\"", "\n", "\u00e9", "\\", "\x01"};
    const std::int64_t number = next_++;
    return std::to_string(number) + k_specials[static_cast<std::size_t>(number) % std::size(k_specials)];
  }
  bool present() override { return true; }
  std::size_t elements() override { return 2; }

 private:
  std::int64_t next_ = 1;
};

template <class T>
void fill(T& value, Source& source) {
  if constexpr (std::is_same_v<T, bool>) {
    value = source.integer(0, 1) == 1;
  } else if constexpr (std::is_enum_v<T>) {
    value = static_cast<T>(source.integer(0, static_cast<std::int64_t>(T::count_) - 1));
  } else if constexpr (std::integral<T>) {
    constexpr std::int64_t k_limit = canonical::k_integer_limit - 1;
    constexpr std::int64_t k_least = std::in_range<std::int32_t>(std::numeric_limits<T>::min())
                                         ? static_cast<std::int64_t>(std::numeric_limits<T>::min())
                                         : -k_limit;
    constexpr std::int64_t k_greatest = std::in_range<std::uint32_t>(std::numeric_limits<T>::max())
                                            ? static_cast<std::int64_t>(std::numeric_limits<T>::max())
                                            : k_limit;
    value = static_cast<T>(source.integer(k_least, k_greatest));
  } else if constexpr (std::is_same_v<T, std::string>) {
    value = source.text();
  } else if constexpr (std::is_same_v<T, UsdMicros>) {
    fill(value.value, source);
  } else if constexpr (std::is_same_v<T, TaskId>) {
    fill(value.number, source);
  } else if constexpr (canonical::k_is_optional<T>) {
    if (source.present()) fill(value.emplace(), source);
  } else if constexpr (canonical::k_is_vector<T>) {
    for (std::size_t left = source.elements(); left > 0; --left) fill(value.emplace_back(), source);
  } else if constexpr (canonical::k_is_map<T>) {
    for (std::size_t left = source.elements(); left > 0; --left) fill(value[source.text()], source);
  } else {
    T::fields(value, [&](const char*, auto& member) { fill(member, source); });
  }
}

template <class T>
T random_value(RandomSource& random) {
  T value;
  fill(value, random);
  return value;
}

template <class T>
T sample() {
  CountingSource counting;
  T value;
  fill(value, counting);
  return value;
}

}  // namespace bernstein::test
