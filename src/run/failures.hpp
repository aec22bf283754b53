#pragma once
// Results of effects that could not be done.

#include <string>
#include <string_view>

#include "bernstein/base/result.hpp"
#include "bernstein/base/text.hpp"
#include "bernstein/event/event.hpp"

namespace bernstein::run {

inline EventBody failed(FailureClass failure, std::string_view effect, const Error& error) {
  return EffectFailed{failure, std::string(effect), printable_utf8(error.message), ""};
}

// The result of an effect of ours that failed: what the world refuses to every task.
template <class Intent>
EventBody environment_failed(const Error& error) {
  return failed(FailureClass::environment, Intent::type, error);
}

// Of a tip that was asked for: that there is no such branch, not that it cannot be read.
inline bool is_missing(const Result<std::string>& tip) {
  return !tip && tip.error().code == ErrorCode::not_found;
}

}  // namespace bernstein::run
