#include "cli/red_since.hpp"

#include <gtest/gtest.h>

#include "bernstein/event/chain.hpp"
#include "support/builders.hpp"
#include "support/fake_workspace.hpp"
#include "support/memory_event_log.hpp"

namespace bernstein::cli {
namespace {

using namespace test;

// A log of one verdict.
class LogWithVerdict : public MemoryEventLog {
 public:
  std::string key;
  Result<Seq> find_passed(const std::string& asked) override { return asked == key ? Seq{7} : Seq{0}; }
};

struct RedSince : testing::Test {
  FakeWorkspace workspace{{{"a", "1\n"}}};
  LogWithVerdict log;
  CheckSpec tests = a_command("tests");
  std::string good = *workspace.tip("refs/heads/main");

  RunState red_at(const std::string& tip) const {
    RunState state;
    state.started = a_start(a_config().with_gate(tests));
    state.target_tip = tip;
    state.environment = "here";
    Examination examination{.tree = "tree", .checks = {tests}, .begun = true};
    examination.verdict = VerdictReached{"tree", Verdict::failed, "check 'tests' failed: exit 1"};
    state.target_check = TargetCheck{.commit = tip, .examination = examination};
    return state;
  }
  void passed_at(const std::string& commit) {
    log.key = check_key("here", workspace.history(commit, 1).value().front().tree, tests);
  }
};

TEST_F(RedSince, NamesTheCommitBehindTheLastThatPassed) {
  passed_at(good);
  const std::string bad = workspace.user_commits({{"a", "2\n"}});
  EXPECT_EQ(red_since(red_at(bad), workspace, log), "it passed at " + good.substr(0, 10) +
                                                        " \"initial\"; since then there is " + bad.substr(0, 10) +
                                                        " \"the person's\" by somebody");
}

TEST_F(RedSince, NamesTheFirstOfSeveral) {
  passed_at(good);
  const std::string first = workspace.user_commits({{"a", "2\n"}});
  workspace.user_commits({{"a", "3\n"}});
  const std::string bad = workspace.user_commits({{"a", "4\n"}});
  const std::string said = red_since(red_at(bad), workspace, log);
  EXPECT_NE(said.find("the first that may have broken it is " + first.substr(0, 10)), std::string::npos) << said;
  EXPECT_NE(said.find(", of 3 since then"), std::string::npos) << said;
}

TEST_F(RedSince, SaysThatNothingIsKnown) {
  EXPECT_EQ(red_since(red_at(good), workspace, log), "no commit before it is known to have passed 'tests' here");
}

TEST_F(RedSince, IsSilentWhenTheTargetIsNotRed) {
  RunState state = red_at(good);
  state.target_tip = "moved";
  EXPECT_EQ(red_since(state, workspace, log), "");
}

}  // namespace
}  // namespace bernstein::cli
