#include "bernstein/event/codec.hpp"

#include <algorithm>
#include <array>

#include "bernstein/event/canonical.hpp"
#include "canonical_reader.hpp"

namespace bernstein {
namespace {

// How the payload of one version of one type is read.
struct Decoder {
  std::string_view type;
  int version = 0;
  Result<EventBody> (*decode)(std::string_view payload) = nullptr;
};

Error not_canonical(std::string_view type, int version, const CanonicalReader& reader) {
  return {ErrorCode::corrupt, "the payload of a " + std::string(type) + " (version " + std::to_string(version) +
                                  ") is not what Bernstein writes, at " + reader.fault()};
}

template <class T>
Result<EventBody> decode_as(std::string_view payload) {
  EventBody body(std::in_place_type<T>);
  CanonicalReader reader(payload);
  if (!reader.read(std::get<T>(body)) || !reader.finish()) return not_canonical(T::type, T::version, reader);
  return body;
}

template <class... T>
constexpr auto newest_decoders(std::type_identity<std::variant<T...>>) {
  std::array<Decoder, sizeof...(T)> all{Decoder{T::type, T::version, &decode_as<T>}...};
  std::ranges::sort(all, {}, &Decoder::type);
  return all;
}

constexpr auto k_newest = newest_decoders(std::type_identity<EventBody>{});
static_assert(std::ranges::adjacent_find(k_newest, {}, &Decoder::type) == k_newest.end(), "types have distinct names");

// Versions that were released and are not the newest any more. None yet. When the meaning of X changes, its struct as
// it was moves here as XVersion1 (with its type, version and fields), beside a pure `X lift(XVersion1)`, and gets an
// entry whose decode reads an XVersion1 and lifts it. One step at a time: version 1 is lifted to 2, and that as every 2
// to 3.
constexpr std::array<Decoder, 0> k_older{};

const Decoder* find_decoder(std::string_view type, int version) {
  const auto newest = std::ranges::lower_bound(k_newest, type, {}, &Decoder::type);
  if (newest != k_newest.end() && newest->type == type && newest->version == version) return &*newest;
  for (const Decoder& older : k_older) {
    if (older.type == type && older.version == version) return &older;
  }
  return nullptr;
}

Error in_record(const Record& record, std::string what) {
  return {ErrorCode::corrupt, "event " + std::to_string(record.seq) + ": " + std::move(what)};
}

}  // namespace

std::string encode(const EventBody& body) {
  std::string payload;
  std::visit([&](const auto& event) { canonical::write(payload, event); }, body);
  return payload;
}

Result<EventBody> decode(std::string_view type, int version, std::string_view payload) {
  if (const Decoder* decoder = find_decoder(type, version)) return decoder->decode(payload);
  return Error{ErrorCode::corrupt, "unknown event type '" + std::string(type) + "' in version " +
                                       std::to_string(version) +
                                       "; a newer Bernstein may have written it: use that one"};
}

Result<Event> to_event(const Record& record) {
  const std::optional<Subject> subject = parse_subject(record.subject);
  if (!subject) return in_record(record, "'" + record.subject + "' is not a subject such as run, t4 or t4.2");
  Result<EventBody> body = decode(record.type, record.version, record.payload);
  if (!body) return in_record(record, body.error().message);
  if (kind_of(*body) != record.kind) {
    return in_record(record, "a " + record.type + " is of kind " + std::string(to_word(kind_of(*body))) + ", not " +
                                 std::string(to_word(record.kind)));
  }
  return Event{.seq = record.seq,
               .run = record.run,
               .run_seq = record.run_seq,
               .cause = record.cause,
               .subject = *subject,
               .at_us = record.at_us,
               .wall_us = record.wall_us,
               .body = std::move(*body),
               .hash = record.hash};
}

Record to_record(const Event& event) {
  return {.seq = event.seq,
          .run = event.run,
          .run_seq = event.run_seq,
          .kind = kind_of(event.body),
          .type = std::string(type_of(event.body)),
          .version = version_of(event.body),
          .cause = event.cause,
          .subject = to_string(event.subject),
          .at_us = event.at_us,
          .wall_us = event.wall_us,
          .payload = encode(event.body)};
}

}  // namespace bernstein
