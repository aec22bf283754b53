#include "bernstein/plan/config.hpp"

#include <algorithm>

#include "bernstein/base/path.hpp"
#include "plan_builders.hpp"

namespace bernstein::plan {
namespace {

using Texts = std::vector<std::string>;
using Models = std::vector<ModelSpec>;

ModelSpec model(const std::string& tier, const std::string& name) {
  return ModelSpec{.name = name, .tier = tier};
}

TEST(Config, IsCompleteWithoutAnyKey) {
  for (const char* text : {"", "# nothing\n", "---\n", "{}"}) {
    Config config = config_of(text);
    EXPECT_EQ(config.agent, "");
    EXPECT_EQ(config.max_agents, 4u);
    EXPECT_EQ(config.budget, std::nullopt);
    EXPECT_TRUE(config.agents.empty());
    EXPECT_TRUE(config.gates.empty());
    EXPECT_EQ(config.limits, Limits{});
    EXPECT_EQ(config.sandbox, SandboxMode::automatic);
    EXPECT_EQ(config.landing, usual_landing_rules());
    EXPECT_EQ(config.routing.mode, RoutingMode::static_);
    EXPECT_EQ(config.routing.warmup, 50u);
    EXPECT_EQ(config.routing.explore_ppm, 20'000);
  }
}

TEST(Config, ReadsEveryKey) {
  Config config = config_of(R"(
cli: my-agent
max_agents: 8
budget: "$10"
constraints: ["C++20"]
context_files: [docs/architecture.md]
role_model_policy: {architect: {cli: claude, model: opus}, docs: {model: haiku}, qa: {cli: auto}}
role_slots: {docs: 2}
worktree_setup: {symlink_dirs: [node_modules/, ./.venv], copy_files: [.env], setup_command: "npm ci", inputs: [./package-lock.json, "tools/*.lock"]}
quality_gates:
  tests: {command: "make test", timeout: 15m, flaky: true}
  build: "make -j2"
agents:
  my-agent:
    command: [my-agent, --model, "{model}", --file, "{prompt_file}"]
    models: {cheap: small-1, strong: big-1}
    env: [MY_AGENT_KEY]
    usage: {format: jsonl, input_tokens: /usage/in, output_tokens: /usage/out, cached_tokens: /u/c, cost_usd: /cost}
    max: 2
routing: {mode: bandit, arms: [my-agent/cheap, my-agent/strong], warmup: 10, explore: 0.05}
limits: {attempts: 2, agent_timeout: 1h, check_timeout: 90s, no_progress: 2m, adopt_timeout: 5m, file_mb: 100, processes: 500,
         planned_tasks: 20, planner_timeout: 4m}
sandbox: strict
)");
  EXPECT_EQ(config.agent, "my-agent");
  EXPECT_EQ(config.max_agents, 8u);
  EXPECT_EQ(config.budget, UsdMicros{10'000'000});
  EXPECT_EQ(config.constraints, Texts{"C++20"});
  EXPECT_EQ(config.context_files, Texts{"docs/architecture.md"});
  EXPECT_EQ(config.role_policy, (std::map<std::string, RolePolicy>{
                                    {"architect", {"claude", "opus"}}, {"docs", {"", "haiku"}}, {"qa", {}}}));
  EXPECT_EQ(config.role_slots, (std::map<std::string, std::uint32_t>{{"docs", 2}}));
  EXPECT_EQ(config.worktree_setup,
            (WorktreeSetup{"npm ci", {".env"}, {{"package-lock.json", "tools/*.lock"}}, {"node_modules", ".venv"}}));
  const std::vector<CheckSpec> gates{{"make test", "", true, "tests", "", 15 * k_minute, CheckType::command},
                                     {"make -j2", "", false, "build", "", 90 * k_second, CheckType::command}};
  EXPECT_EQ(config.gates, gates);  // in file order; limits.check_timeout where there is none of its own
  ASSERT_EQ(config.agents.size(), 1u);
  const AgentSpec& agent = config.agents[0];
  EXPECT_EQ(agent.name, "my-agent");
  EXPECT_EQ(agent.command, (Texts{"my-agent", "--model", "{model}", "--file", "{prompt_file}"}));
  EXPECT_EQ(agent.models, (Models{model("cheap", "small-1"), model("strong", "big-1")}));
  EXPECT_EQ(agent.env, Texts{"MY_AGENT_KEY"});
  EXPECT_EQ(agent.max_parallel, 2u);
  EXPECT_EQ(agent.usage, (UsageSpec{"/u/c", "/cost", "jsonl", "/usage/in", "/usage/out"}));
  EXPECT_EQ(config.routing.mode, RoutingMode::bandit);
  EXPECT_EQ(config.routing.arms, (Texts{"my-agent/cheap", "my-agent/strong"}));
  EXPECT_EQ(config.routing.warmup, 10u);
  EXPECT_EQ(config.routing.explore_ppm, 50'000);
  EXPECT_EQ(config.limits, (Limits{.adopt_timeout_us = 5 * k_minute,
                                   .agent_timeout_us = k_hour,
                                   .attempts = 2,
                                   .check_timeout_us = 90 * k_second,
                                   .file_bytes = 100 << 20,
                                   .no_progress_us = 2 * k_minute,
                                   .planned_tasks = 20,
                                   .planner_timeout_us = 4 * k_minute,
                                   .processes = 500}));
  EXPECT_EQ(config.sandbox, SandboxMode::strict);
  EXPECT_EQ(config.warnings, Texts{});
}

bool covers(const Texts& patterns, std::string_view path) {
  return std::ranges::any_of(patterns, [&](const std::string& pattern) { return matches(pattern, path); });
}

TEST(Config, LandsOneMergeAfterAnotherUnlessItSaysOtherwise) {
  const LandingRules usual = config_of("").landing;
  EXPECT_EQ(usual.method, LandingMethod::merge);
  EXPECT_EQ(usual.max_checks, 1u);
  EXPECT_FALSE(usual.skip_intermediate);
  EXPECT_EQ(usual.batch, 0u);
}

TEST(Config, KnowsFilesThatAreMergedByLineAndFilesThatOnlyDefineChecks) {
  const LandingRules usual = config_of("").landing;
  for (const char* path : {"CHANGELOG.md", "CHANGES.md", "packages/a/CHANGELOG.md"})
    EXPECT_TRUE(covers(usual.union_files, path)) << path;
  EXPECT_FALSE(covers(usual.union_files, "README.md"));
  for (const char* path :
       {".github/workflows/ci.yml", ".gitlab-ci.yml", ".circleci/config.yml", ".travis.yml", "azure-pipelines.yml",
        "Jenkinsfile", ".buildkite/pipeline.yml", "pytest.ini", "python/pytest.ini", "tox.ini", "noxfile.py",
        ".coveragerc", "codecov.yml", "jest.config.js", "web/vitest.config.mts", ".mocharc.json", "karma.conf.js",
        "phpunit.xml.dist", "bernstein.yaml"})
    EXPECT_TRUE(covers(usual.check_files, path)) << path;
  for (const char* path : {"conftest.py", "tests/conftest.py", "package.json", "Makefile", "CMakeLists.txt",
                           "pyproject.toml", "src/a.py", "tests/test_a.py"})
    EXPECT_FALSE(covers(usual.check_files, path)) << path;
}

TEST(Config, ReadsHowWorkLands) {
  const LandingRules read = config_of(
                                "landing: {method: squash, max_checks: 4, skip_intermediate: true, batch: 8, "
                                "union_files: [./NEWS], check_files: [\"ci/**\", Makefile]}\n")
                                .landing;
  EXPECT_EQ(read, (LandingRules{.batch = 8,
                                .check_files = {"ci/**", "Makefile"},
                                .max_checks = 4,
                                .method = LandingMethod::squash,
                                .skip_intermediate = true,
                                .union_files = {"NEWS"}}));
  const LandingRules off = config_of("landing: {batch: auto, union_files: [], check_files: []}\n").landing;
  EXPECT_EQ(off, LandingRules{});
  const LandingRules empty = config_of("landing: {union_files: , check_files: }\n").landing;
  EXPECT_EQ(empty, usual_landing_rules());
  const LandingRules brief = config_of("max_checks: 64\nskip_intermediate: true\n").landing;
  EXPECT_EQ(brief.max_checks, 64u);
  EXPECT_TRUE(brief.skip_intermediate);
  EXPECT_EQ(config_of("max_checks: 3\nlanding: {method: squash}\n").landing.max_checks, 3u);
}

TEST(ConfigFaults, NameWhatCannotBeAWayToLand) {
  EXPECT_EQ(config_faults_of("max_checks: 65\nskip_intermediate: yes\nlanding:\n  method: rebase\n  max_checks: 0\n  "
                             "batch: many\n  union_files: CHANGES\n  check_files: [/etc]\n  chain: 1\n"),
            "bernstein.yaml:1: the configuration has '65' for 'max_checks'; write a whole number from 1 to 64\n"
            "bernstein.yaml:2: the configuration has 'yes' for 'skip_intermediate'; write one of false, true\n"
            "bernstein.yaml:4: landing has 'rebase' for 'method'; write one of merge, squash\n"
            "bernstein.yaml:5: landing has '0' for 'max_checks'; write a whole number from 1 to 64\n"
            "bernstein.yaml:5: landing has 'max_checks', and so has the top of the file, in line 1; remove one\n"
            "bernstein.yaml:6: landing has 'many' for 'batch'; write a whole number from 1 to 64, or auto\n"
            "bernstein.yaml:7: landing has text for 'union_files'; write a list: [CHANGES]\n"
            "bernstein.yaml:8: landing has the path '/etc' in 'check_files', which is absolute; write it from the root "
            "of the repository\n"
            "bernstein.yaml:9: landing has the unknown key 'chain'; known are method, max_checks, skip_intermediate, "
            "batch, union_files, check_files");
  EXPECT_EQ(config_faults_of("skip_intermediate: true\nlanding: {skip_intermediate: true}\n"),
            "bernstein.yaml:2: landing has 'skip_intermediate', and so has the top of the file, in line 1; remove one");
}

TEST(Config, ReadsPricesOfModels) {
  const Config config =
      config_of("prices: {opus: {input: 5, cached: 0.50, output: 25}, \"a/b\": {input: 1, output: 2}}\n");

  EXPECT_EQ(config.prices, (std::map<std::string, TokenPrice>{{"opus", {{500'000}, {5'000'000}, {25'000'000}}},
                                                              {"a/b", {{0}, {1'000'000}, {2'000'000}}}}));
}

TEST(ConfigFaults, NamePricesThatAreNone) {
  EXPECT_EQ(config_faults_of("prices:\n"
                             "  a: 5\n"
                             "  b: {input: 1}\n"
                             "  c: {input: cheap, output: 1}\n"
                             "  d: {input: 1, output: 1, caching: 1}\n"),
            "bernstein.yaml:2: the price of 'a' is text; write a map: {input: 3, cached: 0.30, output: 15}\n"
            "bernstein.yaml:3: the price of 'b' has no output; write both, in dollars for a million tokens\n"
            "bernstein.yaml:4: the price of 'c' has 'cheap' for 'input'; write dollars for a million tokens\n"
            "bernstein.yaml:5: the price of 'd' has the unknown key 'caching'; known are cached, input, output");
}

TEST(Config, ReadsTheShortFormsOfAgents) {
  Config config = config_of("agents:\n  z: [run, \"{task}\"]\n  a: {command: [b], models: [small, big]}\n");
  ASSERT_EQ(config.agents.size(), 2u);
  EXPECT_EQ(config.agents[0].name, "z");  // file order
  EXPECT_EQ(config.agents[0].command, (Texts{"run", "{task}"}));
  EXPECT_EQ(config.agents[0].models, Models{model("default", "default")});
  EXPECT_EQ(config.agents[1].models, (Models{model("small", "small"), model("big", "big")}));
}

TEST(Config, LeavesBracesAloneThatAreNotPlaceholders) {
  Config config = config_of(R"(agents: {a: [sh, -c, '{ echo ${HOME} {} "{1}" {"k":1}; } {role}{attempt}{worktree}']})");
  EXPECT_EQ(config.agents[0].command.size(), 3u);
}

TEST(Config, ReadsEverySandboxAndRoutingMode) {
  EXPECT_EQ(config_of("sandbox: off").sandbox, SandboxMode::off);
  EXPECT_EQ(config_of("sandbox: auto").sandbox, SandboxMode::automatic);
  EXPECT_EQ(config_of("routing: {mode: shadow}").routing.mode, RoutingMode::shadow);
  EXPECT_EQ(config_of("routing: {mode: static, explore: 0}").routing.explore_ppm, 0);
  EXPECT_EQ(config_of("routing: {explore: 1}").routing.explore_ppm, 1'000'000);
  EXPECT_EQ(config_of("routing: {arms: [claude/haiku]}").routing.arms, Texts{"claude/haiku"});  // of the catalog
}

TEST(ConfigFaults, NameUnknownKeysEverywhere) {
  EXPECT_EQ(
      config_faults_of(
          "max_agent: 3\nlimits: {atempts: 1}\nrouting: {modes: bandit}\nagents: {a: {command: [b], modls: [c]}}\n"
          "worktree_setup: {copy: [a]}\nquality_gates: {t: {cmd: x, command: y}}\n"),
      "bernstein.yaml:1: the configuration has the unknown key 'max_agent'; did you mean 'max_agents'?\n"
      "bernstein.yaml:2: limits has the unknown key 'atempts'; did you mean 'attempts'?\n"
      "bernstein.yaml:3: routing has the unknown key 'modes'; did you mean 'mode'?\n"
      "bernstein.yaml:4: agent 'a' has the unknown key 'modls'; did you mean 'models'?\n"
      "bernstein.yaml:5: worktree_setup has the unknown key 'copy'; known are symlink_dirs, copy_files, setup_command, "
      "inputs\n"
      "bernstein.yaml:6: quality gate 't' has the unknown key 'cmd'; known are command, timeout, "
      "flaky");
}

TEST(ConfigFaults, NameTheDocumentThatIsNoConfiguration) {
  EXPECT_EQ(config_faults_of("- a"), "bernstein.yaml:1: is a list; write a map, such as max_agents: 4");
  EXPECT_EQ(
      config_faults_of("agents: [a]"),
      "bernstein.yaml:1: the configuration has a list for 'agents'; write a map: {my-agent: {command: [my-agent]}}");
}

TEST(ConfigFaults, ShowTheListFormOfACommand) {
  const std::string remedy = "; write a list of words, as no shell splits them: [my-agent, --file, \"{prompt_file}\"]";
  EXPECT_EQ(config_faults_of("agents: {a: {command: my-agent --go}}"),
            "bernstein.yaml:1: agent 'a' has text for 'command'" + remedy);
  EXPECT_EQ(config_faults_of("agents: {a: {command: []}}"),
            "bernstein.yaml:1: agent 'a' has an empty command" + remedy);
  EXPECT_EQ(config_faults_of("agents: {a: [\"\"]}"),
            "bernstein.yaml:1: agent 'a' has an empty program in 'command'" + remedy);
  EXPECT_EQ(config_faults_of("agents: {a: {env: [X]}}"),
            "bernstein.yaml:1: agent 'a' has no command; write command: [my-agent, --file, \"{prompt_file}\"]");
  EXPECT_EQ(config_faults_of("agents: {a: run}"),
            "bernstein.yaml:1: agent 'a' is text; write a map: {command: [my-agent, --file, \"{prompt_file}\"]}");
  EXPECT_EQ(config_faults_of("agents: {a: [run, {model}]}"),
            "bernstein.yaml:1: agent 'a' has a map in 'command'; each entry is a text: quote \"{model}\"");
}

TEST(ConfigFaults, NameUnknownPlaceholders) {
  EXPECT_EQ(
      config_faults_of("agents: {a: [run, \"{prompt-file}\", \"x{modell}y\", \"{everything}\"]}"),
      "bernstein.yaml:1: agent 'a' has the unknown placeholder '{prompt-file}'; did you mean 'prompt_file'?\n"
      "bernstein.yaml:1: agent 'a' has the unknown placeholder '{modell}'; did you mean 'model'?\n"
      "bernstein.yaml:1: agent 'a' has the unknown placeholder '{everything}'; known are {prompt_file}, {prompt}, "
      "{model}, {worktree}, {task}, {attempt}, {role}, {usage_file}");
}

TEST(ConfigFaults, NameAgentsModelsAndVariablesThatCannotBe) {
  EXPECT_EQ(
      config_faults_of("agents: {auto: [a], a/b: [a], \"\": [a]}"),
      "bernstein.yaml:1: agent 'auto' cannot be called so; use letters, digits, '-', '_' and '.', and not 'auto'\n"
      "bernstein.yaml:1: agent 'a/b' cannot be called so; use letters, digits, '-', '_' and '.', and not 'auto'\n"
      "bernstein.yaml:1: agent '' cannot be called so; use letters, digits, '-', '_' and '.', and not 'auto'");
  EXPECT_EQ(config_faults_of("agents: {a: {command: [x], env: [KEY=secret, 1A]}}"),
            "bernstein.yaml:1: agent 'a' has 'KEY' in 'env'; write names of variables only, their values come from the "
            "environment\n"
            "bernstein.yaml:1: agent 'a' has '1A' in 'env'; write names of variables only, their values come from the "
            "environment");
  EXPECT_EQ(config_faults_of("agents: {a: {command: [x], models: [b, b]}}"),
            "bernstein.yaml:1: agent 'a' has the model 'b' twice; remove one");
  EXPECT_EQ(config_faults_of("agents: {a: {command: [x], models: {cheap: }}}"),
            "bernstein.yaml:1: agent 'a' has no name for the model tier 'cheap'; write tier: name");
  EXPECT_EQ(config_faults_of("agents: {a: {command: [x], models: []}}"),
            "bernstein.yaml:1: agent 'a' has no models; name one, or remove 'models' for the default of the agent");
  EXPECT_EQ(config_faults_of("agents: {a: {command: [x], models: big}}"),
            "bernstein.yaml:1: agent 'a' has text for 'models'; write a map, cheapest first: {cheap: small-1, strong: "
            "big-1}");
}

TEST(Config, ReadsWhatRolesAreToldAndRefusesABook) {
  const ConfigResult read = parse_config("roles:\n  docs: |\n    Write little.\n    Write well.\n", "bernstein.yaml");
  EXPECT_EQ(std::get<Config>(read).roles.at("docs"), "Write little.\nWrite well.\n");
  EXPECT_EQ(config_faults_of("roles: {docs: " + std::string(9'000, 'x') + "}"),
            "bernstein.yaml:1: roles has a text of 9000 bytes for 'docs'; at most 8192 go into a prompt");
}

TEST(ConfigFaults, NameUsageThatCannotBeRead) {
  EXPECT_EQ(
      config_faults_of("agents: {a: {command: [x], usage: {format: xml, input_tokens: usage.in, cost_usd: /a~2}}}"),
      "bernstein.yaml:1: agent 'a': usage has 'xml' for 'format'; write one of json, jsonl\n"
      "bernstein.yaml:1: agent 'a': usage has 'usage.in' for 'input_tokens'; write a JSON pointer, such as "
      "/usage/input_tokens, or several with + and -\n"
      "bernstein.yaml:1: agent 'a': usage has '/a~2' for 'cost_usd'; write a JSON pointer, such as "
      "/usage/input_tokens, or several with + and -");
  EXPECT_EQ(config_faults_of("agents: {a: {command: [x], usage: {input_tokens: /a}}}"),
            "bernstein.yaml:1: agent 'a': usage has no format; write format: json or format: jsonl");
}

TEST(ConfigFaults, NameGatesThatWouldCheckNothing) {
  EXPECT_EQ(config_faults_of("quality_gates: {lint: true, tests: , build: [make], all: {timeout: 5m}}"),
            "bernstein.yaml:1: quality gate 'lint' is true; write the command, or quote \"true\" if you mean the "
            "program of that "
            "name\n"
            "bernstein.yaml:1: quality gate 'tests' has no command; write tests: \"make test\"\n"
            "bernstein.yaml:1: quality gate 'build' has a list for its command; write build: \"make test\"\n"
            "bernstein.yaml:1: quality gate 'all' has no command; write all: \"make test\"");
  EXPECT_EQ(config_of("quality_gates: {lint: \"true\"}").gates[0].command, "true");
}

TEST(ConfigFaults, NameArmsThatDoNotExist) {
  EXPECT_EQ(
      config_faults_of("agents: {my-agent: {command: [x], models: [cheap, strong]}}\n"
                       "routing: {arms: [my-agent/cheep, my-agent/huge, my-agnt/cheap, claude, a/, my-agent/cheap, "
                       "my-agent/cheap]}\n"
                       "role_model_policy: {docs: {model: my-agent/chep}}\n"),
      "bernstein.yaml:2: routing has the arm 'my-agent/cheep', but agent 'my-agent' has no model 'cheep'; did you mean "
      "'cheap'?\n"
      "bernstein.yaml:2: routing has the arm 'my-agent/huge', but agent 'my-agent' has no model 'huge'; its models are "
      "cheap, strong\n"
      "bernstein.yaml:2: routing names the unknown agent 'my-agnt'; did you mean 'my-agent'?\n"
      "bernstein.yaml:2: routing has the arm 'claude'; write agent/tier, such as claude/cheap\n"
      "bernstein.yaml:2: routing has the arm 'a/'; write agent/tier, such as claude/cheap\n"
      "bernstein.yaml:2: routing has the arm 'my-agent/cheap' twice; remove one\n"
      "bernstein.yaml:3: role_model_policy of role 'docs' has the arm 'my-agent/chep', but agent 'my-agent' has no "
      "model "
      "'chep'; did you mean 'cheap'?");
}

TEST(Config, NoProgressCanBeSwitchedOff) {
  EXPECT_EQ(config_of("limits: {no_progress: off}\n").limits.no_progress_us, 0);
  EXPECT_EQ(config_of("limits: {no_progress: 0}\n").limits.no_progress_us, 0);
  EXPECT_EQ(config_of("limits: {no_progress: 90s}\n").limits.no_progress_us, 90 * k_second);
  EXPECT_EQ(config_faults_of("limits: {no_progress: never}\n"),
            "bernstein.yaml:1: limits has 'never' for 'no_progress'; write a time of at most 720h, such as 90s, 10m or "
            "1h30m, or off");
}

TEST(ConfigFaults, NameNumbersTimesAndWordsOutOfRange) {
  EXPECT_EQ(
      config_faults_of("max_agents: 0\nbudget: -1\nlimits: {attempts: 101, agent_timeout: 0s, check_timeout: 721h}\n"
                       "routing: {explore: 1.5, warmup: -1, mode: bandits}\nsandbox: false\nrole_slots: {docs: 0}\n"),
      "bernstein.yaml:1: the configuration has '0' for 'max_agents'; write a whole number from 1 to 1000\n"
      "bernstein.yaml:2: the configuration has '-1' for 'budget'; write US dollars, such as \"$15\" or 15.50\n"
      "bernstein.yaml:3: limits has '101' for 'attempts'; write a whole number from 1 to 100\n"
      "bernstein.yaml:3: limits has '0s' for 'agent_timeout'; write a time of at most 720h, such as 90s, 10m or 1h30m\n"
      "bernstein.yaml:3: limits has '721h' for 'check_timeout'; write a time of at most 720h, such as 90s, 10m or "
      "1h30m\n"
      "bernstein.yaml:4: routing has 'bandits' for 'mode'; did you mean 'bandit'?\n"
      "bernstein.yaml:4: routing has '-1' for 'warmup'; write a whole number from 0 to 1000000\n"
      "bernstein.yaml:4: routing has '1.5' for 'explore'; write a fraction from 0 to 1 with at most six decimals\n"
      "bernstein.yaml:5: the configuration has 'false' for 'sandbox'; write one of auto, off, strict\n"
      "bernstein.yaml:6: role_slots has '0' for 'docs'; write a whole number from 1 to 1000");
}

TEST(ConfigFaults, NamePathsThatLeaveTheTree) {
  EXPECT_EQ(
      config_faults_of("worktree_setup: {symlink_dirs: [/opt], copy_files: [../.env]}\ncontext_files: [.git/x]\n"),
      "bernstein.yaml:1: worktree_setup has the path '/opt' in 'symlink_dirs', which is absolute; write it from the "
      "root of "
      "the repository\n"
      "bernstein.yaml:1: worktree_setup has the path '../.env' in 'copy_files', which leaves the tree; write it "
      "without "
      "'..'\n"
      "bernstein.yaml:2: the configuration has the path '.git/x' in 'context_files', which enters '.git', which "
      "belongs to "
      "git; name files of the tree");
}

TEST(ConfigFaults, KeepEscapeSequencesOutOfMessages) {
  EXPECT_EQ(config_faults_of("\"a\\e[31mb\": 1\n").find('\x1B'), std::string::npos);
  EXPECT_EQ(config_faults_of("\"a\\e[31mb\": {\n").find('\x1B'), std::string::npos);
}

}  // namespace
}  // namespace bernstein::plan
