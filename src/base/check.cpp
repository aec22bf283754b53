#include "bernstein/base/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace bernstein {

void check_failed(const char* message, const char* file, int line) {
  std::fprintf(stderr, "bernstein: broken promise at %s:%d: %s\n", file, line, message);
  std::fflush(stderr);
  std::abort();
}

}  // namespace bernstein
