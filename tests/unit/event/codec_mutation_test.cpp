// Whatever happens to a stored payload: it is refused, or it is the canonical form of another event. There is no third
// way, so no two texts mean the same and no damage passes as spelling.
#include <gtest/gtest.h>

#include "bernstein/event/codec.hpp"
#include "unit/event/samples.hpp"

namespace bernstein {
namespace {

using test::for_each_type;
using test::sample;

// One of each class of byte that the grammar tells apart.
const std::string k_telling_bytes(" \t\n,:\"\\{}[]-0u1+./ant\x00\x80\xc3", 25);

// What may stand instead of a byte: all there is, but for the three events that are so long that it would take a
// minute.
std::string substitutes_for(char byte, std::size_t payload_size) {
  constexpr std::size_t k_long = 500;
  std::string substitutes;
  if (payload_size > k_long) {
    substitutes = k_telling_bytes;
    for (int bit = 1; bit < 256; bit *= 2) substitutes += static_cast<char>(byte ^ bit);
  } else {
    for (int any = 0; any < 256; ++any) substitutes += static_cast<char>(any);
  }
  std::erase(substitutes, byte);
  return substitutes;
}

class Mutations {
 public:
  explicit Mutations(std::string_view type, int version) : type_(type), version_(version) {}

  // False when the mutant is accepted and encodes to something else.
  bool holds(const std::string& mutant) {
    const Result<EventBody> body = decode(type_, version_, mutant);
    accepted_ += body.has_value();
    refused_ += !body.has_value();
    return !body || encode(*body) == mutant;
  }
  int accepted() const { return accepted_; }
  int refused() const { return refused_; }

 private:
  std::string_view type_;
  int version_;
  int accepted_ = 0;
  int refused_ = 0;
};

TEST(CodecMutation, EverySubstitutedByteIsRefusedOrCanonical) {
  for_each_type([]<class T>() {
    const std::string payload = encode(sample<T>());
    Mutations mutations(T::type, T::version);
    for (std::size_t at = 0; at < payload.size(); ++at) {
      std::string mutant = payload;
      for (const char byte : substitutes_for(payload[at], payload.size())) {
        mutant[at] = byte;
        ASSERT_TRUE(mutations.holds(mutant)) << T::type << ": " << mutant;
      }
    }
    EXPECT_GT(mutations.refused(), 0);
    // Of a payload that is one word of an enum, no other word is a byte away.
    const bool is_one_word = std::is_same_v<T, WorktreeReady>;
    EXPECT_TRUE(mutations.accepted() > 0 || payload == "{}" || is_one_word)
        << T::type << ": no mutant got past the parser";
  });
}

TEST(CodecMutation, EveryTruncationIsRefused) {
  for_each_type([]<class T>() {
    const std::string payload = encode(sample<T>());
    for (std::size_t length = 0; length < payload.size(); ++length) {
      ASSERT_FALSE(decode(T::type, T::version, payload.substr(0, length))) << T::type << " cut to " << length;
    }
  });
}

TEST(CodecMutation, EveryInsertedOrRemovedByteIsRefusedOrCanonical) {
  for_each_type([]<class T>() {
    const std::string payload = encode(sample<T>());
    Mutations mutations(T::type, T::version);
    for (std::size_t at = 0; at <= payload.size(); ++at) {
      for (const char byte : k_telling_bytes) {
        std::string mutant = payload;
        mutant.insert(at, 1, byte);
        ASSERT_TRUE(mutations.holds(mutant)) << T::type << ": " << mutant;
      }
      if (at == payload.size()) break;
      std::string mutant = payload;
      mutant.erase(at, 1);
      ASSERT_TRUE(mutations.holds(mutant)) << T::type << ": " << mutant;
    }
  });
}

}  // namespace
}  // namespace bernstein
