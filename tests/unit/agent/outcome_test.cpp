#include "bernstein/agent/outcome.hpp"

#include <gtest/gtest.h>

namespace bernstein::agent {
namespace {

const AgentSpec k_lines{.failures = {{.last = {{"/type", "result"}},
                                      .message = "/text",
                                      .retry_after = "/after",
                                      .status = "/status",
                                      .when = {{"/failed", "true"}}},
                                     {.outcome = AgentOutcome::done, .when = {{"/type", "result"}}},
                                     {.message = "/text", .when = {{"/type", "error"}}},
                                     {.exit = 41, .outcome = AgentOutcome::auth}}};

Ending ending_of(const std::string& output, int exit_code = 1) {
  return read_ending(k_lines, {.exit_code = exit_code, .output = output});
}

TEST(Outcome, WithoutARuleThatHoldsTheExitCodeTells) {
  EXPECT_EQ(ending_of("all is well\n", 0).outcome, AgentOutcome::done);
  EXPECT_EQ(ending_of("Segmentation fault\n", 139).outcome, AgentOutcome::crash);
  EXPECT_EQ(ending_of("Segmentation fault\n", 139).message, "Segmentation fault");
  EXPECT_EQ(ending_of("", 41).outcome, AgentOutcome::auth);
}

TEST(Outcome, OneThatWeEndedIsNotDoneThoughItExitsWithZero) {
  const Session session{
      .exit_code = 0, .ended_by_us = true, .output = "Attempt 5 failed: 429. Try again in 7s.\nbye\n"};
  const Ending ending = read_ending(k_lines, session);
  EXPECT_EQ(ending.outcome, AgentOutcome::quota);
  EXPECT_EQ(ending.message, "Attempt 5 failed: 429. Try again in 7s.");
  EXPECT_EQ(ending.retry_after_us, 7 * k_second);
}

TEST(Outcome, ItsStatusTellsMoreThanItsMessage) {
  EXPECT_EQ(ending_of(R"({"type":"result","failed":true,"status":529,"text":"rate limit"})").outcome,
            AgentOutcome::overload);
  EXPECT_EQ(ending_of(R"({"type":"result","failed":true,"status":401,"text":"no"})").outcome, AgentOutcome::auth);
  EXPECT_EQ(ending_of(R"({"type":"result","failed":true,"text":"no"})").outcome, AgentOutcome::crash);
}

TEST(Outcome, AStatusOf400TellsNothing) {
  EXPECT_EQ(ending_of(R"({"type":"result","failed":true,"status":400,"text":"The prompt is too long"})").outcome,
            AgentOutcome::context);
  EXPECT_EQ(ending_of(R"({"type":"result","failed":true,"status":400,"text":"API key not valid"})").outcome,
            AgentOutcome::auth);
}

TEST(Outcome, WhatWasOvercomeIsNoFailure) {
  EXPECT_EQ(ending_of("{\"type\":\"error\",\"text\":\"429\"}\n{\"type\":\"result\",\"failed\":false}\n", 0).outcome,
            AgentOutcome::done);
  EXPECT_EQ(
      ending_of("{\"type\":\"result\",\"failed\":true,\"status\":500}\n{\"type\":\"result\",\"failed\":false}\n", 0)
          .outcome,
      AgentOutcome::done);
}

TEST(Outcome, WhatAModelWroteIsNoFailure) {
  const std::string words = "{\"type\":\"text\",\"text\":\"I added the rate limit; 401 is answered to bad keys\"}\n";
  EXPECT_EQ(ending_of(words, 0).outcome, AgentOutcome::done);
  EXPECT_EQ(ending_of(words, 1).outcome, AgentOutcome::crash);
  // An agent without rules prints what its model says.
  EXPECT_EQ(read_ending({}, {.exit_code = 1, .output = "the rate limit is 5\n"}).outcome, AgentOutcome::crash);
}

TEST(Outcome, AFailureMayBeToldWithExitCodeZero) {
  const Ending ending = ending_of(R"({"type":"result","failed":true,"status":429,"text":"slow down","after":"12"})", 0);
  EXPECT_EQ(ending.outcome, AgentOutcome::quota);
  EXPECT_EQ(ending.retry_after_us, 12 * k_second);
  EXPECT_EQ(ending.message, "slow down");
}

TEST(Outcome, AMessageIsOneLineOfBoundedLengthWithoutControlCharacters) {
  const std::string escape = R"({"type":"error","text":"a\u001b[31m)" + std::string(2'000, 'b') + R"(\nc"})";
  const std::string message = ending_of(escape).message;
  EXPECT_EQ(message.size(), k_message_bytes_max);
  EXPECT_EQ(message.find('\x1b'), std::string::npos);
  EXPECT_EQ(message.find('\n'), std::string::npos);
}

TEST(ReadText, TakesTheLastLineThatFitsOrTheDocument) {
  const TextPlace place{.at = "/text", .when = {{"/type", "answer"}}};
  EXPECT_EQ(read_text(place, "{\"type\":\"answer\",\"text\":\"a\"}\nnoise\n{\"type\":\"answer\",\"text\":\"b\"}\n{}\n"),
            "b");
  EXPECT_EQ(read_text({.at = "/response", .when = {}}, "warning\n{\n  \"response\": \"yes\"\n}\n"), "yes");
  EXPECT_EQ(read_text(place, "no json"), "");
  EXPECT_EQ(read_text({}, "anything"), "");
}

}  // namespace
}  // namespace bernstein::agent
