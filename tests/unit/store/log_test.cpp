// What the log in a file promises beyond its port: it survives, and it knows which files it may touch.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bernstein/store/store.hpp"
#include "store/connection.hpp"
#include "support/temp_directory.hpp"
#include "unit/store/sealer.hpp"
#include "unit/store/shell.hpp"

namespace bernstein::test {
namespace {

namespace fs = std::filesystem;

class Log : public testing::Test {
 protected:
  std::unique_ptr<port::EventLog> open() { return store::open_log(path_).value(); }

  Error refusal() {
    auto log = store::open_log(path_);
    return log ? Error{ErrorCode::cancelled, "opened"} : log.error();
  }

  // A log of `events` events, closed again.
  std::vector<Record> a_log_with(int events) {
    std::vector<Record> records;
    for (int i = 0; i < events; ++i) records.push_back(sealer_.next(a_draft("event " + std::string(500, 'x'))));
    EXPECT_TRUE(open()->append(records));
    return records;
  }

  const TempDirectory directory_;
  const std::string path_ = (directory_.path() / "state.db").string();
  Sealer sealer_;
};

TEST_F(Log, IsThereAfterClosingAndGoesOn) {
  const std::vector<Record> records = a_log_with(3);
  const Record next = sealer_.next(a_draft("after reopening"));
  {
    auto log = open();
    EXPECT_EQ(all_records(*log), records);
    ASSERT_TRUE(log->append(std::vector{next}));
  }
  EXPECT_EQ(all_records(*open()).back(), next);
}

TEST_F(Log, SurvivesTheDeathOfItsProcess) {
  const std::vector<Record> records = sealer_.take({a_draft("a"), a_draft("b")});
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto log = store::open_log(path_);
    const bool appended = log && (*log)->append(records);
    if (appended) ::kill(::getpid(), SIGKILL);
    ::_exit(1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(all_records(*open()), records);
}

TEST_F(Log, FilesAreForTheirOwnerOnly) {
  auto log = open();
  ASSERT_TRUE(log->append(sealer_.take({a_draft("a")})));
  for (const char* suffix : {"", "-wal", "-shm", "-seq"}) {
    struct stat status {};
    ASSERT_EQ(::stat((path_ + suffix).c_str(), &status), 0) << suffix;
    EXPECT_EQ(status.st_mode & 0777, 0600U) << suffix;
  }
}

TEST_F(Log, WaitsForTheDiskAtEveryCommit) {
  a_log_with(1);
  // Durability is a property of the connection, not of the file.
  SQLite::Database writer = store::connect_writer(path_);
  constexpr int k_full = 2;
  EXPECT_EQ(writer.execAndGet("PRAGMA synchronous").getInt(), k_full);
  EXPECT_EQ(writer.execAndGet("PRAGMA journal_mode").getString(), "wal");
}

TEST_F(Log, IsMarkedAsOurs) {
  a_log_with(1);
  EXPECT_EQ(sqlite3_shell(path_, "PRAGMA application_id").output, "1111839310\n");  // 'BERN'
}

TEST_F(Log, TellsASecondWriterThatTheLogWentOn) {
  a_log_with(1);
  auto first = open();
  auto second = open();
  Sealer other = sealer_;
  ASSERT_TRUE(first->append(sealer_.take({a_draft("first")})));
  const Status late = second->append(other.take({a_draft("second")}));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::conflict);
  EXPECT_EQ(late.error().message, "cannot append to '" + path_ + "': seq leaves a gap");
  // When it continues from the new head, it may.
  EXPECT_TRUE(second->append(sealer_.take({a_draft("third")})));
  EXPECT_EQ(first->head()->last_seq, 3);
}

TEST_F(Log, RefusesAnOwnerThatWasTakenOver) {
  auto stale = open();
  ASSERT_TRUE(stale->append(sealer_.take({a_draft("a")})));
  Sealer stale_sealer = sealer_;
  const std::vector<Record> taken_over = sealer_.take({a_draft("taken over"), a_draft("goes on")});
  ASSERT_TRUE(open()->append(taken_over));

  const Status appended = stale->append(stale_sealer.take({a_draft("b"), a_draft("c"), a_draft("d")}));

  ASSERT_FALSE(appended);
  EXPECT_EQ(appended.error(), (Error{ErrorCode::conflict, "cannot append to '" + path_ + "': seq leaves a gap"}));
  EXPECT_EQ(all_records(*open()).back(), taken_over.back());
  EXPECT_EQ(open()->head()->last_seq, 3);
}

TEST_F(Log, KeepsItsWalSmall) {
  // Checkpoints begin at 1,000 pages; a batch may go past that.
  constexpr std::uintmax_t k_wal_bytes = std::uintmax_t{1'100} * 4'096;
  auto log = open();
  std::uintmax_t largest = 0;
  for (int i = 0; i < 300; ++i) {
    ASSERT_TRUE(log->append(sealer_.take({a_draft(std::string(50'000, 'x'))})));
    largest = std::max(largest, fs::file_size(path_ + "-wal"));
  }
  EXPECT_GT(fs::file_size(path_), 2 * k_wal_bytes);
  EXPECT_LT(largest, k_wal_bytes);
}

TEST_F(Log, GoesOnBesideALongReaderAndShrinksItsWalAfterwards) {
  a_log_with(3);
  auto log = open();
  auto reader = store::open_reader(path_).value();
  std::vector<Record> seen;
  std::uintmax_t beside = 0;
  ASSERT_TRUE(reader->read_all([&](const Record& record) {
    // All of this happens while the reader stands at its first events.
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(log->append(sealer_.take({a_draft(std::string(50'000, 'x'))})));
    beside = fs::file_size(path_ + "-wal");
    return seen.push_back(record), true;
  }));
  EXPECT_EQ(seen.size(), 3U);
  EXPECT_GT(beside, std::uintmax_t{10} << 20) << "what the reader needs cannot be thrown away";

  for (int i = 0; i < 3; ++i) ASSERT_TRUE(log->append(sealer_.take({a_draft("after it")})));
  EXPECT_LE(fs::file_size(path_ + "-wal"), std::uintmax_t{8} << 20);
}

// What is at the end of the log is protected by nothing that comes after it.
TEST_F(Log, NoticesThatItsWalIsGone) {
  auto log = open();
  ASSERT_TRUE(log->append(sealer_.take({a_draft("a"), a_draft("b")})));
  const std::string crashed = (directory_.path() / "crashed.db").string();
  fs::copy_file(path_, crashed);
  fs::copy_file(path_ + "-seq", crashed + "-seq");
  const std::string message = "'" + crashed +
                              "' ends with event 0, and event 2 was recorded in it: its end, or that of its -wal, was "
                              "lost or damaged; keep a copy, put a backup in its place or take it as it is, and remove "
                              "'" +
                              crashed + "-seq'";
  for (int again = 0; again < 2; ++again) {
    EXPECT_EQ(store::open_log(crashed).error(), (Error{ErrorCode::corrupt, message}));
    EXPECT_EQ(store::open_reader(crashed).error(), (Error{ErrorCode::corrupt, message}));
  }
  fs::remove(crashed + "-seq");
  EXPECT_TRUE(store::open_log(crashed));
}

TEST_F(Log, KeepsADamagedWalForWhoeverLooksIntoIt) {
  auto log = open();
  ASSERT_TRUE(log->append(sealer_.take({a_draft("a"), a_draft("b")})));
  const std::string crashed = (directory_.path() / "crashed.db").string();
  for (const char* suffix : {"", "-wal", "-seq"}) fs::copy_file(path_ + suffix, crashed + suffix);
  std::string wal = read_file(crashed + "-wal");
  wal[wal.size() - 100] = static_cast<char>(wal[wal.size() - 100] ^ 1);
  write_file(crashed + "-wal", wal);
  EXPECT_EQ(store::open_log(crashed).error().code, ErrorCode::corrupt);
  EXPECT_EQ(read_file(crashed + "-wal"), wal);
}

TEST_F(Log, StartsAnewWhereItWasMovedAway) {
  a_log_with(3);
  fs::rename(path_, path_ + ".away");
  EXPECT_EQ(open()->head()->last_seq, 0);
}

TEST_F(Log, TakesNoWarningFromHalfANote) {
  a_log_with(3);
  for (const char* note : {"", "0000", "0000000000000000009", "000000000000000000x\n"}) {
    write_file(path_ + "-seq", note);
    EXPECT_TRUE(store::open_log(path_)) << note;
  }
  write_file(path_ + "-seq", "0000000000000000004\n");
  EXPECT_FALSE(store::open_log(path_));
}

TEST_F(Log, RefusesADatabaseOfANewerVersion) {
  a_log_with(1);
  ASSERT_EQ(sqlite3_shell(path_, "INSERT INTO schema_migrations VALUES ('0999_later', 'aa')").exit_code, 0);
  const Error expected{ErrorCode::corrupt,
                       "'" + path_ +
                           "' was written by a newer Bernstein (migration 0999_later is unknown here); "
                           "use that one"};
  EXPECT_EQ(refusal(), expected);
  EXPECT_EQ(store::open_reader(path_).error(), expected);
}

TEST_F(Log, RefusesADatabaseWithAChangedMigration) {
  a_log_with(1);
  ASSERT_EQ(sqlite3_shell(path_, "UPDATE schema_migrations SET sha256 = 'aa' WHERE name = '0001_events'").exit_code, 0);
  EXPECT_EQ(refusal(),
            (Error{ErrorCode::corrupt, "'" + path_ +
                                           "' has migration 0001_events in another form than this Bernstein; use the "
                                           "version that wrote it"}));
}

TEST_F(Log, LeavesADatabaseOfAnotherProgramAlone) {
  ASSERT_EQ(sqlite3_shell(path_, "CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1)").exit_code, 0);
  const std::string before = read_file(path_);
  EXPECT_EQ(refusal(), (Error{ErrorCode::corrupt, "'" + path_ +
                                                      "' is a database of another program; move it away, and Bernstein "
                                                      "starts a new one"}));
  EXPECT_EQ(read_file(path_), before);
}

TEST_F(Log, RefusesAFileThatIsNotADatabase) {
  write_file(path_, std::string(4096, 'x'));
  EXPECT_EQ(refusal(), (Error{ErrorCode::corrupt, "cannot open '" + path_ +
                                                      "': it is not a database; move it away, or put a backup in its "
                                                      "place"}));
  EXPECT_EQ(read_file(path_), std::string(4096, 'x'));
}

TEST_F(Log, NoticesATruncatedFile) {
  a_log_with(200);
  for (const std::uintmax_t size : {fs::file_size(path_) / 2, std::uintmax_t{8192}, std::uintmax_t{4096}}) {
    fs::resize_file(path_, size);
    Status read = Ok{};
    auto log = store::open_log(path_);
    if (log) {
      read = (*log)->read_all([](const Record&) { return true; });
    } else {
      read = log.error();
    }
    ASSERT_FALSE(read) << "cut to " << size;
    EXPECT_EQ(read.error().code, ErrorCode::corrupt) << read.error().message;
    EXPECT_NE(read.error().message.find("the database is damaged; keep a copy"), std::string::npos)
        << read.error().message;
  }
}

TEST_F(Log, NamesAMissingDirectory) {
  const std::string path = (directory_.path() / "no" / "state.db").string();
  EXPECT_EQ(
      store::open_log(path).error(),
      (Error{ErrorCode::environment, "cannot create '" + path +
                                         "': No such file or directory; check that the directory exists and may be "
                                         "written"}));
}

// Nobody, as long as it lives: root may write everywhere.
class Unprivileged {
 public:
  Unprivileged() : was_root_(::geteuid() == 0) {
    if (was_root_) BERNSTEIN_CHECK(::seteuid(65534) == 0, "root can become nobody");
  }
  Unprivileged(const Unprivileged&) = delete;
  Unprivileged& operator=(const Unprivileged&) = delete;
  ~Unprivileged() {
    if (was_root_) BERNSTEIN_CHECK(::seteuid(0) == 0, "and root again");
  }

 private:
  bool was_root_;
};

TEST_F(Log, NamesADirectoryThatMayNotBeWritten) {
  fs::permissions(directory_.path(), fs::perms{0555});
  {
    const Unprivileged nobody;
    EXPECT_EQ(refusal(),
              (Error{ErrorCode::environment, "cannot create '" + path_ +
                                                 "': Permission denied; check that the directory exists and may "
                                                 "be written"}));
  }
  fs::permissions(directory_.path(), fs::perms{0700});
}

TEST_F(Log, NamesAFileThatMayNotBeWritten) {
  a_log_with(1);
  fs::permissions(path_, fs::perms{0444});
  fs::permissions(directory_.path(), fs::perms{0555});
  {
    const Unprivileged nobody;
    EXPECT_EQ(refusal().code, ErrorCode::environment);
    EXPECT_EQ(refusal().message.find("cannot open '" + path_ + "': "), 0U) << refusal().message;
    EXPECT_NE(refusal().message.find("written"), std::string::npos) << refusal().message;
  }
  fs::permissions(directory_.path(), fs::perms{0700});
}

TEST_F(Log, NoticesThatItsFileWasDeleted) {
  auto log = open();
  ASSERT_TRUE(log->append(sealer_.take({a_draft("a")})));
  fs::remove(path_);
  const Error expected{ErrorCode::environment,
                       "'" + path_ +
                           "' was deleted or replaced from outside while it was in use; nothing "
                           "more is recorded in it: put the file back, then resume"};
  EXPECT_EQ(log->append(sealer_.take({a_draft("b")})).error(), expected);
}

TEST_F(Log, NoticesThatItsFileWasReplaced) {
  auto log = open();
  ASSERT_TRUE(log->append(sealer_.take({a_draft("a")})));
  const std::string other = path_ + ".other";
  fs::copy(path_, other);
  fs::rename(other, path_);
  EXPECT_EQ(log->append(sealer_.take({a_draft("b")})).error().code, ErrorCode::environment);
}

TEST_F(Log, NoticesThatItsLastEventWasAltered) {
  auto log = open();
  ASSERT_TRUE(log->append(sealer_.take({a_draft("a")})));
  ASSERT_EQ(
      sqlite3_shell(path_, "DROP TRIGGER events_are_not_updated; UPDATE events SET hash = randomblob(32)").exit_code,
      0);
  const Status appended = log->append(sealer_.take({a_draft("b")}));
  ASSERT_FALSE(appended);
  EXPECT_EQ(appended.error().message, "cannot append to '" + path_ + "': prev_hash is not the hash before it");
}

// Files may not grow past a size, as on a disk that fills up.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(std::uintmax_t bytes) {
    ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit now{bytes, before_.rlim_max};
    BERNSTEIN_CHECK(::setrlimit(RLIMIT_FSIZE, &now) == 0, "the limit can be set");
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
  ~FileSizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(Log, AFailedWriteLeavesNothingAndEndsTheWriting) {
  std::vector<Record> acknowledged = sealer_.take({a_draft("a")});
  std::string told;
  {
    auto log = open();
    ASSERT_TRUE(log->append(acknowledged));
    const FileSizeLimit full(fs::file_size(path_ + "-wal") + 10'000);
    std::vector<Record> many;
    for (int i = 0; i < 200; ++i) many.push_back(sealer_.next(a_draft(std::string(1'000, 'x'))));
    const Status appended = log->append(many);
    ASSERT_FALSE(appended);
    EXPECT_EQ(appended.error().code, ErrorCode::environment);
    told = appended.error().message;
    EXPECT_EQ(log->append({}).error().message, "'" + path_ + "' is not written any more after an error: " + told);
    EXPECT_EQ(all_records(*log), acknowledged);
  }
  EXPECT_EQ(told.find("cannot append to '" + path_ + "': "), 0U) << told;
  EXPECT_EQ(all_records(*open()), acknowledged);
}

}  // namespace
}  // namespace bernstein::test
