#include "bernstein/planner/map.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <random>

#include "bernstein/base/text.hpp"
#include "support/dice.hpp"

namespace bernstein::planner {
namespace {

using Paths = std::vector<std::string>;

Paths many(const std::string& directory, int count) {
  Paths paths;
  for (int i = 0; i < count; ++i) paths.push_back(directory + "file_" + std::to_string(1000 + i) + ".cpp");
  return paths;
}

void append(Paths& paths, const Paths& more) {
  paths.insert(paths.end(), more.begin(), more.end());
  std::sort(paths.begin(), paths.end());
}

TEST(RepositoryMap, NamesEveryFileWhenAllFit) {
  EXPECT_EQ(repository_map({"README.md", "a-b/x.md", "a/b/c/d.cpp", "a/e.cpp", "a/f.cpp"}, 4096),
            "./: README.md\n"
            "a-b/: x.md\n"
            "a/: e.cpp, f.cpp\n"
            "a/b/c/: d.cpp\n");
  EXPECT_EQ(repository_map({}, 4096), "");
  EXPECT_EQ(repository_map({"a"}, 10), "");
}

TEST(RepositoryMap, SortsPathsThatAreNot) {
  EXPECT_EQ(repository_map({"b/x", "a/x", "b/y"}, 4096), "a/: x\nb/: x, y\n");
}

TEST(RepositoryMap, FoldsTheDeepestDirectoriesFirstAndSaysWhatIsLeftOut) {
  Paths paths{"README.md", "docs/a.md"};
  append(paths, many("src/core/", 100));
  append(paths, many("src/core/deep/er/", 200));
  append(paths, many("src/core/deep/est_of_all_of_them_here_and_there/", 1));
  EXPECT_EQ(
      repository_map(paths, 1000),
      "./: README.md\n"
      "docs/: a.md\n"
      "src/core/: 100 files\n"
      "src/core/deep/er/: 200 files\n"
      "src/core/deep/est_of_all_of_them_here_and_there/: file_1000.cpp\n"
      "[... the names of 300 of 303 files are left out: numbers stand for them, and ** for all directories below. "
      "Look there yourself. ...]\n");
  EXPECT_EQ(
      repository_map(paths, 256),
      "./: README.md\n"
      "docs/: a.md\n"
      "src/core/: 100 files\n"
      "src/core/deep/**: 201 files\n"
      "[... the names of 301 of 303 files are left out: numbers stand for them, and ** for all directories below. "
      "Look there yourself. ...]\n");
}

TEST(RepositoryMap, ManyDirectoriesAtTheRootAreListedAsFarAsTheyFit) {
  Paths paths;
  for (int i = 0; i < 5000; ++i) paths.push_back("d" + std::to_string(10000 + i) + "/x/y");
  const std::string map = repository_map(paths, 1000);
  EXPECT_LE(map.size(), 1000u);
  EXPECT_TRUE(map.starts_with("**: 5000 files\n")) << map;
}

TEST(RepositoryMap, ANameStaysOnItsLine) {
  const std::string map = repository_map({"a\nb/\x1B[31mred", "c\xFF/d"}, 4096);
  EXPECT_EQ(std::count(map.begin(), map.end(), '\n'), 2);
  EXPECT_EQ(map.find('\x1B'), std::string::npos);
  EXPECT_TRUE(is_valid_utf8(map));
}

TEST(RepositoryMap, NeverTakesMoreThanItMayWhateverThePaths) {
  const std::uint64_t seed = test::seed_of_test();
  std::mt19937_64 random(seed);
  const Paths names{"a", "b", "src", "a b", "x.y", "-", "\xC3\xBC", "\xFF", "\n", "long_name_of_a_file.cpp"};
  for (int i = 0; i < 300; ++i) {
    Paths paths;
    for (std::size_t n = random() % 400; n > 0; --n) {
      std::string path;
      for (std::size_t depth = random() % 6; depth > 0; --depth) path += names[random() % names.size()] + "/";
      paths.push_back(path + names[random() % names.size()] + std::to_string(random() % 50));
    }
    std::sort(paths.begin(), paths.end());
    for (const std::size_t most : {std::size_t{256}, std::size_t{500}, std::size_t{3000}, std::size_t{100'000}}) {
      const std::string map = repository_map(paths, most);
      ASSERT_LE(map.size(), most);
      ASSERT_EQ(map.empty(), paths.empty());
      ASSERT_TRUE(is_valid_utf8(map));
      ASSERT_EQ(map, repository_map(paths, most));
    }
  }
}

TEST(RepositoryMap, TakesTimeInProportionToThePaths) {
  Paths paths;
  for (int i = 0; i < 200'000; ++i) {
    paths.push_back("top" + std::to_string(i % 7) + "/part" + std::to_string(i % 911) + "/a/b/c/d/file" +
                    std::to_string(i) + ".cpp");
  }
  std::sort(paths.begin(), paths.end());
  const auto start = std::chrono::steady_clock::now();
  const std::string map = repository_map(paths, 64 << 10);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
  EXPECT_LE(map.size(), std::size_t{64} << 10);
  EXPECT_NE(map.find("top0/"), std::string::npos);
}

}  // namespace
}  // namespace bernstein::planner
