// The effects that run commands: setting up a worktree, agents, checks. How a command is started or found again is in
// commands.cpp.

#include <csignal>
#include <utility>

#include "bernstein/agent/command.hpp"
#include "bernstein/agent/outcome.hpp"
#include "bernstein/agent/prompt.hpp"
#include "bernstein/agent/usage.hpp"
#include "bernstein/base/check.hpp"
#include "bernstein/base/sha256.hpp"
#include "bernstein/base/text.hpp"
#include "bernstein/janitor/verdict.hpp"
#include "conflicts.hpp"
#include "earlier_attempts.hpp"
#include "effects.hpp"
#include "files.hpp"

namespace bernstein::run {
namespace {

// What is kept of an output as a blob: enough for a prompt and for a person; the file in .sdd/logs has all of it.
constexpr std::size_t k_output_kept_bytes = 64 << 10;

// A check's name as a part of a file name.
std::string file_name_of(const std::string& name) {
  std::string safe;
  for (char c : name.substr(0, 60)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    safe += plain ? c : '_';
  }
  return safe;
}

// Who ended it before its time, as a clause; "" when nobody did. SIGKILL comes from outside (an operator, a machine
// without memory), in a sandbox or a shell as exit code 137: it says nothing about the work.
std::string interruption(const port::ProcessExit& exit) {
  constexpr int k_killed = 128 + SIGKILL;
  if (exit.vanished) return "its files in .sdd/control were removed";
  if (exit.lost) return "its supervisor was killed";
  if (exit.orphaned) return "no Bernstein took it back in time";
  if (exit.stopped) return "it was told to stop";
  if (exit.exit_code == k_killed && !exit.timed_out && !exit.stalled) return "it was killed (signal 9)";
  return "";
}

janitor::CommandEnd command_end(const port::ProcessExit& exit, Micros timeout_us) {
  return {exit.exit_code, exit.signal, exit.timed_out, !interruption(exit).empty(), timeout_us};
}

std::string read_kept_end(const std::string& log) {
  return tail(read_end(log, k_output_kept_bytes), k_output_kept_bytes);
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

std::optional<agent::ConflictToResolve> conflict_of(const RunState& state, AttemptId id) {
  const std::string& commit = attempt_of(state, id).merge_in;
  if (commit.empty()) return std::nullopt;
  agent::ConflictToResolve conflict{
      .commit = commit, .paths = conflicts_of_earlier_attempts(task_of(state, id.task)), .others = {}};
  for (TaskId other : who_landed_on(state, conflict.paths)) {
    const TaskSpec& spec = task_of(state, other).spec;
    conflict.others.emplace_back(to_string(other) + " \"" + spec.title + "\"", spec.description);
  }
  return conflict;
}

// What the agent is told: a function of the state and of the kept outputs of earlier attempts.
std::string compose_prompt(const RunState& state, AttemptId id, port::BlobStore& blobs) {
  const RunConfig& config = config_of(state);
  const bernstein::Task& task = task_of(state, id.task);
  const auto role = config.roles.find(task.spec.role);
  agent::PromptInput input{.task = task.spec,
                           .conflict = conflict_of(state, id),
                           .role_text = role == config.roles.end() ? "" : role->second,
                           .constraints = config.constraints,
                           .context_files = config.context_files,
                           .gates = config.gates,
                           .attempt = id.number,
                           .attempts_max = config.limits.attempts,
                           .earlier = earlier_attempts(task, blobs)};
  return agent::build_prompt(input);
}

// What an attempt's own processes may write: its worktree and its repository.
agent::SandboxedProcess session_places(const std::string& session, const std::string& directory) {
  return {.directory = directory, .writable = {"worktrees/" + session, "agents/" + session + ".git"}, .read_only = {}};
}

// What a check may write: the checkout that it looks at. What an agent wrote runs there, and needs no network.
agent::SandboxedProcess checkout_places(const std::string& name, const std::string& directory) {
  return {.directory = directory, .writable = {"worktrees/" + name}, .read_only = {}, .network = false};
}

}  // namespace

void Effects::start(const RunState& state, const Task& task, const SpawnRequested& intent) {
  if (task.attempt.task == k_planning) return ask_planner(state, task, intent);
  // The plan may be older than the key that it holds, and an output older than the rule that keeps keys out.
  const std::string prompt = Redactor(secrets(state)).redact(compose_prompt(state, task.attempt, ports_.blobs));
  run_agent(state, task, intent, prompt, {});
}

void Effects::run_agent(const RunState& state, const Task& task, const SpawnRequested& intent,
                        const Result<std::string>& composed, const Schemas& schemas) {
  const std::string prompt = composed ? *composed : "";
  const std::string log = log_path(task.attempt, "");
  const std::string prompt_file = log_path(task.attempt, ".prompt");
  const std::string schema_file = log_path(task.attempt, ".schema");
  const bool is_planner = task.attempt.task == k_planning;
  const AgentSpec* found = find_agent(config_of(state), intent.agent);
  BERNSTEIN_CHECK(found != nullptr, "a route names an agent of the run");
  const AgentSpec& spec = *found;
  const std::string directory = site_.sdd + "/worktrees/" + session(task.attempt);
  // In a directory that the agent may write, is nobody else's, and goes with the attempt.
  const std::string usage_file = site_.sdd + "/agents/" + session(task.attempt) + ".git/usage.json";
  const agent::AgentCommand agent = agent::build_command(spec,
                                                         {.run = run_,
                                                          .attempt = task.attempt,
                                                          .role = task_of(state, task.attempt.task).spec.role,
                                                          .model = intent.model,
                                                          .worktree = directory,
                                                          .prompt = prompt,
                                                          .prompt_file = prompt_file,
                                                          .usage_file = usage_file,
                                                          .in_sandbox = site_.sandbox.mode != SandboxMode::off,
                                                          .read_only = is_planner,
                                                          .schema = schemas.lenient,
                                                          .strict = schemas.strict,
                                                          .schema_file = schema_file},
                                                         site_.environment);
  AgentReport report{.spec = spec,
                     .price = {},
                     .log = log,
                     .usage_file = agent.usage_in_file ? usage_file : "",
                     .secrets = secrets(state)};
  if (const ModelSpec* model = find_model(spec, intent.model)) report.price = model->price;
  agent::SandboxedProcess places = session_places(session(task.attempt), directory);
  if (is_planner && !spec.read_only.empty()) std::swap(places.writable, places.read_only);
  for (const std::string& file : {prompt_file, schema_file})
    places.read_only.push_back(file.substr(site_.sdd.size() + 1));
  Command command{
      .effect = SpawnRequested::type,
      .process = {.argv = agent.argv,
                  .wrapper = agent::sandbox_words(site_.sandbox, places),
                  .env = agent.env,
                  .directory = directory,
                  .stdin_text = agent.prompt_on_stdin ? prompt : "",
                  .output_path = log,
                  .secrets = secrets(state),
                  .timeout_us = intent.timeout_us},
      .supervise = supervision(state),
      // Not before we know that nobody works: an error here means that the attempt never began.
      .keep = [this, composed]() -> Status {
        if (!composed) return composed.error();
        BERNSTEIN_TRY([[maybe_unused]] const std::string digest, ports_.blobs.put(*composed));
        return Ok{};
      },
      .prepare = {},
      .on_exit = [this, task, report](const port::ProcessExit& exit) { read_agents_end(task, report, exit); },
      .on_start = {},
      .may_have_begun = attempt_of(state, task.attempt).started,
      .on_stall = [this, &state, task](Micros silent_us) { note_progress(state, task, silent_us); }};
  command.supervise.no_progress_us = config_of(state).limits.no_progress_us;
  command.supervise.watched = {directory, site_.sdd + "/agents/" + session(task.attempt) + ".git"};
  if (agent.prompt_in_file || !agent.schema_in_file.empty()) {
    command.prepare = [prompt_file, prompt, writes_prompt = agent.prompt_in_file, schema_file,
                       schema = agent.schema_in_file]() -> Result<Prepared> {
      if (writes_prompt) BERNSTEIN_TRY_VOID(write_file(prompt_file, prompt));
      if (!schema.empty()) BERNSTEIN_TRY_VOID(write_file(schema_file, schema));
      return Prepared::starts;
    };
  }
  if (!command.may_have_begun) {
    command.on_start = [this, task, digest = to_hex(sha256(prompt))](std::int64_t pid) {
      inbox_.push({{about(task.attempt), AgentStarted{pid, digest, site_.sandbox.mode}}});
    };
  }
  run(task, std::move(command));
}

void Effects::note_progress(const RunState& state, const Task& task, Micros silent_us) {
  const bool is_known_to_stall = attempt_of(state, task.attempt).silent_us > 0;
  const bool stalls = silent_us > 0;
  if (stalls == is_known_to_stall) return;  // an earlier life of ours was told this
  EventBody told = AgentRecovered{};
  if (stalls) told = AgentStalled{silent_us};
  inbox_.push({{about(task.attempt), std::move(told)}});
}

void Effects::read_agents_end(const Task& task, const AgentReport& report, const port::ProcessExit& exit) {
  struct Read {
    Usage usage;
    agent::Ending ending;
    std::string session;
    std::string end;
  };
  auto read = std::make_shared<Read>();
  const agent::WallClock clock{ports_.reactor.wall_us(), ports_.reactor.utc_offset_us()};
  ports_.reactor.submit(
      [report, exit, clock, read] {
        const std::string output = read_end(report.log, agent::k_usage_output_bytes_max);
        const std::string told =
            report.usage_file.empty() ? output : read_end(report.usage_file, agent::k_usage_output_bytes_max);
        read->usage = agent::read_usage(report.spec.usage, told);
        read->ending = agent::read_ending(report.spec, {.exit_code = exit.exit_code,
                                                        .ended_by_us = exit.timed_out || exit.stalled,
                                                        .output = output,
                                                        .clock = clock});
        read->session = agent::read_text(report.spec.session, output);
        read->end = tail(output, k_output_kept_bytes);
        // What is escaped in an output is not found there.
        Redactor redactor(report.secrets);
        read->ending.message = redactor.redact(read->ending.message);
        read->session = redactor.redact(read->session);
      },
      [this, task, report, exit, read] {
        const std::string why = interruption(exit);
        AgentExited result{.duration_us = exit.duration_us,
                           .exit_code = exit.exit_code,
                           .message = read->ending.message,
                           .outcome = read->ending.outcome,
                           .output_bytes = exit.output_bytes,
                           .retry_after_us = read->ending.retry_after_us,
                           .session = read->session,
                           .stalled = exit.stalled,
                           .stopped = !why.empty(),
                           .timed_out = exit.timed_out,
                           .usage = read->usage,
                           .why = why};
        if (result.usage.cost_micros) {
          result.cost_source = CostSource::reported;
        } else if (report.price) {
          result.usage.cost_micros = agent::cost_of(result.usage, *report.price);
          if (result.usage.cost_micros) result.cost_source = CostSource::computed;
        }
        if (result.usage.cost_micros && was_ended(result)) result.cost_source = CostSource::estimated;
        Result<std::string> kept = ports_.blobs.put(read->end);
        if (kept && !read->end.empty()) result.output = *kept;
        answer(task, std::move(result));
      });
}

void Effects::set_up_worktree(const RunState& state, const Task& task, const std::string& base,
                              const std::string& directory) {
  const std::string& setup = config_of(state).worktree_setup.command;
  const Micros timeout_us = config_of(state).limits.check_timeout_us;
  const std::string log = log_path(task.attempt, ".setup");
  const agent::Environment environment = agent::allowed_environment(site_.environment, {});
  const port::SetupSpec spec{.session = session(task.attempt),
                             .base = base,
                             .command = setup,
                             .environment = environment,
                             .inputs = config_of(state).worktree_setup.inputs};
  const auto on_exit = [this, task, log, setup, timeout_us, spec](const port::ProcessExit& exit) {
    const janitor::CheckResult judged = janitor::judge_command(command_end(exit, timeout_us));
    if (judged.verdict == CheckVerdict::passed) return keep_setup(task, spec);
    if (const std::string why = interruption(exit); !why.empty()) {
      return answer(task, EffectFailed{FailureClass::orchestrator, std::string(WorktreeRequested::type),
                                       "setting up the worktree was interrupted: " + why, ""});
    }
    const std::string end = read_kept_end(log);
    Result<std::string> kept = ports_.blobs.put(end);
    answer(task, EffectFailed{FailureClass::environment, std::string(WorktreeRequested::type),
                              "setup_command `" + printable_utf8(setup) + "` failed in a new worktree: " + judged.why +
                                  "; its output is in " + printable_utf8(log),
                              kept && !end.empty() ? *kept : ""});
  };
  run(task,
      {.effect = WorktreeRequested::type,
       .process = {.argv = janitor::command_line({.command = setup}),
                   .wrapper = agent::sandbox_words(site_.sandbox, session_places(session(task.attempt), directory)),
                   .env = environment,
                   .directory = directory,
                   .stdin_text = {},
                   .output_path = log,
                   .secrets = secrets(state),
                   .timeout_us = timeout_us},
       .supervise = supervision(state),
       .keep = {},
       // Not before we know that the command is not at work, or has been.
       .prepare = [&workspace = ports_.workspace, spec]() -> Result<Prepared> {
         BERNSTEIN_TRY(const bool reused, workspace.reuse_setup(spec));
         return reused ? Prepared::is_spared : Prepared::starts;
       },
       .on_exit = on_exit,
       .on_spared = [this, task] { answer(task, WorktreeReady{SetupUse::reused}); },
       .on_start = {},
       .on_stall = {}});
}

// The worktree is ready whether or not it could be kept.
void Effects::keep_setup(const Task& task, const port::SetupSpec& spec) {
  in_background(task, [&workspace = ports_.workspace, spec]() -> EventBody {
    static_cast<void>(workspace.keep_setup(spec));
    return WorktreeReady{SetupUse::ran};
  });
}

void Effects::look_at_tree(const RunState& state, const Task& task, const CheckRequested& intent) {
  const Micros begin = ports_.reactor.monotonic_us();
  auto finished = std::make_shared<CheckFinished>();
  finished->key = check_key(state.environment, intent.tree, intent.check);
  ports_.reactor.submit(
      [&workspace = ports_.workspace, intent, finished] {
        finished->name = intent.check.name;
        finished->tree = intent.tree;
        const janitor::CheckResult judged = judge_tree_check(workspace, intent.check, intent.tree);
        finished->verdict = judged.verdict;
        finished->why = judged.why;
      },
      [this, task, begin, finished] {
        finished->duration_us = ports_.reactor.monotonic_us() - begin;
        answer(task, std::move(*finished));
      });
}

void Effects::run_check(const RunState& state, const Task& task, const CheckRequested& intent) {
  const std::string name = checkout(task.attempt);
  const std::string directory = site_.sdd + "/worktrees/" + name;
  const std::string log = log_path(task.attempt, "." + file_name_of(intent.check.name));
  const std::string key = check_key(state.environment, intent.tree, intent.check);
  const auto on_exit = [this, task, intent, log, key](const port::ProcessExit& exit) {
    const janitor::CheckResult judged = janitor::judge_command(command_end(exit, intent.check.timeout_us));
    const std::string interrupted = interruption(exit);
    CheckFinished result{.duration_us = exit.duration_us,
                         .exit_code = exit.exit_code,
                         .key = key,
                         .name = intent.check.name,
                         .stopped = !interrupted.empty(),
                         .tree = intent.tree,
                         .verdict = judged.verdict,
                         .why = interrupted.empty() ? judged.why : interrupted};
    const std::string end = read_kept_end(log);
    Result<std::string> kept = ports_.blobs.put(end);
    if (kept && !end.empty()) result.output = *kept;
    answer(task, std::move(result));
  };
  Command command{.effect = CheckRequested::type,
                  .process = {.argv = janitor::command_line(intent.check),
                              .wrapper = agent::sandbox_words(site_.sandbox, checkout_places(name, directory)),
                              .env = agent::allowed_environment(site_.environment, {}),
                              .directory = directory,
                              .stdin_text = {},
                              .output_path = log,
                              .secrets = secrets(state),
                              .timeout_us = intent.check.timeout_us},
                  .supervise = supervision(state),
                  .keep = {},
                  .prepare = {},
                  .on_exit = on_exit,
                  .on_start = {},
                  .on_stall = {}};
  if (intent.fresh) {
    const WorktreeSetup& setup = config_of(state).worktree_setup;
    command.prepare =
        [&workspace = ports_.workspace,
         spec = port::CheckoutSpec{name, intent.tree, setup.symlink_dirs, setup.copy_files}]() -> Result<Prepared> {
      BERNSTEIN_TRY([[maybe_unused]] const std::string made, workspace.checkout_tree(spec));
      return Prepared::starts;
    };
  }
  run(task, std::move(command));
}

}  // namespace bernstein::run
