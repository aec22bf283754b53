#pragma once
// Failpoints: named places where a test can have this process killed, to see that the next one goes on from there.
//
//     BERNSTEIN_FAILPOINT("git.land.before_ref");
//
// A site stands wherever a crash before it and a crash after it leave different things behind. Its name is
// <room>.<operation>.<moment>, a literal, so that tools can find all of them in the sources.
//
// They are compiled in with the CMake option BERNSTEIN_FAILPOINTS (presets dev and asan) and are nothing at all without
// it. Then environment variables, read once, tell what happens at a site:
//
//     BERNSTEIN_CRASH=<site>:<n>      the n-th time that this process comes to the site it gets SIGKILL; n is 1 when
//                                     left out
//     BERNSTEIN_CRASH_COUNT=<file>    that count is kept in the file, for all processes that have the variable
//     together: so
//                                     that one of several supervisors dies, and not each of them
//     BERNSTEIN_CRASH_LIST=<file>     a line "<program> <pid> <site>" is appended each time a process comes to a site
//
// Sites may be passed by any thread. Processes that are started with an environment of their own learn of the variables
// only by what handed_down() says.

#include <string>
#include <vector>

namespace bernstein::failpoint {

#ifdef BERNSTEIN_FAILPOINTS
void pass(const char* site);

// For tests in one process: as if BERNSTEIN_CRASH had this value, counted from here.
void arm(const std::string& crash);

// The variables as "NAME=value", as far as they are set.
std::vector<std::string> handed_down();
#else
inline std::vector<std::string> handed_down() {
  return {};
}
#endif

}  // namespace bernstein::failpoint

#ifdef BERNSTEIN_FAILPOINTS
#define BERNSTEIN_FAILPOINT(site) ::bernstein::failpoint::pass("" site)
#else
#define BERNSTEIN_FAILPOINT(site) static_cast<void>(0)
#endif
