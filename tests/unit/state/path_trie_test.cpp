#include "bernstein/state/path_trie.hpp"

#include <gtest/gtest.h>

#include <random>
#include <utility>
#include <vector>

#include "bernstein/base/path.hpp"

namespace bernstein {
namespace {

using Holders = std::set<PathTrie::Holder>;

// Compares every pair, as the trie is there to avoid.
class PairwiseModel {
 public:
  void insert(const std::string& pattern, PathTrie::Holder holder) { held_.insert({pattern, holder}); }
  void erase(const std::string& pattern, PathTrie::Holder holder) { held_.erase({pattern, holder}); }
  Holders overlapping(const std::string& pattern) const {
    Holders found;
    for (const auto& [held, holder] : held_) {
      if (may_overlap(held, pattern)) found.insert(holder);
    }
    return found;
  }
  Holders owners(const std::string& path) const {
    Holders found;
    for (const auto& [held, holder] : held_) {
      if (matches(held, path) || is_below(held, path)) found.insert(holder);
    }
    return found;
  }

 private:
  // Something under the path, as if it were a directory.
  static bool is_below(const std::string& pattern, const std::string& path) {
    const std::string literal = pattern.substr(0, pattern.find_first_of("*?["));
    return literal.starts_with(path + "/");
  }

  std::set<std::pair<std::string, PathTrie::Holder>> held_;
};

TEST(PathTrie, FindsHoldersAboveAtAndBelowThePattern) {
  PathTrie trie;
  trie.insert("src/", 1);
  trie.insert("src/limit/a.cpp", 2);
  trie.insert("src/limit/deep/b.cpp", 3);
  trie.insert("docs/", 4);

  EXPECT_EQ(trie.overlapping("src/limit/"), (Holders{1, 2, 3}));
  EXPECT_EQ(trie.overlapping("src/limit/a.cpp"), (Holders{1, 2}));
  EXPECT_EQ(trie.overlapping("src/other.cpp"), (Holders{1}));
  EXPECT_EQ(trie.overlapping("README.md"), Holders{});
}

TEST(PathTrie, HoldsThatAGlobMayReachAllBelowItsLiteralParts) {
  PathTrie trie;
  trie.insert("src/**/*.md", 1);
  trie.insert("*.txt", 2);

  EXPECT_EQ(trie.overlapping("src/a.cpp"), (Holders{1, 2}));
  EXPECT_EQ(trie.overlapping("src"), (Holders{1, 2}));
  EXPECT_EQ(trie.overlapping("docs/"), (Holders{2}));
}

TEST(PathTrie, TellsTheOwnersOfAFileExactly) {
  PathTrie trie;
  trie.insert("src/**/*.md", 1);
  trie.insert("src/limit", 2);
  trie.insert("src/limit/deep/a.cpp", 3);

  EXPECT_EQ(trie.owners("src/a.cpp"), Holders{});
  EXPECT_EQ(trie.owners("src/a.md"), (Holders{1}));
  EXPECT_EQ(trie.owners("src/limit/b.md"), (Holders{1, 2}));
  // A file in the place of a directory takes all that is below it.
  EXPECT_EQ(trie.owners("src/limit"), (Holders{2, 3}));
}

TEST(PathTrie, KeepsAPairOnceAndForgetsItAtOnce) {
  PathTrie trie;
  trie.insert("src/", 1);
  trie.insert("src/", 1);
  trie.insert("src/", 2);
  trie.erase("src/", 1);
  trie.erase("src/", 7);      // never held
  trie.erase("nowhere/", 2);  // never held

  EXPECT_EQ(trie.overlapping("src/a"), (Holders{2}));
}

class PathTrieProperty : public testing::TestWithParam<std::uint32_t> {};

TEST_P(PathTrieProperty, AnswersAsComparingAllPairsDoes) {
  std::mt19937 random(GetParam());
  SCOPED_TRACE("seed " + std::to_string(GetParam()));
  const std::vector<std::string> parts{"a", "b", "ab", "*", "**", "a*", "?", "[ab]", "c"};
  auto pattern = [&] {
    std::string made;
    for (std::size_t left = 1 + random() % 4; left > 0; --left)
      made += (made.empty() ? "" : "/") + parts[random() % parts.size()];
    if (random() % 4 == 0) made += "/";
    return made;
  };
  auto path = [&] {
    std::string made;
    for (std::size_t left = 1 + random() % 4; left > 0; --left) made += (made.empty() ? "" : "/") + parts[random() % 3];
    return made;
  };

  PathTrie trie;
  PairwiseModel model;
  std::vector<std::pair<std::string, PathTrie::Holder>> pairs;
  for (int step = 0; step < 400; ++step) {
    if (pairs.empty() || random() % 3 != 0) {
      pairs.emplace_back(pattern(), random() % 8);
      trie.insert(pairs.back().first, pairs.back().second);
      model.insert(pairs.back().first, pairs.back().second);
    } else {
      const auto gone = pairs.begin() + static_cast<std::ptrdiff_t>(random() % pairs.size());
      trie.erase(gone->first, gone->second);
      model.erase(gone->first, gone->second);
      pairs.erase(gone);
    }
    const std::string question = pattern();
    ASSERT_EQ(trie.overlapping(question), model.overlapping(question)) << question << " after step " << step;
    const std::string file = path();
    ASSERT_EQ(trie.owners(file), model.owners(file)) << file << " after step " << step;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, PathTrieProperty, testing::Range(1U, 9U));

}  // namespace
}  // namespace bernstein
