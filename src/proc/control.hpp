#pragma once
// The control directory: where a supervisor (bernstein-exec) and whoever started it meet, also after a restart.
//
//     spec.json      what to run; removed when it was read, because its environment may hold keys
//     stdin          what the command reads; removed when it was opened
//     alive          locked (flock, exclusive) for the supervisor by its starter, and then for as long as it lives
//     started.json   who the supervisor is. Made once, before anything runs: a directory serves one command
//     control        FIFO, one byte each: 'g' go, 's' stop
//     stalled.json   that the command makes no progress, and for how long; removed when it goes on
//     exit.json      how the command ended
//
// The .json files are there as a whole or not at all; exit.json and started.json are still there after a power loss. No
// exit.json and nobody who locks `alive`: the supervisor was killed, or never came to start. A lock tells this without
// the doubts of a pid, which may be somebody else's by now.

#include <cstdint>
#include <optional>
#include <string>

#include "bernstein/base/result.hpp"
#include "bernstein/port/reactor.hpp"
#include "fd.hpp"

namespace bernstein::proc {

inline constexpr char k_go = 'g';
inline constexpr char k_stop = 's';

// A process, told apart from all others that had its pid before or will have it later.
struct Identity {
  std::string boot_id;
  std::int64_t pid = 0;
  std::int64_t start_ticks = 0;  // of its start since boot: field 22 of /proc/<pid>/stat
  bool operator==(const Identity&) const = default;
};
std::optional<Identity> identity_of(std::int64_t pid);  // nothing when there is no such process

// What a supervisor is to do. process.stdin_text is kept in the file `stdin`.
struct Order {
  port::ProcessSpec process;
  port::SuperviseSpec supervise;
};

// ---- For whoever starts or adopts ----

// Makes the directory with spec.json, stdin and the FIFO. ErrorCode::conflict when it was used before.
Status prepare_control(const Order& order);

// What an adopter finds. Where nobody lives and nothing was started it takes started.json for itself, so that a
// supervisor that comes late runs nothing; where one was killed it ends those who descend from its command.
Result<port::Reactor::Adopted::State> examine_control(const std::string& directory);

// Removes spec.json and stdin.
void remove_order(const std::string& directory);

bool is_supervisor_alive(const std::string& directory);  // as in proc/reactor.hpp
std::optional<Identity> read_started(const std::string& directory);
// Nothing when it is not there, or is none of ours.
std::optional<port::ProcessExit> read_exit(const std::string& directory);
Micros read_stall(const std::string& directory);  // 0: it makes progress, as far as we are told

// ---- For the supervisor ----

// The lock of `alive`, as its starter handed it down in this descriptor; one of our own where the descriptor is
// something else (started by hand). ErrorCode::busy when somebody has it.
Result<Fd> inherit_alive(const std::string& directory, int descriptor);
// Makes started.json. ErrorCode::conflict when it is there.
Status claim_control(const std::string& directory, const Identity& self);
// ErrorCode::not_found without spec.json; ErrorCode::corrupt when it is none of ours.
Result<Order> read_order(const std::string& directory);
Result<Fd> open_input(const std::string& directory);  // the file `stdin`, or /dev/null
Status write_exit(const std::string& directory, const port::ProcessExit& exit);
// A warning that cannot be written is not worth the command.
void write_stall(const std::string& directory, Micros silent_us);
void remove_stall(const std::string& directory);

// ---- For both ----

// Locks `alive`. ErrorCode::busy when somebody has it.
Result<Fd> lock_alive(const std::string& directory);

// The FIFO, made when it is not there, for reading and writing: so that it has no end while somebody has it.
Result<Fd> open_control(const std::string& directory);

}  // namespace bernstein::proc
