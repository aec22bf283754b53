#include "bernstein/base/redact.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <vector>

namespace bernstein {
namespace {

// What a redactor makes of a text that comes in these pieces.
std::string in_pieces(const Secrets& secrets, const std::vector<std::string>& pieces) {
  Redactor redactor(secrets);
  std::string out;
  for (const std::string& piece : pieces) redactor.feed(piece, out);
  redactor.finish(out);
  return out;
}

TEST(Redactor, NamesWhatItTookOut) {
  const Secrets secrets{{"API_KEY", "sk-12345678"}, {"DB_PASSWORD", "correct horse"}};
  EXPECT_EQ(Redactor(secrets).redact("key=sk-12345678 and correct horse\nsk-12345678"),
            "key=[redacted API_KEY] and [redacted DB_PASSWORD]\n[redacted API_KEY]");
  EXPECT_EQ(Redactor(secrets).redact("sk-1234567 is not one"), "sk-1234567 is not one");
  EXPECT_EQ(Redactor(secrets).redact(""), "");
  EXPECT_EQ(Redactor().redact("sk-12345678"), "sk-12345678");
}

TEST(Redactor, FindsASecretAtEverySplitOfTheStream) {
  const std::string value = "sk-sk-sk-secret";
  const Secrets secrets{{"API_KEY", value}};
  const std::string text = "sk-sk-" + value + "sk-" + value + value + "sk-sk";
  const std::string wanted = "sk-sk-[redacted API_KEY]sk-[redacted API_KEY][redacted API_KEY]sk-sk";
  for (std::size_t i = 0; i <= text.size(); ++i) {
    for (std::size_t j = i; j <= text.size(); ++j) {
      ASSERT_EQ(in_pieces(secrets, {text.substr(0, i), text.substr(i, j - i), text.substr(j)}), wanted)
          << i << ' ' << j;
    }
  }
  std::vector<std::string> bytes;
  for (const char c : text) bytes.emplace_back(1, c);
  EXPECT_EQ(in_pieces(secrets, bytes), wanted);
}

TEST(Redactor, HoldsBackTheBeginningOfASecretAndNothingElse) {
  Redactor redactor(Secrets{{"API_KEY", "sk-12345678"}});
  std::string out;
  redactor.feed("working...", out);
  EXPECT_EQ(out, "working...");
  redactor.feed(" sk-123", out);
  EXPECT_EQ(out, "working... ");
  redactor.feed("!", out);
  EXPECT_EQ(out, "working... sk-123!");
  redactor.feed("sk-1234567", out);
  redactor.finish(out);
  EXPECT_EQ(out, "working... sk-123!sk-1234567");
  redactor.feed("8", out);
  redactor.finish(out);
  EXPECT_EQ(out, "working... sk-123!sk-12345678") << "a new text began";
}

TEST(Redactor, TakesOutEveryByteOfSecretsThatOverlap) {
  const Secrets secrets{{"A_KEY", "abcdefgh"}, {"B_KEY", "efghijklm"}, {"C_KEY", "abcdefghij"}, {"D_KEY", "cdef"}};
  EXPECT_EQ(Redactor(secrets).redact("<abcdefgh>"), "<[redacted A_KEY]>");
  EXPECT_EQ(Redactor(secrets).redact("<abcdefghij>"), "<[redacted C_KEY]>");
  EXPECT_EQ(Redactor(secrets).redact("<abcdefghijklm>"), "<[redacted C_KEY]>") << "named after the longest";
  EXPECT_EQ(Redactor(secrets).redact("<abcdefghi>"), "<[redacted A_KEY]i>");
  EXPECT_EQ(Redactor(secrets).redact("<cdefghijklm>"), "<[redacted B_KEY]>");
}

TEST(Redactor, IsBinarySafe) {
  const std::string value("\0\xff\r\n\0key", 8);
  const std::string text = std::string("\0\0\xff", 3) + value + std::string("\xff\0", 2);
  EXPECT_EQ(Redactor(Secrets{{"KEY", value}}).redact(text),
            std::string("\0\0\xff", 3) + "[redacted KEY]" + std::string("\xff\0", 2));
}

TEST(Redactor, KnowsAValueWithoutTheWhiteSpaceAroundIt) {
  EXPECT_EQ(Redactor(Secrets{{"KEY", " 12345678\n"}}).redact("(12345678)"), "([redacted KEY])");
  EXPECT_EQ(Redactor({{"KEY", "12345678"}, {"OTHER_KEY", "12345678\n"}}).redact("12345678"), "[redacted KEY]");
  EXPECT_EQ(Redactor({{"KEY", "\n"}, {"OTHER_KEY", ""}}).redact("a\nb"), "a\nb");
}

// The plain way: mark every byte of every occurrence, then name each run of overlapping ones.
std::string marked_out(const Secrets& secrets, const std::string& text) {
  std::vector<bool> gone(text.size(), false);
  for (const auto& [name, value] : secrets) {
    for (std::size_t at = text.find(value); at != std::string::npos; at = text.find(value, at + 1)) {
      std::fill_n(gone.begin() + static_cast<std::ptrdiff_t>(at), value.size(), true);
    }
  }
  std::string left;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!gone[i]) left += text[i];
  }
  return left;
}

TEST(Redactor, LetsOutExactlyTheBytesThatBelongToNoSecret) {
  const char* given = std::getenv("BERNSTEIN_SEED");
  const unsigned seed = given != nullptr ? static_cast<unsigned>(std::atol(given)) : std::random_device{}();
  std::cout << "BERNSTEIN_SEED=" << seed << "\n";
  std::mt19937 random(seed);
  const auto letters = [&](std::size_t most) {
    std::string text;
    for (std::size_t left = 1 + random() % most; left > 0; --left) text += static_cast<char>('a' + random() % 2);
    return text;
  };
  for (int i = 0; i < 5'000; ++i) {
    Secrets secrets;
    for (std::size_t left = 1 + random() % 4; left > 0; --left) secrets["K" + std::to_string(left)] = letters(6);
    const std::string text = letters(40);
    std::vector<std::string> pieces;
    for (std::size_t at = 0; at < text.size();) {
      pieces.push_back(text.substr(at, 1 + random() % 9));
      at += pieces.back().size();
    }
    std::string out = in_pieces(secrets, pieces);
    EXPECT_EQ(out, Redactor(secrets).redact(text)) << text;
    for (std::size_t at = out.find('['); at != std::string::npos; at = out.find('[')) {
      out.erase(at, out.find(']', at) + 1 - at);
    }
    ASSERT_EQ(out, marked_out(secrets, text)) << text;
  }
}

// Were what is read kept, or read again, this would take for ever: the worst that a text can do.
TEST(Redactor, TakesTimeInProportionToTheText) {
  const std::string value = std::string(4'000, 'a') + "b";
  Redactor redactor({{"KEY", value}, {"SHORT_KEY", "aaaaaaaa"}, {"OTHER_KEY", "cccccccd"}});
  std::string out;
  std::size_t bytes = 0;
  const std::string piece(64 << 10, 'a');
  const std::string other(64 << 10, 'c');
  for (int i = 0; i < 100; ++i) {
    redactor.feed(piece, out);
    redactor.feed(other, out);
    bytes += out.size();
    out.clear();
  }
  redactor.finish(out);
  EXPECT_EQ(bytes + out.size(), 100 * (other.size() + std::string("[redacted SHORT_KEY]").size()));
}

}  // namespace
}  // namespace bernstein
