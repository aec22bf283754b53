#pragma once
// When an agent may work again, by what its service says of a limit.
//
//     reset_wait("You've hit your session limit · resets 3pm", {.now_us = now, .utc_offset_us = k_hour})
//
// What is understood, letter case aside:
//
//     for so long        retry after 20 s · Retry-After: 7 · try again in 2 days 3 hours 5 minutes · reset after
//     12h34m16s
//                        "retryDelay": "34s" · "resets_in_seconds": 602705 · "retry_after_ms": 300
//     from a moment on   usage limit reached|1764511500 · "resets_at": 1764511500 · until 2026-11-30T14:05:00Z
//                        retry-after: Mon, 30 Nov 2026 14:05:00 GMT · anthropic-ratelimit-requests-reset:
//                        2026-11-30T14:05:00Z
//     by a clock         resets 3pm · resets 14:05 · resets Mon 9:00 AM · resets Oct 6, 1pm
//                        try again at Nov 30th, 2026 3:05 PM
//
// A time of a clock is a local one, unless UTC, GMT, Z or an offset stands behind it; other names of time zones are not
// known, and clients name the local one. Without a date it is the next such time, without a year the next such date;
// one that passed less than k_just_passed_us ago is now, because a clock is read a moment after it was printed.
//
// Of several the first that can be read counts, in the order of the leading words in reset_time.cpp.

#include <optional>
#include <string_view>

#include "bernstein/base/units.hpp"

namespace bernstein::agent {

inline constexpr Micros k_reset_us_max = 8 * 24 * k_hour;  // the longest limits known are those of a week
inline constexpr Micros k_just_passed_us = 2 * k_minute;

// The clock on a person's wall.
struct WallClock {
  Micros now_us = 0;         // since 1970
  Micros utc_offset_us = 0;  // local time is so far ahead of UTC
};

// How long from now on, 0 to k_reset_us_max; nothing when the message does not tell.
std::optional<Micros> reset_wait(std::string_view message, WallClock clock);

}  // namespace bernstein::agent
