#include "bernstein/base/id.hpp"

#include <gtest/gtest.h>

namespace bernstein {
namespace {

TEST(Id, PrintsAsPeopleWriteIt) {
  EXPECT_EQ(to_string(RunId{1}), "r1");
  EXPECT_EQ(to_string(TaskId{4}), "t4");
  EXPECT_EQ(to_string(AttemptId{{4}, 2}), "t4.2");
  EXPECT_EQ(session_name(RunId{1}, AttemptId{{4}, 2}), "session-r1-t4.2");
}

TEST(Id, ParsesWithAndWithoutItsLetter) {
  EXPECT_EQ(parse_run_id("r3"), RunId{3});
  EXPECT_EQ(parse_run_id("3"), RunId{3});
  EXPECT_EQ(parse_task_id("t4"), TaskId{4});
  EXPECT_EQ(parse_task_id("4294967295"), TaskId{4294967295u});
  EXPECT_EQ(parse_attempt_id("t4.2"), (AttemptId{{4}, 2}));
  EXPECT_EQ(parse_attempt_id("4.2"), (AttemptId{{4}, 2}));
}

TEST(Id, RefusesWhatIsNoCounterFromOne) {
  for (const char* text :
       {"", "r", "t", "r0", "0", "r01", "r-1", "r+1", " r1", "r1 ", "rr1", "t1", "1x", "4294967296"}) {
    EXPECT_EQ(parse_run_id(text), std::nullopt) << text;
  }
  for (const char* text : {"r4", "t4.2", "t", "t4294967296"}) EXPECT_EQ(parse_task_id(text), std::nullopt) << text;
  for (const char* text : {"t4", "t4.", ".2", "t4.0", "t0.1", "t4.2.1", "t4.t2"}) {
    EXPECT_EQ(parse_attempt_id(text), std::nullopt) << text;
  }
}

TEST(Id, SortsByNumberNotByText) {
  EXPECT_LT(TaskId{9}, TaskId{10});
  EXPECT_LT((AttemptId{{2}, 11}), (AttemptId{{10}, 1}));
}

}  // namespace
}  // namespace bernstein
