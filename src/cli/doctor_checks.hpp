#pragma once
// What doctor makes of what it saw: facts in, findings out. Nothing here looks at the machine.
//
//     judge_disk("/home/ann/project", 150'000'000)   → {"disk", fail, "150.0 MB are free in ...", "bernstein clean,
//     ..."}

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent_probe.hpp"
#include "bernstein/base/units.hpp"
#include "bernstein/plan/config.hpp"
#include "discovery.hpp"
#include "place.hpp"

namespace bernstein::cli {

enum class Grade { ok, warn, fail, count_ };

}  // namespace bernstein::cli

namespace bernstein {
BERNSTEIN_ENUM_WORDS(cli::Grade, "ok", "warn", "fail");
}  // namespace bernstein

namespace bernstein::cli {

struct Finding {
  std::string id;  // "git", "agent.claude", "gate.tests": what a program looks for. Faults of one kind share theirs
  Grade grade = Grade::ok;
  std::string fact;
  std::string fix;  // a command where there is one; "" only when the grade is ok
  bool operator==(const Finding&) const = default;
};

// "what; remedy", as errors and faults of files are worded; `otherwise` is the fix where there is no remedy.
Finding finding_of(std::string id, Grade grade, const std::string& sentence, const std::string& otherwise);

// The program in PATH ("" for none), and what it said of its version ("" for nothing).
Finding judge_git(const std::string& program, const std::string& version);

std::vector<Finding> judge_repository(const Place& place);

Finding judge_disk(const std::string& directory, std::uint64_t free_bytes, bool may_write);

// `kind`: f_type of statfs(2).
Finding judge_file_system(std::uint64_t kind);

inline constexpr std::uint64_t k_no_limit = UINT64_MAX;
// A soft limit that may be raised up to the hard one.
struct ResourceLimit {
  std::string id;    // "limits.files"
  std::string what;  // "open files"
  std::string flag;  // of ulimit: "-n"
  std::uint64_t soft = 0;
  std::uint64_t hard = 0;
};
Finding judge_limit(const ResourceLimit& limit);

// What was found, and what bernstein.yaml wants; null when it cannot be read.
std::vector<Finding> judge_agents(const std::vector<FoundAgent>& agents, const plan::Config* config);

// What to ask for the help that lists the flags of a command line: `codex exec --json -` → `codex exec --help`.
std::vector<std::string> help_command(const std::vector<std::string>& command);
// Flags of a command line that do not stand in a help text, each once, in their order.
std::vector<std::string> missing_flags(const std::vector<std::string>& command, std::string_view help);

// Those that a run may take: what bernstein.yaml names, and where it leaves that to us the first that is installed.
// Those that are not installed, or known to be logged out, are left out: that is said of them elsewhere.
std::vector<const FoundAgent*> agents_in_use(const std::vector<FoundAgent>& agents, const plan::Config& config);
// What one of them said when it was asked for a word.
Finding judge_answer(const ModelAnswer& answer);

Finding judge_clock(Micros now_us, std::optional<Micros> newest_event_us);

}  // namespace bernstein::cli
