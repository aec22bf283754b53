#include "sync.hpp"

#include <stdio.h>
#include <unistd.h>

#include <cerrno>
#include <set>
#include <utility>

#include "bernstein/failpoint/failpoint.hpp"
#include "checkout.hpp"
#include "names.hpp"
#include "stat_cache.hpp"
#include "tree_writer.hpp"

namespace bernstein::git {
namespace {

constexpr std::int64_t k_index_bytes_max = std::int64_t{1} << 32;

// What stands in our lock of an index; git's own is empty or begins with "DIRC".
constexpr std::string_view k_lock_text =
    "Bernstein updates this checkout. If none runs, resume it or remove this file.\n";

// git's lock of an index: index.lock beside it, made by who holds it and removed when the index was replaced.
//
// Ours is recognised when we were killed holding it. It is made with its text in it, as a hard link of .sdd/index-lock,
// and the new index is written beside it rather than into it. Where there are no hard links it is written in place: one
// that we were killed in the middle of is then taken for somebody else's.
class IndexLock {
 public:
  // Nothing when somebody else holds it. One of ours that is there was left: whoever calls this has the workspace.
  static Result<std::optional<IndexLock>> take(const std::string& sdd, const std::string& index) {
    const std::string path = index + ".lock";
    BERNSTEIN_TRY(bool taken, make(sdd, path));
    if (!taken && read_plain(path, static_cast<std::int64_t>(k_lock_text.size())) == k_lock_text) {
      ::unlink(path.c_str());
      BERNSTEIN_TRY(taken, make(sdd, path));
    }
    if (!taken) return std::optional<IndexLock>();
    ::unlink((index + ".bernstein").c_str());  // of one that was killed before it replaced the index
    return std::optional<IndexLock>(IndexLock(index));
  }
  IndexLock(IndexLock&& other) noexcept : index_(std::exchange(other.index_, "")) {}
  IndexLock& operator=(IndexLock&&) = delete;
  ~IndexLock() {
    if (!index_.empty()) ::unlink((index_ + ".lock").c_str());
  }

  // Puts these bytes in the index's place.
  Status replace(std::string_view bytes) {
    const std::string fresh = index_ + ".bernstein";
    BERNSTEIN_TRY_VOID(write_durably(fresh, bytes));
    BERNSTEIN_FAILPOINT("git.sync_checkout.before_index");
    if (::rename(fresh.c_str(), index_.c_str()) != 0) return file_fault("cannot replace", index_);
    BERNSTEIN_FAILPOINT("git.sync_checkout.after_index");
    return Ok{};
  }

 private:
  explicit IndexLock(std::string index) : index_(std::move(index)) {}

  // False when the file is there.
  static Result<bool> make(const std::string& sdd, const std::string& path) {
    const std::string original = sdd + "/index-lock";
    if (read_plain(original, static_cast<std::int64_t>(k_lock_text.size())) != k_lock_text) {
      BERNSTEIN_TRY_VOID(write_durably(original + ".new", k_lock_text));
      if (::rename((original + ".new").c_str(), original.c_str()) != 0) return file_fault("cannot write", original);
    }
    if (::link(original.c_str(), path.c_str()) == 0) return true;
    if (errno == EEXIST) return false;
    const Result<struct ::stat> written = write_new(AT_FDCWD, path, k_lock_text, 0666);
    if (written) return true;
    if (exists(path)) return false;
    return written.error();
  }

  static Status write_durably(const std::string& path, std::string_view bytes) {
    ::unlink(path.c_str());
    BERNSTEIN_TRY_VOID(write_file(path, bytes));
    const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!file || ::fsync(file.get()) != 0) return file_fault("cannot write", path);
    return Ok{};
  }

  std::string index_;
};

Error in_the_way(std::string what) {
  return {ErrorCode::conflict, std::move(what)};
}

using Changes = std::map<std::string, FileChange>;

// Brings one checkout from one tree to another. ErrorCode::conflict: something of the user's is in the way.
class Move {
 public:
  Move(const Checkout& checkout, const BareView& view, const Files& from, const Changes& changes)
      : checkout_(checkout), view_(view), from_(from), changes_(changes) {}

  // Looks at everything before anything is touched.
  Status inspect() {
    BERNSTEIN_TRY_VOID(inspect_index());
    for (const auto& [path, entry] : checkout_.staged()) {
      if (entry.mode == GIT_FILEMODE_COMMIT) continue;
      BERNSTEIN_TRY(const Standing standing, checkout_.look(path));
      const std::optional<FileEntry> now = as_entry(standing);
      const bool known = standing.kind == Standing::Kind::file || standing.kind == Standing::Kind::nothing;
      if ((known && now == entry) || is_either(path, standing)) continue;
      return in_the_way(printable_path(path) + " has uncommitted changes");
    }
    for (const auto& [path, change] : changes_) BERNSTEIN_TRY_VOID(inspect_change(path, change));
    return Ok{};
  }

  Status apply(git_index* index) {
    for (const auto& [path, change] : changes_) {
      if (change.after) continue;
      BERNSTEIN_TRY_VOID(remove(path));
      BERNSTEIN_FAILPOINT("git.sync_checkout.after_file");
    }
    for (const auto& [path, change] : changes_) {
      if (!change.after) continue;
      BERNSTEIN_TRY_VOID(write(path, *change.after));
      BERNSTEIN_FAILPOINT("git.sync_checkout.after_file");
    }
    for (const auto& [path, change] : changes_) {
      if (!change.after) git_index_remove(index, path.c_str(), 0);  // not there: it has been done
    }
    for (const auto& [path, change] : changes_) {
      if (!change.after) continue;
      const auto place = find_place(checkout_.root(), path);
      const auto stat = place ? stat_at(place->parent.get(), place->name.c_str()) : std::nullopt;
      if (!stat) return in_the_way(printable_path(path) + " vanished while the checkout was updated");
      git_index_entry entry{};
      set_stat(entry, *stat);
      entry.id = change.after->id.id;
      entry.mode = change.after->mode;
      entry.path = path.c_str();
      BERNSTEIN_TRY_VOID(check(git_index_add(index, &entry), "cannot add '" + printable_path(path) + "' to the index"));
    }
    return Ok{};
  }

 private:
  static std::optional<FileEntry> as_entry(const Standing& standing) {
    if (standing.kind == Standing::Kind::file) return standing.entry;
    return {};
  }

  // As before the move, or as after it: a path that does not change has only the former.
  bool is_either(const std::string& path, const Standing& standing) const {
    if (standing.kind == Standing::Kind::other) return false;
    const auto change = changes_.find(path);
    if (change == changes_.end()) return false;
    // A directory stands where the other tree has files below the path; inspect_directory looks into it.
    if (standing.kind == Standing::Kind::directory) return !change->second.before || !change->second.after;
    return as_entry(standing) == change->second.before || as_entry(standing) == change->second.after;
  }

  Status inspect_index() const {
    const Files& staged = checkout_.staged();
    const auto find = [](const Files& files, const std::string& path) -> std::optional<FileEntry> {
      const auto found = files.find(path);
      if (found == files.end()) return {};
      return found->second;
    };
    std::set<std::string> paths;
    for (const auto& [path, entry] : staged) {
      if (find(from_, path) != entry) paths.insert(path);
    }
    for (const auto& [path, entry] : from_) {
      if (!staged.contains(path)) paths.insert(path);
    }
    for (const std::string& path : paths) {
      const auto change = changes_.find(path);
      if (change != changes_.end() && find(staged, path) == change->second.after) continue;
      return in_the_way(printable_path(path) + " has staged changes");
    }
    return Ok{};
  }

  Status inspect_change(const std::string& path, const FileChange& change) {
    const auto is_submodule = [](const std::optional<FileEntry>& entry) {
      return entry && entry->mode == GIT_FILEMODE_COMMIT;
    };
    if (is_submodule(change.before) || is_submodule(change.after)) {
      return in_the_way("the submodule " + printable_path(path) + " changes, which only git itself can follow");
    }
    for (const char* name : {"filter", "working-tree-encoding"}) {
      const char* value = nullptr;
      BERNSTEIN_TRY_VOID(check(git_attr_get(&value, view_.repository.get(), 0, path.c_str(), name),
                               "cannot read the attributes of '" + printable_path(path) + "'"));
      if (git_attr_value(value) == GIT_ATTR_VALUE_STRING) {
        return in_the_way(printable_path(path) + " has the attribute " + name + "=" + value +
                          ", which only git itself can follow");
      }
    }
    for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
      const std::string parent = path.substr(0, slash);
      BERNSTEIN_TRY(const Standing standing, checkout_.look(parent));
      if (standing.kind == Standing::Kind::nothing) break;
      if (standing.kind == Standing::Kind::directory) continue;
      const auto gives_way = changes_.find(parent);
      if (gives_way != changes_.end() && as_entry(standing) == gives_way->second.before && !gives_way->second.after) {
        break;
      }
      if (change.after) return in_the_way(printable_path(parent) + " is in the way of " + printable_path(path));
      break;
    }
    BERNSTEIN_TRY(const Standing standing, checkout_.look(path));
    seen_.emplace(path, standing);
    if (standing.kind == Standing::Kind::directory) {
      if (!change.after) return Ok{};  // it is gone, and a directory has its name
      return inspect_directory(path, path);
    }
    if (is_either(path, standing)) return Ok{};
    return in_the_way(change.before ? printable_path(path) + " has uncommitted changes"
                                    : "the untracked file " + printable_path(path) + " is in the way");
  }

  // A directory that a file replaces may hold only what the move removes.
  Status inspect_directory(const std::string& path, const std::string& file) const {
    const auto place = find_place(checkout_.root(), path);
    const Fd directory = place ? open_directory_at(place->parent.get(), place->name.c_str()) : Fd();
    const auto entries = directory ? list_directory(directory.get()) : std::nullopt;
    if (!entries) return in_the_way("the directory " + printable_path(path) + " cannot be read");
    for (const DirectoryEntry& entry : *entries) {
      const std::string below = path + "/" + entry.name;
      if (S_ISDIR(entry.stat.st_mode)) {
        BERNSTEIN_TRY_VOID(inspect_directory(below, file));
        continue;
      }
      const auto change = changes_.find(below);
      if (change == changes_.end() || change->second.after) {
        return in_the_way("the untracked file " + printable_path(below) + " is in the way of " + printable_path(file));
      }
    }
    return Ok{};
  }

  // The last look, immediately before a file is touched.
  Status check_untouched(const std::string& path, const std::optional<struct ::stat>& now) const {
    const Standing& before = seen_.at(path);
    // A directory has made room by now, or the operation that follows fails.
    if (before.kind == Standing::Kind::directory) return Ok{};
    const bool was_there = before.kind != Standing::Kind::nothing;
    const auto same = [](const struct ::stat& a, const struct ::stat& b) {
      return a.st_ino == b.st_ino && a.st_dev == b.st_dev && a.st_size == b.st_size && a.st_mode == b.st_mode &&
             a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec &&
             a.st_ctim.tv_sec == b.st_ctim.tv_sec && a.st_ctim.tv_nsec == b.st_ctim.tv_nsec;
    };
    if (was_there ? (now && same(before.stat, *now)) : !now) return Ok{};
    return in_the_way(printable_path(path) + " changed while the checkout was updated");
  }

  Status remove(const std::string& path) {
    const auto place = find_place(checkout_.root(), path);
    const auto now = place ? stat_at(place->parent.get(), place->name.c_str()) : std::nullopt;
    if (!now || S_ISDIR(now->st_mode)) return Ok{};
    BERNSTEIN_TRY_VOID(check_untouched(path, now));
    if (::unlinkat(place->parent.get(), place->name.c_str(), 0) != 0) {
      return file_fault("cannot remove", checkout_.worktree() + "/" + path);
    }
    // Directories that are empty now go too; one that is not refuses.
    std::string parent = path;
    for (std::size_t slash = parent.rfind('/'); slash != std::string::npos; slash = parent.rfind('/')) {
      parent.resize(slash);
      const auto above = find_place(checkout_.root(), parent);
      if (!above || ::unlinkat(above->parent.get(), above->name.c_str(), AT_REMOVEDIR) != 0) break;
    }
    return Ok{};
  }

  Status write(const std::string& path, const FileEntry& entry) {
    const Standing& before = seen_.at(path);
    if (as_entry(before) == entry) return Ok{};
    const std::string where = checkout_.worktree() + "/" + path;
    BERNSTEIN_TRY(const Place place, make_place(checkout_.root(), path));
    const std::string fresh = ".bernstein-" + to_hex(entry.id).substr(0, 12) + "~";
    ::unlinkat(place.parent.get(), fresh.c_str(), 0);  // of an earlier attempt
    if (entry.mode == GIT_FILEMODE_LINK) {
      BERNSTEIN_TRY(const Blob blob, make<Blob>("cannot read '" + printable_path(path) + "'", git_blob_lookup,
                                                view_.repository.get(), entry.id.get()));
      const std::string target(static_cast<const char*>(git_blob_rawcontent(blob.get())),
                               static_cast<std::size_t>(git_blob_rawsize(blob.get())));
      BERNSTEIN_TRY_VOID(link_new(place.parent.get(), fresh, target));
    } else {
      BERNSTEIN_TRY(const std::string bytes, file_bytes(view_, entry.id, path));
      const ::mode_t mode = entry.mode == GIT_FILEMODE_BLOB_EXECUTABLE ? 0777 : 0666;
      BERNSTEIN_TRY_VOID(write_new(place.parent.get(), fresh, bytes, mode));
    }
    BERNSTEIN_FAILPOINT("git.sync_checkout.before_rename");
    const Status untouched = check_untouched(path, stat_at(place.parent.get(), place.name.c_str()));
    // A file that appears in this instant where there was none is not replaced.
    const unsigned flags = before.kind == Standing::Kind::file ? 0U : static_cast<unsigned>(RENAME_NOREPLACE);
    if (before.kind == Standing::Kind::directory) {
      ::unlinkat(place.parent.get(), place.name.c_str(), AT_REMOVEDIR);  // when only empty directories were in it
    }
    if (untouched &&
        ::renameat2(place.parent.get(), fresh.c_str(), place.parent.get(), place.name.c_str(), flags) == 0) {
      return Ok{};
    }
    const Error error = untouched ? (errno == EEXIST ? in_the_way(printable_path(path) + " is in the way")
                                                     : file_fault("cannot write", where))
                                  : untouched.error();
    ::unlinkat(place.parent.get(), fresh.c_str(), 0);
    return error;
  }

  const Checkout& checkout_;
  const BareView& view_;
  const Files& from_;
  const Changes& changes_;
  std::map<std::string, Standing> seen_;
};

Status follow(const Layout& layout, Checkout& checkout, const std::string& from, const std::string& to) {
  BERNSTEIN_TRY(const BareView view, open_bare_view(layout));
  git_repository* repository = view.repository.get();
  BERNSTEIN_TRY(const Tree old_tree, find_tree(repository, from));
  BERNSTEIN_TRY(const Tree new_tree, find_tree(repository, to));
  const Oid old_id(git_tree_id(old_tree.get()));
  const Oid new_id(git_tree_id(new_tree.get()));
  BERNSTEIN_TRY(const Files files, files_of(repository, old_id));
  BERNSTEIN_TRY(const Changes changes, compare_trees(repository, old_id, new_id));
  BERNSTEIN_TRY(const Files new_files, files_of(repository, new_id));
  BERNSTEIN_TRY_VOID(load_attributes(view, new_files));

  BERNSTEIN_TRY_VOID(make_directories(layout.sdd));
  BERNSTEIN_TRY(std::optional<IndexLock> lock, IndexLock::take(layout.sdd, checkout.index_path()));
  if (!lock) {
    return in_the_way("another git process is at work there (" + checkout.index_path() + ".lock exists)");
  }
  BERNSTEIN_FAILPOINT("git.sync_checkout.after_lock");
  BERNSTEIN_TRY_VOID(checkout.load_index());
  Move move(checkout, view, files, changes);
  BERNSTEIN_TRY_VOID(move.inspect());

  // libgit2 wants to lock what it writes, and we hold the lock: it edits a copy.
  const std::optional<std::string> bytes = read_plain(checkout.index_path(), k_index_bytes_max);
  if (!bytes) return in_the_way("the index cannot be read");
  const std::string copy = layout.sdd + "/index-copy";
  ::unlink((copy + ".lock").c_str());  // libgit2's, of a process of ours that was killed
  BERNSTEIN_TRY_VOID(write_file(copy, *bytes));
  const auto edit = [&]() -> Result<std::string> {
    BERNSTEIN_TRY(const Index index, make<Index>("cannot read the index", git_index_open, copy.c_str()));
    BERNSTEIN_TRY_VOID(move.apply(index.get()));
    BERNSTEIN_TRY_VOID(check(git_index_write(index.get()), "cannot write the index"));
    const std::optional<std::string> edited = read_plain(copy, k_index_bytes_max);
    if (!edited) return file_fault("cannot read", copy);
    return *edited;
  };
  const Result<std::string> edited = edit();
  ::unlink(copy.c_str());
  if (!edited) return edited.error();
  return lock->replace(*edited);
}

}  // namespace

Result<port::SyncResult> sync_checkout(const Layout& layout, const std::string& target, const std::string& from,
                                       const std::string& to) {
  BERNSTEIN_TRY(std::optional<Checkout> checkout, Checkout::find(layout, target));
  if (!checkout) return port::SyncResult{SyncOutcome::not_checked_out, ""};
  const Status followed = follow(layout, *checkout, from, to);
  BERNSTEIN_FAILPOINT("git.sync_checkout.after_unlock");
  if (followed) return port::SyncResult{SyncOutcome::updated, ""};
  if (followed.error().code == ErrorCode::conflict) {
    return port::SyncResult{SyncOutcome::left_alone, followed.error().message};
  }
  return followed.error();
}

}  // namespace bernstein::git
