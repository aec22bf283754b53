#include "setup_files.hpp"

#include <algorithm>
#include <set>

#include "bernstein/base/path.hpp"
#include "bernstein/base/text.hpp"

namespace bernstein::git {
namespace {

constexpr std::int64_t k_pattern_file_bytes_max = 1 << 20;
constexpr std::int64_t k_copy_bytes_max = std::int64_t{1} << 30;
constexpr int k_depth_max = 100;

bool base_has(const Files& base, const std::string& path) {
  if (base.contains(path)) return true;
  const auto below = base.lower_bound(path + "/");
  return below != base.end() && below->first.starts_with(path + "/");
}

class Setup {
 public:
  Setup(const Files& base, const Fd& checkout, const Fd& worktree)
      : base_(base), checkout_(checkout), worktree_(worktree) {}

  // A link to the directory in the checkout at `root`.
  Status link(const std::string& root, const std::string& path) {
    if (base_has(base_, path)) return Ok{};
    const auto source = find_place(checkout_, path);
    if (!source || !open_directory_at(source->parent.get(), source->name.c_str())) return Ok{};
    BERNSTEIN_TRY(const Place place, make_place(worktree_, path));
    if (stat_at(place.parent.get(), place.name.c_str())) return Ok{};
    BERNSTEIN_TRY_VOID(link_new(place.parent.get(), place.name, root + "/" + path));
    placed_.insert(path);
    return Ok{};
  }

  // A copy of a file, or of all files in a directory. Links and special files are left out.
  Status copy(const std::string& path, int depth = 0) {
    const auto source = find_place(checkout_, path);
    const auto stat = source ? stat_at(source->parent.get(), source->name.c_str()) : std::nullopt;
    if (!stat || depth > k_depth_max) return Ok{};
    if (S_ISDIR(stat->st_mode)) {
      const Fd directory = open_directory_at(source->parent.get(), source->name.c_str());
      if (!directory) return Ok{};
      for (const DirectoryEntry& entry : list_directory(directory.get()).value_or(std::vector<DirectoryEntry>{})) {
        if (entry.name != ".git") BERNSTEIN_TRY_VOID(copy(path + "/" + entry.name, depth + 1));
      }
      return Ok{};
    }
    if (!S_ISREG(stat->st_mode) || base_has(base_, path)) return Ok{};
    const auto bytes = read_plain(source->parent.get(), source->name.c_str(), k_copy_bytes_max);
    if (!bytes) return Error{ErrorCode::environment, "cannot read '" + path + "' to copy it into the worktree"};
    BERNSTEIN_TRY(const Place place, make_place(worktree_, path));
    if (stat_at(place.parent.get(), place.name.c_str())) return Ok{};
    BERNSTEIN_TRY_VOID(write_new(place.parent.get(), place.name, *bytes, stat->st_mode & 0777));
    placed_.insert(path);
    return Ok{};
  }

  std::vector<std::string> placed() const { return {placed_.begin(), placed_.end()}; }

 private:
  const Files& base_;
  const Fd& checkout_;
  const Fd& worktree_;
  std::set<std::string> placed_;
};

// Paths of ignored files that the patterns name. Ignored directories are entered only when a pattern speaks of them:
// ".env" does not mean every .env below node_modules.
class Included {
 public:
  Included(git_repository* users, const std::vector<std::string>& patterns) : users_(users), patterns_(patterns) {}

  void search(const Fd& directory, const std::string& prefix, int depth) {
    for (const DirectoryEntry& entry : list_directory(directory.get()).value_or(std::vector<DirectoryEntry>{})) {
      const std::string path = prefix + entry.name;
      if (entry.name == ".git" || path == ".sdd") continue;
      const bool is_directory = S_ISDIR(entry.stat.st_mode);
      if (!is_directory && !S_ISREG(entry.stat.st_mode)) continue;
      int ignored = 0;
      const std::string asked = is_directory ? path + "/" : path;
      if (git_ignore_path_is_ignored(&ignored, users_, asked.c_str()) < 0) continue;
      if (ignored != 0 && is_included(patterns_, path)) {
        found.push_back(path);
      } else if (is_directory && depth < k_depth_max && (ignored == 0 || is_entered(path))) {
        const Fd below = open_directory_at(directory.get(), entry.name.c_str());
        if (below) search(below, path + "/", depth + 1);
      }
    }
  }

  std::vector<std::string> found;

 private:
  bool is_entered(const std::string& path) const {
    return std::any_of(patterns_.begin(), patterns_.end(), [&](std::string_view pattern) {
      if (pattern.starts_with('/')) pattern.remove_prefix(1);
      return pattern.starts_with(path + "/");
    });
  }

  git_repository* users_;
  const std::vector<std::string>& patterns_;
};

std::vector<std::string> include_patterns(const Fd& checkout) {
  std::vector<std::string> patterns;
  const std::string text = read_plain(checkout.get(), ".worktreeinclude", k_pattern_file_bytes_max).value_or("");
  for (const std::string_view line : split(text, '\n')) {
    const std::string_view pattern = trim(line);
    if (!pattern.empty() && pattern.front() != '#') patterns.emplace_back(pattern);
  }
  return patterns;
}

// One pattern of gitignore(5) against one path, what is below a match included.
bool pattern_names(std::string_view pattern, std::string_view path) {
  const bool anchored = pattern.substr(0, pattern.size() - 1).find('/') != std::string_view::npos;
  while (pattern.starts_with('/')) pattern.remove_prefix(1);
  if (pattern.empty()) return false;
  const std::string whole = anchored ? std::string(pattern) : "**/" + std::string(pattern);
  const std::string below = whole.ends_with('/') ? whole : whole + "/";
  return matches(whole, path) || matches(below, path);
}

}  // namespace

bool is_included(const std::vector<std::string>& patterns, std::string_view path) {
  bool included = false;
  for (const std::string_view pattern : patterns) {  // the last one that matches decides
    const bool negated = pattern.starts_with('!');
    if (pattern_names(negated ? pattern.substr(1) : pattern, path)) included = !negated;
  }
  return included;
}

std::vector<std::string> included_paths(git_repository* users, const Fd& checkout) {
  const std::vector<std::string> patterns = include_patterns(checkout);
  if (patterns.empty()) return {};
  Included included(users, patterns);
  included.search(checkout, "", 0);
  std::sort(included.found.begin(), included.found.end());
  return included.found;
}

Result<std::vector<std::string>> place_setup_files(const Layout& layout, git_repository* users,
                                                   const SetupFiles& wanted, const Files& base, const Fd& worktree) {
  for (const std::vector<std::string>* paths : {&wanted.symlink_dirs, &wanted.copy_files}) {
    for (const std::string& path : *paths) {
      const auto fault = path_fault(path);
      if (fault) return Error{ErrorCode::invalid_input, "worktree_setup: path '" + path + "' " + *fault};
    }
  }
  if (layout.bare) return std::vector<std::string>{};
  BERNSTEIN_TRY(const Fd checkout, open_directory(layout.root));
  Setup setup(base, checkout, worktree);
  const auto plain = [](const std::string& path) {
    std::string normal = normalise_pattern(path);
    if (normal.ends_with('/')) normal.pop_back();
    return normal;
  };
  for (const std::string& path : wanted.symlink_dirs) BERNSTEIN_TRY_VOID(setup.link(layout.root, plain(path)));
  for (const std::string& path : wanted.copy_files) BERNSTEIN_TRY_VOID(setup.copy(plain(path)));
  for (const std::string& path : included_paths(users, checkout)) BERNSTEIN_TRY_VOID(setup.copy(path));
  return setup.placed();
}

std::string exclude_lines(const std::vector<std::string>& paths) {
  std::string lines;
  for (const std::string& path : paths) {
    lines += '/';
    for (const char c : path) {
      if (std::string_view("\\*?[ ").find(c) != std::string_view::npos) lines += '\\';
      lines += c;
    }
    lines += '\n';
  }
  return lines;
}

}  // namespace bernstein::git
