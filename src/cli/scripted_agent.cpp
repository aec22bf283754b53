#include "bernstein/cli/scripted_agent.hpp"

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <system_error>
#include <thread>
#include <variant>

#include "bernstein/agent/prompt.hpp"
#include "bernstein/agent/script.hpp"
#include "bernstein/base/overloaded.hpp"

extern char** environ;

namespace bernstein::cli {
namespace {

// What came of a step: nothing (go on), the exit code to end with, or why it could not be done.
using Outcome = std::variant<std::monostate, int, std::string>;

std::uint32_t attempt_number() {
  const char* text = std::getenv("BERNSTEIN_ATTEMPT");
  const int number = text == nullptr ? 1 : std::atoi(text);
  return number < 1 ? 1 : static_cast<std::uint32_t>(number);
}

std::optional<std::string> read_whole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file || std::filesystem::is_directory(path)) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

Outcome store(const std::string& path, const std::string& text, std::ios::openmode mode) {
  std::error_code ignored;  // what is wrong shows when the file is opened
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  std::ofstream file(path, std::ios::binary | mode);
  file << text;
  file.close();
  if (!file) return "cannot write " + path;
  return {};
}

Outcome edit(const agent::EditFile& step) {
  std::optional<std::string> text = read_whole(step.path);
  if (!text) return "cannot read " + step.path;
  const std::size_t at = text->find(step.old_text);
  if (at == std::string::npos) return step.path + " does not contain '" + step.old_text + "'";
  return store(step.path, text->replace(at, step.old_text.size(), step.new_text), std::ios::trunc);
}

Outcome remove(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::remove(path, error)) return "cannot delete " + path;
  return {};
}

Outcome git(std::vector<std::string> words) {
  words.insert(words.begin(), {"git", "-c", "user.name=Scripted Agent", "-c", "user.email=scripted-agent@localhost",
                               "-c", "commit.gpgsign=false"});
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t pid = 0;
  if (::posix_spawnp(&pid, "git", nullptr, nullptr, arguments.data(), environ) != 0) return "cannot start git";
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return "git failed; see its output above";
}

Outcome commit(const std::string& message) {
  const Outcome added = git({"add", "-A"});
  return std::holds_alternative<std::monostate>(added) ? git({"commit", "-q", "-m", message}) : added;
}

void spam(std::ostream& out, std::int64_t bytes) {
  const std::string line = std::string(79, '.') + "\n";
  for (; bytes > 0; bytes -= static_cast<std::int64_t>(line.size())) {
    out << line.substr(0, static_cast<std::size_t>(std::min<std::int64_t>(bytes, std::ssize(line))));
  }
}

// It stays in our process group, as what an agent starts with `&` does.
Outcome daemonize(std::ostream& out) {
  out.flush();
  const pid_t child = ::fork();
  if (child < 0) return "cannot start another process";
  if (child == 0) {
    std::this_thread::sleep_for(k_scripted_hang_max);
    ::_exit(0);
  }
  return {};
}

Outcome act(const agent::ScriptAction& action, const std::string& prompt, std::ostream& out) {
  return std::visit(overloaded{
                        [](const agent::WriteFile& step) { return store(step.path, step.text, std::ios::trunc); },
                        [](const agent::AppendFile& step) { return store(step.path, step.text, std::ios::app); },
                        [](const agent::EditFile& step) { return edit(step); },
                        [](const agent::DeleteFile& step) { return remove(step.path); },
                        [](const agent::TouchFile& step) {
                          return store(step.path, std::filesystem::exists(step.path) ? "\n" : "", std::ios::app);
                        },
                        [](const agent::CommitAll& step) { return commit(step.message); },
                        [](const agent::Sleep& step) -> Outcome {
                          std::this_thread::sleep_for(std::chrono::microseconds(step.duration_us));
                          return {};
                        },
                        [&](const agent::TellUsage& step) -> Outcome {
                          out << agent::usage_line(step) << '\n';
                          return {};
                        },
                        [&](const agent::Print& step) -> Outcome {
                          out << step.text << '\n';
                          return {};
                        },
                        [&](const agent::Spam& step) -> Outcome {
                          spam(out, step.bytes);
                          return {};
                        },
                        [&](const agent::ReadEvidence& step) {
                          return store(step.path, std::string(agent::earlier_attempts_part(prompt)), std::ios::trunc);
                        },
                        [](const agent::Fail& step) -> Outcome { return step.code; },
                        [](const agent::Hang&) -> Outcome {
                          std::this_thread::sleep_for(k_scripted_hang_max);
                          return {};
                        },
                        [](const agent::IgnoreTerm&) -> Outcome {
                          ::signal(SIGTERM, SIG_IGN);
                          return {};
                        },
                        [&](const agent::Daemonize&) { return daemonize(out); },
                    },
                    action);
}

}  // namespace

int run_scripted_agent(std::istream& prompt, std::ostream& out) {
  const std::string text(std::istreambuf_iterator<char>(prompt), {});
  const auto script = agent::parse_script(text);
  if (!script) {
    out << script.error().message << '\n' << std::flush;
    return 2;
  }
  const std::uint32_t attempt = attempt_number();
  for (const agent::ScriptStep& step : *script) {
    if (step.on_attempt && *step.on_attempt != attempt) continue;
    const Outcome outcome = act(step.action, text, out);
    if (const auto* why = std::get_if<std::string>(&outcome)) {
      out << "script line " << step.line << ": " << *why << '\n' << std::flush;
      return 1;
    }
    out.flush();
    if (const auto* code = std::get_if<int>(&outcome)) return *code;
  }
  return 0;
}

Exit scripted_agent_command(Context& context, const std::vector<std::string>&) {
  return static_cast<Exit>(run_scripted_agent(std::cin, context.out));
}

}  // namespace bernstein::cli
