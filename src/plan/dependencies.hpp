#pragma once
// Names in `depends_on` become numbers; unknown names and cycles become faults.
//
// A stage waits for all steps of the stages that it names; a step waits, beside that, for the steps that it names: by
// id, or by a title that only one step has. Forward references are fine. Takes time in proportion to the size of the
// plan.

#include <cstdint>
#include <string>
#include <vector>

#include "bernstein/base/id.hpp"
#include "reader.hpp"

namespace bernstein::plan {

struct StageNames {
  std::string name;  // "" when it is missing; unique otherwise is checked here
  int line = 0;
  std::vector<Located> depends_on;
};

struct StepNames {
  std::string what;  // "step 'docs'": begins messages
  std::string id;
  std::string title;
  int line = 0;
  std::uint32_t stage = 0;
  std::vector<Located> depends_on;
};

struct Dependencies {
  std::vector<std::vector<std::uint32_t>> stages;  // ascending indexes of stages, for each stage
  std::vector<std::vector<TaskId>> steps;          // ascending; step i is task i + 1
};

Dependencies resolve_dependencies(const std::vector<StageNames>& stages, const std::vector<StepNames>& steps,
                                  Report& report);

}  // namespace bernstein::plan
