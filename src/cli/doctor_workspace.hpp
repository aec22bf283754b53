#pragma once
// What doctor says of .sdd: runs that have not come to their end, and what ended attempts left behind.

#include <vector>

#include "doctor_checks.hpp"
#include "open_workspace.hpp"

namespace bernstein::cli {

std::vector<Finding> check_workspace(const Home& home);

}  // namespace bernstein::cli
