#pragma once
// The work of a session as one commit in the user's repository, under a salvage reference.

#include <mutex>
#include <string>
#include <vector>

#include "bernstein/port/workspace.hpp"
#include "layout.hpp"

namespace bernstein::git {

Result<port::Captured> capture(const Layout& layout, const port::CaptureSpec& spec, std::mutex& refs);

Result<std::vector<std::string>> probe(const Layout& layout, const port::CaptureSpec& spec, const std::string& commit);

// Points a salvage reference to a commit. What it pointed to before stays under "<ref>.superseded-<12 digits>", unless
// the new commit contains it.
Status write_salvage(const Layout& layout, git_repository* users, const std::string& ref, const Oid& commit,
                     std::mutex& refs);

}  // namespace bernstein::git
