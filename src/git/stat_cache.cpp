#include "stat_cache.hpp"

#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <tuple>

#include "bernstein/failpoint/failpoint.hpp"

namespace bernstein::git {
namespace {

auto as_tuple(const ::timespec& time) {
  return std::tuple(time.tv_sec, time.tv_nsec);
}

// Waits until a file that is written now gets a later ctime than any of these; false when that takes too long.
bool wait_for_clock(const WrittenFiles& files, const std::string& directory_of_probe) {
  ::timespec last{};
  for (const auto& [path, file] : files) {
    if (as_tuple(last) < as_tuple(file.stat.st_ctim)) last = file.stat.st_ctim;
  }
  const std::string probe = directory_of_probe + ".clock";
  const Fd file(::open(probe.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  bool later = false;
  for (int waited_ms = 0; file && !later && waited_ms <= k_clock_step_ms_max; ++waited_ms) {
    struct ::stat stat {};
    later =
        ::fchmod(file.get(), 0600) == 0 && ::fstat(file.get(), &stat) == 0 && as_tuple(last) < as_tuple(stat.st_ctim);
    const ::timespec millisecond{0, 1'000'000};
    if (!later) ::nanosleep(&millisecond, nullptr);
  }
  ::unlink(probe.c_str());
  return later;
}

std::uint32_t low_bits(std::uint64_t number) {
  return static_cast<std::uint32_t>(number & 0xFFFF'FFFFU);
}

}  // namespace

void set_stat(git_index_entry& entry, const struct ::stat& stat) {
  entry.ctime = {static_cast<std::int32_t>(stat.st_ctim.tv_sec), static_cast<std::uint32_t>(stat.st_ctim.tv_nsec)};
  entry.mtime = {static_cast<std::int32_t>(stat.st_mtim.tv_sec), static_cast<std::uint32_t>(stat.st_mtim.tv_nsec)};
  entry.dev = low_bits(stat.st_dev);
  entry.ino = low_bits(stat.st_ino);
  entry.uid = stat.st_uid;
  entry.gid = stat.st_gid;
  entry.file_size = low_bits(static_cast<std::uint64_t>(stat.st_size));
}

Status write_stat_cache(const WrittenFiles& files, const std::string& path, const std::string& copy) {
  const std::string fresh = path + ".new";
  BERNSTEIN_TRY(const Index index, make<Index>("cannot make the index " + path, git_index_open, fresh.c_str()));
  for (const auto& [name, file] : files) {
    git_index_entry entry{};
    set_stat(entry, file.stat);
    entry.id = file.entry.id.id;
    entry.mode = file.entry.mode;
    entry.path = name.c_str();
    BERNSTEIN_TRY_VOID(check(git_index_add(index.get(), &entry), "cannot add '" + name + "' to the index"));
  }
  const bool trusted = wait_for_clock(files, path);
  BERNSTEIN_TRY_VOID(check(git_index_write(index.get()), "cannot write the index " + path));
  if (!copy.empty()) {
    const std::optional<std::string> bytes = read_plain(fresh, std::int64_t{1} << 40);
    if (!bytes) return file_fault("cannot read back", fresh);
    BERNSTEIN_TRY_VOID(write_file(copy, *bytes));
  }
  // Without entries it is still there, as the sign that the session was completed.
  if (!trusted) BERNSTEIN_TRY_VOID(write_file(fresh, ""));
  BERNSTEIN_FAILPOINT("git.create_session.before_complete");
  if (::rename(fresh.c_str(), path.c_str()) != 0) return file_fault("cannot write", path);
  return Ok{};
}

void remove_stat_cache(const std::string& path) {
  for (const char* suffix : {"", ".new", ".new.lock", ".clock", ".key", ".before", ".before.new"})
    ::unlink((path + suffix).c_str());
}

StatCache read_stat_cache(const std::string& path) {
  StatCache cache;
  git_index* raw = nullptr;
  if (git_index_open(&raw, path.c_str()) < 0) return cache;
  const Index index(raw);
  for (std::size_t i = 0; i < git_index_entrycount(raw); ++i) {
    const git_index_entry* entry = git_index_get_byindex(raw, i);
    KnownFile known{.entry = {&entry->id, static_cast<git_filemode_t>(entry->mode)}, .stat = *entry};
    known.stat.path = nullptr;
    cache.emplace(entry->path, known);
  }
  return cache;
}

bool looks_unchanged(const KnownFile& known, const struct ::stat& now) {
  git_index_entry entry{};
  set_stat(entry, now);
  const auto same_time = [](const git_index_time& a, const git_index_time& b) {
    return a.seconds == b.seconds && a.nanoseconds == b.nanoseconds;
  };
  const bool same_kind = known.entry.mode == GIT_FILEMODE_LINK ? S_ISLNK(now.st_mode) : S_ISREG(now.st_mode);
  return same_kind && same_time(entry.ctime, known.stat.ctime) && same_time(entry.mtime, known.stat.mtime) &&
         entry.ino == known.stat.ino && entry.dev == known.stat.dev && entry.file_size == known.stat.file_size;
}

}  // namespace bernstein::git
