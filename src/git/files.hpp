#pragma once
// Files below a directory that somebody else may have filled: nothing here follows a symbolic link, opens a pipe or
// waits for a device.
//
//     BERNSTEIN_TRY(Fd root, open_directory(worktree));
//     BERNSTEIN_TRY(Place place, make_place(root, "src/a.cpp"));       // directories are made on the way
//     BERNSTEIN_TRY_VOID(write_new(place, bytes, 0644));

#include <fcntl.h>
#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bernstein/base/result.hpp"

namespace bernstein::git {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) close(), fd_ = std::exchange(other.fd_, -1);
    return *this;
  }
  ~Fd() { close(); }

  void close();
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// "cannot write '/x/y': No space left on device", of the errno of the moment.
Error file_fault(std::string_view what, std::string_view path);

Result<Fd> open_directory(const std::string& path);  // an absolute path of ours
Fd open_directory_at(int parent, const char* name);  // no link; closed when it is none
Status make_directories(const std::string& path);    // absolute

struct DirectoryEntry {
  std::string name;
  struct ::stat stat {};
};
// What stands in a directory, by name; nothing when it cannot be read.
std::optional<std::vector<DirectoryEntry>> list_directory(int directory);

// A name in an open directory.
struct Place {
  Fd parent;
  std::string name;
};
// Nothing when a directory on the way is missing or no directory.
std::optional<Place> find_place(const Fd& root, std::string_view path);
Result<Place> make_place(const Fd& root, std::string_view path);

std::optional<struct ::stat> stat_at(int parent, const char* name);  // of the link itself; nothing when absent

// The bytes of a regular file of at most `bytes_max`; nothing when it is absent, too large or anything else.
std::optional<std::string> read_plain(int parent, const char* name, std::int64_t bytes_max);
std::optional<std::string> read_plain(const std::string& path, std::int64_t bytes_max);
std::optional<std::string> read_link(int parent, const char* name);

// Makes a file that is not there yet and tells its state after the write.
Result<struct ::stat> write_new(int parent, const std::string& name, std::string_view bytes, ::mode_t mode);
Result<struct ::stat> link_new(int parent, const std::string& name, const std::string& target);
Status write_file(const std::string& path, std::string_view bytes);  // a place of ours; replaces what is there

// Removes a file, or a directory and all that is in it; read-only directories are made writable for that. Absent is
// fine. What cannot be removed stays.
void remove_tree(int parent, const char* name);

// Moves `path` into the directory `trash` under a name of its own, at once, then deletes it there; with it what other
// processes, killed meanwhile, left in the trash.
Status discard(const std::string& path, const std::string& trash);

bool exists(const std::string& path);  // whatever it is

// Whether a living process that we may look at has the file open, be it ours. Absent: false.
bool is_open_somewhere(const std::string& path);

}  // namespace bernstein::git
