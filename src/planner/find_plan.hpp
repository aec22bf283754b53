#pragma once
// The plan in what an agent said, as text that parse_plan reads.

#include <string>
#include <string_view>

namespace bernstein::planner {

struct FoundPlan {
  std::string yaml;
  std::string fault;  // "" when there is a plan; else a sentence
};

// JSON comes out as YAML in block style: yaml-cpp holds everything behind an open bracket in memory.
FoundPlan find_plan(std::string_view text);

}  // namespace bernstein::planner
