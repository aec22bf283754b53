#pragma once
// What is wrong with a file that a person wrote: all of it at once, each fault at its line.
//
//     plan.yaml:12: step 'docs' depends on unknown stage 'backnd'; did you mean 'backend'?

#include <string>
#include <vector>

namespace bernstein::plan {

struct Fault {
  int line = 0;         // from 1; 0 when the fault is about the file as a whole
  std::string message;  // "what; remedy"
  bool operator==(const Fault&) const = default;
};

// Sorted by line, then in order of discovery. At most 1000 are kept; then the first says how many more there are.
using Faults = std::vector<Fault>;

// "plan.yaml:12: ..." a line each, without a newline at the end.
std::string format(const std::string& file, const Faults& faults);

}  // namespace bernstein::plan
