#include "bernstein/base/path.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <random>
#include <vector>

namespace bernstein {
namespace {

TEST(PathFault, AcceptsPathsDirectoriesAndGlobs) {
  for (const char* path : {"a", "src/limit/", "src/**/*.cpp", "./a", "a//b", ".github/x.yml", ".gitignore", "a~", "git",
                           "a b", "x..y", "\xC3\xA9"}) {
    EXPECT_EQ(path_fault(path), std::nullopt) << path;
  }
}

TEST(PathFault, SaysWhatIsWrongAndWhatToWrite) {
  EXPECT_EQ(path_fault(""), "is empty; name a path from the root of the repository");
  EXPECT_EQ(path_fault("/etc/passwd"), "is absolute; write it from the root of the repository");
  EXPECT_EQ(path_fault("src/../x"), "leaves the tree; write it without '..'");
  EXPECT_EQ(path_fault(".."), "leaves the tree; write it without '..'");
  EXPECT_EQ(path_fault("~/x"), "starts with '~', which only a shell knows; write it from the root of the repository");
  EXPECT_EQ(path_fault("a\\b"), "has a backslash; separate its parts with '/'");
  EXPECT_EQ(path_fault("a\nb"), "has a control character; write a plain path");
  EXPECT_EQ(path_fault(std::string_view("a\0b", 3)), "has a control character; write a plain path");
  EXPECT_EQ(path_fault("./"), "names no file; write '**' for the whole tree");
}

TEST(PathFault, KeepsEveryoneOutOfGitsDirectory) {
  for (const char* path : {".git", ".git/config", "sub/.git/hooks", ".GIT/x", ".git./x", ".git /x", ".git. ./x",
                           "git~1/x", "GIT~1", ".git::$INDEX_ALLOCATION/x", "./.git"}) {
    EXPECT_EQ(path_fault(path), "enters '.git', which belongs to git; name files of the tree") << path;
  }
}

TEST(Pattern, IsNormalisedWithoutChangingItsMeaning) {
  EXPECT_EQ(normalise_pattern("src/limit/"), "src/limit/");
  EXPECT_EQ(normalise_pattern("./src//limit"), "src/limit");
  EXPECT_EQ(normalise_pattern("src/./limit//"), "src/limit/");
  EXPECT_EQ(normalise_pattern("src/."), "src/");
  EXPECT_EQ(normalise_pattern("./src/**/*.cpp"), "src/**/*.cpp");
}

struct MatchCase {
  const char* pattern;
  const char* path;
  bool expected;
};

TEST(Pattern, CoversWhatItNames) {
  const MatchCase cases[] = {
      {"src/a.cpp", "src/a.cpp", true},
      {"src/a.cpp", "src/a.cpp.orig", false},
      {"src/limit", "src/limit/a.cpp", true},
      {"src/limit/", "src/limit/deep/a.cpp", true},
      {"src/limit/", "src/limit", true},
      {"src/limit", "src/limits.cpp", false},
      {"src/*.cpp", "src/a.cpp", true},
      {"src/*.cpp", "src/deep/a.cpp", false},
      {"src/**/*.cpp", "src/a.cpp", true},
      {"src/**/*.cpp", "src/a/b/c.cpp", true},
      {"src/**/*.cpp", "lib/a.cpp", false},
      {"src/**", "src/a", true},
      {"src/**", "src/a/b", true},
      {"src/**", "src", false},
      {"**", "a", true},
      {"**", "a/b", true},
      {"**/test_*.py", "test_a.py", true},
      {"**/test_*.py", "x/y/test_a.py", true},
      {"**/a/**/b", "x/a/y/a/z/b", true},
      {"**/a/**/b", "x/b/a", false},
      {"a/**/**/b", "a/b", true},
      {"*.md", "docs/a.md", false},
      {"pkg-*/", "pkg-one/src/a", true},
      {"pkg-*", "pkg-one/src/a", false},
      {"src/?.c", "src/a.c", true},
      {"src/?.c", "src/ab.c", false},
      {"src/[a-c].c", "src/b.c", true},
      {"src/[a-c].c", "src/d.c", false},
      {"src/[!a-c].c", "src/d.c", true},
      {"src/[]x].c", "src/].c", true},
      {"src/[a-.c", "src/[a-.c", true},
      {"*a*b*c", "xaybzc", true},
      {"*a*b*c", "xaybz", false},
      {"app/[id]/page.tsx", "app/[id]/page.tsx", true},
      {"app/[id]/page.tsx", "app/i/page.tsx", true},
      {"SRC/a", "src/a", false},
  };
  for (const MatchCase& c : cases) EXPECT_EQ(matches(c.pattern, c.path), c.expected) << c.pattern << " on " << c.path;
}

TEST(Pattern, OverlapsWhenOneCouldCoverTheOther) {
  EXPECT_TRUE(may_overlap("src/a.cpp", "src/a.cpp"));
  EXPECT_TRUE(may_overlap("src/", "src/a.cpp"));
  EXPECT_TRUE(may_overlap("src/deep/a", "src"));
  EXPECT_FALSE(may_overlap("src/a", "src/ab"));
  EXPECT_FALSE(may_overlap("src/a/", "src/b/"));
  EXPECT_TRUE(may_overlap("src/*.cpp", "src/a.cpp"));
  EXPECT_TRUE(may_overlap("**/a", "docs/"));
  EXPECT_FALSE(may_overlap("src/**", "docs/**"));
  EXPECT_TRUE(may_overlap("src/*.h", "src/*.cpp"));  // promised: never false wrongly, sometimes true wrongly
}

// Every path that two patterns both cover proves that they overlap: random small ones over few letters meet often.
TEST(Pattern, NeverDeniesAnOverlapThatExists) {
  constexpr unsigned k_seed = 20240607;
  SCOPED_TRACE("seed " + std::to_string(k_seed));
  std::mt19937 random(k_seed);
  auto pick = [&](const std::vector<std::string>& from) { return from[random() % from.size()]; };
  auto path_of = [&](const std::vector<std::string>& parts) {
    std::string path = pick(parts);
    for (auto more = random() % 3; more > 0; --more) path += "/" + pick(parts);
    return path;
  };
  int met = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string a = path_of({"a", "b", "*", "**", "?", "[ab]"});
    std::string b = path_of({"a", "b", "*", "**", "?", "[ab]"});
    std::string path = path_of({"a", "b"});
    if (!matches(a, path) || !matches(b, path)) continue;
    ++met;
    ASSERT_TRUE(may_overlap(a, b)) << a << " and " << b << " both cover " << path;
  }
  EXPECT_GT(met, 500);
}

// Backtracking over every '*' would take longer than the universe has left. Generous, so that a busy machine passes.
TEST(Pattern, StaysFastOnHostileGlobs) {
  std::string stars;
  std::string parts;
  for (int i = 0; i < 1000; ++i) {
    stars += "*a";
    parts += "**/a*a*a*b/";
  }
  std::string path;
  for (int i = 0; i < 1000; ++i) path += "aaaaaaaa/";
  auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(matches(stars + "b", std::string(10'000, 'a')));
  EXPECT_FALSE(matches(parts + "x", path + "y"));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
}

}  // namespace
}  // namespace bernstein
