#pragma once
// Which file a command names.

#include <string>
#include <vector>

#include "bernstein/base/result.hpp"
#include "bernstein/port/reactor.hpp"

namespace bernstein::proc {

// The absolute path of argv[0]: searched in PATH of the spec's own environment when it has no '/', else relative to the
// spec's directory, as the process itself would see it. Also refuses what cannot be passed to a process: a directory
// that is not there, NUL bytes, names of variables with '='. Errors start with "cannot start 'NAME': ".
Result<std::string> find_program(const port::ProcessSpec& spec);

// What is executed: the program, or the spec's wrapper in front of it.
struct Invocation {
  std::string program;  // absolute
  std::vector<std::string> argv;
};
Result<Invocation> find_invocation(const port::ProcessSpec& spec);

}  // namespace bernstein::proc
