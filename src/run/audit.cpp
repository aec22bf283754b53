#include "bernstein/run/audit.hpp"

#include <utility>

#include "bernstein/event/chain.hpp"
#include "bernstein/event/codec.hpp"
#include "bernstein/run/anchor.hpp"
#include "bernstein/state/apply.hpp"
#include "bernstein/state/invariants.hpp"

namespace bernstein::run {
namespace {

// What is known of a run while its records pass by.
struct RunTrail {
  RunChain chain;
  Seq last_seq = 0;  // 0: none yet
  Micros last_at_us = 0;
  RunState state;
  bool anchored = false;  // its anchor names an event that we saw
};

class Auditor {
 public:
  explicit Auditor(const std::map<RunId, std::string>& anchors) : anchors_(anchors) {}

  // What is wrong with the record, or "".
  std::string look_at(const Record& record) {
    RunTrail& trail = trails_[record.run];
    if (record.seq != last_seq_ + 1) return "follows seq " + std::to_string(last_seq_) + ": events in between are gone";
    if (record.run_seq == 1 && record.prev_hash != run_genesis(record.run, last_hash_))
      return "prev_hash is not the hash of the event before it";
    if (std::string fault = trail.chain.follow(record); !fault.empty()) return fault;
    if (record.cause < 0 || record.cause >= record.seq) return "names a cause that does not come before it";
    if (record.at_us < trail.last_at_us) return "the run's clock goes back";
    Result<Event> event = to_event(record);
    if (!event) return event.error().message;
    if (Status applied = apply(trail.state, *event); !applied) return applied.error().message;

    last_seq_ = record.seq;
    last_hash_ = record.hash;
    trail.last_seq = record.seq;
    trail.last_at_us = record.at_us;
    if (auto anchor = anchors_.find(record.run); anchor != anchors_.end() && !trail.anchored) {
      trail.anchored = anchor->second == anchor_text(record.run, record.run_seq, record.hash);
    }
    return "";
  }

  // What only shows at the end.
  std::optional<BadEvent> look_back() const {
    for (const auto& [run, trail] : trails_) {
      if (std::vector<std::string> broken = broken_invariants(trail.state); !broken.empty()) {
        return BadEvent{trail.last_seq, "at the end of " + to_string(run) + ": " + broken.front()};
      }
      if (anchors_.contains(run) && !trail.anchored) {
        return BadEvent{trail.last_seq, "the anchor refs/bernstein/runs/" + to_string(run) +
                                            " names an event that the log does not have: " + anchors_.at(run)};
      }
    }
    for (const auto& [run, text] : anchors_) {
      if (!trails_.contains(run))
        return BadEvent{0, "there is an anchor for " + to_string(run) + ", and the log has no such run"};
    }
    return std::nullopt;
  }

 private:
  const std::map<RunId, std::string>& anchors_;
  std::map<RunId, RunTrail> trails_;
  Seq last_seq_ = 0;
  Digest last_hash_{};
};

}  // namespace

Result<AuditReport> audit(port::EventReader& reader, const std::map<RunId, std::string>& anchors) {
  AuditReport report;
  Auditor auditor(anchors);
  BERNSTEIN_TRY_VOID(reader.read_all([&](const Record& record) {
    ++report.events;
    if (std::string what = auditor.look_at(record); !what.empty()) report.first_bad = {record.seq, std::move(what)};
    return report.ok();
  }));
  if (report.ok()) report.first_bad = auditor.look_back();
  return report;
}

}  // namespace bernstein::run
