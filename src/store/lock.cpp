#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "bernstein/base/text.hpp"
#include "bernstein/store/store.hpp"
#include "fd.hpp"

namespace bernstein::store {
namespace {

// flock(2) rather than fcntl: it belongs to the open file, so that closing some other descriptor of the file does not
// drop it. Children do not inherit it (O_CLOEXEC): an agent that outlives us does not keep the workspace.
class FileLock : public Lock {
 public:
  explicit FileLock(Fd file) : file_(std::move(file)) {}
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock() override {
    if (::ftruncate(file_.get(), 0) != 0) return;  // a stale pid in a file that nobody locks harms nobody
  }

 private:
  Fd file_;
};

std::string owner_of(const Fd& file) {
  std::array<char, 32> text{};
  const ssize_t size = ::pread(file.get(), text.data(), text.size(), 0);
  std::string_view pid = size > 0 ? std::string_view(text.data(), static_cast<std::size_t>(size)) : std::string_view();
  pid = trim(pid);
  const bool is_number = !pid.empty() && pid.find_first_not_of("0123456789") == std::string_view::npos;
  return is_number ? "process " + std::string(pid) : "a process that has just started";
}

bool write_pid(const Fd& file) {
  const std::string pid = std::to_string(::getpid()) + "\n";
  return ::ftruncate(file.get(), 0) == 0 &&
         ::pwrite(file.get(), pid.data(), pid.size(), 0) == static_cast<ssize_t>(pid.size());
}

}  // namespace

Result<std::unique_ptr<Lock>> acquire_lock(const std::string& path) {
  Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.is_open()) {
    return Error{ErrorCode::environment, "cannot open the lock '" + path + "': " + std::strerror(errno) +
                                             "; check that the directory exists and may be written"};
  }
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) {
      return Error{ErrorCode::environment, "cannot lock '" + path + "': " + std::strerror(errno) +
                                               "; .sdd must be on a file system that has locks"};
    }
    return Error{ErrorCode::busy, "another Bernstein owns this workspace: " + owner_of(file) +
                                      "; wait until it is done, or end it with 'bernstein stop'"};
  }
  if (!write_pid(file)) {
    return Error{ErrorCode::environment, "cannot write '" + path + "': " + std::strerror(errno) + "; free some space"};
  }
  return std::unique_ptr<Lock>(std::make_unique<FileLock>(std::move(file)));
}

}  // namespace bernstein::store
