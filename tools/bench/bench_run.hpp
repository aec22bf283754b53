#pragma once
// A run in which every effect succeeds, for benchmarks: decided for real, answered at once.

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "bernstein/base/check.hpp"
#include "bernstein/decide/decide.hpp"
#include "bernstein/event/codec.hpp"
#include "bernstein/state/run_state.hpp"

namespace bernstein::bench {

inline RunConfig a_config(std::uint32_t max_parallel = 0) {
  RunConfig config;
  for (const char* tier : {"cheap", "medium", "strong"}) {
    config.arms.push_back({"mock", std::string(tier) + "-1", tier});
  }
  config.agents = {{.command = {"mock"},
                    .max_parallel = max_parallel,
                    .models = {{.name = "cheap-1", .tier = "cheap"}},
                    .name = "mock"}};
  config.gates = {{.command = "make test", .name = "tests", .timeout_us = k_minute, .type = CheckType::command}};
  config.max_agents = 8;
  return config;
}

// Tasks of several roles, priorities and complexities, each with two files of its own; every fifth waits for another.
inline PlanAccepted a_plan(std::uint32_t tasks) {
  static constexpr const char* k_roles[] = {"backend", "frontend", "docs", "qa", "security"};
  PlanAccepted plan{.name = "bench", .stages = {{.name = "all", .tasks = tasks}}};
  for (std::uint32_t i = 1; i <= tasks; ++i) {
    const std::string module = "src/module" + std::to_string(i / 50) + "/";
    TaskSpec task{.id = TaskId{i}};
    task.title = "Task " + std::to_string(i);
    task.description = "Do what the title says, and keep to the style of what is there.";
    task.files = {module + "part" + std::to_string(i) + "/", "tests/part" + std::to_string(i) + "_test.cpp"};
    task.priority = 1 + i % 5;
    task.role = k_roles[i % 5];
    task.complexity = static_cast<Complexity>(i % 3);
    task.scope = static_cast<Scope>(i % 2);
    if (i % 5 == 0) task.depends_on = {TaskId{i - 1}};
    plan.tasks.push_back(std::move(task));
  }
  return plan;
}

enum class Keep { nothing, records };

// A run in which every effect succeeds, answered in the order in which they were asked for.
class Run {
 public:
  explicit Run(std::uint32_t tasks, Keep keep = Keep::nothing, std::uint32_t max_parallel = 0) : keep_(keep) {
    feed(about_run(), RunStarted{.config = a_config(max_parallel), .target = "refs/heads/main", .target_tip = "0"}, 0);
    feed(about_run(), a_plan(tasks), 0);
  }

  // Answers one open intent; false when there is none.
  bool step() {
    if (state_.open_intents.empty()) return false;
    const auto& [seq, intent] = *state_.open_intents.begin();
    feed(intent.subject, success(intent), seq);
    return true;
  }

  const RunState& state() const { return state_; }
  std::vector<Record> take_records() { return std::exchange(records_, {}); }

 private:
  void feed(Subject subject, EventBody body, Seq cause) {
    const Event input = seal({subject, std::move(body)}, cause);
    const auto followed = settle(state_, input, [&](Draft draft) { return seal(std::move(draft), input.seq); });
    BERNSTEIN_CHECK(followed.has_value(), "what the bench feeds can follow");
  }

  Event seal(Draft draft, Seq cause) {
    ++seq_;
    Event event{.seq = seq_,
                .run = RunId{1},
                .run_seq = seq_,
                .cause = cause,
                .subject = draft.subject,
                .body = std::move(draft.body)};
    if (keep_ == Keep::records) records_.push_back(to_record(event));
    return event;
  }

  EventBody success(const OpenIntent& intent) const {
    const AttemptId id{intent.subject.task, intent.subject.attempt};
    const EventBody& body = intent.body;
    if (std::holds_alternative<WorktreeRequested>(body)) return WorktreeReady{};
    if (std::holds_alternative<SpawnRequested>(body)) {
      return AgentExited{.output = "digest",
                         .usage = {.cost_micros = UsdMicros{20'000}, .input_tokens = 12'000, .output_tokens = 900}};
    }
    if (const auto* e = std::get_if<CaptureRequested>(&body)) {
      const std::string& own = attempt_of(state_, id).owned.front();
      return WorkCaptured{.changes = {{ChangeKind::modified, own + "a.cpp"}, {ChangeKind::added, own + "b.cpp"}},
                          .commit = "c" + to_string(id) + e->base,
                          .salvage = "refs/bernstein/salvage/r1/" + to_string(id),
                          .tree = "t" + to_string(id)};
    }
    if (const auto* e = std::get_if<CandidateRequested>(&body))
      return CandidateBuilt{.base = e->onto.empty() ? state_.target_tip : e->onto,
                            .base_tree = "tree",
                            .commit = "m" + to_string(id),
                            .tree = "tree of " + e->commit};
    if (const auto* e = std::get_if<CheckRequested>(&body))
      return CheckFinished{.name = e->check.name, .tree = e->tree, .why = "exit 0"};
    if (const auto* e = std::get_if<MergeRequested>(&body)) return MergeLanded{e->commit, e->base, {}, e->tree};
    if (std::holds_alternative<ProbeRequested>(body)) return ProbeFinished{};
    if (std::holds_alternative<CheckoutSyncRequested>(body)) return CheckoutSynced{};
    return WorktreeRemoved{};
  }

  RunState state_;
  Seq seq_ = 0;
  Keep keep_;
  std::vector<Record> records_;
};

}  // namespace bernstein::bench
