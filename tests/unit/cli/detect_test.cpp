#include "cli/detect.hpp"

#include <gtest/gtest.h>

#include <map>

namespace bernstein::cli {
namespace {

using Files = std::map<std::string, std::string>;

Detected detected(const Files& files) {
  std::vector<std::string> paths;
  for (const auto& [path, text] : files) paths.push_back(path);
  return detect(paths, [&](const std::string& path) {
    const auto found = files.find(path);
    return found == files.end() ? std::string() : found->second;
  });
}

std::vector<std::string> commands(const Detected& found) {
  std::vector<std::string> words;
  for (const Proposal& gate : found.gates) words.push_back(gate.name + ": " + gate.command);
  return words;
}

using Words = std::vector<std::string>;

TEST(Detect, EachLanguageByTheFileAtItsRoot) {
  EXPECT_EQ(commands(detected({{"Cargo.toml", ""}})), (Words{"build: cargo build", "tests: cargo test"}));
  EXPECT_EQ(commands(detected({{"go.mod", ""}})), (Words{"build: go build ./...", "tests: go test ./..."}));
  EXPECT_EQ(commands(detected({{"pom.xml", ""}})), (Words{"tests: mvn -q -B verify"}));
  EXPECT_EQ(commands(detected({{"build.gradle.kts", ""}, {"gradlew", ""}})), (Words{"tests: ./gradlew build"}));
  EXPECT_EQ(commands(detected({{"CMakeLists.txt", "project(x)"}})),
            (Words{"build: cmake -S . -B build && cmake --build build"}));
  EXPECT_EQ(commands(detected({{"sub/Cargo.toml", ""}})), Words{});
}

TEST(Detect, ScriptsOfNpmOnlyWhereTheyAreRealOnes) {
  EXPECT_EQ(commands(detected({{"package.json", R"({"scripts": {"test": "jest", "build": "tsc"}})"}})),
            (Words{"build: npm run build", "tests: npm test"}));
  EXPECT_EQ(
      commands(detected({{"package.json", R"({"scripts": {"test": "echo \"Error: no test specified\" && exit 1"}})"}})),
      Words{});
  EXPECT_EQ(commands(detected({{"package.json", "{not json"}})), Words{});
  EXPECT_EQ(detected({{"package.json", "[]"}}).symlinks, (Words{"node_modules"}));
}

TEST(Detect, TheTestRunnerOfAPythonProject) {
  EXPECT_EQ(commands(detected({{"pyproject.toml", "[tool.pytest.ini_options]"}})),
            (Words{"tests: python3 -m pytest -q"}));
  EXPECT_EQ(commands(detected({{"a.py", ""}, {"tests/test_a.py", "import unittest"}})),
            (Words{"tests: python3 -m unittest discover -s tests"}));
  EXPECT_EQ(commands(detected({{"a.py", ""}})), (Words{"compiles: python3 -m compileall -q ."}));
}

TEST(Detect, AMakefileCountsWhereNothingElseDoes) {
  EXPECT_EQ(commands(detected({{"Makefile", "all:\n\ttrue\ncheck:\n\ttrue\n"}})),
            (Words{"build: make", "tests: make check"}));
  EXPECT_EQ(detected({{"Makefile", "test:\n"}, {"go.mod", ""}}).kinds, (Words{"go"}));
}

TEST(Detect, GatesOfASecondLanguageGetItsName) {
  EXPECT_EQ(commands(detected({{"go.mod", ""}, {"requirements.txt", "pytest"}})),
            (Words{"build: go build ./...", "tests: go test ./...", "tests-python: python3 -m pytest -q"}));
}

}  // namespace
}  // namespace bernstein::cli
