#include "heartbeat.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <string_view>
#include <utility>

#include "descendants.hpp"

namespace bernstein::exec {
namespace {

constexpr Micros k_looks_per_limit = 4;  // who waits uses its CPU time in bursts: in 1 s up to 30 % of a core
constexpr Micros k_look_us_min = 20'000;
constexpr Micros k_look_us_max = 15 * k_second;
constexpr Micros k_cpu_share = 10;        // one part in so many of a core is progress
constexpr Micros k_cpu_tick_us = 10'000;  // what /proc tells CPU time in, nearly everywhere
constexpr Micros k_received_bytes_per_second = 200;

// SplitMix64: every bit of the input matters.
std::uint64_t mix(std::uint64_t value) {
  value += 0x9e3779b97f4a7c15;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

// ctime changes with whatever changes, and nobody can set it.
std::uint64_t fingerprint_of(const struct stat& status) {
  std::uint64_t print = mix(status.st_ino);
  print = mix(print ^ static_cast<std::uint64_t>(status.st_ctim.tv_sec));
  print = mix(print ^ static_cast<std::uint64_t>(status.st_ctim.tv_nsec));
  return mix(print ^ static_cast<std::uint64_t>(status.st_size));
}

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

}  // namespace

Heartbeat::Heartbeat(Micros limit_us, std::vector<std::string> directories, Micros now)
    : look_us_(std::clamp(limit_us / k_looks_per_limit, k_look_us_min, k_look_us_max)),
      directories_(std::move(directories)),
      looked_at_(now),
      cpu_us_(descendants_cpu_us()),
      received_(descendants_received()) {}

void Heartbeat::look(Micros now, std::int64_t output_bytes) {
  const Micros elapsed = now - looked_at_;
  const Micros cpu_us = descendants_cpu_us();
  // It may fall: the time of a child whose parent ignores SIGCHLD is lost with it.
  bool progress = output_bytes != output_bytes_ || cpu_us - cpu_us_ >= std::max(elapsed / k_cpu_share, k_cpu_tick_us);
  ReceivedBytes received = descendants_received();
  const auto received_bytes = static_cast<Micros>(received_since(received_, received));
  progress = progress || received_bytes > elapsed * k_received_bytes_per_second / k_second;
  if (progress) {
    files_.reset();
  } else {
    const std::uint64_t files = fingerprint(directories_, k_entries_max);
    progress = files_ && *files_ != files;
    files_ = files;
  }
  looked_at_ = now;
  output_bytes_ = output_bytes;
  cpu_us_ = cpu_us;
  received_ = std::move(received);
  silent_us_ = progress ? 0 : silent_us_ + std::min(elapsed, 2 * look_us_);
}

// Breadth first, for what people and agents work on is seldom deep. The sum does not depend on the order of a
// directory.
std::uint64_t fingerprint(const std::vector<std::string>& directories, std::size_t entries_max) {
  std::uint64_t sum = 0;
  std::size_t entries = 0;
  std::deque<std::pair<std::string, dev_t>> queue;
  for (const std::string& directory : directories) {
    struct stat status {};
    if (::lstat(directory.c_str(), &status) == 0) queue.emplace_back(directory, status.st_dev);
  }
  while (!queue.empty() && entries < entries_max) {
    const auto [path, device] = std::move(queue.front());
    queue.pop_front();
    const std::unique_ptr<DIR, CloseDirectory> directory(::opendir(path.c_str()));
    while (const dirent* entry = directory == nullptr ? nullptr : ::readdir(directory.get())) {
      const std::string_view name = entry->d_name;
      struct stat status {};
      // "." stands for the directory itself: also for the topmost.
      if (name == ".." || ::fstatat(::dirfd(directory.get()), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
        continue;
      }
      sum += fingerprint_of(status);
      if (++entries >= entries_max) break;
      const bool is_entered = name != "." && S_ISDIR(status.st_mode) && status.st_dev == device;
      if (is_entered) queue.emplace_back(path + "/" + std::string(name), device);
    }
  }
  return sum;
}

}  // namespace bernstein::exec
