#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string_view>
#include <vector>

#include "bernstein/base/text.hpp"
#include "bernstein/store/store.hpp"
#include "fd.hpp"
#include "file_identity.hpp"

namespace bernstein::store {
namespace {

// What its owner has written into the lock file, "<pid>\n" and then "<run>\n"; nothing when it has not done so yet.
// What a process left behind that is dead by now is not the owner's.
std::optional<Owner> owner_in(int file) {
  std::array<char, 64> text{};
  const ssize_t size = ::pread(file, text.data(), text.size(), 0);
  const std::vector<std::string_view> lines =
      split(std::string_view(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0), '\n');
  if (lines.size() < 2) return std::nullopt;  // its first line is not whole
  Owner owner{.pid = 0, .run = std::string(lines.size() > 2 ? lines[1] : "")};
  const auto [end, error] = std::from_chars(lines[0].data(), lines[0].data() + lines[0].size(), owner.pid);
  const bool whole = error == std::errc{} && end == lines[0].data() + lines[0].size();
  if (!whole || owner.pid <= 0 || (::kill(static_cast<pid_t>(owner.pid), 0) != 0 && errno == ESRCH))
    return std::nullopt;
  return owner;
}

Fd open_to_look(const std::string& path) {
  return Fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
}

std::string owner_at(const std::string& path) {
  const Fd file = open_to_look(path);
  const std::optional<Owner> owner = file.is_open() ? owner_in(file.get()) : std::nullopt;
  return owner ? " (pid " + std::to_string(owner->pid) + ")" : "";
}

bool write_owner(const Fd& file, const std::string& run) {
  const std::string text = std::to_string(::getpid()) + "\n" + (run.empty() ? "" : run + "\n");
  return ::ftruncate(file.get(), 0) == 0 &&
         ::pwrite(file.get(), text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
}

Error cannot_write(const std::string& path) {
  return {ErrorCode::environment, "cannot write '" + path + "': " + std::strerror(errno) + "; free some space"};
}

// flock(2) rather than fcntl: it belongs to the open file, so that closing some other descriptor of the file does not
// drop it. Children do not inherit it (O_CLOEXEC): an agent that outlives us does not keep the workspace.
class FileLock : public Lock {
 public:
  FileLock(Fd file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock() override {
    if (::ftruncate(file_.get(), 0) != 0) return;  // a stale pid in a file that nobody locks harms nobody
  }

  Status work_on(const std::string& run) override {
    return write_owner(file_, run) ? Status(Ok{}) : Status(cannot_write(path_));
  }

  Status still_ours() const override {
    const std::optional<FileIdentity> at_path = identity_of(path_);
    if (at_path && at_path == identity_of(file_.get())) return Ok{};
    if (at_path)
      return Error{ErrorCode::busy,
                   "another Bernstein took over this workspace" + owner_at(path_) + "; this one stops"};
    return Error{ErrorCode::environment,
                 "the lock '" + path_ +
                     "' was deleted from outside, if not all that lies beside it, and another Bernstein may "
                     "take over; this one stops: see what is left there, then resume"};
  }

 private:
  Fd file_;
  std::string path_;
};

enum class Taken { ours, theirs, replaced };

Result<Taken> try_lock(const Fd& file, const std::string& path) {
  if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) {
    // Between our open and our flock somebody may have put another file in its place, and locked that one.
    return identity_of(path) == identity_of(file.get()) ? Taken::ours : Taken::replaced;
  }
  if (errno == EWOULDBLOCK) return Taken::theirs;
  return Error{ErrorCode::environment, "cannot lock '" + path + "': " + std::strerror(errno) +
                                           "; .sdd must be on a file system that has locks"};
}

}  // namespace

Result<std::unique_ptr<Lock>> acquire_lock(const std::string& path) {
  constexpr int k_look_ms = 2;
  // The owner writes its pid after it has locked the file, so whoever comes at the same instant looks a few times.
  for (Micros waited = 0;; waited += k_look_ms * k_second / 1000) {
    const bool enough = waited >= k_owner_wait;
    Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file.is_open()) {
      return Error{ErrorCode::environment, "cannot open the lock '" + path + "': " + std::strerror(errno) +
                                               "; check that the directory exists and may be written"};
    }
    BERNSTEIN_TRY(const Taken taken, try_lock(file, path));
    if (taken == Taken::ours) {
      if (write_owner(file, "")) return std::unique_ptr<Lock>(std::make_unique<FileLock>(std::move(file), path));
      return cannot_write(path);
    }
    const std::optional<Owner> owner = taken == Taken::theirs ? owner_in(file.get()) : std::nullopt;
    if (owner || enough) {
      const std::string who = owner ? "process " + std::to_string(owner->pid) : "a process that has just started";
      const std::string with = owner && !owner->run.empty() ? " with " + owner->run : "";
      return Error{ErrorCode::busy, "another Bernstein owns this workspace: " + who + "; wait until it is done" + with +
                                        ", or end it with 'bernstein stop'"};
    }
    ::poll(nullptr, 0, k_look_ms);
  }
}

std::optional<Owner> find_owner(const std::string& path) {
  // Trying the lock could turn away a run that starts at this very moment. So it is tried only when the process that
  // wrote the file is alive and may or may not be the one that still holds it.
  const Fd file = open_to_look(path);
  std::optional<Owner> owner = file.is_open() ? owner_in(file.get()) : std::nullopt;
  if (!owner || ::flock(file.get(), LOCK_SH | LOCK_NB) == 0) return std::nullopt;
  return owner;
}

}  // namespace bernstein::store
