// bernstein: the words of the command line and this process's surroundings, handed to cli/.

#include <unistd.h>

#include <clocale>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>
#include <map>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "bernstein/cli/context.hpp"
#include "cli/app.hpp"

extern char** environ;

namespace {

std::map<std::string, std::string> read_environment() {
  std::map<std::string, std::string> variables;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos) variables.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return variables;
}

bool wants_colour(const std::map<std::string, std::string>& environment) {
  const auto no_colour = environment.find("NO_COLOR");
  if (no_colour != environment.end() && !no_colour->second.empty()) return false;
  const auto terminal = environment.find("TERM");
  return terminal != environment.end() && terminal->second != "dumb";
}

}  // namespace

int main(int argc, char** argv) {
  using namespace bernstein::cli;
  try {
    // Pause and continue (run/loop.hpp): who does not listen yet, or any more, is not killed by them.
    std::signal(SIGUSR1, SIG_IGN);
    std::signal(SIGUSR2, SIG_IGN);
    std::setlocale(LC_CTYPE, "C.UTF-8");  // column widths of titles; everything else is ours
    std::error_code problem;
    const std::string directory = std::filesystem::current_path(problem).string();
    if (problem) {
      std::cerr << "bernstein: the current directory is gone; change to one that exists\n";
      return static_cast<int>(Exit::environment);
    }
    const std::string program = std::filesystem::read_symlink("/proc/self/exe", problem).string();
    const bool out_is_terminal = isatty(STDOUT_FILENO) == 1;
    const bool err_is_terminal = isatty(STDERR_FILENO) == 1;
    std::map<std::string, std::string> environment = read_environment();
    const bool colour = wants_colour(environment);
    Context context{.directory = directory,
                    .json = false,
                    .verbose = false,
                    .in_is_terminal = isatty(STDIN_FILENO) == 1,
                    .out_is_terminal = out_is_terminal,
                    .err_is_terminal = err_is_terminal,
                    .colour = colour,
                    .environment = std::move(environment),
                    .program = program,
                    .out = std::cout,
                    .err = std::cerr};
    const Exit exit = run_app(std::vector<std::string>(argv + 1, argv + argc), context);
    std::cout.flush();
    return static_cast<int>(exit);
  } catch (const std::exception& surprise) {
    std::cerr << "bernstein: unexpected trouble: " << surprise.what() << "; please report it\n";
    return static_cast<int>(bernstein::cli::Exit::environment);
  }
}
