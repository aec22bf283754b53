#pragma once
// What an event says, in words for people: one line, without its type and its subject. Text that agents or plans wrote
// is passed on as it is; whoever prints it makes it safe (print.hpp).

#include <string>
#include <string_view>

#include "bernstein/event/event.hpp"
#include "bernstein/state/run_state.hpp"

namespace bernstein::cli {

// MergeLanded: "as 1234567890 on abcdef0123, tree 0123456789".
std::string summary_of(const EventBody& body);

// What kind of step an event is in the story of a task, in a word: "route", "check", "verdict", "landed".
std::string_view step_word(const EventBody& body);

// "its agent has made no progress for 2m 30s; it is ended after 5m 00s".
std::string stall_words(Micros silent_us, Micros limit_us);
// Whether the agent of a task was last said to make no progress.
bool is_stalled(const Task& task);

// Whether what it has done waits for a person, outside of the landing queue.
bool is_held(const RunState& state, const Task& task);

// Its status; of the planner's own, what its last session is at or came to.
std::string status_words(const Task& task);

// Why a task that is neither running nor landed stands where it stands: what it waits for, or why it failed or was
// blocked; of one whose agent is stalled, that it is. The reason of its last change of status for all others.
std::string reason_of(const RunState& state, const Task& task);

// First ten digits of a commit or tree.
std::string short_id(std::string_view id);

// "1,200 in, 300 cached, 90 out; $0.02": what is unknown says so.
std::string usage_words(const Usage& usage);

// "$0.02", or "unknown".
std::string cost_words(const std::optional<UsdMicros>& cost);

}  // namespace bernstein::cli
