// bernstein_sim: simulated runs by the thousand, each from its seed (simulation.hpp).
//
//     bernstein_sim [--seeds N] [--first SEED] [--jobs N]      sweeps, prints what was exercised; 1 when anything is
//     wrong bernstein_sim --seed S --verbose                         one seed, with every event

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "simulation.hpp"

namespace bernstein::sim {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::uint64_t seeds = 2'000;
  std::uint64_t first = 1;
  std::uint64_t jobs = std::max(1U, std::thread::hardware_concurrency());
  bool verbose = false;
};

constexpr const char* k_usage =
    "usage: bernstein_sim [--seeds N] [--first SEED] [--jobs N]\n"
    "       bernstein_sim --seed SEED [--verbose]\n";

std::optional<Options> read_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--verbose") {
      options.verbose = true;
      continue;
    }
    std::uint64_t number = 0;
    if (i + 1 == argc) return std::nullopt;
    const std::string_view value = argv[++i];
    if (std::from_chars(value.data(), value.data() + value.size(), number).ptr != value.data() + value.size())
      return std::nullopt;
    if (word == "--seeds") options.seeds = number;
    if (word == "--first") options.first = number;
    if (word == "--jobs") options.jobs = std::max<std::uint64_t>(number, 1);
    if (word == "--seed") {
      options.first = number;
      options.seeds = 1;
    } else if (word != "--seeds" && word != "--first" && word != "--jobs") {
      return std::nullopt;
    }
  }
  return options;
}

// A directory for all seeds, in memory where there is such a place. Its path may stand in an event, as in a sentence
// about a log, and the same seed is to give the same bytes everywhere: so it is named by a descriptor of a fixed
// number.
class Ground {
 public:
  Ground() {
    std::error_code ignored;
    const fs::path shared_memory = "/dev/shm";
    const fs::path parent = fs::is_directory(shared_memory, ignored) ? shared_memory : fs::temp_directory_path();
    std::string name = (parent / "bernstein-sim-XXXXXX").string();
    BERNSTEIN_CHECK(::mkdtemp(name.data()) != nullptr, "a temporary directory can be made");
    real_ = name;
    const int directory = ::open(name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    BERNSTEIN_CHECK(directory >= 0 && ::dup2(directory, k_descriptor) == k_descriptor, "the directory can be opened");
    ::close(directory);
  }
  Ground(const Ground&) = delete;
  Ground& operator=(const Ground&) = delete;
  ~Ground() {
    std::error_code ignored;
    fs::remove_all(real_, ignored);
  }

  static std::string of(std::uint64_t seed) {
    return "/proc/self/fd/" + std::to_string(k_descriptor) + "/" + std::to_string(seed);
  }

 private:
  static constexpr int k_descriptor = 200;
  fs::path real_;
};

std::string how_to_repeat(std::uint64_t seed) {
  return "bernstein_sim --seed " + std::to_string(seed) + " --verbose";
}

// A broken BERNSTEIN_CHECK aborts: which seed that was is said before it does.
thread_local std::uint64_t seed_of_this_thread = 0;
void on_abort(int) {
  char text[] = "seed                      aborted; --seed SEED --verbose shows it\n";
  std::to_chars(text + 5, text + 25, seed_of_this_thread);
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text, std::strlen(text));
}

class Sweep {
 public:
  explicit Sweep(const Options& options) : options_(options), next_(options.first) {}

  // True when nothing was wrong.
  bool run() {
    std::vector<std::thread> threads;
    for (std::uint64_t i = 0; i < std::min(options_.jobs, options_.seeds); ++i)
      threads.emplace_back([this] { work(); });
    for (std::thread& thread : threads) thread.join();
    return !failed_;
  }

  const Tally& tally() const { return tally_; }

 private:
  // The first seeds of a sweep are run twice, to see the same bytes again.
  static constexpr std::uint64_t k_twice = 50;

  void work() {
    while (!failed_) {
      const std::uint64_t seed = next_++;
      if (seed >= options_.first + options_.seeds) return;
      seed_of_this_thread = seed;
      Tally tally;
      try {
        const Digest log = simulate(seed, Ground::of(seed), tally, options_.verbose);
        Tally again;
        const bool twice = seed < options_.first + k_twice;
        if (twice && simulate(seed, Ground::of(seed), again) != log) throw Violation{"run twice, its log differs"};
      } catch (const Violation& violation) {
        fail(seed, violation.what);
      } catch (const std::exception& error) {
        fail(seed, std::string("exception: ") + error.what());
      }
      const std::lock_guard lock(mutex_);
      tally_ += tally;
    }
  }

  void fail(std::uint64_t seed, const std::string& what) {
    const std::lock_guard lock(mutex_);
    failed_ = true;
    std::cout << "seed " << seed << ": " << what << "\n  again: " << how_to_repeat(seed) << std::endl;
  }

  const Options options_;
  std::atomic<std::uint64_t> next_;
  std::atomic<bool> failed_ = false;
  std::mutex mutex_;
  Tally tally_;
};

void print_line(std::string_view what, std::int64_t count) {
  std::printf("%10lld  %.*s\n", static_cast<long long>(count), static_cast<int>(what.size()), what.data());
}

// Prints the table; what was hit less often than a sweep of this size has to.
std::vector<std::string_view> report(const Options& options, const Tally& tally, double seconds) {
  print_line("seeds", static_cast<std::int64_t>(options.seeds));
  print_line("events", tally.events);
  print_line("crashes", tally.crashes);
  print_line("recoveries", tally.recoveries);
  print_line("retries", tally.of(Sometimes::retry));
  print_line("conflicts", tally.of(Sometimes::conflict));
  print_line("tasks landed", tally.landed);
  print_line("hours that agents worked", tally.agent_us / k_hour);
  std::printf("%10.1f  seconds\n\nsometimes:\n", seconds);
  const auto least = static_cast<std::int64_t>(options.seeds / 200);
  std::vector<std::string_view> vacuous;
  for (std::size_t i = 0; i < tally.hits.size(); ++i) {
    const std::string_view word = to_word(static_cast<Sometimes>(i));
    print_line(word, tally.hits[i]);
    if (tally.hits[i] < least) vacuous.push_back(word);
  }
  return vacuous;
}

int simulate_all(const Options& options) {
  ::signal(SIGABRT, on_abort);
  const Ground ground;
  const auto begin = std::chrono::steady_clock::now();
  Sweep sweep(options);
  if (!sweep.run()) return 1;
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  const std::vector<std::string_view> vacuous = report(options, sweep.tally(), took.count());
  for (const std::string_view word : vacuous)
    std::cout << "too rarely hit, so the sweep proves too little: " << word << "\n";
  return vacuous.empty() ? 0 : 1;
}

}  // namespace
}  // namespace bernstein::sim

int main(int argc, char** argv) {
  const auto options = bernstein::sim::read_options(argc, argv);
  if (!options) {
    std::cerr << bernstein::sim::k_usage;
    return 2;
  }
  return bernstein::sim::simulate_all(*options);
}
