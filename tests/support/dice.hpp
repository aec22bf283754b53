#pragma once
// Random tests: how often, and from which seed, as the environment wants it.
//
//     const std::uint64_t seed = seed_of_test();                    // printed; BERNSTEIN_SEED=... repeats a run
//     const int crashes = times("BERNSTEIN_CRASHES", 150);          // 150 in ctest, more where there is time

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>

namespace bernstein::test {

inline std::uint64_t seed_of_test() {
  const char* wanted = std::getenv("BERNSTEIN_SEED");
  const std::uint64_t seed = wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : std::random_device{}();
  std::cout << "BERNSTEIN_SEED=" << seed << '\n';
  return seed;
}

inline int times(const char* variable, int usually) {
  const char* wanted = std::getenv(variable);
  return wanted != nullptr ? std::atoi(wanted) : usually;
}

}  // namespace bernstein::test
