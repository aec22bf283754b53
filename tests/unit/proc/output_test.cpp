#include "proc/output.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "support/temp_directory.hpp"

namespace bernstein::proc {
namespace {

using test::read_file;
using test::TempDirectory;

TEST(OutputFile, IsReadableByItsOwnerOnly) {
  const TempDirectory directory;
  const std::string path = directory.path() / "out";
  ASSERT_TRUE(OutputFile::open(path, 10));

  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST(OutputFile, RefusesASymbolicLinkAndADirectoryThatIsMissing) {
  const TempDirectory directory;
  const std::string link = directory.path() / "link";
  std::filesystem::create_symlink(directory.path() / "elsewhere", link);
  const std::string missing = directory.path() / "no" / "out";

  const auto through_link = OutputFile::open(link, 10);
  const auto in_missing = OutputFile::open(missing, 10);

  ASSERT_FALSE(through_link);
  EXPECT_EQ(through_link.error().message, "cannot write output to " + link + ": Too many levels of symbolic links");
  ASSERT_FALSE(in_missing);
  EXPECT_EQ(in_missing.error().code, ErrorCode::environment);
  EXPECT_EQ(in_missing.error().message, "cannot write output to " + missing + ": No such file or directory");
}

TEST(OutputFile, CutsInTheMiddleOfAPieceAndCountsEverything) {
  const TempDirectory directory;
  const std::string path = directory.path() / "out";
  auto output = OutputFile::open(path, 5);
  ASSERT_TRUE(output);

  output->append("abc");
  output->append("defg");
  output->append("hij");
  output->finish();

  EXPECT_EQ(output->bytes(), 10);
  EXPECT_EQ(read_file(path), "abcde\n[bernstein: 5 more bytes of output were dropped; the limit is 5 bytes]\n");
}

TEST(OutputFile, AddsNoEmptyLineBeforeTheNote) {
  const TempDirectory directory;
  const std::string path = directory.path() / "out";
  auto output = OutputFile::open(path, 3);
  ASSERT_TRUE(output);

  output->append("ab\ncd\n");
  output->finish();

  EXPECT_EQ(read_file(path), "ab\n[bernstein: 3 more bytes of output were dropped; the limit is 3 bytes]\n");
}

TEST(OutputFile, HasNoSecretHoweverItComesAndCountsWhatCame) {
  const TempDirectory directory;
  const std::string text = "key sk-12345678.\n";
  for (std::size_t split = 0; split <= text.size(); ++split) {
    const std::string path = directory.path() / ("out" + std::to_string(split));
    auto output = OutputFile::open(path, 1'000, {{"API_KEY", "sk-12345678"}});
    ASSERT_TRUE(output);
    output->append(text.substr(0, split));
    output->append(text.substr(split));
    output->append("sk-1234");
    output->finish();
    EXPECT_EQ(output->bytes(), static_cast<std::int64_t>(text.size() + 7));
    EXPECT_EQ(read_file(path), "key [redacted API_KEY].\nsk-1234");
  }
}

TEST(OutputFile, SurvivesADiskThatIsFull) {
  auto output = OutputFile::open("/dev/full", 100);
  ASSERT_TRUE(output);

  output->append("abc");
  output->append("def");
  output->finish();

  EXPECT_EQ(output->bytes(), 6);
}

}  // namespace
}  // namespace bernstein::proc
