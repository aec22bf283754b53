// What port/reactor.hpp promises, asked of the reactor on libuv and of the fake one.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "bernstein/port/reactor.hpp"
#include "bernstein/proc/reactor.hpp"
#include "support/fake_reactor.hpp"
#include "support/temp_directory.hpp"

namespace bernstein::test {
namespace {

// The script of every process here; the fake reads its arguments instead of running it.
constexpr const char* k_script = "printf '%s' \"$1\"; if [ \"$2\" != 0 ]; then sleep \"$2\"; fi; exit \"$3\"";

struct Behaviour {
  std::string output;
  bool forever = false;
  int exit_code = 0;
};

Result<ScriptedProcess> read_script(const port::ProcessSpec& spec) {
  if (spec.argv[0] != "/bin/sh") return Error{ErrorCode::environment, "cannot start '" + spec.argv[0] + "'"};
  ScriptedProcess process{.duration_us = 10'000, .exit_code = std::atoi(spec.argv[6].c_str()), .output = spec.argv[4]};
  if (spec.argv[5] != "0") process.duration_us.reset();
  return process;
}

struct Real {
  static std::unique_ptr<port::Reactor> make() { return proc::open_reactor(); }
};
struct Fake {
  static std::unique_ptr<port::Reactor> make() { return std::make_unique<FakeReactor>(read_script); }
};

template <class Kind>
class ReactorContract : public ::testing::Test {
 protected:
  port::ProcessSpec a_process(const Behaviour& behaviour) {
    return {.argv = {"/bin/sh", "-c", k_script, "sh", behaviour.output, behaviour.forever ? "1000" : "0",
                     std::to_string(behaviour.exit_code)},
            .env = {{"PATH", "/usr/bin:/bin"}},
            .directory = directory.path().string(),
            .stdin_text = {},
            .output_path = (directory.path() / "output.log").string()};
  }

  port::ProcessExit run(port::ProcessSpec spec) {
    std::optional<port::ProcessExit> exit;
    const auto started = reactor->start(std::move(spec), [&](port::ProcessExit result) { exit = result; });
    EXPECT_TRUE(started) << started.error().message;
    while (started && !exit) reactor->turn();
    return exit.value_or(port::ProcessExit{});
  }

  TempDirectory directory;
  std::unique_ptr<port::Reactor> reactor = Kind::make();
};

struct KindNames {
  template <class Kind>
  static std::string GetName(int) {
    return std::is_same_v<Kind, Real> ? "Real" : "Fake";
  }
};
using Kinds = ::testing::Types<Real, Fake>;
TYPED_TEST_SUITE(ReactorContract, Kinds, KindNames);

TYPED_TEST(ReactorContract, TellsTheExitCodeAndHasTheOutputInTheFileByThen) {
  const port::ProcessExit exit = this->run(this->a_process({.output = "one\ntwo\n", .exit_code = 7}));

  EXPECT_EQ(exit.exit_code, 7);
  EXPECT_EQ(exit.signal, 0);
  EXPECT_FALSE(exit.timed_out);
  EXPECT_FALSE(exit.stopped);
  EXPECT_GT(exit.duration_us, 0);
  EXPECT_EQ(exit.output_bytes, 8);
  EXPECT_EQ(read_file(this->directory.path() / "output.log"), "one\ntwo\n");
}

TYPED_TEST(ReactorContract, AppendsToAnOutputFileThatIsThere) {
  this->run(this->a_process({.output = "first\n"}));
  this->run(this->a_process({.output = "second\n"}));

  EXPECT_EQ(read_file(this->directory.path() / "output.log"), "first\nsecond\n");
}

TYPED_TEST(ReactorContract, DropsOutputBeyondTheLimitAndSaysSoInTheLastLine) {
  port::ProcessSpec spec = this->a_process({.output = "0123456789abc"});
  spec.output_bytes_max = 10;

  const port::ProcessExit exit = this->run(spec);

  EXPECT_EQ(exit.output_bytes, 13);
  EXPECT_EQ(read_file(this->directory.path() / "output.log"),
            "0123456789\n[bernstein: 3 more bytes of output were dropped; the limit is 10 bytes]\n");
}

TYPED_TEST(ReactorContract, KeepsOutputOfExactlyTheLimitWithoutAWord) {
  port::ProcessSpec spec = this->a_process({.output = "0123456789"});
  spec.output_bytes_max = 10;

  this->run(spec);

  EXPECT_EQ(read_file(this->directory.path() / "output.log"), "0123456789");
}

TYPED_TEST(ReactorContract, StartsNothingWhenTheProgramIsNotThere) {
  port::ProcessSpec spec = this->a_process({});
  spec.argv[0] = "no-such-program";
  bool called = false;

  const auto started = this->reactor->start(spec, [&](port::ProcessExit) { called = true; });

  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::environment);
  EXPECT_NE(started.error().message.find("cannot start 'no-such-program'"), std::string::npos)
      << started.error().message;
  this->run(this->a_process({}));
  EXPECT_FALSE(called);
}

TYPED_TEST(ReactorContract, GivesEveryProcessAKeyOfItsOwn) {
  int ended = 0;
  const auto first = this->reactor->start(this->a_process({}), [&](port::ProcessExit) { ++ended; });
  const auto second = this->reactor->start(this->a_process({}), [&](port::ProcessExit) { ++ended; });
  ASSERT_TRUE(first && second);

  EXPECT_NE(first->key, second->key);
  EXPECT_NE(first->pid, second->pid);
  while (ended < 2) this->reactor->turn();
}

TYPED_TEST(ReactorContract, StopEndsAProcessAndItsExitSaysSo) {
  std::optional<port::ProcessExit> exit;
  const auto started = this->reactor->start(this->a_process({.forever = true}), [&](port::ProcessExit e) { exit = e; });
  ASSERT_TRUE(started);

  this->reactor->stop(started->key);
  EXPECT_FALSE(exit) << "callbacks run in turn() only";
  while (!exit) this->reactor->turn();

  EXPECT_TRUE(exit->stopped);
  EXPECT_FALSE(exit->timed_out);
  EXPECT_EQ(exit->signal, 15);
  EXPECT_EQ(exit->exit_code, 143);
  this->reactor->stop(started->key);  // no effect on one that ended
}

TYPED_TEST(ReactorContract, ATimeoutEndsAProcessAndItsExitSaysSo) {
  port::ProcessSpec spec = this->a_process({.forever = true});
  spec.timeout_us = 30'000;

  const port::ProcessExit exit = this->run(spec);

  EXPECT_TRUE(exit.timed_out);
  EXPECT_FALSE(exit.stopped);
  EXPECT_EQ(exit.signal, 15);
  EXPECT_GE(exit.duration_us, 30'000);
}

TYPED_TEST(ReactorContract, ATimeoutThatIsNotReachedChangesNothing) {
  port::ProcessSpec spec = this->a_process({.exit_code = 3});
  spec.timeout_us = 100 * k_second;

  const port::ProcessExit exit = this->run(spec);

  EXPECT_FALSE(exit.timed_out);
  EXPECT_EQ(exit.exit_code, 3);
}

TYPED_TEST(ReactorContract, TimersFireInTheOrderOfTheirTimeAndNotBefore) {
  const Micros start = this->reactor->monotonic_us();
  std::vector<std::string> fired;
  std::vector<Micros> at;
  const auto note = [&](const std::string& name) {
    return [&, name] {
      fired.push_back(name);
      at.push_back(this->reactor->monotonic_us() - start);
    };
  };
  this->reactor->after(3'000, note("third"));
  this->reactor->after(1'200, note("first"));
  this->reactor->after(1'300, note("second"));
  this->reactor->after(3'000, note("fourth, made after the third for about the same instant"));
  while (fired.size() < 4) this->reactor->turn();

  EXPECT_EQ(fired, (std::vector<std::string>{"first", "second", "third",
                                             "fourth, made after the third for about the same instant"}));
  EXPECT_GE(at[0], 1'200);
  EXPECT_GE(at[1], 1'300);
  EXPECT_GE(at[2], 3'000);
}

TYPED_TEST(ReactorContract, ATimerOfZeroFiresInTheNextTurnAndNotAtOnce) {
  bool fired = false;
  this->reactor->after(0, [&] { fired = true; });
  EXPECT_FALSE(fired);
  this->reactor->turn();
  EXPECT_TRUE(fired);
}

TYPED_TEST(ReactorContract, ATimerThatIsMadeByACallbackWaitsForALaterTurn) {
  int fired = 0;
  this->reactor->after(0, [&] {
    ++fired;
    this->reactor->after(0, [&] { ++fired; });
  });
  this->reactor->turn();
  EXPECT_EQ(fired, 1);
  this->reactor->turn();
  EXPECT_EQ(fired, 2);
}

TYPED_TEST(ReactorContract, ACancelledTimerDoesNotFire) {
  bool wrong = false;
  bool right = false;
  const port::TimerKey key = this->reactor->after(500, [&] { wrong = true; });
  this->reactor->after(1'000, [&] { right = true; });
  this->reactor->cancel(key);
  this->reactor->cancel(key);
  while (!right) this->reactor->turn();

  EXPECT_FALSE(wrong);
}

TYPED_TEST(ReactorContract, ATimerCanCancelOneThatIsDueAtTheSameTime) {
  bool wrong = false;
  bool right = false;
  port::TimerKey second = 0;
  this->reactor->after(0, [&] {
    right = true;
    this->reactor->cancel(second);
  });
  second = this->reactor->after(0, [&] { wrong = true; });
  bool later = false;
  this->reactor->after(2'000, [&] { later = true; });
  while (!later) this->reactor->turn();

  EXPECT_TRUE(right);
  EXPECT_FALSE(wrong);
}

TYPED_TEST(ReactorContract, WorkRunsOnAnotherThreadAndIsReportedOnOurs) {
  std::thread::id worked_on;
  std::optional<std::thread::id> told_on;
  this->reactor->submit([&] { worked_on = std::this_thread::get_id(); }, [&] { told_on = std::this_thread::get_id(); });
  EXPECT_FALSE(told_on);
  while (!told_on) this->reactor->turn();

  EXPECT_EQ(*told_on, std::this_thread::get_id());
  EXPECT_NE(worked_on, *told_on);
  EXPECT_NE(worked_on, std::thread::id{});
}

TYPED_TEST(ReactorContract, ACallbackMayStartTheNextProcess) {
  std::vector<int> codes;
  std::function<void(port::ProcessExit)> next = [&](port::ProcessExit exit) {
    codes.push_back(exit.exit_code);
    if (codes.size() < 3) {
      ASSERT_TRUE(this->reactor->start(this->a_process({.exit_code = static_cast<int>(codes.size())}), next));
    }
  };
  ASSERT_TRUE(this->reactor->start(this->a_process({}), next));
  while (codes.size() < 3) this->reactor->turn();

  EXPECT_EQ(codes, (std::vector<int>{0, 1, 2}));
}

TYPED_TEST(ReactorContract, TheMonotonicClockDoesNotGoBackAndTheWallClockIsThisCentury) {
  const Micros before = this->reactor->monotonic_us();
  this->reactor->after(100, [] {});
  this->reactor->turn();
  EXPECT_GE(this->reactor->monotonic_us(), before + 100);
  EXPECT_GT(this->reactor->wall_us(), 1'700'000'000 * k_second);
}

TEST(ReactorDeathTest, WaitingForNothingIsABugAndNotAHang) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(proc::open_reactor()->turn(), "turn\\(\\) is called while");
  EXPECT_DEATH(FakeReactor(read_script).turn(), "turn\\(\\) is called while");
}

}  // namespace
}  // namespace bernstein::test
