#pragma once
// Result<T>: a value, or an Error that a person can act on.
//
//     Result<Plan> parse(std::string_view text);
//     BERNSTEIN_TRY(auto plan, parse(text));        // returns the Error to our caller, or declares `plan`
//     BERNSTEIN_TRY_VOID(save(plan));               // the same for a Status
//
// Used for everything that can happen on a good day. Exceptions of libraries stop in the room that wraps the library;
// our own code does not throw. Shaped after std::expected (C++23), so that it can be replaced by it.

#include <string>
#include <utility>
#include <variant>

#include "bernstein/base/check.hpp"

namespace bernstein {

// What kind of trouble: what callers branch on, and what the exit code of the command follows from (cli/exit_code.hpp).
enum class ErrorCode {
  invalid_input,  // the person's plan, configuration or arguments: exit 2
  not_found,      // a run, task or file that was named does not exist: exit 2
  conflict,       // the world changed under us (a ref moved, a file exists already): the caller decides
  environment,    // no repository, no agent, disk, permissions: exit 6
  corrupt,        // stored data that cannot be what we wrote: exit 3
  busy,           // another Bernstein owns the workspace: exit 75
  cancelled,      // stopped on request
};

struct Error {
  ErrorCode code = ErrorCode::environment;
  std::string message;  // one sentence, for a person: names the thing and, where there is one, the remedy

  bool operator==(const Error&) const = default;
};

template <class T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  Result(T value) : content_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : content_(std::in_place_index<1>, std::move(error)) {}

  bool has_value() const noexcept { return content_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  // The value. Calling this on an error is a bug and aborts with the error's message.
  T& value() & { return require(), std::get<0>(content_); }
  const T& value() const& { return require(), std::get<0>(content_); }
  T&& value() && { return require(), std::get<0>(std::move(content_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const& { return std::get<1>(content_); }
  Error&& error() && { return std::get<1>(std::move(content_)); }

 private:
  void require() const {
    if (!has_value()) check_failed(std::get<1>(content_).message.c_str(), "Result::value() of an error", 0);
  }

  std::variant<T, Error> content_;
};

struct Ok {
  bool operator==(const Ok&) const = default;
};
using Status = Result<Ok>;  // `return Ok{};` on success

}  // namespace bernstein

#define BERNSTEIN_CAT_(a, b) a##b
#define BERNSTEIN_CAT(a, b) BERNSTEIN_CAT_(a, b)
#define BERNSTEIN_TRY_(temporary, variable, expression) \
  auto temporary = (expression);                        \
  if (!temporary) return std::move(temporary).error();  \
  variable = std::move(temporary).value()
#define BERNSTEIN_TRY(variable, expression) BERNSTEIN_TRY_(BERNSTEIN_CAT(try_, __LINE__), variable, expression)
#define BERNSTEIN_TRY_VOID_(temporary, expression) \
  if (auto temporary = (expression); !temporary) return std::move(temporary).error()
#define BERNSTEIN_TRY_VOID(expression) BERNSTEIN_TRY_VOID_(BERNSTEIN_CAT(try_, __LINE__), expression)
