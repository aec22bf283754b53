#pragma once
// Witness: looks at the log and at the world after every life of the orchestrator, and remembers what it saw. What a
// log alone can tell is asked of run::audit, run::replay and broken_invariants; here is what only somebody outside can
// see.

#include <map>
#include <set>
#include <string>
#include <vector>

#include "bernstein/state/run_state.hpp"
#include "doors.hpp"
#include "scenario.hpp"

namespace bernstein::sim {

class Witness {
 public:
  Witness(const Scenario& scenario, test::MemoryEventLog& log, test::FakeWorkspace& workspace,
          test::FakeReactor& reactor)
      : scenario_(scenario), log_(log), workspace_(workspace), reactor_(reactor) {}

  // Throws Violation.
  void look();
  // When nothing goes wrong any more and the run has ended: what must have come of it.
  void look_at_the_end() const;

  // The run as its log tells it, as far as the witness has looked.
  const RunState& state() const { return state_; }

  // What the world does is told to the witness.
  void agent_begins(AttemptId attempt);
  void agent_writes(AttemptId attempt, const FileMap& files);
  void person_commits(const std::string& commit) { persons_commits_.push_back(commit); }
  void person_edits(const std::string& path, const std::string& text) { persons_edits_[path] = text; }
  void person_changes(const std::string& path) { persons_edits_.erase(path); }  // by a commit: it is no edit any more
  void worktree_deleted(const std::string& session) { deleted_.insert(session); }
  void complain(std::string what) { complaints_.push_back(std::move(what)); }

  // Whether a merge of this attempt is on the target.
  bool is_on_target(AttemptId attempt) const;

 private:
  struct Landing {
    AttemptId attempt;
    std::string commit;
    std::string tree;
  };
  void read_on();
  void check_progress(const Event& event) const;
  void check_verdicts(const Event& event) const;
  void check_log() const;
  void check_target() const;
  void check_salvage() const;
  void check_work() const;
  void check_person() const;
  void check_processes() const;
  std::vector<std::string> first_parents() const;  // of the target, oldest first

  const Scenario& scenario_;
  test::MemoryEventLog& log_;
  test::FakeWorkspace& workspace_;
  test::FakeReactor& reactor_;

  RunState state_;
  std::vector<Digest> seen_;  // hashes of all events so far
  std::vector<Landing> landings_;
  std::vector<std::pair<AttemptId, WorkCaptured>> captured_;
  std::set<AttemptId> begun_;
  std::map<AttemptId, FileMap> written_;
  std::vector<std::string> persons_commits_;
  FileMap persons_edits_;
  std::set<std::string> deleted_;
  std::vector<std::string> complaints_;
};

}  // namespace bernstein::sim
