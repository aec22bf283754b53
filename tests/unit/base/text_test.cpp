#include "bernstein/base/text.hpp"

#include <gtest/gtest.h>

namespace bernstein {
namespace {

using Words = std::vector<std::string>;

TEST(Text, TrimsWhiteSpaceAtBothEnds) {
  EXPECT_EQ(trim(" \t a b\r\n"), "a b");
  EXPECT_EQ(trim(" \n"), "");
}

TEST(Text, SplitsIntoPartsAndKeepsEmptyOnes) {
  EXPECT_EQ(split("a,,b", ','), (std::vector<std::string_view>{"a", "", "b"}));
  EXPECT_EQ(split("", ','), (std::vector<std::string_view>{""}));
  EXPECT_EQ(split("a,", ','), (std::vector<std::string_view>{"a", ""}));
}

TEST(Text, JoinsWithSeparatorsBetween) {
  EXPECT_EQ(join(Words{"a", "", "b"}, ", "), "a, , b");
  EXPECT_EQ(join(Words{}, ", "), "");
}

TEST(Text, ReplacesWithoutReadingItsOwnReplacements) {
  EXPECT_EQ(replace_all("aXbX", "X", "XX"), "aXXbXX");
  EXPECT_EQ(replace_all("aaa", "aa", "b"), "ba");
  EXPECT_EQ(replace_all("abc", "x", "y"), "abc");
}

TEST(DidYouMean, FindsTheNearestWord) {
  Words stages{"frontend", "backend", "docs"};
  EXPECT_EQ(did_you_mean("backnd", stages), "backend");
  EXPECT_EQ(did_you_mean("bakcend", stages), "backend");  // two letters swapped are one mistake
  EXPECT_EQ(did_you_mean("doc", stages), "docs");
  EXPECT_EQ(did_you_mean_clause("backnd", stages), "; did you mean 'backend'?");
}

TEST(DidYouMean, StaysSilentWhenNothingIsNear) {
  Words stages{"frontend", "backend", "docs"};
  EXPECT_EQ(did_you_mean("release", stages), std::nullopt);
  EXPECT_EQ(did_you_mean("", stages), std::nullopt);
  EXPECT_EQ(did_you_mean("a", Words{"b"}), std::nullopt);  // any letter is one change away from any other
  EXPECT_EQ(did_you_mean(std::string(1000, 'a'), Words{std::string(1000, 'a') + "b"}), std::nullopt);
  EXPECT_EQ(did_you_mean_clause("release", stages), "");
}

TEST(DidYouMean, GivesTiesToTheFirst) {
  EXPECT_EQ(did_you_mean("cat", Words{"bat", "hat", "rat"}), "bat");
  EXPECT_EQ(did_you_mean("cats", Words{"bats", "cat", "cats2"}), "bats");
}

TEST(Utf8, AcceptsEveryLengthAndRefusesWhatRfc3629Forbids) {
  for (const char* text : {"", "a", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x8E\xBB", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_TRUE(is_valid_utf8(text)) << text;
  }
  for (const char* text : {"\x80", "\xC3", "\xC0\xAF", "\xC1\xBF", "\xE0\x80\x80", "\xED\xA0\x80", "\xF0\x80\x80\x80",
                           "\xF4\x90\x80\x80", "\xF8\x88\x80\x80", "\xE2\x82", "a\xFFz", "\xC3z"}) {
    EXPECT_FALSE(is_valid_utf8(text));
  }
}

TEST(Utf8, ShowsNothingThatCouldSteerATerminal) {
  EXPECT_EQ(printable_utf8("tab\tline\n\xC3\xA9"), "tab\tline\n\xC3\xA9");
  EXPECT_EQ(printable_utf8("\x1B[31mred"), "\xEF\xBF\xBD[31mred");
  EXPECT_EQ(printable_utf8("a\rb\x7F"),
            "a\xEF\xBF\xBD"
            "b\xEF\xBF\xBD");
  EXPECT_EQ(printable_utf8("\xC2\x9B"
                           "31m"),
            "\xEF\xBF\xBD"
            "31m");  // CSI of one character
  EXPECT_EQ(printable_utf8("a\xFFz\xC3"), "a\xEF\xBF\xBDz\xEF\xBF\xBD");
  EXPECT_TRUE(is_valid_utf8(printable_utf8("\xE2\x82\xC3\xF0\x9F")));
}

TEST(Tail, KeepsAShortTextWhole) {
  EXPECT_EQ(tail("abc", 3), "abc");
  EXPECT_EQ(tail("", 0), "");
}

TEST(Tail, StartsAtALineAndSaysHowMuchIsMissing) {
  EXPECT_EQ(tail("first\nsecond\nthird\n", 14), "[... 6 bytes cut ...]\nsecond\nthird\n");
  // The cut falls exactly between two lines.
  EXPECT_EQ(tail("first\nsecond\nthird\n", 13), "[... 6 bytes cut ...]\nsecond\nthird\n");
}

TEST(Tail, CutsALongLineAtACharacter) {
  EXPECT_EQ(tail("abcdefgh", 3), "[... 5 bytes cut ...]\nfgh");
  EXPECT_EQ(tail("a\xE2\x82\xAC\xE2\x82\xAC", 4), "[... 4 bytes cut ...]\n\xE2\x82\xAC");
  // A line that starts near the end is not worth losing the rest of the window for.
  EXPECT_EQ(tail("abcdefgh\ni", 8), "[... 2 bytes cut ...]\ncdefgh\ni");
  EXPECT_EQ(tail("abc", 0), "[... 3 bytes cut ...]\n");
}

}  // namespace
}  // namespace bernstein
