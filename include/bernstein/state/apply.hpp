#pragma once
// apply: one event into the state. The only place where the state changes, and where a task's legal transitions stand.
//
//     Status applied = apply(state, event);
//
// Total: an event that cannot follow in this state (a result without its intent, an attempt that does not exist) is
// ErrorCode::corrupt, names the seq, and leaves a state that must not be used further. Same state and event, same
// result.

#include "bernstein/base/result.hpp"
#include "bernstein/state/run_state.hpp"

namespace bernstein {

Status apply(RunState& state, const Event& event);

}  // namespace bernstein
