#include "bernstein/base/sha256.hpp"
#include "bernstein/event/codec.hpp"
#include "bernstein/state/run_state.hpp"

namespace bernstein {
namespace {

// One fact a line: "name value value ...". Texts are put in as digests, so that no text can imitate a line.
class Facts {
 public:
  template <class... V>
  void add(std::string_view name, const V&... values) {
    text_ += name;
    (put(values), ...);
    text_ += '\n';
  }
  std::string hash() const { return to_hex(sha256(text_)); }

 private:
  void put(const std::string& value) { text_ += ' ' + to_hex(sha256(value)); }
  void put(std::string_view word) { text_ += ' ' + std::string(word); }
  void put(std::int64_t number) { text_ += ' ' + std::to_string(number); }
  void put(UsdMicros amount) { put(amount.value); }
  void put(const Outlay& outlay) {
    put(outlay.micros);
    put(outlay.tokens);
  }
  void put(TaskId id) { put(std::string_view(to_string(id))); }
  void put(AttemptId id) { put(std::string_view(to_string(id))); }

  std::string text_;
};

std::int64_t number(std::size_t n) {
  return static_cast<std::int64_t>(n);
}

void add_examination(Facts& facts, const Examination& e) {
  facts.add("examination", e.tree, std::int64_t{e.begun}, std::int64_t{e.recalled}, e.rerun, number(e.next),
            std::int64_t{e.checkout}, std::int64_t{e.abandoned}, std::int64_t{e.interruptions}, e.flaked);
  for (const CheckSpec& check : e.checks) facts.add("to check", verdict_key("", check), check.name);
  for (AttemptId covered : e.covers) facts.add("covers", covered);
  if (e.failed) facts.add("failed check", encode(*e.failed));
  if (e.verdict) facts.add("verdict", encode(*e.verdict));
}

void add_attempt(Facts& facts, const Attempt& a) {
  facts.add("attempt", a.id, std::int64_t{static_cast<int>(a.step)}, to_string(a.arm), a.arm.model, a.base, a.merge_in,
            a.conflicted_with, a.merge_commit, std::int64_t{a.slot}, std::int64_t{a.worktree}, std::int64_t{a.started},
            std::int64_t{a.approved}, std::int64_t{a.arrival}, a.reserved, a.captured_seq, a.silent_us,
            a.assigned_at_us, a.ended_at_us);
  for (const auto& [name, value] : a.features) facts.add("feature", name, value);
  for (const std::string& pattern : a.owned) facts.add("owned", pattern);
  for (const std::string& path : a.granted) facts.add("granted", path);
  if (a.candidate) facts.add("candidate", encode(*a.candidate));
  for (const ConflictedPath& c : a.conflicts) facts.add("conflict", c.path, c.base, c.ours, c.theirs);
  for (const auto& [other, paths] : a.foreseen) {
    for (const std::string& path : paths) facts.add("foreseen", other, path);
  }
  if (a.held) facts.add("held", encode(*a.held));
  if (a.examination) add_examination(facts, *a.examination);
  if (a.exit) facts.add("exit", encode(*a.exit));
  if (a.work) facts.add("work", encode(*a.work));
  if (a.answer) facts.add("answer", encode(*a.answer));
  if (a.broken) facts.add("broken", encode(*a.broken));
  if (a.failure) facts.add("failure", encode(*a.failure));
}

void add_task(Facts& facts, TaskId id, const Task& task) {
  facts.add("task", id, to_word(task.status), std::int64_t{task.open_prerequisites}, std::int64_t{task.failures},
            std::int64_t{task.losses}, std::int64_t{task.parks}, std::int64_t{task.conflicts}, task.used,
            encode(TaskCreated{task.chain_minutes, task.spec}), task.why);
  for (const std::string& path : task.extra_files) facts.add("extra", path);
  for (TaskId part : task.parts) facts.add("part", part);
  if (task.route) facts.add("route", encode(*task.route));
  if (task.failed_arm) facts.add("failed arm", to_string(*task.failed_arm), task.failed_arm->model);
  if (task.resolver) facts.add("resolver", to_string(*task.resolver), task.resolver->model);
  if (task.undone_by) facts.add("undone by", *task.undone_by);
  for (const Attempt& attempt : task.attempts) add_attempt(facts, attempt);
}

void add_experience(Facts& facts, const ArmExperience& arm) {
  facts.add("experience", arm.agent, arm.model, arm.completions, arm.cost_micros, arm.reward_ppm);
  for (std::int64_t sum : arm.gram) facts.add("gram", sum);
  for (std::int64_t sum : arm.moment) facts.add("moment", sum);
}

void add_planning(Facts& facts, const Planning& planning) {
  if (planning.wanted) facts.add("plan wanted");
  for (TaskId task : planning.to_split) facts.add("to split", task);
  if (planning.question) facts.add("question", *planning.question, number(planning.first_session));
  if (!planning.failed.empty()) facts.add("no plan", planning.failed);
  if (!planning.task.attempts.empty()) add_task(facts, k_planning, planning.task);
}

}  // namespace

std::string state_hash(const RunState& state) {
  Facts facts;
  facts.add("run", std::int64_t{state.run.number}, state.last_seq, state.at_us, state.target_tip, state.behind,
            state.halted);
  if (state.started) facts.add("started", encode(*state.started));
  if (state.plan) facts.add("plan", encode(*state.plan));
  for (const TaskSpec& task : state.planned) facts.add("planned", encode(TaskCreated{0, task}));
  if (state.approved) facts.add("approved");
  facts.add("epoch", state.epoch);
  if (state.stop) facts.add("stop", encode(*state.stop));
  if (state.paused) facts.add("paused", encode(*state.paused));
  if (state.finished) facts.add("finished", encode(*state.finished));
  facts.add("budgets", state.spent, state.presumed, state.reserved, std::int64_t{state.slots_at_resume});
  for (const auto& [key, outlay] : state.dearest) facts.add("dearest", key, outlay);
  for (AttemptId attempt : state.beyond_budget) facts.add("beyond budget", attempt);
  for (const Stage& stage : state.stages) facts.add("stage", stage.spec.name, std::int64_t{stage.unlanded});
  for (const auto& [id, task] : state.tasks) {
    add_task(facts, id, task);
  }
  add_planning(facts, state.planning);
  for (const ArmExperience& arm : state.policy.experiences()) add_experience(facts, arm);
  for (const auto& [credential, intent] : state.parked) facts.add("parked", credential, intent);
  for (const auto& [credential, times] : state.park_streak) facts.add("park streak", credential, std::int64_t{times});
  for (const auto& [credential, first] : state.trials) facts.add("trial", credential, first ? to_string(*first) : "");
  for (const auto& [agent, tasks] : state.crashed) {
    for (TaskId task : tasks) facts.add("crashed", agent, task);
  }
  // Without their wall time and hash, which a fold of recomputed events does not have (run/replay.hpp).
  for (const auto& [seq, intent] : state.open_intents)
    facts.add("open", seq, to_string(intent.subject), encode(intent.body));
  facts.add("landing", std::int64_t{state.arrivals}, std::int64_t{state.landings}, std::int64_t{state.ejections},
            state.environment);
  for (AttemptId attempt : state.chain) facts.add("chain", attempt);
  for (TaskId task : state.to_undo) facts.add("to undo", task);
  for (const auto& [check, times] : state.flakes) facts.add("flaky", check, std::int64_t{times});
  if (state.target_check) {
    facts.add("target check", state.target_check->commit, std::int64_t{state.target_check->waits});
    add_examination(facts, state.target_check->examination);
  }
  for (const auto& [key, known] : state.verdicts) {
    facts.add("verdict", key, to_word(known.verdict), known.from, known.why, known.output);
  }
  return facts.hash();
}

}  // namespace bernstein
