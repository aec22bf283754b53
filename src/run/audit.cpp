#include "bernstein/run/audit.hpp"

#include <utility>

#include "bernstein/event/chain.hpp"
#include "bernstein/event/codec.hpp"
#include "bernstein/run/anchor.hpp"
#include "bernstein/state/apply.hpp"
#include "bernstein/state/invariants.hpp"
#include "merge_message.hpp"

namespace bernstein::run {
namespace {

// Gathers what a run claims of the repository.
class Claimant {
 public:
  // `state` as it is after the event.
  void note(const RunState& state, const Event& event, const Digest& hash) {
    const AttemptId attempt{event.subject.task, event.subject.attempt};
    if (std::holds_alternative<CandidateRequested>(event.body)) candidates_[attempt] = event_trailer(event.seq, hash);
    if (const auto* merge = std::get_if<MergeRequested>(&event.body)) {
      open_[event.seq] = landings_.size();
      landings_.push_back({.run = state.run,
                           .attempt = attempt,
                           .seq = event.seq,
                           .event = candidates_[attempt],
                           .asked = *merge,
                           .landed = {}});
    }
    if (const auto merge = open_.find(event.cause); merge != open_.end() && kind_of(event.body) == Kind::result) {
      ClaimedLanding& landing = landings_[merge->second];
      landing.open = false;
      landing.seq = event.seq;
      if (const auto* landed = std::get_if<MergeLanded>(&event.body)) landing.landed = *landed;
    }
    if (const auto* work = std::get_if<WorkCaptured>(&event.body); work != nullptr && !work->salvage.empty())
      works_.push_back({.run = state.run, .attempt = attempt, .seq = event.seq, .work = *work});
    if (std::holds_alternative<WorktreeRemoved>(event.body))
      removals_.push_back({.run = state.run, .attempt = attempt, .seq = event.seq});
  }

  // What its end makes of them.
  void add_to(Claims& claims, const RunState& state) const {
    if (!state.started) return;
    claims.targets.emplace(state.started->target, state.started->target_tip);
    claims.landings.insert(claims.landings.end(), landings_.begin(), landings_.end());
    for (ClaimedWork claimed : works_) {
      const Attempt& attempt = attempt_of(state, claimed.attempt);
      claimed.superseded = attempt.captured_seq != claimed.seq;
      claimed.ended = !state.in_flight.contains(claimed.attempt);
      claimed.landed = !attempt.merge_commit.empty();
      claims.works.push_back(std::move(claimed));
    }
    for (const ClaimedRemoval& removal : removals_) {
      const Attempt& attempt = attempt_of(state, removal.attempt);
      if (attempt.step == Step::ended && !attempt.worktree) claims.removals.push_back(removal);
    }
  }

 private:
  std::map<AttemptId, std::string> candidates_;  // what the candidate of each names as its event
  std::map<Seq, std::size_t> open_;              // MergeRequested → its place in landings_
  std::vector<ClaimedLanding> landings_;
  std::vector<ClaimedWork> works_;
  std::vector<ClaimedRemoval> removals_;
};

// What is known of a run while its records pass by.
struct RunTrail {
  RunChain chain;
  Seq last_seq = 0;  // 0: none yet
  Micros last_at_us = 0;
  RunState state;
  Claimant claimant;
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
    trail.claimant.note(trail.state, *event, record.hash);

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

  Claims claims() const {
    Claims claims;
    for (const auto& [run, trail] : trails_) trail.claimant.add_to(claims, trail.state);
    return claims;
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
  if (report.ok()) report.claims = auditor.claims();
  return report;
}

}  // namespace bernstein::run
