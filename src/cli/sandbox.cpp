#include "sandbox.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>

#include "bernstein/agent/command.hpp"
#include "bernstein/base/text.hpp"
#include "bernstein/proc/reactor.hpp"
#include "program.hpp"

namespace bernstein::cli {
namespace {

namespace fs = std::filesystem;

constexpr Micros k_try_grace_us = k_second;
constexpr std::size_t k_reason_bytes_max = 300;

// With strict these become empty, beside the home. /run/user has the sockets by which programs outside start others.
constexpr const char* k_personal[] = {"/tmp", "/var/tmp", "/run/user"};

// Without symbolic links; "" when it is not there.
std::string real_path(const fs::path& path) {
  std::error_code problem;
  const fs::path real = fs::canonical(path, problem);
  return problem ? "" : real.string();
}

// The name by which a program in a personal place is asked for there, "" when it is in none. Links on the way to the
// place stay what they are and are followed; those within it are gone with all that was there, so their names are kept.
std::string name_in_personal(const fs::path& program, const std::vector<std::string>& personal) {
  const fs::path name = program.lexically_normal();
  fs::path above;
  for (auto part = name.begin(); part != name.end(); ++part) {
    above /= *part;
    const std::string real = real_path(above);
    if (std::find(personal.begin(), personal.end(), real) == personal.end()) continue;
    fs::path found = real;
    while (++part != name.end()) found /= *part;
    return found.string();
  }
  return "";
}

void add(std::vector<std::string>& paths, const std::string& path) {
  if (!path.empty()) paths.push_back(path);
}

agent::Sandbox sandbox_of(const Context& context, const Place& place, SandboxMode mode, const std::string& bwrap,
                          const std::vector<AgentSpec>& agents) {
  const std::string root = real_path(place.root);
  agent::Sandbox sandbox{.mode = mode, .bwrap = bwrap, .sdd = root + "/.sdd", .root = geteuid() == 0};
  for (const std::string& path : {place.root, place.git_dir, place.worktree}) add(sandbox.read_only, real_path(path));
  if (mode != SandboxMode::strict) return sandbox;

  for (const char* path : k_personal) add(sandbox.personal, real_path(path));
  if (const std::string home = variable(context, "HOME"); home.starts_with('/')) {
    add(sandbox.personal, real_path(home));
  }
  for (const AgentSpec& agent : agents) {
    if (agent.command.empty()) continue;
    const auto program = find_program(agent.command.front(), variable(context, "PATH"), root);
    if (program) add(sandbox.read_only, name_in_personal(*program, sandbox.personal));
  }
  return sandbox;
}

class TemporaryFile {
 public:
  explicit TemporaryFile(const Context& context) {
    const std::string wanted = variable(context, "TMPDIR");
    path_ = (wanted.starts_with('/') ? wanted : "/tmp") + "/bernstein-try-XXXXXX";
    const int fd = mkstemp(path_.data());
    if (fd < 0) path_ = "/dev/null";  // the reason is lost then, nothing else
    if (fd >= 0) close(fd);
  }
  ~TemporaryFile() {
    if (path_ != "/dev/null") unlink(path_.c_str());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  const std::string& path() const { return path_; }
  std::string last_line() const {
    std::ifstream file(path_, std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    const std::string_view trimmed = trim(text);
    const std::size_t before = trimmed.rfind('\n');
    return printable_utf8(std::string(before == std::string_view::npos ? trimmed : trimmed.substr(before + 1))
                              .substr(0, k_reason_bytes_max));
  }

 private:
  std::string path_;
};

// Runs a command that does nothing in the sandbox. Why it did not work; nothing when it did.
std::optional<std::string> try_sandbox(const Context& context, agent::Sandbox sandbox, const Place& place) {
  std::error_code ignored;
  if (!fs::is_directory(sandbox.sdd, ignored)) sandbox.sdd.clear();  // a first run has not made it yet
  const TemporaryFile output(context);
  const std::unique_ptr<port::Reactor> reactor = proc::open_reactor();
  std::optional<port::ProcessExit> ended;
  const auto started =
      reactor->start({.argv = {"/bin/sh", "-c", ":"},
                      .wrapper = agent::sandbox_words(sandbox, {.directory = place.root, .network = false}),
                      .env = agent::allowed_environment(context.environment, {}),
                      .directory = place.root,
                      .stdin_text = "",
                      .output_path = output.path(),
                      .timeout_us = k_sandbox_try_us_max,
                      .grace_us = k_try_grace_us},
                     [&](port::ProcessExit exit) { ended = exit; });
  if (!started) return started.error().message;
  while (!ended) reactor->turn();
  if (ended->timed_out) return "it did not answer within " + format_duration(k_sandbox_try_us_max);
  if (ended->exit_code == 0) return std::nullopt;
  const std::string said = output.last_line();
  return said.empty() ? "exit " + std::to_string(ended->exit_code) : said;
}

std::optional<SandboxObstacle> obstacle(const Context& context, const agent::Sandbox& sandbox, const Place& place) {
  if (sandbox.bwrap.empty()) return SandboxObstacle{"bubblewrap is not installed", "apt-get install bubblewrap"};
  const std::optional<std::string> reason = try_sandbox(context, sandbox, place);
  if (!reason) return std::nullopt;
  return SandboxObstacle{"bubblewrap does not work here (" + *reason + ")",
                         "let this machine, or the container's host, allow user namespaces"};
}

}  // namespace

std::optional<SandboxObstacle> find_obstacle(const Context& context, const Place& place, SandboxMode wanted,
                                             const std::vector<AgentSpec>& agents) {
  if (wanted == SandboxMode::off) return std::nullopt;
  const std::string bwrap = find_program("bwrap", variable(context, "PATH"), place.root).value_or("");
  return obstacle(context, sandbox_of(context, place, wanted, bwrap, agents), place);
}

Result<ChosenSandbox> choose_sandbox(const Context& context, const Place& place, SandboxMode wanted,
                                     const std::vector<AgentSpec>& agents) {
  if (wanted == SandboxMode::off) return ChosenSandbox{};
  const std::string bwrap = find_program("bwrap", variable(context, "PATH"), place.root).value_or("");
  agent::Sandbox sandbox = sandbox_of(context, place, wanted, bwrap, agents);
  const std::optional<SandboxObstacle> found = obstacle(context, sandbox, place);
  if (!found) return ChosenSandbox{std::move(sandbox), ""};
  if (wanted == SandboxMode::strict) {
    return Error{ErrorCode::environment, "sandbox: strict is not possible: " + found->what + "; " + found->fix};
  }
  return ChosenSandbox{{},
                       "no sandbox: " + found->what + ", so agents and checks can change your repository and .sdd; " +
                           found->fix + ", or set sandbox: off in bernstein.yaml if that is all right"};
}

}  // namespace bernstein::cli
