// When an agent may work again, as services and clients say it.
#include "bernstein/agent/reset_time.hpp"

#include <gtest/gtest.h>

#include <string>

namespace bernstein::agent {
namespace {

constexpr Micros k_day = 24 * k_hour;
// Monday, 2026-11-30 13:05:00 UTC, where people have 14:05.
constexpr Micros k_now = 1'796'043'900 * k_second;
constexpr WallClock k_clock{.now_us = k_now, .utc_offset_us = k_hour};

std::optional<Micros> wait_of(const std::string& message) {
  return reset_wait(message, k_clock);
}

TEST(ResetTime, MayBeToldAsATimeFromNow) {
  EXPECT_EQ(wait_of("Please try again in 20s."), 20 * k_second);
  EXPECT_EQ(wait_of("try again in 1.5 s"), 1'500'000);
  EXPECT_EQ(wait_of("Retry-After: 7"), 7 * k_second);
  EXPECT_EQ(wait_of("retry after 7"), 7 * k_second);
  EXPECT_EQ(wait_of("{\"retryDelay\": \"34s\"}"), 34 * k_second);
  EXPECT_EQ(wait_of(R"({\"retryDelay\": \"34.074824224s\"})"), 34'074'824);
  EXPECT_EQ(wait_of("Please retry in 26.9s."), 26'900'000);
  EXPECT_EQ(wait_of("resets in 3 hours"), 3 * k_hour);
  EXPECT_EQ(wait_of("Resets in 4hr 29min"), 4 * k_hour + 29 * k_minute);
  EXPECT_EQ(wait_of("try again in 5 minutes"), 5 * k_minute);
  EXPECT_EQ(wait_of("retry in 300ms"), 300'000);
  EXPECT_EQ(wait_of("or try again in 2 days 3 hours 5 minutes."), 2 * k_day + 3 * k_hour + 5 * k_minute);
  EXPECT_EQ(wait_of("Your quota will reset after 12h34m16s."), 12 * k_hour + 34 * k_minute + 16 * k_second);
  EXPECT_EQ(wait_of("Please try again in 1m26.4s. Visit"), k_minute + 26'400'000);
  EXPECT_EQ(wait_of("in 1 minute and 20 seconds"), std::nullopt) << "nobody says what is then";
  EXPECT_EQ(wait_of("wait 1 minute and 20 seconds"), 80 * k_second);
  EXPECT_EQ(wait_of("{\"retry_after_ms\": 300}"), 300'000);
  EXPECT_EQ(wait_of("x-ratelimit-reset-requests: 6m0s"), 6 * k_minute);
}

TEST(ResetTime, MayBeToldAsAMoment) {
  EXPECT_EQ(wait_of("Claude AI usage limit reached|1796047500"), k_hour);
  EXPECT_EQ(wait_of(R"({"type":"usage_limit_reached","resets_at":1796043960,"resets_in_seconds":13872})"), k_minute);
  EXPECT_EQ(wait_of(R"({"type":"usage_limit_reached","resets_at":null,"resets_in_seconds":13872})"), 13'872 * k_second);
  EXPECT_EQ(wait_of("X-RateLimit-Reset: 1796043960000"), k_minute) << "milliseconds, by their size";
  EXPECT_EQ(wait_of("usage limit, closed until 2026-11-30T14:05:00Z"), k_hour);
  EXPECT_EQ(wait_of("closed until 2026-11-30T14:05:00+02:00"), 0) << "an hour ago";
  EXPECT_EQ(wait_of("closed until 2026-11-30 15:05"), k_hour) << "of the local clock";
  EXPECT_EQ(wait_of("anthropic-ratelimit-requests-reset: 2026-11-30T13:06:00Z"), k_minute);
  EXPECT_EQ(wait_of("Retry-After: Mon, 30 Nov 2026 13:06:00 GMT"), k_minute);
  EXPECT_EQ(wait_of("try again at Nov 30th, 2026 3:05 PM."), k_hour);
  EXPECT_EQ(wait_of("try again at Dec 1, 2026, 2:05 AM"), 12 * k_hour);
  EXPECT_EQ(wait_of("resets Jan 1st, 2020 1am"), 0) << "it has passed";
}

TEST(ResetTime, MayBeToldAsATimeOfTheClockHere) {
  EXPECT_EQ(wait_of("You've hit your session limit · resets 3pm (Europe/Berlin)"), 55 * k_minute);
  EXPECT_EQ(wait_of("resets at 3:05 p.m."), k_hour);
  EXPECT_EQ(wait_of("resets 15:05"), k_hour);
  EXPECT_EQ(wait_of("resets 12am"), 9 * k_hour + 55 * k_minute);
  EXPECT_EQ(wait_of("resets 12pm"), 21 * k_hour + 55 * k_minute);
  EXPECT_EQ(wait_of("resets 3pm (UTC)"), k_hour + 55 * k_minute);
  EXPECT_EQ(wait_of("Limit reached (resets 15:05:30)"), k_hour + 30 * k_second);
  EXPECT_EQ(wait_of("resets 2pm"), k_day - 5 * k_minute) << "the next such time";
  EXPECT_EQ(wait_of("resets 14:04"), 0) << "it has just passed";
  EXPECT_EQ(wait_of("resets 14:05"), 0);
}

TEST(ResetTime, WithoutAYearOrWithADayOfTheWeekIsTheNextSuchOne) {
  EXPECT_EQ(wait_of("resets Dec 6, 1pm (Europe/Berlin)"), 6 * k_day - k_hour - 5 * k_minute);
  EXPECT_EQ(wait_of("Resets Dec 1 at 12pm"), k_day - 2 * k_hour - 5 * k_minute);
  EXPECT_EQ(wait_of("resets Nov 30, 1pm"), 0) << "today, an hour ago";
  EXPECT_EQ(wait_of("resets Jan 2, 1pm"), k_reset_us_max) << "of the next year";
  EXPECT_EQ(wait_of("resets Mon 3:05 PM"), k_hour);
  EXPECT_EQ(wait_of("resets Thursday at 14:05"), 3 * k_day);
  EXPECT_EQ(wait_of("resets Mon 2:00 PM"), 7 * k_day - 5 * k_minute);
}

TEST(ResetTime, IsNeverLongerThanItsMaximum) {
  EXPECT_EQ(wait_of("try again in 99999999999999999999 hours"), std::nullopt) << "no number of hours";
  EXPECT_EQ(wait_of("try again in 999999999999 hours"), k_reset_us_max);
  EXPECT_EQ(wait_of("try again in 30 days"), k_reset_us_max);
  EXPECT_EQ(wait_of("resets_at: 999999999999999"), k_reset_us_max);
  EXPECT_EQ(wait_of("until 9999-12-31T00:00:00Z"), k_reset_us_max);
}

TEST(ResetTime, IsNotReadOutOfOtherNumbers) {
  for (const char* message :
       {"", "try again later", "retry", "429 too many requests", "read ECONNRESET 127.0.0.1:443", "resets 25:00",
        "resets 13pm", "resets at 3:60 pm", "until 2026-13-01", "try again in 3 months", "resets soon, at the latest",
        "wait for limits to reset (every 5h and every week.)", "limit reached. Upgrade for more",
        "limit reached: 5 requests per minute", "connection reset 127.0.0.1:443"}) {
    EXPECT_EQ(wait_of(message), std::nullopt) << message;
  }
}

// Whatever is said, the answer is nothing or within the bounds: a message is what anybody wrote.
TEST(ResetTime, OfAnyTextIsWithinItsBounds) {
  const std::string words[] = {"resets ", "until ", "at ",  "2026-", "11-30", "T",          "99:99", "12:34",
                               "pm",      "am ",    "Nov ", "mon ",  "31st ", "1796047500", "(utc)", "+99:99",
                               "-0500",   "in ",    "7 ",   "d ",    "h",     ".",          "9"};
  std::uint64_t state = 42;
  for (int i = 0; i < 20'000; ++i) {
    std::string message = "resets ";
    for (int n = 0; n < 6; ++n) {
      state = state * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;
      message += words[(state >> 33U) % std::size(words)];
    }
    const std::optional<Micros> wait = wait_of(message);
    ASSERT_TRUE(!wait || (*wait >= 0 && *wait <= k_reset_us_max)) << message;
  }
}

}  // namespace
}  // namespace bernstein::agent
