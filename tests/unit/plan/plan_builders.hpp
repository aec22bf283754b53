#pragma once
// Short ways to say what a test is about.

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <variant>

#include "bernstein/plan/config.hpp"
#include "bernstein/plan/plan.hpp"

namespace bernstein::plan {

// "plan.yaml:3: ..." a line each; "" when the plan is accepted.
inline std::string faults_of(std::string_view text, const PlanOptions& options = {}) {
  PlanResult result = parse_plan(text, options);
  const Faults* faults = std::get_if<Faults>(&result);
  return faults != nullptr ? format("plan.yaml", *faults) : "";
}

inline std::string config_faults_of(std::string_view text) {
  ConfigResult result = parse_config(text, "bernstein.yaml");
  const Faults* faults = std::get_if<Faults>(&result);
  return faults != nullptr ? format("bernstein.yaml", *faults) : "";
}

// What a text is accepted as; a text with faults fails the test and gives an empty one.
inline Plan plan_of(std::string_view text) {
  PlanResult result = parse_plan(text, {});
  EXPECT_TRUE(std::holds_alternative<Plan>(result)) << faults_of(text);
  return std::holds_alternative<Plan>(result) ? std::get<Plan>(result) : Plan{};
}

inline Config config_of(std::string_view text) {
  ConfigResult result = parse_config(text, "bernstein.yaml");
  EXPECT_TRUE(std::holds_alternative<Config>(result)) << config_faults_of(text);
  return std::holds_alternative<Config>(result) ? std::get<Config>(result) : Config{};
}

// A plan of one stage with one step, whose keys are given as a flow map: one_step("title: x, priority: 1").
inline std::string one_step(const std::string& keys) {
  return "stages: [{name: s, steps: [{" + keys + "}]}]";
}

}  // namespace bernstein::plan
