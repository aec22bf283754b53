// What the simulation (tests/sim) has found in the loop's recovery, one thing at a time.
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
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
  FakeReactor reactor_{[this](const port::ProcessSpec&) -> Result<ScriptedProcess> {
    before_start();
    return ScriptedProcess{.duration_us = k_minute,
                           .at_begin = [this] { begin(); },
                           .at_end = [this] { workspace_.write(last_session(), "new.txt", "new\n"); }};
  }};

  std::string last_session() const { return "session-r1-t1." + std::to_string(count("TaskAssigned")); }

  std::function<void()> before_start = [] {};
  std::function<void()> begin = [] {};
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
