#include "bernstein/agent/command.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace bernstein::agent {
namespace {

using Words = std::vector<std::string>;

AgentCommand build(const Words& command) {
  return build_command({.command = command, .name = "my-agent"},
                       {.run = RunId{1},
                        .attempt = {TaskId{4}, 2},
                        .role = "backend",
                        .model = "big-1",
                        .worktree = "/project/.sdd/worktrees/session-r1-t4.2",
                        .prompt_file = "/project/prompt.md"},
                       {});
}

TEST(AgentCommand, ReplacesEveryPlaceholderWithinItsArgument) {
  const AgentCommand command =
      build({"my-agent", "--model={model}", "{prompt_file}", "{worktree}/x", "{task}.{attempt}", "{role}"});

  EXPECT_EQ(command.argv, (Words{"my-agent", "--model=big-1", "/project/prompt.md",
                                 "/project/.sdd/worktrees/session-r1-t4.2/x", "t4.2", "backend"}));
}

TEST(AgentCommand, LeavesOtherBracesAlone) {
  const Words words{"a", "{\"json\": {model}}", "{unknown}", "{model", "{}", "$HOME; rm -rf /"};
  EXPECT_EQ(build(words).argv, (Words{"a", "{\"json\": big-1}", "{unknown}", "{model", "{}", "$HOME; rm -rf /"}));
}

TEST(AgentCommand, DoesNotReplaceWithinWhatItReplaced) {
  const AgentCommand command =
      build_command({.command = {"a", "{model}"}}, {.model = "{role}", .worktree = "", .prompt_file = ""}, {});
  EXPECT_EQ(command.argv, (Words{"a", "{role}"}));
}

TEST(AgentCommand, PutsThePromptOnStdinUnlessAnArgumentNamesItsFile) {
  EXPECT_TRUE(build({"a", "--model", "{model}"}).prompt_on_stdin);
  EXPECT_FALSE(build({"a", "--file={prompt_file}"}).prompt_on_stdin);
}

TEST(AgentCommand, GivesThePromptAsAnArgumentWhereItFitsElseNamesItsFile) {
  AgentSpec spec{.command = {"agent", "-p", "{prompt}"}};
  AttemptContext attempt{.prompt = "do it with {model}", .prompt_file = "/sdd/prompt"};
  AgentCommand command = build_command(spec, attempt, {});
  EXPECT_EQ(command.argv, (Words{"agent", "-p", "do it with {model}"}));
  EXPECT_FALSE(command.prompt_on_stdin);
  EXPECT_FALSE(command.prompt_in_file);
  attempt.prompt.assign(200 << 10, 'x');
  command = build_command(spec, attempt, {});
  EXPECT_EQ(command.argv.back(), "Your task is in the file /sdd/prompt: read all of it, and do it.");
  EXPECT_TRUE(command.prompt_in_file);
}

TEST(AgentCommand, SetsWhatTheSpecSets) {
  const AgentSpec spec{.command = {"agent", "{usage_file}"}, .set = {{"A", "1"}}, .set_in_sandbox = {{"B", "2"}}};
  const AgentCommand outside = build_command(spec, {.usage_file = "/sdd/usage"}, {{"A", "from outside"}});
  EXPECT_EQ(outside.env.at("A"), "1");
  EXPECT_FALSE(outside.env.contains("B"));
  EXPECT_TRUE(outside.usage_in_file);
  EXPECT_EQ(outside.argv.back(), "/sdd/usage");
  EXPECT_EQ(build_command(spec, {.in_sandbox = true}, {}).env.at("B"), "2");
}

TEST(AgentCommand, PassesOnAllowedVariablesAndThoseOfTheSpecAndNothingElse) {
  const Environment mine{{"PATH", "/bin"},       {"HOME", "/home/ann"},
                         {"LC_ALL", "C.UTF-8"},  {"LANG", "C"},
                         {"LOGNAME", "ann"},     {"USER", "ann"},
                         {"SHELL", "/bin/sh"},   {"TERM", "xterm"},
                         {"TMPDIR", "/tmp"},     {"TZ", "UTC"},
                         {"MY_AGENT_KEY", "k"},  {"OTHER_KEY", "secret"},
                         {"LD_PRELOAD", "x.so"}, {"GIT_DIR", "/project/.git"},
                         {"PATHX", "no"},        {"LC", "no"}};

  const AgentCommand command = build_command({.command = {"a"}, .env = {"MY_AGENT_KEY", "NOT_SET"}},
                                             {.run = RunId{3}, .attempt = {TaskId{4}, 2}}, mine);

  EXPECT_EQ(command.env, (Environment{{"PATH", "/bin"},
                                      {"HOME", "/home/ann"},
                                      {"LC_ALL", "C.UTF-8"},
                                      {"LANG", "C"},
                                      {"LOGNAME", "ann"},
                                      {"USER", "ann"},
                                      {"SHELL", "/bin/sh"},
                                      {"TERM", "xterm"},
                                      {"TMPDIR", "/tmp"},
                                      {"TZ", "UTC"},
                                      {"MY_AGENT_KEY", "k"},
                                      {"BERNSTEIN_RUN", "r3"},
                                      {"BERNSTEIN_TASK", "t4"},
                                      {"BERNSTEIN_ATTEMPT", "2"}}));
}

TEST(AgentCommand, TellsItsOwnTaskAlsoWhenTheEnvironmentNamesAnother) {
  const AgentCommand command = build_command({.command = {"a"}, .env = {"BERNSTEIN_TASK"}},
                                             {.run = RunId{3}, .attempt = {TaskId{4}, 2}}, {{"BERNSTEIN_TASK", "t9"}});
  EXPECT_EQ(command.env.at("BERNSTEIN_TASK"), "t4");
}

}  // namespace
}  // namespace bernstein::agent
