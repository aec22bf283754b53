// What the git half of an audit says: a violation, a fact, or nothing.
#include "bernstein/run/audit_repository.hpp"

#include <gtest/gtest.h>

#include "support/builders.hpp"

namespace bernstein::run {
namespace {

using test::at;

constexpr const char* k_main = "refs/heads/main";
constexpr const char* k_event = "9 00112233";
const std::string k_salvage = "refs/bernstein/salvage/r1/";
constexpr RunId k_run{1};

// t1.1 has landed as "merge", with its worktree removed; the work of t2.1 was captured and its attempt ended without a
// landing; and so it all is in git.
struct AuditRepository : testing::Test {
  Claims claims{.targets = {{k_main, "base"}},
                .landings = {{.run = k_run,
                              .attempt = at(1),
                              .seq = 10,
                              .event = k_event,
                              .asked = {.base = "base", .commit = "merge", .target = k_main, .tree = "tree"},
                              .open = false,
                              .landed = MergeLanded{.commit = "merge", .parent = "base", .tree = "tree"}}},
                .works = {{.run = k_run,
                           .attempt = at(2),
                           .seq = 12,
                           .work = {.commit = "other", .salvage = k_salvage + "t2.1", .tree = "other tree"},
                           .ended = true}},
                .removals = {{.run = k_run, .attempt = at(1), .seq = 11}}};
  port::RepositoryFacts facts{.targets = {{k_main, {.reached = {"merge"}, .landings = {{"merge", k_event}}}}},
                              .commits = {{"merge", {"tree", {"base", "work"}}}, {"other", {"other tree", {"base"}}}},
                              .refs = {{k_salvage + "t2.1", "other"}},
                              .salvaged = {"other"},
                              .places = {}};

  // "violation at 10: ...", one a line.
  std::string found() const {
    std::string text;
    for (const Finding& finding : audit_repository(claims, facts)) {
      text += text.empty() ? "" : "\n";
      text += (finding.violation ? "violation at " : "fact at ") + std::to_string(finding.seq) + ": " + finding.what;
    }
    return text;
  }
  void another_landing(std::string event, std::string commit) {
    ClaimedLanding second = claims.landings.front();
    second.attempt = at(1, 2);
    second.seq = 20;
    second.event = event;
    second.open = true;
    second.landed.reset();
    claims.landings.push_back(second);
    facts.targets[k_main].landings.insert(facts.targets[k_main].landings.begin(), {std::move(commit), event});
  }
};

TEST_F(AuditRepository, HasNothingToSayWhenGitHoldsWhatTheLogSays) {
  EXPECT_EQ(found(), "");
}

TEST_F(AuditRepository, FindsATaskThatLandedTwice) {
  another_landing("19 44556677", "again");

  EXPECT_EQ(found(), "violation at 20: r1/t1.2 is on refs/heads/main, and so is r1/t1.1: one task landed twice");
}

TEST_F(AuditRepository, SaysNothingOfALandingWhoseResultIsStillToBeRecorded) {
  claims.landings.front().open = true;
  claims.landings.front().landed.reset();

  EXPECT_EQ(found(), "");
}

TEST_F(AuditRepository, FindsALandingThatTheLogSaysWasRefused) {
  claims.landings.front().landed.reset();

  EXPECT_EQ(found(),
            "violation at 10: r1/t1.1 is on refs/heads/main as merge, and the log says that it was not landed");
}

TEST_F(AuditRepository, TakesTheSameMergeUnderAnotherIdForARewrittenHistory) {
  facts.targets[k_main] = {.reached = {}, .landings = {{"copy", k_event}, {"merge", k_event}}};

  EXPECT_EQ(found(),
            "fact at 10: r1/t1.1 landed on refs/heads/main and is not in it any more: the branch was moved since");
}

TEST_F(AuditRepository, LeavesALandingOfAnotherLogAlone) {
  facts.targets[k_main].landings.push_back({"theirs", "9 ffffffff"});

  EXPECT_EQ(found(), "");
}

TEST_F(AuditRepository, SaysThatABranchIsGoneAndBlamesNobody) {
  facts.targets.clear();

  EXPECT_EQ(found(), "fact at 10: r1/t1.1 landed on refs/heads/main, which is there no more");
}

TEST_F(AuditRepository, FindsALandedTreeThatWasNotTheCheckedOne) {
  facts.commits["merge"].tree = "unchecked";

  EXPECT_EQ(found(), "violation at 10: r1/t1.1 landed as merge, which is not the merge that was checked");
}

TEST_F(AuditRepository, FindsThatTheWorkOfALiveAttemptIsKeptByNothing) {
  claims.works.front().ended = false;
  facts.refs.clear();
  facts.salvaged.clear();

  EXPECT_EQ(found(), "violation at 12: the work of r1/t2.1 (other) is under no salvage ref, and it has not ended");
}

TEST_F(AuditRepository, SaysThatTheSalvageOfAnEndedAttemptIsGoneForAPersonMayHaveThrownItAway) {
  facts.refs.clear();
  facts.salvaged.clear();

  EXPECT_EQ(
      found(),
      "fact at 12: refs/bernstein/salvage/r1/t2.1 is gone, with work of r1 that did not land: Bernstein removes no "
      "salvage ref, so somebody else did");
}

TEST_F(AuditRepository, NeedsNoSalvageOfWhatHasLanded) {
  claims.works.front().landed = true;
  facts.refs.clear();
  facts.salvaged.clear();

  EXPECT_EQ(found(), "");
}

TEST_F(AuditRepository, FindsASalvageRefThatHoldsSomethingElse) {
  facts.refs[k_salvage + "t2.1"] = "something";
  facts.salvaged.clear();

  EXPECT_EQ(found(),
            "violation at 12: refs/bernstein/salvage/r1/t2.1 names something, which does not hold the work of r1/t2.1 "
            "(other)");
}

TEST_F(AuditRepository, FindsASalvagedCommitThatIsMissing) {
  facts.commits.erase("other");
  facts.salvaged.clear();

  EXPECT_EQ(found(),
            "violation at 12: the commit other that refs/bernstein/salvage/r1/t2.1 names is not in the repository");
}

TEST_F(AuditRepository, FindsWhatIsSaidToBeRemovedAndIsThere) {
  facts.places = {"session-r1-t1.1", "session-r1-t2.1", "mine"};
  facts.refs["refs/bernstein/keep/session-r1-t1.1"] = "base";

  EXPECT_EQ(found(),
            "violation at 11: the log says that the worktree of r1/t1.1 was removed, and there is still "
            "session-r1-t1.1 in .sdd, refs/bernstein/keep/session-r1-t1.1");
}

TEST_F(AuditRepository, AsksForEveryCommitThatTheLogNames) {
  const port::RepositoryQuestions questions = questions_of(claims);

  EXPECT_EQ(questions.commits, (std::set<std::string>{"merge", "other"}));
  EXPECT_EQ(questions.targets, claims.targets);
}

}  // namespace
}  // namespace bernstein::run
