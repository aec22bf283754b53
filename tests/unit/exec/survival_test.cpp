// What supervised processes are for: their starter, their supervisor or their owner goes, at any moment.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <random>

#include "proc/control.hpp"
#include "supervised_place.hpp"

namespace bernstein::exec {
namespace {

class Survival : public Place {
 protected:
  // Another process opens a reactor, does `work` with it, and is killed (kill -9).
  void in_one_that_is_killed(const std::function<void(port::Reactor&)>& work) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t pid = ::fork();
    if (pid == 0) {
      const auto mine = proc::open_reactor({.supervisor = BERNSTEIN_EXEC});
      work(*mine);
      [[maybe_unused]] const auto told = ::write(ends[1], "k", 1);
      while (true) ::pause();
    }
    ::close(ends[1]);
    char byte = 0;
    EXPECT_EQ(::read(ends[0], &byte, 1), 1);
    ::close(ends[0]);
    ::kill(pid, SIGKILL);
    EXPECT_EQ(::waitpid(pid, nullptr, 0), pid);
  }
  std::function<void(port::Reactor&)> starting(port::ProcessSpec spec, bool with_go) {
    return [this, spec, with_go](port::Reactor& mine) {
      const auto started = mine.start_supervised(spec, in("control"), [](port::ProcessExit) {});
      if (started && with_go) mine.go(started->key);
    };
  }
};

TEST_F(Survival, OneThatRunsWhenItsStarterIsKilledIsAdoptedWithItsOutputAndItsExitCode) {
  in_one_that_is_killed(starting(
      shell("echo before; touch ready; while [ ! -e go.on ]; do sleep 0.01; done; echo after; exit 42"), true));
  await_file("ready");

  const auto adopted = adopt("control");
  EXPECT_EQ(adopted.state, State::running);
  EXPECT_TRUE(is_alive(adopted.pid));
  EXPECT_FALSE(exit) << "callbacks run in turn() only";
  test::write_file(path("go.on"), "");
  const port::ProcessExit end = await_exit();

  EXPECT_EQ(end.exit_code, 42);
  EXPECT_TRUE(end.started);
  EXPECT_FALSE(end.stopped || end.orphaned || end.lost);
  EXPECT_EQ(end.output_bytes, 13);
  EXPECT_EQ(output(), "before\nafter\n");
}

TEST_F(Survival, OneThatEndedWhenNobodyLookedIsAdoptedWithItsExitCode) {
  in_one_that_is_killed(starting(shell("echo alone; exit 41"), true));
  await_file("control/exit.json");
  await([&] { return !proc::is_supervisor_alive(path("control")); });

  const auto adopted = adopt("control");
  EXPECT_EQ(adopted.state, State::finished);
  EXPECT_FALSE(exit);
  reactor().turn();

  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->exit_code, 41);
  EXPECT_EQ(output(), "alone\n");
  // It can be had again, as often as an adopter is killed.
  EXPECT_EQ(adopt("control").state, State::finished);
  EXPECT_EQ(await_exit().exit_code, 41);
}

TEST_F(Survival, OneThatWaitsForItsGoWhenItsStarterIsKilledStillWaits) {
  in_one_that_is_killed(starting(shell("touch ran; exit 40"), false));

  auto adopted = adopt("control");
  if (adopted.state == State::never_started) return;  // the adopter was faster than the supervisor
  EXPECT_EQ(adopted.state, State::running);
  let_pass(20'000);
  EXPECT_FALSE(exists("ran"));
  reactor().go(adopted.key);

  EXPECT_EQ(await_exit().exit_code, 40);
}

TEST_F(Survival, OneThatIsAdoptedCanBeStopped) {
  in_one_that_is_killed(starting(shell("touch ready; exec sleep 1000"), true));
  await_file("ready");

  reactor().stop(adopt("control").key);

  EXPECT_TRUE(await_exit().stopped);
  EXPECT_EQ(exit->exit_code, 143);
}

TEST_F(Survival, AnAdopterMayComeAtAnyMomentOfTheStart) {
  // Whatever the adopter finds: the command runs once or never, and its end is told or it never will run.
  int ran = 0;
  for (int i = 0; i < 60; ++i) {
    const std::string name = "control" + std::to_string(i);
    const std::string mark = "ran" + std::to_string(i);
    in_one_that_is_killed([&](port::Reactor& mine) {
      const auto started = mine.start_supervised(shell("echo x >> " + mark), in(name), [](port::ProcessExit) {});
      if (started && i % 2 == 0) mine.go(started->key);
    });
    const Micros begin = reactor().monotonic_us();
    while (reactor().monotonic_us() - begin < i * 50) continue;

    const auto adopted = adopt(name);
    if (adopted.state == State::never_started) {
      let_pass(5'000);
      EXPECT_FALSE(exists(mark));
      continue;
    }
    ASSERT_NE(adopted.state, State::lost);
    if (adopted.state == State::running) reactor().go(adopted.key);
    EXPECT_EQ(await_exit().exit_code, 0);
    EXPECT_EQ(test::read_file(path(mark)), "x\n");
    ++ran;
  }
  RecordProperty("ran", ran);
}

TEST_F(Survival, AReactorThatIsDestroyedLeavesItsSupervisedProcessesAlone) {
  const auto started = start(shell("touch ready; while [ ! -e go.on ]; do sleep 0.01; done; exit 39"), in("control"));
  reactor().go(started.key);
  await_file("ready");
  drop_reactor();
  EXPECT_TRUE(is_alive(started.pid));

  const auto adopted = adopt("control");
  EXPECT_EQ(adopted.state, State::running);
  EXPECT_EQ(adopted.pid, started.pid);
  test::write_file(path("go.on"), "");

  EXPECT_EQ(await_exit().exit_code, 39);
  ::waitpid(static_cast<pid_t>(started.pid), nullptr, 0);
}

TEST_F(Survival, WhereNothingWasBegunNothingEverWillBe) {
  EXPECT_EQ(adopt("nowhere").state, State::missing);
  EXPECT_FALSE(exists("nowhere"));
  std::filesystem::create_directory(path("empty"));
  EXPECT_EQ(adopt("empty").state, State::never_started);
  EXPECT_EQ(adopt("empty").state, State::never_started);
  const auto late = reactor().start_supervised(shell("touch ran"), in("empty"), [](port::ProcessExit) {});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::conflict);

  test::write_file(path("file"), "");
  const auto wrong = reactor().adopt(path("file"), [](port::ProcessExit) { ADD_FAILURE(); });
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().message, "cannot open " + path("file") + "/alive: Not a directory");
}

TEST_F(Survival, OneWhoseSupervisorIsKilledIsLostAndIsKilledToo) {
  const auto started = start(shell("echo $$ > pid; touch ready; exec sleep 1000"), in("control"));
  reactor().go(started.key);
  await_file("ready");
  const std::int64_t command = std::stoll(test::read_file(path("pid")));

  ::kill(static_cast<pid_t>(started.pid), SIGKILL);
  const port::ProcessExit end = await_exit();

  EXPECT_TRUE(end.lost);
  EXPECT_EQ(end.exit_code, 137) << "nobody takes it for a success";
  await([&] { return !is_alive(command); });
  EXPECT_EQ(adopt("control").state, State::lost);
  EXPECT_EQ(adopt("control").key, 0);
}

TEST_F(Survival, OneThatIsLostWhileItIsAdoptedIsToldOfLikeAnyOther) {
  in_one_that_is_killed(starting(shell("touch ready; exec sleep 1000"), true));
  await_file("ready");
  const auto adopted = adopt("control");
  ASSERT_EQ(adopted.state, State::running);

  ::kill(static_cast<pid_t>(adopted.pid), SIGKILL);

  EXPECT_TRUE(await_exit().lost);
  await([&] { return marked().empty(); });
}

TEST_F(Survival, ThoseWhoDescendFromOneThatIsLostAreGoneWhenItIsToldOf) {
  const std::string family =
      "setsid -f sh -c 'touch daemon; exec sleep 1000' > /dev/null 2>&1;"
      "(trap '' TERM; touch child; exec sleep 1000) & touch ready; exec sleep 1000";
  const auto ready = [&] { return exists("ready") && exists("daemon") && exists("child"); };
  const auto started = start(shell(family), in("told"));
  reactor().go(started.key);
  await(ready);
  // A neighbour whose control directory's name begins alike is none of them.
  port::ProcessSpec neighbour = shell("touch neighbour; exec sleep 1000");
  neighbour.output_path = path("neighbour.log");
  bool neighbour_ended = false;
  const auto beside =
      reactor().start_supervised(neighbour, in("told.2"), [&](port::ProcessExit) { neighbour_ended = true; });
  ASSERT_TRUE(beside);
  reactor().go(beside->key);
  await_file("neighbour");

  ::kill(static_cast<pid_t>(started.pid), SIGKILL);
  EXPECT_TRUE(await_exit().lost);
  EXPECT_EQ(marked().size(), 1U) << "only the neighbour is there";
  reactor().stop(beside->key);
  await([&] { return neighbour_ended; });

  // The same when nobody was there to be told: the adopter ends them.
  for (const char* name : {"ready", "daemon", "child"}) std::filesystem::remove(path(name));
  in_one_that_is_killed(starting(shell(family), true));
  await(ready);
  ::kill(static_cast<pid_t>(proc::read_started(path("control"))->pid), SIGKILL);
  await([&] { return !proc::is_supervisor_alive(path("control")); });
  EXPECT_FALSE(marked().empty());
  EXPECT_EQ(adopt("control").state, State::lost);
  EXPECT_TRUE(marked().empty());
}

TEST_F(Survival, APidThatIsSomebodyElsesByNowIsNotTakenForASupervisor) {
  // Given a supervisor whose pid now is ours, and nobody who holds its lock.
  std::filesystem::create_directory(path("control"));
  proc::Identity wrong = *proc::identity_of(::getpid());
  wrong.start_ticks -= 1;
  ASSERT_TRUE(proc::claim_control(path("control"), wrong));
  EXPECT_EQ(adopt("control").state, State::lost);

  // Somebody holds it, and cannot be found by that pid: it is watched until the lock is free.
  std::optional<proc::Fd> lock = std::move(proc::lock_alive(path("control"))).value();
  EXPECT_EQ(adopt("control").state, State::running);
  let_pass(30'000);
  EXPECT_FALSE(exit);
  lock.reset();
  EXPECT_TRUE(await_exit().lost);
}

TEST_F(Survival, AnOrphanIsEndedAfterItsLimitAndNotBefore) {
  proc::Fd owner{::open(path("lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
  ASSERT_EQ(::flock(owner.get(), LOCK_EX | LOCK_NB), 0);
  port::SuperviseSpec supervise = in("control");
  supervise.lock_path = path("lock");
  supervise.orphan_limit_us = 200'000;
  const auto started = start(shell("touch ready; exec sleep 1000"), supervise);
  reactor().go(started.key);
  await_file("ready");
  let_pass(500'000);
  EXPECT_FALSE(exit) << "it has an owner";

  const Micros free_from = reactor().monotonic_us();
  owner.close();
  const port::ProcessExit end = await_exit();

  EXPECT_TRUE(end.orphaned);
  EXPECT_TRUE(end.started);
  EXPECT_FALSE(end.stopped || end.timed_out);
  EXPECT_EQ(end.signal, SIGTERM);
  EXPECT_GE(reactor().monotonic_us() - free_from, 200'000 - 60'000) << "its owner may have been seen a while ago";
}

TEST_F(Survival, AnOwnerThatComesBackInTimeKeepsItAlive) {
  port::SuperviseSpec supervise = in("control");
  supervise.lock_path = path("lock");
  supervise.orphan_limit_us = 400'000;
  const auto started = start(shell("touch ready; exec sleep 1000"), supervise);
  reactor().go(started.key);
  await_file("ready");
  proc::Fd owner{::open(path("lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
  while (::flock(owner.get(), LOCK_EX | LOCK_NB) != 0) continue;  // it may be looking at this instant
  let_pass(900'000);
  EXPECT_FALSE(exit);

  reactor().stop(started.key);
  EXPECT_FALSE(await_exit().orphaned);
}

TEST_F(Survival, OneThatNobodyLetsGoEndsToo) {
  proc::Fd owner{::open(path("lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
  ASSERT_EQ(::flock(owner.get(), LOCK_EX | LOCK_NB), 0);
  port::SuperviseSpec supervise = in("control");
  supervise.lock_path = path("lock");
  supervise.orphan_limit_us = 100'000;
  start(shell("touch ran"), supervise);
  const port::ProcessExit end = await_exit();

  EXPECT_TRUE(end.orphaned);
  EXPECT_FALSE(end.started);
  EXPECT_FALSE(exists("ran"));
}

TEST_F(Survival, AnEndIsThereAsAWholeOrNotAtAllWheneverTheSupervisorIsKilled) {
  const char* given = std::getenv("BERNSTEIN_SEED");
  const unsigned seed = given != nullptr ? static_cast<unsigned>(std::atol(given)) : std::random_device{}();
  std::cout << "BERNSTEIN_SEED=" << seed << "\n";
  std::mt19937 random(seed);
  int finished = 0;
  int lost = 0;
  for (int i = 0; i < 150; ++i) {
    const std::string name = "control" + std::to_string(i);
    const auto started = start(shell("echo some output; exit 7"), in(name));
    reactor().go(started.key);
    const Micros begin = reactor().monotonic_us();
    const Micros delay = static_cast<Micros>(random() % 40'000);
    while (reactor().monotonic_us() - begin < delay) continue;
    ::kill(static_cast<pid_t>(started.pid), SIGKILL);

    const port::ProcessExit end = await_exit();
    EXPECT_EQ(end.exit_code, end.lost ? 137 : 7);
    EXPECT_EQ(exists(name + "/exit.json"), !end.lost);
    EXPECT_FALSE(exists(name + "/spec.json"));
    const State state = adopt(name).state;
    // A command that has not come to its exec yet shares the lock for the instant that it takes the kernel to kill it.
    if (state == State::running || state == State::finished) {
      const port::ProcessExit again = await_exit();
      EXPECT_EQ(again, end);
    }
    EXPECT_EQ(state == State::finished, !end.lost);
    ++(end.lost ? lost : finished);
  }
  std::cout << finished << " finished, " << lost << " lost\n";
  EXPECT_GT(lost, 0);
  await([&] { return marked().empty(); });
}

}  // namespace
}  // namespace bernstein::exec
