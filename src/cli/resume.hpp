#pragma once
// Going on with a run, by whoever owns the workspace already.

#include "bernstein/cli/commands.hpp"
#include "drive.hpp"

namespace bernstein::cli {

Result<Exit> go_on(Context& context, Tenure& tenure, const ResumeOptions& options);

}  // namespace bernstein::cli
