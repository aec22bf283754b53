// Supervised processes while their starter lives: they end as plain ones do, and leave nobody behind.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>

#include "supervised_place.hpp"

namespace bernstein::exec {
namespace {

using Supervised = Place;

TEST_F(Supervised, EndAsPlainProcessesDo) {
  const auto plain = [&](port::ProcessSpec spec) {
    exit.reset();
    EXPECT_TRUE(reactor().start(std::move(spec), [this](port::ProcessExit result) { exit = result; }));
    return await_exit();
  };
  int number = 0;
  for (const std::string& script :
       {std::string(":"), std::string("echo out; echo err >&2; exit 7"), std::string("kill -9 $$"),
        std::string("kill -TERM $$"), std::string("cat; echo end"), std::string("printf '\\000\\001\\377\\r\\n'"),
        std::string("echo one > /dev/stdout; echo two > /dev/stderr"), std::string("(sleep 1000 &) ; exit 4"),
        std::string("head -c 10485760 /dev/zero | tr '\\0' x"), std::string("head -c 3000000 /dev/zero; echo"),
        std::string("exec <&- >&- 2>&-; exit 9")}) {
    SCOPED_TRACE(script);
    port::ProcessSpec spec = shell(script);
    spec.stdin_text = number % 2 == 0 ? "some input\n" : "";
    spec.output_bytes_max = script.find("3000000") == std::string::npos ? 64 << 20 : 1'000;
    spec.output_path = path("plain" + std::to_string(number));
    const port::ProcessExit expected = plain(spec);
    spec.output_path = path("supervised" + std::to_string(number));
    const port::ProcessExit actual = run(spec, in("control" + std::to_string(number)));

    EXPECT_EQ(actual.exit_code, expected.exit_code);
    EXPECT_EQ(actual.signal, expected.signal);
    EXPECT_EQ(actual.output_bytes, expected.output_bytes);
    EXPECT_GT(actual.duration_us, 0);
    EXPECT_TRUE(actual.started);
    EXPECT_FALSE(actual.stopped || actual.timed_out || actual.orphaned || actual.lost);
    EXPECT_EQ(actual.error, "");
    EXPECT_TRUE(test::read_file(path("plain" + std::to_string(number))) == test::read_file(spec.output_path));
    ++number;
  }
}

TEST_F(Supervised, RunInTheirWrapper) {
  port::ProcessSpec spec = shell("echo \"$WORD\"; exit 5");
  spec.argv[0] = "sh";
  spec.wrapper = {"/usr/bin/env", "WORD=wrapped"};
  for (const bool supervised : {false, true}) {
    spec.output_path = path(supervised ? "supervised" : "plain");
    exit.reset();
    if (supervised) {
      EXPECT_EQ(run(spec, in("control")).exit_code, 5);
    } else {
      ASSERT_TRUE(reactor().start(spec, [this](port::ProcessExit result) { exit = result; }));
      EXPECT_EQ(await_exit().exit_code, 5);
    }
    EXPECT_EQ(test::read_file(spec.output_path), "wrapped\n");
  }
}

TEST_F(Supervised, KeepALineOfTenMegabytesAndSayWhatWasDropped) {
  port::ProcessSpec spec = shell("head -c 10485760 /dev/zero | tr '\\0' x; printf '\\000\\001\\377\\r\\n'");
  run(spec, in("all"));
  EXPECT_TRUE(output() == std::string(10 << 20, 'x') + std::string("\0\1\377\r\n", 5));

  spec.output_path = path("some.log");
  spec.output_bytes_max = 1'000;
  EXPECT_EQ(run(spec, in("some")).output_bytes, (10 << 20) + 5);
  EXPECT_EQ(
      test::read_file(path("some.log")),
      std::string(1'000, 'x') + "\n[bernstein: 10484765 more bytes of output were dropped; the limit is 1000 bytes]\n");
}

TEST_F(Supervised, WaitForTheirGoAndBeginOnce) {
  const auto started = start(shell("echo ran >> ran"), in("control"));
  await_file("control/started.json");
  let_pass(30'000);
  EXPECT_FALSE(exists("ran"));
  EXPECT_TRUE(is_alive(started.pid));

  reactor().go(started.key);
  reactor().go(started.key);
  EXPECT_EQ(await_exit().exit_code, 0);
  EXPECT_EQ(test::read_file(path("ran")), "ran\n");
  EXPECT_FALSE(is_alive(started.pid));
  reactor().go(started.key);  // no effect on one that ended
  reactor().stop(started.key);
}

TEST_F(Supervised, MayBeToldToGoBeforeTheirSupervisorCanListen) {
  // Given that it is said at once, as run() does; a hundred times, as it is a race.
  for (int i = 0; i < 100; ++i) ASSERT_EQ(run(shell("exit 6"), in("control" + std::to_string(i))).exit_code, 6);
}

TEST_F(Supervised, NeverRunWhenTheyAreStoppedBeforeTheirGo) {
  const auto started = start(shell("touch ran"), in("control"));
  reactor().stop(started.key);
  reactor().go(started.key);
  const port::ProcessExit end = await_exit();

  EXPECT_TRUE(end.stopped);
  EXPECT_FALSE(end.started);
  EXPECT_EQ(end.exit_code, 143);
  EXPECT_EQ(end.duration_us, 0);
  EXPECT_EQ(end.error, "");
  EXPECT_FALSE(exists("ran"));
}

TEST_F(Supervised, GetExactlyWhatTheyWereTold) {
  port::ProcessSpec spec = shell("");
  spec.argv = {"env"};
  spec.env["EMPTY"] = "";
  spec.env["BYTES"] = "\xff\xfe";
  spec.env["LINES"] = "a\nb=c";
  run(spec, in("environment"));
  EXPECT_EQ(output(), "BYTES=\xff\xfe\nEMPTY=\nLINES=a\nb=c\nMARK=" + directory.path().string() +
                          "\nPATH=/usr/bin:/bin\nBERNSTEIN_CONTROL=" + path("environment") + "\n");

  const int inherited = ::open("/dev/null", O_RDONLY);  // open when the supervisor is started
  spec = shell("pwd; ls /proc/$$/fd; grep -E 'Sig(Blk|Ign)' /proc/self/status; cut -d' ' -f5,6 /proc/$$/stat; echo $$");
  spec.output_path = path("rest.log");
  run(spec, in("rest"));
  ::close(inherited);
  const std::string rest = test::read_file(path("rest.log"));
  const std::string pid = rest.substr(rest.rfind('\n', rest.size() - 2) + 1, rest.size());
  const std::string number = pid.substr(0, pid.size() - 1);
  EXPECT_EQ(rest, directory.path().string() + "\n0\n1\n2\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n" +
                      number + " " + number + "\n" + pid);
}

TEST_F(Supervised, LeaveNoKeysOnTheDiskAndNoneWithTheirSupervisor) {
  port::ProcessSpec spec = shell("touch ready; exec sleep 1000");
  spec.env["SECRET_KEY"] = "hunter2";
  spec.stdin_text = "a prompt";
  const auto started = start(spec, in("control"));
  reactor().go(started.key);
  await_file("ready");

  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(path("control"))) {
    names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  EXPECT_EQ(names, (std::vector<std::string>{"alive", "control", "started.json"}));
  EXPECT_EQ(test::read_file("/proc/" + std::to_string(started.pid) + "/environ"), "");

  reactor().stop(started.key);
  EXPECT_EQ(await_exit().signal, SIGTERM);
}

TEST_F(Supervised, HaveTheirTimeFromTheirGoOn) {
  port::ProcessSpec spec = shell("exit 2");
  spec.timeout_us = 3 * k_second;
  const auto started = start(spec, in("patient"));
  let_pass(3'100'000);
  reactor().go(started.key);
  EXPECT_FALSE(await_exit().timed_out);
  EXPECT_EQ(exit->exit_code, 2);

  spec = shell("trap '' TERM; echo ready; while :; do sleep 0.01; done");
  spec.timeout_us = 100'000;
  spec.grace_us = 40'000;
  const port::ProcessExit late = run(spec, in("late"));
  EXPECT_TRUE(late.timed_out);
  EXPECT_FALSE(late.stopped);
  EXPECT_EQ(late.signal, SIGKILL);
  EXPECT_EQ(late.exit_code, 137);
  EXPECT_GE(late.duration_us, 140'000);
  EXPECT_LT(late.duration_us, 5 * k_second);
  EXPECT_EQ(output(), "ready\n");
}

TEST_F(Supervised, AreStoppedWithGraceForAllWhoDescendFromThem) {
  port::ProcessSpec spec = shell(
      "setsid -f sh -c 'trap \"echo daemon >> tidied; exit\" TERM; touch daemon; while :; do sleep 0.01; done';"
      "trap 'echo leader >> tidied; exit 3' TERM; touch ready; while :; do sleep 0.01; done");
  const auto started = start(spec, in("control"));
  reactor().go(started.key);
  await([&] { return exists("ready") && exists("daemon"); });

  reactor().stop(started.key);
  EXPECT_EQ(await_exit().exit_code, 3);

  EXPECT_TRUE(exit->stopped);
  const std::string tidied = test::read_file(path("tidied"));
  EXPECT_TRUE(tidied == "daemon\nleader\n" || tidied == "leader\ndaemon\n") << tidied;
}

TEST_F(Supervised, AreStoppedWhenTheyAreSuspendedToo) {
  const auto started = start(shell("touch ready; kill -STOP $$; echo woken"), in("control"));
  reactor().go(started.key);
  await_file("ready");
  reactor().stop(started.key);
  EXPECT_EQ(await_exit().signal, SIGTERM);
}

TEST_F(Supervised, LeaveNobodyBehindAfterTwoHundredThatDaemonize) {
  // Each starts one that leaves the session and one whose parents are gone; both ignore whatever can be ignored.
  const std::string script =
      "setsid -f sh -c 'trap \"\" TERM HUP INT; touch $1.a; while :; do sleep 1000; done' sh $1;"
      "((setsid sh -c 'trap \"\" TERM HUP INT; touch $1.b; while :; do sleep 1000; done' sh $1 &) &);"
      "while [ ! -e $1.a ] || [ ! -e $1.b ]; do sleep 0.01; done; exit 3";
  constexpr int k_count = 200;
  int ended = 0;
  Micros slowest = 0;
  for (int i = 0; i < k_count; ++i) {
    port::ProcessSpec spec = shell(script);
    spec.argv.push_back("sh");
    spec.argv.push_back(std::to_string(i));
    spec.env["NUMBER"] = std::to_string(i);
    const auto started = reactor().start_supervised(spec, in("c" + std::to_string(i)), [&](port::ProcessExit end) {
      EXPECT_EQ(end.exit_code, 3);
      ++ended;
    });
    ASSERT_TRUE(started) << started.error().message;
    reactor().go(started->key);
    while (ended < i - 6) reactor().turn();
  }
  const Micros last = reactor().monotonic_us();
  while (ended < k_count) reactor().turn();
  slowest = reactor().monotonic_us() - last;

  EXPECT_EQ(marked().size(), 0U);
  EXPECT_LT(slowest, 7 * proc::k_group_end_us_max);
}

TEST_F(Supervised, LeaveNobodyBehindOfABurstThatKeepsForking) {
  const port::ProcessExit end =
      run(shell("for i in 1 2 3 4 5 6 7 8; do (trap '' TERM; while :; do setsid -f /bin/true; /bin/true & done) "
                "> /dev/null 2>&1 & done; exit 9"),
          in("control"));
  EXPECT_EQ(end.exit_code, 9);
  EXPECT_EQ(marked().size(), 0U);
}

TEST_F(Supervised, AreNotWaitedForBecauseADaemonHoldsTheirOutput) {
  const Micros before = reactor().monotonic_us();
  run(shell("setsid -f sh -c 'echo from outside; touch written; while :; do echo y; done';"
            "while [ ! -e written ]; do sleep 0.01; done; echo end"),
      in("control"));
  EXPECT_LT(reactor().monotonic_us() - before, 2 * k_second);
  EXPECT_EQ(output().find("from outside\n"), 0U);
}

TEST_F(Supervised, KeepTheirLimitOfTheSizeOfFiles) {
  port::SuperviseSpec supervise = in("control");
  supervise.file_bytes_max = 4'096;
  run(shell("head -c 100000 /dev/zero > big; echo after"), supervise);
  EXPECT_EQ(std::filesystem::file_size(path("big")), 4'096U);
  EXPECT_EQ(output().substr(output().size() - 6), "after\n") << "what the supervisor writes has a limit of its own";
}

TEST_F(Supervised, AreRefusedForTheReasonsOfPlainOnes) {
  const auto refusal = [&](port::ProcessSpec spec, port::SuperviseSpec supervise) {
    const auto started =
        reactor().start_supervised(std::move(spec), std::move(supervise), [](port::ProcessExit) { ADD_FAILURE(); });
    EXPECT_FALSE(started);
    return started ? Error{} : started.error();
  };
  port::ProcessSpec absent = shell("");
  absent.argv[0] = "/no/such/program";
  EXPECT_EQ(refusal(absent, in("a")).message, "cannot start '/no/such/program': there is no such file");
  port::ProcessSpec mute = shell("");
  mute.output_path = "/no/such/directory/output.log";
  EXPECT_EQ(refusal(mute, in("b")).message,
            "cannot write output to /no/such/directory/output.log: No such file or directory");
  EXPECT_FALSE(exists("a") || exists("b")) << "nothing was begun";

  EXPECT_EQ(refusal(shell(""), {.control_directory = "/no/such/control"}).message,
            "cannot make the directory /no/such/control: No such file or directory");
  test::write_file(path("file"), "");
  EXPECT_EQ(refusal(shell(""), in("file")).message, "cannot write " + path("file") + "/spec.json: Not a directory");

  run(shell(":"), in("used"));
  const Error used = refusal(shell(":"), in("used"));
  EXPECT_EQ(used.code, ErrorCode::conflict);
  EXPECT_EQ(used.message, "the control directory " + path("used") + " was used before; take a new one");
}

TEST_F(Supervised, AreRefusedWithoutASupervisorAndLeaveNoKeys) {
  const auto none = proc::open_reactor()->start_supervised(shell(":"), in("none"), [](port::ProcessExit) {});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().message, "cannot start '/bin/sh': there is no bernstein-exec beside bernstein; install both");

  const auto wrong = proc::open_reactor({.supervisor = "/no/bernstein-exec"})
                         ->start_supervised(shell(":"), in("wrong"), [](port::ProcessExit) {});
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().message,
            "cannot start the supervisor /no/bernstein-exec: No such file or directory; bernstein-exec belongs beside "
            "bernstein");
  EXPECT_FALSE(exists("wrong/spec.json"));
}

TEST_F(Supervised, SayWhyTheyCouldNotBeExecuted) {
  port::ProcessSpec too_long = shell(":");
  too_long.argv.push_back(std::string(4 << 20, 'x'));  // longer than any argument may be
  const port::ProcessExit end = run(too_long, in("long"));
  EXPECT_EQ(end.error, "cannot start '/bin/sh': Argument list too long");
  EXPECT_FALSE(end.started);
  EXPECT_EQ(end.exit_code, 127);

  port::ProcessSpec homeless = shell(":");
  homeless.directory = path("home");
  std::filesystem::create_directory(path("home"));
  const auto started = start(homeless, in("homeless"));
  std::filesystem::remove(path("home"));
  reactor().go(started.key);
  EXPECT_EQ(await_exit().error, "cannot start '/bin/sh': its directory " + path("home") + " is not there");
}

TEST_F(Supervised, LeaveNoZombieAndNoDescriptorToTheirStarter) {
  const auto descriptors = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator{});
  };
  run(shell(":"), in("first"));
  const auto before = descriptors();
  for (int i = 0; i < 20; ++i) run(shell(":"), in("c" + std::to_string(i)));
  let_pass(0);
  EXPECT_EQ(descriptors(), before);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST_F(Supervised, CostAFewMillisecondsMoreThanPlainOnes) {
  // A guard against a poll or a wait that slips into the path of every process; the machine is shared, so it is wide.
  constexpr int k_count = 50;
  const Micros begin = reactor().monotonic_us();
  for (int i = 0; i < k_count; ++i) {
    exit.reset();
    ASSERT_TRUE(reactor().start(shell(":"), [this](port::ProcessExit result) { exit = result; }));
    while (!exit) reactor().turn();
  }
  const Micros middle = reactor().monotonic_us();
  for (int i = 0; i < k_count; ++i) {
    const auto started = start(shell(":"), in("c" + std::to_string(i)));
    reactor().go(started.key);
    while (!exit) reactor().turn();
  }
  const Micros plain = (middle - begin) / k_count;
  const Micros supervised = (reactor().monotonic_us() - middle) / k_count;
  RecordProperty("microseconds_plain", static_cast<int>(plain));
  RecordProperty("microseconds_supervised", static_cast<int>(supervised));
  EXPECT_LT(supervised, plain + 100'000);
}

}  // namespace
}  // namespace bernstein::exec
