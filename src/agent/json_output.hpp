#pragma once
// What an agent printed, as the JSON objects in it. Everything else in it (progress, warnings, a broken line) is passed
// over.
//
//     for (const Json& line : json_lines(output)) ...
//     matches(line, {{"/type", "result"}})
//     find(line, "/usage/input")

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "bernstein/event/spec.hpp"

namespace bernstein::agent {

using Json = nlohmann::json;

// The lines that are objects, in order.
std::vector<Json> json_lines(std::string_view output);

// Documents that begin a line, the last first, until `wanted` says true of one: that one; discarded when there is none.
// Anything may stand before and after them. Only so many are tried: each costs a pass over what follows it.
Json last_document(std::string_view output, const std::function<bool(const Json&)>& wanted);

// A document; discarded when it is none. A cut or foreign character within a string costs only itself.
Json parse_document(std::string_view text);

// What a pointer points to; nullptr when it points to nothing, or is no pointer at all.
const Json* find(const Json& document, const std::string& pointer);

// The text of a value: that of a string, "true", "401"; "" for null, a list or an object.
std::string text_of(const Json& value);

bool matches(const Json& line, const JsonMatch& when);

// Of lines that match, the last; nullptr when there is none.
const Json* last_match(const std::vector<Json>& lines, const JsonMatch& when);

}  // namespace bernstein::agent
