#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bernstein/store/store.hpp"
#include "support/temp_directory.hpp"

namespace bernstein::test {
namespace {

class WorkspaceLock : public testing::Test {
 protected:
  const TempDirectory directory_;
  const std::string path_ = (directory_.path() / "lock").string();
};

TEST_F(WorkspaceLock, NamesTheOwnerToWhoeverComesLater) {
  const auto lock = store::acquire_lock(path_).value();
  const auto second = store::acquire_lock(path_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error(),
            (Error{ErrorCode::busy, "another Bernstein owns this workspace: process " + std::to_string(::getpid()) +
                                        "; wait until it is done, or end it with 'bernstein stop'"}));
  EXPECT_EQ(read_file(path_), std::to_string(::getpid()) + "\n");
}

TEST_F(WorkspaceLock, NamesTheRunThatItsOwnerWorksOn) {
  const auto lock = store::acquire_lock(path_).value();
  EXPECT_EQ(store::find_owner(path_)->run, "");

  ASSERT_TRUE(lock->work_on("r3"));

  EXPECT_EQ(store::find_owner(path_)->run, "r3");
  EXPECT_EQ(store::find_owner(path_)->pid, ::getpid());
  EXPECT_EQ(store::acquire_lock(path_).error().message,
            "another Bernstein owns this workspace: process " + std::to_string(::getpid()) +
                "; wait until it is done with r3, or end it with 'bernstein stop'");
}

TEST_F(WorkspaceLock, HasNoOwnerWhenNobodyHoldsItWhateverItsFileSays) {
  EXPECT_FALSE(store::find_owner(path_));  // there is no file
  for (const char* text : {"", "12", "0\n", "-1\n", "x\n", "1\nr3\n"}) {
    write_file(path_, text);
    EXPECT_FALSE(store::find_owner(path_)) << text;
  }
  EXPECT_TRUE(store::acquire_lock(path_));
}

TEST_F(WorkspaceLock, SpeaksOfAnOwnerThatHasNotWrittenItsPidYet) {
  const auto lock = store::acquire_lock(path_).value();
  write_file(path_, "");
  EXPECT_EQ(
      store::acquire_lock(path_).error().message,
      "another Bernstein owns this workspace: a process that has just started; wait until it is done, or end it with "
      "'bernstein stop'");
}

TEST_F(WorkspaceLock, IsFreeWhenItsObjectIsGone) {
  { const auto lock = store::acquire_lock(path_).value(); }
  EXPECT_EQ(read_file(path_), "");
  EXPECT_TRUE(store::acquire_lock(path_));
}

TEST_F(WorkspaceLock, IsFreeWhenItsProcessDied) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto lock = store::acquire_lock(path_);
    ::_exit(lock && !store::acquire_lock(path_) ? 0 : 1);  // without running any destructor
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  EXPECT_EQ(read_file(path_), std::to_string(child) + "\n");  // stale, and no obstacle
  EXPECT_TRUE(store::acquire_lock(path_));
  EXPECT_EQ(read_file(path_), "");
}

TEST_F(WorkspaceLock, IsNotKeptByAProgramThatWasStartedMeanwhile) {
  int ready[2];
  int quit[2];
  ASSERT_EQ(::pipe(ready), 0);
  ASSERT_EQ(::pipe(quit), 0);
  pid_t child = 0;
  {
    const auto lock = store::acquire_lock(path_).value();
    child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::dup2(ready[1], 1);
      ::dup2(quit[0], 0);
      ::close(quit[1]);
      ::execl("/bin/sh", "sh", "-c", "echo; read line", nullptr);
      ::_exit(1);
    }
    char byte = 0;
    ASSERT_EQ(::read(ready[0], &byte, 1), 1);  // the program runs
  }
  EXPECT_TRUE(store::acquire_lock(path_));
  for (const int fd : {ready[0], ready[1], quit[0], quit[1]}) ::close(fd);
  ::waitpid(child, nullptr, 0);
}

TEST_F(WorkspaceLock, DoesNotTakeADeadProcessForTheOwner) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) ::_exit(0);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  // A process that has locked the file, in which a predecessor has left its pid, and not written its own yet.
  const auto lock = store::acquire_lock(path_).value();
  write_file(path_, std::to_string(child) + "\n");
  EXPECT_NE(store::acquire_lock(path_).error().message.find("a process that has just started"), std::string::npos);
}

TEST_F(WorkspaceLock, IsOursAsLongAsItsFileIsThere) {
  const auto lock = store::acquire_lock(path_).value();
  EXPECT_TRUE(lock->still_ours());
  EXPECT_FALSE(store::acquire_lock(path_));
  EXPECT_TRUE(lock->still_ours());
}

TEST_F(WorkspaceLock, IsNotOursWhenItsFileWasDeleted) {
  const auto lock = store::acquire_lock(path_).value();
  std::filesystem::remove(path_);
  const Error expected{ErrorCode::environment,
                       "the lock '" + path_ +
                           "' was deleted from outside, if not all that lies beside it, and another "
                           "Bernstein may take over; this one stops: see what is left there, then resume"};
  EXPECT_EQ(lock->still_ours().error(), expected);
}

TEST_F(WorkspaceLock, IsNotOursWhenAnotherTookOver) {
  const auto lock = store::acquire_lock(path_).value();
  std::filesystem::remove(path_);
  const auto other = store::acquire_lock(path_).value();
  EXPECT_EQ(lock->still_ours().error(), (Error{ErrorCode::busy, "another Bernstein took over this workspace (pid " +
                                                                    std::to_string(::getpid()) + "); this one stops"}));
  EXPECT_TRUE(other->still_ours());
}

TEST_F(WorkspaceLock, IsNotOursWhenItsFileWasReplacedByOneWithoutAnOwner) {
  const auto lock = store::acquire_lock(path_).value();
  std::filesystem::remove(path_);
  write_file(path_, "");
  EXPECT_EQ(lock->still_ours().error(),
            (Error{ErrorCode::busy, "another Bernstein took over this workspace; this one stops"}));
}

TEST_F(WorkspaceLock, IsForItsOwnerOnly) {
  const auto lock = store::acquire_lock(path_).value();
  struct stat status {};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
}

TEST_F(WorkspaceLock, NamesAMissingDirectory) {
  const std::string path = (directory_.path() / "no" / "lock").string();
  EXPECT_EQ(
      store::acquire_lock(path).error(),
      (Error{ErrorCode::environment, "cannot open the lock '" + path +
                                         "': No such file or directory; check that the directory exists and may be "
                                         "written"}));
}

}  // namespace
}  // namespace bernstein::test
