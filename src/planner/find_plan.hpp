#pragma once
// The plan in what an agent said, as text that parse_plan reads.

#include <cstddef>
#include <string>
#include <string_view>

namespace bernstein::planner {

struct FoundPlan {
  std::string yaml;
  std::string fault;  // "" when there is a plan; else a sentence
  // Of JSON: how many steps. As YAML, very many could be more text than a document may have.
  std::size_t steps = 0;
};

// With more steps than `steps_max` there is no text, only their number. JSON comes out as YAML in block style: yaml-cpp
// holds everything behind an open bracket in memory.
FoundPlan find_plan(std::string_view text, std::size_t steps_max);

}  // namespace bernstein::planner
