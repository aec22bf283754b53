#pragma once
// The message of a merge commit, with the trailers by which a landing is found from the log and the log from a landing.

#include <string>

#include "bernstein/state/run_state.hpp"

namespace bernstein::run {

// "57 0123456789abcdef": the CandidateRequested and the first digits of its hash, so that no two logs share one.
std::string event_trailer(Seq seq, const Digest& hash);

// `event`: event_trailer().
std::string merge_message(const RunState& state, const Attempt& attempt, const std::string& event);

}  // namespace bernstein::run
