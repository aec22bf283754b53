// The process is killed where the variables say so, and a list of the sites is kept.
#include "bernstein/failpoint/failpoint.hpp"

#include <errno.h>
#include <stdlib.h>

#include <string>

#include "support/crash.hpp"
#include "support/temp_directory.hpp"

namespace bernstein::test {
namespace {

void come_by(const char* site) {
#ifdef BERNSTEIN_FAILPOINTS
  failpoint::pass(site);
#else
  static_cast<void>(site);
#endif
}

// How a process ends that begins with these variables.
struct End {
  int status = 0;
  pid_t pid = 0;
};
End run_with(const std::string& crash, const std::string& list, const std::function<void()>& work) {
  End end{.pid = ::fork()};
  if (end.pid == 0) {
    ::setenv("BERNSTEIN_CRASH", crash.c_str(), 1);
    ::setenv("BERNSTEIN_CRASH_LIST", list.c_str(), 1);
    work();
    ::_exit(0);
  }
  ::waitpid(end.pid, &end.status, 0);
  return end;
}

bool was_killed(const End& end) {
  return WIFSIGNALED(end.status) && WTERMSIG(end.status) == SIGKILL;
}

TEST(Failpoint, KillsTheProcessAtTheHitThatIsAskedFor) {
  BERNSTEIN_NEEDS_FAILPOINTS();
  const TempDirectory directory;
  const std::string trace = (directory.path() / "trace").string();

  const End end = run_with("b:2", "", [&] {
    for (const char* site : {"a", "b", "a", "b", "c"}) {
      come_by(site);
      write_file(trace, read_file(trace) + site);
    }
  });

  EXPECT_TRUE(was_killed(end));
  EXPECT_EQ(read_file(trace), "aba");
}

TEST(Failpoint, WithoutANumberMeansTheFirstHit) {
  BERNSTEIN_NEEDS_FAILPOINTS();
  EXPECT_TRUE(was_killed(run_with("b", "", [] { come_by("b"); })));
  EXPECT_FALSE(was_killed(run_with("b", "", [] { come_by("bb"); })));
}

TEST(Failpoint, CountsTheHitsOfSeveralProcessesTogether) {
  BERNSTEIN_NEEDS_FAILPOINTS();
  const TempDirectory directory;
  ::setenv("BERNSTEIN_CRASH_COUNT", (directory.path() / "count").c_str(), 1);
  const auto come = [] { return run_with("b:2", "", [] { come_by("b"); }); };
  EXPECT_FALSE(was_killed(come()));
  EXPECT_TRUE(was_killed(come()));
  EXPECT_FALSE(was_killed(come()));
  ::unsetenv("BERNSTEIN_CRASH_COUNT");
}

TEST(Failpoint, ListsEveryHitWithItsProcessAlsoTheLast) {
  BERNSTEIN_NEEDS_FAILPOINTS();
  const TempDirectory directory;
  const std::string list = (directory.path() / "list").string();

  const End end = run_with("b:1", list, [] {
    come_by("a");
    come_by("a");
    come_by("b");
  });

  const std::string who = std::string(program_invocation_short_name) + " " + std::to_string(end.pid) + " ";
  EXPECT_EQ(read_file(list), who + "a\n" + who + "a\n" + who + "b\n");
}

TEST(Failpoint, HandsDownWhatIsSet) {
  BERNSTEIN_NEEDS_FAILPOINTS();
  ::setenv("BERNSTEIN_CRASH", "exec.begin.after_command:1", 1);
  ::unsetenv("BERNSTEIN_CRASH_LIST");
  EXPECT_EQ(failpoint::handed_down(), std::vector<std::string>{"BERNSTEIN_CRASH=exec.begin.after_command:1"});
  ::unsetenv("BERNSTEIN_CRASH");
  EXPECT_TRUE(failpoint::handed_down().empty());
}

}  // namespace
}  // namespace bernstein::test
