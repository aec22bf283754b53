#pragma once
// Effects: what intents ask for, done through the ports. One function for each kind of intent; each ends, sooner or
// later, in one result in the inbox whose cause is the intent.
//
// dispatch() starts whatever is open in the state and not under way yet. So a restart needs no list of its own: fold
// the log, dispatch, and what was open is taken up again. Git's effects are idempotent. A command runs under a
// supervisor that outlives us, in a control directory named by its intent, and is adopted if it is there:
//
//     alive, or ended meanwhile        we wait for it, or read how it ended: nothing is done twice
//     never began                      it is started, in the next directory
//     killed with its supervisor       an agent's attempt is lost, and its work salvaged; a check starts afresh
//     its directory was removed        whoever is still at work is ended first; then as if it had been killed
//
// An agent begins only when its AgentStarted is durable: so no agent works that the log does not know.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "bernstein/base/redact.hpp"
#include "bernstein/run/inbox.hpp"
#include "bernstein/run/loop.hpp"

namespace bernstein::run {

class Effects {
 public:
  // `inherited`: the last event of whoever owned the run before us; 0 when there was nobody.
  Effects(Ports ports, const Site& site, RunId run, Inbox& inbox, Seq inherited);
  Effects(const Effects&) = delete;
  Effects& operator=(const Effects&) = delete;
  ~Effects();

  void dispatch(const RunState& state);
  // Something has been started that has not been answered yet.
  bool under_way() const { return !under_way_.empty(); }
  // Why we have to leave: nobody can tell whether something was done, so no result may say that it was or was not. Its
  // intent stays open, and whoever resumes tries again.
  const std::optional<Error>& dead_end() const { return dead_end_; }

 private:
  // What an effect needs to know about its intent after the state has moved on.
  struct Task {
    Seq intent = 0;
    Subject subject;
    AttemptId attempt;  // t0.0 where it is about the run
    Micros wall_us = 0;
    std::string event;  // "<seq> <first 16 digits of its hash>": for trailers
  };

  void start(const RunState& state, const Task& task, const WorktreeRequested& intent);
  void start(const RunState& state, const Task& task, const SpawnRequested& intent);
  void start(const RunState& state, const Task& task, const CaptureRequested& intent);
  void start(const RunState& state, const Task& task, const PlanReadRequested& intent);
  void start(const RunState& state, const Task& task, const RevertRequested& intent);
  void start(const RunState& state, const Task& task, const ProbeRequested& intent);
  void start(const RunState& state, const Task& task, const CandidateRequested& intent);
  void start(const RunState& state, const Task& task, const RecallRequested& intent);
  void start(const RunState& state, const Task& task, const CheckRequested& intent);
  void start(const RunState& state, const Task& task, const MergeRequested& intent);
  void start(const RunState& state, const Task& task, const CheckoutSyncRequested& intent);
  void start(const RunState& state, const Task& task, const WorktreeRemoveRequested& intent);
  void start(const RunState& state, const Task& task, const ParkRequested& intent);
  void start(const RunState& state, const Task& task, const TrialRequested& intent);

  enum class Prepared { starts, is_spared };

  // A command of an intent. The functions may be called long after its effect was started.
  struct Command {
    std::string_view effect;  // type of the intent
    port::ProcessSpec process;
    port::SuperviseSpec supervise;  // but for its control directory
    std::function<Status()> keep;   // before a start: what its events will name becomes durable; "": nothing
    std::function<Result<Prepared>()> prepare;  // in the background, before a start; "": nothing to prepare
    std::function<void(port::ProcessExit)> on_exit;
    std::function<void()> on_spared;                 // there is nothing left to do for it
    std::function<void(std::int64_t pid)> on_start;  // it begins once this is durable; "": at once
    bool may_have_begun = false;                     // by the log, which may know it from an earlier life
    std::function<void(Micros silent_us)> on_stall;  // as port::Reactor::on_stall(); "": nobody asks
  };

  void set_up_worktree(const RunState& state, const Task& task, const std::string& base, const std::string& directory);
  void keep_setup(const Task& task, const port::SetupSpec& spec);
  void ask_planner(const RunState& state, const Task& task, const SpawnRequested& intent);
  // JSON Schemas of the answer that is wanted (agent/command.hpp); "" of agents that work.
  struct Schemas {
    std::string lenient;
    std::string strict;
  };
  // With an error for a prompt the agent of an earlier life is taken back, and no other one starts.
  void run_agent(const RunState& state, const Task& task, const SpawnRequested& intent,
                 const Result<std::string>& composed, const Schemas& schemas);
  void note_progress(const RunState& state, const Task& task, Micros silent_us);
  // What is read when an agent has ended.
  struct AgentReport {
    AgentSpec spec;
    std::optional<TokenPrice> price;  // of its model
    std::string log;
    std::string usage_file;  // "": its usage is in the log
    Secrets secrets;
  };
  void read_agents_end(const Task& task, const AgentReport& report, const port::ProcessExit& exit);
  void run_check(const RunState& state, const Task& task, const CheckRequested& intent);
  void look_at_tree(const RunState& state, const Task& task, const CheckRequested& intent);
  void build_candidate(const RunState& state, const Task& task, const port::CandidateSpec& spec);
  // Those of the conflicts that were settled before, as they were; nothing unless all were.
  std::vector<Resolution> known_resolutions(const std::vector<ConflictedPath>& conflicts);

  // Runs `work` in the background; what it returns is the intent's result. It may still run when this object is gone
  // (the loop left, and the reactor waits for it): so it uses the ports alone.
  // The result of a timer, so long after the intent.
  void answer_after(const Task& task, Micros wait_us, EventBody result);
  void in_background(const Task& task, std::function<EventBody()> work);
  // Adopts or starts the command. Where it cannot be started, answers the intent itself.
  void run(const Task& task, Command command);
  using SharedCommand = std::shared_ptr<const Command>;
  void adopt_or_start(const Task& task, const SharedCommand& command, int place);
  void start_command(const Task& task, const SharedCommand& command, int place);
  void watch(const Task& task, const SharedCommand& command, port::ProcessKey key, std::int64_t pid);
  void end(const Task& task, const SharedCommand& command, int place, const port::ProcessExit& exit);
  void could_not(const Task& task, std::string_view effect, const Error& error);
  void cannot_tell(const Task& task, const std::string& what, const Error& error);
  // The effect failed before its command was looked for, which an earlier life may have started: it is ended first.
  void end_and_fail(const Task& task, std::string_view effect, const Error& error, int place = 1);
  void answer(const Task& task, EventBody result);
  void let_agents_begin(const RunState& state);
  void end_abandoned_checks(const RunState& state);
  void sweep_control_directories(const RunState& state);

  port::CaptureSpec capture_spec(const RunState& state, const Task& task) const;
  port::SuperviseSpec supervision(const RunState& state) const;
  Secrets secrets(const RunState& state) const;
  std::string control_root() const;
  std::string places_of(const Task& task) const;  // of its control directories, but for their number
  std::string session(AttemptId attempt) const;
  std::string checkout(AttemptId attempt) const;
  std::string candidate(AttemptId attempt) const;
  std::string log_path(AttemptId attempt, const std::string& suffix) const;

  Ports ports_;
  const Site& site_;
  RunId run_;
  Inbox& inbox_;
  Seq inherited_;
  std::set<Seq> under_way_;
  std::map<Seq, std::pair<AttemptId, port::ProcessKey>> waiting_;  // agents whose start is not durable yet, by intent
  std::map<Seq, port::TimerKey> timers_;                           // of parks, by intent
  std::set<Seq> abandoned_;                                        // checks that were told to stop
  std::map<Seq, port::ProcessKey> running_;                        // commands that are at work, by intent
  std::optional<Error> dead_end_;
  bool sweep_due_ = true;  // there may be control directories that nobody needs any more
};

}  // namespace bernstein::run
