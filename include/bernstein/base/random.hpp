#pragma once
// Chance as a function: the n-th number of a seed, the same on every machine and in any order of asking. Nothing is
// carried from one number to the next, so a decision that draws can be derived again from what it was made of.
//
//     random_below(random_at(seed, 7), 6)      // the roll of a die
//
// SplitMix64 (Steele, Lea & Flood 2014, "Fast splittable pseudorandom number generators") with the counter as its
// state; std::*_distribution would give other numbers with another standard library.

#include <cstdint>

namespace bernstein {

constexpr std::uint64_t mixed(std::uint64_t z) {
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31U);
}

// Uniform over all 64-bit numbers. Seeds that are near each other have nothing in common.
constexpr std::uint64_t random_at(std::uint64_t seed, std::uint64_t counter) {
  constexpr std::uint64_t k_golden = 0x9e3779b97f4a7c15U;
  return mixed(mixed(seed + k_golden) + (counter + 1) * k_golden);
}

// From 0 to limit - 1, all but equally likely: off by less than limit / 2^32.
constexpr std::uint32_t random_below(std::uint64_t number, std::uint32_t limit) {
  return static_cast<std::uint32_t>(((number >> 32U) * limit) >> 32U);
}

}  // namespace bernstein
