#pragma once
// How an agent is called: its spec and an attempt become argv and environment. No shell takes part.
//
//     AgentSpec spec{.command = {"my-agent", "--model", "{model}", "--file", "{prompt_file}"}, .name = "my-agent"};
//     AgentCommand command = agent::build_command(spec, attempt, environment);
//     command.argv        {"my-agent", "--model", "big-1", "--file", "/project/.sdd/..."}
//
// An agent sees of the environment what is allowed here, what its spec names or sets, and BERNSTEIN_RUN=r1,
// BERNSTEIN_TASK=t4, BERNSTEIN_ATTEMPT=2; nothing else.

#include <map>
#include <string>
#include <vector>

#include "bernstein/base/id.hpp"
#include "bernstein/event/spec.hpp"

namespace bernstein::agent {

using Environment = std::map<std::string, std::string>;

struct AttemptContext {
  RunId run;
  AttemptId attempt;
  std::string role;
  std::string model;        // as the agent calls it
  std::string worktree;     // absolute
  std::string prompt;       // the text, for agents that take it as an argument
  std::string prompt_file;  // absolute
  std::string usage_file;   // absolute
  bool in_sandbox = false;
  bool read_only = false;   // a session that answers and changes nothing, where the agent has one
  std::string schema;       // JSON Schema of its answer, for agents that take one; "" for none
  std::string strict;       // the same for services that want everything required and nothing else allowed
  std::string schema_file;  // absolute
};

struct AgentCommand {
  std::vector<std::string> argv;
  Environment env;               // all of it
  bool prompt_on_stdin = false;  // no argument is the prompt, or names its file
  bool prompt_in_file = false;   // an argument names its file: because its spec says so, or it is too long for one
  bool usage_in_file = false;    // it writes its usage there
  std::string schema_in_file;    // what is to be in the schema's file, where an argument names it; else ""
};

// Placeholders are replaced within arguments, once: a value that looks like a placeholder stays as it is, and so does
// any other text in braces. {task} is "t4", {attempt} is "2".
AgentCommand build_command(const AgentSpec& spec, const AttemptContext& attempt, const Environment& environment);

// What every process of ours may see of the environment of the person who started us: PATH HOME USER LOGNAME SHELL LANG
// LC_* TERM TMPDIR TZ, and those named in `more`.
Environment allowed_environment(const Environment& environment, const std::vector<std::string>& more);

}  // namespace bernstein::agent
