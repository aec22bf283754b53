#pragma once
// A crash inside a test: work that is done in a process of its own, which is killed at a failpoint.
//
//     crash_at("git.land.before_ref", [&] { workspace().land(spec); });        // the second time:
//     "git.land.before_ref:2"
//
// Nothing is crashed in builds without failpoints; tests begin with BERNSTEIN_NEEDS_FAILPOINTS().

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <string>

#include "bernstein/failpoint/failpoint.hpp"

#ifdef BERNSTEIN_FAILPOINTS
#define BERNSTEIN_NEEDS_FAILPOINTS() static_cast<void>(0)
#else
#define BERNSTEIN_NEEDS_FAILPOINTS() GTEST_SKIP() << "needs BERNSTEIN_FAILPOINTS=ON"
#endif

namespace bernstein::test {

inline void crash_at([[maybe_unused]] const std::string& crash, [[maybe_unused]] const std::function<void()>& work) {
#ifdef BERNSTEIN_FAILPOINTS
  const pid_t child = ::fork();
  if (child == 0) {
    failpoint::arm(crash);
    work();
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "nobody was killed at " << crash;
#endif
}

}  // namespace bernstein::test
