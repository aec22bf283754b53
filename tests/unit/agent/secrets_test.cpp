#include "bernstein/agent/secrets.hpp"

#include <gtest/gtest.h>

#include "support/builders.hpp"

namespace bernstein::agent {
namespace {

TEST(Secrets, AreKnownByTheirNames) {
  for (const std::string name :
       {"MY_AGENT_KEY", "GITHUB_TOKEN", "client_secret", "PGPASSWORD", "AWS_CREDENTIALS", "npm_authToken"}) {
    EXPECT_TRUE(is_secret_name(name)) << name;
  }
  for (const std::string name : {"PATH", "HOME", "MODEL", "KE_Y", ""}) EXPECT_FALSE(is_secret_name(name)) << name;
}

TEST(Secrets, AreWhatAnyAgentGetsUnderSuchANameAndIsLongEnough) {
  const Environment environment{{"ONE_KEY", "12345678"},
                                {"TWO_TOKEN", "abcdefgh\n"},
                                {"OTHER_KEY", "not passed on"},
                                {"SHORT_KEY", "1234567\n"},
                                {"PLAIN", "a long value"}};
  const std::vector<AgentSpec> agents{
      {.command = {}, .env = {"ONE_KEY", "PLAIN", "SHORT_KEY", "MISSING_KEY"}, .name = "one"},
      {.command = {}, .env = {"TWO_TOKEN", "ONE_KEY"}, .name = "two"}};
  EXPECT_EQ(secrets_of(agents, environment), (Secrets{{"ONE_KEY", "12345678"}, {"TWO_TOKEN", "abcdefgh\n"}}));
}

TEST(Secrets, AreTakenOutOfWhatAPersonWrote) {
  const std::string key = "sk-12345678";
  const std::string shown = "[redacted API_KEY]";
  RunConfig config = test::a_config().with_gate(test::a_command("tests"));
  config.gates[0].command = "check " + key;
  config.constraints = {"use " + key};
  config.agents[0].command = {"agent", "--key=" + key};
  config.worktree_setup.command = "login " + key;
  PlanAccepted plan = test::a_plan({test::a_task(1).titled("With " + key)});
  plan.tasks[0].description = "The key is " + key + ".";
  plan.tasks[0].signals = {{.contains = key, .name = "file_contains a", .path = "a", .type = CheckType::file_contains}};
  plan.tasks[0].files = {"src/" + key};
  plan.name = key;

  config.roles["docs"] = "Log in with " + key;
  config.agents[0].read_only = {"agent", "--ask", key};
  EXPECT_EQ(redact_inputs({{"API_KEY", key}, {"OTHER_KEY", "not in it"}}, config, plan),
            (std::set<std::string>{"API_KEY"}));

  EXPECT_EQ(config.gates[0].command, "check " + shown);
  EXPECT_EQ(config.constraints[0], "use " + shown);
  EXPECT_EQ(config.agents[0].command[1], "--key=" + shown);
  EXPECT_EQ(config.agents[0].read_only[2], shown);
  EXPECT_EQ(config.roles["docs"], "Log in with " + shown);
  EXPECT_EQ(config.worktree_setup.command, "login " + shown);
  EXPECT_EQ(plan.tasks[0].title, "With " + shown);
  EXPECT_EQ(plan.tasks[0].description, "The key is " + shown + ".");
  EXPECT_EQ(plan.tasks[0].signals[0].contains, shown);
  EXPECT_EQ(plan.name, shown);
  EXPECT_EQ(plan.tasks[0].files[0], "src/" + key) << "paths stay";
}

}  // namespace
}  // namespace bernstein::agent
