#pragma once
// Completion signals: the checks that a step declares for itself.

#include <string>
#include <vector>

#include "bernstein/base/units.hpp"
#include "bernstein/event/spec.hpp"
#include "reader.hpp"

namespace bernstein::plan {

struct SignalRules {
  Micros check_timeout_us = 0;                      // for test_passes without a timeout of its own
  const std::vector<std::string>* gates = nullptr;  // names of the project's; nullptr: not known
  bool by_model = false;                            // no commands, and empty texts count as absent (ModelRules)
};

// `owner` begins every message: "step 'docs'". What has a fault is left out, and so are signals of type `gate`: gates
// run in any case.
std::vector<CheckSpec> read_signals(const YamlNode& list, const std::string& owner, const SignalRules& rules,
                                    Report& report);

}  // namespace bernstein::plan
