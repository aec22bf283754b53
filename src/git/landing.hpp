#pragma once
// From an attempt's commit to the target branch: the candidate in memory, then the branch; and back again.

#include <mutex>
#include <string>

#include "bernstein/port/workspace.hpp"
#include "layout.hpp"

namespace bernstein::git {

Result<port::CandidateOutcome> build_candidate(const Layout& layout, const port::CandidateSpec& spec, std::mutex& refs);
Status drop_candidate(const Layout& layout, const std::string& name, std::mutex& refs);
Result<port::LandOutcome> land(const Layout& layout, const port::LandSpec& spec, std::mutex& refs);
Result<port::RevertOutcome> revert(const Layout& layout, const port::RevertSpec& spec, std::mutex& refs);
Status write_anchor(const Layout& layout, const std::string& run, const std::string& text, Micros at_us,
                    std::mutex& refs);

}  // namespace bernstein::git
