#pragma once
// The anchor of a run: which event was its last, and that event's hash, kept in git where the log cannot reach
// (refs/bernstein/runs/<run>). Whoever rewrites the log has to rewrite the anchor's history too.

#include <cstdint>
#include <string>

#include "bernstein/base/id.hpp"
#include "bernstein/base/sha256.hpp"

namespace bernstein::run {

// {"hash":"<64 hex digits>","run":"r1","run_seq":57}
std::string anchor_text(RunId run, std::int64_t run_seq, const Digest& hash);

}  // namespace bernstein::run
