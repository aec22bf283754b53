#pragma once
// What effects read and write beside their ports: logs, and the files that agents are given.

#include <cstddef>
#include <string>

#include "bernstein/base/result.hpp"

namespace bernstein::run {

// The end of a file; "" when it cannot be read, as a log that was never written.
std::string read_end(const std::string& path, std::size_t bytes_max);

// Makes its directory where there is none.
Status write_file(const std::string& path, const std::string& text);

}  // namespace bernstein::run
