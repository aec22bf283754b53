#pragma once
// audit: hashes, chain, gaps, and the invariants of the folded state, over the whole log or one run.

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "bernstein/base/result.hpp"
#include "bernstein/port/event_log.hpp"

namespace bernstein::run {

struct BadEvent {
  Seq seq = 0;
  std::string what;  // "hash does not match the row's content"
};

struct AuditReport {
  std::int64_t events = 0;
  std::optional<BadEvent> first_bad;
  bool ok() const { return !first_bad; }
};

// `anchors`: run → the text of its anchor (Workspace::write_anchor), as far as there are any; each names a run_seq and
// hash that the log must contain.
Result<AuditReport> audit(port::EventReader& reader, const std::map<RunId, std::string>& anchors);

}  // namespace bernstein::run
