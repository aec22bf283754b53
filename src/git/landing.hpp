#pragma once
// From an attempt's commit to the target branch: the candidate in memory, then the merge commit and the branch.

#include <mutex>
#include <string>

#include "bernstein/port/workspace.hpp"
#include "layout.hpp"

namespace bernstein::git {

Result<port::CandidateOutcome> build_candidate(const Layout& layout, const std::string& target,
                                               const std::string& commit, std::mutex& refs);
Result<port::LandOutcome> land(const Layout& layout, const port::LandSpec& spec, std::mutex& refs);
Status write_anchor(const Layout& layout, const std::string& run, const std::string& text, Micros at_us,
                    std::mutex& refs);

}  // namespace bernstein::git
