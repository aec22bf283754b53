#pragma once
// `run --dry-run`: what would be done, from the plan and the settings alone. Makes no .sdd and writes nothing.

#include "bernstein/cli/context.hpp"
#include "bernstein/event/event.hpp"

namespace bernstein::cli {

Result<Exit> dry_run(Context& context, const RunStarted& started, const PlanAccepted& plan);

}  // namespace bernstein::cli
