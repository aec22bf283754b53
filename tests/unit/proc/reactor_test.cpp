// What only real processes can show. What the fake promises too is in tests/contract/reactor_contract_test.cpp.
#include "bernstein/proc/reactor.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "support/temp_directory.hpp"

namespace bernstein::proc {
namespace {

using test::read_file;
using test::TempDirectory;

std::ptrdiff_t open_descriptors() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator{});
}

// Alive and no zombie.
bool is_alive(std::int64_t pid) {
  const std::string stat = read_file("/proc/" + std::to_string(pid) + "/stat");
  const std::size_t name_end = stat.rfind(')');
  return name_end != std::string::npos && stat.size() > name_end + 2 && stat[name_end + 2] != 'Z';
}

class Reactor : public ::testing::Test {
 protected:
  port::ProcessSpec shell(const std::string& script) {
    return {.argv = {"/bin/sh", "-c", script},
            .env = {{"PATH", "/usr/bin:/bin"}},
            .directory = directory.path(),
            .stdin_text = {},
            .output_path = directory.path() / "output.log"};
  }
  port::ProcessExit run(port::ProcessSpec spec) {
    std::optional<port::ProcessExit> exit;
    const auto started = reactor->start(std::move(spec), [&](port::ProcessExit result) { exit = result; });
    EXPECT_TRUE(started) << started.error().message;
    while (started && !exit) reactor->turn();
    return exit.value_or(port::ProcessExit{});
  }
  std::string output() { return read_file(directory.path() / "output.log"); }
  std::int64_t number_in(const std::string& file) {
    const std::string text = read_file(directory.path() / file);
    return text.empty() ? 0 : std::stoll(text);
  }
  // Turns until a file is there: scripts write it when they have come to a point of interest.
  void await_file(const std::string& name) {
    while (!std::filesystem::exists(directory.path() / name)) {
      reactor->after(1'000, [] {});
      reactor->turn();
    }
  }

  TempDirectory directory;
  std::unique_ptr<port::Reactor> reactor = open_reactor();
};

TEST_F(Reactor, GivesExactlyTheEnvironmentItWasTold) {
  ::setenv("BERNSTEIN_TEST_SECRET", "not for children", 1);
  port::ProcessSpec spec = shell("");
  spec.argv = {"env"};
  spec.env["EMPTY"] = "";
  spec.env["LINES"] = "a\nb=c";
  run(spec);

  EXPECT_EQ(output(), "EMPTY=\nLINES=a\nb=c\nPATH=/usr/bin:/bin\n");
}

TEST_F(Reactor, StartsInTheDirectoryAsLeaderOfASessionOfItsOwn) {
  std::optional<port::ProcessExit> exit;
  const auto started =
      reactor->start(shell("pwd; cut -d' ' -f1,5,6 /proc/$$/stat"), [&](port::ProcessExit result) { exit = result; });
  ASSERT_TRUE(started);
  while (!exit) reactor->turn();

  const std::string pid = std::to_string(started->pid);
  EXPECT_EQ(output(), directory.path().string() + "\n" + pid + " " + pid + " " + pid + "\n");
}

TEST_F(Reactor, StartsAProcessWithoutSignalsBlockedOrIgnored) {
  // Given that we ourselves ignore one (SIGPIPE) and block another.
  sigset_t blocked{};
  sigset_t before{};
  ::sigaddset(&blocked, SIGUSR1);
  ::pthread_sigmask(SIG_BLOCK, &blocked, &before);
  port::ProcessSpec spec = shell("");
  spec.argv = {"grep", "-E", "Sig(Blk|Ign)", "/proc/self/status"};
  run(spec);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);

  EXPECT_EQ(output(), "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

TEST_F(Reactor, PassesOnNoDescriptorsButTheFirstThree) {
  // Given a descriptor that is open for inheritance from before, and processes under way with theirs.
  const int inherited = ::open("/dev/null", O_RDONLY);
  ASSERT_GE(inherited, 0);
  reactor = open_reactor();
  port::ProcessSpec other = shell("cat > /dev/null; exec sleep 1000");
  other.stdin_text = "some text";
  other.output_path = directory.path() / "other.log";
  ASSERT_TRUE(reactor->start(other, [](port::ProcessExit) {}));

  port::ProcessSpec spec = shell("ls /proc/$$/fd");
  spec.stdin_text = "not read";
  run(spec);
  ::close(inherited);

  EXPECT_EQ(output(), "0\n1\n2\n");
}

TEST_F(Reactor, MergesOutputAndErrorsInTheOrderTheyWereWritten) {
  std::string expected;
  for (int i = 1; i <= 100; ++i) expected += "out " + std::to_string(i) + "\nerr " + std::to_string(i) + "\n";
  run(shell("i=1; while [ $i -le 100 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done"));

  EXPECT_EQ(output(), expected);
}

TEST_F(Reactor, LetsAProcessOpenItsOutputByName) {
  run(shell("echo one > /dev/stdout; echo two > /dev/stderr"));
  EXPECT_EQ(output(), "one\ntwo\n");
}

TEST_F(Reactor, WritesItsInputAndClosesIt) {
  std::string text(1 << 20, 'x');
  text += "\nthe end\n";
  port::ProcessSpec spec = shell("cat");
  spec.stdin_text = text;
  run(spec);

  EXPECT_TRUE(output() == text);
}

TEST_F(Reactor, GivesAnEmptyInputToOneThatHasNone) {
  EXPECT_EQ(run(shell("cat; echo end")).exit_code, 0);
  EXPECT_EQ(output(), "end\n");
}

TEST_F(Reactor, IsNotHurtByAProcessThatDoesNotReadItsInput) {
  port::ProcessSpec spec = shell("exit 4");
  spec.stdin_text = std::string(5 << 20, 'x');
  EXPECT_EQ(run(spec).exit_code, 4);

  port::ProcessSpec closes = shell("exec <&-; echo still here; exit 5");
  closes.stdin_text = spec.stdin_text;
  EXPECT_EQ(run(closes).exit_code, 5);

  port::ProcessSpec waits = shell("sleep 1000");
  waits.stdin_text = spec.stdin_text;
  waits.timeout_us = 30'000;
  EXPECT_TRUE(run(waits).timed_out);
}

TEST_F(Reactor, KeepsALineOfTenMegabytesAndBytesOfEveryValue) {
  run(shell("head -c 10485760 /dev/zero | tr '\\0' x; printf '\\000\\001\\377\\r\\n'"));

  EXPECT_TRUE(output() == std::string(10 << 20, 'x') + std::string("\0\1\377\r\n", 5));
}

TEST_F(Reactor, ReadsOnWhenTheLimitIsReachedSoThatTheProcessCanEnd) {
  port::ProcessSpec spec = shell("head -c 3000000 /dev/zero; echo; echo done > end");
  spec.output_bytes_max = 1000;

  const port::ProcessExit exit = run(spec);

  EXPECT_EQ(exit.output_bytes, 3'000'001);
  EXPECT_EQ(read_file(directory.path() / "end"), "done\n");
  EXPECT_EQ(output(), std::string(1000, '\0') +
                          "\n[bernstein: 2999001 more bytes of output were dropped; the limit is 1000 bytes]\n");
}

TEST_F(Reactor, TellsTheSignalThatEndedAProcess) {
  const port::ProcessExit exit = run(shell("kill -9 $$"));
  EXPECT_EQ(exit.signal, 9);
  EXPECT_EQ(exit.exit_code, 137);
  EXPECT_FALSE(exit.stopped);
}

TEST_F(Reactor, KillsOneThatIgnoresToBeStoppedAfterItsGrace) {
  port::ProcessSpec spec = shell("trap '' TERM; echo ready; while :; do sleep 0.01; done");
  spec.timeout_us = 60'000;
  spec.grace_us = 40'000;

  const port::ProcessExit exit = run(spec);

  EXPECT_TRUE(exit.timed_out);
  EXPECT_EQ(exit.signal, SIGKILL);
  EXPECT_EQ(exit.exit_code, 137);
  EXPECT_GE(exit.duration_us, 100'000);
  EXPECT_EQ(output(), "ready\n");
}

TEST_F(Reactor, LetsOneThatIsStoppedTidyUpDuringItsGrace) {
  std::optional<port::ProcessExit> exit;
  const auto started =
      reactor->start(shell("trap 'echo tidied > tidied; exit 3' TERM; touch ready; while :; do sleep 0.01; done"),
                     [&](port::ProcessExit result) { exit = result; });
  ASSERT_TRUE(started);
  await_file("ready");

  reactor->stop(started->key);
  while (!exit) reactor->turn();

  EXPECT_TRUE(exit->stopped);
  EXPECT_EQ(exit->signal, 0);
  EXPECT_EQ(exit->exit_code, 3);
  EXPECT_EQ(read_file(directory.path() / "tidied"), "tidied\n");
}

TEST_F(Reactor, GivesTheRestOfTheGroupItsGraceWhenTheLeaderOfAStoppedOneGoesFirst) {
  std::optional<port::ProcessExit> exit;
  const auto started = reactor->start(shell("(trap 'sleep 0.05; echo tidied > tidied; exit 0' TERM; touch ready; while "
                                            ":; do sleep 0.01; done) & sleep 1000"),
                                      [&](port::ProcessExit result) { exit = result; });
  ASSERT_TRUE(started);
  await_file("ready");

  reactor->stop(started->key);
  while (!exit) reactor->turn();

  EXPECT_EQ(exit->signal, SIGTERM);
  EXPECT_EQ(read_file(directory.path() / "tidied"), "tidied\n");
}

TEST_F(Reactor, StopsASuspendedProcessToo) {
  std::optional<port::ProcessExit> exit;
  const auto started =
      reactor->start(shell("touch ready; kill -STOP $$; echo woken"), [&](port::ProcessExit result) { exit = result; });
  ASSERT_TRUE(started);
  await_file("ready");
  reactor->stop(started->key);
  while (!exit) reactor->turn();

  EXPECT_EQ(exit->signal, SIGTERM);
}

TEST_F(Reactor, KillsWhatAProcessLeavesInTheBackgroundAtOnce) {
  const Micros before = reactor->monotonic_us();
  const port::ProcessExit exit =
      run(shell("(trap '' TERM HUP; while :; do sleep 0.01; done) & echo $! > child; echo started; exit 0"));

  EXPECT_EQ(exit.exit_code, 0);
  EXPECT_EQ(output(), "started\n");
  EXPECT_FALSE(is_alive(number_in("child")));
  EXPECT_LT(reactor->monotonic_us() - before, k_group_end_us_max);
}

TEST_F(Reactor, KillsABurstOfDescendantsThatKeepForking) {
  // Given a process that starts eight others, each of which starts short-lived ones for ever.
  port::ProcessSpec spec = shell(
      "for i in 1 2 3 4 5 6 7 8; do (trap '' TERM; while :; do /bin/true & echo fork; done > /dev/null) & echo $! >> "
      "pids; done;"
      "exit 9");
  EXPECT_EQ(run(spec).exit_code, 9);

  std::istringstream pids(read_file(directory.path() / "pids"));
  int count = 0;
  for (std::int64_t pid = 0; pids >> pid; ++count) EXPECT_FALSE(is_alive(pid)) << pid;
  EXPECT_EQ(count, 8);
}

TEST_F(Reactor, DoesNotWaitForOneThatLeftTheSessionWithTheOutputOpen) {
  const Micros before = reactor->monotonic_us();
  run(
      shell("setsid sh -c 'echo $$ > escaped; echo from outside; touch written; exec sleep 1000' & "
            "while [ ! -e written ]; do sleep 0.01; done; echo end"));
  const std::int64_t escaped = number_in("escaped");

  EXPECT_EQ(output(), "from outside\nend\n");
  EXPECT_LT(reactor->monotonic_us() - before, 2 * k_second);
  ASSERT_GT(escaped, 1);
  EXPECT_TRUE(is_alive(escaped));
  ::kill(static_cast<pid_t>(escaped), SIGKILL);
}

TEST_F(Reactor, IsNotKeptBusyByOneThatLeftTheSessionAndWritesForEver) {
  run(
      shell("setsid sh -c 'echo $$ > escaped; touch written; while :; do echo y; done' & "
            "while [ ! -e written ]; do sleep 0.01; done"));
  const std::int64_t escaped = number_in("escaped");
  ASSERT_GT(escaped, 1);
  ::kill(static_cast<pid_t>(escaped), SIGKILL);
}

TEST_F(Reactor, LeavesNoZombieAndNoDescriptorAfterTwoHundredProcesses) {
  run(shell(":"));
  const std::ptrdiff_t before = open_descriptors();
  int ended = 0;
  for (int i = 0; i < 200; ++i) {
    port::ProcessSpec spec = shell("cat; exit $1");
    spec.argv.push_back("sh");
    spec.argv.push_back(std::to_string(i));
    spec.stdin_text = "x";
    const auto started = reactor->start(spec, [&ended, i](port::ProcessExit exit) {
      EXPECT_EQ(exit.exit_code, i);
      EXPECT_EQ(exit.output_bytes, 1);
      ++ended;
    });
    ASSERT_TRUE(started) << started.error().message;
    while (ended < i - 20) reactor->turn();
  }
  while (ended < 200) reactor->turn();

  EXPECT_EQ(open_descriptors(), before);
  EXPECT_EQ(output(), std::string(200, 'x'));
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST_F(Reactor, LeavesNothingOpenWhenAStartFails) {
  run(shell(":"));
  const std::ptrdiff_t before = open_descriptors();
  port::ProcessSpec too_long = shell(":");
  too_long.argv.push_back(std::string(4 << 20, 'x'));  // longer than any argument may be
  too_long.stdin_text = "text";

  const auto started = reactor->start(too_long, [](port::ProcessExit) { ADD_FAILURE(); });
  reactor->after(0, [] {});
  reactor->turn();

  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::environment);
  EXPECT_EQ(started.error().message, "cannot start '/bin/sh': argument list too long");
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(Reactor, ReportsAFailureToOpenTheOutputAndStartsNothing) {
  port::ProcessSpec spec = shell("touch started");
  spec.output_path = "/no/such/directory/output.log";

  const auto started = reactor->start(spec, [](port::ProcessExit) { ADD_FAILURE(); });

  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().message, "cannot write output to /no/such/directory/output.log: No such file or directory");
  EXPECT_FALSE(std::filesystem::exists(directory.path() / "started"));
}

TEST_F(Reactor, TellsSignalsInsteadOfDyingOfThem) {
  std::vector<int> signals;
  reactor->on_signal([&](int signal) { signals.push_back(signal); });

  ::raise(SIGTERM);
  while (signals.size() < 1) reactor->turn();
  ::raise(SIGINT);
  while (signals.size() < 2) reactor->turn();
  ::raise(SIGPIPE);

  EXPECT_EQ(signals, (std::vector<int>{SIGTERM, SIGINT}));
}

TEST_F(Reactor, KillsItsProcessesAndFinishesWorkWhenItIsDestroyed) {
  const auto started = reactor->start(shell("trap '' TERM; sleep 1000 & echo $! > child; touch ready; wait"),
                                      [](port::ProcessExit) { ADD_FAILURE(); });
  ASSERT_TRUE(started);
  await_file("ready");
  std::atomic<bool> begun = false;
  bool worked = false;
  reactor->submit(
      [&] {
        begun = true;
        while (::access((directory.path() / "go on").c_str(), F_OK) != 0) std::this_thread::yield();
        worked = true;
      },
      [] { ADD_FAILURE(); });
  while (!begun) std::this_thread::yield();
  std::thread opener([&] { test::write_file(directory.path() / "go on", ""); });
  reactor->after(0, [] { ADD_FAILURE(); });

  reactor.reset();

  opener.join();
  EXPECT_TRUE(worked);
  EXPECT_FALSE(is_alive(started->pid));
  EXPECT_EQ(::waitpid(static_cast<pid_t>(started->pid), nullptr, WNOHANG), -1) << "it was reaped";
}

TEST_F(Reactor, StartsAProcessAtAboutTheSpeedOfAFork) {
  // A guard against a sleep or a poll that slips into the path of every process; the machine is shared, so it is wide.
  const Micros before = reactor->monotonic_us();
  for (int i = 0; i < 50; ++i) run(shell(":"));
  const Micros each = (reactor->monotonic_us() - before) / 50;
  RecordProperty("microseconds_per_process", static_cast<int>(each));
  EXPECT_LT(each, 50'000);
}

}  // namespace
}  // namespace bernstein::proc
