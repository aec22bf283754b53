// The program of the scripted agent, in a directory of its own.
#include "bernstein/cli/scripted_agent.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <sstream>
#include <string>
#include <thread>

#include "bernstein/agent/prompt.hpp"
#include "support/temp_directory.hpp"

namespace bernstein::cli {
namespace {

class ScriptedAgent : public ::testing::Test {
 protected:
  ScriptedAgent() : before_(std::filesystem::current_path()) {
    std::filesystem::current_path(directory.path());
    ::setenv("BERNSTEIN_ATTEMPT", "1", 1);
  }
  ~ScriptedAgent() override { std::filesystem::current_path(before_); }

  int run(const std::string& script) {
    std::istringstream prompt("# A task\n\nscript:\n" + script + "\n\n## Checks\n");
    std::ostringstream out;
    const int code = run_scripted_agent(prompt, out);
    output = out.str();
    return code;
  }
  std::string file(const std::string& path) { return test::read_file(directory.path() / path); }
  bool exists(const std::string& path) { return std::filesystem::exists(directory.path() / path); }

  test::TempDirectory directory;
  std::string output;

 private:
  std::filesystem::path before_;
};

TEST_F(ScriptedAgent, ChangesFiles) {
  test::write_file(directory.path() / "old.txt", "one two two\n");
  test::write_file(directory.path() / "gone.txt", "x\n");

  EXPECT_EQ(run("write a/b/c.txt one\\ntwo\nappend a/b/c.txt three\nappend new.txt first\n"
                "edit old.txt two => 2\ndelete gone.txt\ntouch empty.txt\ntouch old.txt"),
            0)
      << output;

  EXPECT_EQ(file("a/b/c.txt"), "one\ntwo\nthree\n");
  EXPECT_EQ(file("new.txt"), "first\n");
  EXPECT_EQ(file("old.txt"), "one 2 two\n\n");
  EXPECT_TRUE(exists("empty.txt"));
  EXPECT_FALSE(exists("gone.txt"));
  EXPECT_EQ(output, "");
}

TEST_F(ScriptedAgent, PrintsWhatItIsTold) {
  EXPECT_EQ(run("print one\\ntwo\nusage 10 20 5 0.25\nspam 100"), 0);

  EXPECT_EQ(output, "one\ntwo\n{\"usage\":{\"input\":10,\"output\":20,\"cached\":5},\"cost\":0.25}\n" +
                        std::string(79, '.') + "\n" + std::string(20, '.'));
}

TEST_F(ScriptedAgent, EndsWhereItIsToldToFail) {
  EXPECT_EQ(run("write a.txt x\nfail 7\nwrite b.txt x"), 7);

  EXPECT_TRUE(exists("a.txt"));
  EXPECT_FALSE(exists("b.txt"));
}

TEST_F(ScriptedAgent, DoesOnAnAttemptWhatIsMeantForIt) {
  const std::string script = "on-attempt 1 fail 3\non-attempt 2 write two.txt x\non-attempt 3 write three.txt x";
  EXPECT_EQ(run(script), 3);
  ::setenv("BERNSTEIN_ATTEMPT", "2", 1);
  EXPECT_EQ(run(script), 0);

  EXPECT_TRUE(exists("two.txt"));
  EXPECT_FALSE(exists("three.txt"));
}

TEST_F(ScriptedAgent, SaysWhichStepItCouldNotDo) {
  test::write_file(directory.path() / "a.txt", "abc\n");
  EXPECT_EQ(run("print x\nedit a.txt foo => bar\nwrite b.txt x"), 1);
  EXPECT_EQ(output, "x\nscript line 2: a.txt does not contain 'foo'\n");
  EXPECT_FALSE(exists("b.txt"));

  EXPECT_EQ(run("edit no.txt foo => bar"), 1);
  EXPECT_EQ(output, "script line 1: cannot read no.txt\n");
  EXPECT_EQ(run("delete no.txt"), 1);
  EXPECT_EQ(output, "script line 1: cannot delete no.txt\n");
  EXPECT_EQ(run("write a.txt/b x"), 1);
  EXPECT_EQ(output, "script line 1: cannot write a.txt/b\n");
}

TEST_F(ScriptedAgent, DoesNothingOfAScriptThatItCannotRead) {
  EXPECT_EQ(run("write a.txt x\nfly"), 2);
  EXPECT_EQ(output, "script line 2: unknown command 'fly'\n");
  EXPECT_FALSE(exists("a.txt"));
}

TEST_F(ScriptedAgent, CommitsEverythingWithGit) {
  ASSERT_EQ(
      std::system("git init -q -b main . && git -c user.name=x -c user.email=x@y commit -q --allow-empty -m start"), 0);

  EXPECT_EQ(run("write a.txt one\ncommit Add a\nwrite b.txt two"), 0) << output;

  ASSERT_EQ(std::system("git log -1 --format='%s by %an' > .git/last && git status --porcelain > .git/left"), 0);
  EXPECT_EQ(file(".git/last"), "Add a by Scripted Agent\n");
  EXPECT_EQ(file(".git/left"), "?? b.txt\n");
}

TEST_F(ScriptedAgent, WritesDownWhatItReadAboutEarlierAttempts) {
  agent::PromptInput input;
  input.task.title = "A task";
  input.task.description = "script:\nread-evidence seen.md";
  input.attempt = 2;
  input.earlier = {
      {.number = 1, .why = "exit 1", .commit = {}, .evidence = {{"check 'tests' failed: exit 1", "boom\n"}}}};
  std::istringstream prompt(agent::build_prompt(input));
  std::ostringstream out;

  EXPECT_EQ(run_scripted_agent(prompt, out), 0);

  EXPECT_TRUE(file("seen.md").starts_with("## Earlier attempts\n"));
  EXPECT_NE(file("seen.md").find("check 'tests' failed: exit 1\n```\nboom\n```\n"), std::string::npos);
}

// Runs a script in a process of its own group, and waits until it has written a file.
class ScriptedProcess : public ScriptedAgent {
 protected:
  pid_t start(const std::string& script) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::setpgid(0, 0);
      ::_exit(run(script + "\nwrite done.txt x"));
    }
    ::setpgid(pid, pid);
    return pid;
  }
  void await(const std::string& path) {
    while (!exists(path)) std::this_thread::yield();  // bounded by the limit of every test
  }
  int wait_for(pid_t pid) {
    int status = 0;
    EXPECT_EQ(::waitpid(pid, &status, 0), pid);
    return status;
  }
};

TEST_F(ScriptedProcess, HangsUntilItIsKilled) {
  const pid_t pid = start("write started.txt x\nhang");
  await("started.txt");
  ::kill(pid, SIGTERM);

  const int status = wait_for(pid);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
  EXPECT_FALSE(exists("done.txt"));
}

TEST_F(ScriptedProcess, CanIgnoreToBeAskedToEnd) {
  const pid_t pid = start("ignore-term\nwrite started.txt x\nhang");
  await("started.txt");
  ::kill(pid, SIGTERM);
  ::kill(pid, SIGKILL);

  const int status = wait_for(pid);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "the first signal had no effect";
}

TEST_F(ScriptedProcess, LeavesAProcessOfItsGroupInTheBackground) {
  const pid_t pid = start("daemonize");
  EXPECT_EQ(wait_for(pid), 0);

  EXPECT_TRUE(exists("done.txt"));
  EXPECT_EQ(::kill(-pid, SIGKILL), 0) << "somebody of the group is there";
}

}  // namespace
}  // namespace bernstein::cli
