#include "questions.hpp"

#include <memory>

#include "bernstein/agent/command.hpp"
#include "bernstein/base/units.hpp"
#include "bernstein/proc/reactor.hpp"
#include "inputs.hpp"
#include "temporary_directory.hpp"

namespace bernstein::cli {
namespace {

constexpr Micros k_answer_us_max = 10 * k_second;
constexpr std::size_t k_answer_bytes_max = 256 << 10;

}  // namespace

void ask(const Context& context, const std::vector<Question*>& questions) {
  if (questions.empty()) return;
  const Result<TemporaryDirectory> place = TemporaryDirectory::make(temporary_root(), "ask");
  if (!place) return;
  const std::unique_ptr<port::Reactor> reactor = proc::open_reactor();
  std::size_t open = 0;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    Question& question = *questions[i];
    const std::string output = place->path() + "/" + std::to_string(i);
    const auto started = reactor->start({.argv = question.argv,
                                         .wrapper = {},
                                         .env = agent::allowed_environment(context.environment, {}),
                                         .directory = place->path(),
                                         .stdin_text = {},
                                         .output_path = output,
                                         .output_bytes_max = k_answer_bytes_max,
                                         .timeout_us = k_answer_us_max,
                                         .grace_us = k_second},
                                        [&open, &question, output](const port::ProcessExit& exit) {
                                          --open;
                                          if (!exit.timed_out) question.exit_code = exit.exit_code;
                                          if (const Result<std::string> text = read_text(output, k_answer_bytes_max))
                                            question.answer = *text;
                                        });
    if (started) ++open;
  }
  while (open > 0) reactor->turn();
}

}  // namespace bernstein::cli
