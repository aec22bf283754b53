#pragma once
// Who may work now, as far as services and agents themselves let them.
//
// Agents that use the same account have the same `credential` (AgentSpec): what its service says to one of them holds
// for all. A credential is in one of three conditions:
//
//     free       any of its agents may start
//     parked     a service said that it may not be used now, or one of its agents crashes all the time: nobody starts
//                until the time of its ParkRequested is over (decide/parks.hpp says how long)
//     on trial   the time is over, and one session goes first. The others wait until it has ended, other than by
//     another
//                refusal, or has worked for limits.trial; so what is still closed is knocked at once, not by everybody
//
//     if (!may_take_one(state, "claude")) show(why_not_now(state, "claude"));

#include <optional>
#include <string>
#include <vector>

#include "bernstein/state/run_state.hpp"

namespace bernstein {

// The account that an agent of the run works with: its own name where nothing else was said.
std::string credential_of(const RunConfig& config, const std::string& agent);

// Whether the agent may start one more session now. Slots, money and max_parallel are other questions.
bool may_take_one(const RunState& state, const std::string& agent);

// Why it may not, as half a sentence: "claude is left alone: agent 'claude' may not work now: 429 too many requests",
// "claude is tried with t4.2 first". "" when it may.
std::string why_not_now(const RunState& state, const std::string& agent);

// A credential that is not free, for people.
struct CredentialWait {
  std::string credential;
  std::vector<std::string> agents;      // of the run that use it, by name
  std::optional<Micros> until_wall_us;  // parked: µs since 1970
  std::optional<AttemptId> trial;       // on trial: who goes first; nothing: nobody has gone yet
  std::string why;
};
// By credential. Of a finished run: what a resume would wait for.
std::vector<CredentialWait> waits_of(const RunState& state);

// Whether the service said until when: then a refusal is not charged to the task.
bool said_until_when(const Attempt& attempt);

// Whether the session ended without a proper end, for no reason that anybody knows: its agent's own fault.
bool is_crash(const AgentExited& exit);

// Whether the agent has crashed on as many tasks in a row as limits.breaker allows.
bool is_broken_down(const RunState& state, const std::string& agent);

}  // namespace bernstein
