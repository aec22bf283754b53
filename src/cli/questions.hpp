#pragma once
// Short questions to programs: what they print for `--version`, `--help` and the like, and how they exit.
//
//     Question version{.argv = {"/usr/bin/git", "--version"}};
//     ask(context, {&version});
//     version.answer      "git version 2.39.5\n"
//
// They run in an empty directory of their own, without input, with the variables that every agent gets, and have ten
// seconds.

#include <string>
#include <vector>

#include "bernstein/cli/context.hpp"

namespace bernstein::cli {

struct Question {
  std::vector<std::string> argv;
  int exit_code = -1;  // -1: no answer in time, or it could not be asked
  std::string answer = {};
};

// All at once: each takes as long as the program needs to start.
void ask(const Context& context, const std::vector<Question*>& questions);

}  // namespace bernstein::cli
