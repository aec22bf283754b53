#pragma once
// What SQLite says, as a sentence that a person can act on. Exceptions of SQLiteCpp stop here:
//
//     return guarded(path_, "read", [&]() -> Status { ... SQLite::Statement ... });

#include <SQLiteCpp/Exception.h>

#include <string>
#include <string_view>
#include <utility>

#include "bernstein/base/result.hpp"

namespace bernstein::store {

// `code` is an SQLite result code (extended or not), `detail` SQLite's own message.
Error sqlite_error(const std::string& path, std::string_view doing, int code, std::string_view detail);

template <class F>
auto guarded(const std::string& path, std::string_view doing, F&& work) -> decltype(work()) {
  try {
    return std::forward<F>(work)();
  } catch (const SQLite::Exception& exception) {
    const bool extended = exception.getExtendedErrorCode() > 0;
    return sqlite_error(path, doing, extended ? exception.getExtendedErrorCode() : exception.getErrorCode(),
                        exception.what());
  }
}

}  // namespace bernstein::store
