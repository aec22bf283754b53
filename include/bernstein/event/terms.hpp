#pragma once
// Words that events use: enumerations, and what stands in several events.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bernstein/base/units.hpp"
#include "bernstein/event/fields.hpp"

namespace bernstein {

// Why an attempt ended without landing; what happens next follows from it (decide/retry.hpp).
enum class FailureClass {
  task,          // checks red, nothing changed, somebody else's files: uses up an attempt
  quota,         // the agent may not work now, or its service fails: parked, uses up none
  environment,   // agent missing, disk, setup command: the run stops with one message
  orchestrator,  // stopped or lost by us: uses up none
  conflict,      // with what landed meanwhile: climbs a ladder of its own
  count_
};
BERNSTEIN_ENUM_WORDS(FailureClass, "task", "quota", "environment", "orchestrator", "conflict");

// How a new worktree was set up: there was no command, it ran, or what it made before was copied.
enum class SetupUse { none, ran, reused, count_ };
BERNSTEIN_ENUM_WORDS(SetupUse, "none", "ran", "reused");

enum class CheckVerdict { passed, failed, timed_out, error, count_ };
BERNSTEIN_ENUM_WORDS(CheckVerdict, "passed", "failed", "timed_out", "error");

// unverified: there was no check to run; the work changes something and nobody looked at it.
enum class Verdict { passed, failed, unverified, count_ };
BERNSTEIN_ENUM_WORDS(Verdict, "passed", "failed", "unverified");

enum class RunOutcome {
  landed,       // every task landed
  incomplete,   // some failed, were blocked or cancelled
  budget,       // the money ran out before the end
  stopped,      // by a person or a signal
  environment,  // something that every task needs is missing
  count_
};
BERNSTEIN_ENUM_WORDS(RunOutcome, "landed", "incomplete", "budget", "stopped", "environment");

enum class StopMode {
  drain,  // what is in flight is finished, nothing new starts
  now,    // Bernstein leaves; agents and checks go on under their supervisors, and a resume takes them back
  count_
};
BERNSTEIN_ENUM_WORDS(StopMode, "drain", "now");

// Where the cost of an attempt comes from.
enum class CostSource {
  unknown,    // the agent told neither a cost nor tokens that have a price
  reported,   // the agent's own number
  computed,   // from the tokens that it told and the price of its model
  estimated,  // either of these, of an agent that was ended: what it told until then, so at least that
  count_
};
BERNSTEIN_ENUM_WORDS(CostSource, "unknown", "reported", "computed", "estimated");

enum class ChangeKind { added, modified, deleted, count_ };
BERNSTEIN_ENUM_WORDS(ChangeKind, "added", "modified", "deleted");

// Why an attempt that could go on does not.
enum class Hold {
  approval,  // a person is to look at it first (RunConfig::approve_merge)
  base_red,  // it fails a check that the target fails by itself: nobody knows whose fault that is
  count_
};
BERNSTEIN_ENUM_WORDS(Hold, "approval", "base_red");

enum class SyncOutcome {
  updated,          // the checkout follows the branch
  not_checked_out,  // the branch is not what the user has checked out: nothing to do
  left_alone,       // uncommitted changes are in the way: one command is printed
  count_
};
BERNSTEIN_ENUM_WORDS(SyncOutcome, "updated", "not_checked_out", "left_alone");

struct ChangedPath {
  ChangeKind change = ChangeKind::modified;
  std::string path;  // normalised; bytes that are no UTF-8 are written \xNN

  static void fields(auto& self, auto&& field) {
    field("change", self.change);
    field("path", self.path);
  }
  bool operator==(const ChangedPath&) const = default;
};

// Three versions of a path that could not be merged: blob ids, "" where that side has no such file. Where a file was
// renamed differently by both sides, or is a directory on the other, each name is a path of its own with the sides that
// have it.
struct ConflictedPath {
  std::string base;  // what both sides come from
  std::string ours;  // on the target
  std::string path;  // as ChangedPath's
  std::string theirs;

  static void fields(auto& self, auto&& field) {
    field("base", self.base);
    field("ours", self.ours);
    field("path", self.path);
    field("theirs", self.theirs);
  }
  bool operator==(const ConflictedPath&) const = default;
};

// How a conflict of these three versions was settled once, so that it need not be settled again wherever the same three
// meet. Blob ids, "" where that side has no such file.
struct Resolution {
  std::string base;
  std::string ours;
  std::string result;  // "": the file is deleted
  std::string theirs;

  static void fields(auto& self, auto&& field) {
    field("base", self.base);
    field("ours", self.ours);
    field("result", self.result);
    field("theirs", self.theirs);
  }
  bool operator==(const Resolution&) const = default;
};

// Tokens of one attempt; nothing where the agent did not tell. input_tokens excludes what was read from a cache.
struct Usage {
  std::optional<std::int64_t> cached_tokens;
  std::optional<UsdMicros> cost_micros;
  std::optional<std::int64_t> input_tokens;
  std::optional<std::int64_t> output_tokens;

  static void fields(auto& self, auto&& field) {
    field("cached_tokens", self.cached_tokens);
    field("cost_micros", self.cost_micros);
    field("input_tokens", self.input_tokens);
    field("output_tokens", self.output_tokens);
  }
  bool operator==(const Usage&) const = default;
};

// What the next attempt gets to read about a failed one.
struct Evidence {
  std::string label;   // one line: "check 'tests' exited with 1"
  std::string output;  // digest of the blob that holds the output, "" when the label says all

  static void fields(auto& self, auto&& field) {
    field("label", self.label);
    field("output", self.output);
  }
  bool operator==(const Evidence&) const = default;
};

}  // namespace bernstein
