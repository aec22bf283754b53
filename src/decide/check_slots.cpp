#include "check_slots.hpp"

#include <algorithm>
#include <optional>

#include "bernstein/decide/landing.hpp"

namespace bernstein {
namespace {

using Links = std::vector<Link>;

std::uint32_t busy_checks(const RunState& state) {
  std::uint32_t busy = state.target_check && state.target_check->waits ? 1 : 0;
  for (AttemptId id : state.chain) {
    const Step step = attempt_of(state, id).step;
    if (step == Step::checking || step == Step::recalling) ++busy;
  }
  return busy;
}

enum class Standing { unknown, checking, red, green };

struct Candidate {
  AttemptId attempt;
  Standing standing = Standing::unknown;
};

Standing standing_of(const Attempt& attempt, const Link& link) {
  if (link.landable) return Standing::green;
  if (attempt.step == Step::checking || attempt.step == Step::recalling) return Standing::checking;
  if (!attempt.examination || !attempt.examination->begun || attempt.examination->abandoned) return Standing::unknown;
  return attempt.examination->failed ? Standing::red : Standing::unknown;
}

// Those that stand, front first; failing ones left out.
std::vector<Candidate> candidates_of(const RunState& state, const Links& links) {
  std::vector<Candidate> candidates;
  for (const Link& link : links) {
    if (link.state == LinkState::failing) continue;
    if (link.state != LinkState::standing) break;
    candidates.push_back({link.attempt, standing_of(attempt_of(state, link.attempt), link)});
  }
  return candidates;
}

struct Choice {
  std::size_t index = 0;
  std::string why;
};

std::int64_t pass_chance_ppm(std::int64_t failure_ppm, std::size_t candidates) {
  std::int64_t chance = 1'000'000;
  for (std::size_t i = 0; i < candidates; ++i) chance = chance * (1'000'000 - failure_ppm) / 1'000'000;
  return chance;
}

std::string percent(std::int64_t ppm) {
  return std::to_string((ppm + 5'000) / 10'000) + " %";
}

// Strict: the first that nobody has looked at; whoever is ahead of it has to pass for it to be needed.
std::optional<Choice> choose_one_by_one(const RunState& state, const std::vector<Candidate>& candidates) {
  std::size_t unknown_ahead = 0;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (candidates[i].standing == Standing::green) continue;
    if (candidates[i].standing == Standing::unknown) {
      if (unknown_ahead == 0) return Choice{i, "it is next to land"};
      return Choice{i, "a check slot is free, and with " +
                           percent(pass_chance_ppm(failure_chance_ppm(state), unknown_ahead)) +
                           " those ahead of it pass"};
    }
    ++unknown_ahead;
  }
  return std::nullopt;
}

// A search between a green one (or the target) and a red one: the middle of the widest gap that no check splits.
std::optional<Choice> choose_by_halves(const std::vector<Candidate>& candidates, std::size_t green_end,
                                       std::size_t red) {
  std::size_t from = green_end;  // the first that is not known to be green
  std::optional<std::size_t> best;
  std::size_t widest = 0;
  for (std::size_t i = green_end; i <= red; ++i) {
    if (i < red && candidates[i].standing == Standing::unknown) continue;
    if (i > from && i - from > widest) {
      widest = i - from;
      best = from + (i - from - 1) / 2;
    }
    from = i + 1;
  }
  if (!best) return std::nullopt;
  return Choice{*best,
                "one of " + std::to_string(red - green_end + 1) + " together is red: the search goes on by halves"};
}

// `more`: others are being put together behind these. That takes no time beside a check: a batch begins when it is
// full, or when nobody else can join it.
std::optional<Choice> choose_by_batch(const RunState& state, const std::vector<Candidate>& candidates, bool more) {
  const std::size_t batch = batch_size(state);
  const std::int64_t failure = failure_chance_ppm(state);
  std::size_t green_end = 0;
  while (green_end < candidates.size() && candidates[green_end].standing == Standing::green) ++green_end;
  for (std::size_t i = green_end; i < candidates.size(); ++i) {
    if (candidates[i].standing == Standing::red) return choose_by_halves(candidates, green_end, i);
  }
  std::optional<std::size_t> first_checked;
  std::size_t last_checked = green_end;
  for (std::size_t i = green_end; i < candidates.size(); ++i) {
    if (candidates[i].standing != Standing::checking) continue;
    if (!first_checked) first_checked = i;
    last_checked = i;
  }
  const std::string size = "a batch of " + std::to_string(batch) + " at most, as " + percent(failure) + " fail";
  if (!first_checked) {
    if (green_end == candidates.size()) return std::nullopt;
    if (more && green_end + batch > candidates.size()) return std::nullopt;
    return Choice{std::min(green_end + batch, candidates.size()) - 1, "the last of " + size};
  }
  // Idle slots: the next batch is needed when those under check pass, half of the first when they do not.
  const std::int64_t passes = pass_chance_ppm(failure, last_checked + 1 - green_end);
  const bool has_next = last_checked + 1 < candidates.size();
  const bool has_half = *first_checked > green_end;
  if (has_next && (!has_half || passes >= 1'000'000 - passes)) {
    if (more && last_checked + 1 + batch > candidates.size()) return std::nullopt;
    return Choice{std::min(last_checked + 1 + batch, candidates.size()) - 1,
                  "a check slot is free, and with " + percent(passes) + " those ahead pass; the last of " + size};
  }
  if (has_half) {
    return Choice{green_end + (*first_checked - green_end - 1) / 2,
                  "a check slot is free, and with " + percent(1'000'000 - passes) + " the search has to go on here"};
  }
  return std::nullopt;
}

}  // namespace

bool has_free_check(const RunState& state) {
  return busy_checks(state) < config_of(state).landing.max_checks;
}

std::vector<Draft> begin_checks(const RunState& state, const Links& links) {
  if (!has_free_check(state)) return {};
  const std::vector<Candidate> candidates = candidates_of(state, links);
  const bool by_batch = config_of(state).landing.skip_intermediate;
  const bool more = std::ranges::any_of(
      links, [](const Link& link) { return link.state == LinkState::stale || link.state == LinkState::pending; });
  const std::optional<Choice> choice =
      by_batch ? choose_by_batch(state, candidates, more) : choose_one_by_one(state, candidates);
  if (!choice) return {};
  const Attempt& attempt = attempt_of(state, candidates[choice->index].attempt);
  ChecksBegun begun{.tree = attempt.candidate->tree, .why = choice->why};
  if (by_batch) {
    for (std::size_t i = 0; i < choice->index; ++i) {
      if (candidates[i].standing != Standing::green) begun.covers.push_back(to_string(candidates[i].attempt));
    }
  }
  return {{about(attempt.id), std::move(begun)}};
}

}  // namespace bernstein
