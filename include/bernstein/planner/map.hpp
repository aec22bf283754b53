#pragma once
// The files of a repository as a text for a prompt, never longer than asked for.
//
//     repository_map({"README.md", "src/a.cpp", "src/b.cpp", "src/x/c.cpp"}, 64 << 10)
//
//         ./: README.md
//         src/: a.cpp, b.cpp
//         src/x/: c.cpp
//
// A line for each directory that has files. When they do not all fit, directories stand with counts, the deepest folded
// into those above them first ("src/x/**: 120 files": everything below), and what room is left goes to names of files,
// those nearest to the root first. Then the last line says how many names were left out.
//
// Control characters and what is not UTF-8 cannot get into the text: a name stays on its line. The same paths have the
// same map everywhere. Takes time in proportion to the paths and their directories.

#include <cstddef>
#include <string>
#include <vector>

namespace bernstein::planner {

// Less room than this gives "": nothing could be said in it.
inline constexpr std::size_t k_map_bytes_min = 256;

// `paths` of files, normalised (base/path.hpp); sorted bytewise, or they are sorted here. "" without paths.
std::string repository_map(const std::vector<std::string>& paths, std::size_t bytes_max);

}  // namespace bernstein::planner
