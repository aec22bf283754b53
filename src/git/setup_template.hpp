#pragma once
// What a setup command made in a new worktree (node_modules, .venv), kept for the next worktree with the same inputs.
//
// A template is .sdd/setup/<key>: `files`, and `manifest`, which has a line for each of them: as it stands there, so
// one that somebody has changed is seen and dropped. In a sandbox nobody reaches it. Copies are reflinks where the file
// system has them and plain copies elsewhere, never hard links: agents change files in place.
//
// Not kept is what would not be the same elsewhere: when the command changed files of the tree, what setup had placed
// or the session's repository; made special files or another owner's; or wrote the place of its worktree into a small
// file (programs of a Python environment have it in their first line). When nothing was made, what the command does is
// done elsewhere, and it runs each time.

#include "bernstein/port/workspace.hpp"
#include "layout.hpp"

namespace bernstein::git {

inline constexpr std::int64_t k_template_bytes_max = std::int64_t{2} << 30;
inline constexpr std::size_t k_template_files_max = 200'000;
inline constexpr std::size_t k_templates_max = 3;  // the ones that were used last

Result<bool> reuse_setup(const Layout& layout, const port::SetupSpec& spec);
Status keep_setup(const Layout& layout, const port::SetupSpec& spec);

}  // namespace bernstein::git
