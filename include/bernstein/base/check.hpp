#pragma once
// BERNSTEIN_CHECK: a promise of our own code. On in release builds too: a broken one prints where and why, and aborts.
//
//     BERNSTEIN_CHECK(task != nullptr, "a lease names a task that exists");
//
// For what a person or the world can cause, return an Error (base/result.hpp) instead.

namespace bernstein {

[[noreturn]] void check_failed(const char* message, const char* file, int line);

}  // namespace bernstein

#define BERNSTEIN_CHECK(condition, message) \
  ((condition) ? static_cast<void>(0) : ::bernstein::check_failed((message), __FILE__, __LINE__))
