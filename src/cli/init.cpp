// init: .sdd and a commented bernstein.yaml with gates that fit the project, each tried on HEAD.

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <ostream>

#include "baseline.hpp"
#include "bernstein/base/text.hpp"
#include "bernstein/cli/commands.hpp"
#include "detect.hpp"
#include "doctor.hpp"
#include "place.hpp"

namespace bernstein::cli {
namespace {

constexpr std::size_t k_config_bytes_max = 1 << 20;  // of files that tell what a project is

// A YAML scalar in double quotes.
std::string quoted(const std::string& text) {
  return "\"" + replace_all(replace_all(text, "\\", "\\\\"), "\"", "\\\"") + "\"";
}

std::string gates_text(const std::vector<TriedGate>& gates) {
  if (gates.empty()) {
    return "# Checks that run on every candidate before it lands, by `sh -c` at the root of a clean checkout.\n"
           "# quality_gates:\n#   tests: \"make test\"\n";
  }
  std::string text =
      "# Checks that run on every candidate before it lands, by `sh -c` at the root of a clean checkout.\n";
  bool any_green = false;
  for (const TriedGate& tried : gates) any_green = any_green || tried.green;
  text += any_green ? "quality_gates:\n" : "# quality_gates:\n";
  for (const TriedGate& tried : gates) {
    const std::string line = tried.gate.name + ": " + quoted(tried.gate.command);
    text += tried.green ? "  " + line + "   # " + tried.fact + "\n"
                        : "#  " + line + "   # red on HEAD: " + tried.fact + "; repair it, then take the # away\n";
  }
  return text;
}

std::string config_text(const Detected& detected, const std::vector<TriedGate>& gates) {
  std::string text =
      "# Settings of Bernstein for this project; every key is optional. `bernstein run plan.yaml` reads them.\n\n"
      "# cli: auto           # the first agent that is installed; `bernstein agents` lists them\n"
      "# Agents of your own, each a command line. {prompt_file} {model} {worktree} {task} {attempt} {role} are "
      "filled in;\n"
      "# without {prompt_file} the prompt comes on standard input.\n"
      "# agents:\n"
      "#   my-agent:\n"
      "#     command: [my-agent, --model, \"{model}\", --file, \"{prompt_file}\"]\n"
      "#     models: {cheap: small-1, strong: big-1}   # cheapest first\n"
      "#     env: [MY_AGENT_KEY]                       # names of variables that it gets\n\n"
      "max_agents: 4        # how many work at the same time\n"
      "# budget: \"$10\"      # start nothing that could cost more in all; budget_tokens: 5M for flat rates\n\n";
  text += gates_text(gates) + "\n";
  if (!detected.symlinks.empty()) {
    text += "# Directories that agents and checks share with this checkout.\n";
    text += "worktree_setup: {symlink_dirs: [" + join(detected.symlinks, ", ") + "]}\n\n";
  }
  return text +
         "# How work that passed comes onto the branch: merge or squash, so many candidates checked at once.\n"
         "# Changes to files that only say how checks run (CI, pytest.ini, ...) are left out unless a task owns them.\n"
         "# landing: {method: merge, max_checks: 1, skip_intermediate: false}\n"
         "# limits: {attempts: 3, agent_timeout: 30m, check_timeout: 10m}\n"
         "# constraints: [\"Keep the public interface as it is\"]   # go into every prompt\n";
}

// Writes a file that must not be there yet: whoever made one meanwhile keeps it.
Status write_new(const std::string& path, const std::string& text) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (file < 0) return Error{ErrorCode::environment, "cannot write " + path + ": " + std::strerror(errno)};
  std::size_t written = 0;
  while (written < text.size()) {
    const ssize_t count = write(file, text.data() + written, text.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      const std::string reason = std::strerror(errno);
      close(file);
      unlink(path.c_str());
      return Error{ErrorCode::environment, "cannot write " + path + ": " + reason};
    }
    written += static_cast<std::size_t>(count);
  }
  if (close(file) != 0) return Error{ErrorCode::environment, "cannot write " + path + ": " + std::strerror(errno)};
  return Ok{};
}

Result<Detected> look_at(port::Workspace& workspace, const std::string& commit) {
  BERNSTEIN_TRY(const std::vector<port::TreeFile> entries, workspace.list_tree(commit));
  std::vector<std::string> paths;
  for (const port::TreeFile& entry : entries) paths.push_back(entry.path);
  return detect(paths, [&](const std::string& path) {
    const Result<std::string> text = workspace.read_file(commit, path);
    return text && text->size() <= k_config_bytes_max ? *text : std::string();
  });
}

void report_json(Context& context, const Detected& detected, const std::vector<TriedGate>& gates) {
  nlohmann::ordered_json json;
  json["languages"] = detected.kinds;
  auto& list = json["gates"] = nlohmann::ordered_json::array();
  for (const TriedGate& tried : gates) {
    list.push_back(
        {{"name", tried.gate.name}, {"command", tried.gate.command}, {"green", tried.green}, {"fact", tried.fact}});
  }
  json["config"] = "bernstein.yaml";
  context.out << json.dump() << '\n';
}

void report(Context& context, const Detected& detected, const std::vector<TriedGate>& gates) {
  std::ostream& out = context.out;
  out << (detected.kinds.empty() ? "no language that it knows was found" : "found " + join(detected.kinds, ", "))
      << '\n';
  bool any_red = false;
  for (const TriedGate& tried : gates) {
    out << "  " << (tried.green ? "green" : "red  ") << "  " << tried.gate.name << ": " << tried.gate.command << "  ("
        << tried.fact << ")\n";
    if (!tried.green) out << "         what it printed: " << tried.log << '\n';
    any_red = any_red || !tried.green;
  }
  out << "wrote bernstein.yaml" << (any_red ? "; red gates stand there commented out" : "") << '\n';
  out << "next: write a plan.yaml, and look with `bernstein run plan.yaml "
         "--dry-run`\n";
}

}  // namespace

Result<Exit> init_command(Context& context) {
  BERNSTEIN_TRY(const Place place, find_place(context.directory));
  const std::string config = place.worktree + "/bernstein.yaml";
  std::error_code ignored;
  if (std::filesystem::exists(std::filesystem::symlink_status(config, ignored))) {
    BERNSTEIN_TRY_VOID(make_sdd(place.sdd));
    (context.json ? context.err : context.out) << "bernstein.yaml is there already and stays as it is\n";
    if (context.json) context.out << "{\"config\":\"bernstein.yaml\",\"gates\":[],\"languages\":[]}\n";
    tell_what_is_wrong(context, context.json ? context.err : context.out);
    return Exit::done;
  }
  BERNSTEIN_TRY_VOID(make_sdd(place.sdd));
  BERNSTEIN_TRY(const std::unique_ptr<port::Workspace> workspace, open_repository(place));
  BERNSTEIN_TRY(const Detected detected, look_at(*workspace, place.head));
  std::vector<TriedGate> gates;
  if (!detected.gates.empty()) {
    BERNSTEIN_TRY(gates, try_gates(context, place, detected.gates, detected.symlinks));
  }
  BERNSTEIN_TRY_VOID(write_new(config, config_text(detected, gates)));
  if (context.json) {
    report_json(context, detected, gates);
  } else {
    report(context, detected, gates);
  }
  tell_what_is_wrong(context, context.json ? context.err : context.out);
  return Exit::done;
}

}  // namespace bernstein::cli
