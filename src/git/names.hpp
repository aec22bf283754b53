#pragma once
// Names of files as git sees them.

#include <string>
#include <string_view>

namespace bernstein::git {

// A part of a path that git refuses in a tree, or could take for ".git" on some file system: "", ".", "..", ".GIT",
// "git~1", ".git " and the like (git's fsck: hasDot, hasDotdot, hasDotgit).
bool is_forbidden_name(std::string_view name);

// The same for every part of a path.
bool is_forbidden_path(std::string_view path);

// ".gitmodules" in any case: as a symbolic link, git's fsck refuses it.
bool is_modules_name(std::string_view name);
// The same of ".gitattributes".
bool is_attributes_name(std::string_view name);

// For people and events: bytes that are no UTF-8, and control characters, are written \xNN.
std::string printable_path(std::string_view path);

}  // namespace bernstein::git
