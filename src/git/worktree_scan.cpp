#include "worktree_scan.hpp"

#include <git2/sys/repository.h>
#include <unistd.h>

#include <algorithm>

#include "names.hpp"

namespace bernstein::git {
namespace {

// Every level holds a descriptor, and a process may have as few as 1024, which all tasks share.
constexpr int k_depth_max = 250;
constexpr std::int64_t k_metadata_bytes_max = 1 << 20;
constexpr int k_read = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;

class Scan {
 public:
  Scan(Gathering& gathering, const ScanSpec& spec, const StatCache& cache, Suspicions& found)
      : gathering_(gathering), spec_(spec), cache_(cache), found_(found) {}

  Status visit(const Fd& directory, const std::string& prefix, int depth) {
    const auto entries = list_directory(directory.get());
    if (!entries) return give_up(prefix, "cannot be read; it stays as it was"), Ok{};
    if (depth > k_depth_max) return give_up(prefix, "is nested too deeply; it stays as it was"), Ok{};
    if (spec_.glance && std::any_of(entries->begin(), entries->end(),
                                    [&](const DirectoryEntry& entry) { return is_armed(directory, entry); })) {
      return keep_below(prefix), Ok{};
    }
    disarm(directory, *entries);
    for (const DirectoryEntry& entry : *entries) {
      const std::string path = prefix + entry.name;
      if (is_forbidden_name(entry.name)) {
        if (path != ".git") tell_forbidden(prefix, entry);
        continue;
      }
      if (spec_.left_out.contains(path)) continue;
      if (S_ISDIR(entry.stat.st_mode)) {
        BERNSTEIN_TRY_VOID(visit_directory(directory, entry, path, depth));
      } else if (S_ISREG(entry.stat.st_mode) || S_ISLNK(entry.stat.st_mode)) {
        BERNSTEIN_TRY_VOID(visit_file(directory, entry, path));
      } else {
        tell(path, "is a pipe, a socket or a device; it was left out");
      }
    }
    return Ok{};
  }

  Edits finish() {
    for (const auto& [path, file] : spec_.files) {
      if (!seen_.contains(path)) edits_.emplace(path, std::nullopt);
    }
    return std::move(edits_);
  }

 private:
  // libgit2 opens the files of these names by itself, and would wait for ever on a pipe. What is neither a file nor
  // leads to one is no content of a commit, so nothing is lost.
  static bool is_armed(const Fd& directory, const DirectoryEntry& entry) {
    if ((entry.name != ".gitignore" && entry.name != ".gitattributes") || S_ISREG(entry.stat.st_mode)) return false;
    struct ::stat target {};
    if (::fstatat(directory.get(), entry.name.c_str(), &target, 0) != 0) return false;  // leads nowhere
    return !S_ISREG(target.st_mode) && !S_ISDIR(target.st_mode);
  }
  static void disarm(const Fd& directory, const std::vector<DirectoryEntry>& entries) {
    for (const DirectoryEntry& entry : entries) {
      if (is_armed(directory, entry)) ::unlinkat(directory.get(), entry.name.c_str(), 0);
    }
  }

  Status visit_directory(const Fd& parent, const DirectoryEntry& entry, const std::string& path, int depth) {
    const auto file = spec_.files.find(path);
    if (file != spec_.files.end() && file->second.mode == GIT_FILEMODE_COMMIT) {
      seen_.insert(path);  // a submodule stays where the tree has it
      return Ok{};
    }
    const auto below = spec_.files.lower_bound(path + "/");
    const bool tracked = below != spec_.files.end() && below->first.starts_with(path + "/");
    if (!tracked) {
      BERNSTEIN_TRY(const bool ignored, is_ignored(path + "/"));
      if (ignored) return Ok{};
    }
    Fd directory = open_directory_at(parent.get(), entry.name.c_str());
    if (!directory && make_readable(parent, entry, 0700))
      directory = open_directory_at(parent.get(), entry.name.c_str());
    if (!directory) return give_up(path + "/", "cannot be read; it stays as it was"), Ok{};
    return visit(directory, path + "/", depth + 1);
  }

  Status visit_file(const Fd& parent, const DirectoryEntry& entry, const std::string& path) {
    if (S_ISLNK(entry.stat.st_mode) && is_modules_name(entry.name)) {
      return tell(path, "is a link, which git forbids for this name; it was left out"), Ok{};
    }
    const auto old = spec_.files.find(path);
    if (old == spec_.files.end()) {
      BERNSTEIN_TRY(const bool ignored, is_ignored(path));
      if (ignored) return Ok{};
    }
    BERNSTEIN_TRY(const std::optional<FileEntry> now, describe(parent, entry, path));
    seen_.insert(path);
    if (!now) tell(path, "cannot be read; it stays as it was");
    if (S_ISREG(entry.stat.st_mode) && (entry.stat.st_mode & S_ISUID) != 0) {
      tell(path, "has the set-user-ID bit, which no commit keeps");
    }
    if (now && (is_modules_name(entry.name) || is_attributes_name(entry.name))) {
      const auto text = read_plain(parent.get(), entry.name.c_str(), k_metadata_bytes_max);
      const auto fault = text ? metadata_fault(entry.name, *text) : "it is too large";
      if (fault && (old == spec_.files.end() || old->second != *now)) {
        found_.add(told_path(path) + " was left out: " + *fault + ", which git's fsck refuses");
        return Ok{};
      }
    }
    if (now && (old == spec_.files.end() || old->second != *now)) edits_.emplace(path, now);
    return Ok{};
  }

  // Nothing when it cannot be read.
  Result<std::optional<FileEntry>> describe(const Fd& parent, const DirectoryEntry& entry, const std::string& path) {
    const auto known = cache_.find(path);
    if (known != cache_.end() && looks_unchanged(known->second, entry.stat)) return std::optional(known->second.entry);
    FileEntry now;
    if (S_ISLNK(entry.stat.st_mode)) {
      const auto target = read_link(parent.get(), entry.name.c_str());
      if (!target) return std::optional<FileEntry>{};
      BERNSTEIN_TRY(now.id, gathering_.put_blob(*target));
      now.mode = GIT_FILEMODE_LINK;
      return std::optional(now);
    }
    if (::faccessat(parent.get(), entry.name.c_str(), R_OK, AT_EACCESS) != 0) make_readable(parent, entry, 0600);
    now.mode = (entry.stat.st_mode & 0100) != 0 ? GIT_FILEMODE_BLOB_EXECUTABLE : GIT_FILEMODE_BLOB;
    if (entry.stat.st_size >= k_large_file_bytes && spec_.glance) {
      const ::timespec& changed = entry.stat.st_ctim;
      BERNSTEIN_TRY(now.id,
                    gathering_.put_blob(std::to_string(entry.stat.st_size) + " bytes, changed at " +
                                        std::to_string(changed.tv_sec) + "." + std::to_string(changed.tv_nsec) + "\n"));
      return std::optional(now);
    }
    if (entry.stat.st_size >= k_large_file_bytes) {
      const Fd file(::openat(parent.get(), entry.name.c_str(), k_read));
      if (!file) return std::optional<FileEntry>{};
      BERNSTEIN_TRY(now.id, gathering_.put_large_blob(file, entry.stat.st_size));
      return std::optional(now);
    }
    auto bytes = read_plain(parent.get(), entry.name.c_str(), k_large_file_bytes);
    if (!bytes) return std::optional<FileEntry>{};
    BERNSTEIN_TRY(const std::string stored, stored_bytes(gathering_.repository(), *std::move(bytes), path));
    BERNSTEIN_TRY(now.id, gathering_.put_blob(stored));
    return std::optional(now);
  }

  // What the agent locked is ours to read all the same, and goes with the worktree: one who may not chmod it is not its
  // owner. Symbolic links do not come here.
  bool make_readable(const Fd& parent, const DirectoryEntry& entry, ::mode_t bits) const {
    return !spec_.glance && ::fchmodat(parent.get(), entry.name.c_str(), (entry.stat.st_mode & 07777) | bits, 0) == 0;
  }

  Result<bool> is_ignored(const std::string& path) {
    int ignored = 0;
    BERNSTEIN_TRY_VOID(check(git_ignore_path_is_ignored(&ignored, gathering_.repository(), path.c_str()),
                             "cannot find out whether '" + printable_path(path) + "' is ignored"));
    return ignored != 0;
  }

  void tell(const std::string& path, const char* what) { found_.add(told_path(path) + " " + what); }

  void tell_forbidden(const std::string& prefix, const DirectoryEntry& entry) {
    if (entry.name == ".git") {
      tell(prefix, "is a repository of its own; its files were taken, its history was not");
    } else {
      tell(prefix + entry.name, "has a name that git forbids; it was left out");
    }
  }

  void give_up(const std::string& prefix, const char* why) {
    tell(prefix, why);
    keep_below(prefix);
  }

  void keep_below(const std::string& prefix) {
    for (auto file = spec_.files.lower_bound(prefix); file != spec_.files.end() && file->first.starts_with(prefix);
         ++file) {
      seen_.insert(file->first);
    }
  }

  Gathering& gathering_;
  const ScanSpec& spec_;
  const StatCache& cache_;
  Suspicions& found_;
  std::set<std::string> seen_;
  Edits edits_;
};

}  // namespace

Result<Edits> scan_worktree(Gathering& gathering, const ScanSpec& spec, const StatCache& cache, Suspicions& found) {
  git_repository* repository = gathering.repository();
  BERNSTEIN_TRY(const Fd root, open_directory(spec.worktree));
  // The last argument keeps libgit2 from writing a .git file there.
  BERNSTEIN_TRY_VOID(check(git_repository_set_workdir(repository, spec.worktree.c_str(), 0), "cannot use a worktree"));
  BERNSTEIN_TRY(const Index index, make<Index>("cannot make an index", git_index_new));
  BERNSTEIN_TRY_VOID(check(git_repository_set_index(repository, index.get()), "cannot use an index"));
  BERNSTEIN_TRY(const Tree tree,
                make<Tree>("cannot read the tree of the worktree", git_tree_lookup, repository, spec.tree.get()));
  BERNSTEIN_TRY_VOID(check(git_index_read_tree(index.get(), tree.get()), "cannot read the tree of the worktree"));
  Scan scan(gathering, spec, cache, found);
  BERNSTEIN_TRY_VOID(scan.visit(root, "", 0));
  return scan.finish();
}

}  // namespace bernstein::git
