#include "bernstein/plan/faults.hpp"

namespace bernstein::plan {

std::string format(const std::string& file, const Faults& faults) {
  std::string text;
  for (const Fault& fault : faults) {
    if (!text.empty()) text += '\n';
    text += file;
    if (fault.line > 0) text += ":" + std::to_string(fault.line);
    text += ": " + fault.message;
  }
  return text;
}

}  // namespace bernstein::plan
