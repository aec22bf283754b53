#pragma once
// The loop: inbox → settle (apply and decide) → commit → dispatch, until the run has finished.
//
//     Loop loop(ports, site, observer);
//     Result<RunOutcome> outcome = loop.start(started, plan);      // or loop.resume(run, resumed)
//
// Every turn takes what the effects reported, works out everything that follows, commits inputs and consequences in one
// transaction, and only then starts the effects of the new intents (run/effects.hpp). An error that is returned is one
// of the log itself, or nobody can tell whether something was done (a merge, a command at work): the run stands as its
// last commit says, its agents go on under their supervisors, and a resume tries again.
//
// Whoever goes on with a run folds its log and dispatches what is open: there is no other way to recover, and a run
// that was killed at any moment is one that was left at its last commit.

#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "bernstein/agent/sandbox.hpp"
#include "bernstein/base/result.hpp"
#include "bernstein/event/event.hpp"
#include "bernstein/port/blob_store.hpp"
#include "bernstein/port/event_log.hpp"
#include "bernstein/port/ownership.hpp"
#include "bernstein/port/reactor.hpp"
#include "bernstein/port/workspace.hpp"
#include "bernstein/state/run_state.hpp"

namespace bernstein::run {

struct Ports {
  port::EventLog& log;
  port::BlobStore& blobs;
  port::Workspace& workspace;
  port::Reactor& reactor;
  port::Ownership& ownership;
};

// Where the run takes place.
struct Site {
  std::string sdd;                                 // absolute path of .sdd
  std::map<std::string, std::string> environment;  // of the person who started us; agents get an allow-list of it
  agent::Sandbox sandbox;                          // of everything that runs in .sdd/worktrees; decided before the run
};

// Told of every committed event, in order, with the state at the end of its turn. For progress lines; must not throw or
// block.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void on_event(const RunState& state, const Event& event) = 0;
  // Something went wrong that stops nothing, such as an anchor that could not be written.
  virtual void on_warning(const std::string& sentence) = 0;
};

class Effects;
class Inbox;
class Ledger;

class Loop {
 public:
  Loop(Ports ports, Site site, Observer& observer);
  ~Loop();

  // Starts a new run and carries it to its end. SIGINT and SIGTERM drain (what is in flight is finished, nothing new
  // starts); a second SIGINT, SIGQUIT or SIGHUP leaves now (agents and checks go on under their supervisors, for a
  // resume to take back): the outcome is `stopped`, and the run has no RunFinished. SIGUSR1 pauses, SIGUSR2 continues.
  // `taken`: runs up to this one have left things that the log does not know any more; their numbers are not used
  // again.
  // `work`: a plan, or a goal that the planner is to make one for.
  Result<RunOutcome> start(RunStarted started, std::variant<PlanAccepted, PlanWanted> work, RunId taken = {});

  // Goes on with a run that is in the log, from where its last commit left it. `resumed.epoch` is filled in.
  // ErrorCode::corrupt when the run's chain does not hold: nothing is built on altered events.
  // `wishes`: what a person wants of the run besides (PlanApproved, run/wishes.hpp); they come before RunResumed.
  Result<RunOutcome> resume(RunId run, RunResumed resumed, std::vector<Draft> wishes = {});

  const RunState& state() const { return state_; }

 private:
  void take_over(RunId run, Ledger ledger);
  Result<RunOutcome> carry_on();
  Status turn();
  Status take_wishes();
  void watch_wishes();
  void note_signal(int signal);
  void anchor(const Event& last);

  Ports ports_;
  Site site_;
  Observer& observer_;
  RunState state_;
  Micros taken_over_us_ = 0;  // on the reactor's clock; and what the run's clock said then:
  Micros taken_over_at_us_ = 0;
  int interrupts_ = 0;        // Ctrl-C, again and again
  bool wishes_due_ = true;    // there may be requests that nobody has read (run/wishes.hpp)
  bool is_watching_ = false;  // we are told when there is one; else they are looked for in every turn
  std::unique_ptr<Inbox> inbox_;
  std::unique_ptr<Ledger> ledger_;
  std::unique_ptr<Effects> effects_;
};

// What to tell when there is no target any more: it names the branch, and the commit where it stood.
Error target_is_gone(const RunState& state);

// Reads a run's records and folds them, up to and including `until` (0: all).
Result<RunState> load_state(port::EventReader& reader, RunId run, Seq until = 0);

// The same for whoever goes on with the run: every hash is computed and compared on the way.
struct LoadedRun {
  RunState state;
  Record last;
};
Result<LoadedRun> load_to_go_on(port::EventReader& reader, RunId run);

}  // namespace bernstein::run
