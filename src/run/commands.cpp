// How a command of an intent is run: adopted where an earlier life of ours has started it, else started.
//
// Control directories are .sdd/control/<run>/<intent>.<place>. A place where nothing began cannot be used again (a
// supervisor that comes late must find it taken), so the next one is.

#include <filesystem>
#include <string_view>
#include <utility>

#include "bernstein/agent/secrets.hpp"
#include "bernstein/base/text.hpp"
#include "bernstein/failpoint/failpoint.hpp"
#include "effects.hpp"

namespace bernstein::run {
namespace {

namespace fs = std::filesystem;
using Adopted = port::Reactor::Adopted;

// More crashes than that between a command's start and its beginning, one after the other, are no accident.
constexpr int k_places_max = 100;

// Makes the directory of the log; what an effect that was cut short left there goes.
Status start_log(const std::string& path) {
  std::error_code error;
  fs::create_directories(fs::path(path).parent_path(), error);
  if (!error) fs::remove(path, error);
  if (error) return Error{ErrorCode::environment, "cannot prepare " + path + ": " + error.message()};
  return Ok{};
}

Status make_directory(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return Error{ErrorCode::environment, "cannot make the directory " + path + ": " + error.message()};
  return Ok{};
}

// "31.1" → 31; 0 for a name that is not ours.
Seq intent_of(std::string_view name) {
  Seq seq = 0;
  std::size_t i = 0;
  for (; i < name.size() && name[i] >= '0' && name[i] <= '9' && i < 18; ++i) seq = seq * 10 + (name[i] - '0');
  const bool is_ours = i > 0 && i + 1 < name.size() && name[i] == '.' &&
                       name.find_first_not_of("0123456789", i + 1) == std::string_view::npos;
  return is_ours ? seq : 0;
}

port::ProcessExit lost(bool vanished = false) {
  return {.exit_code = 128 + 9, .signal = 9, .lost = true, .vanished = vanished};
}

}  // namespace

port::SuperviseSpec Effects::supervision(const RunState& state) const {
  const Limits& limits = config_of(state).limits;
  return {.control_directory = {},
          .lock_path = site_.sdd + "/lock",
          .orphan_limit_us = limits.adopt_timeout_us,
          .processes_max = limits.processes,
          .file_bytes_max = limits.file_bytes,
          .no_progress_us = 0,
          .watched = {}};
}

// Asked anew for each process: a key may have been changed since the run began.
Secrets Effects::secrets(const RunState& state) const {
  return agent::secrets_of(config_of(state).agents, site_.environment);
}

std::string Effects::control_root() const {
  return site_.sdd + "/control/" + to_string(run_);
}

std::string Effects::places_of(const Task& task) const {
  return control_root() + "/" + std::to_string(task.intent) + ".";
}

void Effects::run(const Task& task, Command command) {
  adopt_or_start(task, std::make_shared<const Command>(std::move(command)), 1);
}

void Effects::adopt_or_start(const Task& task, const SharedCommand& command, int place) {
  if (place > k_places_max) {
    return could_not(task, command->effect,
                     {ErrorCode::environment,
                      "a command was started " + std::to_string(k_places_max) + " times and never came to begin"});
  }
  const std::string directory = places_of(task) + std::to_string(place);
  Result<Adopted> adopted = ports_.reactor.adopt(
      directory, [this, task, command, place](const port::ProcessExit& exit) { end(task, command, place, exit); });
  if (!adopted) return cannot_tell(task, "a command of it is at work", adopted.error());
  switch (adopted->state) {
    case Adopted::State::running:
      return watch(task, command, adopted->key, adopted->pid);
    case Adopted::State::finished:
      return;  // we are told in the next turn
    case Adopted::State::lost:
      return end(task, command, place, lost());
    case Adopted::State::missing: {
      // The directory of a command of an earlier life may have been removed while it is at work, in whatever place.
      const bool may_live = place == 1 && task.intent <= inherited_;
      if (!may_live) break;
      if (const Status ended = ports_.reactor.end_unreachable(places_of(task)); !ended) {
        return cannot_tell(task, "a command of it is at work", ended.error());
      }
      if (command->may_have_begun) return end(task, command, place, lost(true));
      break;
    }
    case Adopted::State::never_started:
      break;
  }
  if (command->keep) {
    if (Status kept = command->keep(); !kept) return could_not(task, command->effect, kept.error());
  }
  // Before `prepare`, which writes beside the log.
  if (Status ready = start_log(command->process.output_path); !ready) {
    return could_not(task, command->effect, ready.error());
  }
  if (!command->prepare) return start_command(task, command, place);
  auto prepared = std::make_shared<Result<Prepared>>(Prepared::starts);
  ports_.reactor.submit([command, prepared] { *prepared = command->prepare(); },
                        [this, task, command, place, prepared] {
                          if (!*prepared) return could_not(task, command->effect, prepared->error());
                          if (**prepared == Prepared::is_spared) return command->on_spared();
                          start_command(task, command, place);
                        });
}

void Effects::start_command(const Task& task, const SharedCommand& command, int place) {
  // Made as late as possible: a sweep takes it away when it is empty.
  if (Status made = make_directory(control_root()); !made) return could_not(task, command->effect, made.error());
  port::SuperviseSpec supervise = command->supervise;
  supervise.control_directory = places_of(task) + std::to_string(place);
  Result<port::Reactor::Started> started = ports_.reactor.start_supervised(
      command->process, std::move(supervise),
      [this, task, command, place](const port::ProcessExit& exit) { end(task, command, place, exit); });
  if (started) return watch(task, command, started->key, started->pid);
  const bool used_before = started.error().code == ErrorCode::conflict;
  if (used_before) return adopt_or_start(task, command, place + 1);
  could_not(task, command->effect, started.error());
}

void Effects::watch(const Task& task, const SharedCommand& command, port::ProcessKey key, std::int64_t pid) {
  running_[task.intent] = key;
  if (command->on_stall) ports_.reactor.on_stall(key, command->on_stall);
  if (!command->on_start) return ports_.reactor.go(key);
  waiting_[task.intent] = {task.attempt, key};
  command->on_start(pid);
}

void Effects::let_agents_begin(const RunState& state) {
  for (auto waiting = waiting_.begin(); waiting != waiting_.end();) {
    const auto [attempt, key] = waiting->second;
    const bool durable = attempt_of(state, attempt).started;
    if (durable) {
      BERNSTEIN_FAILPOINT("run.effects.before_go");
      ports_.reactor.go(key);
    }
    waiting = durable ? waiting_.erase(waiting) : std::next(waiting);
  }
}

void Effects::end(const Task& task, const SharedCommand& command, int place, const port::ProcessExit& exit) {
  sweep_due_ = true;
  // Its supervisor waited for its go in vain while nobody owned the workspace: nothing has been done.
  if (exit.orphaned && !exit.started) return adopt_or_start(task, command, place + 1);
  if (!exit.error.empty()) return could_not(task, command->effect, {ErrorCode::environment, exit.error});
  command->on_exit(exit);
}

void Effects::could_not(const Task& task, std::string_view effect, const Error& error) {
  answer(task, EffectFailed{FailureClass::environment, std::string(effect), printable_utf8(error.message), ""});
}

void Effects::end_and_fail(const Task& task, std::string_view effect, const Error& error, int place) {
  if (task.intent > inherited_ || place > k_places_max) return could_not(task, effect, error);
  const auto go_on = [this, task, effect, error, place] { end_and_fail(task, effect, error, place + 1); };
  Result<Adopted> adopted =
      ports_.reactor.adopt(places_of(task) + std::to_string(place), [this, go_on](const port::ProcessExit&) {
        sweep_due_ = true;
        go_on();
      });
  if (!adopted) return cannot_tell(task, "a command of it is at work", adopted.error());
  switch (adopted->state) {
    case Adopted::State::running:
      return ports_.reactor.stop(adopted->key);
    case Adopted::State::finished:
      return;  // we are told in the next turn
    case Adopted::State::lost:
    case Adopted::State::never_started:
      return go_on();
    case Adopted::State::missing:
      break;
  }
  if (place == 1) {
    if (const Status ended = ports_.reactor.end_unreachable(places_of(task)); !ended)
      return cannot_tell(task, "a command of it is at work", ended.error());
  }
  could_not(task, effect, error);
}

void Effects::cannot_tell(const Task& task, const std::string& what, const Error& error) {
  if (dead_end_) return;
  dead_end_ = Error{error.code, "cannot tell whether " + what + " (" + to_string(task.attempt) +
                                    "), so nothing more is done: " + error.message + "; resume once that is mended"};
}

// What an intent that has its result left behind.
void Effects::sweep_control_directories(const RunState& state) {
  sweep_due_ = false;
  std::error_code ignored;
  for (const std::string& directory : {site_.sdd + "/control", control_root()}) {
    if (!fs::is_directory(fs::symlink_status(directory, ignored))) return;  // a link leads to what is not ours
  }
  for (fs::directory_iterator entry(control_root(), ignored), last; !ignored && entry != last;
       entry.increment(ignored)) {
    const Seq intent = intent_of(entry->path().filename().string());
    if (intent == 0) continue;
    const bool is_open = state.open_intents.contains(intent);
    if (is_open) {
      sweep_due_ = true;  // look again when it may have ended
      continue;
    }
    std::error_code problem;
    BERNSTEIN_FAILPOINT("run.effects.before_sweep");
    fs::remove_all(entry->path(), problem);
  }
  fs::remove(control_root(), ignored);  // when it is empty
}

}  // namespace bernstein::run
