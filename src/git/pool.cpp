#include "pool.hpp"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <mutex>

#include "bernstein/failpoint/failpoint.hpp"
#include "files.hpp"
#include "recycle.hpp"

namespace bernstein::git {
namespace {

constexpr std::int64_t k_key_bytes_max = 200;
constexpr std::int64_t k_maps_bytes_max = 64 << 20;

std::string prefix_of(PoolKind kind) {
  return kind == PoolKind::session ? "session-" : "check-";
}

// Boxes in the making are those of a process; what is not ours was left by one that was killed.
std::string mark_of(std::string_view what) {
  return std::string(what) + "-" + std::to_string(::getpid()) + "-";
}

std::vector<std::string> names_in_pool(const Layout& layout) {
  std::vector<std::string> names;
  const Fd pool = open_directory_at(AT_FDCWD, layout.pool().c_str());
  const auto entries = pool ? list_directory(pool.get()) : std::nullopt;
  if (!entries) return names;
  for (const DirectoryEntry& entry : *entries) names.push_back(entry.name);
  return names;
}

bool is_box(const std::string& name) {
  return name.starts_with(prefix_of(PoolKind::session)) || name.starts_with(prefix_of(PoolKind::checkout));
}

Status clear_remains(const Layout& layout) {
  for (const std::string& name : names_in_pool(layout)) {
    if (is_box(name) || name.starts_with(mark_of("new")) || name.starts_with(mark_of("taken"))) continue;
    BERNSTEIN_TRY_VOID(discard(layout.pool() + "/" + name, layout.trash()));
  }
  return Ok{};
}

bool leads_below(int directory, const char* name, const std::string& place) {
  const auto target = read_link(directory, name);
  return target && target->starts_with(place);
}

// The numbers of a line of /proc/<pid>/maps are followed by the path.
bool has_mapped(int process, const std::string& place) {
  const Fd maps(::openat(process, "maps", O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  std::string tail;
  std::string chunk(1 << 16, '\0');
  for (std::int64_t left = k_maps_bytes_max; maps && left > 0;) {
    const ssize_t count = ::read(maps.get(), chunk.data(), chunk.size());
    if (count <= 0) return false;
    left -= count;
    tail.append(chunk, 0, static_cast<std::size_t>(count));
    if (tail.find(place) != std::string::npos) return true;
    if (tail.size() > place.size()) tail.erase(0, tail.size() - place.size());
  }
  return false;
}

// Whether a living process that we may look at works in the directory or holds a file of it: what an agent left behind
// would see, and could change, what the next one does there.
bool is_in_use(const std::string& directory) {
  const Fd processes = open_directory_at(AT_FDCWD, "/proc");
  const auto entries = processes ? list_directory(processes.get()) : std::nullopt;
  if (!entries) return true;  // it cannot be known
  const std::string own = std::to_string(::getpid());
  for (const DirectoryEntry& entry : *entries) {
    if (entry.name == own || entry.name.find_first_not_of("0123456789") != std::string::npos) continue;
    const Fd process = open_directory_at(processes.get(), entry.name.c_str());
    if (!process) continue;
    if (leads_below(process.get(), "cwd", directory) || leads_below(process.get(), "root", directory)) return true;
    const Fd open = open_directory_at(process.get(), "fd");
    for (const DirectoryEntry& file :
         (open ? list_directory(open.get()) : std::nullopt).value_or(std::vector<DirectoryEntry>{})) {
      if (leads_below(open.get(), file.name.c_str(), directory)) return true;
    }
    if (has_mapped(process.get(), directory)) return true;
  }
  return false;
}

Files files_of(const StatCache& known) {
  Files files;
  for (const auto& [path, file] : known) files.emplace(path, file.entry);
  return files;
}

// What is known of the files in a box; nothing when they are not those of the key.
std::optional<StatCache> read_known(const std::string& box, const std::string& key) {
  if (key.empty() || read_plain(box + "/key", k_key_bytes_max) != key) return {};
  struct ::stat stat {};
  const std::string known = box + "/known";
  if (::lstat(known.c_str(), &stat) != 0 || !S_ISREG(stat.st_mode)) return {};
  StatCache cache = read_stat_cache(known);
  if (cache.empty()) return {};
  return cache;
}

// The files of the box as the tree has them; nothing when the box is not to be used.
std::optional<WrittenFiles> refit(const std::string& box, const WantedTree& wanted, const struct ::stat& fresh) {
  const auto known = read_known(box, wanted.key);
  if (!known || is_in_use(box + "/files")) return {};
  const Result<Fd> directory = open_directory(box + "/files");
  if (!directory) return {};
  auto kept = sweep(*directory, fresh, wanted.files, *known);
  if (!kept) return {};
  BERNSTEIN_FAILPOINT("git.pool.swept");
  // What the disk or the tree refuses is told by whoever writes it anew.
  Result<WrittenFiles> written = fill(wanted.view, *directory, wanted.files, *std::move(kept));
  if (!written) return {};
  return *std::move(written);
}

// Takes a box for this process alone, under a new name; "" when there is none.
std::string claim(const Layout& layout, PoolKind kind) {
  for (const std::string& name : names_in_pool(layout)) {
    if (!name.starts_with(prefix_of(kind))) continue;
    const std::string taken = layout.pool() + "/" + mark_of("taken") + name;
    if (::rename((layout.pool() + "/" + name).c_str(), taken.c_str()) == 0) return taken;
  }
  return "";
}

// Puts what is in the directory and in the cache together; nothing when it is not fit for the pool.
std::optional<std::string> pack(const Layout& layout, const std::string& box, const std::string& worktree,
                                const std::string& cache) {
  const std::string files = box + "/files";
  const std::string key = read_plain(cache + ".key", k_key_bytes_max).value_or("");
  struct ::stat fresh {};
  const bool moved = ::rename((cache + ".key").c_str(), (box + "/key").c_str()) == 0 &&
                     ::rename(cache.c_str(), (box + "/known").c_str()) == 0 && ::mkdir(files.c_str(), 0777) == 0 &&
                     ::lstat(files.c_str(), &fresh) == 0;
  remove_stat_cache(cache);
  BERNSTEIN_FAILPOINT("git.pool.after_cache");
  if (!moved || ::rename(worktree.c_str(), files.c_str()) != 0) return {};
  BERNSTEIN_FAILPOINT("git.pool.after_worktree");
  const auto known = read_known(box, key);
  const Result<Fd> directory = open_directory(files);
  if (!known || !directory || !sweep(*directory, fresh, files_of(*known), *known)) return {};
  BERNSTEIN_FAILPOINT("git.pool.packed");
  static_cast<void>(layout);
  return box;
}

// The box becomes one of the pool, where there is room for it.
bool enter_pool(const Layout& layout, PoolKind kind, const std::string& box) {
  static std::mutex one_at_a_time;  // or two would take the last place
  const std::lock_guard lock(one_at_a_time);
  const std::vector<std::string> names = names_in_pool(layout);
  const auto is_of_kind = [&](const std::string& name) { return name.starts_with(prefix_of(kind)); };
  if (std::count_if(names.begin(), names.end(), is_of_kind) >= k_boxes_max) return false;
  const std::string letters = box.substr(box.size() - 6);
  return ::rename(box.c_str(), (layout.pool() + "/" + prefix_of(kind) + letters).c_str()) == 0;
}

}  // namespace

Result<WrittenFiles> make_worktree(const Layout& layout, PoolKind kind, const WantedTree& wanted,
                                   const std::string& path) {
  BERNSTEIN_TRY_VOID(make_directories(path));
  BERNSTEIN_TRY(const Fd directory, open_directory(path));
  struct ::stat fresh {};
  if (::fstat(directory.get(), &fresh) != 0) return file_fault("cannot look at", path);
  BERNSTEIN_TRY_VOID(clear_remains(layout));
  while (is_ordinary(directory)) {
    const std::string box = claim(layout, kind);
    if (box.empty()) break;
    BERNSTEIN_FAILPOINT("git.pool.claimed");
    std::optional<WrittenFiles> written = refit(box, wanted, fresh);
    const bool moved = written && ::rename((box + "/files").c_str(), path.c_str()) == 0;
    BERNSTEIN_FAILPOINT("git.pool.moved");
    BERNSTEIN_TRY_VOID(discard(box, layout.trash()));
    if (moved) return *std::move(written);
  }
  return write_tree_files(wanted.view, wanted.tree, directory);
}

Status note_worktree(const Layout& layout, const std::string& name, const std::string& key, const WrittenFiles& written,
                     const std::string& index) {
  const std::string cache = layout.stat_cache(name);
  remove_stat_cache(cache);
  BERNSTEIN_TRY_VOID(write_file(cache + ".key", key));
  return write_stat_cache(written, cache, index);
}

Status give_back(const Layout& layout, PoolKind kind, const std::string& name) {
  const std::string worktree = layout.worktree(name);
  const std::string cache = layout.stat_cache(name);
  BERNSTEIN_TRY_VOID(clear_remains(layout));
  const auto of_kind = [&](const std::string& box) { return box.starts_with(prefix_of(kind)); };
  const std::vector<std::string> names = names_in_pool(layout);
  const bool has_room = std::count_if(names.begin(), names.end(), of_kind) < k_boxes_max;
  if (has_room && exists(cache) && exists(cache + ".key") && exists(worktree)) {
    BERNSTEIN_TRY_VOID(make_directories(layout.pool()));
    std::string box = layout.pool() + "/" + mark_of("new") + "XXXXXX";
    if (::mkdtemp(box.data()) == nullptr) return file_fault("cannot make a directory in", layout.pool());
    const auto packed = pack(layout, box, worktree, cache);
    if (!packed || !enter_pool(layout, kind, box)) BERNSTEIN_TRY_VOID(discard(box, layout.trash()));
  }
  remove_stat_cache(cache);
  BERNSTEIN_FAILPOINT("git.give_back.after_cache");
  return discard(worktree, layout.trash());
}

}  // namespace bernstein::git
