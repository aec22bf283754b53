#pragma once
// Whether git's own fsck would accept a commit or a tree that somebody else made.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "handle.hpp"

namespace bernstein::git {

// What is wrong with the bytes of a commit, as a clause: "its author line is malformed"; nothing when it is fine.
std::optional<std::string> commit_fault(std::string_view bytes);

struct RawEntry {
  unsigned mode = 0;  // 040000, 0100644, 0100755, 0120000 or 0160000
  std::string name;
  Oid id;
};
struct RawTree {
  std::vector<RawEntry> entries;
  std::optional<std::string> fault;  // "it has an entry '.git'"; then the entries are not to be used
};
RawTree parse_tree(std::string_view bytes);

}  // namespace bernstein::git
