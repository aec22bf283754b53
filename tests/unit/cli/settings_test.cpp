#include "cli/settings.hpp"

#include <gtest/gtest.h>

namespace bernstein::cli {
namespace {

AgentSpec an_agent(const std::string& name) {
  return {.command = {"/bin/" + name},
          .env = {},
          .max_parallel = 0,
          .models = {{.name = "small-1", .tier = "cheap"}, {.name = "big-1", .tier = "strong"}},
          .name = name,
          .usage = {}};
}

const KnownAgents k_built_in{.specs = {an_agent("scripted")}, .automatic = {}};

plan::Config a_config() {
  plan::Config config;
  config.agents = {an_agent("zeta"), an_agent("alpha")};
  return config;
}

plan::Plan a_plan() {
  plan::Plan plan;
  TaskSpec task;
  task.id = TaskId{1};
  task.title = "One";
  plan.tasks = {task};
  return plan;
}

RunConfig merged(const plan::Config& config, const plan::Plan& plan, const RunOptions& options = {}) {
  MergeResult result = merge_settings(config, plan, options, k_built_in);
  if (auto* refusal = std::get_if<Refusal>(&result)) {
    ADD_FAILURE() << (refusal->reasons.empty() ? "" : refusal->reasons.front());
    return {};
  }
  return std::get<Settings>(result).config;
}

Refusal refused(const plan::Config& config, const plan::Plan& plan, const RunOptions& options = {}) {
  MergeResult result = merge_settings(config, plan, options, k_built_in);
  if (auto* refusal = std::get_if<Refusal>(&result)) return *refusal;
  ADD_FAILURE() << "it was accepted";
  return {};
}

std::vector<std::string> arms_of(const RunConfig& config) {
  std::vector<std::string> words;
  for (const Arm& arm : config.arms) words.push_back(to_string(arm));
  return words;
}

using Words = std::vector<std::string>;

TEST(Settings, AutoTakesTheFirstAgentOfTheConfigurationWithAllItsModels) {
  const RunConfig config = merged(a_config(), a_plan());
  EXPECT_EQ(arms_of(config), (Words{"zeta/cheap", "zeta/strong"}));
  ASSERT_EQ(config.agents.size(), 1U);
  EXPECT_EQ(config.agents[0].name, "zeta");
}

TEST(Settings, PricesGoToTheModelsOfThatNameAndTheRestIsNamed) {
  plan::Config config = a_config();
  const TokenPrice price{.cached = {1}, .input = {2}, .output = {3}};
  config.prices = {{"big-1", price}, {"big-2", price}};

  const MergeResult result = merge_settings(config, a_plan(), {}, k_built_in);

  const Settings& settings = std::get<Settings>(result);
  EXPECT_EQ(settings.config.agents[0].models[0].price, std::nullopt);
  EXPECT_EQ(settings.config.agents[0].models[1].price, price);
  ASSERT_FALSE(settings.notes.empty());
  EXPECT_EQ(settings.notes.front(), "prices: no agent of this run has a model 'big-2'; did you mean 'big-1'?");
}

TEST(Settings, TheRolesOfThePlanBringTheirTextsThePersonsOwnFirst) {
  plan::Config config = a_config();
  config.roles = {{"docs", "Write little."}, {"nobody", "Not in this plan."}};
  plan::Plan plan = a_plan();
  plan.tasks[0].role = "docs";
  EXPECT_EQ(merged(config, plan).roles, (std::map<std::string, std::string>{{"docs", "Write little."}}));
  plan.tasks[0].role = "qa";
  EXPECT_TRUE(merged(config, plan).roles.at("qa").starts_with("Write tests that fail when"));
  plan.tasks[0].role = "baker";
  EXPECT_TRUE(merged(config, plan).roles.empty());
}

TEST(Settings, AutoNeverPicksABuiltInAgent) {
  const Refusal refusal = refused({}, a_plan());
  EXPECT_EQ(refusal.exit, Exit::environment);
  EXPECT_EQ(
      refusal.reasons,
      (Words{"no agent is installed or configured; `bernstein agents` says how to install one, bernstein.yaml may "
             "name others under agents: (see docs/config.md), and `bernstein demo` needs none"}));
}

TEST(Settings, AutoPicksTheBestAgentThatIsInstalledAndSaysSo) {
  const KnownAgents known{.specs = {an_agent("claude"), an_agent("codex"), an_agent("scripted")},
                          .automatic = {"codex", "claude"}};
  const MergeResult result = merge_settings({}, a_plan(), {}, known);
  const auto& settings = std::get<Settings>(result);
  EXPECT_EQ(arms_of(settings.config), (Words{"codex/cheap", "codex/strong"}));
  EXPECT_EQ(settings.notes, (Words{"cli: auto takes 'codex', the first by rank that is installed of codex, "
                                   "claude"}));
}

TEST(Settings, APlanOfPinnedStepsNeedsNoAgentOfTheConfiguration) {
  plan::Plan plan = a_plan();
  plan.tasks[0].agent = "scripted";
  EXPECT_EQ(arms_of(merged({}, plan)), (Words{"scripted/cheap", "scripted/strong"}));
}

TEST(Settings, ThePlanOverridesTheConfigurationAndFlagsOverrideBoth) {
  plan::Config config = a_config();
  config.agent = "zeta";
  config.max_agents = 2;
  config.budget = UsdMicros{1};
  plan::Plan plan = a_plan();
  EXPECT_EQ(merged(config, plan).max_agents, 2U);
  EXPECT_EQ(merged(config, plan).budget_micros, UsdMicros{1});

  plan.settings.agent = "alpha";
  plan.settings.max_agents = 3;
  plan.settings.budget = UsdMicros{2};
  EXPECT_EQ(merged(config, plan).max_agents, 3U);
  EXPECT_EQ(merged(config, plan).budget_micros, UsdMicros{2});
  EXPECT_EQ(arms_of(merged(config, plan)), (Words{"alpha/cheap", "alpha/strong"}));

  RunOptions options;
  options.agent = "scripted";
  options.max_agents = 5;
  options.budget = "$0.50";
  EXPECT_EQ(merged(config, plan, options).max_agents, 5U);
  EXPECT_EQ(merged(config, plan, options).budget_micros, UsdMicros{500'000});
  EXPECT_EQ(arms_of(merged(config, plan, options)), (Words{"scripted/cheap", "scripted/strong"}));
}

TEST(Settings, TheBudgetOfTokensIsTheFlagsThenThePlansThenTheConfigurations) {
  plan::Config config = a_config();
  plan::Plan plan = a_plan();
  RunOptions options;
  config.budget_tokens = 1;
  EXPECT_EQ(merged(config, plan).budget_tokens, 1);
  plan.settings.budget_tokens = 2;
  EXPECT_EQ(merged(config, plan).budget_tokens, 2);
  options.budget_tokens = "3k";
  EXPECT_EQ(merged(config, plan, options).budget_tokens, 3'000);
  options.budget_tokens = "0";
  EXPECT_EQ(merged(config, plan, options).budget_tokens, std::nullopt);
}

TEST(Settings, ABudgetOfZeroOnTheCommandLineLiftsTheLimitAndSaysSo) {
  plan::Config config = a_config();
  config.budget = UsdMicros{1};
  RunOptions options;
  options.budget = "0";
  const MergeResult result = merge_settings(config, a_plan(), options, k_built_in);
  EXPECT_EQ(std::get<Settings>(result).config.budget_micros, std::nullopt);
  EXPECT_EQ(std::get<Settings>(result).notes, (Words{"--budget 0 sets no limit"}));
}

TEST(Settings, ConstraintsAndContextFilesOfThePlanFollowThoseOfTheConfiguration) {
  plan::Config config = a_config();
  config.constraints = {"C++20"};
  config.context_files = {"docs/a.md"};
  plan::Plan plan = a_plan();
  plan.settings.constraints = {"No macros"};
  plan.settings.context_files = {"docs/b.md", "docs/a.md"};
  EXPECT_EQ(merged(config, plan).constraints, (Words{"C++20", "No macros"}));
  EXPECT_EQ(merged(config, plan).context_files, (Words{"docs/a.md", "docs/b.md"}));
}

TEST(Settings, ArmsOfTheRoutingMayNameSeveralAgents) {
  plan::Config config = a_config();
  config.routing.arms = {"alpha/cheap", "zeta/strong"};
  EXPECT_EQ(arms_of(merged(config, a_plan())), (Words{"alpha/cheap", "zeta/strong"}));
  EXPECT_EQ(merged(config, a_plan()).agents.size(), 2U);

  RunOptions options;
  options.agent = "zeta";
  EXPECT_EQ(arms_of(merged(config, a_plan(), options)), (Words{"zeta/strong"}));
  EXPECT_EQ(merged(config, a_plan(), options).agents.size(), 1U);
}

TEST(Settings, AModelNarrowsTheArmsByNameOrTierAndAnUnknownOneIsPassedOn) {
  RunOptions options;
  options.model = "strong";
  EXPECT_EQ(merged(a_config(), a_plan(), options).arms, (std::vector<Arm>{{"zeta", "big-1", "strong"}}));
  options.model = "small-1";
  EXPECT_EQ(merged(a_config(), a_plan(), options).arms, (std::vector<Arm>{{"zeta", "small-1", "cheap"}}));
  options.model = "newest-2";
  EXPECT_EQ(merged(a_config(), a_plan(), options).arms, (std::vector<Arm>{{"zeta", "newest-2", "newest-2"}}));
}

TEST(Settings, FlagsOverrideTheAgentsAndModelsOfRoles) {
  plan::Config config = a_config();
  config.role_policy["backend"] = {.agent = "alpha", .model = "cheap"};
  config.role_policy["docs"] = {.agent = "alpha", .model = ""};  // no task has this role
  const RunConfig as_configured = merged(config, a_plan());
  EXPECT_EQ(as_configured.role_policy, (std::map<std::string, RolePolicy>{{"backend", {"alpha", "cheap"}}}));
  EXPECT_EQ(as_configured.agents.size(), 2U);

  RunOptions options;
  options.model = "strong";
  EXPECT_EQ(merged(config, a_plan(), options).role_policy,
            (std::map<std::string, RolePolicy>{{"backend", {"alpha", ""}}}));
  options.agent = "zeta";
  EXPECT_TRUE(merged(config, a_plan(), options).role_policy.empty());
}

TEST(Settings, TakesHowWorkLandsAndWhatWaitsForAPerson) {
  plan::Config config = a_config();
  config.landing.max_checks = 3;
  EXPECT_EQ(merged(config, a_plan()).landing, config.landing);
  EXPECT_FALSE(merged(config, a_plan()).approve_merge);
  RunOptions options;
  options.approve_merge = true;
  EXPECT_TRUE(merged(config, a_plan(), options).approve_merge);
  EXPECT_FALSE(merged(config, a_plan(), options).approve_plan);
}

TEST(Settings, EveryUnknownAgentIsNamedAtOnce) {
  plan::Config config = a_config();
  config.role_policy["docs"] = {.agent = "alpa", .model = ""};
  config.routing.arms = {"zeta/strng", "nobody/cheap"};
  const plan::Plan plan = a_plan();
  RunOptions options;
  options.budget = "much";
  const Refusal refusal = refused(config, plan, options);
  EXPECT_EQ(refusal.exit, Exit::bad_input);
  EXPECT_EQ(
      refusal.reasons,
      (Words{"--budget: 'much' is not an amount of US dollars; write it like 15 or $0.50",
             "role_model_policy: role 'docs' names agent 'alpa', which is not configured; did you mean 'alpha'?",
             "routing.arms: 'zeta/strng' names no model of agent 'zeta'; did you mean 'strong'?",
             "routing.arms: 'nobody/cheap' names agent 'nobody', which is not configured; add it under agents: in "
             "bernstein.yaml"}));
}

TEST(Settings, TheRulesOfRoutingAreTheRuns) {
  plan::Config config = a_config();
  config.routing.rules = {.alpha_ppm = 1, .explore_ppm = 2, .mode = RoutingMode::shadow, .ridge_ppm = 3, .warmup = 4};
  const MergeResult result = merge_settings(config, a_plan(), {}, k_built_in);
  EXPECT_EQ(std::get<Settings>(result).config.routing, config.routing.rules);
}

}  // namespace
}  // namespace bernstein::cli
