// What the simulation (tests/sim) has found in the loop's recovery, one thing at a time.
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>

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
    return MemoryBlobStore::put(bytes);
  }
  bool full = false;
};

class Owner final : public port::Ownership {
  Status still_ours() const override { return Ok{}; }
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

  Result<RunOutcome> resume() {
    Loop loop(ports(), site(), observer_);
    const Result<RunOutcome> outcome = loop.resume(RunId{1}, {.target_tip = *workspace_.ref("refs/heads/main")});
    reactor_.crash();
    return outcome;
  }

  std::int64_t count(std::string_view type) const {
    return std::count_if(log_.records().begin(), log_.records().end(), [&](const Record& r) { return r.type == type; });
  }

  Ports ports() { return {log_, blobs_, workspace_, reactor_, ownership_}; }
  Site site() const { return {.sdd = (directory_.path() / ".sdd").string(), .environment = {}, .sandbox = {}}; }

  TempDirectory directory_;
  Quiet observer_;
  Owner ownership_;
  MemoryEventLog log_;
  FailingBlobs blobs_;
  FakeWorkspace workspace_{{{"README.md", "hello\n"}}};
  FakeReactor reactor_{[this](const port::ProcessSpec&) -> Result<ScriptedProcess> {
    return ScriptedProcess{.duration_us = k_minute,
                           .at_begin = [this] { begin(); },
                           .at_end = [this] { workspace_.write("session-r1-t1.1", "new.txt", "new\n"); },
                           .silence = silence};
  }};

  std::function<void()> begin = [] {};
  std::optional<Silence> silence;
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
