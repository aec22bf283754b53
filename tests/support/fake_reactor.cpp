#include "support/fake_reactor.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>

#include "bernstein/base/check.hpp"

namespace bernstein::test {
namespace {

constexpr int k_term = 15;
constexpr int k_kill = 9;

void write_output(const port::ProcessSpec& spec, const std::string& said) {
  const std::string output = Redactor(spec.secrets).redact(said);
  std::ofstream file(spec.output_path, std::ios::binary | std::ios::app);
  const auto bytes_max = static_cast<std::size_t>(spec.output_bytes_max);
  if (output.size() <= bytes_max) {
    file << output;
    return;
  }
  const std::string kept = output.substr(0, bytes_max);
  file << kept << (kept.empty() || kept.back() == '\n' ? "" : "\n") << "[bernstein: " << output.size() - bytes_max
       << " more bytes of output were dropped; the limit is " << bytes_max << " bytes]\n";
}

std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) names.push_back(entry.path().filename());
  std::ranges::sort(names);
  return names;
}

}  // namespace

FakeReactor::Slot FakeReactor::schedule(Micros delay_us, std::function<void()> action) {
  const Slot slot{now_ + std::max<Micros>(delay_us, 0), ++last_order_};
  agenda_.emplace(slot, std::move(action));
  return slot;
}

Result<port::Reactor::Started> FakeReactor::start(port::ProcessSpec spec,
                                                  std::function<void(port::ProcessExit)> on_exit) {
  BERNSTEIN_CHECK(!spec.argv.empty(), "a command has at least a program");
  BERNSTEIN_CHECK(!spec.directory.empty() && spec.directory.front() == '/',
                  "a process starts in an absolute directory");
  BERNSTEIN_TRY(ScriptedProcess script, script_(spec));
  const port::ProcessKey key = add(std::move(spec), std::move(script), std::move(on_exit));
  begin(key);
  return Started{key, 1000 + key};
}

port::ProcessKey FakeReactor::add(port::ProcessSpec spec, ScriptedProcess script,
                                  std::function<void(port::ProcessExit)> on_exit) {
  const port::ProcessKey key = ++last_process_;
  started_.push_back(spec);
  running_.emplace(key, Running{.spec = std::move(spec),
                                .script = std::move(script),
                                .on_exit = std::move(on_exit),
                                .started_at = now_,
                                .end = {},
                                .timeout = {},
                                .exit = {},
                                .terminating = false,
                                .supervise = {},
                                .orphan = {},
                                .unreachable = false,
                                .is_adopted = false,
                                .on_stall = {},
                                .silent_us = 0,
                                .stalls = {},
                                .news = {}});
  return key;
}

void FakeReactor::begin(port::ProcessKey key) {
  Running& running = running_.at(key);
  running.started_at = now_;
  if (running.script.at_begin) running.script.at_begin();
  if (running.supervise && running.supervise->no_progress_us > 0 && running.script.silence) expect_silence(key);
  if (running.script.duration_us) running.end = schedule(*running.script.duration_us, [this, key] { end(key); });
  if (running.spec.timeout_us > 0) {
    running.timeout = schedule(running.spec.timeout_us, [this, key] {
      Running& late = running_.at(key);
      late.timeout.reset();
      late.exit.timed_out = true;
      terminate(key);
    });
  }
}

Result<port::Reactor::Started> FakeReactor::start_supervised(port::ProcessSpec spec, port::SuperviseSpec supervise,
                                                             std::function<void(port::ProcessExit)> on_exit) {
  const std::string& directory = supervise.control_directory;
  BERNSTEIN_CHECK(!spec.argv.empty(), "a command has at least a program");
  BERNSTEIN_CHECK(!directory.empty() && directory.front() == '/', "a control directory has an absolute path");
  BERNSTEIN_TRY(ScriptedProcess script, script_(spec));
  if (supervised_in(directory) != 0 || ended_supervised_.contains(directory)) {
    return Error{ErrorCode::conflict, "the control directory " + directory + " was used before; take a new one"};
  }
  const port::ProcessKey key = add(std::move(spec), std::move(script), std::move(on_exit));
  Running& running = running_.at(key);
  running.supervise = std::move(supervise);
  running.exit.started = false;
  expect_owner(key);
  return Started{key, 1000 + key};
}

void FakeReactor::go(port::ProcessKey key) {
  const auto found = running_.find(key);
  if (found == running_.end() || found->second.exit.started || found->second.terminating) return;
  found->second.exit.started = true;
  forget(found->second.orphan);
  begin(key);
}

void FakeReactor::expect_silence(port::ProcessKey key) {
  Running& running = running_.at(key);
  const Micros limit_us = running.supervise->no_progress_us;
  const Silence& silence = *running.script.silence;
  const auto after = [&](Micros silent_us, std::function<void()> what) {
    const bool lasts = !silence.until_us || silent_us < *silence.until_us - silence.from_us;
    if (lasts) running.stalls.push_back(schedule(silence.from_us + silent_us, std::move(what)));
    return lasts;
  };
  const bool warned = after(limit_us / 2, [this, key, limit_us] { warn(key, limit_us / 2); });
  const bool ended = after(limit_us, [this, key] {
    running_.at(key).exit.stalled = true;
    terminate(key);
  });
  if (warned && !ended) running.stalls.push_back(schedule(*silence.until_us, [this, key] { warn(key, 0); }));
}

void FakeReactor::warn(port::ProcessKey key, Micros silent_us) {
  Running& running = running_.at(key);
  running.silent_us = silent_us;
  if (!running.on_stall) return;
  ++calls_;
  const std::function<void(Micros)> told = running.on_stall;
  told(silent_us);
}

void FakeReactor::on_stall(port::ProcessKey key, std::function<void(Micros)> told) {
  const auto found = running_.find(key);
  if (found == running_.end() || !found->second.supervise) return;
  found->second.on_stall = std::move(told);
  if (!found->second.is_adopted) return;
  found->second.news = schedule(0, [this, key] { warn(key, running_.at(key).silent_us); });
}

void FakeReactor::expect_owner(port::ProcessKey key) {
  Running& running = running_.at(key);
  forget(running.orphan);
  running.orphan = schedule(running.supervise->orphan_limit_us, [this, key] {
    Running& orphan = running_.at(key);
    orphan.orphan.reset();
    orphan.exit.orphaned = true;
    terminate(key);
  });
}

void FakeReactor::forget(std::optional<Slot>& slot) {
  if (slot) agenda_.erase(*slot);
  slot.reset();
}

// Of those that have happened there is none in the agenda any more.
void FakeReactor::forget_silence(Running& running) {
  for (const Slot& slot : running.stalls) agenda_.erase(slot);
  forget(running.news);
  running.stalls.clear();
}

port::ProcessKey FakeReactor::supervised_in(const std::string& control_directory) const {
  for (const auto& [key, running] : running_) {
    if (running.supervise && !running.unreachable && running.supervise->control_directory == control_directory)
      return key;
  }
  return 0;
}

Result<port::Reactor::Adopted> FakeReactor::adopt(const std::string& control_directory,
                                                  std::function<void(port::ProcessExit)> on_exit) {
  if (const auto ended = ended_supervised_.find(control_directory); ended != ended_supervised_.end()) {
    if (ended->second.lost) return Adopted{Adopted::State::lost};
    schedule(0, [this, on_exit = std::move(on_exit), exit = ended->second] {
      ++calls_;
      on_exit(exit);
    });
    return Adopted{Adopted::State::finished, ++last_process_};
  }
  const port::ProcessKey key = supervised_in(control_directory);
  if (key == 0) return Adopted{Adopted::State::missing};
  Running& running = running_.at(key);
  running.on_exit = std::move(on_exit);
  running.is_adopted = true;
  if (running.exit.started) forget(running.orphan);
  return Adopted{Adopted::State::running, key, 1000 + key};
}

void FakeReactor::crash() {
  std::map<Slot, std::function<void()>> survivors;
  const auto keep = [&](const std::optional<Slot>& slot) {
    if (slot) survivors.insert(agenda_.extract(*slot));
  };
  std::erase_if(running_, [](const auto& entry) { return !entry.second.supervise; });
  for (auto& [key, running] : running_) {
    running.on_exit = nullptr;
    running.on_stall = nullptr;
    running.news.reset();
    for (const Slot& slot : running.stalls) {
      if (auto coming = agenda_.extract(slot)) survivors.insert(std::move(coming));
    }
    keep(running.end);
    keep(running.timeout);
    keep(running.orphan);
  }
  agenda_ = std::move(survivors);
  timers_.clear();
  signal_handler_ = nullptr;
  watched_.clear();
  for (const auto& [key, running] : running_) expect_owner(key);
}

void FakeReactor::kill_supervisor(const std::string& control_directory) {
  const port::ProcessKey key = supervised_in(control_directory);
  BERNSTEIN_CHECK(key != 0, "a supervisor that is killed was alive");
  Running& running = running_.at(key);
  forget(running.end);
  forget(running.timeout);
  forget(running.orphan);
  forget_silence(running);
  running.exit.lost = true;
  running.exit.signal = k_kill;
  running.end = schedule(0, [this, key] { end(key); });
}

void FakeReactor::remove_control_directories() {
  ended_supervised_.clear();
  for (auto& [key, running] : running_) running.unreachable = running.supervise.has_value();
}

Status FakeReactor::end_unreachable(const std::string& prefix) {
  for (auto entry = running_.begin(); entry != running_.end();) {
    Running& running = entry->second;
    const std::string place = running.supervise ? running.supervise->control_directory : "";
    const bool is_theirs =
        place.starts_with(prefix) && place.find_first_not_of("0123456789", prefix.size()) == std::string::npos;
    if (is_theirs) {
      for (std::optional<Slot>* slot : {&running.end, &running.timeout, &running.orphan}) forget(*slot);
    }
    entry = is_theirs ? running_.erase(entry) : std::next(entry);
  }
  return Ok{};
}

void FakeReactor::pass(Micros duration_us) {
  const Micros until = now_ + duration_us;
  while (!agenda_.empty() && agenda_.begin()->first.first <= until) {
    const auto first = agenda_.begin();
    now_ = first->first.first;
    const std::function<void()> action = std::move(first->second);
    agenda_.erase(first);
    action();
  }
  now_ = until;
}

std::vector<std::string> FakeReactor::supervised() const {
  std::vector<std::string> directories;
  for (const auto& [key, running] : running_) {
    if (running.supervise) directories.push_back(running.supervise->control_directory);
  }
  return directories;
}

void FakeReactor::terminate(port::ProcessKey key) {
  Running& running = running_.at(key);
  if (running.terminating) return;
  running.terminating = true;
  forget_silence(running);
  const bool can_ignore = running.script.ignores_term && running.exit.started;
  const Micros delay = can_ignore ? running.spec.grace_us : 0;
  if (running.end && running.end->first <= now_ + delay) return;  // it is done before the signal ends it
  if (running.end) agenda_.erase(*running.end);
  running.exit.signal = can_ignore ? k_kill : k_term;
  running.end = schedule(delay, [this, key] { end(key); });
}

void FakeReactor::stop(port::ProcessKey key) {
  const auto found = running_.find(key);
  if (found == running_.end()) return;
  found->second.exit.stopped = true;
  terminate(key);
}

void FakeReactor::end(port::ProcessKey key) {
  const auto found = running_.find(key);
  Running running = std::move(found->second);
  running_.erase(found);
  forget(running.timeout);
  forget(running.orphan);
  forget_silence(running);
  const bool by_itself = running.exit.signal == 0;
  running.exit.exit_code = by_itself ? running.script.exit_code : 128 + running.exit.signal;
  if (running.exit.started) {
    running.exit.duration_us = now_ - running.started_at;
    running.exit.output_bytes = static_cast<std::int64_t>(running.script.output.size());
    if (by_itself && running.script.at_end) running.script.at_end();
    write_output(running.spec, running.script.output);
  }
  if (running.supervise && !running.unreachable)
    ended_supervised_.emplace(running.supervise->control_directory, running.exit);
  if (running.on_exit == nullptr) return;  // its owner was killed
  ++calls_;
  running.on_exit(running.exit);
}

void FakeReactor::submit(std::function<void()> work, std::function<void()> done) {
  schedule(work_duration_(), [this, work = std::move(work), done = std::move(done)] {
    if (work_in_place_) {
      work();
    } else {
      std::thread(work).join();
    }
    ++calls_;
    done();
  });
}

port::TimerKey FakeReactor::after(Micros delay_us, std::function<void()> fire) {
  const port::TimerKey key = last_order_ + 1;
  const Slot slot = schedule(delay_us, [this, key, fire = std::move(fire)] {
    timers_.erase(key);
    ++calls_;
    fire();
  });
  timers_.emplace(key, slot);
  return key;
}

void FakeReactor::cancel(port::TimerKey key) {
  const auto found = timers_.find(key);
  if (found == timers_.end()) return;
  agenda_.erase(found->second);
  timers_.erase(found);
}

void FakeReactor::raise_after(Micros delay_us, int signal) {
  BERNSTEIN_CHECK(signal_handler_ != nullptr, "on_signal() comes before the first signal");
  schedule(delay_us, [this, signal] {
    ++calls_;
    signal_handler_(signal);
  });
}

Status FakeReactor::watch_directory(const std::string& path, std::function<void()> changed) {
  if (!std::filesystem::is_directory(path)) return Error{ErrorCode::environment, "cannot watch " + path};
  watched_.push_back({path, std::move(changed), names_in(path)});
  return Ok{};
}

void FakeReactor::look_at_directories() {
  for (Watched& watched : watched_) {
    std::vector<std::string> names = names_in(watched.path);
    if (names == watched.names) continue;
    watched.names = std::move(names);
    ++calls_;
    watched.changed();
  }
}

void FakeReactor::turn() {
  const std::int64_t calls_before = calls_;
  look_at_directories();
  while (calls_ == calls_before) {
    BERNSTEIN_CHECK(!agenda_.empty(), "turn() is called while something is awaited that will come");
    now_ = agenda_.begin()->first.first;
    const std::int64_t last = last_order_;  // what the callbacks make due now waits for the next turn
    // A callback may cancel others, so each round looks at the agenda afresh.
    while (!agenda_.empty() && agenda_.begin()->first <= Slot{now_, last}) {
      const auto first = agenda_.begin();
      const std::function<void()> action = std::move(first->second);
      agenda_.erase(first);
      action();
    }
  }
}

}  // namespace bernstein::test
