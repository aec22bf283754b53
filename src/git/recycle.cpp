#include "recycle.hpp"

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

#include "bernstein/failpoint/failpoint.hpp"
#include "names.hpp"

namespace bernstein::git {
namespace {

// Deeper ones are not worth a look: every level holds a descriptor and a part of the stack.
constexpr int k_depth_max = 200;
constexpr ::mode_t k_permissions = 0777;

// What a person may set on a directory and new files in it inherit: append only, no copy on write, case folding, ...
constexpr unsigned k_inherited_flags = 0x000380FF | 0x40000000;

bool is_mount_point(int directory) {
  struct ::statx look {};
  if (::statx(directory, "", AT_EMPTY_PATH, STATX_TYPE, &look) != 0) return true;
  return (look.stx_attributes_mask & look.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

// Labels that the system gives by itself say nothing about who had the directory.
bool has_attributes(int directory) {
  std::array<char, 4096> names{};
  const ssize_t size = ::flistxattr(directory, names.data(), names.size());
  if (size < 0) return errno != ENOTSUP;
  std::string_view rest(names.data(), static_cast<std::size_t>(size));
  while (!rest.empty()) {
    const std::string_view name = rest.substr(0, rest.find('\0'));
    if (name != "security.selinux") return true;
    rest.remove_prefix(name.size() + 1);
  }
  unsigned flags = 0;
  return ::ioctl(directory, FS_IOC_GETFLAGS, &flags) == 0 && (flags & k_inherited_flags) != 0;
}

class Sweeper {
 public:
  Sweeper(const struct ::stat& fresh, const Files& wanted, const StatCache& known)
      : fresh_(fresh), wanted_(wanted), known_(known) {}

  // False when the whole is odd.
  bool visit(const Fd& directory, const std::string& prefix, int depth) {
    const auto entries = list_directory(directory.get());
    if (!entries || depth > k_depth_max) return false;
    for (const DirectoryEntry& entry : *entries) {
      const std::string path = prefix + entry.name;
      const bool stays =
          S_ISDIR(entry.stat.st_mode) ? keeps_directory(directory, entry, path, depth) : keeps_file(entry, path);
      if (odd_ || (!stays && !remove(directory.get(), entry.name.c_str(), depth))) return false;
    }
    return true;
  }

  // Whether a directory is as one that was just made.
  bool is_like_fresh(const Fd& directory) {
    struct ::stat stat {};
    if (::fstat(directory.get(), &stat) != 0 || stat.st_dev != fresh_.st_dev || is_mount_point(directory.get())) {
      odd_ = true;
      return false;
    }
    return stat.st_mode == fresh_.st_mode && stat.st_uid == fresh_.st_uid && stat.st_gid == fresh_.st_gid &&
           !has_attributes(directory.get());
  }

  Kept take() { return std::move(kept_); }

 private:
  bool keeps_directory(const Fd& parent, const DirectoryEntry& entry, const std::string& path, int depth) {
    const auto below = wanted_.lower_bound(path + "/");
    if (below == wanted_.end() || !below->first.starts_with(path + "/")) return false;
    const Fd directory = open_directory_at(parent.get(), entry.name.c_str());
    if (!directory || !is_like_fresh(directory)) return false;
    if (!visit(directory, path + "/", depth + 1)) {
      odd_ = true;
      return false;
    }
    kept_.directories.insert(path);
    return true;
  }

  bool keeps_file(const DirectoryEntry& entry, const std::string& path) {
    const auto wanted = wanted_.find(path);
    const auto known = known_.find(path);
    if (wanted == wanted_.end() || known == known_.end() || known->second.entry != wanted->second) return false;
    const struct ::stat& now = entry.stat;
    if (now.st_nlink != 1 || now.st_dev != fresh_.st_dev || now.st_uid != fresh_.st_uid ||
        now.st_gid != fresh_.st_gid || !looks_unchanged(known->second, now)) {
      return false;
    }
    // The umask of today.
    const ::mode_t bits = wanted->second.mode == GIT_FILEMODE_BLOB_EXECUTABLE ? 0777 : 0666;
    if (!S_ISLNK(now.st_mode) && (now.st_mode & 07777) != (fresh_.st_mode & bits)) return false;
    kept_.files.emplace(path, WrittenFile{.entry = wanted->second, .stat = now});
    return true;
  }

  // False when something stays.
  bool remove(int parent, const char* name, int depth) {
    if (::unlinkat(parent, name, 0) == 0 || errno == ENOENT) return true;
    if (depth > k_depth_max) return false;
    Fd directory = open_directory_at(parent, name);
    if (!directory) {
      const std::optional<struct ::stat> stat = stat_at(parent, name);
      if (!stat || !S_ISDIR(stat->st_mode) || ::fchmodat(parent, name, 0700, 0) != 0) return false;
      directory = open_directory_at(parent, name);
    }
    struct ::stat stat {};
    if (!directory || ::fstat(directory.get(), &stat) != 0) return false;
    if (stat.st_dev != fresh_.st_dev || is_mount_point(directory.get())) return false;
    if ((stat.st_mode & 0700) != 0700) ::fchmod(directory.get(), 0700);
    const auto entries = list_directory(directory.get());
    if (!entries) return false;
    for (const DirectoryEntry& entry : *entries) {
      if (!remove(directory.get(), entry.name.c_str(), depth + 1)) return false;
    }
    return ::unlinkat(parent, name, AT_REMOVEDIR) == 0;
  }

  const struct ::stat& fresh_;
  const Files& wanted_;
  const StatCache& known_;
  Kept kept_;
  bool odd_ = false;
};

// Writes files in the order of their paths; a directory stays open as long as its files come.
class Filler {
 public:
  Filler(const BareView& view, const Fd& root, Kept kept) : view_(view), root_(root), kept_(std::move(kept)) {}

  Status write(const std::string& path, const FileEntry& entry) {
    if (is_forbidden_path(path)) {
      return Error{ErrorCode::corrupt, "the tree has a file '" + printable_path(path) + "', which git forbids"};
    }
    const std::size_t slash = path.rfind('/');
    BERNSTEIN_TRY_VOID(enter(slash == std::string::npos ? "" : path.substr(0, slash)));
    const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
    WrittenFile file{.entry = entry};
    if (entry.mode == GIT_FILEMODE_COMMIT) {
      if (::mkdirat(directory_.get(), name.c_str(), k_permissions) != 0) {
        return file_fault("cannot make the directory", path);
      }
      file.stat = stat_at(directory_.get(), name.c_str()).value_or(file.stat);
    } else {
      BERNSTEIN_TRY(file.stat, write_tree_file(view_, directory_, name, entry, path));
    }
    kept_.files.emplace(path, file);
    BERNSTEIN_FAILPOINT("git.recycle.after_file");
    return Ok{};
  }

  WrittenFiles take() { return std::move(kept_.files); }

 private:
  // Opens the directory of that path. It was kept, or is made: one that is there nevertheless is another one on a file
  // system that folds case.
  Status enter(const std::string& path) {
    if (directory_ && path == open_) return Ok{};
    directory_ = open_directory_at(root_.get(), ".");
    for (std::size_t end = 0; end < path.size() && directory_;) {
      const std::size_t begin = end == 0 ? 0 : end + 1;
      end = std::min(path.find('/', begin), path.size());
      const std::string name = path.substr(begin, end - begin);
      if (kept_.directories.insert(path.substr(0, end)).second &&
          ::mkdirat(directory_.get(), name.c_str(), k_permissions) != 0) {
        return file_fault("cannot make the directory", path.substr(0, end));
      }
      directory_ = open_directory_at(directory_.get(), name.c_str());
    }
    if (!directory_) return file_fault("cannot open the directory", path);
    open_ = path;
    return Ok{};
  }

  const BareView& view_;
  const Fd& root_;
  Kept kept_;
  Fd directory_;
  std::string open_;
};

}  // namespace

std::optional<Kept> sweep(const Fd& directory, const struct ::stat& fresh, const Files& wanted,
                          const StatCache& known) {
  Sweeper sweeper(fresh, wanted, known);
  if (!sweeper.is_like_fresh(directory) || !sweeper.visit(directory, "", 0)) return {};
  return sweeper.take();
}

Result<WrittenFiles> fill(const BareView& view, const Fd& directory, const Files& wanted, Kept kept) {
  WrittenFiles standing = kept.files;
  Filler filler(view, directory, std::move(kept));
  for (const auto& [path, entry] : wanted) {
    if (!standing.contains(path)) BERNSTEIN_TRY_VOID(filler.write(path, entry));
  }
  return filler.take();
}

bool is_ordinary(const Fd& directory) {
  return !has_attributes(directory.get());
}

}  // namespace bernstein::git
