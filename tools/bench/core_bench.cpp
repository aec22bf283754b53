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
#include <vector>

#include "bench_run.hpp"
#include "bernstein/bandit/policy.hpp"
#include "bernstein/event/codec.hpp"
#include "bernstein/state/apply.hpp"

namespace bernstein {
namespace {

using bench::Keep;
using bench::Run;

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

// The bandit with 10 arms that have each been tried a hundred times: the scores of all, and what one reward teaches.
Policy a_taught_policy(std::vector<Arm>& arms) {
  Policy policy;
  for (int i = 0; i < 10; ++i) arms.push_back({"agent", "model-" + std::to_string(i), "tier"});
  RewardRecorded reward;
  for (std::int64_t i = 0; i < 1'000; ++i) {
    reward.reward_ppm = i * 997 % 1'000'000;
    policy.learn(arms[static_cast<std::size_t>(i % 10)],
                 {{"bias", 1}, {"complexity", i % 3}, {"files", i % 7}, {"minutes", i % 60}, {"priority", i % 5 + 1}}, reward);
  }
  return policy;
}

const Features k_some_features{{"bias", 1}, {"complexity", 1}, {"files", 3}, {"minutes", 30}, {"priority", 2}};

void bandit_select(benchmark::State& bench) {
  std::vector<Arm> arms;
  const Policy policy = a_taught_policy(arms);
  const Context context = context_of(k_some_features);
  for (auto _ : bench) {
    double best = 0;
    for (const Arm& arm : arms) best = std::max(best, upper_bound(policy.model_of(arm).at(context), 0.2));
    benchmark::DoNotOptimize(best);
  }
}
BENCHMARK(bandit_select)->Unit(benchmark::kMicrosecond);

void bandit_update(benchmark::State& bench) {
  std::vector<Arm> arms;
  Policy policy = a_taught_policy(arms);
  RewardRecorded reward;
  reward.reward_ppm = 500'000;
  for (auto _ : bench) {
    policy.learn(arms[3], k_some_features, reward);
    benchmark::DoNotOptimize(policy.completions_of(arms[3]));
  }
}
BENCHMARK(bandit_update)->Unit(benchmark::kMicrosecond);

void bandit_features(benchmark::State& bench) {
  for (auto _ : bench) benchmark::DoNotOptimize(context_of(k_some_features));
}
BENCHMARK(bandit_features)->Unit(benchmark::kMicrosecond);

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
