#pragma once
// What doctor finds, for the commands that show some of it.
//
//     for (const Finding& finding : examine(context, {.probe = false})) ...
//     tell_what_is_wrong(context, out);      // how `bernstein init` ends

#include <iosfwd>
#include <vector>

#include "bernstein/cli/commands.hpp"
#include "doctor_checks.hpp"

namespace bernstein::cli {

// In the order of the report. Changes nothing but the memory of versions (discovery.hpp); with `probe` the gates leave
// logs in .sdd.
std::vector<Finding> examine(Context& context, const DoctorOptions& options);

// A line for each finding that is not ok.
void tell_what_is_wrong(Context& context, std::ostream& out);

}  // namespace bernstein::cli
