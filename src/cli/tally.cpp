#include "tally.hpp"

#include <type_traits>

namespace bernstein::cli {

void note(Tally& tally, const Event& event) {
  ++tally.events;
  tally.last_wall_us = event.wall_us;
  std::visit(
      [&](const auto& body) {
        using Body = std::decay_t<decltype(body)>;
        if constexpr (std::is_same_v<Body, AgentExited>) {
          tally.agent_us += body.duration_us;
        } else if constexpr (std::is_same_v<Body, CheckFinished>) {
          tally.check_us += body.duration_us;
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
