#pragma once
// How the commands that look print: aligned tables, colours where they are wanted, and text that cannot steer a
// terminal.
//
//     const Screen screen = screen_of(context);
//     TextTable table({{"TASK"}, {"COST", Align::right}, {"TITLE"}});
//     table.add({{"t1"}, {"$0.02"}, {task.title}});
//     table.print(context.out, screen);
//
// Everything that goes through here may come from an agent or a plan: it is made printable and kept on one line.

#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "bernstein/base/units.hpp"
#include "bernstein/cli/context.hpp"

namespace bernstein::cli {

// What the output can show.
struct Screen {
  std::size_t width = 0;  // columns; 0: no limit, nothing is cut
  bool colour = false;
};

// Of context.out: a pipe gets whole lines without colours. COLUMNS overrides what the terminal says.
Screen screen_of(const Context& context);

enum class Tint { plain, good, bad, warning, busy, faint, strong };
std::string paint(const Screen& screen, Tint tint, std::string text);

// Printable UTF-8 on one line: line breaks and tabs become single spaces.
std::string one_line(std::string_view text);

// Columns that a terminal gives to printable UTF-8: 0 for combining marks, 2 for wide characters.
std::size_t columns_of(std::string_view text);
// The text, or as much of it as leaves room for "…" at the end. Requires columns > 0.
std::string fit(std::string_view text, std::size_t columns);

enum class Align { left, right };

class TextTable {
 public:
  struct Column {
    std::string head;
    Align align = Align::left;
  };
  struct Cell {
    std::string text;
    Tint tint = Tint::plain;
  };

  explicit TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // As many cells as there are columns.
  void add(std::vector<Cell> cells);
  bool empty() const { return rows_.empty(); }

  // Head line, then the rows. Where the screen is too narrow, the widest columns give way first.
  void print(std::ostream& out, const Screen& screen) const;

 private:
  std::vector<std::size_t> widths(const Screen& screen) const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

// "1 task", "2 tasks".
std::string counted(std::int64_t n, std::string_view noun);
// "1 agent or check", "2 agents or checks".
std::string counted_commands(std::int64_t n);
// "2 agents or checks go on alone".
std::string commands_go_on_alone(std::int64_t n);
// "1,234,567".
std::string grouped(std::int64_t n);
// "12.3 MB"; powers of 1000.
std::string format_bytes(std::uint64_t bytes);
// What was divided or estimated, as exact as anybody looks: "$12.34" from a dollar on, "$0.0123" from a cent on.
std::string about_usd(UsdMicros amount);
// A time since the epoch as a clock on the wall here has it: "2026-11-25 14:32".
std::string format_wall(Micros wall_us);
// Offset from a run's start as a clock: "0:07.3", "12:04", "1:03:20".
std::string format_offset(Micros since_start);

}  // namespace bernstein::cli
