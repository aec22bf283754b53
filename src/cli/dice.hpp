#pragma once
// Dice: numbers that look random and follow from a key alone, so that a forecast is the same wherever and whenever it
// is made. Counter-based: the n-th number of a key is a hash of both (SplitMix64: Steele, Lea and Flood, OOPSLA 2014).
//
//     Dice dice({rehearsal, task, attempt});
//     dice.below(6)                            // 0 to 5; the next call, another one

#include <cstdint>
#include <initializer_list>

namespace bernstein::cli {

class Dice {
 public:
  explicit Dice(std::initializer_list<std::uint64_t> key) {
    for (const std::uint64_t part : key) state_ = mixed(state_ ^ part);
  }

  std::uint64_t next() { return mixed(state_ += k_golden); }

  // Evenly from 0 to n - 1, as even as 2^64 numbers can be. Requires n > 0.
  std::uint64_t below(std::uint64_t n) {
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::uint64_t>((Wide{next()} * n) >> 64U);
  }

 private:
  static constexpr std::uint64_t k_golden = 0x9e3779b97f4a7c15U;

  static std::uint64_t mixed(std::uint64_t z) {
    z += k_golden;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
  }

  std::uint64_t state_ = 0;
};

}  // namespace bernstein::cli
