#include "cli/print.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace bernstein::cli {
namespace {

std::string printed(const TextTable& table, const Screen& screen) {
  std::ostringstream out;
  table.print(out, screen);
  return out.str();
}

TextTable costs() {
  TextTable table({{"TASK"}, {"COST", Align::right}, {"TITLE"}});
  table.add({{"t1"}, {"$0.02"}, {"Rate limiting for the public interface"}});
  table.add({{"t10"}, {"unknown"}, {"Docs"}});
  return table;
}

TEST(TextTable, AlignsColumnsAndLeavesNoSpacesAtTheEnd) {
  EXPECT_EQ(printed(costs(), {}),
            "TASK     COST  TITLE\n"
            "t1      $0.02  Rate limiting for the public interface\n"
            "t10   unknown  Docs\n");
}

TEST(TextTable, CutsTheWidestColumnFirstToFitTheScreen) {
  EXPECT_EQ(printed(costs(), {.width = 30, .colour = false}),
            "TASK     COST  TITLE\n"
            "t1      $0.02  Rate limiting …\n"
            "t10   unknown  Docs\n");
}

TEST(TextTable, KeepsAFewColumnsOfEverythingOnAnAbsurdlyNarrowScreen) {
  EXPECT_EQ(printed(costs(), {.width = 1, .colour = false}),
            "TASK    COST  TITLE\n"
            "t1     $0.02  Rate …\n"
            "t10   unkno…  Docs\n");
}

TEST(TextTable, ColoursACellAndNotItsNeighbours) {
  TextTable table({{"A"}, {"B"}});
  table.add({{"x", Tint::bad}, {"y"}});

  EXPECT_EQ(printed(table, {.width = 0, .colour = true}),
            "\x1b[1mA\x1b[0m  \x1b[1mB\x1b[0m\n"
            "\x1b[31mx\x1b[0m  y\n");
}

TEST(TextTable, KeepsARowOnOneLineWhateverIsInIt) {
  TextTable table({{"TITLE"}, {"WHY"}});
  table.add({{"a\nb\tc"}, {"\x1b[2Jgone"}});

  EXPECT_EQ(printed(table, {}),
            "TITLE  WHY\n"
            "a b c  \xEF\xBF\xBD[2Jgone\n");
}

TEST(TextTable, CountsWideAndCombiningCharactersAsATerminalDoes) {
  TextTable table({{"NAME"}, {"N"}});
  table.add({{"日本"}, {"1"}});
  table.add({{"e\u0301te"}, {"2"}});

  EXPECT_EQ(printed(table, {}),
            "NAME  N\n"
            "日本  1\n"
            "e\u0301te   2\n");
}

TEST(OneLine, ShowsWhereTextWouldTurnTheDirectionOfReading) {
  EXPECT_EQ(one_line("a\u202Eb"),
            "a\xEF\xBF\xBD"
            "b");
}

TEST(OneLine, ReplacesWhatIsNoUtf8) {
  EXPECT_EQ(one_line("a\xFFz"), "a\xEF\xBF\xBDz");
}

TEST(Fit, NeverSplitsAWideCharacter) {
  EXPECT_EQ(fit("日本語", 4), "日…");
  EXPECT_EQ(fit("日本語", 6), "日本語");
  EXPECT_EQ(fit("日", 1), "…");
}

TEST(Screen, APipeGetsWholeLinesWithoutColours) {
  std::ostringstream out;
  Context context{.directory = "/",
                  .json = false,
                  .verbose = false,
                  .out_is_terminal = false,
                  .err_is_terminal = true,
                  .colour = true,
                  .environment = {{"COLUMNS", "40"}},
                  .program = "",
                  .out = out,
                  .err = out};

  const Screen screen = screen_of(context);

  EXPECT_EQ(screen.width, 0U);
  EXPECT_FALSE(screen.colour);
}

TEST(Screen, ATerminalIsAsWideAsColumnsSays) {
  std::ostringstream out;
  Context context{.directory = "/",
                  .json = false,
                  .verbose = false,
                  .out_is_terminal = true,
                  .err_is_terminal = true,
                  .colour = true,
                  .environment = {{"COLUMNS", "132"}},
                  .program = "",
                  .out = out,
                  .err = out};

  EXPECT_EQ(screen_of(context).width, 132U);
  EXPECT_TRUE(screen_of(context).colour);
}

TEST(Words, GroupDigitsByThree) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(-1234567), "-1,234,567");
  EXPECT_EQ(grouped(-123), "-123");
}

TEST(Words, GiveBytesAUnitThatFits) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(999), "999 B");
  EXPECT_EQ(format_bytes(1000), "1.0 kB");
  EXPECT_EQ(format_bytes(999'949), "999.9 kB");
  EXPECT_EQ(format_bytes(999'950), "1.0 MB");
  EXPECT_EQ(format_bytes(12'345'678), "12.3 MB");
}

TEST(Words, ShowOffsetsAsAClock) {
  EXPECT_EQ(format_offset(0), "0:00.0");
  EXPECT_EQ(format_offset(7'350'000), "0:07.3");
  EXPECT_EQ(format_offset(12 * k_minute + 4 * k_second), "12:04");
  EXPECT_EQ(format_offset(k_hour + 3 * k_minute + 20 * k_second), "1:03:20");
}

TEST(Print, WhatWasDividedIsAsExactAsAnybodyLooks) {
  EXPECT_EQ(about_usd({69'792'241}), "$69.79");
  EXPECT_EQ(about_usd({133'333}), "$0.1333");
  EXPECT_EQ(about_usd({4'321}), "$0.004321");
  EXPECT_EQ(about_usd({500'000}), "$0.50");
}

}  // namespace
}  // namespace bernstein::cli
