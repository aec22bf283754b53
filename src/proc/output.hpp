#pragma once
// The output of a process on its way into its file: no more than the limit of it, and a last line that tells how much
// is missing. Secrets do not come through.
//
//     [bernstein: 12345 more bytes of output were dropped; the limit is 1000 bytes]
//     [bernstein: 12345 bytes of output could not be written: No space left on device]

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "bernstein/base/redact.hpp"
#include "bernstein/base/result.hpp"
#include "fd.hpp"

namespace bernstein::proc {

class OutputFile {
 public:
  // Appends to the file, or creates it with mode 0600. A symbolic link at its place is refused.
  static Result<OutputFile> open(const std::string& path, std::int64_t bytes_max, const Secrets& secrets = {});

  void append(std::string_view bytes);
  // Writes the last line if bytes are missing. Nothing is appended after that.
  void finish();

  std::int64_t bytes() const { return received_; }  // all that was appended

 private:
  OutputFile(Fd file, std::int64_t bytes_max, const Secrets& secrets)
      : file_(std::move(file)), bytes_max_(bytes_max), redactor_(secrets) {}
  void keep(std::string_view bytes);
  // How many were written; an error ends it early and stays in error_.
  std::size_t write(std::string_view bytes);

  Fd file_;
  std::int64_t bytes_max_ = 0;
  Redactor redactor_;
  std::string cleared_;  // what the redactor has let out, on its way into the file
  std::int64_t received_ = 0;
  std::int64_t written_ = 0;
  std::int64_t dropped_ = 0;
  char last_ = '\n';
  int error_ = 0;
};

}  // namespace bernstein::proc
