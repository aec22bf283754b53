#include "bernstein/event/record.hpp"

#include <array>

namespace bernstein {
namespace {

constexpr std::string_view k_event_domain = "bernstein-event/1";
constexpr std::string_view k_run_domain = "bernstein-run/1";

template <std::size_t width>
void add_big_endian(std::string& bytes, std::uint64_t value) {
  std::array<char, width> digits;
  for (std::size_t i = 0; i < width; ++i) digits[i] = static_cast<char>((value >> ((width - 1 - i) * 8)) & 0xff);
  bytes.append(digits.data(), width);
}

void add_integer(std::string& bytes, std::int64_t value) {
  add_big_endian<8>(bytes, static_cast<std::uint64_t>(value));  // negative ones in two's complement
}

void add_text(std::string& bytes, std::string_view text) {
  add_big_endian<4>(bytes, text.size());
  bytes += text;
}

void add_digest(std::string& bytes, const Digest& digest) {
  bytes.append(digest.begin(), digest.end());
}

}  // namespace

Digest chain_hash(const Record& record) {
  constexpr std::size_t k_around_payload = 256;
  std::string bytes;
  bytes.reserve(record.payload.size() + k_around_payload);
  add_text(bytes, k_event_domain);
  add_integer(bytes, record.seq);
  add_text(bytes, to_string(record.run));
  add_integer(bytes, record.run_seq);
  add_text(bytes, to_word(record.kind));
  add_text(bytes, record.type);
  add_integer(bytes, record.version);
  add_integer(bytes, record.cause);
  add_text(bytes, record.subject);
  add_integer(bytes, record.at_us);
  add_integer(bytes, record.wall_us);
  add_text(bytes, record.payload);
  add_digest(bytes, record.prev_hash);
  return sha256(bytes);
}

Digest run_genesis(RunId run, const Digest& last_hash_before) {
  std::string bytes;
  add_text(bytes, k_run_domain);
  add_text(bytes, to_string(run));
  add_digest(bytes, last_hash_before);
  return sha256(bytes);
}

}  // namespace bernstein
