// What the parsers make of what real clients printed: tests/golden/agents/<agent>/<case>.txt (stdout, then stderr),
// read by the agent's entry in the catalog. tests/golden/agents/README.md says how they were recorded.
//
// expected.tsv has a row for each: agent, case, exit code, then outcome, seconds until it may work again, session
// known, input, cached and output tokens, cost in micro-USD, message. BERNSTEIN_ACCEPT=1 writes it anew; read the
// difference.

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "bernstein/agent/outcome.hpp"
#include "bernstein/agent/usage.hpp"
#include "bernstein/base/text.hpp"
#include "bernstein/plan/catalog.hpp"

namespace bernstein::agent {
namespace {

const std::string k_directory = BERNSTEIN_RECORDED_AGENTS;

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

template <class T>
std::string or_dash(const std::optional<T>& value) {
  return value ? std::to_string(*value) : "-";
}

std::string row_of(const std::string& agent, const std::string& name, int exit_code) {
  const plan::CatalogEntry* entry = plan::find_in_catalog(agent);
  if (entry == nullptr) return agent + " is not in the catalog";
  const std::string output = read(k_directory + "/" + agent + "/" + name + ".txt");
  const Ending ending = read_ending(entry->spec, {.exit_code = exit_code, .output = output});
  const Usage usage = read_usage(entry->spec.usage, output);
  std::optional<std::int64_t> seconds;
  if (ending.retry_after_us) seconds = *ending.retry_after_us / k_second;
  std::optional<std::int64_t> cost;
  if (usage.cost_micros) cost = usage.cost_micros->value;
  std::string row = agent + "\t" + name + "\t" + std::to_string(exit_code);
  for (const std::string& cell :
       {std::string(to_word(ending.outcome)), or_dash(seconds),
        std::string(read_text(entry->spec.session, output).empty() ? "-" : "session"), or_dash(usage.input_tokens),
        or_dash(usage.cached_tokens), or_dash(usage.output_tokens), or_dash(cost), ending.message.substr(0, 90)}) {
    row += "\t" + cell;
  }
  return row;
}

TEST(RecordedAgents, AreReadAsTheyWereBefore) {
  const std::string path = k_directory + "/expected.tsv";
  std::string actual;
  const std::string expected = read(path);
  for (const std::string_view line : split(expected, '\n')) {
    const std::vector<std::string_view> cells = split(line, '\t');
    if (cells.size() < 3) continue;
    actual += row_of(std::string(cells[0]), std::string(cells[1]), std::atoi(std::string(cells[2]).c_str())) + "\n";
  }
  if (std::getenv("BERNSTEIN_ACCEPT") != nullptr) std::ofstream(path, std::ios::binary) << actual;
  EXPECT_EQ(actual, expected);
  EXPECT_GT(actual.size(), 10'000U);
}

}  // namespace
}  // namespace bernstein::agent
