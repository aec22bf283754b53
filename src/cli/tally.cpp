#include "tally.hpp"

#include <type_traits>

namespace bernstein::cli {
namespace {

void note_sync(Tally& tally, Seq intent, const CheckoutSynced& synced) {
  const auto open = tally.syncs.find(intent);
  const std::string from = open == tally.syncs.end() ? "" : open->second;
  if (open != tally.syncs.end()) tally.syncs.erase(open);
  switch (synced.outcome) {
    case SyncOutcome::updated:
    case SyncOutcome::not_checked_out:
      tally.left_behind_from.clear();
      tally.left_behind_why.clear();
      break;
    case SyncOutcome::left_alone:
      // Once left behind, a checkout stays at the commit where that began, however many landings follow.
      if (tally.left_behind_from.empty()) tally.left_behind_from = from, tally.left_behind_why = synced.detail;
      break;
    case SyncOutcome::count_:
      break;
  }
}

}  // namespace

void note(Tally& tally, const Event& event) {
  ++tally.events;
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
        } else if constexpr (std::is_same_v<Body, CheckoutSyncRequested>) {
          tally.syncs[event.seq] = body.from;
        } else if constexpr (std::is_same_v<Body, CheckoutSynced>) {
          note_sync(tally, event.cause, body);
        }
      },
      event.body);
}

std::string catch_up_command(const Tally& tally) {
  return "git read-tree -m -u " + tally.left_behind_from.substr(0, 12) + " HEAD";
}

}  // namespace bernstein::cli
