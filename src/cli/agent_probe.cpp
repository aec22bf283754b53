#include "agent_probe.hpp"

#include <filesystem>
#include <fstream>
#include <memory>
#include <utility>

#include "bernstein/agent/command.hpp"
#include "bernstein/agent/secrets.hpp"
#include "bernstein/agent/usage.hpp"
#include "bernstein/base/text.hpp"
#include "bernstein/proc/reactor.hpp"
#include "drive.hpp"
#include "inputs.hpp"
#include "questions.hpp"
#include "temporary_directory.hpp"

namespace bernstein::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* k_prompt = "Answer with the one word: ready. Use no tools, and look at no files.\n";
constexpr std::size_t k_output_bytes_max = 1 << 20;

// Its read-only session as a command of its own.
AgentSpec read_only_spec(const FoundAgent& agent) {
  AgentSpec spec = agent.entry->spec;
  const bool same_program = !spec.command.empty() && spec.read_only.front() == spec.command.front();
  spec.command = spec.read_only;
  if (same_program) spec.command.front() = agent.program;
  return spec;
}

void read_answer(ModelAnswer& answer, const AgentSpec& spec, const std::string& output, const std::string& told,
                 const port::ProcessExit& exit, agent::WallClock clock) {
  answer.duration_us = exit.duration_us;
  answer.timed_out = exit.timed_out;
  answer.error = exit.error;
  answer.ending = agent::read_ending(
      spec, {.exit_code = exit.exit_code, .ended_by_us = exit.timed_out, .output = output, .clock = clock});
  answer.words = on_one_line(trim(agent::read_text(spec.answer, output)));
  answer.usage = agent::read_usage(spec.usage, told);
  if (!answer.usage.cost_micros && spec.models.front().price)
    answer.usage.cost_micros = agent::cost_of(answer.usage, *spec.models.front().price);
}

}  // namespace

std::vector<ModelAnswer> ask_models(const Context& context, const std::vector<const FoundAgent*>& agents) {
  std::vector<ModelAnswer> answers;
  for (const FoundAgent* agent : agents)
    answers.push_back({.agent = agent, .model = agent->entry->spec.models.front().name});
  if (answers.empty()) return answers;
  const Result<TemporaryDirectory> place = TemporaryDirectory::make(temporary_root(), "probe");
  if (!place) {
    for (ModelAnswer& answer : answers) answer.error = place.error().message;
    return answers;
  }
  const std::unique_ptr<port::Reactor> reactor = proc::open_reactor({.supervisor = supervisor_of(context)});
  std::size_t open = 0;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    ModelAnswer& answer = answers[i];
    const AgentSpec spec = read_only_spec(*answer.agent);
    const std::string base = place->path() + "/" + std::to_string(i);
    const std::string worktree = base + ".work";
    std::error_code ignored;
    fs::create_directory(worktree, ignored);
    Question repository{.argv = {"git", "init", "-q", worktree}};  // some refuse to work outside of one
    ask(context, {&repository});
    const Secrets secrets = agent::secrets_of({spec}, context.environment);
    const agent::AgentCommand command = agent::build_command(spec,
                                                             {.run = RunId{1},
                                                              .attempt = {.task = TaskId{1}, .number = 1},
                                                              .role = "",
                                                              .model = answer.model,
                                                              .worktree = worktree,
                                                              .prompt = k_prompt,
                                                              .prompt_file = base + ".prompt",
                                                              .usage_file = base + ".usage",
                                                              .in_sandbox = false},
                                                             context.environment);
    if (command.prompt_in_file) std::ofstream(base + ".prompt") << k_prompt;
    const std::string output = base + ".log";
    const std::string told = command.usage_in_file ? base + ".usage" : output;
    const auto started =
        reactor->start_supervised({.argv = command.argv,
                                   .wrapper = {},
                                   .env = command.env,
                                   .directory = worktree,
                                   .stdin_text = command.prompt_on_stdin ? k_prompt : "",
                                   .output_path = output,
                                   .secrets = secrets,
                                   .output_bytes_max = k_output_bytes_max,
                                   .timeout_us = k_model_answer_us_max,
                                   .grace_us = 2 * k_second},
                                  {.control_directory = base + ".control", .lock_path = "", .watched = {}},
                                  [&open, &answer, &reactor, spec, output, told](const port::ProcessExit& exit) {
                                    --open;
                                    const auto text_of = [](const std::string& path) {
                                      const Result<std::string> text = read_text(path, k_output_bytes_max);
                                      return text ? *text : std::string();
                                    };
                                    read_answer(answer, spec, text_of(output), text_of(told), exit,
                                                {reactor->wall_us(), reactor->utc_offset_us()});
                                  });
    if (!started) {
      answer.error = started.error().message;
      continue;
    }
    ++open;
    reactor->go(started->key);
  }
  while (open > 0) reactor->turn();
  return answers;
}

}  // namespace bernstein::cli
