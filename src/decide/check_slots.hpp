#pragma once
// Which candidate is checked next, and what it speaks for: in order, by batches and halves, and, where a slot is idle,
// on what is most probably needed (decide/landing.hpp).

#include <vector>

#include "bernstein/state/chain.hpp"

namespace bernstein {

// Fewer than landing.max_checks are under way, the target's own included.
bool has_free_check(const RunState& state);

std::vector<Draft> begin_checks(const RunState& state, const std::vector<Link>& links);

}  // namespace bernstein
