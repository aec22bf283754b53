// What counts as progress, and that a supervised command without it is warned about, then ended.
#include "exec/heartbeat.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "supervised_place.hpp"

namespace bernstein::exec {
namespace {

namespace fs = std::filesystem;

// File systems tell changes apart by a clock that ticks every few milliseconds.
void await_tick(const fs::path& directory) {
  const std::string probe = directory / "probe";
  const auto changed_at = [&] {
    test::write_file(probe, "");
    struct stat status {};
    ::stat(probe.c_str(), &status);
    return status.st_ctim.tv_sec * 1'000'000'000 + status.st_ctim.tv_nsec;
  };
  const auto before = changed_at();
  while (changed_at() == before) continue;
}

// ---- Measuring, on a clock of our own ----

TEST(Heartbeat, OutputAndChangedFilesAreProgressAndNothingElseIs) {
  const test::TempDirectory place;
  fs::create_directories(place.path() / "work/src");
  Heartbeat heartbeat(5 * k_minute, {place.path() / "work"}, 0);
  Micros now = 0;
  const auto look = [&](std::int64_t output_bytes) {
    EXPECT_EQ(heartbeat.next_look_at(), now + 15 * k_second);
    heartbeat.look(now = heartbeat.next_look_at(), output_bytes);
    return heartbeat.silent_us();
  };
  EXPECT_EQ(look(0), 15 * k_second);
  EXPECT_EQ(look(0), 30 * k_second);
  EXPECT_EQ(look(1), 0);
  EXPECT_EQ(look(1), 15 * k_second);
  EXPECT_EQ(look(1), 30 * k_second);
  test::write_file(place.path() / "work/src/new.cpp", "new");
  EXPECT_EQ(look(1), 0);
  EXPECT_EQ(look(1), 15 * k_second);
}

TEST(Heartbeat, ALookThatComesLateCountsAsTwoAtMost) {
  Heartbeat heartbeat(5 * k_minute, {}, 0);
  heartbeat.look(k_hour, 0);
  EXPECT_EQ(heartbeat.silent_us(), 30 * k_second);
}

TEST(Fingerprint, TellsEveryKindOfChangeAndNoReading) {
  const test::TempDirectory place;
  const fs::path work = place.path() / "work";
  fs::create_directories(work / "a/b/c");
  test::write_file(work / "a/b/c/deep.txt", "one");
  const std::vector<std::string> directories{work, place.path() / "is not there"};
  std::uint64_t before = fingerprint(directories, 100);
  const auto changes = [&](const std::string& what, const std::function<void()>& change, bool expected = true) {
    await_tick(place.path());
    change();
    const std::uint64_t after = fingerprint(directories, 100);
    EXPECT_EQ(after != before, expected) << what;
    before = after;
  };
  changes(
      "nothing", [] {}, false);
  changes(
      "a look at it", [&] { test::read_file(work / "a/b/c/deep.txt"); }, false);
  changes("a write in place", [&] { std::ofstream(work / "a/b/c/deep.txt", std::ios::in | std::ios::out) << "two"; });
  changes("a longer file", [&] { std::ofstream(work / "a/b/c/deep.txt", std::ios::app) << "more"; });
  changes("a mode", [&] { fs::permissions(work / "a/b/c/deep.txt", fs::perms::owner_all); });
  changes("a new name", [&] { fs::rename(work / "a/b/c/deep.txt", work / "a/b/c/other.txt"); });
  changes("a new file", [&] { test::write_file(work / "a/new", ""); });
  changes("a file less", [&] { fs::remove(work / "a/new"); });
  changes("a directory", [&] { fs::create_directory(work / "d"); });
  changes("a link", [&] { fs::create_symlink(place.path(), work / "link"); });
  changes(
      "what a link leads to", [&] { test::write_file(place.path() / "outside", "x"); }, false);
}

TEST(Fingerprint, LooksAtNoMoreThanItMayAndAtTheTopFirst) {
  const test::TempDirectory place;
  const fs::path work = place.path() / "work";
  fs::create_directories(work / "a/b/c");
  const std::vector<std::string> directories{work};
  const std::uint64_t some = fingerprint(directories, 4);
  const std::uint64_t all = fingerprint(directories, 100);
  await_tick(place.path());
  test::write_file(work / "a/b/c/deep", "x");
  EXPECT_EQ(fingerprint(directories, 4), some);
  EXPECT_NE(fingerprint(directories, 100), all);
  await_tick(place.path());
  test::write_file(work / "top", "x");
  EXPECT_NE(fingerprint(directories, 4), some);
}

// ---- Real commands ----

class Progress : public Place {
 protected:
  static constexpr Micros k_limit_us = 600'000;

  // How it ends with that limit. One that makes progress is ended by its time limit, much later.
  port::ProcessExit run_limited(const std::string& script) {
    fs::create_directory(path("work"));
    port::ProcessSpec spec = shell(script);
    spec.directory = path("work");
    spec.timeout_us = 4 * k_limit_us;
    port::SuperviseSpec supervise = in("control");
    supervise.no_progress_us = k_limit_us;
    supervise.watched = {path("work")};
    const auto started = start(spec, supervise);
    reactor().on_stall(started.key, [this](Micros silent_us) { told.push_back(silent_us); });
    reactor().go(started.key);
    return await_exit();
  }

  std::vector<Micros> told;
};

TEST_F(Progress, OneThatSleepsIsWarnedAboutAndEnded) {
  const port::ProcessExit end = run_limited("sleep 1000");

  EXPECT_TRUE(end.stalled);
  EXPECT_FALSE(end.timed_out || end.stopped);
  EXPECT_EQ(end.signal, SIGTERM);
  EXPECT_GE(end.duration_us, k_limit_us);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_GE(told[0], k_limit_us / 2);
}

TEST_F(Progress, OneThatIgnoresItsEndIsKilledAfterItsGrace) {
  port::ProcessSpec spec = shell("trap '' TERM; sleep 1000 & wait; wait; sleep 1000");
  spec.grace_us = 50'000;
  port::SuperviseSpec supervise = in("control");
  supervise.no_progress_us = 200'000;
  const port::ProcessExit end = run(spec, supervise);
  EXPECT_TRUE(end.stalled);
  EXPECT_EQ(end.signal, SIGKILL);
}

TEST_F(Progress, OneThatComputesInSilenceIsNotEnded) {
  const port::ProcessExit end = run_limited("while :; do :; done");
  EXPECT_TRUE(end.timed_out);
  EXPECT_FALSE(end.stalled);
}

TEST_F(Progress, OneWhoseDaemonComputesIsNotEnded) {
  EXPECT_FALSE(run_limited("setsid -f sh -c 'while :; do :; done'; sleep 1000").stalled);
}

TEST_F(Progress, OneWhoseShortLivedChildrenComputeIsNotEnded) {
  EXPECT_FALSE(run_limited("while :; do sh -c 'i=0; while [ $i -lt 1000 ]; do i=$((i+1)); done'; done").stalled);
}

TEST_F(Progress, OneThatWakesUpInVainIsEnded) {
  // As an event loop with its timers: some milliseconds of CPU time, again and again.
  EXPECT_TRUE(run_limited("while :; do sleep 0.2; done").stalled);
}

// Sends to whoever connects, as long as it lives.
class Sender {
 public:
  Sender(std::size_t bytes, std::chrono::milliseconds pause)
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    ::listen(socket_, 1);
    socklen_t size = sizeof address;
    ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, bytes, pause] {
      const int peer = ::accept(socket_, nullptr, nullptr);
      const std::string data(bytes, 'x');
      while (!over_ && ::send(peer, data.data(), data.size(), MSG_NOSIGNAL) > 0) std::this_thread::sleep_for(pause);
      ::close(peer);
    });
  }
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;
  ~Sender() {
    over_ = true;
    ::shutdown(socket_, SHUT_RDWR);
    thread_.join();
    ::close(socket_);
  }

  std::string reader() const {
    return "exec bash -c 'exec cat < /dev/tcp/127.0.0.1/" + std::to_string(port_) + " > /dev/null'";
  }

 private:
  int socket_;
  int port_ = 0;
  std::atomic<bool> over_ = false;
  std::thread thread_;
};

TEST_F(Progress, OneThatReadsALongAnswerInSilenceIsNotEnded) {
  const Sender sender(100, std::chrono::milliseconds(25));
  EXPECT_FALSE(run_limited(sender.reader()).stalled);
}

TEST_F(Progress, OneWhoseConnectionIsOnlyKeptOpenIsEnded) {
  const Sender sender(5, std::chrono::milliseconds(100));
  EXPECT_TRUE(run_limited(sender.reader()).stalled);
}

TEST(Received, CountsWhatCameMeanwhile) {
  EXPECT_EQ(received_since({}, {{7, 10}, {8, 1}}), 11U) << "new connections";
  EXPECT_EQ(received_since({{7, 10}, {9, 5}}, {{7, 12}}), 2U) << "one more is closed";
  EXPECT_EQ(received_since({{7, 10}}, {{7, 3}}), 3U) << "the inode was used again";
}

TEST_F(Progress, OneThatWritesFilesIsNotEnded) {
  EXPECT_FALSE(run_limited("mkdir -p a/b; while :; do echo x >> a/b/c; sleep 0.05; done").stalled);
}

TEST_F(Progress, OneThatPrintsIsNotEnded) {
  EXPECT_FALSE(run_limited("while :; do echo .; sleep 0.05; done").stalled);
}

TEST_F(Progress, WithoutALimitNobodyIsEndedForSleeping) {
  port::ProcessSpec spec = shell("sleep 1000");
  spec.timeout_us = 500'000;
  const port::ProcessExit end = run(spec, in("control"));
  EXPECT_TRUE(end.timed_out);
  EXPECT_FALSE(end.stalled);
}

TEST_F(Progress, OneThatGoesOnIsSaidToAndWarnedAboutAnew) {
  ASSERT_EQ(::mkfifo(path("gate").c_str(), 0600), 0);
  port::SuperviseSpec supervise = in("control");
  supervise.no_progress_us = 8 * k_second;
  const auto started = start(shell("read line < gate; echo on; exec sleep 1000"), supervise);
  reactor().on_stall(started.key, [this](Micros silent_us) { told.push_back(silent_us); });
  reactor().go(started.key);
  await([&] { return told.size() == 1; });
  EXPECT_TRUE(exists("control/stalled.json"));
  test::write_file(path("gate"), "go\n");
  await([&] { return told.size() == 2; });

  EXPECT_GE(told[0], 4 * k_second);
  EXPECT_EQ(told[1], 0);
  EXPECT_FALSE(exists("control/stalled.json"));
  reactor().stop(started.key);
  EXPECT_FALSE(await_exit().stalled);
}

}  // namespace
}  // namespace bernstein::exec
