#pragma once
// Dice: all chance of a simulation comes from its seed, the same on every machine.
//
//     Dice dice(seed, "plan");          // a stream of its own for each purpose: one more draw here changes nothing
//     there dice.below(6)                     // 0 to 5 dice.chance(250'000)              // true a quarter of the time

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "bernstein/base/units.hpp"

namespace bernstein::sim {

class Dice {
 public:
  Dice(std::uint64_t seed, std::string_view purpose) : state_(seed) {
    for (const char c : purpose) state_ = (state_ ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    next();
  }

  std::uint64_t next() {  // splitmix64, Steele, Lea and Flood 2014
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
  }

  std::uint32_t below(std::size_t limit) { return static_cast<std::uint32_t>(next() % limit); }
  bool one_in(std::size_t n) { return below(n) == 0; }
  bool chance(std::uint32_t ppm) { return ppm > 0 && below(1'000'000) < ppm; }
  Micros between(Micros least, Micros most) {
    return least + static_cast<Micros>(next() % static_cast<std::uint64_t>(most - least + 1));
  }
  template <class T>
  const T& pick(const std::vector<T>& choices) {
    return choices[below(choices.size())];
  }

 private:
  std::uint64_t state_;
};

}  // namespace bernstein::sim
