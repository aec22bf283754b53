#pragma once
// The references that Bernstein writes, and the locks that it left when it was killed over one.
//
// A reference is changed by making <reference>.lock and renaming it. Whoever is killed in between leaves the lock
// behind, and nobody can move the reference any more. So what is about to be moved is written down first
// (.sdd/moving-ref), and whoever wants to move a reference next removes a lock that stands in the way if it is ours:
//
//   * the mark names its reference and is not younger than the lock; what the lock holds is the beginning of what we
//     would have written; and no living process has it open. Or
//   * it lies in refs/bernstein/, where nobody but us writes, has stayed there while we waited, and no living process
//     has it open.
//
// Any other lock is waited for, then reported, and never removed. The caller holds the mutex around references, and
// the workspace is ours alone (store::Lock).

#include <string>

#include "handle.hpp"
#include "layout.hpp"

namespace bernstein::git {

// Points a reference of ours to a commit, whatever it points to. `why` is for the reflog.
Status point_reference(const Layout& layout, git_repository* users, const std::string& name, const Oid& id,
                       const std::string& why);

// Moves a reference if it stands at `expected`. False: it stands elsewhere, or is gone.
Result<bool> move_reference(const Layout& layout, git_repository* users, const std::string& name, const Oid& expected,
                            const Oid& id, const std::string& why);

// Absent is fine.
Status remove_reference(const Layout& layout, const std::string& name);

}  // namespace bernstein::git
