// Supervised processes in a sandbox that works: they end as they do without one. Skipped where bubblewrap does not
// work.
#include <unistd.h>

#include <filesystem>

#include "bernstein/agent/sandbox.hpp"
#include "supervised_place.hpp"

namespace bernstein::exec {
namespace {

class Sandboxed : public Place {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(path(".sdd/worktrees/w"));
    port::ProcessSpec probe = boxed(":");
    std::optional<port::ProcessExit> tried;
    const auto started = reactor().start(probe, [&](port::ProcessExit result) { tried = result; });
    if (!started) GTEST_SKIP() << started.error().message;
    while (!tried) reactor().turn();
    if (tried->exit_code != 0) GTEST_SKIP() << output();
  }

  // With all but the directory of the test writable, and that read-only but for .sdd/worktrees/w.
  port::ProcessSpec boxed(const std::string& script) const {
    const std::string root = std::filesystem::canonical(directory.path()).string();
    const agent::Sandbox sandbox{.mode = SandboxMode::automatic,
                                 .bwrap = "/usr/bin/bwrap",
                                 .sdd = root + "/.sdd",
                                 .read_only = {root},
                                 .personal = {},
                                 .root = geteuid() == 0};
    port::ProcessSpec spec = shell(script);
    spec.directory = root + "/.sdd/worktrees/w";
    spec.wrapper = agent::sandbox_words(
        sandbox, {.directory = spec.directory, .writable = {"worktrees/w"}, .read_only = {"not there"}});
    return spec;
  }
};

TEST_F(Sandboxed, EndAsTheyDoWithoutOne) {
  int number = 0;
  for (const std::string script : {"exit 7", "cat; echo err >&2", "kill -9 $$", "pwd; echo \"$MARK\"", "ghost"}) {
    SCOPED_TRACE(script);
    port::ProcessSpec spec = boxed(script);
    spec.stdin_text = "in\n";
    spec.output_path = path("boxed" + std::to_string(number));
    const port::ProcessExit actual = run(spec, in("boxed control" + std::to_string(number)));
    spec.wrapper.clear();
    spec.output_path = path("plain" + std::to_string(number));
    const port::ProcessExit expected = run(spec, in("plain control" + std::to_string(number)));

    EXPECT_EQ(actual.exit_code, expected.exit_code);
    EXPECT_TRUE(actual.started);
    EXPECT_EQ(test::read_file(path("boxed" + std::to_string(number))),
              test::read_file(path("plain" + std::to_string(number))));
    ++number;
  }
}

TEST_F(Sandboxed, HearSigtermAndHaveTheirGrace) {
  const auto started =
      start(boxed("trap 'echo bye; exit 9' TERM; echo > here; while :; do sleep 0.05; done"), in("control"));
  reactor().go(started.key);
  await_file(".sdd/worktrees/w/here");
  reactor().stop(started.key);

  EXPECT_EQ(await_exit().exit_code, 9);
  EXPECT_TRUE(exit->stopped);
  EXPECT_NE(output().find("bye\n"), std::string::npos) << output();
}

TEST_F(Sandboxed, DoNotOutliveASupervisorThatIsKilled) {
  const auto started = start(boxed("(setsid setsid sleep 1000 &); echo > here; exec sleep 1000"), in("control"));
  reactor().go(started.key);
  await_file(".sdd/worktrees/w/here");
  ASSERT_EQ(::kill(static_cast<pid_t>(started.pid), SIGKILL), 0);

  EXPECT_TRUE(await_exit().lost);
  await([this] { return marked().empty(); });
}

TEST_F(Sandboxed, ThatAreMissingAreMissedBeforeAnythingStarts) {
  port::ProcessSpec spec = boxed("");
  spec.argv = {"ghost-of-a-program"};
  const auto started = reactor().start_supervised(spec, in("control"), [](const port::ProcessExit&) {});

  ASSERT_FALSE(started);
  EXPECT_EQ(
      started.error().message,
      "cannot start 'ghost-of-a-program': no such program in PATH (/usr/bin:/bin); install it or correct the command");
}

}  // namespace
}  // namespace bernstein::exec
