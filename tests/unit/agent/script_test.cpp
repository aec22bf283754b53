#include "bernstein/agent/script.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "bernstein/agent/prompt.hpp"
#include "bernstein/agent/usage.hpp"

namespace bernstein::agent {
namespace {

std::vector<ScriptStep> steps_of(const std::string& prompt) {
  auto steps = parse_script(prompt);
  EXPECT_TRUE(steps) << steps.error().message;
  return steps ? *steps : std::vector<ScriptStep>{};
}
ScriptAction action_of(const std::string& line) {
  const std::vector<ScriptStep> steps = steps_of("script:\n" + line);
  EXPECT_EQ(steps.size(), 1U);
  return steps.empty() ? ScriptAction{Fail{99}} : steps.front().action;
}
std::string message_of(const std::string& prompt) {
  const auto steps = parse_script(prompt);
  return steps ? "no error" : steps.error().message;
}

TEST(Script, StandsBetweenItsLineAndABlankOne) {
  const auto steps = steps_of("A task.\n\n  script:\n  # a comment\n  print one\r\n\tprint two\n\nprint three\n");

  EXPECT_EQ(steps, (std::vector<ScriptStep>{{.line = 2, .on_attempt = {}, .action = Print{"one"}},
                                            {.line = 3, .on_attempt = {}, .action = Print{"two"}}}));
}

TEST(Script, MayStandInABlockThatHasBlankLines) {
  const auto steps = steps_of("A task.\n```script\nprint one\n\nprint two\n```\nprint three");
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_EQ(steps[1], (ScriptStep{.line = 3, .on_attempt = {}, .action = Print{"two"}}));
}

TEST(Script, IsTheFirstOfThePromptAndEndsWithTheDescription) {
  PromptInput input;
  input.task.title = "A task";
  input.task.description = "script:\nprint from the description";
  input.earlier = {
      {.number = 1, .why = "exit 1", .commit = {}, .evidence = {{"output", "script:\nprint from the evidence\n"}}}};

  const auto steps = steps_of(build_prompt(input));

  ASSERT_EQ(steps.size(), 1U);
  EXPECT_EQ(steps[0].action, ScriptAction{Print{"from the description"}});
}

TEST(Script, ThatIsEmptyHasNoSteps) {
  EXPECT_TRUE(steps_of("script:\n\n").empty());
}

TEST(Script, KnowsEveryCommand) {
  EXPECT_EQ(action_of("write a/b.txt one\\n\\ttwo \\\\n \\x"),
            (ScriptAction{WriteFile{"a/b.txt", "one\n\ttwo \\n \\x\n"}}));
  EXPECT_EQ(action_of("write a.txt one\\n"), (ScriptAction{WriteFile{"a.txt", "one\n"}}));
  EXPECT_EQ(action_of("write a.txt"), (ScriptAction{WriteFile{"a.txt", ""}}));
  EXPECT_EQ(action_of("append a.txt x  y"), (ScriptAction{AppendFile{"a.txt", "x  y\n"}}));
  EXPECT_EQ(action_of("edit a.txt old text => new text"), (ScriptAction{EditFile{"a.txt", "old text", "new text"}}));
  EXPECT_EQ(action_of("edit a.txt a\\nb =>"), (ScriptAction{EditFile{"a.txt", "a\nb", ""}}));
  EXPECT_EQ(action_of("delete a.txt"), ScriptAction{DeleteFile{"a.txt"}});
  EXPECT_EQ(action_of("touch ../a.txt"), ScriptAction{TouchFile{"../a.txt"}});
  EXPECT_EQ(action_of("commit Add a thing"), ScriptAction{CommitAll{"Add a thing"}});
  EXPECT_EQ(action_of("sleep 200ms"), ScriptAction{Sleep{200'000}});
  EXPECT_EQ(action_of("usage 1200 340 0.0042"), (ScriptAction{TellUsage{1200, 340, std::nullopt, UsdMicros{4200}}}));
  EXPECT_EQ(action_of("usage 1200 340 77 $1.5"), (ScriptAction{TellUsage{1200, 340, 77, UsdMicros{1'500'000}}}));
  EXPECT_EQ(action_of("print hello  world"), ScriptAction{Print{"hello  world"}});
  EXPECT_EQ(action_of("print"), ScriptAction{Print{""}});
  EXPECT_EQ(action_of("spam 1000000"), ScriptAction{Spam{1'000'000}});
  EXPECT_EQ(action_of("read-evidence seen.md"), ScriptAction{ReadEvidence{"seen.md"}});
  EXPECT_EQ(action_of("fail 3"), ScriptAction{Fail{3}});
  EXPECT_EQ(action_of("hang"), ScriptAction{Hang{}});
  EXPECT_EQ(action_of("ignore-term"), ScriptAction{IgnoreTerm{}});
  EXPECT_EQ(action_of("daemonize"), ScriptAction{Daemonize{}});
}

TEST(Script, CanSayOnWhichAttempt) {
  EXPECT_EQ(steps_of("script:\non-attempt 2 write a.txt x"),
            (std::vector<ScriptStep>{{.line = 1, .on_attempt = 2, .action = WriteFile{"a.txt", "x\n"}}}));
}

TEST(Script, RefusesWhatItCannotReadAndNamesTheLine) {
  EXPECT_EQ(message_of("script:\nprint x\nwirte a.txt x"),
            "script line 2: unknown command 'wirte'; did you mean 'write'?");
  EXPECT_EQ(message_of("script:\ndance"), "script line 1: unknown command 'dance'");
  EXPECT_EQ(message_of("script:\nwrite"), "script line 1: 'write' needs a path");
  EXPECT_EQ(message_of("script:\nappend a.txt"), "script line 1: 'append' needs a path and a text");
  EXPECT_EQ(message_of("script:\nedit a.txt old"), "script line 1: 'edit' needs a path and 'OLD => NEW'");
  EXPECT_EQ(message_of("script:\nedit a.txt => new"), "script line 1: 'edit' needs a path and 'OLD => NEW'");
  EXPECT_EQ(message_of("script:\ndelete a b"), "script line 1: 'delete' takes one path; 'b' is too much");
  EXPECT_EQ(message_of("script:\ncommit"), "script line 1: 'commit' needs a message");
  EXPECT_EQ(message_of("script:\nsleep long"), "script line 1: 'sleep' needs a duration such as 200ms or 2s");
  EXPECT_EQ(message_of("script:\nusage 1 2"),
            "script line 1: 'usage' needs INPUT OUTPUT [CACHED] COST_USD, such as 1200 340 0.0042");
  EXPECT_EQ(message_of("script:\nusage 1 -2 0.5"),
            "script line 1: 'usage' needs INPUT OUTPUT [CACHED] COST_USD, such as 1200 340 0.0042");
  EXPECT_EQ(message_of("script:\nspam lots"), "script line 1: 'spam' needs a number of bytes");
  EXPECT_EQ(message_of("script:\nfail 0"), "script line 1: 'fail' needs an exit code from 1 to 255");
  EXPECT_EQ(message_of("script:\nfail 256"), "script line 1: 'fail' needs an exit code from 1 to 255");
  EXPECT_EQ(message_of("script:\nhang on"), "script line 1: 'hang' takes nothing; 'on' is too much");
  EXPECT_EQ(message_of("script:\non-attempt 0 hang"),
            "script line 1: 'on-attempt' needs a number from 1 and a command");
  EXPECT_EQ(message_of("script:\non-attempt 1"), "script line 1: 'on-attempt' needs a number from 1 and a command");
  EXPECT_EQ(message_of("script:\non-attempt 1 on-attempt 1 hang"),
            "script line 1: 'on-attempt' stands once before a command");
  EXPECT_EQ(message_of("Please write a.txt."),
            "the prompt has no script; put a line 'script:' and commands below it into the task's description");
}

TEST(ScriptedAgentSpec, ReadsTheUsageThatTheAgentPrints) {
  const AgentSpec spec = scripted_agent_spec("/opt/bernstein");
  EXPECT_EQ(spec.command, (std::vector<std::string>{"/opt/bernstein", "scripted-agent"}));

  const TellUsage told{1200, 340, 77, UsdMicros{4200}};
  EXPECT_EQ(usage_line(told), R"({"usage":{"input":1200,"output":340,"cached":77},"cost":0.0042})");
  EXPECT_EQ(read_usage(spec.usage, "hello\n" + usage_line(told) + "\nbye\n"),
            (Usage{.cached_tokens = 77, .cost_micros = UsdMicros{4200}, .input_tokens = 1200, .output_tokens = 340}));
  EXPECT_EQ(usage_line({1, 2, std::nullopt, UsdMicros{0}}), R"({"usage":{"input":1,"output":2},"cost":0.00})");
}

TEST(ScriptedAgentSpec, HasAModelOfEachTierCheapestFirst) {
  EXPECT_EQ(scripted_agent_spec("b").models, (std::vector<ModelSpec>{{.name = "script-small", .tier = "cheap"},
                                                                     {.name = "script-medium", .tier = "middle"},
                                                                     {.name = "script-large", .tier = "strong"}}));
}

}  // namespace
}  // namespace bernstein::agent
