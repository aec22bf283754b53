#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include "bernstein/base/sha256.hpp"
#include "bernstein/failpoint/failpoint.hpp"
#include "bernstein/store/store.hpp"
#include "fd.hpp"

namespace bernstein::store {
namespace {

Error io_error(const std::string& doing, const std::string& path, int code) {
  const bool full = code == ENOSPC || code == EDQUOT;
  const std::string remedy = full ? "free some space and resume" : "check that the directory exists and may be written";
  return {ErrorCode::environment, "cannot " + doing + " '" + path + "': " + std::strerror(code) + "; " + remedy};
}

Status make_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return Ok{};
  return io_error("create the directory", path, errno);
}

Status sync_directory(const std::string& path) {
  const Fd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.is_open() || ::fsync(directory.get()) != 0) return io_error("sync", path, errno);
  return Ok{};
}

Status write_all(const Fd& file, const std::string& path, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return io_error("write", path, errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return Ok{};
}

// Content and size first, then the name: whoever sees the name sees all of it, after a power loss too.
class FileBlobs : public port::BlobStore {
 public:
  explicit FileBlobs(std::string directory) : directory_(std::move(directory)) {}

  Result<std::string> put(std::string_view bytes) override {
    std::string digest = to_hex(sha256(bytes));
    const std::string path = path_of(digest);
    struct stat status {};
    const bool there = ::lstat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
                       static_cast<std::size_t>(status.st_size) == bytes.size();
    if (there) return digest;
    BERNSTEIN_TRY_VOID(make_directory(shard_of(digest)));
    BERNSTEIN_TRY_VOID(sync_directory(directory_));
    // Processes that write the same bytes at once each have a temporary file of their own.
    const std::string temporary = path + ".new-" + std::to_string(::getpid());
    Status written = write_file(temporary, bytes);
    BERNSTEIN_FAILPOINT("store.put.before_rename");
    if (written && ::rename(temporary.c_str(), path.c_str()) != 0) written = io_error("write", path, errno);
    BERNSTEIN_FAILPOINT("store.put.after_rename");
    if (!written) {
      ::unlink(temporary.c_str());
      return std::move(written).error();
    }
    if (Status synced = sync_directory(shard_of(digest)); !synced) {
      ::unlink(path.c_str());  // or the next put would take the name for a promise
      return std::move(synced).error();
    }
    return digest;
  }

  Result<std::string> get(std::string_view digest) override {
    const std::optional<Digest> expected = digest_from_hex(digest);
    if (!expected || to_hex(*expected) != digest) {
      return Error{ErrorCode::not_found, "there is no blob '" + std::string(digest) + "': that is not a SHA-256"};
    }
    const std::string path = path_of(digest);
    const Fd file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!file.is_open() && errno == ENOENT) {
      return Error{ErrorCode::not_found, "there is no blob '" + std::string(digest) + "' in '" + directory_ + "'"};
    }
    if (!file.is_open()) return io_error("open", path, errno);
    BERNSTEIN_TRY(std::string bytes, read_all(file, path));
    if (sha256(bytes) == *expected) return bytes;
    return Error{ErrorCode::corrupt, "'" + path + "' was altered: its content has another SHA-256 than its name"};
  }

 private:
  std::string shard_of(std::string_view digest) const { return directory_ + "/" + std::string(digest.substr(0, 2)); }
  std::string path_of(std::string_view digest) const { return shard_of(digest) + "/" + std::string(digest); }

  static Status write_file(const std::string& path, std::string_view bytes) {
    const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file.is_open()) return io_error("create", path, errno);
    BERNSTEIN_TRY_VOID(write_all(file, path, bytes));
    if (::fsync(file.get()) != 0) return io_error("sync", path, errno);
    return Ok{};
  }

  static Result<std::string> read_all(const Fd& file, const std::string& path) {
    std::string bytes;
    std::array<char, 65536> piece{};
    while (true) {
      const ssize_t size = ::read(file.get(), piece.data(), piece.size());
      if (size < 0 && errno == EINTR) continue;
      if (size < 0) return io_error("read", path, errno);
      if (size == 0) return bytes;
      bytes.append(piece.data(), static_cast<std::size_t>(size));
    }
  }

  std::string directory_;
};

}  // namespace

Result<std::unique_ptr<port::BlobStore>> open_blobs(const std::string& directory) {
  BERNSTEIN_TRY_VOID(make_directory(directory));
  return std::unique_ptr<port::BlobStore>(std::make_unique<FileBlobs>(directory));
}

}  // namespace bernstein::store
