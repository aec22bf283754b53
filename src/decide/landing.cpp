#include "bernstein/decide/landing.hpp"

#include <algorithm>
#include <iterator>

#include "bernstein/base/text.hpp"
#include "bernstein/state/chain.hpp"
#include "check_slots.hpp"
#include "examination.hpp"
#include "steps.hpp"
#include "words.hpp"

namespace bernstein {
namespace {

constexpr std::size_t k_commit_digits = 12;

using Links = std::vector<Link>;

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

std::vector<Draft> judge_conflict(const RunState& state, const Task& task, const Attempt& attempt) {
  std::vector<std::string> paths;
  for (const ConflictedPath& conflict : attempt.conflicts) paths.push_back(conflict.path);
  std::string why = "its changes conflict with what landed meanwhile in " + name_paths(paths);
  std::vector<std::string> others;
  for (TaskId id : who_landed_on(state, attempt.conflicts))
    others.push_back(to_string(id) + " '" + task_of(state, id).spec.title + "'");
  if (!others.empty()) why += " (" + name_paths(others) + ")";
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
