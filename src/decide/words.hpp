#pragma once
// Small phrases for reasons.

#include <cstddef>
#include <string>
#include <vector>

namespace bernstein {

// "1 task", "2 tasks"
std::string plural(std::size_t n, const std::string& noun);

// "a, b, c"; of more than ten the first ten, "and 5 more".
std::string name_paths(const std::vector<std::string>& paths);

}  // namespace bernstein
