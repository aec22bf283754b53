#include "bernstein/plan/catalog.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "plan_builders.hpp"

namespace bernstein::plan {
namespace {

TEST(Catalog, HasTheAgentsThatPeopleUse) {
  for (const char* name : {"claude", "codex", "gemini",    "qwen",   "opencode", "copilot", "cline", "continue",
                           "pi",     "droid", "amp",       "auggie", "kilo",     "crush",   "aider", "aider-ollama",
                           "cursor", "goose", "openhands", "kiro",   "kimi",     "vibe"}) {
    EXPECT_NE(find_in_catalog(name), nullptr) << name;
  }
  EXPECT_EQ(find_in_catalog("claud"), nullptr);
  EXPECT_TRUE(std::ranges::is_sorted(catalog(), {}, [](const CatalogEntry& entry) { return entry.spec.name; }));
}

TEST(Catalog, EveryEntrySaysHowFarItWasProvenAndHowToGetIt) {
  std::set<std::uint32_t> ranks;
  for (const CatalogEntry& entry : catalog()) {
    const std::string& name = entry.spec.name;
    EXPECT_FALSE(entry.facts.title.empty()) << name;
    EXPECT_FALSE(entry.facts.install.empty()) << name;
    EXPECT_EQ(entry.facts.proof.date.size(), 10U) << name;
    EXPECT_EQ(entry.facts.proof.level == ProofLevel::docs, entry.facts.proof.source.starts_with("https://")) << name;
    EXPECT_FALSE(entry.facts.version.command.empty()) << name;
    EXPECT_EQ(entry.facts.version.command.front(), entry.spec.command.front()) << name;
    EXPECT_FALSE(entry.facts.login.fix.empty() && !entry.facts.login.none) << name;
    if (entry.facts.rank == 0) continue;
    EXPECT_TRUE(ranks.insert(entry.facts.rank).second) << name << ": auto must not toss a coin";
  }
}

TEST(Catalog, AnAgentGetsTheVariablesItLogsInWith) {
  const std::vector<std::string>& env = find_in_catalog("claude")->spec.env;
  EXPECT_NE(std::ranges::find(env, "ANTHROPIC_API_KEY"), env.end());
}

TEST(Catalog, WhatIsSaidOfAnAgentAnewReplacesThatAndLeavesTheRest) {
  const ConfigResult read = parse_config("agents: {claude: {models: {only: my-model}, max: 2}}\n", "bernstein.yaml");
  const AgentSpec& agent = std::get<Config>(read).agents.at(0);
  const AgentSpec& known = find_in_catalog("claude")->spec;
  EXPECT_EQ(agent.models, (std::vector<ModelSpec>{{.name = "my-model", .tier = "only"}}));
  EXPECT_EQ(agent.max_parallel, 2U);
  EXPECT_EQ(agent.command, known.command);
  EXPECT_EQ(agent.failures, known.failures);
}

TEST(Catalog, AFaultNamesItsLine) {
  const auto read = parse_catalog_entry("mine", "command: [mine]\nproof: {level: guessed, date: x}\n");
  ASSERT_TRUE(std::holds_alternative<Faults>(read));
  EXPECT_EQ(format("catalog/mine.yaml", std::get<Faults>(read)),
            "catalog/mine.yaml:2: agent 'mine': proof has 'guessed' for 'level'; write one of run, help, docs\n"
            "catalog/mine.yaml:2: agent 'mine': proof has no source; write source: with the address of the page it "
            "follows");
}

}  // namespace
}  // namespace bernstein::plan
