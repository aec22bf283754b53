#pragma once
// Effects: what intents ask for, done through the ports. One function for each kind of intent; each ends, sooner or
// later, in one result in the inbox whose cause is the intent.
//
// dispatch() starts whatever is open in the state and not under way yet. So a restart needs no list of its own: fold
// the log, dispatch, and what was open starts again (the ports' calls are idempotent).

#include <functional>
#include <map>
#include <set>
#include <string>

#include "bernstein/run/inbox.hpp"
#include "bernstein/run/loop.hpp"

namespace bernstein::run {

class Effects {
 public:
  Effects(Ports ports, const Site& site, RunId run, Inbox& inbox);

  void dispatch(const RunState& state);
  bool under_way() const { return !under_way_.empty(); }

 private:
  // What an effect needs to know about its intent after the state has moved on.
  struct Task {
    Seq intent = 0;
    AttemptId attempt;
    Micros wall_us = 0;
    std::string event;  // "<seq> <first 16 digits of its hash>": for trailers
  };

  void start(const RunState& state, const Task& task, const WorktreeRequested& intent);
  void start(const RunState& state, const Task& task, const SpawnRequested& intent);
  void start(const RunState& state, const Task& task, const CaptureRequested& intent);
  void start(const RunState& state, const Task& task, const CandidateRequested& intent);
  void start(const RunState& state, const Task& task, const CheckRequested& intent);
  void start(const RunState& state, const Task& task, const MergeRequested& intent);
  void start(const RunState& state, const Task& task, const CheckoutSyncRequested& intent);
  void start(const RunState& state, const Task& task, const WorktreeRemoveRequested& intent);

  void set_up_worktree(const Task& task, const std::string& command, const std::string& directory, Micros timeout_us);
  void run_agent(const RunState& state, const Task& task, const SpawnRequested& intent, const std::string& prompt);
  void run_check(const Task& task, const CheckRequested& intent, const std::string& directory);
  void look_at_tree(const Task& task, const CheckRequested& intent);

  // Runs `work` in the background; what it returns is the intent's result.
  void in_background(const Task& task, std::function<EventBody()> work);
  // Starts a process and remembers it, so that a stop can end it. On failure to start, answers the intent itself.
  void run_process(const Task& task, std::string_view effect, port::ProcessSpec spec,
                   std::function<void(port::ProcessExit)> on_exit, std::function<void(std::int64_t pid)> on_start = {});
  void answer(const Task& task, EventBody result);
  void stop_processes();

  std::string session(AttemptId attempt) const;
  std::string log_path(AttemptId attempt, const std::string& suffix) const;

  Ports ports_;
  const Site& site_;
  RunId run_;
  Inbox& inbox_;
  std::set<Seq> under_way_;
  std::map<Seq, port::ProcessKey> processes_;
  bool stopping_ = false;
};

}  // namespace bernstein::run
