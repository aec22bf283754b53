#pragma once
// The .json files of a control directory as text (control.hpp).
//
// Arguments, variables and paths are bytes to the system. One that is UTF-8 is a string; any other is {"hex": "ff00"}.

#include <optional>
#include <string>

#include "bernstein/base/result.hpp"
#include "bernstein/port/reactor.hpp"
#include "control.hpp"

namespace bernstein::proc {

std::string write_json(const Order& order);
std::string write_json(const Identity& identity);
std::string write_json(const port::ProcessExit& exit);
std::string stall_to_json(Micros silent_us);

// ErrorCode::corrupt with a sentence that begins with `path`, for whatever write_json() would not have written: also
// for a command that is empty or a directory that is not absolute.
Result<Order> order_from_json(const std::string& text, const std::string& path);
std::optional<Identity> identity_from_json(const std::string& text);
std::optional<port::ProcessExit> exit_from_json(const std::string& text);
std::optional<Micros> stall_from_json(const std::string& text);

}  // namespace bernstein::proc
