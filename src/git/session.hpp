#pragma once
// Making and removing sessions and checkouts: the directories below .sdd, and the reference that keeps a base.

#include <mutex>
#include <string>

#include "bernstein/port/workspace.hpp"
#include "layout.hpp"

namespace bernstein::git {

Result<std::string> create_session(const Layout& layout, const port::SessionSpec& spec, std::mutex& refs);
Status remove_session(const Layout& layout, const std::string& name, std::mutex& refs);

Result<std::string> checkout_tree(const Layout& layout, const port::CheckoutSpec& spec);
Status remove_checkout(const Layout& layout, const std::string& name);

// Whether the repository of the user keeps a commit: a salvage reference or a branch leads to it.
Result<bool> is_kept(git_repository* users, const Oid& commit);

// Makes the directory .sdd with the file that hides it, if it is not there.
Status ensure_sdd(const Layout& layout);

}  // namespace bernstein::git
