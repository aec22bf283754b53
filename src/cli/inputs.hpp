#pragma once
// The two files that a person wrote for a run, read and parsed: bernstein.yaml and the plan, if there is one.
//
//     InputResult read = read_inputs({.directory = cwd, .plan_file = "plan.yaml", .root = root});
//     if (auto* refusal = std::get_if<Refusal>(&read)) ...       // every fault of both files, "file:line: what;
//     remedy"

#include <string>
#include <variant>
#include <vector>

#include "bernstein/base/result.hpp"
#include "bernstein/plan/config.hpp"
#include "bernstein/plan/plan.hpp"
#include "settings.hpp"

namespace bernstein::cli {

struct InputFiles {
  std::string directory;                   // what plan_file is relative to
  std::string plan_file;                   // "-": standard input; "": there is none
  std::string root;                        // where bernstein.yaml lies, if there is one
  std::vector<std::string> built_in = {};  // agents that need no configuration
  bool agent_is_given = false;             // by --agent
};

struct Inputs {
  plan::Plan plan;
  std::string plan_text;
  plan::Config config;
  std::vector<std::string> warnings;  // of both
};

using InputResult = std::variant<Inputs, Refusal>;

InputResult read_inputs(const InputFiles& files);

// bernstein.yaml of a repository; an empty configuration when there is none.
std::variant<plan::Config, Refusal> read_config(const std::string& root);

// The bytes of a file, "-" for standard input; at most one byte more than `bytes_max`, so that too much shows.
// ErrorCode::not_found, ErrorCode::invalid_input for a directory and the like.
Result<std::string> read_text(const std::string& path, std::size_t bytes_max);

}  // namespace bernstein::cli
