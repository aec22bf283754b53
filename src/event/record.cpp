#include "bernstein/event/record.hpp"

namespace bernstein {
namespace {

constexpr std::string_view k_event_domain = "bernstein-event/1";
constexpr std::string_view k_run_domain = "bernstein-run/1";

void add_big_endian(std::string& bytes, std::uint64_t value, int width) {
  for (int shift = (width - 1) * 8; shift >= 0; shift -= 8) bytes += static_cast<char>((value >> shift) & 0xff);
}

void add_integer(std::string& bytes, std::int64_t value) {
  add_big_endian(bytes, static_cast<std::uint64_t>(value), 8);  // negative ones in two's complement
}

void add_text(std::string& bytes, std::string_view text) {
  add_big_endian(bytes, text.size(), 4);
  bytes += text;
}

void add_digest(std::string& bytes, const Digest& digest) {
  for (const std::uint8_t byte : digest) bytes += static_cast<char>(byte);
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
