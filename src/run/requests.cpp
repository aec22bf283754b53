// The files of run/wishes.hpp.

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>

#include "bernstein/base/text.hpp"
#include "bernstein/failpoint/failpoint.hpp"
#include "bernstein/run/wishes.hpp"

namespace bernstein::run {
namespace {

constexpr std::string_view k_request = ".json";
constexpr std::string_view k_refusal = ".refused";

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  explicit operator bool() const { return fd_ >= 0; }
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

// The directory itself, never what a link leads to.
Descriptor open_directory(const std::string& sdd) {
  return Descriptor(::open(requests_directory(sdd).c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

// Of a regular file of at most k_request_bytes_max; nothing for all others.
std::optional<std::string> read_at(int directory, const std::string& name) {
  const Descriptor file(::openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat facts {};
  if (!file || ::fstat(file.get(), &facts) != 0 || !S_ISREG(facts.st_mode)) return std::nullopt;
  if (facts.st_size < 0 || static_cast<std::size_t>(facts.st_size) > k_request_bytes_max) return std::nullopt;
  std::string text(k_request_bytes_max, '\0');
  std::size_t had = 0;
  while (had < text.size()) {
    const ssize_t got = ::read(file.get(), text.data() + had, text.size() - had);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    had += static_cast<std::size_t>(got);
  }
  text.resize(had);
  return text;
}

// All of it under its name, or nothing.
Status write_at(int directory, const std::string& name, const std::string& text) {
  const Error failed{ErrorCode::environment, "cannot write .sdd/requests/" + name + "; is the disk full?"};
  const std::string draft = "." + name;
  {
    const Descriptor file(
        ::openat(directory, draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file) return failed;
    const bool is_written = ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
    if (!is_written) {
      ::unlinkat(directory, draft.c_str(), 0);
      return failed;
    }
  }
  if (::renameat(directory, draft.c_str(), directory, name.c_str()) == 0) return Ok{};
  ::unlinkat(directory, draft.c_str(), 0);
  return failed;
}

bool is_there(int directory, const std::string& name) {
  struct stat facts {};
  return ::fstatat(directory, name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) == 0;
}

bool is_directory(int directory, const std::string& name) {
  struct stat facts {};
  return ::fstatat(directory, name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(facts.st_mode);
}

}  // namespace

std::string requests_directory(const std::string& sdd) {
  return sdd + "/requests";
}

Status make_requests_directory(const std::string& sdd) {
  const std::string path = requests_directory(sdd);
  if (::mkdir(path.c_str(), 0700) == 0 || (errno == EEXIST && open_directory(sdd))) return Ok{};
  return Error{ErrorCode::environment,
               "there is no directory " + path + ", and it cannot be made: " + std::strerror(errno)};
}

Result<std::string> leave_request(const std::string& sdd, const std::string& name, const Wish& wish) {
  BERNSTEIN_TRY_VOID(make_requests_directory(sdd));
  const Descriptor directory = open_directory(sdd);
  std::string request = name + std::string(k_request);
  BERNSTEIN_TRY_VOID(write_at(directory.get(), request, to_text(wish)));
  return request;
}

Answer answer_to(const std::string& sdd, const std::string& request) {
  const Descriptor directory = open_directory(sdd);
  if (!directory) return {Answer::Kind::done, ""};
  if (is_there(directory.get(), request)) return {Answer::Kind::waiting, ""};
  // A refusal is there before its request goes.
  const std::string refusal = request + std::string(k_refusal);
  const std::optional<std::string> why = read_at(directory.get(), refusal);
  if (!why) return {Answer::Kind::done, ""};
  ::unlinkat(directory.get(), refusal.c_str(), 0);
  return {Answer::Kind::refused, printable_utf8(*why)};
}

bool withdraw(const std::string& sdd, const std::string& request) {
  const Descriptor directory = open_directory(sdd);
  return directory && ::unlinkat(directory.get(), request.c_str(), 0) == 0;
}

std::vector<Request> read_requests(const std::string& sdd) {
  Descriptor directory = open_directory(sdd);
  if (!directory) return {};
  std::vector<std::string> names;
  const int again = ::fcntl(directory.get(), F_DUPFD_CLOEXEC, 0);
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(again < 0 ? nullptr : ::fdopendir(again), ::closedir);
  if (!listing) return {};
  while (const dirent* entry = ::readdir(listing.get())) {
    const std::string name = entry->d_name;
    const bool may_be_one = !name.starts_with(".") && name.ends_with(k_request);
    if (may_be_one && !is_directory(directory.get(), name)) names.push_back(name);
  }
  std::ranges::sort(names);
  if (names.size() > k_requests_max) names.resize(k_requests_max);
  std::vector<Request> requests;
  for (std::string& name : names) {
    const std::optional<std::string> text = read_at(directory.get(), name);
    if (!text && !is_there(directory.get(), name)) continue;  // withdrawn
    Result<Wish> wish =
        text ? parse_wish(*text) : Result<Wish>(Error{ErrorCode::invalid_input, "the request is no file of ours"});
    requests.push_back({std::move(name), std::move(wish)});
  }
  return requests;
}

void answer_done(const std::string& sdd, const std::string& request) {
  const Descriptor directory = open_directory(sdd);
  if (directory) ::unlinkat(directory.get(), request.c_str(), 0);
}

void answer_refused(const std::string& sdd, const std::string& request, const std::string& why) {
  const Descriptor directory = open_directory(sdd);
  if (!directory) return;
  const Status ignored = write_at(directory.get(), request + std::string(k_refusal), why);
  ::unlinkat(directory.get(), request.c_str(), 0);
}

}  // namespace bernstein::run
