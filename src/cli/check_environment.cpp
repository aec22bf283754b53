#include "check_environment.hpp"

#include <dirent.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "bernstein/agent/command.hpp"
#include "bernstein/base/sha256.hpp"
#include "bernstein/git/workspace.hpp"

namespace bernstein::cli {
namespace {

constexpr int k_depth_max = 100;

class Digested {
 public:
  // Each part with its length, so that no two lists of parts are the same text.
  void add(std::string_view part) {
    text_ += std::to_string(part.size()) + ':';
    text_ += part;
  }
  template <class Value>
  void add(const std::map<std::string, Value>& entries) {
    add(std::to_string(entries.size()));
    for (const auto& [name, value] : entries) {
      add(name);
      add(value);
    }
  }
  std::string digest() const { return to_hex(sha256(text_)); }

 private:
  std::string text_;
};

std::optional<struct stat> look_at(const std::string& path) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) return std::nullopt;
  return found;
}

std::string size_and_time(const struct stat& found) {
  const std::string nanoseconds = std::to_string(found.st_mtim.tv_nsec);
  return std::to_string(found.st_size) + " " + std::to_string(found.st_mtim.tv_sec) + "." +
         std::string(9 - std::min<std::size_t>(nanoseconds.size(), 9), '0') + nanoseconds;
}

class Gatherer {
 public:
  explicit Gatherer(const std::string& root) : root_(root) {}

  // A file, or all files in a directory. Links and special files are not copied.
  void copy(const std::string& path, int depth = 0) {
    const std::string place = root_ + "/" + path;
    const auto found = look_at(place);
    if (!found || depth > k_depth_max || entries_ >= k_entries_max) return;
    ++entries_;
    if (S_ISDIR(found->st_mode)) {
      for (const std::string& name : names_in(place)) {
        if (name != ".git") copy(path + "/" + name, depth + 1);
      }
    } else if (S_ISREG(found->st_mode)) {
      gathered.copied[path] = content_of(place, *found) + (found->st_mode & S_IXUSR ? " x" : "");
    }
  }

  void link(const std::string& path) {
    const std::string place = root_ + "/" + path;
    const auto directory = look_at(place);
    if (!directory || !S_ISDIR(directory->st_mode)) return;
    EntryFacts& entries = gathered.linked[place];
    for (const std::string& name : names_in(place)) {
      if (entries_ >= k_entries_max) break;
      ++entries_;
      if (const auto found = look_at(place + "/" + name)) entries[name] = size_and_time(*found);
    }
  }

  CheckEnvironment gathered;

 private:
  // Sorted: which of too many count must not depend on the file system.
  static std::vector<std::string> names_in(const std::string& directory) {
    std::vector<std::string> names;
    DIR* open = ::opendir(directory.c_str());
    if (open == nullptr) return names;
    while (const dirent* entry = ::readdir(open)) {
      const std::string_view name = static_cast<const char*>(entry->d_name);
      if (name != "." && name != "..") names.emplace_back(name);
    }
    ::closedir(open);
    std::sort(names.begin(), names.end());
    return names;
  }

  std::string content_of(const std::string& place, const struct stat& found) {
    const auto size = static_cast<std::uintmax_t>(found.st_size);
    if (size > k_copied_bytes_max - bytes_) return size_and_time(found);
    std::ifstream file(place, std::ios::binary);
    std::string text(size, '\0');
    file.read(text.data(), found.st_size);
    if (file.gcount() != found.st_size) return size_and_time(found);
    bytes_ += size;
    return to_hex(sha256(text));
  }

  std::string root_;
  std::uintmax_t bytes_ = 0;
  std::size_t entries_ = 0;
};

std::string machine() {
  utsname names{};
  if (::uname(&names) != 0) return "";
  std::string text;
  for (const char* part : {names.sysname, names.nodename, names.release, names.version, names.machine})
    text += std::string(part) + "\n";
  return text;
}

}  // namespace

std::string digest_of(const CheckEnvironment& environment) {
  Digested all;
  all.add("1");  // of this form
  all.add(environment.machine);
  all.add(to_word(environment.sandbox));
  all.add(environment.variables);
  all.add(environment.copied);
  all.add(std::to_string(environment.linked.size()));
  for (const auto& [path, entries] : environment.linked) {
    all.add(path);
    all.add(entries);
  }
  return all.digest();
}

CheckEnvironment gather_check_environment(const Context& context, const Place& place, const WorktreeSetup& setup,
                                          SandboxMode sandbox) {
  Gatherer gatherer(place.root);
  for (const std::string& path : setup.copy_files) gatherer.copy(path);
  for (const std::string& path : git::worktree_includes(place.root)) gatherer.copy(path);
  for (const std::string& path : setup.symlink_dirs) gatherer.link(path);
  gatherer.gathered.machine = machine();
  gatherer.gathered.sandbox = sandbox;
  gatherer.gathered.variables = agent::allowed_environment(context.environment, {});
  return std::move(gatherer.gathered);
}

}  // namespace bernstein::cli
