#include "bernstein/planner/map.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

#include "bernstein/base/text.hpp"

namespace bernstein::planner {
namespace {

struct Directory {
  std::string_view path;  // with its '/'; "" is the root
  std::size_t parent = 0;
  std::size_t depth = 0;
  std::vector<std::string_view> files;  // its own
  std::size_t total = 0;                // with all below
  bool has_directories = false;
};

std::string shown(std::string_view name) {
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) { return c >= ' ' && c < 0x7F; });
  return plain ? std::string(name) : on_one_line(printable_utf8(name));
}

std::string shown_path(const Directory& directory) {
  return directory.path.empty() ? "./" : shown(directory.path);
}

std::string count_of(std::size_t files) {
  return std::to_string(files) + (files == 1 ? " file" : " files");
}

// "src/: a.cpp, b.cpp"
std::string line_of_names(const Directory& directory) {
  std::string line = shown_path(directory) + ":";
  for (const std::string_view file : directory.files) {
    line += line.back() == ':' ? " " : ", ";
    line += shown(file);
  }
  return line + "\n";
}

// "src/: 12 files", of its own
std::string line_of_count(const Directory& directory) {
  return shown_path(directory) + ": " + count_of(directory.files.size()) + "\n";
}

// "src/**: 120 files", with all below
std::string folded_line(const Directory& directory) {
  if (!directory.has_directories) return line_of_count(directory);
  return (directory.path.empty() ? "" : shown(directory.path)) + "**: " + count_of(directory.total) + "\n";
}

// In the order of their first file, parents before what is in them. Sorted paths keep what is below a directory
// together.
std::vector<Directory> directories_of(const std::vector<std::string>& paths) {
  std::vector<Directory> directories(1);
  std::vector<std::size_t> open{0};
  for (const std::string& path : paths) {
    while (!path.starts_with(directories[open.back()].path)) open.pop_back();
    std::size_t start = directories[open.back()].path.size();
    for (std::size_t slash = path.find('/', start); slash != std::string::npos; slash = path.find('/', slash + 1)) {
      directories[open.back()].has_directories = true;
      directories.push_back({.path = std::string_view(path).substr(0, slash + 1),
                             .parent = open.back(),
                             .depth = open.size(),
                             .files = {}});
      open.push_back(directories.size() - 1);
      start = slash + 1;
    }
    directories[open.back()].files.push_back(std::string_view(path).substr(start));
  }
  for (std::size_t i = directories.size(); i-- > 0;) {
    directories[i].total += directories[i].files.size();
    if (i > 0) directories[directories[i].parent].total += directories[i].total;
  }
  return directories;
}

// All names, or nothing when they do not fit.
std::optional<std::string> full_map(const std::vector<Directory>& directories, std::size_t bytes_max) {
  std::string map;
  for (const Directory& directory : directories) {
    if (!directory.files.empty()) map += line_of_names(directory);
    if (map.size() > bytes_max) return std::nullopt;
  }
  return map;
}

// The greatest depth at which directories can stand folded, with those above it beside them, in so many bytes. Nothing
// when that of the root alone does not fit.
std::optional<std::size_t> depth_that_fits(const std::vector<Directory>& directories, std::size_t bytes) {
  std::size_t deepest = 0;
  for (const Directory& directory : directories) deepest = std::max(deepest, directory.depth);
  std::vector<std::size_t> own(deepest + 1, 0);     // bytes of the lines of a depth, not folded
  std::vector<std::size_t> folded(deepest + 1, 0);  // and folded
  for (const Directory& directory : directories) {
    if (!directory.files.empty()) own[directory.depth] += line_of_count(directory).size();
    folded[directory.depth] += folded_line(directory).size();
  }
  std::optional<std::size_t> fits;
  std::size_t above = 0;
  for (std::size_t depth = 0; depth <= deepest; ++depth) {
    if (above + folded[depth] <= bytes) fits = depth;
    above += own[depth];
  }
  return fits;
}

std::string closing_line(std::size_t left_out, std::size_t files) {
  return "[... the names of " + std::to_string(left_out) + " of " + std::to_string(files) +
         " files are left out: numbers stand for them, and ** for all directories below. Look there yourself. ...]\n";
}

std::string folded_map(const std::vector<Directory>& directories, std::size_t bytes_max) {
  const std::size_t files = directories.front().total;
  std::size_t room = bytes_max - closing_line(files, files).size();
  const std::size_t depth = depth_that_fits(directories, room).value_or(0);

  // The lines, in order; and by depth those that could have names instead of a count.
  std::vector<std::string> lines(directories.size());
  std::vector<std::vector<std::size_t>> countable(depth + 1);
  for (std::size_t i = 0; i < directories.size(); ++i) {
    const Directory& directory = directories[i];
    if (directory.depth > depth) continue;
    if (directory.depth == depth) {
      lines[i] = folded_line(directory);
    } else if (!directory.files.empty()) {
      lines[i] = line_of_count(directory);
    }
    if (lines[i].size() > room) lines[i].clear();
    room -= lines[i].size();
    const bool is_folded = directory.depth == depth && directory.has_directories;
    if (!is_folded && !directory.files.empty()) countable[directory.depth].push_back(i);
  }
  std::size_t left_out = files;
  for (const std::vector<std::size_t>& indexes : countable) {
    for (const std::size_t i : indexes) {
      // Every name takes more than two bytes with what parts it from the next, but for names of one letter.
      if (directories[i].files.size() * 3 > room + lines[i].size()) continue;
      std::string names = line_of_names(directories[i]);
      if (names.size() > room + lines[i].size()) continue;
      room = room + lines[i].size() - names.size();
      lines[i] = std::move(names);
      left_out -= directories[i].files.size();
    }
  }
  std::string map;
  for (const std::string& line : lines) map += line;
  return map + closing_line(left_out, files);
}

}  // namespace

std::string repository_map(const std::vector<std::string>& paths, std::size_t bytes_max) {
  if (paths.empty() || bytes_max < k_map_bytes_min) return "";
  if (!std::is_sorted(paths.begin(), paths.end())) {
    std::vector<std::string> sorted = paths;
    std::sort(sorted.begin(), sorted.end());
    return repository_map(sorted, bytes_max);
  }
  const std::vector<Directory> directories = directories_of(paths);
  const std::optional<std::string> full = full_map(directories, bytes_max);
  return full ? *full : folded_map(directories, bytes_max);
}

}  // namespace bernstein::planner
