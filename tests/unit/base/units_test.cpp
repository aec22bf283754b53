#include "bernstein/base/units.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace bernstein {
namespace {

constexpr std::int64_t k_most = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t k_least = std::numeric_limits<std::int64_t>::min();

TEST(Usd, PrintsTwoDecimalsAndAsManyMoreAsAreNeeded) {
  EXPECT_EQ(format_usd({1'500'000}), "$1.50");
  EXPECT_EQ(format_usd({4'200}), "$0.0042");
  EXPECT_EQ(format_usd({0}), "$0.00");
  EXPECT_EQ(format_usd({1}), "$0.000001");
  EXPECT_EQ(format_usd({-2'250'000}), "-$2.25");
  EXPECT_EQ(format_usd({k_least}), "-$9223372036854.775808");
}

TEST(Usd, ParsesWhatPeopleWrite) {
  EXPECT_EQ(parse_usd("15"), UsdMicros{15'000'000});
  EXPECT_EQ(parse_usd("$15"), UsdMicros{15'000'000});
  EXPECT_EQ(parse_usd("$0.50"), UsdMicros{500'000});
  EXPECT_EQ(parse_usd("1.25 USD"), UsdMicros{1'250'000});
  EXPECT_EQ(parse_usd("0.000001"), UsdMicros{1});
  EXPECT_EQ(parse_usd("$0"), UsdMicros{0});
}

TEST(Usd, RefusesWhatWouldBeAGuess) {
  for (const char* text : {"", "$", "-1", "$-1", "1.", ".5", "1.0000001", "1,50", "1e3", "ten", "15 EUR", "$1.5.0",
                           "1 5", "USD", "99999999999999", "9999999999999999999999"}) {
    EXPECT_EQ(parse_usd(text), std::nullopt) << text;
  }
}

TEST(Tokens, PrintsThemExactlyAndShort) {
  EXPECT_EQ(format_tokens(0), "0");
  EXPECT_EQ(format_tokens(950), "950");
  EXPECT_EQ(format_tokens(1'000), "1k");
  EXPECT_EQ(format_tokens(150'500), "150.5k");
  EXPECT_EQ(format_tokens(1'234'567), "1.234567M");
  EXPECT_EQ(format_tokens(5'000'000), "5M");
  EXPECT_EQ(format_tokens(2'000'000'000), "2G");
  EXPECT_EQ(format_tokens(-1'500), "-1.5k");
}

TEST(Tokens, ParsesWhatPeopleWrite) {
  EXPECT_EQ(parse_tokens("2000000"), 2'000'000);
  EXPECT_EQ(parse_tokens("5M"), 5'000'000);
  EXPECT_EQ(parse_tokens("1.5m"), 1'500'000);
  EXPECT_EQ(parse_tokens("150k"), 150'000);
  EXPECT_EQ(parse_tokens("0.5K"), 500);
  EXPECT_EQ(parse_tokens("1G"), 1'000'000'000);
  EXPECT_EQ(parse_tokens("0"), 0);
  EXPECT_EQ(parse_tokens("1000G"), 1'000'000'000'000);
}

TEST(Tokens, RefusesWhatWouldBeAGuess) {
  for (const char* text : {"", "M", "-1", "1.", ".5M", "1.5", "1.2345k", "1,000", "1e6", "5MB", "5 M", "many", "1.5.0M",
                           "1000.1G", "1001G", "9999999999999999999999"}) {
    EXPECT_EQ(parse_tokens(text), std::nullopt) << text;
  }
}

TEST(Tokens, ReadsBackWhatItPrints) {
  for (std::int64_t tokens : {0, 1, 999, 1'000, 1'001, 999'999, 1'000'001, 2'147'483'647}) {
    EXPECT_EQ(parse_tokens(format_tokens(tokens)), tokens);
  }
}

TEST(Usd, ReadsBackWhatItPrints) {
  for (std::int64_t micros : {std::int64_t{0}, std::int64_t{1}, std::int64_t{999'999}, std::int64_t{123'456'789'012}}) {
    EXPECT_EQ(parse_usd(format_usd({micros})), UsdMicros{micros});
  }
}

TEST(Duration, PrintsWhatFitsAProgressLine) {
  EXPECT_EQ(format_duration(0), "0 ms");
  EXPECT_EQ(format_duration(350'000), "350 ms");
  EXPECT_EQ(format_duration(12 * k_second + 900'000), "12 s");
  EXPECT_EQ(format_duration(2 * k_minute + 5 * k_second), "2m 05s");
  EXPECT_EQ(format_duration(k_hour + 3 * k_minute + 59 * k_second), "1h 03m");
  EXPECT_EQ(format_duration(100 * k_hour), "100h 00m");
  EXPECT_EQ(format_duration(-12 * k_second), "-12 s");
}

TEST(Duration, ParsesUnitsFromLargeToSmall) {
  EXPECT_EQ(parse_duration("90"), 90 * k_second);
  EXPECT_EQ(parse_duration("90s"), 90 * k_second);
  EXPECT_EQ(parse_duration("10m"), 10 * k_minute);
  EXPECT_EQ(parse_duration("1h"), k_hour);
  EXPECT_EQ(parse_duration("1h30m"), 90 * k_minute);
  EXPECT_EQ(parse_duration("1m30s"), 90 * k_second);
  EXPECT_EQ(parse_duration("500ms"), 500'000);
  EXPECT_EQ(parse_duration("1s500ms"), 1'500'000);
}

TEST(Duration, RefusesOtherTextAndZero) {
  for (const char* text : {"", "0", "0s", "-1s", "1.5h", "m", "ten", "30m1h", "1h1h", "1h30", "5 m", "5d", "5M",
                           "9223372036854775807", "9223372036854775807h", "99999999999999999999"}) {
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
  }
  EXPECT_EQ(parse_duration(std::to_string(k_most / k_second)), k_most / k_second * k_second);
}

}  // namespace
}  // namespace bernstein
