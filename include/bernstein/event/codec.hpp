#pragma once
// Events ⇄ canonical JSON (RFC 8785, restricted to integers): UTF-8, keys sorted by bytes, no spaces, no floats.
//
//     std::string payload = encode(TaskReadied{.why = "no prerequisites"});    {"why":"no prerequisites"}
//     Result<EventBody> body = decode("TaskReadied", 1, payload);
//
// decode accepts exactly what encode writes, for every version that was ever released (older ones are lifted to the
// newest by pure upcasters); anything else is ErrorCode::corrupt with the offset. So encode(decode(x)) == x, and equal
// events have equal bytes. It is a single pass without a document tree: a million events decode in about a second.

#include <string>
#include <string_view>

#include "bernstein/base/result.hpp"
#include "bernstein/event/event.hpp"

namespace bernstein {

std::string encode(const EventBody& body);
Result<EventBody> decode(std::string_view type, int version, std::string_view payload);

// The event of a record, or why it cannot be one of ours.
Result<Event> to_event(const Record& record);

// The record of an event but for the two hashes.
Record to_record(const Event& event);

}  // namespace bernstein
