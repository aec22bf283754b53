#pragma once
// What an agent says that it used, read from its output.
//
//     UsageSpec spec{.cost_usd = "/cost", .format = "jsonl", .input_tokens = "/usage/in"};
//     Usage usage = agent::read_usage(spec, output);      // nullopt where it does not say: unknown is not 0
//
// Output is what an agent wrote, so nothing is taken for granted: lines that are no JSON are passed over, and so are
// values that cannot be true (negative, no integer where tokens are counted, or beyond the limits below).

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "bernstein/base/units.hpp"
#include "bernstein/event/spec.hpp"
#include "bernstein/event/terms.hpp"

namespace bernstein::agent {

inline constexpr std::int64_t k_tokens_max = 1'000'000'000'000;
inline constexpr UsdMicros k_cost_max{1'000'000 * std::int64_t{1'000'000}};
// Only so much of the end of the output is looked at.
inline constexpr std::size_t k_usage_output_bytes_max = 16 << 20;

// "jsonl": the last line that has any of the places (with `sum`: all of them, added up). "json": the last document that
// begins a line and has any of them (what other programs wrote before and after it does no harm). "": nothing is known.
// Costs are added up from their decimal digits, and their sum is rounded half up to a millionth of a dollar.
Usage read_usage(const UsageSpec& spec, std::string_view output);

// What that many tokens cost, rounded up; nothing when they are not known.
std::optional<UsdMicros> cost_of(const Usage& usage, const TokenPrice& price);

}  // namespace bernstein::agent
