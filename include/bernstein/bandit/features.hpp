#pragma once
// What a route may depend on: first as it is recorded (RouteChosen::features), then as the bandit sees it.
//
//     Features features{{"bias", 1}, {"complexity", 2}, {"files", 4}};
//     Context context = context_of(features);        // {1000, 0, 1000, 0, 0, 0, 500, ...}
//
// Recorded are whole numbers with a meaning of their own. A context has k_dimension components, each from 0 to 1 in
// thousandths, so that sums over contexts are exact. Counts saturate, n / (n + half), for the step from none to some
// matters more than that from many to more.
//
// clang-format off
// | component           | recorded as                      | meaning, range, unit                        | context      |
// |---------------------|----------------------------------|---------------------------------------------|--------------|
// | bias                | bias                             | always 1                                    | 1            |
// | complexity_medium   | complexity, 0 to 2               | 0 low, 1 medium, 2 high                     | 1 when 1     |
// | complexity_high     | complexity                       |                                             | 1 when 2     |
// | scope_medium        | scope, 0 to 2                    | 0 small, 1 medium, 2 large                  | 1 when 1     |
// | scope_large         | scope                            |                                             | 1 when 2     |
// | checks              | checks, from 0                   | checks that its candidate has to pass       | n / (n + 2)  |
// | failures            | failures, from 0                 | attempts of the task that failed before     | n / (n + 1)  |
// | files               | files, from 0                    | owned patterns                              | n / (n + 4)  |
// | high_stakes         | high_stakes, 0 or 1              | its role is architect, manager or security  | as it is     |
// | minutes             | minutes, from 1                  | estimated minutes                           | n / (n + 30) |
// | prompt_tokens       | prompt_tokens, from 0            | title, description, constraints: bytes / 4  | n / (n+1000) |
// | urgency             | priority, 1 to 5                 | 1 is most urgent                            | (5 - n) / 4  |
// | role_devops         | role_devops, 0 or 1              | its role has this name; all four are 0 for  | as it is     |
// | role_docs           | role_docs, 0 or 1                | any other role: backend, and words of the   |              |
// | role_frontend       | role_frontend, 0 or 1            | user's own                                  |              |
// | role_qa             | role_qa, 0 or 1                  |                                             |              |
// clang-format on
//
// Thousandths are rounded down. What is recorded and not named here has no part in the context; what is named and was
// not recorded counts as 0. So a table that has changed can be applied to old events.

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace bernstein {

using Features = std::map<std::string, std::int64_t>;

inline constexpr std::size_t k_dimension = 16;
using Context = std::array<std::int32_t, k_dimension>;  // thousandths

inline constexpr std::array<std::string_view, k_dimension> k_context_names{
    "bias",          "complexity_medium", "complexity_high", "scope_medium", "scope_large",
    "checks",        "failures",          "files",           "high_stakes",  "minutes",
    "prompt_tokens", "urgency",           "role_devops",     "role_docs",    "role_frontend",
    "role_qa"};

Context context_of(const Features& features);

}  // namespace bernstein
