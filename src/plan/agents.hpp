#pragma once
// `agents:` of bernstein.yaml: how to call a program that works on tasks.

#include <vector>

#include "bernstein/event/spec.hpp"
#include "reader.hpp"

namespace bernstein::plan {

// In file order. What has a fault is left out.
std::vector<AgentSpec> read_agents(const YamlNode& map, Report& report);

}  // namespace bernstein::plan
