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
  if (spec.argv[5] != "0") {
    process.duration_us.reset();
    process.silence = Silence{};  // it sleeps
  }
  return process;
}

struct Real {
  static std::unique_ptr<port::Reactor> make() { return proc::open_reactor({.supervisor = BERNSTEIN_EXEC}); }
  // As if the program were killed and started anew.
  static void restart(std::unique_ptr<port::Reactor>& reactor) {
    reactor.reset();
    reactor = make();
  }
  static void remove_control(port::Reactor&, const std::string& control) { std::filesystem::remove_all(control); }
  // Its supervisor is known by its argument, and its command by what it inherits.
  static bool is_anybody_at_work(port::Reactor&, const std::string& control) {
    for (const auto& process : std::filesystem::directory_iterator("/proc")) {
      for (const char* name : {"cmdline", "environ"}) {
        if (read_file(process.path() / name).find(control) != std::string::npos) return true;
      }
    }
    return false;
  }
};
struct Fake {
  static std::unique_ptr<port::Reactor> make() { return std::make_unique<FakeReactor>(read_script); }
  static void restart(std::unique_ptr<port::Reactor>& reactor) { static_cast<FakeReactor&>(*reactor).crash(); }
  static void remove_control(port::Reactor& reactor, const std::string&) {
    static_cast<FakeReactor&>(reactor).remove_control_directories();
  }
  static bool is_anybody_at_work(port::Reactor& reactor, const std::string&) {
    return static_cast<FakeReactor&>(reactor).running() > 0;
  }
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

  // ---- Supervised ----
  port::SuperviseSpec supervision() { return {.control_directory = control(), .lock_path = {}}; }
  std::string control() { return (directory.path() / "control").string(); }
  port::Reactor::Started start_supervised(const Behaviour& behaviour) {
    const auto started = reactor->start_supervised(a_process(behaviour), supervision(), note());
    EXPECT_TRUE(started) << started.error().message;
    return started ? *started : port::Reactor::Started{};
  }
  port::Reactor::Adopted adopt() {
    const auto adopted = reactor->adopt(control(), note());
    EXPECT_TRUE(adopted) << adopted.error().message;
    return adopted ? *adopted : port::Reactor::Adopted{};
  }
  std::function<void(port::ProcessExit)> note() {
    return [this](port::ProcessExit result) { noted.push_back(std::move(result)); };
  }
  port::ProcessExit await_exit() {
    while (noted.empty()) reactor->turn();
    return noted.front();
  }
  // Other things go on meanwhile.
  void pass(Micros duration) {
    bool passed = false;
    reactor->after(duration, [&] { passed = true; });
    while (!passed) reactor->turn();
  }
  void restart() { Kind::restart(reactor); }
  void remove_control() { Kind::remove_control(*reactor, control()); }
  bool is_anybody_at_work() { return Kind::is_anybody_at_work(*reactor, control()); }

  TempDirectory directory;
  std::unique_ptr<port::Reactor> reactor = Kind::make();
  std::vector<port::ProcessExit> noted;
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

TYPED_TEST(ReactorContract, KeepsSecretsOutOfTheOutput) {
  port::ProcessSpec spec = this->a_process({.output = "my key is sk-12345678, sk-1234"});
  spec.secrets = {{"API_KEY", "sk-12345678"}};

  EXPECT_EQ(this->run(spec).output_bytes, 30);
  const auto started = this->reactor->start_supervised(spec, this->supervision(), this->note());
  ASSERT_TRUE(started);
  this->reactor->go(started->key);

  EXPECT_EQ(this->await_exit().output_bytes, 30);
  const std::string once = "my key is [redacted API_KEY], sk-1234";
  EXPECT_EQ(read_file(this->directory.path() / "output.log"), once + once);
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

// What both kinds of reactor show of supervised processes; tests/unit/exec has what only real ones can.
using State = port::Reactor::Adopted::State;

TYPED_TEST(ReactorContract, ASupervisedProcessWaitsForItsGoAndEndsLikeAPlainOne) {
  const auto started = this->start_supervised({.output = "one\ntwo\n", .exit_code = 7});
  this->pass(30'000);
  EXPECT_TRUE(this->noted.empty());
  EXPECT_EQ(read_file(this->directory.path() / "output.log"), "");

  this->reactor->go(started.key);
  this->reactor->go(started.key);
  EXPECT_TRUE(this->noted.empty()) << "callbacks run in turn() only";
  const port::ProcessExit exit = this->await_exit();

  EXPECT_EQ(exit.exit_code, 7);
  EXPECT_TRUE(exit.started);
  EXPECT_FALSE(exit.stopped || exit.timed_out || exit.orphaned || exit.lost);
  EXPECT_GT(exit.duration_us, 0);
  EXPECT_EQ(exit.output_bytes, 8);
  EXPECT_EQ(read_file(this->directory.path() / "output.log"), "one\ntwo\n");
}

TYPED_TEST(ReactorContract, ASupervisedProcessThatIsStoppedBeforeItsGoNeverRuns) {
  const auto started = this->start_supervised({.output = "ran"});
  this->reactor->stop(started.key);
  this->reactor->go(started.key);
  const port::ProcessExit exit = this->await_exit();

  EXPECT_TRUE(exit.stopped);
  EXPECT_FALSE(exit.started);
  EXPECT_EQ(exit.exit_code, 143);
  EXPECT_EQ(exit.duration_us, 0);
  EXPECT_EQ(read_file(this->directory.path() / "output.log"), "");
}

TYPED_TEST(ReactorContract, ASupervisedProcessKeepsItsTimeLimitAndCanBeStopped) {
  port::ProcessSpec spec = this->a_process({.forever = true});
  spec.timeout_us = 30'000;
  const auto late = this->reactor->start_supervised(spec, this->supervision(), this->note());
  ASSERT_TRUE(late);
  this->reactor->go(late->key);
  EXPECT_TRUE(this->await_exit().timed_out);
  EXPECT_EQ(this->noted[0].signal, 15);

  port::SuperviseSpec other = this->supervision();
  other.control_directory = (this->directory.path() / "other").string();
  const auto stopped = this->reactor->start_supervised(this->a_process({.forever = true}), other, this->note());
  ASSERT_TRUE(stopped);
  this->reactor->go(stopped->key);
  this->pass(30'000);
  this->reactor->stop(stopped->key);
  while (this->noted.size() < 2) this->reactor->turn();
  EXPECT_TRUE(this->noted[1].stopped);
  EXPECT_TRUE(this->noted[1].started);
  EXPECT_FALSE(this->noted[1].timed_out);
}

TYPED_TEST(ReactorContract, ASupervisedProcessThatMakesNoProgressIsWarnedAboutThenEnded) {
  port::SuperviseSpec supervise = this->supervision();
  supervise.no_progress_us = 400'000;
  const auto started = this->reactor->start_supervised(this->a_process({.forever = true}), supervise, this->note());
  ASSERT_TRUE(started);
  std::vector<Micros> told;
  this->reactor->on_stall(started->key, [&](Micros silent_us) {
    EXPECT_TRUE(this->noted.empty()) << "before its end";
    told.push_back(silent_us);
  });
  this->reactor->go(started->key);
  EXPECT_TRUE(told.empty()) << "callbacks run in turn() only";
  const port::ProcessExit exit = this->await_exit();

  ASSERT_EQ(told.size(), 1U);
  EXPECT_GE(told[0], 200'000);
  EXPECT_TRUE(exit.stalled);
  EXPECT_FALSE(exit.timed_out || exit.stopped);
  EXPECT_EQ(exit.signal, 15);
  EXPECT_GE(exit.duration_us, 400'000);
  this->reactor->on_stall(started->key, [](Micros) { ADD_FAILURE(); });  // no effect on one that ended
}

TYPED_TEST(ReactorContract, WhoeverAdoptsIsToldWhetherThereIsProgress) {
  port::SuperviseSpec supervise = this->supervision();
  supervise.no_progress_us = 3 * k_second;
  const auto started = this->reactor->start_supervised(this->a_process({.forever = true}), supervise, this->note());
  ASSERT_TRUE(started);
  std::vector<Micros> told;
  const auto tell = [&](Micros silent_us) { told.push_back(silent_us); };
  this->reactor->on_stall(started->key, tell);
  this->reactor->go(started->key);
  this->pass(10'000);
  this->restart();
  EXPECT_TRUE(told.empty());

  this->reactor->on_stall(this->adopt().key, tell);
  while (told.empty()) this->reactor->turn();
  EXPECT_EQ(told[0], 0);
  while (told.size() < 2) this->reactor->turn();
  EXPECT_GT(told[1], 0);
  this->restart();

  this->reactor->on_stall(this->adopt().key, tell);
  while (told.size() < 3) this->reactor->turn();
  EXPECT_EQ(told[2], told[1]);
  EXPECT_TRUE(this->await_exit().stalled);
}

TYPED_TEST(ReactorContract, ASupervisedProcessOutlivesARestartAndIsAdopted) {
  this->reactor->go(this->start_supervised({.forever = true}).key);
  bool wrong = false;
  this->reactor->after(1'000, [&] { wrong = true; });
  this->restart();

  const port::Reactor::Adopted adopted = this->adopt();
  EXPECT_EQ(adopted.state, State::running);
  this->pass(30'000);
  EXPECT_TRUE(this->noted.empty());
  this->reactor->stop(adopted.key);

  EXPECT_TRUE(this->await_exit().stopped);
  EXPECT_EQ(this->noted[0].exit_code, 143);
  EXPECT_FALSE(wrong) << "a timer does not outlive a restart";
}

TYPED_TEST(ReactorContract, ASupervisedProcessThatWaitsForItsGoCanBeAdoptedAndLetGo) {
  this->start_supervised({.output = "ran", .exit_code = 5});
  this->pass(100'000);  // so that its supervisor is there
  this->restart();

  const port::Reactor::Adopted adopted = this->adopt();
  EXPECT_EQ(adopted.state, State::running);
  this->reactor->go(adopted.key);

  EXPECT_EQ(this->await_exit().exit_code, 5);
  EXPECT_EQ(read_file(this->directory.path() / "output.log"), "ran");
}

TYPED_TEST(ReactorContract, TheEndOfASupervisedProcessIsKeptForWhoeverAsks) {
  this->reactor->go(this->start_supervised({.output = "ran", .exit_code = 9}).key);
  const port::ProcessExit exit = this->await_exit();
  for (int i = 0; i < 2; ++i) {
    this->restart();
    this->noted.clear();
    const port::Reactor::Adopted adopted = this->adopt();
    EXPECT_EQ(adopted.state, State::finished);
    EXPECT_TRUE(this->noted.empty()) << "callbacks run in turn() only";
    this->reactor->go(adopted.key);
    this->reactor->stop(adopted.key);
    EXPECT_EQ(this->await_exit(), exit);
  }
}

TYPED_TEST(ReactorContract, WhoeverIsAtWorkInADirectoryThatWasRemovedCanBeEnded) {
  this->reactor->go(this->start_supervised({.forever = true}).key);
  this->pass(30'000);
  this->restart();
  this->remove_control();

  EXPECT_EQ(this->adopt().state, State::missing);
  EXPECT_TRUE(this->is_anybody_at_work());
  EXPECT_TRUE(this->reactor->end_unreachable((this->directory.path() / "contro").string()));
  EXPECT_TRUE(this->is_anybody_at_work()) << "of places that are numbered only";
  EXPECT_TRUE(this->reactor->end_unreachable(this->control()));

  EXPECT_FALSE(this->is_anybody_at_work());
  EXPECT_EQ(this->adopt().state, State::missing);
  EXPECT_TRUE(this->noted.empty());
}

TYPED_TEST(ReactorContract, WhereNothingWasSupervisedThereIsNothingToAdopt) {
  EXPECT_EQ(this->adopt().state, State::missing);
  bool passed = false;
  this->reactor->after(1'000, [&] { passed = true; });
  while (!passed) this->reactor->turn();
  EXPECT_TRUE(this->noted.empty());
}

TYPED_TEST(ReactorContract, AControlDirectoryServesOneProcess) {
  this->reactor->go(this->start_supervised({}).key);
  for (int i = 0; i < 2; ++i) {
    const auto second = this->reactor->start_supervised(this->a_process({}), this->supervision(), this->note());
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::conflict);
    EXPECT_EQ(second.error().message, "the control directory " + this->control() + " was used before; take a new one");
    this->await_exit();
  }
  EXPECT_EQ(this->noted.size(), 1U);
}

TYPED_TEST(ReactorContract, ASupervisedProcessThatNobodyLetsGoEndsAfterItsLimit) {
  port::SuperviseSpec supervise = this->supervision();
  supervise.orphan_limit_us = 40'000;
  ASSERT_TRUE(this->reactor->start_supervised(this->a_process({.output = "ran"}), supervise, this->note()));
  const port::ProcessExit exit = this->await_exit();

  EXPECT_TRUE(exit.orphaned);
  EXPECT_FALSE(exit.started);
  EXPECT_EQ(read_file(this->directory.path() / "output.log"), "");
}

TYPED_TEST(ReactorContract, NothingIsSupervisedWhenTheProgramIsNotThere) {
  port::ProcessSpec spec = this->a_process({});
  spec.argv[0] = "no-such-program";
  const auto started = this->reactor->start_supervised(spec, this->supervision(), this->note());

  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::environment);
  EXPECT_EQ(this->adopt().state, State::missing);
}

TEST(FakeReactor, LosesTheProcessOfASupervisorThatIsKilled) {
  const TempDirectory directory;
  FakeReactor reactor(read_script);
  const port::ProcessSpec spec{.argv = {"/bin/sh", "-c", k_script, "sh", "out", "1000", "0"},
                               .env = {},
                               .directory = directory.path().string(),
                               .stdin_text = {},
                               .output_path = (directory.path() / "output.log").string()};
  std::optional<port::ProcessExit> exit;
  const auto started = reactor.start_supervised(spec, {.control_directory = "/c", .lock_path = {}},
                                                [&](port::ProcessExit result) { exit = result; });
  ASSERT_TRUE(started);
  reactor.go(started->key);

  reactor.kill_supervisor("/c");
  reactor.turn();

  ASSERT_TRUE(exit);
  EXPECT_TRUE(exit->lost);
  EXPECT_EQ(exit->exit_code, 137);
  EXPECT_EQ(reactor.adopt("/c", [](port::ProcessExit) {})->state, State::lost);
  EXPECT_TRUE(reactor.is_idle());
}

TEST(FakeReactor, TellsOfASilenceThatPassesAndKeepsItOverACrash) {
  const TempDirectory directory;
  FakeReactor reactor([](const port::ProcessSpec&) -> Result<ScriptedProcess> {
    return ScriptedProcess{.duration_us = k_hour, .silence = Silence{.from_us = k_minute, .until_us = 5 * k_minute}};
  });
  const port::ProcessSpec spec{.argv = {"agent"},
                               .env = {},
                               .directory = directory.path().string(),
                               .stdin_text = {},
                               .output_path = (directory.path() / "output.log").string()};
  std::vector<Micros> told;
  const auto tell = [&](Micros silent_us) { told.push_back(silent_us); };
  const auto started = reactor.start_supervised(
      spec, {.control_directory = "/c", .lock_path = {}, .no_progress_us = 6 * k_minute}, [](port::ProcessExit) {});
  ASSERT_TRUE(started);
  reactor.on_stall(started->key, tell);
  reactor.go(started->key);
  reactor.turn();
  EXPECT_EQ(reactor.monotonic_us(), 4 * k_minute);
  reactor.crash();

  reactor.on_stall(reactor.adopt("/c", [](port::ProcessExit) {})->key, tell);
  reactor.turn();
  EXPECT_EQ(reactor.monotonic_us(), 4 * k_minute);
  reactor.turn();
  EXPECT_EQ(reactor.monotonic_us(), 5 * k_minute);
  EXPECT_EQ(told, (std::vector<Micros>{3 * k_minute, 3 * k_minute, 0}));
}

TEST(FakeReactor, EndsAnOrphanThatNobodyAdoptsInTimeAndNoOther) {
  const TempDirectory directory;
  FakeReactor reactor(read_script);
  const port::ProcessSpec spec{.argv = {"/bin/sh", "-c", k_script, "sh", "out", "1000", "0"},
                               .env = {},
                               .directory = directory.path().string(),
                               .stdin_text = {},
                               .output_path = (directory.path() / "output.log").string()};
  for (const std::string name : {"/adopted", "/alone"}) {
    const auto started =
        reactor.start_supervised(spec, {.control_directory = name, .lock_path = {}, .orphan_limit_us = k_minute},
                                 [](port::ProcessExit) { ADD_FAILURE(); });
    ASSERT_TRUE(started);
    reactor.go(started->key);
  }
  reactor.after(0, [] { ADD_FAILURE(); });
  reactor.crash();
  ASSERT_EQ(reactor.adopt("/adopted", [](port::ProcessExit) { ADD_FAILURE(); })->state, State::running);
  bool passed = false;
  reactor.after(2 * k_minute, [&] { passed = true; });
  while (!passed) reactor.turn();

  std::optional<port::ProcessExit> exit;
  EXPECT_EQ(reactor.adopt("/alone", [&](port::ProcessExit result) { exit = result; })->state, State::finished);
  reactor.turn();
  ASSERT_TRUE(exit);
  EXPECT_TRUE(exit->orphaned);
  EXPECT_EQ(reactor.running(), 1U);
}

TYPED_TEST(ReactorContract, TellsWhenAFileComesIntoADirectoryAndWhenItGoes) {
  const std::filesystem::path watched = this->directory.path() / "watched";
  std::filesystem::create_directory(watched);
  write_file(watched / "before", "there already");
  int calls = 0;
  const Status watching = this->reactor->watch_directory(watched.string(), [&] { ++calls; });
  ASSERT_TRUE(watching) << watching.error().message;
  this->pass(10'000);
  EXPECT_EQ(calls, 0);

  write_file(this->directory.path() / "draft", "elsewhere");
  std::filesystem::rename(this->directory.path() / "draft", watched / "after");
  while (calls == 0) this->reactor->turn();
  this->pass(10'000);
  const int so_far = calls;
  std::filesystem::remove(watched / "after");
  while (calls == so_far) this->reactor->turn();
}

TYPED_TEST(ReactorContract, SaysThatADirectoryThatIsNotThereCannotBeWatched) {
  const Status watching = this->reactor->watch_directory((this->directory.path() / "none").string(), [] {});
  ASSERT_FALSE(watching);
  EXPECT_EQ(watching.error().code, ErrorCode::environment);
}

TEST(ReactorDeathTest, WaitingForNothingIsABugAndNotAHang) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(proc::open_reactor()->turn(), "turn\\(\\) is called while");
  EXPECT_DEATH(FakeReactor(read_script).turn(), "turn\\(\\) is called while");
}

}  // namespace
}  // namespace bernstein::test
