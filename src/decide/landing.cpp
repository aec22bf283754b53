#include "bernstein/decide/landing.hpp"

#include <algorithm>
#include <iterator>

#include "bernstein/base/text.hpp"
#include "bernstein/decide/retry.hpp"
#include "bernstein/state/chain.hpp"
#include "steps.hpp"
#include "words.hpp"

namespace bernstein {
namespace {

constexpr std::size_t k_commit_digits = 12;

using Links = std::vector<Link>;

// ---- one examination, a candidate's or the target's ----

// Commands share one checkout, as `build` and then `test` do; so their verdicts are used again only when none of them
// has to run.
bool commands_are_known(const RunState& state, const Examination& examination) {
  for (const CheckSpec& check : examination.checks) {
    if (check.type != CheckType::command) continue;
    const auto known = state.verdicts.find(verdict_key(examination.tree, check));
    if (known == state.verdicts.end()) return false;
    if (known->second.verdict != CheckVerdict::passed) return true;  // what comes after it does not run
  }
  return true;
}

bool is_known(const RunState& state, const Examination& examination, const CheckSpec& check) {
  return state.verdicts.contains(verdict_key(examination.tree, check));
}

// Earlier runs are asked once, for all that is not known.
bool may_be_recalled(const RunState& state, const Examination& examination) {
  if (examination.recalled || !examination.rerun.empty() || state.run.number == 1) return false;
  return std::ranges::any_of(examination.checks, [&](const CheckSpec& check) {
    return check.type == CheckType::command && !is_known(state, examination, check);
  });
}

std::vector<Draft> next_check(const RunState& state, Subject subject, const Examination& examination) {
  if (may_be_recalled(state, examination))
    return {{subject, RecallRequested{examination.checks, state.environment, examination.tree}}};
  const CheckSpec& check = examination.checks[examination.next];
  const auto known = state.verdicts.find(verdict_key(examination.tree, check));
  const bool is_command = check.type == CheckType::command;
  const bool may_reuse =
      !is_command || (examination.rerun.empty() && !examination.checkout && commands_are_known(state, examination));
  if (known != state.verdicts.end() && may_reuse)
    return {{subject, CheckReused{known->second.from, check.name, examination.tree, known->second.verdict}}};
  return {{subject, CheckRequested{check, !examination.checkout, examination.tree}}};
}

// Why a red command is not believed yet; "" when it is.
std::string doubt(const RunState& state, const Examination& examination) {
  const CheckSpec& check = examination.checks[examination.next];
  if (check.type != CheckType::command || !examination.rerun.empty()) return "";
  if (check.flaky) return "it is called flaky in bernstein.yaml";
  const auto flakes = state.flakes.find(check.name);
  if (flakes != state.flakes.end()) return "it has contradicted itself before";
  return "";
}

std::vector<std::string> names_of(const std::vector<AttemptId>& attempts) {
  std::vector<std::string> names;
  for (AttemptId attempt : attempts) names.push_back(to_string(attempt));
  return names;
}

ChecksBegun begin_again(const RunState& state, const Examination& examination, const std::string& rerun,
                        const std::string& why) {
  // Whoever has landed meanwhile, by the word of another one, needs nobody to speak for it.
  std::vector<AttemptId> covers = examination.covers;
  std::erase_if(covers, [&](AttemptId id) { return std::ranges::find(state.chain, id) == state.chain.end(); });
  return {names_of(covers), rerun, examination.tree, why};
}

std::string failure_of(const Examination& examination) {
  return "check '" + examination.failed->name + "' failed: " + examination.failed->why;
}

// What a person ought to know of an attempt whose checks are green.
std::string weakened_in_words(const Attempt& attempt) {
  return attempt.work->weakened_tests.empty() ? "" : "; it " + name_paths(attempt.work->weakened_tests);
}

std::string passed_in_words(const Attempt& attempt) {
  const Examination& examination = *attempt.examination;
  const std::size_t checks = examination.checks.size();
  std::string why =
      (checks == 1 ? "its 1 check" : "all " + std::to_string(checks) + " checks") + " passed on this tree";
  if (!examination.covers.empty()) why += ", for " + join(names_of(examination.covers), ", ") + " too";
  return why + weakened_in_words(attempt);
}

// A check that has ended in neither green nor red is begun again; what is red is put in doubt once, where there is
// reason to.
std::vector<Draft> begun_again(const RunState& state, Subject subject, const Examination& examination) {
  const CheckFinished& failed = *examination.failed;
  if (failed.stopped) {
    return {
        {subject, begin_again(state, examination, examination.rerun,
                              "check '" + failed.name + "' was interrupted: " + failed.why + "; it starts afresh")}};
  }
  const std::string reason = doubt(state, examination);
  if (reason.empty()) return {};
  return {{subject, begin_again(state, examination, failed.name,
                                failure_of(examination) + "; it runs once more, because " + reason)}};
}

bool gives_up(const Examination& examination) {
  return examination.failed->stopped && examination.interruptions + 1 >= k_losses_max;
}

std::vector<Draft> say_what_flaked(Subject subject, const Examination& examination) {
  const std::string why = "check '" + examination.flaked + "' passed and failed on one tree in one environment";
  return {{subject, CheckFlaked{examination.flaked, examination.tree, why}}};
}

// What the candidate's checks lead to next, as long as they are under way.
std::vector<Draft> go_on_checking(const RunState& state, const Link& link) {
  const Attempt& attempt = attempt_of(state, link.attempt);
  if (attempt.step != Step::candidate || !attempt.examination) return {};
  const Examination& examination = *attempt.examination;
  const Subject subject = about(attempt.id);
  if (!examination.flaked.empty()) return say_what_flaked(subject, examination);
  const bool is_needed =
      examination.begun && !examination.abandoned && link.state == LinkState::standing && !link.landable;
  if (!is_needed || examination.verdict) return {};
  const Task& task = task_of(state, attempt.id.task);
  if (!examination.failed) {
    if (examination.next < examination.checks.size()) return next_check(state, subject, examination);
    if (!examination.checks.empty())
      return {{subject, VerdictReached{examination.tree, Verdict::passed, passed_in_words(attempt)}}};
    return {{subject, VerdictReached{examination.tree, Verdict::unverified,
                                     "there is no check for this task; it changes " +
                                         plural(attempt.work->changes.size(), "path") + weakened_in_words(attempt)}}};
  }
  const CheckFinished& failed = *examination.failed;
  if (gives_up(examination)) {
    return fail(
        state, task, attempt,
        {.class_ = FailureClass::orchestrator, .why = "check '" + failed.name + "' was interrupted: " + failed.why});
  }
  if (!failed.stopped && failed.verdict == CheckVerdict::error) {
    // It says nothing about the work, and would hit every task.
    const std::string why = "check '" + failed.name + "' could not run: " + failed.why;
    return fail(state, task, attempt,
                {.class_ = FailureClass::environment, .evidence = {{why, failed.output}}, .why = why});
  }
  return begun_again(state, subject, examination);
}

std::vector<Draft> go_on_checking_target(const RunState& state) {
  if (!state.target_check || state.target_check->waits) return {};
  const Examination& examination = state.target_check->examination;
  if (!examination.flaked.empty()) return say_what_flaked(about_run(), examination);
  if (state.target_check->commit != state.target_tip || examination.verdict) return {};
  if (!examination.failed) {
    if (examination.next < examination.checks.size()) return next_check(state, about_run(), examination);
    return {{about_run(), VerdictReached{examination.tree, Verdict::passed, "the target passes the project's gates"}}};
  }
  const bool could_not_run = examination.failed->verdict == CheckVerdict::error && !examination.failed->stopped;
  if (!could_not_run && !gives_up(examination)) {
    if (std::vector<Draft> again = begun_again(state, about_run(), examination); !again.empty()) return again;
  }
  return {{about_run(), VerdictReached{examination.tree, Verdict::failed, failure_of(examination)}}};
}

// ---- the front of the chain ----

// Whether the target is known to pass the gate that the candidate fails; nothing: nobody has looked.
std::optional<bool> passes_on_target(const RunState& state, const Attempt& attempt, const CheckSpec& gate) {
  if (is_target_red(state)) return false;
  const auto known = state.verdicts.find(verdict_key(attempt.candidate->base_tree, gate));
  if (known != state.verdicts.end() && known->second.verdict == CheckVerdict::passed) return true;
  const bool looked =
      state.target_check && state.target_check->commit == state.target_tip && state.target_check->examination.verdict;
  if (looked) return true;
  return std::nullopt;
}

std::string target_in_words(const RunState& state) {
  return replace_all(state.started->target, "refs/heads/", "") + " at " + state.target_tip.substr(0, k_commit_digits);
}

std::uint32_t busy_checks(const RunState& state) {
  std::uint32_t busy = state.target_check && state.target_check->waits ? 1 : 0;
  for (AttemptId id : state.chain) {
    const Step step = attempt_of(state, id).step;
    if (step == Step::checking || step == Step::recalling) ++busy;
  }
  return busy;
}

bool has_free_check(const RunState& state) {
  return busy_checks(state) < config_of(state).landing.max_checks;
}

std::string left_out_in_words(const CandidateBuilt& candidate) {
  return candidate.left_out.empty()
             ? ""
             : "; " + name_paths(candidate.left_out) + (candidate.left_out.size() == 1 ? " defines" : " define") +
                   " checks and stayed as the target has it: its task does not own it";
}

// Somebody landed what the attempt would have, or it changed nothing but what defines checks.
bool changes_nothing(const CandidateBuilt& candidate) {
  return candidate.tree == candidate.base_tree && !candidate.left_out.empty();
}

std::vector<Draft> judge_red(const RunState& state, const Task& task, const Attempt& attempt) {
  const Examination& examination = *attempt.examination;
  const CheckSpec& check = examination.checks[examination.next];
  const std::string why = failure_of(examination);
  if (is_gate(state, check)) {
    const std::optional<bool> passes = passes_on_target(state, attempt, check);
    if (!passes) {
      if (!has_free_check(state) || (state.target_check && state.target_check->waits)) return {};
      return {{about_run(), ChecksBegun{{},
                                        "",
                                        attempt.candidate->base_tree,
                                        to_string(attempt.id) + " fails '" + check.name +
                                            "', and nobody knows whether " + target_in_words(state) + " passes it"}}};
    }
    if (!*passes) {
      return {{about(attempt.id), LandingHeld{Hold::base_red, why + "; but so does " + target_in_words(state) +
                                                                  " itself, so nobody is blamed"}}};
    }
  }
  std::vector<std::string> since;  // landed after its base, so that it may be these two together
  for (const auto& [id, other] : state.tasks) {
    if (other.status == TaskStatus::landed && !other.attempts.empty() &&
        other.attempts.back().ended_at_us >= attempt.assigned_at_us &&
        other.attempts.back().merge_commit != attempt.base)
      since.push_back(to_string(id));
  }
  AttemptFailed failure{.evidence = {{why, examination.failed->output}}, .why = why};
  if (!since.empty())
    failure.evidence.push_back({"it was checked together with what landed meanwhile: " + name_paths(since), ""});
  if (!attempt.candidate->left_out.empty())
    failure.evidence.push_back({"left out of it" + left_out_in_words(*attempt.candidate), ""});
  return fail(state, task, attempt, std::move(failure));
}

// Tasks that landed since the attempt began and changed one of the paths, with what they were for.
std::vector<std::string> rivals(const RunState& state, const Attempt& attempt) {
  std::vector<std::string> found;
  for (const auto& [id, task] : state.tasks) {
    if (task.status != TaskStatus::landed) continue;
    const std::vector<ChangedPath>& changes = task.attempts.back().work->changes;
    const auto meets = [&](const ConflictedPath& conflict) {
      return std::ranges::find(changes, conflict.path, &ChangedPath::path) != changes.end();
    };
    if (std::ranges::any_of(attempt.conflicts, meets)) found.push_back(to_string(id) + " '" + task.spec.title + "'");
  }
  return found;
}

std::vector<Draft> judge_conflict(const RunState& state, const Task& task, const Attempt& attempt) {
  std::vector<std::string> paths;
  for (const ConflictedPath& conflict : attempt.conflicts) paths.push_back(conflict.path);
  std::string why = "its changes conflict with what landed meanwhile in " + name_paths(paths);
  if (const std::vector<std::string> others = rivals(state, attempt); !others.empty())
    why += " (" + name_paths(others) + ")";
  return fail(state, task, attempt,
              {.class_ = FailureClass::conflict, .evidence = {{why, ""}}, .paths = paths, .why = why});
}

std::string vouched_by(const Links& links, const RunState& state) {
  for (const Link& link : links) {
    const Attempt& attempt = attempt_of(state, link.attempt);
    if (link.landable && attempt.examination && attempt.examination->verdict) return to_string(link.attempt);
  }
  return "";
}

std::vector<Draft> land(const RunState& state, const Links& links, const Attempt& attempt) {
  const CandidateBuilt& candidate = *attempt.candidate;
  std::vector<Draft> drafts;
  if (!attempt.examination || !attempt.examination->verdict) {
    drafts.push_back(
        {about(attempt.id), VerdictReached{candidate.tree, Verdict::passed,
                                           "checked as a part of " + vouched_by(links, state) +
                                               ", which stands on it and passed" + weakened_in_words(attempt)}});
  }
  drafts.push_back(
      {about(attempt.id), MergeRequested{candidate.base, candidate.commit, state.started->target, candidate.tree}});
  return drafts;
}

std::vector<Draft> judge_front(const RunState& state, const Links& links) {
  const Attempt& attempt = attempt_of(state, links.front().attempt);
  const Task& task = task_of(state, attempt.id.task);
  if (attempt.step == Step::conflicted && links.front().state == LinkState::failing)
    return judge_conflict(state, task, attempt);
  if (attempt.step != Step::candidate || state.landing) return {};
  if (links.front().state == LinkState::failing) return judge_red(state, task, attempt);
  if (links.front().state == LinkState::standing && changes_nothing(*attempt.candidate)) {
    const std::string why = "nothing is left of its changes" + left_out_in_words(*attempt.candidate);
    return fail(state, task, attempt, {.evidence = {{why, ""}}, .why = why});
  }
  if (!links.front().landable) return {};
  if (config_of(state).approve_merge && !attempt.approved) {
    const std::string name = to_string(state.run) + "/" + to_string(task.spec.id);
    return {{about(attempt.id),
             LandingHeld{Hold::approval,
                         "it passed its checks and waits for a person's look: `bernstein approve " + name + "`"}}};
  }
  return land(state, links, attempt);
}

// ---- the chain ----

bool has_failed(const Attempt& attempt) {
  return attempt.step == Step::candidate && attempt.examination && attempt.examination->failed &&
         !attempt.examination->failed->stopped;
}

// Whether it is red by what it has to pass itself. The check of a task that is ahead of it and covered by it may be red
// through one between them that need not pass that check either.
bool fails_its_own(const RunState& state, const Attempt& attempt) {
  const Examination& examination = *attempt.examination;
  const std::vector<CheckSpec> own = checks_of(state, {attempt.id.task});
  return std::ranges::find(own, examination.checks[examination.next]) != own.end();
}

// A red candidate is failing when what it stands on is green: in strict mode at once, as it was checked for itself
// alone.
std::vector<Draft> find_culprit(const RunState& state, const Links& links) {
  const bool by_batch = config_of(state).landing.skip_intermediate;
  bool ahead_is_green = true;
  for (const Link& link : links) {
    if (link.state == LinkState::failing) continue;
    if (link.state != LinkState::standing) return {};
    const Attempt& attempt = attempt_of(state, link.attempt);
    const bool is_red = has_failed(attempt) && !attempt.examination->verdict;
    if (is_red && (!by_batch || ahead_is_green)) {
      const Examination& examination = *attempt.examination;
      if (fails_its_own(state, attempt))
        return {{about(attempt.id), VerdictReached{examination.tree, Verdict::failed, failure_of(examination)}}};
      if (!has_free_check(state)) return {};
      return {{about(attempt.id), ChecksBegun{{},
                                              "",
                                              examination.tree,
                                              failure_of(examination) + "; that is none of its own checks, and what " +
                                                  "is ahead of it is green: it is checked for itself"}}};
    }
    ahead_is_green = ahead_is_green && link.landable;
  }
  return {};
}

std::vector<Draft> abandon_checks(const RunState& state, const Links& links) {
  bool red_ahead = false;
  for (const Link& link : links) {
    const Attempt& attempt = attempt_of(state, link.attempt);
    red_ahead = red_ahead || (link.state == LinkState::standing && has_failed(attempt));
    if (attempt.step != Step::checking || attempt.examination->abandoned) continue;
    if (red_ahead) return {{about(attempt.id), CheckAbandoned{"something that it stands on is red"}}};
    if (link.state == LinkState::stale || link.state == LinkState::pending)
      return {{about(attempt.id), CheckAbandoned{"what it stands on has changed"}}};
    if (link.landable) return {{about(attempt.id), CheckAbandoned{"another one that stands on it passed"}}};
  }
  return {};
}

std::vector<Draft> compose(const RunState& state, const Links& links) {
  for (std::size_t i = 0; i < links.size(); ++i) {
    const Attempt& attempt = attempt_of(state, links[i].attempt);
    if (links[i].state == LinkState::pending) return {};
    if (links[i].state != LinkState::stale) continue;
    const bool may_move = attempt.step == Step::candidate || attempt.step == Step::conflicted;
    if (!may_move) return {};  // its check is being ended
    const std::string onto = links[i].base == state.target_tip ? "" : links[i].base;
    return {{about(attempt.id), CandidateRequested{attempt.work->commit, onto}}};
  }
  return {};
}

std::size_t window(const RunState& state) {
  const std::size_t slots = config_of(state).landing.max_checks;
  if (!config_of(state).landing.skip_intermediate) return slots;
  const std::size_t batch = batch_size(state);
  return slots > 1 ? 2 * batch : batch;
}

std::vector<Draft> admit(const RunState& state, const Links& links) {
  if (state.landing_queue.empty()) return {};
  // What only waits to land takes no place in the next batch.
  const bool by_batch = config_of(state).landing.skip_intermediate;
  const auto counts = [&](const Link& link) {
    return link.state == LinkState::standing && !(by_batch && link.landable);
  };
  const auto standing = static_cast<std::size_t>(std::ranges::count_if(links, counts));
  if (standing >= window(state)) return {};
  std::string onto;
  for (const Link& link : links) {
    if (link.state == LinkState::stale || link.state == LinkState::pending) return {};
    if (link.state == LinkState::standing) onto = attempt_of(state, link.attempt).candidate->commit;
  }
  const AttemptId id = state.landing_queue.begin()->attempt;
  return {{about(id), CandidateRequested{attempt_of(state, id).work->commit, onto}}};
}

// ---- check slots ----

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

// What was held up and is not any more.
std::vector<Draft> release_held(const RunState& state) {
  if (!state.to_release.empty())
    return {{about(*state.to_release.begin()), LandingQueued{"a person wants it on the target"}}};
  if (!state.held_by_red_target.empty() && !is_target_red(state))
    return {{about(*state.held_by_red_target.begin()), LandingQueued{"the target may pass its checks now"}}};
  return {};
}

}  // namespace

std::vector<Draft> decide_landing(const RunState& state) {
  if (std::vector<Draft> drafts = release_held(state); !drafts.empty()) return drafts;
  if (std::vector<Draft> drafts = go_on_checking_target(state); !drafts.empty()) return drafts;
  const Links links = links_of(state);
  for (const Link& link : links) {
    if (std::vector<Draft> drafts = go_on_checking(state, link); !drafts.empty()) return drafts;
  }
  if (!links.empty()) {
    if (std::vector<Draft> drafts = judge_front(state, links); !drafts.empty()) return drafts;
  }
  for (const auto step : {find_culprit, abandon_checks, compose, admit, begin_checks}) {
    if (std::vector<Draft> drafts = step(state, links); !drafts.empty()) return drafts;
  }
  return {};
}

std::string red_target_in_words(const RunState& state) {
  std::string text = target_in_words(state) + " fails its own checks";
  if (is_target_red(state)) text += ": " + failure_of(state.target_check->examination);
  return text + "; mend it there and `bernstein resume " + to_string(state.run) + "`";
}

}  // namespace bernstein
