#include "bernstein/base/markdown.hpp"

#include <gtest/gtest.h>

namespace bernstein {
namespace {

TEST(Markdown, ASpanIsOneLineThatItsTextCannotEnd) {
  EXPECT_EQ(code_span("src/a.cpp"), "`src/a.cpp`");
  EXPECT_EQ(code_span("a`b``c"), "``` a`b``c ```");
  EXPECT_EQ(code_span("a\nb\r"), "`a\\nb\\r`");
}

TEST(Markdown, ABlockHasAFenceThatItsTextCannotEnd) {
  EXPECT_EQ(code_block("a"), "```\na\n```\n");
  EXPECT_EQ(code_block("a\n```\nb\n"), "````\na\n```\nb\n````\n");
  EXPECT_EQ(code_block(std::string(25, '`')), "```\n" + std::string(25, '\'') + "\n```\n");
  EXPECT_LE(code_block(std::string(19, '`')).size(), 19 + k_code_block_bytes);
}

}  // namespace
}  // namespace bernstein
