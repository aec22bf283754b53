// What the simulation (tests/sim) has found in the loop's recovery, one thing at a time.
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <utility>

#include "bernstein/run/loop.hpp"
#include "support/builders.hpp"
#include "support/fake_reactor.hpp"
#include "support/fake_workspace.hpp"
#include "support/memory_blob_store.hpp"
#include "support/memory_event_log.hpp"
#include "support/temp_directory.hpp"

namespace bernstein::run {
namespace {

using namespace test;

class FailingBlobs final : public MemoryBlobStore {
 public:
  Result<std::string> put(std::string_view bytes) override {
    if (full) return Error{ErrorCode::environment, "the disk is full"};
    on_put(bytes);
    return MemoryBlobStore::put(bytes);
  }
  bool full = false;
  std::function<void(std::string_view)> on_put = [](std::string_view) {};
};

class Owner final : public port::Ownership {
 public:
  bool lost = false;

 private:
  Status still_ours() const override {
    if (lost) return Error{ErrorCode::busy, "another Bernstein owns the workspace"};
    return Ok{};
  }
};

class Quiet final : public Observer {
  void on_event(const RunState&, const Event&) override {}
  void on_warning(const std::string&) override {}
};

// One task, whose agent writes a file within a minute.
class Recovery : public testing::Test {
 protected:
  Result<RunOutcome> start(RunConfig config = a_config()) {
    RunStarted started = a_start(std::move(config));
    started.target_tip = *workspace_.tip("refs/heads/main");
    Loop loop(ports(), site(), observer_);
    const Result<RunOutcome> outcome = loop.start(std::move(started), a_plan({a_task(1)}));
    reactor_.crash();
    return outcome;
  }

  Result<RunOutcome> start_with_goal(RunConfig config = a_config().with_planner()) {
    RunStarted started = a_start(std::move(config));
    started.target_tip = *workspace_.tip("refs/heads/main");
    Loop loop(ports(), site(), observer_);
    const Result<RunOutcome> outcome = loop.start(std::move(started), PlanWanted{});
    reactor_.crash();
    return outcome;
  }

  Result<RunOutcome> resume() { return resume_at(*workspace_.ref("refs/heads/main")); }
  Result<RunOutcome> resume_at(const std::string& tip) {
    Loop loop(ports(), site(), observer_);
    const Result<RunOutcome> outcome = loop.resume(RunId{1}, {.target_tip = tip});
    reactor_.crash();
    return outcome;
  }

  std::int64_t count(std::string_view type) const {
    return std::count_if(log_.records().begin(), log_.records().end(), [&](const Record& r) { return r.type == type; });
  }

  // Of the first event of this type.
  std::string why_of(std::string_view type) const {
    for (const Record& record : log_.records()) {
      if (record.type != type) continue;
      const std::string_view payload = record.payload;
      const std::size_t why = payload.rfind("\"why\":\"") + 7;
      return std::string(payload.substr(why, payload.rfind('"') - why));
    }
    return "there is none";
  }

  Ports ports() { return {log_, blobs_, workspace_, reactor_, ownership_}; }
  Site site() const { return {.sdd = (directory_.path() / ".sdd").string(), .environment = {}, .sandbox = {}}; }

  TempDirectory directory_;
  Quiet observer_;
  Owner ownership_;
  MemoryEventLog log_;
  FailingBlobs blobs_;
  FakeWorkspace workspace_{{{"README.md", "hello\n"}}};
  FakeReactor reactor_{[this](const port::ProcessSpec& spec) -> Result<ScriptedProcess> {
    before_start();
    const auto task = spec.env.find("BERNSTEIN_TASK");
    if (task == spec.env.end()) return ScriptedProcess{.duration_us = k_minute};  // sets up a worktree
    if (task->second == "plan") {
      return ScriptedProcess{.duration_us = k_minute, .output = plan, .at_begin = [this] { begin(); }};
    }
    if (reactor_.monotonic_us() < refused_until_us) {
      const Micros opens = reactor_.wall_us() - reactor_.monotonic_us() + refused_until_us;
      return ScriptedProcess{.exit_code = 75, .output = "limit reached|" + std::to_string(opens / k_second) + "\n"};
    }
    return ScriptedProcess{.duration_us = k_minute,
                           .at_begin = [this] { begin(); },
                           .at_end = [this] { workspace_.write(last_session(), "new.txt", "new\n"); },
                           .silence = silence};
  }};

  std::string last_session() const {
    const std::int64_t attempts = std::count_if(log_.records().begin(), log_.records().end(), [](const Record& r) {
      return r.type == "TaskAssigned" && r.subject.starts_with("t1.");
    });
    return "session-r1-t1." + std::to_string(attempts);
  }

  std::function<void()> before_start = [] {};
  std::function<void()> begin = [] {};
  std::optional<Silence> silence;
  Micros refused_until_us = 0;  // its service refuses sessions that begin before
  std::string plan =
      "name: One\nstages:\n  - name: all\n    steps:\n      - {title: New, description: Write new.txt.}\n";
};

TEST_F(Recovery, APromptFileIsWrittenWhereNothingHasBeenLoggedYet) {
  RunConfig config = a_config();
  config.agents[0].command.push_back("{prompt_file}");
  EXPECT_EQ(start(config).value(), RunOutcome::landed);
}

// Whether its prompt can be kept once more is no question about an agent that works.
TEST_F(Recovery, AnAgentAtWorkIsTakenBackThoughNothingCanBeKept) {
  begin = [this] { reactor_.raise_after(k_second, SIGQUIT); };
  ASSERT_EQ(start().value(), RunOutcome::stopped);
  blobs_.full = true;
  EXPECT_EQ(resume().value(), RunOutcome::landed);
  EXPECT_EQ(count("AgentStarted"), 1);
  EXPECT_EQ(count("AttemptFailed"), 0);
}

// Somebody tidies up .sdd/control while the agent works and nobody owns the run.
TEST_F(Recovery, AnAgentThatCannotBeTakenBackIsEndedBeforeAnotherOneStarts) {
  std::size_t at_once_most = 0;
  begin = [&, first = true]() mutable {
    if (first) reactor_.raise_after(k_second, SIGQUIT);
    first = false;
    at_once_most = std::max(at_once_most, reactor_.running());
  };
  ASSERT_EQ(start().value(), RunOutcome::stopped);
  ASSERT_EQ(reactor_.running(), 1U);
  reactor_.remove_control_directories();
  workspace_.write("session-r1-t1.1", "half.txt", "half\n");

  EXPECT_EQ(resume().value(), RunOutcome::landed);
  EXPECT_EQ(at_once_most, 1U);
  EXPECT_EQ(count("AgentStarted"), 2);
  EXPECT_EQ(why_of("AttemptFailed"), "the agent was ended: its files in .sdd/control were removed");
  EXPECT_TRUE(workspace_.ref("refs/bernstein/salvage/r1/t1.1")) << "its work is kept";
}

// An intent that was recorded and whose command never began looks the same.
TEST_F(Recovery, ACommandThatNeverBeganStartsThoughThereIsNoControlDirectory) {
  struct Killed {};
  before_start = [first = true]() mutable {
    if (std::exchange(first, false)) throw Killed{};
  };
  EXPECT_THROW((void)start(), Killed);
  reactor_.crash();
  ASSERT_EQ(count("SpawnRequested"), 1);
  EXPECT_EQ(resume().value(), RunOutcome::landed);
  EXPECT_EQ(count("AgentStarted"), 1);
  EXPECT_EQ(count("AttemptFailed"), 0);
}

// A limit ends by the clock on the wall, whether somebody is there or not.
TEST_F(Recovery, ALimitIsWaitedForOnlyForItsRest) {
  refused_until_us = 2 * k_hour;
  RunConfig config = a_config();
  config.agents[0].failures = {{.exit = 75, .outcome = AgentOutcome::quota}};
  before_start = [this, first = true]() mutable {
    if (std::exchange(first, false)) reactor_.raise_after(10 * k_minute, SIGQUIT);
  };
  ASSERT_EQ(start(config).value(), RunOutcome::stopped);
  ASSERT_EQ(count("ParkRequested"), 1);
  reactor_.pass(90 * k_minute);
  EXPECT_EQ(resume().value(), RunOutcome::landed);
  EXPECT_EQ(count("ParkRequested"), 1);
  EXPECT_LT(reactor_.monotonic_us(), refused_until_us + 5 * k_minute);
}

// The warning is told to each owner, and recorded once.
TEST_F(Recovery, AStalledAgentIsWarnedAboutOnceHoweverOftenItIsTakenBack) {
  silence = Silence{.from_us = 0, .until_us = 50 * k_second};
  RunConfig config = a_config();
  config.limits.no_progress_us = 80 * k_second;
  begin = [this] { reactor_.raise_after(45 * k_second, SIGQUIT); };
  ASSERT_EQ(start(config).value(), RunOutcome::stopped);
  EXPECT_EQ(count("AgentStalled"), 1);
  EXPECT_EQ(resume().value(), RunOutcome::landed);
  EXPECT_EQ(count("AgentStalled"), 1);
  EXPECT_EQ(count("AgentRecovered"), 1);
}

TEST_F(Recovery, ThatAnAgentGoesOnIsRecordedThoughNobodyWasThere) {
  silence = Silence{.from_us = 0, .until_us = 50 * k_second};
  RunConfig config = a_config();
  config.limits.no_progress_us = 80 * k_second;
  begin = [this] { reactor_.raise_after(45 * k_second, SIGQUIT); };
  ASSERT_EQ(start(config).value(), RunOutcome::stopped);
  reactor_.pass(10 * k_second);
  EXPECT_EQ(resume().value(), RunOutcome::landed);
  EXPECT_EQ(count("AgentStalled"), 1);
  EXPECT_EQ(count("AgentRecovered"), 1);
}

TEST_F(Recovery, AnAgentThatStallsIsEndedAndItsTaskTriedAgain) {
  silence = Silence{};
  RunConfig config = a_config();
  config.limits.no_progress_us = 30 * k_second;
  EXPECT_EQ(start(config).value(), RunOutcome::incomplete) << "each attempt ends like the first";
  EXPECT_EQ(count("AgentStalled"), 3);
  EXPECT_EQ(count("TaskRetried"), 2);
}

// ---- The planner ----

TEST_F(Recovery, AGoalLandsAndItsPlanIsLeftForThePerson) {
  ASSERT_EQ(start_with_goal().value(), RunOutcome::landed);
  EXPECT_EQ(count("PlanAdopted"), 1);
  EXPECT_EQ(count("MergeLanded"), 1);
  EXPECT_TRUE(std::filesystem::exists(site().sdd + "/plans/r1.yaml"));
}

// What the planner would be asked cannot be put together any more, which is no question about one that works.
TEST_F(Recovery, APlannerAtWorkIsTakenBackThoughTheTreeCannotBeListed) {
  begin = [this, first = true]() mutable {
    if (std::exchange(first, false)) reactor_.raise_after(k_second, SIGQUIT);
  };
  ASSERT_EQ(start_with_goal().value(), RunOutcome::stopped);
  workspace_.set_fault([](std::string_view call) -> std::optional<Error> {
    if (call != "list_tree") return std::nullopt;
    return Error{ErrorCode::environment, "the disk is full"};
  });
  EXPECT_EQ(resume().value(), RunOutcome::landed);
  EXPECT_EQ(count("AgentStarted"), 2) << "the planner's and the task's";
  EXPECT_EQ(count("AttemptFailed"), 0);
}

// Its supervisor is there, and its start was never recorded.
TEST_F(Recovery, APlannerThatWaitsForItsGoIsEndedWhenTheTreeCannotBeListed) {
  before_start = [this] { ownership_.lost = true; };
  ASSERT_FALSE(start_with_goal());
  ownership_.lost = false;
  before_start = [] {};
  ASSERT_EQ(reactor_.running(), 1U);
  workspace_.set_fault([](std::string_view call) -> std::optional<Error> {
    if (call != "list_tree") return std::nullopt;
    return Error{ErrorCode::environment, "the disk is full"};
  });
  EXPECT_EQ(resume().value(), RunOutcome::environment);
  EXPECT_EQ(reactor_.running(), 0U) << "nobody waits for a word that will not come";
  EXPECT_EQ(count("AgentStarted"), 0);
  workspace_.set_fault({});
  EXPECT_EQ(resume().value(), RunOutcome::landed);
  EXPECT_EQ(count("AgentStarted"), 2);
}

TEST_F(Recovery, ASetupCommandAtWorkIsEndedWhenItsWorktreeCannotBeMade) {
  RunConfig config = a_config();
  config.worktree_setup.command = "make ready";
  before_start = [this, first = true]() mutable {
    if (std::exchange(first, false)) reactor_.raise_after(k_second, SIGQUIT);
  };
  ASSERT_EQ(start(config).value(), RunOutcome::stopped);
  ASSERT_EQ(reactor_.running(), 1U);
  workspace_.set_fault([](std::string_view call) -> std::optional<Error> {
    if (call != "create_session") return std::nullopt;
    return Error{ErrorCode::environment, "the disk is full"};
  });
  EXPECT_EQ(resume().value(), RunOutcome::environment);
  EXPECT_EQ(reactor_.running(), 0U);
}

TEST_F(Recovery, APlannerThatWasNeverStartedFailsWhenTheTreeCannotBeListed) {
  workspace_.set_fault([](std::string_view call) -> std::optional<Error> {
    if (call != "list_tree") return std::nullopt;
    return Error{ErrorCode::environment, "the disk is full"};
  });
  EXPECT_EQ(start_with_goal().value(), RunOutcome::environment);
  EXPECT_EQ(count("AgentStarted"), 0);
  workspace_.set_fault({});
  EXPECT_EQ(resume().value(), RunOutcome::landed);
}

// The answer is in the log of its agent, so whoever goes on reads it again.
TEST_F(Recovery, AnAnswerThatWasNotReadToItsEndIsReadAgainAndAdoptedOnce) {
  struct Killed {};
  int answers = 0;
  blobs_.on_put = [&](std::string_view bytes) {
    // The end of its output is kept first, then the answer, then the plan.
    if (bytes.starts_with("name: One") && ++answers == 3) throw Killed{};
  };
  EXPECT_THROW((void)start_with_goal(), Killed);
  reactor_.crash();
  EXPECT_EQ(count("PlanReadRequested"), 1);
  EXPECT_EQ(count("PlanRead"), 0);
  blobs_.on_put = [](std::string_view) {};
  EXPECT_EQ(resume().value(), RunOutcome::landed);
  EXPECT_EQ(count("PlanReadRequested"), 1);
  EXPECT_EQ(count("PlanAdopted"), 1);
  EXPECT_EQ(count("TaskCreated"), 1);
}

// Nothing tells an answer that could not be kept from one that is faulty, but for the answers that it uses up: none.
TEST_F(Recovery, AnAnswerThatCannotBeKeptUsesUpNone) {
  begin = [this, first = true]() mutable { blobs_.full = std::exchange(first, false); };
  EXPECT_EQ(start_with_goal().value(), RunOutcome::environment);
  EXPECT_EQ(why_of("AttemptFailed"), "the disk is full");
  blobs_.full = false;
  EXPECT_EQ(resume().value(), RunOutcome::landed);
}

TEST_F(Recovery, ATaskThatFailsForGoodIsSplit) {
  silence = Silence{};
  RunConfig config = a_config().with_planner().with_attempts(1);
  config.limits.no_progress_us = 30 * k_second;
  plan =
      "name: Two\nstages:\n  - name: all\n    steps:\n"
      "      - {title: New, description: Write new.txt.}\n      - {title: Newer, description: Write newer.txt.}\n";
  EXPECT_EQ(start(config).value(), RunOutcome::incomplete) << "its parts fare no better";
  EXPECT_EQ(count("TaskSplit"), 1);
  EXPECT_EQ(count("TaskCreated"), 3);
  EXPECT_FALSE(std::filesystem::exists(site().sdd + "/plans/r1.yaml")) << "the run's plan is the person's";
}

TEST_F(Recovery, AMergeOfWhichNobodyCanTellWhetherItLandedStaysOpen) {
  workspace_.set_witness([](std::string_view call, FakeWorkspace::Moment moment) -> std::optional<Error> {
    const bool moved_and_failed = call == "land" && moment == FakeWorkspace::Moment::done;
    if (!moved_and_failed) return std::nullopt;
    return Error{ErrorCode::environment, "the disk is full"};
  });
  const Result<RunOutcome> outcome = start();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error(),
            (Error{ErrorCode::environment,
                   "cannot tell whether its merge is on refs/heads/main (t1.1), so nothing more is done: the disk is "
                   "full; resume once that is mended"}));
  EXPECT_EQ(count("EffectFailed"), 0);
  EXPECT_EQ(resume().value(), RunOutcome::landed);
  EXPECT_EQ(count("MergeLanded"), 1);
  EXPECT_EQ(count("TaskAssigned"), 1);
}

// Without the branch nobody can tell what an earlier life did to it.
TEST_F(Recovery, AMergeThatMayHaveLandedOnABranchThatIsGoneStaysOpen) {
  workspace_.set_witness([](std::string_view call, FakeWorkspace::Moment moment) -> std::optional<Error> {
    const bool moved_and_failed = call == "land" && moment == FakeWorkspace::Moment::done;
    if (!moved_and_failed) return std::nullopt;
    return Error{ErrorCode::environment, "the disk is full"};
  });
  ASSERT_FALSE(start());
  workspace_.set_witness({});
  const std::string tip = *workspace_.ref("refs/heads/main");
  workspace_.remove_branch("refs/heads/main");
  const Result<RunOutcome> outcome = resume_at(tip);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error(), (Error{ErrorCode::environment,
                                    "cannot tell whether its merge is on refs/heads/main (t1.1), so nothing more "
                                    "is done: the branch main, on which r1 lands, is gone; bring it back with "
                                    "`git branch main " +
                                        tip.substr(0, 12) + "` and resume; resume once that is mended"}));
  EXPECT_EQ(count("EffectFailed"), 0);
}

TEST_F(Recovery, AMergeOnABranchThatIsGoneHasNotLanded) {
  workspace_.set_fault([landing = false](std::string_view call) mutable -> std::optional<Error> {
    landing = landing || call == "land";
    if (!landing || (call != "land" && call != "tip")) return std::nullopt;
    return Error{ErrorCode::not_found, "there is no branch"};
  });
  EXPECT_EQ(start().value(), RunOutcome::environment);
  EXPECT_EQ(count("AttemptFailed"), 1);
}

TEST_F(Recovery, AMergeThatCertainlyDidNotLandFails) {
  workspace_.set_fault([](std::string_view call) -> std::optional<Error> {
    if (call != "land") return std::nullopt;
    return Error{ErrorCode::environment, "the disk is full"};
  });
  EXPECT_EQ(start().value(), RunOutcome::environment);
  EXPECT_EQ(count("AttemptFailed"), 1);
}

}  // namespace
}  // namespace bernstein::run
