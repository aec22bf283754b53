#include "bernstein/base/check.hpp"

#include <gtest/gtest.h>

#include "bernstein/base/result.hpp"

namespace bernstein {
namespace {

TEST(Check, SaysWhichPromiseWasBrokenAndAborts) {
  EXPECT_DEATH(BERNSTEIN_CHECK(1 + 1 == 3, "sums are exact"),
               "broken promise at .*check_test.cpp:[0-9]+: sums are exact");
}

TEST(Check, EvaluatesItsConditionOnce) {
  int calls = 0;
  BERNSTEIN_CHECK(++calls == 1, "called once");
  EXPECT_EQ(calls, 1);
}

Result<int> half_of(int number) {
  if (number % 2 != 0) return Error{ErrorCode::invalid_input, "odd"};
  return number / 2;
}

Result<int> quarter_of(int number) {
  BERNSTEIN_TRY(int half, half_of(number));
  return half_of(half);
}

Status check_even(int number) {
  BERNSTEIN_TRY_VOID(half_of(number));
  return Ok{};
}

TEST(Result, PassesErrorsOnAndValuesThrough) {
  EXPECT_EQ(quarter_of(12).value(), 3);
  EXPECT_EQ(quarter_of(6).error(), (Error{ErrorCode::invalid_input, "odd"}));
  EXPECT_EQ(quarter_of(7).error().message, "odd");
  EXPECT_TRUE(check_even(2).has_value());
  EXPECT_FALSE(check_even(3).has_value());
}

TEST(Result, AbortsWithTheErrorsMessageWhenItsValueIsTakenAnyway) {
  Result<int> result = half_of(3);
  EXPECT_DEATH(static_cast<void>(result.value()), "odd");
}

}  // namespace
}  // namespace bernstein
