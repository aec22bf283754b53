// What a decision costs with many open tasks, and how fast a log is read and folded.
//
//     build/bench/tools/bench/core_bench --benchmark_min_time=1
//
// A decision must cost about the same however many tasks wait: docs/architecture.md promises it.
#include <benchmark/benchmark.h>
#include <time.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "bernstein/base/check.hpp"
#include "bernstein/decide/decide.hpp"
#include "bernstein/event/codec.hpp"
#include "bernstein/state/apply.hpp"

namespace bernstein {
namespace {

RunConfig a_config(std::uint32_t max_parallel = 0) {
  RunConfig config;
  for (const char* tier : {"cheap", "medium", "strong"}) {
    config.arms.push_back({"mock", std::string(tier) + "-1", tier});
  }
  config.agents = {
      {.command = {"mock"}, .max_parallel = max_parallel, .models = {{"cheap-1", "cheap"}}, .name = "mock"}};
  config.gates = {{.command = "make test", .name = "tests", .timeout_us = k_minute, .type = CheckType::command}};
  config.max_agents = 8;
  return config;
}

// Tasks of several roles, priorities and complexities, each with two files of its own; every fifth waits for another.
PlanAccepted a_plan(std::uint32_t tasks) {
  static const char* const k_roles[] = {"backend", "frontend", "docs", "qa", "security"};
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
                          .tree = "t" + to_string(id)};
    }
    if (const auto* e = std::get_if<CandidateRequested>(&body))
      return CandidateBuilt{state_.target_tip, "tree of " + e->commit};
    if (const auto* e = std::get_if<CheckRequested>(&body))
      return CheckFinished{.name = e->check.name, .tree = e->tree, .why = "exit 0"};
    if (const auto* e = std::get_if<MergeRequested>(&body)) return MergeLanded{"m" + to_string(id), e->base, e->tree};
    if (std::holds_alternative<CheckoutSyncRequested>(body)) return CheckoutSynced{};
    return WorktreeRemoved{};
  }

  RunState state_;
  Seq seq_ = 0;
  Keep keep_;
  std::vector<Record> records_;
};

// One input and all that follows from it: exits, captures, landings and the assignments that they make room for.
void decision(benchmark::State& bench) {
  const auto tasks = static_cast<std::uint32_t>(bench.range(0));
  // Half of the tasks may land while we measure, so that the size stays what it says.
  Run run(tasks * 2);
  for (auto _ : bench) {
    run.step();
    benchmark::DoNotOptimize(run.state().last_seq);
    auto count = run.state().count_by_status.find(TaskStatus::landed);
    if (count != run.state().count_by_status.end() && count->second > tasks) {
      bench.PauseTiming();
      run = Run(tasks * 2);
      bench.ResumeTiming();
    }
  }
}
BENCHMARK(decision)->Arg(100)->Arg(1'000)->Arg(10'000)->Arg(100'000)->Unit(benchmark::kMicrosecond);

// The same while slots are free and the agent has all the sessions it may have: every lane is looked at and none fits.
void decision_where_nothing_fits(benchmark::State& bench) {
  Run run(static_cast<std::uint32_t>(bench.range(0)), Keep::nothing, 4);
  for (auto _ : bench) {
    if (!run.step()) bench.SkipWithError("the run has ended: ask for less time");
  }
}
BENCHMARK(decision_where_nothing_fits)->Arg(100'000)->Iterations(50'000)->Unit(benchmark::kMicrosecond);

// The dearest of ten thousand decisions, in time of this thread: a mean would hide one that looks at every task.
double thread_micros() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}
void dearest_decision(benchmark::State& bench) {
  const auto tasks = static_cast<std::uint32_t>(bench.range(0));
  for (auto _ : bench) {
    Run run(tasks);
    std::vector<double> micros;
    for (int i = 0; i < 10'000; ++i) {
      const double before = thread_micros();
      if (!run.step()) break;
      micros.push_back(thread_micros() - before);
    }
    std::sort(micros.begin(), micros.end());
    bench.counters["p50_us"] = micros[micros.size() / 2];
    bench.counters["p99_us"] = micros[micros.size() * 99 / 100];
    bench.counters["max_us"] = micros.back();
  }
}
BENCHMARK(dearest_decision)->Arg(1'000)->Arg(10'000)->Arg(100'000)->Iterations(1)->Unit(benchmark::kMillisecond);

// One task owns a directory in which as many others own a file each: the one cost that grows with what waits.
void lease_of_all_files(benchmark::State& bench) {
  ReadyQueue queue;
  for (std::uint32_t i = 1; i <= static_cast<std::uint32_t>(bench.range(0)); ++i) {
    queue.insert({.task = TaskId{i}}, {}, {"src/file" + std::to_string(i)});
  }
  for (auto _ : bench) {
    queue.lease(TaskId{0}, {"src/"});
    queue.release(TaskId{0});
  }
}
BENCHMARK(lease_of_all_files)->Arg(1'000)->Arg(100'000)->Unit(benchmark::kMicrosecond);

// From the acceptance of a plan to the first worktrees: every task is created and readied.
void accept_plan(benchmark::State& bench) {
  const auto tasks = static_cast<std::uint32_t>(bench.range(0));
  for (auto _ : bench) {
    Run run(tasks);
    benchmark::DoNotOptimize(run.state().last_seq);
  }
}
BENCHMARK(accept_plan)->Arg(1'000)->Arg(100'000)->Unit(benchmark::kMillisecond);

// The records of a run of 4,000 tasks from start to end: a hundred thousand events.
const std::vector<Record>& a_log() {
  static const std::vector<Record> k_log = [] {
    Run run(4'000, Keep::records);
    while (run.step()) continue;
    BERNSTEIN_CHECK(run.state().finished.has_value(), "the run of the bench comes to its end");
    return run.take_records();
  }();
  return k_log;
}

// What `status`, `resume` and `replay` do first.
void fold_records(benchmark::State& bench) {
  const std::vector<Record>& log = a_log();
  for (auto _ : bench) {
    RunState state;
    for (const Record& record : log) {
      const Result<Event> event = to_event(record);
      BERNSTEIN_CHECK(event.has_value() && apply(state, *event).has_value(), "the bench folds what it wrote");
    }
    benchmark::DoNotOptimize(state.last_seq);
  }
  bench.counters["events"] = static_cast<double>(log.size());
  bench.SetItemsProcessed(bench.iterations() * static_cast<std::int64_t>(log.size()));
}
BENCHMARK(fold_records)->Unit(benchmark::kMillisecond);

// Decides a whole run again from its inputs, as `replay` does, without the comparison.
void decide_again(benchmark::State& bench) {
  std::int64_t events = 0;
  for (auto _ : bench) {
    Run run(4'000);
    while (run.step()) continue;
    events += run.state().last_seq;
  }
  bench.SetItemsProcessed(events);
}
BENCHMARK(decide_again)->Unit(benchmark::kMillisecond);

std::int64_t bytes_of(const std::vector<Record>& log) {
  std::int64_t bytes = 0;
  for (const Record& record : log) bytes += static_cast<std::int64_t>(record.payload.size());
  return bytes;
}

void decode_payloads(benchmark::State& bench) {
  const std::vector<Record>& log = a_log();
  for (auto _ : bench) {
    for (const Record& record : log) benchmark::DoNotOptimize(decode(record.type, record.version, record.payload));
  }
  bench.SetItemsProcessed(bench.iterations() * static_cast<std::int64_t>(log.size()));
  bench.SetBytesProcessed(bench.iterations() * bytes_of(log));
}
BENCHMARK(decode_payloads)->Unit(benchmark::kMillisecond);

void encode_payloads(benchmark::State& bench) {
  const std::vector<Record>& log = a_log();
  std::vector<EventBody> bodies;
  for (const Record& record : log) bodies.push_back(decode(record.type, record.version, record.payload).value());
  for (auto _ : bench) {
    for (const EventBody& body : bodies) benchmark::DoNotOptimize(encode(body));
  }
  bench.SetItemsProcessed(bench.iterations() * static_cast<std::int64_t>(log.size()));
  bench.SetBytesProcessed(bench.iterations() * bytes_of(log));
}
BENCHMARK(encode_payloads)->Unit(benchmark::kMillisecond);

void chain_hashes(benchmark::State& bench) {
  const std::vector<Record>& log = a_log();
  for (auto _ : bench) {
    for (const Record& record : log) benchmark::DoNotOptimize(chain_hash(record));
  }
  bench.SetItemsProcessed(bench.iterations() * static_cast<std::int64_t>(log.size()));
}
BENCHMARK(chain_hashes)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace bernstein

BENCHMARK_MAIN();
