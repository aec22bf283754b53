#pragma once
// Whether the programs of the agents are there, before anything is started.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bernstein/event/spec.hpp"

namespace bernstein::cli {

// The absolute path of an executable: looked up in the absolute directories of PATH when it has no '/', else relative
// to `directory`. Nothing when there is none.
std::optional<std::string> find_program(const std::string& name, const std::string& path, const std::string& directory);

// Where the program of an agent is; nothing when it cannot be found, or its command does not name it.
std::optional<std::string> program_of(const AgentSpec& agent, const std::map<std::string, std::string>& environment,
                                      const std::string& directory);

// A sentence for each agent whose program cannot be found.
std::vector<std::string> missing_programs(const std::vector<AgentSpec>& agents,
                                          const std::map<std::string, std::string>& environment,
                                          const std::string& directory);

}  // namespace bernstein::cli
