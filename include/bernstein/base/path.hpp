#pragma once
// Paths inside a repository, and the patterns that plans use for them.
//
// A repository path is relative, separated by '/', without empty, "." or ".." parts, and never enters ".git".
//
//     path_fault("src/../x")              "leaves the tree; write it without '..'"
//     normalise_pattern("src/limit/")     "src/limit/"      (a directory: everything below)
//     matches("src/**/*.cpp", "src/a/b.cpp")   true
//
// A pattern is a path, a directory ("src/limit/" or "src/limit": everything below it too), or a glob with '*' and '?'
// (within a part), '[a-z]', '[!a-z]' and '**' (any number of parts, none included; as the last part: all that is
// below), as in gitignore(5), but always from the root: "*.md" is not "docs/a.md". A glob covers what it names, and
// what is below that only when it ends in '/'. Any pattern covers what is spelled like itself: "app/[id]/page.tsx"
// works.

#include <optional>
#include <string>
#include <string_view>

namespace bernstein {

// What is wrong with a path or pattern that came from outside, as a clause "...; remedy"; nothing when it is fine.
// Refused: empty, absolute, "~", "..", backslash, NUL or control characters, a part that git could take for ".git"
// (any case, trailing dots or spaces, "git~1").
std::optional<std::string> path_fault(std::string_view path);

// Strips "./" and doubled slashes. Requires path_fault(path) == nullopt.
std::string normalise_pattern(std::string_view path);

bool is_glob(std::string_view pattern);  // contains '*', '?' or '['

// Whether a path is covered by a pattern (see above). Both normalised. Case-sensitive. Takes at most about
// pattern.size() * path.size() steps, whatever the pattern.
bool matches(std::string_view pattern, std::string_view path);

// Whether some path could be covered by both patterns. Exact for paths and directories; for globs it compares the parts
// before the first wildcard, so it may say true for two globs that no file can satisfy, and never false wrongly.
bool may_overlap(std::string_view a, std::string_view b);

}  // namespace bernstein
