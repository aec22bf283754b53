#include "bernstein/janitor/tests_weakened.hpp"

#include <gtest/gtest.h>

#include <array>
#include <map>

namespace bernstein::janitor {
namespace {

using Files = std::map<std::string, std::string>;
using Sentences = std::vector<std::string>;

Sentences weakened(const Files& before, const Files& after) {
  std::map<std::string, ChangeKind> kinds;
  for (const auto& [path, text] : before) {
    if (!after.contains(path)) kinds[path] = ChangeKind::deleted;
    if (after.contains(path) && after.at(path) != text) kinds[path] = ChangeKind::modified;
  }
  for (const auto& [path, text] : after) {
    if (!before.contains(path)) kinds[path] = ChangeKind::added;
  }
  std::vector<ChangedPath> changes;
  for (const auto& [path, kind] : kinds) changes.push_back({kind, path});
  const auto text_in = [](const Files& files) {
    return [&files](const std::string& path) -> std::optional<std::string> {
      const auto found = files.find(path);
      return found == files.end() ? std::nullopt : std::optional(found->second);
    };
  };
  return tests_weakened(changes, text_in(before), text_in(after));
}

const std::string k_two = "def test_a():\n    assert True\n\nasync def test_b():\n    assert True\n";

TEST(TestsWeakened, KnowsFilesWithTestsByTheirNames) {
  for (const char* path :
       {"test_a.py", "pkg/a_test.py", "tests/helpers.py", "app/tests.py", "src/a.test.ts", "src/a.spec.jsx",
        "src/__tests__/a.js", "limit_test.go", "tests/limit.rs", "src/test/java/a/B.java", "LimitTest.java",
        "LimitTest.kt", "limit_test.cpp", "tests/limit.cc", "spec/limit_spec.rb", "test/test_limit.rb",
        "tests/LimitTest.php", "LimitTests.cs"})
    EXPECT_TRUE(is_test_file(path)) << path;
  for (const char* path : {"src/a.py", "latest.py", "contest/a.js", "README.md", "tests/data.json", "attest.go",
                           "protest.rb", "src/main.rs", "Latest.cs"})
    EXPECT_FALSE(is_test_file(path)) << path;
}

TEST(TestsWeakened, NamesWhatIsDeletedUnlessItWasMoved) {
  EXPECT_EQ(weakened({{"tests/test_a.py", k_two}}, {}), Sentences{"deletes tests/test_a.py"});
  EXPECT_EQ(weakened({{"tests/test_a.py", k_two}}, {{"tests/unit/test_a.py", k_two}}), Sentences{});
  EXPECT_EQ(weakened({{"tests/test_a.py", k_two}}, {{"tests/unit/test_a.py", "import x\n" + k_two}}), Sentences{});
  EXPECT_EQ(weakened({{"test_data.py", "A = 1\n"}}, {{"tests/test_data.py", "A = 1\n"}}), Sentences{});
  EXPECT_EQ(weakened({{"test_a.py", k_two}}, {{"test_b.py", "def test_a():\n"}}), Sentences{"deletes test_a.py"});
  EXPECT_EQ(weakened({{"tests/helpers.py", "A = 1\n"}, {"src/a.py", "B = 1\n"}}, {}), Sentences{});
  EXPECT_EQ(weakened({{"tests/limit.cc", "TEST(Limit, Holds) {}\n"}}, {}), Sentences{"deletes tests/limit.cc"});
}

TEST(TestsWeakened, CountsTestsThatWereTakenOut) {
  EXPECT_EQ(weakened({{"test_a.py", k_two}}, {{"test_a.py", "def test_a():\n    assert True\n"}}),
            Sentences{"takes 1 test out of test_a.py"});
  EXPECT_EQ(weakened({{"test_a.py", k_two}}, {{"test_a.py", "# def test_a():\n# async def test_b():\n"}}),
            Sentences{"takes 2 tests out of test_a.py"});
  EXPECT_EQ(weakened({{"test_a.py", k_two}}, {{"test_a.py", "def test_a_is_fine():\n    pass\ndef test_c():\n"}}),
            Sentences{})
      << "they got other names";
  EXPECT_EQ(weakened({{"test_a.py", k_two}},
                     {{"test_a.py", "def test_a():\n    assert True\n"}, {"test_b.py", "async def test_b():\n"}}),
            Sentences{})
      << "it was moved";
  EXPECT_EQ(weakened({{"src/a.rs", "fn a() {}\n#[test]\nfn t() {}\n#[tokio::test]\nasync fn u() {}\n"}},
                     {{"src/a.rs", "fn a() {}\n"}}),
            Sentences{"takes 2 tests out of src/a.rs"});
  EXPECT_EQ(weakened({{"src/a.rs", "#[test]\nfn t() {}\n"}}, {}), Sentences{"takes 1 test out of src/a.rs"});
  EXPECT_EQ(weakened({{"a.test.ts", "it('a', () => {});\n/* */ it('b')\nconst p = 'src/**/*.ts';\ntest('c')\n"}},
                     {{"a.test.ts", "/* it('a', () => {});\nit('b') */\nconst p = 'src/**/*.ts';\ntest('c')\n"}}),
            Sentences{"takes 2 tests out of a.test.ts"});
}

TEST(TestsWeakened, CountsTestsThatAreSkipped) {
  EXPECT_EQ(weakened({{"test_b.py", k_two}},
                     {{"test_b.py",
                       "@pytest.mark.skip\ndef test_a():\n@pytest.mark.skip(reason='x')\nasync def test_b():\n"}}),
            Sentences{"skips 2 tests in test_b.py (@pytest.mark.skip)"});
  const std::vector<std::array<std::string, 4>> cases{
      {"a.spec.js", "it('a')\n", "it.skip('a')\n", "skips 1 test in a.spec.js (it.skip)"},
      {"a.spec.js", "describe('a')\nit('a')\n", "describe.skip('a')\nit('a')\n",
       "skips tests in a.spec.js (describe.skip)"},
      {"a.spec.js", "it('a')\nit('b')\n", "it.only('a')\nit('b')\n", "has only some tests run in a.spec.js (it.only)"},
      {"a_test.go", "func TestA(t *testing.T) {\n}\n", "func TestA(t *testing.T) {\n\tt.Skip(\"x\")\n}\n",
       "skips 1 test in a_test.go (Skip)"},
      {"tests/a.rs", "#[test]\nfn a() {}\n", "#[test]\n#[ignore]\nfn a() {}\n",
       "skips 1 test in tests/a.rs (#[ignore)"},
      {"ATest.java", "@Test\nvoid a() {}\n", "@Test @Disabled\nvoid a() {}\n",
       "skips 1 test in ATest.java (@Disabled)"},
      {"a_test.cpp", "TEST(A, B) {}\n", "TEST(A, DISABLED_B) {}\n", "skips 1 test in a_test.cpp (DISABLED_)"},
      {"a_spec.rb", "it 'a' do\n", "xit 'a' do\n", "skips 1 test in a_spec.rb (xit)"},
      {"ATest.php", "public function testA() {\n}\n", "public function testA() {\n$this->markTestSkipped('x');\n}\n",
       "skips 1 test in ATest.php (markTestSkipped)"},
      {"ATests.cs", "[Fact]\nvoid A() {}\n", "[Fact(Skip = \"x\")]\nvoid A() {}\n", "skips 1 test in ATests.cs (Skip)"},
  };
  for (const auto& [path, before, after, sentence] : cases)
    EXPECT_EQ(weakened({{path, before}}, {{path, after}}), Sentences{sentence}) << after;
}

TEST(TestsWeakened, SaysNothingOfNewTestsAndOfSkipsThatWereThere) {
  const std::string skipped = "@pytest.mark.skip\ndef test_a():\n";
  EXPECT_EQ(weakened({}, {{"test_a.py", skipped}}), Sentences{}) << "a new one";
  EXPECT_EQ(weakened({{"test_a.py", skipped}}, {{"test_a.py", skipped + "def test_b():\n"}}), Sentences{});
  EXPECT_EQ(weakened({{"test_a.py", skipped}}, {{"tests/test_a.py", skipped}}), Sentences{}) << "moved";
  EXPECT_EQ(weakened({{"test_a.py", "def test_a():\n"}}, {{"tests/test_a.py", skipped}}),
            Sentences{"skips 1 test in tests/test_a.py (@pytest.mark.skip)"})
      << "moved and skipped";
  EXPECT_EQ(weakened({{"test_a.py", "def test_a():\n"}}, {{"test_a.py", "def test_a():\n    assert permit(skip=1)\n"}}),
            Sentences{});
}

TEST(TestsWeakened, IsBounded) {
  Files many;
  for (int i = 10; i < 40; ++i) many["test_" + std::to_string(i) + ".py"] = "def test_a" + std::to_string(i) + "():\n";
  const Sentences told = weakened(many, {});
  ASSERT_EQ(told.size(), k_weakened_max);
  EXPECT_EQ(told.front(), "deletes test_10.py");
  EXPECT_EQ(told.back(), "and does 11 more such things");
  const std::string large(k_test_bytes_max, '\n');
  EXPECT_EQ(weakened({{"test_a.py", k_two + large}}, {{"test_a.py", large}}), Sentences{}) << "not read";
}

}  // namespace
}  // namespace bernstein::janitor
