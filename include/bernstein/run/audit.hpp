#pragma once
// audit: hashes, chain, gaps, and the invariants of the folded state, over the whole log or one run. What the log
// claims about the repository is gathered on the way, for audit_repository.hpp.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bernstein/base/result.hpp"
#include "bernstein/event/event.hpp"
#include "bernstein/port/event_log.hpp"

namespace bernstein::run {

struct BadEvent {
  Seq seq = 0;
  std::string what;  // "hash does not match the row's content"
};

// A merge that was asked for, and what the log says has become of it.
struct ClaimedLanding {
  RunId run;
  AttemptId attempt;
  Seq seq = 0;        // of its last event
  std::string event;  // what its commit is to name as Bernstein-Event
  MergeRequested asked;
  bool open = true;  // without a result yet
  std::optional<MergeLanded> landed;
};

// Work that was captured and has a salvage ref.
struct ClaimedWork {
  RunId run;
  AttemptId attempt;
  Seq seq = 0;
  WorkCaptured work;
  bool superseded = false;  // the attempt's work was captured again later
  bool ended = false;       // its attempt has
  bool landed = false;
};

// An attempt whose worktree, repository and checkout are gone for good.
struct ClaimedRemoval {
  RunId run;
  AttemptId attempt;
  Seq seq = 0;  // of WorktreeRemoved
};

// What the log says of the repository.
struct Claims {
  std::map<std::string, std::string> targets;  // branch → where it stood when the first run began to land on it
  std::vector<ClaimedLanding> landings;        // of each run in order, here and below
  std::vector<ClaimedWork> works;
  std::vector<ClaimedRemoval> removals;
};

struct AuditReport {
  std::int64_t events = 0;
  std::optional<BadEvent> first_bad;
  Claims claims;  // only when nothing is bad
  bool ok() const { return !first_bad; }
};

// `anchors`: run → the text of its anchor (Workspace::write_anchor), as far as there are any; each names a run_seq and
// hash that the log must contain.
Result<AuditReport> audit(port::EventReader& reader, const std::map<RunId, std::string>& anchors);

}  // namespace bernstein::run
