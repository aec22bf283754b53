#pragma once
// Scenario: all that is drawn from a seed before a run begins: the plan, the configuration, which faults there may be
// and how often; and what each agent and each check will do, which depends on the attempt and on the tree alone, so
// that a run that was disturbed is judged as one that was not.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bernstein/event/event.hpp"
#include "support/fake_reactor.hpp"

namespace bernstein::sim {

inline constexpr const char* k_planners_file = "planner-notes.txt";  // what a planner writes that is to write nothing

using FileMap = std::map<std::string, std::string>;  // path → content

// How often what goes wrong, in parts per million of the occasions; 0: never. Each class is on in a quarter of the
// seeds, after FoundationDB's way: many faults at once hide what few bring out.
struct Dials {
  std::uint32_t crash_before_commit = 0;
  std::uint32_t crash_after_commit = 0;
  std::uint32_t crash_before_effect = 0;
  std::uint32_t crash_mid_effect = 0;
  std::uint32_t crash_after_effect = 0;
  std::uint32_t crash_while_waiting = 0;
  std::uint32_t crash_in_recovery = 0;  // at any of these places, until the first turn after a resume is done
  std::uint32_t append_fails = 0;
  std::uint32_t ownership_lost = 0;
  std::uint32_t blob_put_fails = 0;
  std::uint32_t workspace_fails = 0;
  std::uint32_t workspace_fails_late = 0;  // with its work done
  std::uint32_t start_fails = 0;
  std::uint32_t adopt_fails = 0;

  // Of one life of the orchestrator:
  std::uint32_t supervisor_killed = 0;
  std::uint32_t worktree_deleted = 0;
  std::uint32_t person_stops = 0;
  std::uint32_t person_pauses = 0;
  std::uint32_t person_commits = 0;
  std::uint32_t person_edits = 0;
  std::uint32_t person_leaves_branch = 0;
  std::uint32_t clock_jumps = 0;
  std::uint32_t long_absence = 0;  // before the next one: beyond what supervisors wait for
};

// What an agent does with its attempt.
struct Behaviour {
  FileMap early;         // written as soon as it begins
  FileMap late;          // written in the end
  bool commits = false;  // else it leaves everything uncommitted
  bool forgets_history = false;
  bool hangs = false;  // until its limit, having done the early part
  bool ignores_term = false;
  int exit_code = 0;
  Micros duration_us = 0;
  std::string output;
  std::optional<test::Silence> silence;
};

// How a command check ends on a tree.
struct CheckFate {
  CheckVerdict verdict = CheckVerdict::passed;
  Micros duration_us = 0;
};

struct Scenario {
  std::uint64_t seed = 0;
  RunConfig config;
  std::vector<TaskSpec> tasks;
  bool goal = false;           // there is no plan at first: the planner is to answer with these tasks
  bool no_good_plans = false;  // whatever the planner is asked, its answers cannot be used
  FileMap repository;
  Dials dials;
  bool stubborn_person = false;  // whatever an agent changes, the person has just committed something else there
  bool slow_work = false;        // what goes on in the background takes time, so that much is under way at once
};

Scenario draw_scenario(std::uint64_t seed);

Behaviour behaviour_of(const Scenario& scenario, const TaskSpec& task, AttemptId attempt);
// Of the planner, who is asked for a plan, or for parts of `whole`.
Behaviour behaviour_of_planner(const Scenario& scenario, const std::optional<TaskSpec>& whole, AttemptId session,
                               const AgentSpec& agent);
CheckFate fate_of(const Scenario& scenario, const std::string& command, const FileMap& tree);

// Files that the person changes, among them some that tasks own.
FileMap persons_change(std::uint64_t seed, std::uint64_t number);

}  // namespace bernstein::sim
