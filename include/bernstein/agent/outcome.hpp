#pragma once
// How an agent's session ended, and what it said: read from its exit code and its output.
//
//     Ending ending = agent::read_ending(spec, {.exit_code = 1, .output = output});
//     ending.outcome        AgentOutcome::quota
//     ending.message        "429 Too many requests; retry after 20 s"
//     ending.retry_after_us 20'000'000
//
// The rules of its spec are tried in order (spec.hpp, FailureRule), and the first that holds tells. Where it does not
// say the outcome itself, the status of HTTP does, else what is known of such messages (below). Without a rule that
// holds, exit code 0 is done, and of another one the plain output tells (what is not JSON: its last 4 KiB).
//
// Only what an agent says as its own failure is looked at. What a model wrote about "rate limits" is no failure.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "bernstein/agent/reset_time.hpp"
#include "bernstein/base/units.hpp"
#include "bernstein/event/spec.hpp"

namespace bernstein::agent {

inline constexpr std::size_t k_message_bytes_max = 500;

struct Session {
  int exit_code = 0;
  bool ended_by_us = false;  // its time was up, or it stalled: some programs exit with 0 then
  std::string_view output;   // stdout and stderr; only the last k_usage_output_bytes_max are looked at
  WallClock clock = {};      // when it ended: a reset time may be one of a clock
};

struct Ending {
  AgentOutcome outcome = AgentOutcome::done;
  std::string message;                   // one line; "" when it is done
  std::optional<Micros> retry_after_us;  // the agent, or its service, says when it may work again
};

Ending read_ending(const AgentSpec& spec, const Session& session);

// Its last words; "" when it has none, or its spec does not say where they are: then all of its output is.
std::string read_text(const TextPlace& place, std::string_view output);

// What a status of HTTP means: 401 → auth. Nothing for one below 400.
std::optional<AgentOutcome> outcome_of_status(std::int64_t status);
// What a message means: "You have hit your usage limit" → quota. Nothing where it says nothing that is known.
std::optional<AgentOutcome> outcome_of_message(std::string_view message);

}  // namespace bernstein::agent
