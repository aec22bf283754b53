#include "files.hpp"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <system_error>

#include "bernstein/failpoint/failpoint.hpp"

namespace bernstein::git {
namespace {

constexpr int k_read = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
constexpr int k_directory = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;

std::optional<std::string> read_plain(Fd file, std::int64_t bytes_max) {
  struct ::stat stat {};
  if (!file || ::fstat(file.get(), &stat) != 0 || !S_ISREG(stat.st_mode) || stat.st_size > bytes_max) return {};
  std::string bytes(static_cast<std::size_t>(stat.st_size), '\0');
  std::size_t filled = 0;
  while (filled < bytes.size()) {
    const ssize_t count = ::read(file.get(), bytes.data() + filled, bytes.size() - filled);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return {};
    if (count == 0) break;  // it became shorter meanwhile
    filled += static_cast<std::size_t>(count);
  }
  bytes.resize(filled);
  return bytes;
}

Status write_all(const Fd& file, std::string_view bytes, std::string_view path) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(file.get(), bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return file_fault("cannot write", path);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return Ok{};
}

// The parts of a repository path; they are never empty, "." or "..".
std::vector<std::string> parts_of(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    if (slash > 0) parts.emplace_back(path.substr(0, slash));
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return parts;
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// What processes left there that were killed: everything is the trash of one process, by its pid.
void empty_trash_of_others(const std::string& trash, const std::string& prefix) {
  const Fd directory = open_directory_at(AT_FDCWD, trash.c_str());
  const auto boxes = directory ? list_directory(directory.get()) : std::nullopt;
  if (!boxes) return;
  for (const DirectoryEntry& box : *boxes) {
    if (!box.name.starts_with(prefix)) remove_tree(directory.get(), box.name.c_str());
  }
}

}  // namespace

void Fd::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

Error file_fault(std::string_view what, std::string_view path) {
  const std::string reason = std::generic_category().message(errno);
  return {ErrorCode::environment, std::string(what) + " '" + std::string(path) + "': " + reason};
}

Result<Fd> open_directory(const std::string& path) {
  Fd fd(::open(path.c_str(), k_directory));
  if (!fd) return file_fault("cannot open the directory", path);
  return fd;
}

Fd open_directory_at(int parent, const char* name) {
  return Fd(::openat(parent, name, k_directory));
}

Status make_directories(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return Error{ErrorCode::environment, "cannot make the directory '" + path + "': " + error.message()};
  return Ok{};
}

std::optional<std::vector<DirectoryEntry>> list_directory(int directory) {
  // A descriptor of its own: readdir moves the position, and closedir closes it.
  const int copy = ::openat(directory, ".", k_directory);
  if (copy < 0) return {};
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(copy), ::closedir);
  if (stream == nullptr) return ::close(copy), std::nullopt;
  std::vector<DirectoryEntry> entries;
  while (const dirent* next = ::readdir(stream.get())) {
    const std::string_view name = next->d_name;
    if (name == "." || name == "..") continue;
    DirectoryEntry entry{.name = std::string(name)};
    if (::fstatat(directory, next->d_name, &entry.stat, AT_SYMLINK_NOFOLLOW) == 0) entries.push_back(std::move(entry));
  }
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return entries;
}

std::optional<Place> find_place(const Fd& root, std::string_view path) {
  const std::vector<std::string> parts = parts_of(path);
  if (parts.empty()) return {};
  Fd directory = open_directory_at(root.get(), ".");
  for (std::size_t i = 0; i + 1 < parts.size() && directory; ++i) {
    directory = open_directory_at(directory.get(), parts[i].c_str());
  }
  if (!directory) return {};
  return Place{std::move(directory), parts.back()};
}

Result<Place> make_place(const Fd& root, std::string_view path) {
  const std::vector<std::string> parts = parts_of(path);
  if (parts.empty()) return Error{ErrorCode::invalid_input, "'" + std::string(path) + "' names no file"};
  Fd directory = open_directory_at(root.get(), ".");
  for (std::size_t i = 0; i + 1 < parts.size() && directory; ++i) {
    if (::mkdirat(directory.get(), parts[i].c_str(), 0777) != 0 && errno != EEXIST) {
      return file_fault("cannot make the directories of", path);
    }
    directory = open_directory_at(directory.get(), parts[i].c_str());
  }
  if (!directory) return file_fault("cannot open the directory of", path);
  return Place{std::move(directory), parts.back()};
}

std::optional<struct ::stat> stat_at(int parent, const char* name) {
  struct ::stat stat {};
  if (::fstatat(parent, name, &stat, AT_SYMLINK_NOFOLLOW) != 0) return {};
  return stat;
}

std::optional<std::string> read_plain(int parent, const char* name, std::int64_t bytes_max) {
  return read_plain(Fd(::openat(parent, name, k_read)), bytes_max);
}

std::optional<std::string> read_plain(const std::string& path, std::int64_t bytes_max) {
  return read_plain(Fd(::open(path.c_str(), k_read)), bytes_max);
}

std::optional<std::string> read_link(int parent, const char* name) {
  std::string target(PATH_MAX, '\0');
  const ssize_t count = ::readlinkat(parent, name, target.data(), target.size());
  if (count < 0) return {};
  target.resize(static_cast<std::size_t>(count));
  return target;
}

Result<struct ::stat> write_new(int parent, const std::string& name, std::string_view bytes, ::mode_t mode) {
  const Fd file(::openat(parent, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!file) return file_fault("cannot create", name);
  BERNSTEIN_TRY_VOID(write_all(file, bytes, name));
  struct ::stat stat {};
  if (::fstat(file.get(), &stat) != 0) return file_fault("cannot look at", name);
  return stat;
}

Result<struct ::stat> link_new(int parent, const std::string& name, const std::string& target) {
  if (::symlinkat(target.c_str(), parent, name.c_str()) != 0) return file_fault("cannot create the link", name);
  const std::optional<struct ::stat> stat = stat_at(parent, name.c_str());
  if (!stat) return file_fault("cannot look at", name);
  return *stat;
}

Status write_file(const std::string& path, std::string_view bytes) {
  const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666));
  if (!file) return file_fault("cannot create", path);
  return write_all(file, bytes, path);
}

void remove_tree(int parent, const char* name) {
  if (::unlinkat(parent, name, 0) == 0 || errno == ENOENT) return;
  Fd directory = open_directory_at(parent, name);
  if (!directory) {
    // No O_PATH descriptor can be chmod'ed portably; fchmodat follows links, so it is asked for directories alone.
    const std::optional<struct ::stat> stat = stat_at(parent, name);
    if (!stat || !S_ISDIR(stat->st_mode) || ::fchmodat(parent, name, 0700, 0) != 0) return;
    directory = open_directory_at(parent, name);
    if (!directory) return;
  }
  struct ::stat stat {};
  if (::fstat(directory.get(), &stat) == 0 && (stat.st_mode & 0700) != 0700) ::fchmod(directory.get(), 0700);
  for (const DirectoryEntry& entry : list_directory(directory.get()).value_or(std::vector<DirectoryEntry>{})) {
    remove_tree(directory.get(), entry.name.c_str());
  }
  ::unlinkat(parent, name, AT_REMOVEDIR);
}

Status discard(const std::string& path, const std::string& trash) {
  const std::string prefix = std::to_string(::getpid()) + "-";
  empty_trash_of_others(trash, prefix);
  if (!exists(path)) return Ok{};
  BERNSTEIN_TRY_VOID(make_directories(trash));
  std::string box = trash + "/" + prefix + "XXXXXX";
  if (::mkdtemp(box.data()) == nullptr) return file_fault("cannot make a directory in", trash);
  // A directory that may not be written cannot be moved to another parent, since its ".." changes.
  struct ::stat stat {};
  if (::lstat(path.c_str(), &stat) == 0 && S_ISDIR(stat.st_mode) && (stat.st_mode & 0200) == 0) {
    ::chmod(path.c_str(), 0700);
  }
  if (::rename(path.c_str(), (box + "/gone").c_str()) != 0 && errno != ENOENT) {
    const Error error = file_fault("cannot remove", path);
    ::rmdir(box.c_str());
    return error;
  }
  BERNSTEIN_FAILPOINT("git.discard.after_rename");
  remove_tree(AT_FDCWD, box.c_str());
  return Ok{};
}

bool exists(const std::string& path) {
  struct ::stat stat {};
  return ::lstat(path.c_str(), &stat) == 0;
}

bool is_open_somewhere(const std::string& path) {
  struct ::stat wanted {};
  if (::lstat(path.c_str(), &wanted) != 0) return false;
  const Fd processes = open_directory_at(AT_FDCWD, "/proc");
  const auto entries = processes ? list_directory(processes.get()) : std::nullopt;
  if (!entries) return true;  // it cannot be known
  for (const DirectoryEntry& process : *entries) {
    if (!is_number(process.name)) continue;
    const Fd files = open_directory_at(processes.get(), (process.name + "/fd").c_str());
    const auto open = files ? list_directory(files.get()) : std::nullopt;
    if (!open) continue;  // it has ended, or belongs to another person, whose locks are none of ours
    for (const DirectoryEntry& entry : *open) {
      struct ::stat file {};
      if (::fstatat(files.get(), entry.name.c_str(), &file, 0) != 0) continue;
      if (file.st_dev == wanted.st_dev && file.st_ino == wanted.st_ino) return true;
    }
  }
  return false;
}

}  // namespace bernstein::git
