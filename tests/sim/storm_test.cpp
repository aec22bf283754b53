// A storm of refusals: twenty tasks, three agents, services that close again and again and say until when in many ways.
// Virtual time; the loop, the effects and the log are the real ones.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "bernstein/event/codec.hpp"
#include "bernstein/run/loop.hpp"
#include "bernstein/run/replay.hpp"
#include "bernstein/state/invariants.hpp"
#include "dice.hpp"
#include "support/builders.hpp"
#include "support/dice.hpp"
#include "support/fake_reactor.hpp"
#include "support/fake_workspace.hpp"
#include "support/memory_blob_store.hpp"
#include "support/memory_event_log.hpp"
#include "support/temp_directory.hpp"

namespace bernstein::sim {
namespace {

constexpr std::uint32_t k_tasks = 20;
constexpr std::uint32_t k_slots = 5;
constexpr int k_exit_of_quota = 75;
constexpr RunId k_run{1};

// How many sessions may be refused by one closing: those that were at work when it came, the one that goes first after
// a time that was told too early, and one more in the worst case (a minute's rounding against the back-off of a
// minute).
constexpr std::size_t k_refused_max = k_slots + 2;

// So many events may an attempt have, landed or refused, and a task beside its attempts.
constexpr std::size_t k_events_of_attempt = 30;
constexpr std::size_t k_events_of_task = 5;

struct Closing {
  Micros from_us = 0;
  Micros until_us = 0;
  std::size_t refused = 0;
};

std::string wall_text(const char* form, Micros wall_us) {
  const std::time_t seconds = wall_us / k_second;
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  std::array<char, 64> text{};
  return {text.data(), std::strftime(text.data(), text.size(), form, &utc)};
}

// What is said by a service that opens at `wall_us`, in `left_us`; only the last one rounds down.
std::string refusal(Dice& dice, Micros wall_us, Micros left_us) {
  const Micros rounded_up = (wall_us + k_second - 1) / k_second * k_second;
  const Micros next_minute = (wall_us + k_minute - 1) / k_minute * k_minute;
  switch (dice.below(7)) {
    case 0:
      return "Usage limit reached|" + std::to_string(rounded_up / k_second);
    case 1:
      return "429 Too Many Requests. Please try again in " + std::to_string(left_us / k_second + 1) + "s.";
    case 2:
      return "rate limit; Retry-After: " + wall_text("%a, %d %b %Y %H:%M:%S GMT", rounded_up);
    case 3:
      return "usage limit until " + wall_text("%Y-%m-%dT%H:%M:%SZ", rounded_up);
    case 4:
      return "You've hit your limit · resets " + wall_text("%b %d, %I:%M%p", next_minute) + " (UTC)";
    case 5:
      return "usage limit: try again at " + wall_text("%b %d, %Y %I:%M %p", next_minute) + ".";
    default:
      return "You've hit your session limit · resets " + wall_text("%H:%M", wall_us);
  }
}

struct Killed {};

// A log whose program is killed when so many events of its life are durable.
class MortalLog final : public port::EventLog {
 public:
  explicit MortalLog(test::MemoryEventLog& log) : log_(log) {}
  std::size_t events_left = 0;  // 0: it lives on

  Result<port::LogHead> head() override { return log_.head(); }
  Result<std::vector<RunId>> runs() override { return log_.runs(); }
  Status read(RunId run, const std::function<bool(const Record&)>& visit) override { return log_.read(run, visit); }
  Status read_all(const std::function<bool(const Record&)>& visit) override { return log_.read_all(visit); }
  Result<Seq> find_passed(const std::string& key) override { return log_.find_passed(key); }
  Result<std::optional<Resolution>> find_resolution(const ConflictedPath& conflict) override {
    return log_.find_resolution(conflict);
  }
  Result<port::Table> query(const std::string& sql) override { return log_.query(sql); }
  Status append(std::span<const Record> records) override {
    BERNSTEIN_TRY_VOID(log_.append(records));
    if (events_left == 0) return Ok{};
    if (records.size() >= events_left) throw Killed{};
    events_left -= records.size();
    return Ok{};
  }

 private:
  test::MemoryEventLog& log_;
};

class Owner final : public port::Ownership {
  Status still_ours() const override { return Ok{}; }
};

class Quiet final : public run::Observer {
  void on_event(const RunState&, const Event&) override {}
  void on_warning(const std::string&) override {}
};

class Storm {
 public:
  explicit Storm(std::uint64_t seed) : dice_(seed, "storm") {
    reactor_.work_in_place();
    config_ = test::a_config().with_agents(k_slots).with_arms({"a/cheap", "b/medium", "c/strong"});
    for (AgentSpec& agent : config_.agents) {
      agent.failures = {{.exit = k_exit_of_quota, .outcome = AgentOutcome::quota}};
      Micros now = dice_.between(0, 2 * k_minute);
      for (std::uint32_t left = 1 + dice_.below(5); left > 0; --left) {
        const Micros lasts = dice_.one_in(3) ? dice_.between(k_minute, 3 * k_hour) : dice_.between(k_second, k_minute);
        closings_[agent.name].push_back({now, now + lasts});
        now += lasts + dice_.between(2 * k_minute, 12 * k_minute);
      }
    }
    for (std::uint32_t i = 1; i <= k_tasks; ++i) {
      test::TaskBuilder task = test::a_task(i).owning(file_of(i));
      task.with_complexity(static_cast<Complexity>(dice_.below(3)));
      if (i > 4 && dice_.one_in(4)) task.after(1 + dice_.below(i - 1));
      plan_.push_back(task);
    }
  }

  // To the end, killed whenever `kill_every` events of a life are durable; 0: never.
  void run(std::size_t kill_every) {
    for (lives_ = 1; lives_ < 5'000; ++lives_) {
      mortal_.events_left = kill_every;
      run::Loop loop({mortal_, blobs_, workspace_, reactor_, owner_},
                     {.sdd = (directory_.path() / ".sdd").string(), .environment = {}, .sandbox = {}}, observer_);
      bool is_over = false;
      try {
        const Result<RunOutcome> outcome = lives_ == 1 ? start(loop) : loop.resume(k_run, resumed());
        ASSERT_TRUE(outcome) << outcome.error().message;
        is_over = true;
      } catch (const Killed&) {
      }
      reactor_.crash();
      if (is_over || state().finished) return;
    }
    FAIL() << "the run does not come to its end";
  }

  RunState state() { return run::load_state(log_, k_run).value(); }

  // What must have come of it, however often it was killed.
  void expect_all_landed() {
    const RunState end = state();
    ASSERT_TRUE(end.finished);
    EXPECT_EQ(end.finished->outcome, RunOutcome::landed) << end.finished->why;
    EXPECT_EQ(broken_invariants(end), std::vector<std::string>{});
    for (const auto& [id, task] : end.tasks) {
      EXPECT_EQ(task.status, TaskStatus::landed) << to_string(id) << ": " << task.why;
      EXPECT_EQ(task.failures, 0U) << to_string(id);
      EXPECT_EQ(task.parks, 0U) << to_string(id) << ": every refusal said until when";
    }
    std::map<std::string, std::string> files{{"README.md", "hello\n"}};
    for (std::uint32_t i = 1; i <= k_tasks; ++i) files[file_of(i)] = "done\n";
    EXPECT_EQ(workspace_.files(*workspace_.ref("refs/heads/main")), files);
    EXPECT_EQ(count(MergeLanded::type), k_tasks);
    for (const auto& [agent, closings] : closings_) {
      for (const Closing& closing : closings)
        EXPECT_LE(closing.refused, k_refused_max)
            << agent << " closed for " << format_duration(closing.until_us - closing.from_us);
    }
    EXPECT_LE(count(ParkRequested::type), 3 * closings_that_hit()) << "parks for each reset";
    const run::ReplayReport replayed = run::replay(log_, k_run).value();
    EXPECT_EQ(replayed.divergences, 0);
  }

  void expect_few_events() {
    const std::size_t attempts = k_tasks + refused();
    EXPECT_LE(log_.records().size(), k_tasks * k_events_of_task + attempts * k_events_of_attempt + 10);
  }

  std::size_t refused() const {
    std::size_t sum = 0;
    for (const auto& [agent, closings] : closings_) {
      for (const Closing& closing : closings) sum += closing.refused;
    }
    return sum;
  }
  std::size_t closings_that_hit() const {
    std::size_t sum = 0;
    for (const auto& [agent, closings] : closings_)
      sum += static_cast<std::size_t>(std::ranges::count_if(closings, [](const Closing& c) { return c.refused > 0; }));
    return sum;
  }
  std::size_t events() const { return log_.records().size(); }
  int lives() const { return lives_; }

 private:
  static std::string file_of(std::uint32_t task) { return "t" + std::to_string(task) + ".txt"; }

  Result<RunOutcome> start(run::Loop& loop) {
    RunStarted started = test::a_start(config_);
    started.target_tip = *workspace_.ref("refs/heads/main");
    return loop.start(std::move(started), test::a_plan(plan_));
  }
  RunResumed resumed() { return {.bernstein = "0.1.0", .target_tip = *workspace_.ref("refs/heads/main")}; }

  std::size_t count(std::string_view type) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(log_.records(), [&](const Record& record) { return record.type == type; }));
  }

  // A session works until its service closes, and is refused a moment later.
  test::ScriptedProcess play(const port::ProcessSpec& spec) {
    const AttemptId attempt = *parse_attempt_id(spec.env.at("BERNSTEIN_TASK") + "." + spec.env.at("BERNSTEIN_ATTEMPT"));
    const Micros begin = reactor_.monotonic_us();
    const Micros lasts = dice_.between(20 * k_second, 4 * k_minute);
    for (Closing& closing : closings_.at(spec.argv.front())) {
      const bool meets = closing.from_us < begin + lasts && begin < closing.until_us;
      if (!meets) continue;
      ++closing.refused;
      const Micros end = std::max(begin, closing.from_us) + k_second;
      const Micros opens = std::max(closing.until_us, end);
      return {.duration_us = end - begin,
              .exit_code = k_exit_of_quota,
              .output = refusal(dice_, reactor_.wall_us() + opens - begin, opens - end) + "\n"};
    }
    return {.duration_us = lasts, .at_end = [this, attempt] {
              workspace_.write(session_name(k_run, attempt), file_of(attempt.task.number), "done\n");
            }};
  }

  Dice dice_;
  RunConfig config_;
  std::vector<TaskSpec> plan_;
  std::map<std::string, std::vector<Closing>> closings_;  // by agent
  int lives_ = 0;

  test::TempDirectory directory_;
  test::MemoryEventLog log_;
  test::MemoryBlobStore blobs_;
  test::FakeWorkspace workspace_{{{"README.md", "hello\n"}}};
  test::FakeReactor reactor_{[this](const port::ProcessSpec& spec) { return play(spec); }};
  MortalLog mortal_{log_};
  Owner owner_;
  Quiet observer_;
};

TEST(Storm, EndsWithEveryTaskLandedAndNoAttemptUsedUp) {
  const int seeds = test::times("BERNSTEIN_STORMS", 25);
  std::size_t refused = 0;
  std::size_t closings = 0;
  std::size_t events = 0;
  for (int seed = 1; seed <= seeds && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Storm storm(static_cast<std::uint64_t>(seed));
    storm.run(0);
    storm.expect_all_landed();
    storm.expect_few_events();
    refused += storm.refused();
    closings += storm.closings_that_hit();
    events += storm.events();
  }
  std::cout << seeds << " storms of 20 tasks: " << closings << " closings, " << refused << " sessions refused, "
            << events << " events\n";
  EXPECT_GT(closings, static_cast<std::size_t>(seeds)) << "a storm refuses";
}

TEST(Storm, IsSurvivedByARunThatIsKilledAtEveryFifthEvent) {
  const int seeds = test::times("BERNSTEIN_STORMS", 25) / 5;
  int lives = 0;
  for (int seed = 1; seed <= seeds && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Storm storm(static_cast<std::uint64_t>(seed));
    storm.run(5);
    storm.expect_all_landed();
    lives += storm.lives();
  }
  std::cout << seeds << " storms, " << lives << " lives\n";
}

}  // namespace
}  // namespace bernstein::sim
