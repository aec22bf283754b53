#pragma once
// What runs left in .sdd, and which of it nobody needs any more.
//
//     BERNSTEIN_TRY(const Leftovers left, find_leftovers(home));

#include <cstdint>
#include <string>
#include <vector>

#include "bernstein/base/result.hpp"
#include "open_workspace.hpp"

namespace bernstein::cli {

struct Leftover {
  enum class What { session, checkout, shared, trash };  // shared: the next attempts are made of it
  What what = What::session;
  std::string name;         // "session-r1-t4.2", "check-r1-t4.2"; of the others: "pool", "setup", "trash"
  std::uint64_t bytes = 0;  // of its regular files
};

struct Kept {
  std::string name;
  std::string why;
};

struct Leftovers {
  std::vector<Leftover> finished;  // of attempts that have ended, by the log; by name, the others last
  std::vector<Kept> kept;          // what has to stay, by name
};

// Looks only. Call with the lock held: what a live run has just made is no leftover.
Result<Leftovers> find_leftovers(const Home& home);

// The highest run that anything in .sdd/worktrees or .sdd/agents is named after; r0 when there is nothing.
RunId last_run_on_disk(const std::string& sdd);

// Empties the pool, what setup commands made, or the trash, by its name; read-only directories in it too. What cannot
// be removed stays.
void empty_shared(const Home& home, const std::string& name);

// Regular files below a path, symbolic links not followed.
std::uint64_t bytes_below(const std::string& path);

}  // namespace bernstein::cli
