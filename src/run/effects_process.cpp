// The effects that start processes: setting up a worktree, agents, checks.

#include <filesystem>
#include <fstream>
#include <utility>

#include "bernstein/agent/command.hpp"
#include "bernstein/agent/prompt.hpp"
#include "bernstein/agent/usage.hpp"
#include "bernstein/base/check.hpp"
#include "bernstein/base/text.hpp"
#include "bernstein/janitor/verdict.hpp"
#include "effects.hpp"

namespace bernstein::run {
namespace {

// What is kept of an output as a blob: enough for a prompt and for a person; the file in .sdd/logs has all of it.
constexpr std::size_t k_output_kept_bytes = 64 << 10;

// The end of a file; "" when it cannot be read, as a log that was never written.
std::string read_end(const std::string& path, std::size_t bytes_max) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return "";
  const std::streamoff size = file.tellg();
  const std::streamoff from = std::max<std::streamoff>(0, size - static_cast<std::streamoff>(bytes_max));
  std::string text(static_cast<std::size_t>(size - from), '\0');
  file.seekg(from);
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

Status write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file) return Error{ErrorCode::environment, "cannot write " + path + "; is the disk full?"};
  return Ok{};
}

// A log belongs to one attempt at one effect: what an effect that was cut short left there goes.
Status start_log(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
  if (!error) std::filesystem::remove(path, error);
  if (error) return Error{ErrorCode::environment, "cannot prepare " + path + ": " + error.message()};
  return Ok{};
}

// A check's name as a part of a file name.
std::string file_name_of(const std::string& name) {
  std::string safe;
  for (char c : name.substr(0, 60)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    safe += plain ? c : '_';
  }
  return safe;
}

janitor::CommandEnd command_end(const port::ProcessExit& exit, Micros timeout_us) {
  return {exit.exit_code, exit.signal, exit.timed_out, exit.stopped, timeout_us};
}

// A check that only reads the tree.
janitor::CheckResult judge_tree_check(port::Workspace& workspace, const CheckSpec& check, const std::string& tree) {
  if (check.type == CheckType::file_contains) {
    Result<std::string> content = workspace.read_file(tree, check.path);
    if (content) return janitor::judge_file(check, *content);
    if (content.error().code == ErrorCode::not_found) return janitor::judge_file(check, std::nullopt);
    return janitor::could_not_run(content.error().message);
  }
  Result<std::vector<port::TreeFile>> files = workspace.list_tree(tree);
  if (!files) return janitor::could_not_run(files.error().message);
  std::vector<janitor::TreeEntry> entries;
  entries.reserve(files->size());
  for (const port::TreeFile& file : *files) entries.push_back({file.path, file.directory});
  return janitor::judge_tree(check, entries);
}

const AgentSpec& agent_of(const RunState& state, const std::string& name) {
  for (const AgentSpec& agent : config_of(state).agents) {
    if (agent.name == name) return agent;
  }
  BERNSTEIN_CHECK(false, "a route names an agent of the run");
  std::abort();
}

// What the agent is told: a function of the state and of the kept outputs of earlier attempts.
std::string compose_prompt(const RunState& state, AttemptId id, port::BlobStore& blobs) {
  const RunConfig& config = config_of(state);
  const bernstein::Task& task = task_of(state, id.task);
  agent::PromptInput input{.task = task.spec,
                           .constraints = config.constraints,
                           .context_files = config.context_files,
                           .gates = config.gates,
                           .attempt = id.number,
                           .attempts_max = config.limits.attempts};
  for (const Attempt& attempt : task.attempts) {
    if (!attempt.failure) continue;
    agent::EarlierAttempt earlier{.number = attempt.id.number, .why = attempt.failure->why};
    if (attempt.work && !attempt.work->changes.empty()) earlier.commit = attempt.work->commit;
    for (const Evidence& evidence : attempt.failure->evidence) {
      std::string output;
      if (!evidence.output.empty()) {
        Result<std::string> kept = blobs.get(evidence.output);
        output = kept ? printable_utf8(*kept) : "(its output is no longer there)";
      }
      earlier.evidence.push_back({evidence.label, std::move(output)});
    }
    input.earlier.push_back(std::move(earlier));
  }
  return agent::build_prompt(input);
}

// What an attempt's own processes may write: its worktree and its repository.
agent::SandboxedProcess session_places(const std::string& session, const std::string& directory) {
  return {.directory = directory, .writable = {"worktrees/" + session, "agents/" + session + ".git"}, .read_only = {}};
}

// What a check may write: the checkout that it looks at. What an agent wrote runs there, and needs no network.
agent::SandboxedProcess checkout_places(const std::string& directory) {
  const std::string name = directory.substr(directory.rfind('/') + 1);
  return {.directory = directory, .writable = {"worktrees/" + name}, .read_only = {}, .network = false};
}

}  // namespace

void Effects::start(const RunState& state, const Task& task, const SpawnRequested& intent) {
  const std::string prompt = compose_prompt(state, task.attempt, ports_.blobs);
  run_agent(state, task, intent, prompt);
}

void Effects::run_agent(const RunState& state, const Task& task, const SpawnRequested& intent,
                        const std::string& prompt) {
  auto broken = [&](const Error& error) {
    answer(task, EffectFailed{FailureClass::environment, std::string(SpawnRequested::type),
                              printable_utf8(error.message), ""});
  };
  const std::string log = log_path(task.attempt, "");
  const std::string prompt_file = log_path(task.attempt, ".prompt");
  Result<std::string> digest = ports_.blobs.put(prompt);
  if (!digest) return broken(digest.error());
  if (Status ready = start_log(log); !ready) return broken(ready.error());

  const AgentSpec& spec = agent_of(state, intent.agent);
  const std::string directory = site_.sdd + "/worktrees/" + session(task.attempt);
  const agent::AgentCommand command = agent::build_command(spec,
                                                           {.run = run_,
                                                            .attempt = task.attempt,
                                                            .role = task_of(state, task.attempt.task).spec.role,
                                                            .model = intent.model,
                                                            .worktree = directory,
                                                            .prompt_file = prompt_file},
                                                           site_.environment);
  if (!command.prompt_on_stdin) {
    if (Status written = write_file(prompt_file, prompt); !written) return broken(written.error());
  }
  agent::SandboxedProcess places = session_places(session(task.attempt), directory);
  places.read_only = {prompt_file.substr(site_.sdd.size() + 1)};
  port::ProcessSpec process{.argv = command.argv,
                            .wrapper = agent::sandbox_words(site_.sandbox, places),
                            .env = command.env,
                            .directory = directory,
                            .stdin_text = command.prompt_on_stdin ? prompt : "",
                            .output_path = log,
                            .timeout_us = intent.timeout_us};
  auto on_exit = [this, task, log, usage = spec.usage](port::ProcessExit exit) {
    struct Read {
      Usage usage;
      std::string end;
    };
    auto read = std::make_shared<Read>();
    ports_.reactor.submit(
        [log, usage, read] {
          const std::string output = read_end(log, agent::k_usage_output_bytes_max);
          read->usage = agent::read_usage(usage, output);
          read->end = tail(output, k_output_kept_bytes);
        },
        [this, task, exit, read] {
          AgentExited result{.duration_us = exit.duration_us,
                             .exit_code = exit.exit_code,
                             .output_bytes = exit.output_bytes,
                             .stopped = exit.stopped,
                             .timed_out = exit.timed_out,
                             .usage = read->usage};
          if (result.usage.cost_micros) result.cost_source = CostSource::reported;
          Result<std::string> kept = ports_.blobs.put(read->end);
          if (kept && !read->end.empty()) result.output = *kept;
          answer(task, std::move(result));
        });
  };
  run_process(task, SpawnRequested::type, std::move(process), std::move(on_exit),
              [this, task, digest](std::int64_t pid) {
                inbox_.push({{about(task.attempt), AgentStarted{pid, *digest, site_.sandbox.mode}}});
              });
}

void Effects::set_up_worktree(const Task& task, const std::string& command, const std::string& directory,
                              Micros timeout_us) {
  const std::string log = log_path(task.attempt, ".setup");
  if (Status ready = start_log(log); !ready) {
    return answer(task, EffectFailed{FailureClass::environment, std::string(WorktreeRequested::type),
                                     printable_utf8(ready.error().message), ""});
  }
  port::ProcessSpec process{
      .argv = janitor::command_line({.command = command}),
      .wrapper = agent::sandbox_words(site_.sandbox, session_places(session(task.attempt), directory)),
      .env = agent::allowed_environment(site_.environment, {}),
      .directory = directory,
      .output_path = log,
      .timeout_us = timeout_us};
  run_process(task, WorktreeRequested::type, std::move(process),
              [this, task, log, command, timeout_us](port::ProcessExit exit) {
                const janitor::CheckResult judged = janitor::judge_command(command_end(exit, timeout_us));
                if (judged.verdict == CheckVerdict::passed) return answer(task, WorktreeReady{});
                if (exit.stopped) {
                  return answer(task, EffectFailed{FailureClass::orchestrator, std::string(WorktreeRequested::type),
                                                   "stopped while it set up the worktree", ""});
                }
                const std::string end = tail(read_end(log, k_output_kept_bytes), k_output_kept_bytes);
                Result<std::string> kept = ports_.blobs.put(end);
                answer(task, EffectFailed{FailureClass::environment, std::string(WorktreeRequested::type),
                                          "setup_command `" + printable_utf8(command) + "` failed in a new worktree: " +
                                              judged.why + "; its output is in " + printable_utf8(log),
                                          kept && !end.empty() ? *kept : ""});
              });
}

void Effects::look_at_tree(const Task& task, const CheckRequested& intent) {
  const Micros begin = ports_.reactor.monotonic_us();
  auto finished = std::make_shared<CheckFinished>();
  ports_.reactor.submit(
      [this, intent, finished] {
        finished->name = intent.check.name;
        finished->tree = intent.tree;
        const janitor::CheckResult judged = judge_tree_check(ports_.workspace, intent.check, intent.tree);
        finished->verdict = judged.verdict;
        finished->why = judged.why;
      },
      [this, task, begin, finished] {
        finished->duration_us = ports_.reactor.monotonic_us() - begin;
        answer(task, std::move(*finished));
      });
}

void Effects::run_check(const Task& task, const CheckRequested& intent, const std::string& directory) {
  const std::string log = log_path(task.attempt, "." + file_name_of(intent.check.name));
  if (Status ready = start_log(log); !ready) {
    return answer(task, EffectFailed{FailureClass::environment, std::string(CheckRequested::type),
                                     printable_utf8(ready.error().message), ""});
  }
  port::ProcessSpec process{.argv = janitor::command_line(intent.check),
                            .wrapper = agent::sandbox_words(site_.sandbox, checkout_places(directory)),
                            .env = agent::allowed_environment(site_.environment, {}),
                            .directory = directory,
                            .output_path = log,
                            .timeout_us = intent.check.timeout_us};
  run_process(task, CheckRequested::type, std::move(process), [this, task, intent, log](port::ProcessExit exit) {
    const janitor::CheckResult judged = janitor::judge_command(command_end(exit, intent.check.timeout_us));
    CheckFinished result{.duration_us = exit.duration_us,
                         .exit_code = exit.exit_code,
                         .name = intent.check.name,
                         .stopped = exit.stopped,
                         .tree = intent.tree,
                         .verdict = judged.verdict,
                         .why = judged.why};
    const std::string end = tail(read_end(log, k_output_kept_bytes), k_output_kept_bytes);
    Result<std::string> kept = ports_.blobs.put(end);
    if (kept && !end.empty()) result.output = *kept;
    answer(task, std::move(result));
  });
}

void Effects::run_process(const Task& task, std::string_view effect, port::ProcessSpec spec,
                          std::function<void(port::ProcessExit)> on_exit, std::function<void(std::int64_t)> on_start) {
  Result<port::Reactor::Started> started = ports_.reactor.start(std::move(spec), std::move(on_exit));
  if (!started) {
    return answer(task, EffectFailed{FailureClass::environment, std::string(effect),
                                     printable_utf8(started.error().message), ""});
  }
  processes_[task.intent] = started->key;
  if (stopping_) ports_.reactor.stop(started->key);
  if (on_start) on_start(started->pid);
}

}  // namespace bernstein::run
