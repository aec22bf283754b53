#include "examination.hpp"

#include <algorithm>

#include "bernstein/base/text.hpp"
#include "bernstein/decide/retry.hpp"
#include "steps.hpp"
#include "words.hpp"

namespace bernstein {

std::string failure_of(const Examination& examination) {
  return "check '" + examination.failed->name + "' failed: " + examination.failed->why;
}

// What a person ought to know of an attempt whose checks are green.
std::string weakened_in_words(const Attempt& attempt) {
  return attempt.work->weakened_tests.empty() ? "" : "; it " + name_paths(attempt.work->weakened_tests);
}

namespace {

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

}  // namespace

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

}  // namespace bernstein
