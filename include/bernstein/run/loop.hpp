#pragma once
// The loop: inbox → settle (apply and decide) → commit → dispatch, until the run has finished.
//
//     Loop loop(ports, site, observer);
//     Result<RunOutcome> outcome = loop.run(started, plan);
//
// Every turn takes what the effects reported, works out everything that follows, commits inputs and consequences in one
// transaction, and only then starts the effects of the new intents (run/effects.hpp). An error that is returned is one
// of the log itself: the run stands as its last commit says.

#include <map>
#include <memory>
#include <string>

#include "bernstein/agent/sandbox.hpp"
#include "bernstein/base/result.hpp"
#include "bernstein/event/event.hpp"
#include "bernstein/port/blob_store.hpp"
#include "bernstein/port/event_log.hpp"
#include "bernstein/port/reactor.hpp"
#include "bernstein/port/workspace.hpp"
#include "bernstein/state/run_state.hpp"

namespace bernstein::run {

struct Ports {
  port::EventLog& log;
  port::BlobStore& blobs;
  port::Workspace& workspace;
  port::Reactor& reactor;
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

  // Starts a new run and carries it to its end. SIGINT drains (what is in flight is finished, nothing new starts), a
  // second one stops now (agents are ended, their work is kept under salvage refs).
  Result<RunOutcome> run(RunStarted started, PlanAccepted plan);

  const RunState& state() const { return state_; }

 private:
  Status turn();
  void note_signal();
  void anchor(const Event& last);

  Ports ports_;
  Site site_;
  Observer& observer_;
  RunState state_;
  Micros started_at_us_ = 0;
  int signals_ = 0;
  std::unique_ptr<Inbox> inbox_;
  std::unique_ptr<Ledger> ledger_;
  std::unique_ptr<Effects> effects_;
};

// Reads a run's records and folds them, up to and including `until` (0: all).
Result<RunState> load_state(port::EventReader& reader, RunId run, Seq until = 0);

}  // namespace bernstein::run
