#include "bernstein/base/path.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "bernstein/base/text.hpp"

namespace bernstein {
namespace {

char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// What some file system takes for ".git": case is ignored, trailing dots and spaces are dropped, "git~1" is its short
// name, and what follows a colon is a stream of it (NTFS; CVE-2014-9390, CVE-2019-1352).
bool may_be_git_directory(std::string_view part) {
  part = part.substr(0, part.find(':'));
  while (!part.empty() && (part.back() == '.' || part.back() == ' ')) part.remove_suffix(1);
  std::string name(part);
  std::transform(name.begin(), name.end(), name.begin(), to_lower);
  return name == ".git" || name == "git~1";
}

// The parts between slashes; empty ones (doubled or trailing slashes) and "." do not count.
std::vector<std::string_view> parts_of(std::string_view path) {
  std::vector<std::string_view> parts = split(path, '/');
  std::erase_if(parts, [](std::string_view part) { return part.empty() || part == "."; });
  return parts;
}

struct ClassMatch {
  bool closed = false;  // false: the '[' has no end and stands for itself
  bool matched = false;
  std::size_t bytes = 0;
};

// A class such as [a-z] or [!0-9] at the front of `glob`.
ClassMatch match_class(std::string_view glob, char c) {
  std::size_t at = 1;
  bool negated = at < glob.size() && (glob[at] == '!' || glob[at] == '^');
  if (negated) ++at;
  bool found = false;
  for (bool first = true; at < glob.size(); first = false) {
    if (glob[at] == ']' && !first) return {true, found != negated, at + 1};
    char low = glob[at];
    char high = low;
    if (at + 2 < glob.size() && glob[at + 1] == '-' && glob[at + 2] != ']') {
      high = glob[at + 2];
      at += 3;
    } else {
      ++at;
    }
    auto byte = static_cast<unsigned char>(c);
    found = found || (static_cast<unsigned char>(low) <= byte && byte <= static_cast<unsigned char>(high));
  }
  return {};
}

// One part against one part. When a literal fails, only the last '*' can take more: earlier ones took the least that
// was possible, so nothing is tried twice.
bool part_matches(std::string_view glob, std::string_view part) {
  std::size_t g = 0;
  std::size_t p = 0;
  std::size_t star = std::string_view::npos;
  std::size_t star_took = 0;
  while (p < part.size()) {
    std::size_t step = 0;
    if (g < glob.size()) {
      if (glob[g] == '*') {
        star = g++;
        star_took = p;
        continue;
      }
      if (glob[g] == '[') {
        ClassMatch match = match_class(glob.substr(g), part[p]);
        step = match.closed ? (match.matched ? match.bytes : 0) : (part[p] == '[' ? 1 : 0);
      } else if (glob[g] == '?' || glob[g] == part[p]) {
        step = 1;
      }
    }
    if (step > 0) {
      g += step;
      ++p;
    } else if (star != std::string_view::npos) {
      g = star + 1;
      p = ++star_took;
    } else {
      return false;
    }
  }
  while (g < glob.size() && glob[g] == '*') ++g;
  return g == glob.size();
}

using Parts = std::vector<std::string_view>;

bool is_part_prefix(const Parts& prefix, const Parts& path) {
  return prefix.size() <= path.size() && std::equal(prefix.begin(), prefix.end(), path.begin());
}

// The same walk as part_matches, with parts for letters and "**" for '*'. Each pair of parts is compared at most once,
// which bounds the whole by the product of the two lengths. `below`: what lies under a match counts too.
bool parts_match(Parts globs, const Parts& path, bool below) {
  // A last "**" wants something below: "src/**" is not "src" itself.
  if (globs.back() == "**") globs.push_back("*");
  constexpr std::size_t k_none = static_cast<std::size_t>(-1);
  std::size_t g = 0;
  std::size_t p = 0;
  std::size_t star = k_none;
  std::size_t star_took = 0;
  while (p < path.size()) {
    if (g == globs.size() && below) return true;
    if (g < globs.size() && globs[g] == "**") {
      star = g++;
      star_took = p;
    } else if (g < globs.size() && part_matches(globs[g], path[p])) {
      ++g;
      ++p;
    } else if (star != k_none) {
      g = star + 1;
      p = ++star_took;
    } else {
      return false;
    }
  }
  return g == globs.size();
}

Parts literal_prefix(std::string_view pattern) {
  Parts parts = parts_of(pattern);
  parts.erase(std::find_if(parts.begin(), parts.end(), is_glob), parts.end());
  return parts;
}

}  // namespace

std::optional<std::string> path_fault(std::string_view path) {
  if (path.empty()) return "is empty; name a path from the root of the repository";
  for (char c : path) {
    auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) return "has a control character; write a plain path";
  }
  if (path.find('\\') != std::string_view::npos) return "has a backslash; separate its parts with '/'";
  if (path.front() == '/') return "is absolute; write it from the root of the repository";
  if (path.front() == '~') return "starts with '~', which only a shell knows; write it from the root of the repository";
  Parts parts = parts_of(path);
  for (std::string_view part : parts) {
    if (part == "..") return "leaves the tree; write it without '..'";
    if (may_be_git_directory(part)) return "enters '.git', which belongs to git; name files of the tree";
  }
  if (parts.empty()) return "names no file; write '**' for the whole tree";
  return std::nullopt;
}

std::string normalise_pattern(std::string_view path) {
  std::string normalised;
  for (std::string_view part : parts_of(path)) {
    if (!normalised.empty()) normalised += '/';
    normalised += part;
  }
  bool directory = path.ends_with('/') || path.ends_with("/.");
  return directory ? normalised + "/" : normalised;
}

bool is_glob(std::string_view pattern) {
  return pattern.find_first_of("*?[") != std::string_view::npos;
}

bool matches(std::string_view pattern, std::string_view path) {
  Parts globs = parts_of(pattern);
  Parts parts = parts_of(path);
  // Spelled alike comes first: "app/[id]/page.tsx" is a common name, and a class that it would not match as a glob.
  if (is_part_prefix(globs, parts)) return true;
  return is_glob(pattern) && parts_match(std::move(globs), parts, pattern.ends_with('/'));
}

bool may_overlap(std::string_view a, std::string_view b) {
  Parts parts_a = literal_prefix(a);
  Parts parts_b = literal_prefix(b);
  return is_part_prefix(parts_a, parts_b) || is_part_prefix(parts_b, parts_a);
}

}  // namespace bernstein
