#include "simulation.hpp"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "bernstein/event/codec.hpp"
#include "bernstein/run/loop.hpp"
#include "support/builders.hpp"
#include "witness.hpp"

namespace bernstein::sim {
namespace {

namespace fs = std::filesystem;

// So many lives may go wrong; then the world is healed, and so many more have to do.
constexpr int k_lives_with_mishaps = 12;
constexpr int k_lives_to_heal = 4;
constexpr RunId k_run{1};

class Simulation final : public run::Observer {
 public:
  Simulation(std::uint64_t seed, const std::string& sdd, Tally& tally, bool verbose)
      : scenario_(draw_scenario(seed)),
        sdd_(sdd),
        tally_(tally),
        verbose_(verbose),
        mishaps_(scenario_, tally),
        workspace_(scenario_.repository),
        reactor_([this](const port::ProcessSpec& spec) { return play(spec); }),
        log_door_(log_, mishaps_),
        blobs_door_(blobs_, mishaps_),
        ownership_(mishaps_),
        reactor_door_(reactor_, mishaps_, [this] { plan_this_life(); }),
        witness_(scenario_, log_, workspace_, reactor_) {
    disturb(workspace_, mishaps_);
    reactor_.work_in_place();
    if (scenario_.slow_work) reactor_.set_work_duration([this] { return mishaps_.dice().between(0, 5 * k_second); });
  }

  Digest run() {
    for (int lives = 1; !is_over(); ++lives) {
      if (lives > k_lives_with_mishaps + k_lives_to_heal) throw Violation{"healed, the run does not come to its end"};
      if (lives == k_lives_with_mishaps) {
        mishaps_.heal();
        is_healed_ = true;
      }
      live();
      reactor_.crash();  // whether it ended or was killed: its callbacks are gone
      witness_.look();
      if (!is_over()) be_away();
    }
    witness_.look_at_the_end();
    look_at_the_plan();
    count();
    return log_.records().back().hash;
  }

  void on_event(const RunState&, const Event& event) override {
    if (!verbose_) return;
    std::cout << event.seq << ' ' << event.at_us / k_second << "s " << type_of(event.body) << ' '
              << to_string(event.subject) << ' ' << encode(event.body).substr(0, 160) << '\n';
  }
  void on_warning(const std::string& sentence) override { tell(sentence); }

 private:
  bool is_over() const {
    const auto& finished = witness_.state().finished;
    return finished && (finished->outcome == RunOutcome::landed || finished->outcome == RunOutcome::incomplete);
  }

  // From a start or a resume to an end or a crash.
  void live() {
    const bool is_resume = witness_.state().started.has_value();
    log_door_.begin_life();
    mishaps_.begin_life(is_resume);
    reactor_door_.begin_life();
    const run::Site site{.sdd = sdd_, .environment = {}, .sandbox = {}};
    run::Loop loop({log_door_, blobs_door_, workspace_, reactor_door_, ownership_}, site, *this);
    now_ = &loop.state();
    try {
      const Result<RunOutcome> outcome = is_resume ? resume(loop) : start(loop);
      tell(outcome ? "==== " + std::string(to_word(*outcome)) : "==== error: " + outcome.error().message);
    } catch (const Crash& crash) {
      tell("==== " + std::string(to_word(crash.moment)) + ": " + std::string(crash.where));
    }
  }

  Result<RunOutcome> start(run::Loop& loop) {
    RunStarted started = test::a_start(scenario_.config);
    started.target_tip = *workspace_.ref(started.target);
    if (scenario_.goal) return loop.start(std::move(started), PlanWanted{});
    return loop.start(std::move(started), test::a_plan(scenario_.tasks));
  }

  Result<RunOutcome> resume(run::Loop& loop) {
    ++tally_.recoveries;
    const RunState& left = witness_.state();
    for (const auto& [seq, intent] : left.open_intents) {
      const bool landed_already = std::holds_alternative<MergeRequested>(intent.body) &&
                                  witness_.is_on_target({intent.subject.task, intent.subject.attempt});
      if (landed_already) tally_.hit(Sometimes::merge_landed_already);
      if (std::holds_alternative<PlanReadRequested>(intent.body)) tally_.hit(Sometimes::answer_read_again);
    }
    if (is_target_red(left) && (is_healed_ || mishaps_.dice().one_in(2))) mend_target(left);
    RunResumed resumed{.bernstein = "0.1.0", .target_tip = *workspace_.ref(left.started->target)};
    if (left.finished && left.finished->outcome == RunOutcome::budget)
      resumed.budget_micros = left.spent.micros + left.presumed.micros + UsdMicros{20'000'000};
    // The person looks at the plan, sooner or later.
    const bool approves = awaits_approval(left) && (is_healed_ || mishaps_.dice().one_in(2));
    if (approves) tell("---- the person approves the plan");
    std::vector<Draft> wishes;
    if (approves) wishes.push_back({about_run(), PlanApproved{}});
    return loop.resume(k_run, std::move(resumed), std::move(wishes));
  }

  // The person makes the target pass its gates, sooner or later.
  void mend_target(const RunState& left) {
    const std::string& target = left.started->target;
    const auto passes = [&](const CheckSpec& gate) {
      return fate_of(scenario_, gate.command, workspace_.files(*workspace_.ref(target))).verdict ==
             CheckVerdict::passed;
    };
    constexpr int k_tries_max = 200;
    for (int tries = 0; tries < k_tries_max && !std::ranges::all_of(scenario_.config.gates, passes); ++tries) {
      const FileMap change = persons_change(scenario_.seed, ++changes_);
      const std::string commit = workspace_.somebody_commits(target, change);
      witness_.person_commits(commit);
      for (const auto& [path, text] : change) witness_.person_changes(path);
    }
    tell("---- the person mends the target");
    tally_.hit(Sometimes::target_mended);
  }

  // ---- The world between two lives ----

  void be_away() {
    Dice& dice = mishaps_.dice();
    const Dials& dials = mishaps_.dials();
    reactor_.pass(dice.between(0, 20 * k_second));
    if (dice.chance(dials.supervisor_killed)) kill_a_supervisor();
    if (dice.chance(dials.person_commits)) person_commits();
    reactor_.pass(dice.chance(dials.long_absence) ? dice.between(10 * k_minute, 2 * k_hour)
                                                  : dice.between(0, k_minute));
  }

  // ---- What happens to one life from outside ----

  Micros some_time() {
    Dice& dice = mishaps_.dice();
    return dice.one_in(3) ? dice.between(0, 40 * k_minute) : dice.between(0, 4 * k_minute);
  }

  void plan_this_life() {
    Dice& dice = mishaps_.dice();
    const Dials& dials = mishaps_.dials();
    const auto sometimes = [&](std::uint32_t dial, std::uint32_t times_max, const std::function<void()>& what) {
      if (!dice.chance(dial)) return;
      for (std::uint32_t left = 1 + dice.below(times_max); left > 0; --left) reactor_.after(some_time(), what);
    };
    sometimes(dials.supervisor_killed, 3, [this] { kill_a_supervisor(); });
    sometimes(dials.worktree_deleted, 2, [this] { delete_a_worktree(); });
    sometimes(dials.person_commits, 5, [this] { person_commits(); });
    sometimes(dials.person_edits, 2, [this] { person_edits(); });
    sometimes(dials.person_leaves_branch, 1, [this] { person_leaves_branch(); });
    if (dice.chance(dials.person_stops)) {
      const Micros when = some_time();
      reactor_.raise_after(when, dice.one_in(3) ? SIGQUIT : SIGTERM);
      if (dice.one_in(3)) reactor_.raise_after(when + dice.between(0, k_minute), SIGINT);
    }
    if (dice.chance(dials.person_pauses)) {
      const Micros when = some_time();
      reactor_.raise_after(when, SIGUSR1);
      static const std::vector<int> k_ways_out{SIGUSR2, SIGUSR2, SIGTERM, SIGQUIT};
      reactor_.raise_after(when + dice.between(k_second, k_hour), dice.pick(k_ways_out));
    }
  }

  void kill_a_supervisor() {
    const std::vector<std::string> alive = reactor_.supervised();
    if (alive.empty()) return;
    const std::string& directory = mishaps_.dice().pick(alive);
    tell("---- the supervisor of " + directory.substr(sdd_.size()) + " is killed");
    tally_.hit(Sometimes::supervisor_killed);
    reactor_.kill_supervisor(directory);
  }

  void delete_a_worktree() {
    std::vector<std::string> sessions;
    for (const std::string& name : workspace_.worktrees()) {
      if (name.starts_with("session-")) sessions.push_back(name);
    }
    if (sessions.empty()) return;
    const std::string& session = mishaps_.dice().pick(sessions);
    tell("---- somebody deletes " + session);
    tally_.hit(Sometimes::worktree_deleted);
    workspace_.user_deletes_worktree(session);
    witness_.worktree_deleted(session);
  }

  void person_commits() {
    const FileMap change = persons_change(scenario_.seed, ++changes_);
    const std::string commit = workspace_.user_commits(change);
    tell("---- the person commits " + commit);
    if (!elsewhere_) witness_.person_commits(commit);
    for (const auto& [path, text] : change) witness_.person_changes(path);
  }

  void contradict(const std::string& path) {
    const std::string commit =
        workspace_.user_commits({{path, "the person's own " + std::to_string(++changes_) + "\n"}});
    witness_.person_commits(commit);
    witness_.person_changes(path);
  }

  void person_edits() {
    for (const auto& [path, text] : persons_change(scenario_.seed, ++changes_)) {
      tell("---- the person edits " + path);
      workspace_.user_edits(path, text);
      witness_.person_edits(path, text);
    }
  }

  void person_leaves_branch() {
    elsewhere_ = true;
    workspace_.user_leaves_branch();
  }

  // ---- Agents and checks ----

  Result<test::ScriptedProcess> play(const port::ProcessSpec& spec) {
    const auto task = spec.env.find("BERNSTEIN_TASK");
    if (task != spec.env.end()) {
      return play_agent(*parse_attempt_id(task->second + "." + spec.env.at("BERNSTEIN_ATTEMPT")));
    }
    const std::string name = fs::path(spec.directory).filename();
    if (name.starts_with("check-")) return play_check(name, spec.argv.back());
    return test::ScriptedProcess{.duration_us = 2 * k_second};  // sets up a worktree
  }

  test::ScriptedProcess play_agent(AttemptId attempt) {
    const Behaviour behaviour = attempt.task == k_planning
                                    ? behaviour_of_planner(scenario_, asked_about(), attempt, agent_of_planner())
                                    : behaviour_of(scenario_, task_of(*now_, attempt.task).spec, attempt);
    test::ScriptedProcess script{
        .duration_us = behaviour.duration_us, .exit_code = behaviour.exit_code, .output = behaviour.output};
    if (behaviour.hangs) script.duration_us.reset();
    script.ignores_term = behaviour.ignores_term;
    script.silence = behaviour.silence;
    script.at_begin = [this, attempt, behaviour] {
      witness_.agent_begins(attempt);
      write(attempt, behaviour.early, behaviour.commits);
    };
    script.at_end = [this, attempt, behaviour] {
      tally_.agent_us += behaviour.duration_us;
      write(attempt, behaviour.late, behaviour.commits);
      if (scenario_.stubborn_person && !elsewhere_ && !behaviour.late.empty())
        contradict(behaviour.late.begin()->first);
      const std::string session = session_name(k_run, attempt);
      if (behaviour.forgets_history && workspace_.worktree(session)) workspace_.forget_history(session);
    };
    return script;
  }

  // The task that the planner is to split; nothing: it is asked for a plan.
  std::optional<TaskSpec> asked_about() const {
    const TaskId question = now_->planning.question.value();
    if (question == k_planning) return std::nullopt;
    return task_of(*now_, question).spec;
  }

  const AgentSpec& agent_of_planner() const {
    const std::vector<AgentSpec>& agents = scenario_.config.agents;
    return *std::find_if(agents.begin(), agents.end(),
                         [&](const AgentSpec& agent) { return agent.name == scenario_.config.planner->agent; });
  }

  // The plan that the person finds is the one that was worked by.
  void look_at_the_plan() {
    const RunState& state = witness_.state();
    if (!state.planning.wanted || !state.plan) return;
    std::ifstream file(sdd_ + "/plans/" + to_string(k_run) + ".yaml", std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const Result<std::string> source = blobs_.get(state.plan->source);
    if (!source || text != *source) throw Violation{"the plan's file does not say what was adopted"};
  }

  void write(AttemptId attempt, const FileMap& files, bool commits) {
    const std::string session = session_name(k_run, attempt);
    if (files.empty() || !workspace_.worktree(session)) return;
    for (const auto& [path, text] : files) workspace_.write(session, path, text);
    if (commits) workspace_.commit(session, "work\n");
    witness_.agent_writes(attempt, files);
  }

  Result<test::ScriptedProcess> play_check(const std::string& checkout, const std::string& command) {
    const std::optional<std::string> tree = workspace_.tree_in_checkout(checkout);
    if (!tree || tree->empty()) {
      witness_.complain("'" + command + "' runs in " + checkout + ", which is not there or half there");
      return test::ScriptedProcess{};
    }
    const CheckFate fate = fate_of(scenario_, command, workspace_.files(*tree));
    test::ScriptedProcess script{.duration_us = fate.duration_us,
                                 .exit_code = fate.verdict == CheckVerdict::passed ? 0 : 1,
                                 .output = command + "\n"};
    if (fate.verdict == CheckVerdict::timed_out) script.duration_us.reset();
    return script;
  }

  // ---- What it was good for ----

  void count() {
    tally_.events += static_cast<std::int64_t>(log_.records().size());
    count_planning();
    std::set<Subject> interrupted;
    bool paused = false;
    for (const Record& record : log_.records()) {
      const Event event = to_event(record).value();
      const auto hit = [&](bool is, Sometimes what) {
        if (is) tally_.hit(what);
      };
      if (const auto* exit = std::get_if<AgentExited>(&event.body)) {
        hit(exit->timed_out, Sometimes::agent_timed_out);
        hit(exit->stalled, Sometimes::agent_ended_stalled);
        hit(exit->why == "its supervisor was killed", Sometimes::agent_lost);
        hit(exit->why == "no Bernstein took it back in time", Sometimes::orphaned);
      } else if (const auto* check = std::get_if<CheckFinished>(&event.body)) {
        hit(check->stopped, Sometimes::check_interrupted);
        hit(check->why == "no Bernstein took it back in time", Sometimes::orphaned);
        hit(check->verdict == CheckVerdict::failed && !check->stopped, Sometimes::check_failed);
        if (check->stopped) interrupted.insert(event.subject);
      } else if (std::holds_alternative<CheckRequested>(event.body)) {
        hit(interrupted.erase(event.subject) > 0, Sometimes::check_rerun);
      } else if (const auto* failed = std::get_if<AttemptFailed>(&event.body)) {
        hit(!failed->paths.empty(), Sometimes::ownership_violation);
        hit(failed->why.find("no longer descends") != std::string::npos, Sometimes::history_rewritten);
      } else if (const auto* stop = std::get_if<StopRequested>(&event.body)) {
        tally_.hit(stop->mode == StopMode::now ? Sometimes::stop_now : Sometimes::stop_drain);
      } else if (const auto* sync = std::get_if<CheckoutSynced>(&event.body)) {
        hit(sync->outcome == SyncOutcome::left_alone, Sometimes::checkout_left_alone);
      } else if (const auto* end = std::get_if<RunFinished>(&event.body)) {
        tally_.hit(end_of(end->outcome));
      } else if (std::holds_alternative<ParkRequested>(event.body)) {
        tally_.hit(Sometimes::agent_parked);
      } else if (std::holds_alternative<ParkEnded>(event.body)) {
        tally_.hit(Sometimes::park_over);
      } else if (std::holds_alternative<RunPaused>(event.body)) {
        tally_.hit(Sometimes::pause);
        paused = true;
      } else if (std::holds_alternative<RunContinued>(event.body)) {
        hit(std::exchange(paused, false), Sometimes::went_on_after_pause);
      }
      if (std::holds_alternative<MergeLanded>(event.body)) ++tally_.landed;
      hit(std::holds_alternative<AgentStalled>(event.body), Sometimes::agent_stalled);
      hit(std::holds_alternative<AgentRecovered>(event.body), Sometimes::agent_recovered);
      const auto* verdict = std::get_if<VerdictReached>(&event.body);
      hit(verdict != nullptr && event.subject == about_run() && verdict->verdict == Verdict::failed,
          Sometimes::target_red);
      hit(verdict != nullptr && verdict->why.starts_with("checked as a part of"), Sometimes::landed_with_batch);
      hit(std::holds_alternative<CheckAbandoned>(event.body), Sometimes::check_abandoned);
      hit(std::holds_alternative<TaskHandedOver>(event.body), Sometimes::handed_over);
      hit(std::holds_alternative<MergeRefused>(event.body), Sometimes::merge_refused);
      hit(std::holds_alternative<CandidateConflicted>(event.body), Sometimes::conflict);
      hit(std::holds_alternative<TaskRetried>(event.body), Sometimes::retry);
      hit(std::holds_alternative<TaskFailed>(event.body), Sometimes::task_failed);
      hit(std::holds_alternative<TaskBlocked>(event.body), Sometimes::task_blocked);
    }
  }

  void count_planning() {
    const RunState& state = witness_.state();
    const auto hit = [&](bool is, Sometimes what) {
      if (is) tally_.hit(what);
    };
    hit(state.planning.wanted && state.plan, Sometimes::goal_planned);
    hit(!state.planning.failed.empty(), Sometimes::goal_given_up);
    hit(state.approved, Sometimes::plan_approved);
    bool was_faulty = false;
    for (const Attempt& session : state.planning.task.attempts) {
      hit(was_faulty && session.answer && !session.failure, Sometimes::answer_repaired);
      was_faulty = session.answer && session.failure;
      hit(session.work && !session.work->changes.empty(), Sometimes::planner_wrote);
      if (!session.failure) continue;
      hit(session.failure->class_ == FailureClass::quota, Sometimes::planner_parked);
      hit(session.failure->class_ == FailureClass::orchestrator, Sometimes::planner_lost);
      hit(session.exit && (session.exit->timed_out || session.exit->stalled), Sometimes::planner_hung);
      hit(session.exit && session.exit->outcome == AgentOutcome::crash && session.exit->exit_code < 128,
          Sometimes::planner_crashed);
    }
    for (const auto& [id, task] : state.tasks) {
      hit(task.status == TaskStatus::split, Sometimes::task_split);
      hit(task.status == TaskStatus::split && has_landed(state, task), Sometimes::parts_landed);
      hit(task.why.find("could not be split either") != std::string::npos, Sometimes::split_given_up);
    }
  }

  static Sometimes end_of(RunOutcome outcome) {
    switch (outcome) {
      case RunOutcome::landed:
        return Sometimes::end_landed;
      case RunOutcome::incomplete:
        return Sometimes::end_incomplete;
      case RunOutcome::budget:
        return Sometimes::end_budget;
      case RunOutcome::stopped:
        return Sometimes::end_stopped;
      case RunOutcome::environment:
      case RunOutcome::count_:
        break;
    }
    return Sometimes::end_environment;
  }

  void tell(const std::string& line) const {
    if (verbose_) std::cout << line << '\n';
  }

  const Scenario scenario_;
  const std::string sdd_;
  Tally& tally_;
  const bool verbose_;
  Mishaps mishaps_;

  // What outlives a crash.
  test::MemoryEventLog log_;
  test::MemoryBlobStore blobs_;
  test::FakeWorkspace workspace_;
  test::FakeReactor reactor_;

  SimulatedLog log_door_;
  SimulatedBlobs blobs_door_;
  SimulatedOwnership ownership_;
  SimulatedReactor reactor_door_;
  Witness witness_;
  const RunState* now_ = nullptr;  // of the life that goes on
  bool is_healed_ = false;
  std::uint64_t changes_ = 0;  // of the person
  bool elsewhere_ = false;     // the person has another branch checked out
};

// Made and removed with the run.
class Directory {
 public:
  explicit Directory(std::string path) : path_(std::move(path)) { fs::create_directories(path_); }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  ~Directory() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }

 private:
  std::string path_;
};

}  // namespace

Digest simulate(std::uint64_t seed, const std::string& sdd, Tally& tally, bool verbose) {
  const Directory directory(sdd);
  return Simulation(seed, sdd, tally, verbose).run();
}

}  // namespace bernstein::sim
