#pragma once
// What the same attempts would have cost on one model: an estimate that takes their tokens as they were, though another
// model would have used others, and would have needed more attempts or fewer. Pure.
//
//     for (const OneModel& one : estimate_on_one_model(history).models) one.model, one.cost
//
// Prices are those of the agents that the runs could get, the newest run's where they differ.

#include <cstdint>
#include <string>
#include <vector>

#include "cost_rows.hpp"
#include "history.hpp"

namespace bernstein::cli {

struct OneModel {
  std::string model;
  std::string agent;  // whose price it is
  UsdMicros cost;
};

struct OneModelEstimate {
  std::vector<OneModel> models;      // cheapest first, then by name
  std::int64_t attempts = 0;         // that it is of: ended, and their tokens are known
  Sum came_to;                       // what these cost
  std::vector<AttemptKey> left_out;  // ended, and their tokens are not known
};

OneModelEstimate estimate_on_one_model(const History& history);

}  // namespace bernstein::cli
