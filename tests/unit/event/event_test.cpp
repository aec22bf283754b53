#include "bernstein/event/event.hpp"

#include <gtest/gtest.h>

#include "unit/event/samples.hpp"

namespace bernstein {
namespace {

TEST(Event, KnowsItsKindTypeAndVersion) {
  const EventBody body = AgentExited{.exit_code = 1};
  EXPECT_EQ(kind_of(body), Kind::result);
  EXPECT_EQ(type_of(body), "AgentExited");
  EXPECT_EQ(version_of(body), 1);
  test::for_each_type([]<class T>() {
    EXPECT_EQ(type_of(EventBody(T{})), T::type);
    EXPECT_EQ(kind_of(EventBody(T{})), T::kind);
    EXPECT_EQ(version_of(EventBody(T{})), T::version);
  });
}

TEST(Event, OnlyIntentsAndTheStopOfAPersonAreRequests) {
  test::for_each_type([]<class T>() {
    const bool named_request = T::type.ends_with("Requested");
    EXPECT_EQ(named_request, T::kind == Kind::intent || T::type == "StopRequested") << T::type;
  });
}

TEST(Subject, IsWrittenAsRunTaskOrAttempt) {
  EXPECT_EQ(to_string(about_run()), "run");
  EXPECT_EQ(to_string(about(TaskId{4})), "t4");
  EXPECT_EQ(to_string(about(AttemptId{TaskId{4}, 2})), "t4.2");
}

TEST(Subject, IsReadBackFromItsOneForm) {
  for (const Subject subject : {about_run(), about(TaskId{4}), about(AttemptId{TaskId{4294967295}, 4294967295})}) {
    EXPECT_EQ(parse_subject(to_string(subject)), subject);
  }
  for (const char* text :
       {"", "Run", "4", "t", "t0", "t04", "t4.", "t4.0", "t4.02", "4.2", "t4.2 ", "t4294967296", "r1"}) {
    EXPECT_EQ(parse_subject(text), std::nullopt) << text;
  }
}

TEST(Subject, AnAttemptWithoutATaskIsASessionOfThePlanner) {
  EXPECT_EQ(to_string(Subject{TaskId{0}, 2}), "plan.2");
  EXPECT_EQ(to_string(about(AttemptId{k_planning, 2})), "plan.2");
}

}  // namespace
}  // namespace bernstein
