#pragma once
// What was spent, in rows: by model, role, agent, task, run or day. Pure.
//
//     const CostReport report = report_costs(history, CostBy::model);
//     report.rows.front().use.cost.total()
//
// Every attempt is of exactly one row, so the rows add up to the total. What belongs where:
//
//   model, agent   those of the attempt: a task's failed attempt stays with the model that failed
//   role, task     those of the attempt's task; sessions of the planner have role "planner" and task "plan"
//   run            that of the attempt
//   day            on which its agent ended, else began (UTC)
//
// A task has landed with the row that the attempt is of whose work stands on the target. One that was undone has not
// landed any more, and what undoes it is no task here. Where a person landed it, it is of no model's or agent's row.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bernstein/cli/commands.hpp"
#include "history.hpp"

namespace bernstein::cli {

// A sum of numbers of which some may be unknown.
struct Sum {
  std::int64_t known = 0;
  std::int64_t told = 0;
  std::int64_t untold = 0;

  void add(std::optional<std::int64_t> value) {
    known += value.value_or(0);
    ++(value ? told : untold);
  }
  std::optional<std::int64_t> total() const { return told > 0 ? std::optional(known) : std::nullopt; }
};

struct Use {
  std::int64_t attempts = 0;
  std::int64_t under_way = 0;        // of those, their agents have not ended: nothing is known of them yet
  std::int64_t ended = 0;            // of those, but for the planner's sessions, which can land nothing
  std::int64_t landed_attempts = 0;  // of those, whose work stands on the target
  std::int64_t landed_tasks = 0;
  Sum input;
  Sum cached;
  Sum output;
  Sum cost;                                                                          // micro-USD
  std::array<std::int64_t, static_cast<std::size_t>(CostSource::count_)> sources{};  // attempts, by CostSource
  std::int64_t input_beside_cached = 0;                                              // of attempts that told both
  std::int64_t cached_beside_input = 0;

  // Parts per million; nothing where it is of nothing.
  std::optional<std::int64_t> success_ppm() const;  // landed of ended attempts
  std::optional<std::int64_t> cached_ppm() const;   // cached of all input tokens
  // Micro-USD, rounded; nothing where nothing landed, or where the cost of an attempt is not known.
  std::optional<std::int64_t> cost_per_landed() const;
};

struct CostRow {
  std::string name;          // of what the rows are by: "opus", "backend", "t4", "r3", "2026-11-30"
  std::string detail;        // model: its agent; task: its title; run: its goal; else ""
  std::optional<RunId> run;  // of rows by task and by run
  Use use;
};

struct CostReport {
  std::vector<CostRow> rows;  // by name and detail; tasks and runs by number
  Use total;
};

CostReport report_costs(const History& history, CostBy by);

}  // namespace bernstein::cli
