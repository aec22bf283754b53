#include "output.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace bernstein::proc {

Result<OutputFile> OutputFile::open(const std::string& path, std::int64_t bytes_max, const Secrets& secrets) {
  Fd file{::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600)};
  if (!file.is_open()) {
    return Error{ErrorCode::environment, "cannot write output to " + path + ": " + errno_text(errno)};
  }
  return OutputFile(std::move(file), bytes_max, secrets);
}

std::size_t OutputFile::write(std::string_view bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = ::write(file_.get(), bytes.data() + done, bytes.size() - done);
    if (count >= 0) {
      done += static_cast<std::size_t>(count);
    } else if (errno != EINTR) {
      error_ = errno;
      break;
    }
  }
  return done;
}

void OutputFile::append(std::string_view bytes) {
  received_ += static_cast<std::int64_t>(bytes.size());
  cleared_.clear();
  redactor_.feed(bytes, cleared_);
  keep(cleared_);
}

void OutputFile::keep(std::string_view bytes) {
  const std::int64_t room = error_ == 0 ? std::max<std::int64_t>(bytes_max_ - written_, 0) : 0;
  const std::string_view kept = bytes.substr(0, std::min(bytes.size(), static_cast<std::size_t>(room)));
  const std::size_t written = write(kept);
  if (written > 0) last_ = kept[written - 1];
  written_ += static_cast<std::int64_t>(written);
  dropped_ += static_cast<std::int64_t>(bytes.size() - written);
}

void OutputFile::finish() {
  cleared_.clear();
  redactor_.finish(cleared_);
  keep(cleared_);
  if (dropped_ == 0) return;
  const std::string amount = std::to_string(dropped_);
  std::string note = last_ == '\n' ? "" : "\n";
  note += error_ == 0
              ? "[bernstein: " + amount + " more bytes of output were dropped; the limit is " +
                    std::to_string(bytes_max_) + " bytes]\n"
              : "[bernstein: " + amount + " bytes of output could not be written: " + errno_text(error_) + "]\n";
  write(note);
}

}  // namespace bernstein::proc
