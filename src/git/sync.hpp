#pragma once
// The user's checkout follows the target branch, when nothing of the user's is in the way.

#include <string>

#include "bernstein/port/workspace.hpp"
#include "layout.hpp"

namespace bernstein::git {

// Works in whichever worktree of the user has the target checked out. Holds git's own lock of the index meanwhile. Run
// again after a crash it finishes: every file may stand as it was before the move, or as after it.
Result<port::SyncResult> sync_checkout(const Layout& layout, const std::string& target, const std::string& from,
                                       const std::string& to);

}  // namespace bernstein::git
