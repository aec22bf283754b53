#include "bernstein/janitor/verdict.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace bernstein::janitor {

// What googletest prints when two results differ.
void PrintTo(const CheckResult& result, std::ostream* out) {
  *out << to_word(result.verdict) << ": " << result.why;
}

namespace {

const std::vector<TreeEntry> k_tree{
    {"docs", true},       {"docs/limit.md", false},           {"src", true}, {"src/limit.py", false}, {"tests", true},
    {"tests/unit", true}, {"tests/unit/test_limit.py", false}};

CheckSpec path_exists(const std::string& path) {
  return {.path = path, .type = CheckType::path_exists};
}
CheckSpec glob_exists(const std::string& pattern) {
  return {.path = pattern, .type = CheckType::glob_exists};
}
CheckSpec file_contains(const std::string& text) {
  return {.contains = text, .path = "app.py", .type = CheckType::file_contains};
}
CheckResult passed(const std::string& why) {
  return {CheckVerdict::passed, why};
}
CheckResult failed(const std::string& why) {
  return {CheckVerdict::failed, why};
}

TEST(PathExists, PassesForAFileAndForADirectory) {
  EXPECT_EQ(judge_tree(path_exists("src/limit.py"), k_tree), passed("src/limit.py exists"));
  EXPECT_EQ(judge_tree(path_exists("src"), k_tree), passed("src exists"));
  EXPECT_EQ(judge_tree(path_exists("tests/unit/"), k_tree), passed("tests/unit exists"));
}

TEST(PathExists, NamesThePathThatIsMissing) {
  EXPECT_EQ(judge_tree(path_exists("src/a.cpp"), k_tree), failed("no file src/a.cpp"));
  EXPECT_EQ(judge_tree(path_exists("build/"), k_tree), failed("no directory build"));
  EXPECT_EQ(judge_tree(path_exists("src/limit.py/"), k_tree), failed("src/limit.py is a file, not a directory"));
  EXPECT_EQ(judge_tree(path_exists("src"), {}), failed("no file src"));
}

TEST(PathExists, ComparesWholeNamesAndTheirCase) {
  EXPECT_EQ(judge_tree(path_exists("src/limit"), k_tree), failed("no file src/limit"));
  EXPECT_EQ(judge_tree(path_exists("SRC/limit.py"), k_tree), failed("no file SRC/limit.py"));
  EXPECT_EQ(judge_tree(path_exists("src/*.py"), k_tree), failed("no file src/*.py"));
}

TEST(GlobExists, NamesTheFirstPathThatMatches) {
  EXPECT_EQ(judge_tree(glob_exists("tests/**/*limit*"), k_tree),
            passed("tests/unit/test_limit.py matches tests/**/*limit*"));
}

TEST(GlobExists, SaysThatNothingMatches) {
  EXPECT_EQ(judge_tree(glob_exists("tests/**/*quota*"), k_tree), failed("no path matches tests/**/*quota*"));
}

TEST(FileContains, LooksForTheBytes) {
  const CheckSpec check = file_contains("def create_app");
  EXPECT_EQ(judge_file(check, "import x\ndef create_app():\n"), passed("app.py contains \"def create_app\""));
  EXPECT_EQ(judge_file(check, "def create_app_\bs"), passed("app.py contains \"def create_app\""));
  EXPECT_EQ(judge_file(check, "def Create_app"), failed("app.py does not contain \"def create_app\""));
  EXPECT_EQ(judge_file(check, ""), failed("app.py does not contain \"def create_app\""));
  EXPECT_EQ(judge_file(check, std::nullopt), failed("no file app.py"));
}

TEST(FileContains, FindsBytesBehindANul) {
  EXPECT_EQ(judge_file(file_contains("x"), std::string("\0\xFFx", 3)).verdict, CheckVerdict::passed);
}

TEST(FileContains, SaysLongTextsAndSeveralLinesInOneShortLine) {
  EXPECT_EQ(judge_file(file_contains("a\n\tb"), "ab").why, "app.py does not contain \"a\\n\\tb\"");
  EXPECT_EQ(judge_file(file_contains(std::string(200, 'x')), "").why,
            "app.py does not contain \"" + std::string(80, 'x') + "...\"");
  // Never half a character: é is two bytes, and the cut falls into the middle of one.
  EXPECT_EQ(judge_file(file_contains(std::string(79, 'x') + "\xC3\xA9yz"), "").why,
            "app.py does not contain \"" + std::string(79, 'x') + "...\"");
}

TEST(Command, IsJudgedByItsExitCode) {
  EXPECT_EQ(judge_command({.exit_code = 0}), passed("exit 0"));
  EXPECT_EQ(judge_command({.exit_code = 1}), failed("exit 1"));
  EXPECT_EQ(judge_command({.exit_code = 127}), failed("exit 127"));
}

TEST(Command, ThatWasKilledSaysBySignal) {
  EXPECT_EQ(judge_command({.exit_code = 137, .signal = 9}), failed("killed by signal 9"));
}

TEST(Command, ThatRanTooLongSaysHowLongWhateverItsExitCode) {
  const CheckResult late{CheckVerdict::timed_out, "still running after 10m 00s"};
  EXPECT_EQ(judge_command({.exit_code = 143, .signal = 15, .timed_out = true, .timeout_us = 10 * k_minute}), late);
  EXPECT_EQ(judge_command({.exit_code = 0, .timed_out = true, .timeout_us = 10 * k_minute}), late);
}

TEST(Command, ThatWeStoppedSaysNothingAboutTheTree) {
  EXPECT_EQ(judge_command({.exit_code = 0, .stopped = true}),
            (CheckResult{CheckVerdict::error, "stopped before it was done"}));
}

TEST(EvidenceLabel, NamesTheCheckItsVerdictAndTheReason) {
  EXPECT_EQ(evidence_label("tests", failed("exit 1")), "check 'tests' failed: exit 1");
  EXPECT_EQ(evidence_label("tests", passed("exit 0")), "check 'tests' passed: exit 0");
  EXPECT_EQ(evidence_label("tests", {CheckVerdict::timed_out, "still running after 5 s"}),
            "check 'tests' timed out: still running after 5 s");
  EXPECT_EQ(evidence_label("tests", could_not_run("cannot start '/bin/sh': there is no such file")),
            "check 'tests' could not be run: cannot start '/bin/sh': there is no such file");
}

TEST(CommandLine, GivesTheCommandToAShellAsOneArgument) {
  EXPECT_EQ(command_line({.command = "make -j2 && echo 'a b'", .type = CheckType::command}),
            (std::vector<std::string>{"/bin/sh", "-c", "make -j2 && echo 'a b'"}));
}

}  // namespace
}  // namespace bernstein::janitor
