#pragma once
// The scripted agent: an agent without a model, for demonstrations and tests. It does what a script in its task's
// description says, and nothing else.
//
//     description: |
//       Add a greeting.
//       script:
//       write src/hello.txt hello\nworld
//       on-attempt 1 fail 3
//       commit Add a greeting
//       usage 1200 340 0.0042
//
// The script is what stands between the first line "script:" and the next blank line, or in the first block that opens
// with ```script. A line is a command, a comment (#) or, in a block, blank. PATH has no spaces; TEXT goes to the end of
// the line; in TEXT, OLD and NEW, \n is a newline, \t a tab and \\ a backslash.
//
//     write PATH [TEXT]         the file holds TEXT; a newline is added to a TEXT without one at its end
//     append PATH TEXT          the same, at the end of the file
//     edit PATH OLD => NEW      replaces the first OLD; fails when there is none
//     delete PATH               fails when there is none
//     touch PATH                makes the file, or adds an empty line: a change, wherever PATH is
//     commit MESSAGE            git add -A, git commit
//     sleep DURATION            "200ms", "2s"
//     usage INPUT OUTPUT [CACHED] COST_USD    prints a line of JSON that the spec below knows how to read
//     print [TEXT]              a line of output
//     spam BYTES                so much output
//     read-evidence PATH        writes into PATH what the prompt says about earlier attempts
//     fail CODE                 ends with that code, 1 to 255
//     hang                      does nothing until it is killed
//     ignore-term               from here on SIGTERM has no effect
//     daemonize                 leaves a process in the background that holds the output open
//     on-attempt N COMMAND      the command, on attempt N only

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "bernstein/base/result.hpp"
#include "bernstein/base/units.hpp"
#include "bernstein/event/spec.hpp"

namespace bernstein::agent {

struct WriteFile {
  std::string path;
  std::string text;
  bool operator==(const WriteFile&) const = default;
};
struct AppendFile {
  std::string path;
  std::string text;
  bool operator==(const AppendFile&) const = default;
};
struct EditFile {
  std::string path;
  std::string old_text;
  std::string new_text;
  bool operator==(const EditFile&) const = default;
};
struct DeleteFile {
  std::string path;
  bool operator==(const DeleteFile&) const = default;
};
struct TouchFile {
  std::string path;
  bool operator==(const TouchFile&) const = default;
};
struct CommitAll {
  std::string message;
  bool operator==(const CommitAll&) const = default;
};
struct Sleep {
  Micros duration_us = 0;
  bool operator==(const Sleep&) const = default;
};
struct TellUsage {
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
  std::optional<std::int64_t> cached_tokens;
  UsdMicros cost_micros;
  bool operator==(const TellUsage&) const = default;
};
struct Print {
  std::string text;
  bool operator==(const Print&) const = default;
};
struct Spam {
  std::int64_t bytes = 0;
  bool operator==(const Spam&) const = default;
};
struct ReadEvidence {
  std::string path;
  bool operator==(const ReadEvidence&) const = default;
};
struct Fail {
  int code = 1;
  bool operator==(const Fail&) const = default;
};
struct Hang {
  bool operator==(const Hang&) const = default;
};
struct IgnoreTerm {
  bool operator==(const IgnoreTerm&) const = default;
};
struct Daemonize {
  bool operator==(const Daemonize&) const = default;
};

using ScriptAction = std::variant<WriteFile, AppendFile, EditFile, DeleteFile, TouchFile, CommitAll, Sleep, TellUsage,
                                  Print, Spam, ReadEvidence, Fail, Hang, IgnoreTerm, Daemonize>;

struct ScriptStep {
  int line = 0;                             // of the script, from 1
  std::optional<std::uint32_t> on_attempt;  // on every attempt without one
  ScriptAction action;
  bool operator==(const ScriptStep&) const = default;
};

// The script in a prompt or description. ErrorCode::invalid_input: "script line 2: unknown command 'wirte'; did you
// mean 'write'?", or that there is none.
Result<std::vector<ScriptStep>> parse_script(std::string_view prompt);

// The line that `usage` prints, without its newline.
std::string usage_line(const TellUsage& usage);

// The scripted agent as an agent of a run: `binary` is the path of the bernstein program, which has it built in.
// Models: script-small (cheap), script-medium (middle), script-large (strong); they do the same.
AgentSpec scripted_agent_spec(const std::string& binary);

}  // namespace bernstein::agent
