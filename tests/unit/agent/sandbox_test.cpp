#include "bernstein/agent/sandbox.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace bernstein::agent {
namespace {

using Words = std::vector<std::string>;

constexpr const char* k_session = "/home/ann/projekt ☃/.sdd/worktrees/session-r1-t4.2";
constexpr const char* k_repository = "/home/ann/projekt ☃/.sdd/agents/session-r1-t4.2.git";
constexpr const char* k_prompt = "/home/ann/projekt ☃/.sdd/logs/r1/t4.2.prompt.log";

Sandbox a_sandbox(SandboxMode mode) {
  return {.mode = mode,
          .bwrap = "/usr/bin/bwrap",
          .sdd = "/home/ann/projekt ☃/.sdd",
          .read_only = {"/home/ann/projekt ☃", "/home/ann/projekt ☃/.git", "/home/ann/projekt ☃"},
          .personal = {"/tmp", "/home/ann"}};
}

SandboxedProcess an_agent() {
  return {.directory = k_session,
          .writable = {"worktrees/session-r1-t4.2", "agents/session-r1-t4.2.git"},
          .read_only = {"logs/r1/t4.2.prompt.log"}};
}

SandboxedProcess a_check() {
  return {.directory = "/home/ann/projekt ☃/.sdd/worktrees/check-r1-t4.2",
          .writable = {"worktrees/check-r1-t4.2"},
          .read_only = {},
          .network = false};
}

bool has(const Words& words, const Words& run) {
  return std::search(words.begin(), words.end(), run.begin(), run.end()) != words.end();
}

// Where a run of words begins; the number of words when it is not there.
std::ptrdiff_t place_of(const Words& words, const Words& run) {
  return std::search(words.begin(), words.end(), run.begin(), run.end()) - words.begin();
}

TEST(Sandbox, AutoLeavesTheMachineButTheRepositoryAndSddAlone) {
  const std::string root = "/home/ann/projekt ☃";

  EXPECT_EQ(sandbox_words(a_sandbox(SandboxMode::automatic), an_agent()), (Words{"/usr/bin/env",
                                                                                 "--ignore-signal=TERM",
                                                                                 "/usr/bin/bwrap",
                                                                                 "--die-with-parent",
                                                                                 "--unshare-pid",  //
                                                                                 "--dev-bind",
                                                                                 "/",
                                                                                 "/",  //
                                                                                 "--ro-bind-try",
                                                                                 root,
                                                                                 root,  //
                                                                                 "--tmpfs",
                                                                                 root + "/.sdd",  //
                                                                                 "--bind-try",
                                                                                 k_repository,
                                                                                 k_repository,  //
                                                                                 "--ro-bind-try",
                                                                                 k_prompt,
                                                                                 k_prompt,  //
                                                                                 "--bind-try",
                                                                                 k_session,
                                                                                 k_session,  //
                                                                                 "--proc",
                                                                                 "/proc",  //
                                                                                 "--remount-ro",
                                                                                 root + "/.sdd",  //
                                                                                 "--chdir",
                                                                                 k_session,
                                                                                 "--",  //
                                                                                 "/usr/bin/env",
                                                                                 "--default-signal=TERM",
                                                                                 "/bin/sh",
                                                                                 "-c",
                                                                                 "exec \"$0\" \"$@\""}));
}

TEST(Sandbox, StrictLeavesNothingButItsOwnPlacesAndAChecksNetworkIsItsOwn) {
  const std::string root = "/home/ann/projekt ☃";
  const std::string directory = root + "/.sdd/worktrees/check-r1-t4.2";

  EXPECT_EQ(sandbox_words(a_sandbox(SandboxMode::strict), a_check()), (Words{"/usr/bin/env",
                                                                             "--ignore-signal=TERM",
                                                                             "/usr/bin/bwrap",
                                                                             "--die-with-parent",
                                                                             "--unshare-pid",  //
                                                                             "--unshare-ipc",
                                                                             "--unshare-net",  //
                                                                             "--ro-bind",
                                                                             "/",
                                                                             "/",  //
                                                                             "--dev",
                                                                             "/dev",  //
                                                                             "--perms",
                                                                             "1777",
                                                                             "--tmpfs",
                                                                             "/home/ann",  //
                                                                             "--ro-bind-try",
                                                                             root,
                                                                             root,  //
                                                                             "--tmpfs",
                                                                             root + "/.sdd",  //
                                                                             "--bind-try",
                                                                             directory,
                                                                             directory,  //
                                                                             "--proc",
                                                                             "/proc",  //
                                                                             "--perms",
                                                                             "1777",
                                                                             "--tmpfs",
                                                                             "/tmp",  //
                                                                             "--remount-ro",
                                                                             root + "/.sdd",  //
                                                                             "--setenv",
                                                                             "TMPDIR",
                                                                             "/tmp",  //
                                                                             "--chdir",
                                                                             directory,
                                                                             "--",  //
                                                                             "/usr/bin/env",
                                                                             "--default-signal=TERM",
                                                                             "/bin/sh",
                                                                             "-c",
                                                                             "exec \"$0\" \"$@\""}));
}

TEST(Sandbox, OffPutsNothingInFront) {
  EXPECT_EQ(sandbox_words(a_sandbox(SandboxMode::off), an_agent()), Words{});
  EXPECT_EQ(sandbox_words({}, {}), Words{});
}

TEST(Sandbox, OnlyAStrictCheckLosesTheNetwork) {
  EXPECT_FALSE(has(sandbox_words(a_sandbox(SandboxMode::strict), an_agent()), {"--unshare-net"}));
  EXPECT_FALSE(has(sandbox_words(a_sandbox(SandboxMode::automatic), a_check()), {"--unshare-net"}));
}

TEST(Sandbox, WhatLiesInAPlaceIsMountedAfterThePlace) {
  // A repository below /tmp, which strict makes personal, with its git directory elsewhere below the home.
  const Sandbox sandbox{.mode = SandboxMode::strict,
                        .bwrap = "/usr/bin/bwrap",
                        .sdd = "/tmp/x/repo/.sdd",
                        .read_only = {"/tmp/x/repo", "/home/ann/gits/repo.git", "/dev/shm/linked"},
                        .personal = {"/home/ann", "/tmp"}};
  const Words words = sandbox_words(
      sandbox, {.directory = "/tmp/x/repo/.sdd/worktrees/s", .writable = {"worktrees/s"}, .read_only = {}});

  std::vector<std::ptrdiff_t> places;
  for (const Words& run : std::vector<Words>{{"--ro-bind", "/", "/"},
                                             {"--dev", "/dev"},
                                             {"--ro-bind-try", "/dev/shm/linked", "/dev/shm/linked"},
                                             {"--tmpfs", "/home/ann"},
                                             {"--ro-bind-try", "/home/ann/gits/repo.git", "/home/ann/gits/repo.git"},
                                             {"--tmpfs", "/tmp"},
                                             {"--ro-bind-try", "/tmp/x/repo", "/tmp/x/repo"},
                                             {"--tmpfs", "/tmp/x/repo/.sdd"},
                                             {"--bind-try", "/tmp/x/repo/.sdd/worktrees/s"},
                                             {"--remount-ro", "/tmp/x/repo/.sdd"}}) {
    places.push_back(place_of(words, run));
    EXPECT_LT(places.back(), std::ssize(words)) << run[0] << ' ' << run[1];
  }
  EXPECT_TRUE(std::is_sorted(places.begin(), places.end()));
}

TEST(Sandbox, WhatIsReadOnlyAlreadyIsNotMountedAgain) {
  Sandbox sandbox = a_sandbox(SandboxMode::strict);
  sandbox.read_only = {"/opt/agents/one", "/srv/repo", "/srv/repo/.git", "/home/ann/bin/two"};
  sandbox.sdd = "/srv/repo/.sdd";
  const Words words = sandbox_words(sandbox, an_agent());

  EXPECT_FALSE(has(words, {"/opt/agents/one"}));
  EXPECT_FALSE(has(words, {"--ro-bind-try", "/srv/repo"}));
  EXPECT_FALSE(has(words, {"/srv/repo/.git"}));
  EXPECT_TRUE(has(words, {"--ro-bind-try", "/home/ann/bin/two", "/home/ann/bin/two"}));
}

TEST(Sandbox, AHomeThatIsTheRepositoryStaysTheRepository) {
  Sandbox sandbox = a_sandbox(SandboxMode::strict);
  sandbox.personal = {"/home/ann/projekt ☃", "/"};
  const Words words = sandbox_words(sandbox, an_agent());

  EXPECT_FALSE(has(words, {"--tmpfs", "/home/ann/projekt ☃"}));
  EXPECT_FALSE(has(words, {"--tmpfs", "/"}));
}

TEST(Sandbox, RootKeepsNoRightToUndoIt) {
  Sandbox sandbox = a_sandbox(SandboxMode::automatic);
  EXPECT_FALSE(has(sandbox_words(sandbox, an_agent()), {"--cap-drop"}));

  sandbox.root = true;
  const Words words = sandbox_words(sandbox, an_agent());
  EXPECT_TRUE(has(words, {"--cap-drop", "ALL", "--cap-add", "CAP_CHOWN", "--cap-add", "CAP_DAC_OVERRIDE"}));
  for (const std::string right : {"SYS_ADMIN", "SYS_PTRACE", "MKNOD", "SYS_MODULE", "SYS_RAWIO", "DAC_READ_SEARCH"}) {
    EXPECT_FALSE(has(words, {"CAP_" + right}));
  }
}

}  // namespace
}  // namespace bernstein::agent
