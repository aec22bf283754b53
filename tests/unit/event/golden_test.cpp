// One stored payload of each event type. A difference means that logs which are out there read differently: that is a
// new version of the type and an upcaster, not a new golden file. BERNSTEIN_ACCEPT=1 writes the file anew.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include "bernstein/event/codec.hpp"
#include "unit/event/samples.hpp"

namespace bernstein {
namespace {

using test::for_each_type;
using test::sample;

// "TaskReadied 1 {...}" a line.
std::map<std::string, std::string> golden_payloads() {
  std::map<std::string, std::string> payloads;
  std::ifstream file(BERNSTEIN_GOLDEN_PAYLOADS);
  for (std::string line; std::getline(file, line);) {
    const std::size_t before_payload = line.find(' ', line.find(' ') + 1);
    payloads[line.substr(0, before_payload)] = line.substr(before_payload + 1);
  }
  return payloads;
}

template <class T>
std::string golden_key() {
  return std::string(T::type) + " " + std::to_string(T::version);
}

TEST(GoldenPayloads, EveryTypeIsStoredAsItAlwaysWas) {
  if (std::getenv("BERNSTEIN_ACCEPT") != nullptr) {
    std::ofstream file(BERNSTEIN_GOLDEN_PAYLOADS);
    for_each_type([&]<class T>() { file << golden_key<T>() << ' ' << encode(sample<T>()) << '\n'; });
  }
  const std::map<std::string, std::string> golden = golden_payloads();
  for_each_type([&]<class T>() {
    const auto found = golden.find(golden_key<T>());
    ASSERT_NE(found, golden.end()) << "add this line to " << BERNSTEIN_GOLDEN_PAYLOADS << ":\n"
                                   << golden_key<T>() << ' ' << encode(sample<T>());
    EXPECT_EQ(encode(sample<T>()), found->second);
  });
}

TEST(GoldenPayloads, EveryVersionThatWasEverStoredIsRead) {
  const std::map<std::string, std::string> golden = golden_payloads();
  EXPECT_GE(golden.size(), std::variant_size_v<EventBody>);
  for (const auto& [key, payload] : golden) {
    std::istringstream words(key);
    std::string type;
    int version = 0;
    words >> type >> version;
    const Result<EventBody> body = decode(type, version, payload);
    ASSERT_TRUE(body) << body.error().message;
    EXPECT_EQ(type_of(*body), type);
  }
}

}  // namespace
}  // namespace bernstein
