#pragma once
// Going on with a run, by whoever owns the workspace already.

#include <vector>

#include "bernstein/cli/commands.hpp"
#include "bernstein/run/wishes.hpp"
#include "drive.hpp"

namespace bernstein::cli {

// `wanted` comes first: where one of it makes no sense as things stand, nothing goes on. With it a run that has come to
// its end goes on too.
Result<Exit> go_on(Context& context, Tenure& tenure, const ResumeOptions& options,
                   const std::vector<run::Wish>& wanted = {});

}  // namespace bernstein::cli
