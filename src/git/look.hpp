#pragma once
// Reading trees: for checks that need no checkout, and for people.

#include <string>
#include <vector>

#include "bernstein/port/workspace.hpp"
#include "layout.hpp"

namespace bernstein::git {

Result<std::vector<port::TreeFile>> list_tree(const Layout& layout, const std::string& tree);
Result<std::string> read_file(const Layout& layout, const std::string& tree, const std::string& path);
Result<std::string> blob_id(const Layout& layout, const std::string& tree, const std::string& path);
Result<std::vector<port::Ancestor>> history(const Layout& layout, const std::string& commit, std::size_t max);
Result<std::string> diff(const Layout& layout, const std::string& from, const std::string& to);

}  // namespace bernstein::git
