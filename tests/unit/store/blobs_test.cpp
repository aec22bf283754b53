#include <gtest/gtest.h>
#include <sys/stat.h>

#include "bernstein/store/store.hpp"
#include "support/temp_directory.hpp"

namespace bernstein::test {
namespace {

namespace fs = std::filesystem;

// SHA-256 of "hello\n".
constexpr const char* k_hello = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";

class Blobs : public testing::Test {
 protected:
  const TempDirectory directory_;
  const std::string root_ = (directory_.path() / "blobs").string();
  const std::string file_ = root_ + "/58/" + k_hello;
  std::unique_ptr<port::BlobStore> blobs_ = store::open_blobs(root_).value();
};

TEST_F(Blobs, AreFilesNamedByTheirContent) {
  ASSERT_EQ(blobs_->put("hello\n").value(), k_hello);
  EXPECT_EQ(read_file(file_), "hello\n");
  struct stat status {};
  ASSERT_EQ(::stat(file_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  // and nothing else is left there
  EXPECT_EQ(std::distance(fs::directory_iterator(root_ + "/58"), fs::directory_iterator()), 1);
}

TEST_F(Blobs, AreThereForTheNextProcess) {
  ASSERT_TRUE(blobs_->put("hello\n"));
  EXPECT_EQ(store::open_blobs(root_).value()->get(k_hello).value(), "hello\n");
}

TEST_F(Blobs, AreNotWrittenAgain) {
  ASSERT_TRUE(blobs_->put("hello\n"));
  const auto long_ago = fs::file_time_type() + std::chrono::hours(1);
  fs::last_write_time(file_, long_ago);
  ASSERT_TRUE(blobs_->put("hello\n"));
  EXPECT_EQ(fs::last_write_time(file_), long_ago);
}

TEST_F(Blobs, AreWrittenAgainWhenTheFileWasCut) {
  write_file(file_, "hel");
  ASSERT_TRUE(blobs_->put("hello\n"));
  EXPECT_EQ(blobs_->get(k_hello).value(), "hello\n");
}

TEST_F(Blobs, SayWhenTheirContentWasAltered) {
  ASSERT_TRUE(blobs_->put("hello\n"));
  write_file(file_, "jello\n");
  EXPECT_EQ(blobs_->get(k_hello).error(),
            (Error{ErrorCode::corrupt, "'" + file_ + "' was altered: its content has another SHA-256 than its name"}));
}

TEST_F(Blobs, DoNotFollowALinkThatSomebodyLeftThere) {
  write_file(directory_.path() / "elsewhere", "hello\n");
  fs::create_directories(root_ + "/58");
  fs::create_symlink(directory_.path() / "elsewhere", file_);
  EXPECT_FALSE(blobs_->get(k_hello));
  // and put makes it a file of ours
  ASSERT_TRUE(blobs_->put("hello\n"));
  EXPECT_FALSE(fs::is_symlink(file_));
  EXPECT_EQ(blobs_->get(k_hello).value(), "hello\n");
}

TEST_F(Blobs, NameTheDirectoryThatCannotBeMade) {
  const std::string path = (directory_.path() / "no" / "blobs").string();
  EXPECT_EQ(
      store::open_blobs(path).error(),
      (Error{ErrorCode::environment, "cannot create the directory '" + path +
                                         "': No such file or directory; check that the directory exists and may be "
                                         "written"}));
}

TEST_F(Blobs, SayWhenTheirDirectoryIsGone) {
  fs::remove_all(root_);
  const Result<std::string> digest = blobs_->put("hello\n");
  ASSERT_FALSE(digest);
  EXPECT_EQ(digest.error().code, ErrorCode::environment);
}

}  // namespace
}  // namespace bernstein::test
