#pragma once
// Tally: what a sweep has really exercised. Every fault and every way to recover has a counter; one that a sweep never
// hits makes the sweep fail, for it has proved less than it says.

#include <array>
#include <cstdint>
#include <string_view>

#include "bernstein/event/fields.hpp"

namespace bernstein::sim {

enum class Sometimes {
  crash_before_commit,
  crash_after_commit,
  crash_before_effect,
  crash_mid_effect,
  crash_after_effect,
  crash_while_waiting,
  crash_in_recovery,
  append_failed,
  ownership_lost,
  blob_put_failed,
  workspace_failed,
  workspace_failed_late,
  start_failed,
  adopt_failed,
  supervisor_killed,
  adopted_running_agent,
  adopted_finished_agent,
  adopted_running_check,
  agent_lost,
  started_in_next_place,
  orphaned,
  check_interrupted,
  check_rerun,
  merge_landed_already,
  merge_refused,
  conflict,
  ownership_violation,
  history_rewritten,
  worktree_deleted,
  agent_timed_out,
  agent_stalled,
  agent_recovered,
  agent_ended_stalled,
  agent_parked,
  park_over,
  check_failed,
  retry,
  task_failed,
  task_blocked,
  target_red,
  target_mended,
  check_abandoned,
  landed_with_batch,
  handed_over,
  goal_planned,
  goal_given_up,
  answer_repaired,
  answer_read_again,
  plan_approved,
  task_split,
  split_given_up,
  parts_landed,
  planner_parked,
  planner_hung,
  planner_crashed,
  planner_lost,
  planner_wrote,
  stop_drain,
  stop_now,
  pause,
  went_on_after_pause,
  clock_jumped,
  checkout_left_alone,
  end_landed,
  end_incomplete,
  end_stopped,
  end_budget,
  end_environment,
  count_
};
}  // namespace bernstein::sim

namespace bernstein {
BERNSTEIN_ENUM_WORDS(sim::Sometimes, "crash before the commit", "crash after the commit", "crash before an effect",
                     "crash in mid-effect", "crash after an effect", "crash while waiting", "crash in recovery",
                     "append failed", "ownership lost", "blob put failed", "workspace failed",
                     "workspace failed after its work", "process could not start", "control directory unreadable",
                     "supervisor killed", "adopted a running agent", "adopted a finished agent",
                     "adopted a running check", "agent lost", "started in the next place", "orphaned",
                     "check interrupted", "check run again", "merge had landed already", "merge refused", "conflict",
                     "ownership violation", "history rewritten", "worktree deleted", "agent timed out",
                     "agent made no progress", "agent went on again", "agent ended for no progress", "agent parked",
                     "park over", "check failed", "retry", "task failed", "task blocked", "target red", "target mended",
                     "check abandoned", "landed with its batch", "handed to a person", "goal planned", "goal given up",
                     "answer repaired", "answer read again", "plan approved", "task split", "split given up",
                     "whole landed in parts", "planner parked", "planner hung", "planner crashed", "planner lost",
                     "planner wrote something", "stop: drain", "stop: now", "pause", "went on after a pause",
                     "clock jumped", "checkout left alone", "ended landed", "ended incomplete", "ended stopped",
                     "ended budget", "ended environment");
}  // namespace bernstein

namespace bernstein::sim {

struct Tally {
  std::array<std::int64_t, static_cast<std::size_t>(Sometimes::count_)> hits{};
  std::int64_t events = 0;
  std::int64_t crashes = 0;
  std::int64_t recoveries = 0;  // lives that began with a resume
  std::int64_t landed = 0;      // tasks
  std::int64_t agent_us = 0;    // simulated time that agents worked

  void hit(Sometimes what) { ++hits[static_cast<std::size_t>(what)]; }
  std::int64_t of(Sometimes what) const { return hits[static_cast<std::size_t>(what)]; }
  Tally& operator+=(const Tally& other) {
    for (std::size_t i = 0; i < hits.size(); ++i) hits[i] += other.hits[i];
    events += other.events;
    crashes += other.crashes;
    recoveries += other.recoveries;
    landed += other.landed;
    agent_us += other.agent_us;
    return *this;
  }
};

}  // namespace bernstein::sim
