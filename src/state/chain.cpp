#include "bernstein/state/chain.hpp"

namespace bernstein {
namespace {

bool is_green(const Attempt& attempt) {
  return attempt.examination && attempt.examination->verdict &&
         attempt.examination->verdict->verdict != Verdict::failed;
}

bool is_red(const Attempt& attempt) {
  return attempt.examination && attempt.examination->verdict &&
         attempt.examination->verdict->verdict == Verdict::failed;
}

LinkState state_of(const Attempt& attempt, const std::string& base) {
  if (attempt.step == Step::composing) return LinkState::pending;
  if (attempt.step == Step::conflicted) return attempt.conflicted_with == base ? LinkState::failing : LinkState::stale;
  if (!attempt.candidate || attempt.candidate->base != base) return LinkState::stale;
  return is_red(attempt) ? LinkState::failing : LinkState::standing;
}

}  // namespace

std::vector<Link> links_of(const RunState& state) {
  std::vector<Link> links;
  links.reserve(state.chain.size());
  std::string base = state.target_tip;
  bool known = true;  // what is ahead is computed
  for (AttemptId id : state.chain) {
    Link link{.attempt = id, .base = base};
    if (known) link.state = state_of(attempt_of(state, id), base);
    if (link.state == LinkState::standing) base = attempt_of(state, id).candidate->commit;
    if (link.state == LinkState::stale || link.state == LinkState::pending) known = false;
    links.push_back(std::move(link));
  }
  // From the back: whoever stands below a green one that covers it.
  const bool by_batch = config_of(state).landing.skip_intermediate;
  bool vouched = false;
  for (auto link = links.rbegin(); link != links.rend(); ++link) {
    if (link->state != LinkState::standing) continue;
    const bool green = is_green(attempt_of(state, link->attempt));
    vouched = vouched || green;
    link->landable = by_batch ? vouched : green;
  }
  return links;
}

}  // namespace bernstein
