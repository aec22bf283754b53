// demo: the whole pipeline in a temporary repository, with agents that follow a script; then it checks itself.

#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>
#include <sstream>

#include "anchors.hpp"
#include "bernstein/agent/command.hpp"
#include "bernstein/cli/commands.hpp"
#include "bernstein/proc/reactor.hpp"
#include "bernstein/run/audit.hpp"
#include "bernstein/run/replay.hpp"
#include "open_workspace.hpp"
#include "temporary_directory.hpp"

namespace bernstein::cli {
namespace {

constexpr Micros k_git_us_max = k_minute;

constexpr const char* k_readme = "# Greetings\n\nA few shell functions. `. lib/index.sh` makes all of them known.\n";

constexpr const char* k_index = "# Every part of the library, one line each.\n";

constexpr const char* k_config =
    R"(# The demonstration: agents that follow the script in their task, and one gate for every candidate.
cli: scripted
max_agents: 3
quality_gates:
  syntax: for file in lib/*.sh; do sh -n "$file" || exit 1; done
)";

constexpr const char* k_plan = R"(name: A small library
stages:
  - name: library
    steps:
      - title: Say hello
        id: hello
        files: [lib/hello.sh]
        complexity: low
        description: |
          A function that greets a person by name.
          script:
          sleep 600ms
          write lib/hello.sh hello() {\n  echo "Hello, $1!"\n}
          usage 1800 240 0.0031
      - title: Say goodbye
        id: goodbye
        files: [lib/goodbye.sh]
        complexity: low
        description: |
          A function that sees a person off.
          script:
          sleep 900ms
          write lib/goodbye.sh goodbye() {\n  echo "Goodbye, $1!"\n}
          usage 1700 210 0.0029
      - title: List hello in the index
        files: [lib/index.sh]
        complexity: low
        description: |
          The index names every part. Somebody else wants this file too, so one of the two waits.
          script:
          sleep 400ms
          append lib/index.sh . lib/hello.sh
          usage 900 60 0.0011
      - title: List goodbye in the index
        files: [lib/index.sh]
        complexity: low
        description: |
          The index names every part.
          script:
          sleep 400ms
          append lib/index.sh . lib/goodbye.sh
          usage 900 60 0.0011
  - name: features
    depends_on: [library]
    steps:
      - title: Shout
        files: [lib/shout.sh, lib/index.sh]
        complexity: medium
        description: |
          A function that greets in capital letters. The first attempt forgets them; the check finds out, and the second
          attempt gets to read what the check printed.
          script:
          sleep 500ms
          on-attempt 1 write lib/shout.sh shout() {\n  hello "$1"\n}
          on-attempt 2 write lib/shout.sh shout() {\n  hello "$1" | tr a-z A-Z\n}
          append lib/index.sh . lib/shout.sh
          usage 2600 380 0.0117
        completion_signals:
          - type: test_passes
            command: |
              . lib/index.sh; said=$(shout Ann); echo "shout Ann says: $said"; test "$said" = "HELLO, ANN!"
  - name: documentation
    depends_on: [features]
    steps:
      - title: Describe the library
        files: [docs/]
        role: docs
        complexity: low
        description: |
          A page that names the functions.
          script:
          sleep 300ms
          write docs/library.md # The library\n\nhello, goodbye and shout greet a person by name.
          usage 1200 300 0.0024
        completion_signals:
          - {type: file_contains, path: docs/library.md, contains: shout}
)";

Status write_text(const std::filesystem::path& path, const std::string& text) {
  std::error_code problem;
  std::filesystem::create_directories(path.parent_path(), problem);
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file) return Error{ErrorCode::environment, "cannot write " + path.string() + "; is the disk full?"};
  return Ok{};
}

// git in the demonstration's own repository, out of reach of the person's settings.
Status git(const Context& context, const std::string& directory, std::vector<std::string> words) {
  agent::Environment env = agent::allowed_environment(context.environment, {});
  env["GIT_CONFIG_NOSYSTEM"] = "1";
  env["GIT_CONFIG_GLOBAL"] = "/dev/null";
  for (const char* who : {"AUTHOR", "COMMITTER"}) {
    env[std::string("GIT_") + who + "_NAME"] = "Bernstein's demo";
    env[std::string("GIT_") + who + "_EMAIL"] = "demo@bernstein.invalid";
  }
  const std::string log = directory + "/.git-output";
  words.insert(words.begin(), {"git", "-C", directory});
  const std::unique_ptr<port::Reactor> reactor = proc::open_reactor();
  std::optional<port::ProcessExit> ended;
  BERNSTEIN_TRY([[maybe_unused]] const auto started, reactor->start({.argv = std::move(words),
                                                                     .env = std::move(env),
                                                                     .directory = directory,
                                                                     .stdin_text = "",
                                                                     .output_path = log,
                                                                     .timeout_us = k_git_us_max},
                                                                    [&](port::ProcessExit exit) { ended = exit; }));
  while (!ended) reactor->turn();
  std::ifstream file(log, std::ios::binary);
  const std::string output((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  std::error_code ignored;
  std::filesystem::remove(log, ignored);
  if (ended->exit_code == 0) return Ok{};
  return Error{ErrorCode::environment, "git failed in " + directory + ": " + output};
}

Status set_up(const Context& context, const std::string& directory) {
  BERNSTEIN_TRY_VOID(write_text(directory + "/README.md", k_readme));
  BERNSTEIN_TRY_VOID(write_text(directory + "/lib/index.sh", k_index));
  BERNSTEIN_TRY_VOID(write_text(directory + "/bernstein.yaml", k_config));
  BERNSTEIN_TRY_VOID(write_text(directory + "/plan.yaml", k_plan));
  BERNSTEIN_TRY_VOID(git(context, directory, {"init", "-q", "-b", "main"}));
  BERNSTEIN_TRY_VOID(git(context, directory, {"add", "README.md", "lib", "bernstein.yaml", "plan.yaml"}));
  return git(context, directory, {"commit", "-q", "-m", "A library without functions"});
}

struct Verified {
  run::ReplayReport replay;
  run::AuditReport audit;
  bool ok() const { return replay.divergences == 0 && audit.ok(); }
};

Result<Verified> verify(const Context& context) {
  BERNSTEIN_TRY(const Home home, open_workspace(context));
  Verified verified;
  BERNSTEIN_TRY(verified.replay, run::replay(*home.reader, RunId{1}));
  BERNSTEIN_TRY(const Anchors anchors, read_anchors(home));
  BERNSTEIN_TRY(verified.audit, run::audit(*home.reader, anchors));
  return verified;
}

void tell(std::ostream& people, const Verified& verified) {
  people << "replay: " << verified.replay.decisions << " decisions derived again from " << verified.replay.events
         << " events, " << verified.replay.divergences << " divergences\n";
  people << "audit: "
         << (verified.audit.ok()
                 ? "hashes, chain and anchors hold"
                 : "event " + std::to_string(verified.audit.first_bad->seq) + ": " + verified.audit.first_bad->what)
         << '\n';
}

}  // namespace

Result<Exit> demo_command(Context& context, const DemoOptions& options) {
  const auto tmpdir = context.environment.find("TMPDIR");
  const std::string parent = tmpdir == context.environment.end() || tmpdir->second.empty() ? "/tmp" : tmpdir->second;
  BERNSTEIN_TRY(TemporaryDirectory place, TemporaryDirectory::make(parent, "demo"));
  if (options.keep) place.keep();
  const std::string& directory = place.path();
  std::ostream& people = context.json ? context.err : context.out;
  people << "six tasks, up to three scripted agents at once, in " << directory << "; nothing else is touched\n"
         << std::flush;
  BERNSTEIN_TRY_VOID(set_up(context, directory));

  std::ostringstream answer;  // the run's own JSON becomes part of ours
  Context inside{.directory = directory,
                 .json = context.json,
                 .verbose = context.verbose,
                 .out_is_terminal = context.out_is_terminal,
                 .err_is_terminal = context.err_is_terminal,
                 .colour = context.colour,
                 .environment = context.environment,
                 .program = context.program,
                 .out = context.json ? answer : context.out,
                 .err = context.err};
  RunOptions plan;
  plan.plan_file = "plan.yaml";
  BERNSTEIN_TRY(const Exit exit, run_command(inside, plan));
  BERNSTEIN_TRY(const Verified verified, verify(inside));
  tell(people, verified);
  if (options.keep) people << "kept: " << directory << "  (bernstein -C " << directory << " why t5)\n";
  if (context.json) {
    nlohmann::ordered_json json;
    json["ok"] = exit == Exit::done && verified.ok();
    json["run"] = nlohmann::ordered_json::parse(answer.str(), nullptr, false);
    json["divergences"] = verified.replay.divergences;
    json["audit_ok"] = verified.audit.ok();
    json["directory"] = options.keep ? nlohmann::ordered_json(directory) : nlohmann::ordered_json(nullptr);
    context.out << json.dump() << '\n';
  }
  return verified.ok() ? exit : Exit::diverged;
}

}  // namespace bernstein::cli
