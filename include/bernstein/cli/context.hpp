#pragma once
// What every command gets: where it runs, how to print, and the words of the command line that all commands share.

#include <iosfwd>
#include <map>
#include <string>

#include "bernstein/base/result.hpp"

namespace bernstein::cli {

// Exit codes are part of the interface; `bernstein --help` lists them.
enum class Exit {
  done = 0,
  incomplete = 1,  // tasks failed, were blocked or cancelled
  bad_input = 2,   // nothing was started or changed
  diverged = 3,    // replay or audit found a fault
  budget = 4,
  stopped = 5,
  environment = 6,
  owned = 75,  // another Bernstein owns this workspace (EX_TEMPFAIL of sysexits.h)
};

Exit exit_for(ErrorCode code);

struct Context {
  std::string directory;  // absolute: where -C points to, else the current directory
  bool json = false;      // one JSON document on out, everything for people on err
  bool verbose = false;
  bool in_is_terminal = false;
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  bool colour = false;  // only on terminals, never with NO_COLOR or TERM=dumb
  std::map<std::string, std::string> environment;
  std::string program;  // absolute path of this binary
  std::ostream& out;
  std::ostream& err;
};

// The value of a variable of its environment; "" without one.
std::string variable(const Context& context, const std::string& name);

}  // namespace bernstein::cli
