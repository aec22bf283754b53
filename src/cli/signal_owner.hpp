#pragma once
// Telling the Bernstein that is at work on a workspace what a person wants. Signals are enough for that: what they mean
// is in run/loop.hpp, and they are durable when the event that they become is in the log.

#include <string_view>

#include "bernstein/base/result.hpp"
#include "open_workspace.hpp"

namespace bernstein::cli {

// Sends the signal and waits until the owner has recorded an event of this type. ErrorCode::not_found when nobody is at
// work; ErrorCode::environment when it did not answer within k_answer_limit_us.
Status signal_owner(const Home& home, int signal, std::string_view event_type);

inline constexpr Micros k_answer_limit_us = 10 * k_second;

}  // namespace bernstein::cli
