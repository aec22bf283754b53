#pragma once
// What there is to read about an attempt that failed: for the next one, and for a planner that is to split the task.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace bernstein {

struct EarlierAttempt {
  std::uint32_t number = 1;
  std::string why;                                            // it failed
  std::string commit;                                         // of the work it left; "" when there was none
  std::vector<std::pair<std::string, std::string>> evidence;  // label and output, which may be empty
};

}  // namespace bernstein
