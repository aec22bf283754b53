#pragma once
// The command line: which commands and flags there are, what is wrong with the words typed, and which code comes out.
//
//     return static_cast<int>(run_app({"run", "plan.yaml"}, context));
//
// Usage errors are one line on context.err, with "did you mean" where a name is near, and exit 2. An Error that a
// command returns is printed the same way and becomes the exit code of its kind.

#include <string>
#include <vector>

#include "bernstein/cli/context.hpp"

namespace bernstein::cli {

// `words`: the command line without the program's name.
Exit run_app(const std::vector<std::string>& words, Context& context);

// "0.1.0"
std::string version();

// Prints "bernstein: <message>", a line each when the message has several.
void print_error(Context& context, const std::string& message);

}  // namespace bernstein::cli
