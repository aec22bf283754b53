#include "bernstein/bandit/features.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace bernstein {
namespace {

std::int32_t component(const Features& features, std::string_view name) {
  const auto found = std::ranges::find(k_context_names, name);
  EXPECT_NE(found, k_context_names.end()) << name;
  return context_of(features)[static_cast<std::size_t>(found - k_context_names.begin())];
}

TEST(Features, OfNothingAreAZeroContextButForTheUrgency) {
  // A priority that was not recorded is read as the most urgent one there can be.
  Context expected{};
  expected[static_cast<std::size_t>(std::ranges::find(k_context_names, "urgency") - k_context_names.begin())] = 1'000;
  EXPECT_EQ(context_of({}), expected);
}

TEST(Features, WordsBecomeOneComponentForEachButTheFirst) {
  EXPECT_EQ(component({{"complexity", 0}}, "complexity_medium"), 0);
  EXPECT_EQ(component({{"complexity", 0}}, "complexity_high"), 0);
  EXPECT_EQ(component({{"complexity", 1}}, "complexity_medium"), 1'000);
  EXPECT_EQ(component({{"complexity", 1}}, "complexity_high"), 0);
  EXPECT_EQ(component({{"complexity", 2}}, "complexity_high"), 1'000);
  EXPECT_EQ(component({{"scope", 1}}, "scope_medium"), 1'000);
  EXPECT_EQ(component({{"scope", 2}}, "scope_large"), 1'000);
  EXPECT_EQ(component({{"role_docs", 1}}, "role_docs"), 1'000);
  EXPECT_EQ(component({{"high_stakes", 1}}, "high_stakes"), 1'000);
}

TEST(Features, CountsSaturate) {
  EXPECT_EQ(component({{"files", 0}}, "files"), 0);
  EXPECT_EQ(component({{"files", 4}}, "files"), 500);
  EXPECT_EQ(component({{"files", 12}}, "files"), 750);
  EXPECT_EQ(component({{"minutes", 30}}, "minutes"), 500);
  EXPECT_EQ(component({{"failures", 1}}, "failures"), 500);
  EXPECT_EQ(component({{"checks", 2}}, "checks"), 500);
  EXPECT_EQ(component({{"prompt_tokens", 1'000}}, "prompt_tokens"), 500);
}

TEST(Features, WhateverWasRecordedAComponentIsFromNothingToOne) {
  for (std::int64_t value : {INT64_MIN, std::int64_t{-1}, std::int64_t{0}, std::int64_t{7}, INT64_MAX}) {
    Features features{{"unknown", value}};
    for (const char* name : {"bias", "checks", "complexity", "failures", "files", "high_stakes", "minutes", "priority",
                             "prompt_tokens", "scope", "role_qa"}) {
      features[name] = value;
    }
    for (std::int32_t one : context_of(features)) {
      EXPECT_GE(one, 0);
      EXPECT_LE(one, 1'000);
    }
  }
}

TEST(Features, TheMoreUrgentTheHigher) {
  EXPECT_EQ(component({{"priority", 1}}, "urgency"), 1'000);
  EXPECT_EQ(component({{"priority", 2}}, "urgency"), 750);
  EXPECT_EQ(component({{"priority", 5}}, "urgency"), 0);
}

}  // namespace
}  // namespace bernstein
