// sql: one read-only query over the events and the views, as a table, JSON or CSV.

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "bernstein/base/text.hpp"
#include "bernstein/cli/commands.hpp"
#include "open_workspace.hpp"
#include "print.hpp"

namespace bernstein::cli {
namespace {

constexpr std::string_view k_relations = "events, runs, tasks, attempts, routes, checks, merges, costs";

using Cell = port::Table::Cell;
using Type = port::Table::Type;

std::string quoted_json(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// Numbers go out digit by digit as the query gave them: no double in between takes a digit away. SQLite's infinities
// are no JSON.
std::string json_value(const Cell& cell) {
  switch (cell.type) {
    case Type::null:
      return "null";
    case Type::integer:
    case Type::real:
      return nlohmann::json::accept(cell.text) ? cell.text : "null";
    case Type::text:
      break;
  }
  return quoted_json(cell.text);
}

void print_json(std::ostream& out, const port::Table& table) {
  std::vector<std::string> names;
  for (const std::string& column : table.columns) names.push_back(quoted_json(column));
  out << '[';
  for (std::size_t r = 0; r < table.rows.size(); ++r) {
    out << (r == 0 ? "{" : ",\n{");
    for (std::size_t c = 0; c < names.size(); ++c) {
      out << (c == 0 ? "" : ",") << names[c] << ':' << json_value(table.rows[r][c]);
    }
    out << '}';
  }
  out << "]\n";
}

// RFC 4180. NULL is an empty field, an empty text a quoted one.
std::string csv_field(const std::string& text, bool is_null) {
  if (is_null) return "";
  if (!text.empty() && text.find_first_of(",\"\r\n") == std::string::npos) return text;
  return '"' + replace_all(text, "\"", "\"\"") + '"';
}

void print_csv(std::ostream& out, const port::Table& table, bool to_terminal) {
  auto print_line = [&](const std::vector<std::string>& fields) {
    std::string line = join(fields, ",");
    out << (to_terminal ? printable_utf8(line) : line) << (to_terminal ? "\n" : "\r\n");
  };
  std::vector<std::string> heads;
  for (const std::string& column : table.columns) heads.push_back(csv_field(column, false));
  print_line(heads);
  for (const auto& row : table.rows) {
    std::vector<std::string> fields;
    for (const Cell& cell : row) fields.push_back(csv_field(cell.text, cell.type == Type::null));
    print_line(fields);
  }
}

void print_table(std::ostream& out, const Screen& screen, const port::Table& table) {
  std::vector<TextTable::Column> columns;
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    const bool numbers = !table.rows.empty() && std::all_of(table.rows.begin(), table.rows.end(),
                                                            [&](const auto& row) { return row[c].type != Type::text; });
    columns.push_back({one_line(table.columns[c]), numbers ? Align::right : Align::left});
  }
  TextTable printed(std::move(columns));
  for (const auto& row : table.rows) {
    std::vector<TextTable::Cell> cells;
    for (const Cell& cell : row) {
      cells.push_back(cell.type == Type::null ? TextTable::Cell{"NULL", Tint::faint} : TextTable::Cell{cell.text});
    }
    printed.add(std::move(cells));
  }
  printed.print(out, screen);
}

}  // namespace

Result<Exit> sql_command(Context& context, const SqlOptions& options) {
  if (options.csv && context.json) {
    return Error{ErrorCode::invalid_input, "--csv and --json exclude each other; give one of them"};
  }
  BERNSTEIN_TRY(const Home home, open_workspace(context));
  Result<port::Table> table = home.reader->query(options.query);
  if (!table) {
    Error error = std::move(table).error();
    if (error.code == ErrorCode::invalid_input) error.message += "\nthere are: " + std::string(k_relations);
    return error;
  }
  if (context.json) {
    print_json(context.out, *table);
  } else if (options.csv) {
    print_csv(context.out, *table, context.out_is_terminal);
  } else {
    print_table(context.out, screen_of(context), *table);
  }
  return Exit::done;
}

}  // namespace bernstein::cli
