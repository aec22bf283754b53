#include "tally.hpp"

#include <algorithm>
#include <type_traits>

namespace bernstein::cli {

namespace {

// The run's clock stands while nobody owns the run, and its agents may go on meanwhile.
Micros owned_time(Tally& tally, const Event& end, Micros duration_us) {
  const auto begun = tally.begun_us.find(end.subject);
  if (begun == tally.begun_us.end()) return duration_us;
  const Micros passed = end.at_us - begun->second;
  tally.begun_us.erase(begun);
  return std::min(duration_us, passed);
}

}  // namespace

void note(Tally& tally, const Event& event) {
  ++tally.events;
  tally.last_wall_us = event.wall_us;
  std::visit(
      [&](const auto& body) {
        using Body = std::decay_t<decltype(body)>;
        if constexpr (std::is_same_v<Body, TaskAssigned> || std::is_same_v<Body, RevertRequested>) {
          tally.in_flight.insert(event.subject);
        } else if constexpr (std::is_same_v<Body, AttemptFailed> || std::is_same_v<Body, MergeLanded> ||
                             std::is_same_v<Body, PlanAdopted>) {
          tally.in_flight.erase(event.subject);
        } else if constexpr (std::is_same_v<Body, AgentStarted> || std::is_same_v<Body, CheckRequested>) {
          tally.begun_us[event.subject] = event.at_us;
        } else if constexpr (std::is_same_v<Body, AgentExited>) {
          tally.agent_us += owned_time(tally, event, body.duration_us);
        } else if constexpr (std::is_same_v<Body, CheckFinished>) {
          tally.check_us += owned_time(tally, event, body.duration_us);
        } else if constexpr (std::is_same_v<Body, VerdictReached>) {
          if (body.verdict == Verdict::unverified) {
            tally.unverified.insert(event.subject.task);
          } else {
            tally.unverified.erase(event.subject.task);
          }
        } else if constexpr (std::is_same_v<Body, CheckoutSynced>) {
          tally.left_behind_why = body.outcome == SyncOutcome::left_alone ? body.detail : "";
        }
      },
      event.body);
}

std::string catch_up_command(const RunState& state) {
  return "git read-tree -m -u " + state.behind.substr(0, 12) + " HEAD";
}

}  // namespace bernstein::cli
