#include "acknowledged.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdio>

namespace bernstein::store {
namespace {

constexpr int k_digits = 19;  // as many as an i64 has: each note overwrites all of the one before

std::string note_path(const std::string& database_path) {
  return database_path + "-seq";
}

}  // namespace

Acknowledged::Acknowledged(const std::string& database_path)
    : file_(::open(note_path(database_path).c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600)) {}

void Acknowledged::note(Seq last) {
  if (!file_.is_open()) return;
  std::array<char, k_digits + 2> text{};
  const int size = std::snprintf(text.data(), text.size(), "%0*lld\n", k_digits, static_cast<long long>(last));
  if (::pwrite(file_.get(), text.data(), static_cast<std::size_t>(size), 0) != size) return;  // see the header
}

Seq acknowledged_in(const std::string& database_path) {
  const Fd file(::open(note_path(database_path).c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file.is_open()) return 0;
  std::array<char, k_digits + 2> text{};
  const ssize_t size = ::pread(file.get(), text.data(), text.size(), 0);
  Seq seq = 0;
  // Exactly as it was written: half a note says nothing.
  if (size != k_digits + 1 || text[k_digits] != '\n') return 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + k_digits, seq);
  return error == std::errc{} && end == text.data() + k_digits ? seq : 0;
}

void forget_acknowledged(const std::string& database_path) {
  ::unlink(note_path(database_path).c_str());
}

Status check_end(SQLite::Database& database, const std::string& path, Seq acknowledged) {
  if (acknowledged == 0) return Ok{};
  const bool has_events = database.tableExists("events");
  const Seq last = has_events ? database.execAndGet("SELECT coalesce(max(seq), 0) FROM events").getInt64() : 0;
  if (last >= acknowledged) return Ok{};
  return Error{ErrorCode::corrupt, "'" + path + "' ends with event " + std::to_string(last) + ", and event " +
                                       std::to_string(acknowledged) +
                                       " was recorded in it: its end, or that of its -wal, was lost or damaged; keep a "
                                       "copy, put a backup in its place or take it as it is, and remove '" +
                                       note_path(path) + "'"};
}

}  // namespace bernstein::store
