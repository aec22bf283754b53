#pragma once
// Completion signals: the checks that a step declares for itself.

#include <string>
#include <vector>

#include "bernstein/base/units.hpp"
#include "bernstein/event/spec.hpp"
#include "reader.hpp"

namespace bernstein::plan {

// `owner` begins every message: "step 'docs'". What has a fault is left out.
std::vector<CheckSpec> read_signals(const YamlNode& list, const std::string& owner, Micros check_timeout_us,
                                    Report& report);

// Adds " (2)", " (3)", ... to names that stand more than once, in order.
void make_names_unique(std::vector<CheckSpec>& checks);

}  // namespace bernstein::plan
