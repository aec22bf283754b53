// bernstein-exec as a program: what it refuses, and what it then leaves behind.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <string>

#include "proc/control.hpp"
#include "supervised_place.hpp"

namespace bernstein::exec {
namespace {

class Program : public Place {
 protected:
  struct End {
    int code = -1;
    std::string errors;
  };

  pid_t spawn(const std::string& argument) {
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, 2, path("errors").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    std::string name = "bernstein-exec";
    std::string copy = argument;
    const std::array<char*, 3> argv{name.data(), copy.data(), nullptr};
    const std::array<char*, 1> env{nullptr};
    pid_t pid = 0;
    EXPECT_EQ(::posix_spawn(&pid, BERNSTEIN_EXEC, &actions, nullptr, argv.data(), env.data()), 0);
    ::posix_spawn_file_actions_destroy(&actions);
    return pid;
  }
  End end_of(pid_t pid) {
    int status = 0;
    EXPECT_EQ(::waitpid(pid, &status, 0), pid);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status), test::read_file(path("errors"))};
  }
  End execute(const std::string& argument) { return end_of(spawn(argument)); }

  void prepare(const port::ProcessSpec& spec) {
    const Status prepared = proc::prepare_control({spec, in("control")});
    ASSERT_TRUE(prepared) << prepared.error().message;
  }
  std::optional<port::ProcessExit> written() { return proc::read_exit(path("control")); }
};

TEST_F(Program, RefusesADirectoryWithoutAnOrderAndStartsNothingThere) {
  std::filesystem::create_directory(path("control"));

  const End end = execute(path("control"));

  EXPECT_EQ(end.code, 2);
  EXPECT_EQ(end.errors, "bernstein-exec: there is no " + path("control") + "/spec.json; name a control directory\n");
  EXPECT_FALSE(exists("control/started.json"));
  EXPECT_FALSE(exists("control/exit.json"));
}

TEST_F(Program, SaysOfACorruptOrderWhatIsWrongInItsEnd) {
  prepare(shell("touch ran"));
  test::write_file(path("control/spec.json"), "{\"argv\": [\"/bin/sh\"");

  EXPECT_EQ(execute(path("control")).code, 0);

  ASSERT_TRUE(written());
  EXPECT_FALSE(written()->started);
  EXPECT_EQ(written()->exit_code, 127);
  EXPECT_EQ(written()->error.find(path("control") + "/spec.json is no specification of a command: "), 0U)
      << written()->error;
  EXPECT_FALSE(exists("control/spec.json"));
  EXPECT_EQ(adopt("control").state, State::finished);
  EXPECT_EQ(await_exit(), written());
}

TEST_F(Program, SaysThatItCannotWriteTheOutput) {
  port::ProcessSpec spec = shell("touch ran");
  spec.output_path = "/no/such/directory/output.log";
  prepare(spec);

  EXPECT_EQ(execute(path("control")).code, 0);

  ASSERT_TRUE(written());
  EXPECT_EQ(written()->error, "cannot write output to /no/such/directory/output.log: No such file or directory");
  EXPECT_FALSE(written()->started);
}

TEST_F(Program, RefusesADirectoryThatCannotBeWritten) {
  const End end = execute("/proc");
  EXPECT_EQ(end.code, 6);
  EXPECT_EQ(end.errors.find("bernstein-exec: cannot open /proc/alive: "), 0U) << end.errors;
}

TEST_F(Program, AsksForAnAbsoluteDirectory) {
  EXPECT_EQ(execute("control").code, 2);
  EXPECT_EQ(test::read_file(path("errors")).find("usage: bernstein-exec CONTROL_DIR"), 0U);
}

TEST_F(Program, RefusesADirectoryWhereAnotherIsAtWorkAndLeavesThatAlone) {
  const auto started = start(shell("echo once >> ran; exit 5"), in("control"));
  await_file("control/started.json");
  const std::string before = test::read_file(path("control/started.json"));

  const End second = execute(path("control"));

  EXPECT_EQ(second.code, 75);
  EXPECT_EQ(second.errors, "bernstein-exec: another supervisor is at work in " + path("control") + "\n");
  EXPECT_EQ(test::read_file(path("control/started.json")), before);
  reactor().go(started.key);
  EXPECT_EQ(await_exit().exit_code, 5);
  EXPECT_EQ(test::read_file(path("ran")), "once\n");
}

TEST_F(Program, RefusesADirectoryThatWasUsedBeforeAlsoWithANewOrder) {
  run(shell("echo once >> ran; exit 5"), in("control"));
  const std::string before = test::read_file(path("control/exit.json"));
  test::write_file(path("control/spec.json"), "{}");

  const End second = execute(path("control"));

  EXPECT_EQ(second.code, 75);
  EXPECT_EQ(second.errors,
            "bernstein-exec: the control directory " + path("control") + " was used before; take a new one\n");
  EXPECT_EQ(test::read_file(path("control/exit.json")), before);
  EXPECT_EQ(test::read_file(path("ran")), "once\n");
}

TEST_F(Program, RefusesADirectoryThatAnAdopterHasTakenForNeverStarted) {
  // Given an order whose starter was killed before its supervisor came to life.
  prepare(shell("touch ran"));
  EXPECT_EQ(adopt("control").state, State::never_started);
  EXPECT_FALSE(exists("control/spec.json")) << "it may hold keys";

  EXPECT_EQ(execute(path("control")).code, 75);

  EXPECT_FALSE(exists("control/exit.json"));
  EXPECT_EQ(adopt("control").state, State::never_started);
}

TEST_F(Program, IsHurtByNoSignalOfATerminalAndStopsOnSigterm) {
  prepare(shell("trap 'exit 3' TERM; touch ready; while :; do sleep 0.01; done"));
  const pid_t pid = spawn(path("control"));
  const auto adopted = [&] {
    await_file("control/started.json");
    return adopt("control");
  }();
  EXPECT_EQ(adopted.pid, pid);
  reactor().go(adopted.key);
  await_file("ready");

  for (const int signal : {SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGUSR1, SIGALRM}) ::kill(pid, signal);
  let_pass(20'000);
  EXPECT_TRUE(is_alive(pid));
  EXPECT_FALSE(exit);

  ::kill(pid, SIGTERM);
  EXPECT_EQ(await_exit().exit_code, 3);
  EXPECT_TRUE(exit->stopped);
  EXPECT_EQ(end_of(pid).code, 0);
}

}  // namespace
}  // namespace bernstein::exec
