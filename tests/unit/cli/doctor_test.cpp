#include "cli/doctor_checks.hpp"

#include <gtest/gtest.h>

#include <ostream>

namespace bernstein::cli {

void PrintTo(const Finding& finding, std::ostream* out) {
  *out << finding.id << " " << to_word(finding.grade) << ": " << finding.fact << " -> " << finding.fix;
}

namespace {

constexpr Micros k_in_2026_us = Micros{1'780'000'000} * k_second;

plan::CatalogEntry entry(const std::string& name, std::uint32_t rank) {
  plan::CatalogEntry entry;
  entry.spec.name = name;
  entry.spec.command = {name, "-p"};
  entry.facts.install = "npm install -g " + name;
  entry.facts.rank = rank;
  return entry;
}

class Agents : public testing::Test {
 protected:
  std::vector<Finding> judge(const FoundAgent& ann, const FoundAgent& bob) {
    return judge_agents({ann, bob}, &config_);
  }

  plan::CatalogEntry ann_ = entry("ann", 2);
  plan::CatalogEntry bob_ = entry("bob", 1);
  FoundAgent no_ann_{.entry = &ann_};
  FoundAgent no_bob_{.entry = &bob_};
  FoundAgent has_ann_{
      .entry = &ann_, .program = "/bin/ann", .version = "1.2", .login = Login::yes, .login_fact = "ANN_KEY is set"};
  plan::Config config_;
};

TEST(Doctor, SplitsASentenceIntoFactAndRemedy) {
  EXPECT_EQ(finding_of("config", Grade::fail, "f.yaml:3: a; b; write c", "d"),
            (Finding{"config", Grade::fail, "f.yaml:3: a; b", "write c"}));
  EXPECT_EQ(finding_of("config", Grade::warn, "a", "d"), (Finding{"config", Grade::warn, "a", "d"}));
}

TEST(Doctor, WantsAGitThatIsNotTooOld) {
  EXPECT_EQ(judge_git("/bin/git", "2.39.5"), (Finding{"git", Grade::ok, "git 2.39.5 (/bin/git)", ""}));
  EXPECT_EQ(judge_git("/bin/git", "2.30"), (Finding{"git", Grade::ok, "git 2.30 (/bin/git)", ""}));
  EXPECT_EQ(judge_git("/bin/git", "2.9.1"),
            (Finding{"git", Grade::fail, "git 2.9.1 is older than 2.30 (/bin/git)", "apt-get install git"}));
  EXPECT_EQ(judge_git("", ""),
            (Finding{"git", Grade::fail, "git is not in PATH, and agents need it", "apt-get install git"}));
}

TEST(Doctor, SaysOnWhichBranchWorkWouldLand) {
  const Place place{.worktree = "/p", .branch = "refs/heads/feature/a", .notes = {"a note"}};
  EXPECT_EQ(judge_repository(place), (std::vector<Finding>{{"repository", Grade::ok, "/p on branch feature/a", ""},
                                                           {"repository.note", Grade::ok, "a note", ""}}));
  EXPECT_EQ(judge_repository({.worktree = "/p"}),
            (std::vector<Finding>{{"repository", Grade::warn, "/p: HEAD is detached, so there is no branch to land on",
                                   "git switch BRANCH, or bernstein run --target BRANCH"}}));
}

TEST(Doctor, WarnsWhenTheDiskIsNearlyFullAndFailsWhenItIs) {
  EXPECT_EQ(judge_disk("/p", 2'000'000'000, true), (Finding{"disk", Grade::ok, "2.0 GB are free in /p", ""}));
  EXPECT_EQ(judge_disk("/p", 1'000'000'000, true),
            (Finding{"disk", Grade::warn, "1.0 GB are free in /p, which is less than 2.0 GB",
                     "bernstein clean; du -xh /p | sort -h | tail"}));
  EXPECT_EQ(judge_disk("/p", 199'000'000, true).grade, Grade::fail);
  EXPECT_EQ(judge_disk("/p", 200'000'000, true).grade, Grade::warn);
  EXPECT_EQ(judge_disk("/p", 5'000'000'000, false),
            (Finding{"disk", Grade::fail, "/p may not be written", "ls -ld /p"}));
}

TEST(Doctor, WarnsOfFileSystemsWhoseLocksAreDoubtful) {
  EXPECT_EQ(judge_file_system(0xEF53), (Finding{"file_system", Grade::ok, "ext4", ""}));
  EXPECT_EQ(judge_file_system(0x6969),
            (Finding{"file_system", Grade::warn, "NFS: locks and fsync may not do there what the log needs",
                     "git clone the repository to a local disk, and work there"}));
  EXPECT_EQ(judge_file_system(0xFFFFFFFFFF534D42).fact, "CIFS: locks and fsync may not do there what the log needs");
  EXPECT_EQ(judge_file_system(0x01021997).grade, Grade::warn);
  EXPECT_EQ(judge_file_system(0x65735546).grade, Grade::warn);
  EXPECT_EQ(judge_file_system(0x1234).fact, "a kind that it does not know: 0x1234");
}

TEST(Doctor, SaysHowALimitIsRaised) {
  EXPECT_EQ(judge_limit({"limits.files", "open files", "-n", 1024, 4096}),
            (Finding{"limits.files", Grade::ok, "open files: 1,024", ""}));
  EXPECT_EQ(judge_limit({"limits.files", "open files", "-n", 256, k_no_limit}),
            (Finding{"limits.files", Grade::warn, "open files: 256, less than 1,024", "ulimit -S -n 1024"}));
  EXPECT_EQ(judge_limit({"limits.processes", "processes", "-u", 100, 100}).fix,
            "as root: prlimit --pid $$ --nproc=1024, or for good in /etc/security/limits.conf");
  EXPECT_EQ(judge_limit({"limits.processes", "processes", "-u", k_no_limit, k_no_limit}).fact, "processes: no limit");
}

TEST_F(Agents, OneThatIsInstalledIsEnough) {
  EXPECT_EQ(judge(has_ann_, no_bob_),
            (std::vector<Finding>{{"agent.ann", Grade::ok, "ann 1.2 (/bin/ann)", ""},
                                  {"agent.ann.login", Grade::ok, "ann: login: ANN_KEY is set", ""}}));
}

TEST_F(Agents, NoneFailsWithTheOneToInstallThatAutoLikesBest) {
  EXPECT_EQ(judge(no_ann_, no_bob_),
            (std::vector<Finding>{{"agents", Grade::fail, "no agent is installed",
                                   "npm install -g bob, or another one that `bernstein agents` lists, or name yours "
                                   "under agents: in bernstein.yaml"}}));
  EXPECT_EQ(judge_agents({no_ann_}, nullptr).front().grade, Grade::warn);
}

TEST_F(Agents, AVersionOutOfRangeAndAMissingLoginAreWarnings) {
  has_ann_.version_why = "older than 2.0";
  has_ann_.login = Login::no;
  has_ann_.login_fact = "ANN_KEY is not set";
  ann_.facts.login.fix = "ann login";
  EXPECT_EQ(judge(has_ann_, no_bob_),
            (std::vector<Finding>{
                {"agent.ann", Grade::warn, "ann 1.2 is older than 2.0 (/bin/ann)", "npm install -g ann"},
                {"agent.ann.login", Grade::warn, "ann: nobody is logged in: ANN_KEY is not set", "ann login"}}));
}

TEST_F(Agents, TheOneThatIsWantedHasToBeThere) {
  config_.agent = "bob";
  const std::vector<Finding> findings = judge(has_ann_, no_bob_);
  EXPECT_EQ(findings.back(), (Finding{"agent.bob", Grade::fail, "bob: the program 'bob' cannot be found in PATH",
                                      "npm install -g bob"}));
  config_.agent = "ann";
  config_.role_policy["docs"] = {.agent = "bob", .model = ""};
  EXPECT_EQ(judge(has_ann_, no_bob_).back().grade, Grade::warn);
}

TEST_F(Agents, AnUnknownNameFails) {
  config_.agent = "anne";
  EXPECT_EQ(judge(has_ann_, no_bob_).back(),
            (Finding{"agents", Grade::fail, "bernstein.yaml: cli: there is no agent 'anne'; did you mean 'ann'?",
                     "bernstein agents"}));
}

TEST_F(Agents, TheScriptedOneNeedsNoProgram) {
  config_.agent = "scripted";
  EXPECT_EQ(judge(no_ann_, no_bob_),
            (std::vector<Finding>{{"agent.scripted", Grade::ok, "scripted: part of Bernstein", ""}}));
}

TEST_F(Agents, ThoseThatAreNamedOrElseTheFirstAreAskedUnlessNobodyIsLoggedIn) {
  const auto in_use = [&](Login login) {
    has_ann_.login = login;
    const std::vector<FoundAgent> agents{has_ann_, {.entry = &bob_, .program = "/bin/bob"}};
    std::vector<std::string> names;
    for (const FoundAgent* agent : agents_in_use(agents, config_)) names.push_back(agent->entry->spec.name);
    return names;
  };
  EXPECT_EQ(in_use(Login::yes), std::vector<std::string>{"bob"}) << "the one of the lowest rank";
  config_.agent = "ann";
  EXPECT_EQ(in_use(Login::unknown), std::vector<std::string>{"ann"});
  EXPECT_EQ(in_use(Login::no), std::vector<std::string>{});
  EXPECT_EQ(agents_in_use({no_ann_}, config_).size(), 0U) << "it is not installed";
}

TEST_F(Agents, AnAnswerTellsWhatItHasCostAndAFailureWhatMendsIt) {
  ann_.facts.login.fix = "run ann login";
  ann_.spec.read_only = {"ann", "--plan"};
  const ModelAnswer good{
      .agent = &has_ann_,
      .model = "small-1",
      .ending = {},
      .words = "ready",
      .usage = {.cached_tokens = 300, .cost_micros = UsdMicros{344}, .input_tokens = 1010, .output_tokens = 42},
      .duration_us = 2 * k_second};
  EXPECT_EQ(
      judge_answer(good),
      (Finding{"agent.ann.model", Grade::ok,
               "ann with small-1 answered 'ready' in 2 s: 1,310 tokens in (300 from a cache), 42 out, $0.000344", ""}));
  ModelAnswer silent = good;
  silent.usage = {};
  EXPECT_NE(judge_answer(silent).fact.find("it does not tell what that cost"), std::string::npos);
  silent.words = "";
  EXPECT_EQ(judge_answer(silent).fix, "see what it says: ann --plan");

  const auto failed = [&](AgentOutcome outcome) {
    ModelAnswer answer = good;
    answer.ending = {.outcome = outcome, .message = "it says no", .retry_after_us = {}};
    return judge_answer(answer);
  };
  EXPECT_EQ(failed(AgentOutcome::auth),
            (Finding{"agent.ann.model", Grade::warn, "ann with small-1 does not reach its model: auth: it says no",
                     "run ann login"}));
  EXPECT_EQ(failed(AgentOutcome::quota).fix, "bernstein doctor --probe, later");
  EXPECT_NE(failed(AgentOutcome::model).fix.find("bernstein.yaml"), std::string::npos);
  EXPECT_EQ(failed(AgentOutcome::crash).fix, "see what it says: ann --plan");
  ModelAnswer late = good;
  late.timed_out = true;
  late.duration_us = k_minute;
  EXPECT_EQ(judge_answer(late).fact, "ann with small-1 has not answered in 1m 00s");
  late.error = "no such program";
  EXPECT_EQ(judge_answer(late), (Finding{"agent.ann.model", Grade::warn,
                                         "ann with small-1 cannot be asked: no such program", "npm install -g ann"}));
}

TEST(Flags, AreLookedUpInTheHelpOfTheSubcommand) {
  using Words = std::vector<std::string>;
  EXPECT_EQ(help_command({"codex", "exec", "--json", "-m", "{model}", "-"}), (Words{"codex", "exec", "--help"}));
  EXPECT_EQ(help_command({"claude", "-p"}), (Words{"claude", "--help"}));
  EXPECT_EQ(help_command({"x", "{prompt}"}), (Words{"x", "--help"}));
}

TEST(Flags, AreMissingUnlessTheyStandThereAsWords) {
  using Words = std::vector<std::string>;
  const std::string help = "  -p, --print\n  --model-name NAME\n  --format=KIND\n  --out";
  EXPECT_EQ(
      missing_flags({"x", "-p", "--print", "--model", "{model}", "--format=json", "-", "--", "-1", "--out"}, help),
      (Words{"--model"}));
  EXPECT_EQ(missing_flags({"x", "-q", "a", "-q"}, help), (Words{"-q"}));
}

TEST(Clock, WarnsBefore2024AndFarBehindTheLog) {
  EXPECT_EQ(judge_clock(k_in_2026_us, {}).grade, Grade::ok);
  EXPECT_EQ(judge_clock(k_in_2026_us, k_in_2026_us + 30 * k_minute).grade, Grade::ok);
  EXPECT_EQ(judge_clock(k_in_2026_us, k_in_2026_us + 61 * k_minute).grade, Grade::warn);
  EXPECT_EQ(judge_clock(1000 * k_second, {}).grade, Grade::warn);
  EXPECT_EQ(judge_clock(1000 * k_second, {}).fix, "timedatectl set-ntp true");
}

}  // namespace
}  // namespace bernstein::cli
