// doctor: whether a run could work here. Each check is a fact and, where it is not fine, what mends it.

#include "doctor.hpp"

#include <sys/resource.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <ostream>

#include "baseline.hpp"
#include "bernstein/base/text.hpp"
#include "bernstein/git/workspace.hpp"
#include "bernstein/store/store.hpp"
#include "doctor_workspace.hpp"
#include "drive.hpp"
#include "inputs.hpp"
#include "leftovers.hpp"
#include "open_workspace.hpp"
#include "print.hpp"
#include "program.hpp"
#include "questions.hpp"
#include "sandbox.hpp"

namespace bernstein::cli {
namespace {

using Json = nlohmann::ordered_json;
using Findings = std::vector<Finding>;
namespace fs = std::filesystem;

constexpr const char* k_backup = "keep a copy of .sdd, and put a backup of state.db in its place";

// What the checks look at.
struct Patient {
  Context& context;
  bool probe = false;
  Result<Place> place;              // or why there is none
  std::string directory;            // root of the repository; without one, where the person stands
  std::optional<Home> home;         // nothing without a log that can be read
  std::optional<Error> home_error;  // why there is none although there is a file
  std::variant<plan::Config, Refusal> config_file;
  std::vector<plan::CatalogEntry> entries;

  // Null when it cannot be read.
  const plan::Config* config() const { return std::get_if<plan::Config>(&config_file); }
};

void append(Findings& to, Findings from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

bool is_there(const std::string& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

Findings check_git(Patient& patient) {
  const std::string program = find_program("git", variable(patient.context, "PATH"), patient.directory).value_or("");
  Question version{.argv = {program, "--version"}};
  if (!program.empty()) ask(patient.context, {&version});
  return {judge_git(program, version_in(version.answer))};
}

Findings check_repository(Patient& patient) {
  if (patient.place) return judge_repository(*patient.place);
  return {finding_of("repository", Grade::fail, patient.place.error().message, "git init")};
}

// Whoever starts agents for us lies beside us.
Findings check_supervisor(Patient& patient) {
  const std::string program = supervisor_of(patient.context);
  if (::access(program.c_str(), X_OK) == 0) return {{"supervisor", Grade::ok, program, ""}};
  return {{"supervisor", Grade::fail, "there is no program " + program, "install bernstein-exec beside bernstein"}};
}

Findings check_libraries(Patient&) {
  return {{"libgit2", Grade::ok, "libgit2 " + git::libgit2_version(), ""},
          {"sqlite", Grade::ok, "SQLite " + store::sqlite_version(), ""}};
}

Findings check_database(Patient& patient) {
  if (!patient.place) return {};
  const std::string log = patient.place->sdd + "/state.db";
  if (!is_there(log)) return {{"database", Grade::ok, "no run yet: there is no " + log, ""}};
  if (patient.home_error && patient.home_error->code == ErrorCode::not_found)  // an empty one
    return {{"database", Grade::ok, "no run yet: " + log + " is empty", ""}};
  const auto damages = store::find_damage(log);
  if (!damages) return {finding_of("database", Grade::fail, damages.error().message, k_backup)};
  Findings findings;
  for (const std::string& damage : damages->damages)
    findings.push_back({"database", Grade::fail, log + ": " + damage, k_backup});
  if (findings.empty() && patient.home_error)
    findings.push_back(finding_of("database", Grade::fail, patient.home_error->message, k_backup));
  if (!findings.empty() || !patient.home) return findings;
  const Result<port::LogHead> head = patient.home->reader->head();
  if (!head) return {finding_of("database", Grade::fail, head.error().message, k_backup)};
  const std::string state = damages->finished
                                ? " is whole: "
                                : " is ok so far, not finished in " + format_duration(store::k_damage_limit) + ": ";
  return {{"database", Grade::ok,
           log + state + counted(head->last_seq, "event") + ", " +
               format_bytes(bytes_below(log) + bytes_below(log + "-wal")),
           ""}};
}

Findings check_disk(Patient& patient) {
  const std::string sdd = patient.directory + "/.sdd";
  const std::string directory = is_there(sdd) ? sdd : patient.directory;
  std::error_code problem;
  const fs::space_info space = fs::space(directory, problem);
  struct statfs system {};
  if (problem || ::statfs(directory.c_str(), &system) != 0)
    return {{"disk", Grade::fail, directory + " cannot be looked at", "ls -ld " + directory}};
  return {judge_disk(directory, space.available, ::access(directory.c_str(), W_OK) == 0),
          judge_file_system(static_cast<std::uint64_t>(system.f_type))};
}

std::uint64_t limit_of(rlim_t limit) {
  return limit == RLIM_INFINITY ? k_no_limit : static_cast<std::uint64_t>(limit);
}

Findings check_limits(Patient&) {
  Findings findings;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0)
    findings.push_back(
        judge_limit({"limits.files", "open files", "-n", limit_of(limit.rlim_cur), limit_of(limit.rlim_max)}));
  if (::getrlimit(RLIMIT_NPROC, &limit) == 0)
    findings.push_back(judge_limit(
        {"limits.processes", "processes and threads", "-u", limit_of(limit.rlim_cur), limit_of(limit.rlim_max)}));
  return findings;
}

Findings check_sandbox(Patient& patient) {
  const plan::Config* config = patient.config();
  const SandboxMode wanted = config == nullptr ? SandboxMode::automatic : config->sandbox;
  if (wanted == SandboxMode::off) return {{"sandbox", Grade::ok, "off, as bernstein.yaml says", ""}};
  const Place here = patient.place ? *patient.place
                                   : Place{.root = patient.directory,
                                           .worktree = patient.directory,
                                           .git_dir = patient.directory,
                                           .sdd = patient.directory + "/.sdd",
                                           .branch = "",
                                           .head = "",
                                           .notes = {}};
  std::vector<AgentSpec> agents;
  if (config != nullptr) agents = config->agents;
  const auto found = find_obstacle(patient.context, here, wanted, agents);
  if (!found) return {{"sandbox", Grade::ok, "bubblewrap works", ""}};
  return {{"sandbox", wanted == SandboxMode::strict ? Grade::fail : Grade::warn,
           found->what + (wanted == SandboxMode::strict ? ", and bernstein.yaml wants sandbox: strict"
                                                        : ": agents and checks could change your repository and .sdd"),
           found->fix}};
}

// Whether the clients' own help has every flag that the catalog gives them.
Findings check_flags(const Patient& patient, const std::vector<FoundAgent>& agents) {
  std::map<std::size_t, Question> helps;
  std::vector<Question*> questions;
  for (std::size_t i = 0; i < agents.size(); ++i) {
    const AgentSpec& spec = agents[i].entry->spec;
    const plan::CatalogEntry* ours = plan::find_in_catalog(spec.name);
    // A person's own program might take --help for something to do.
    if (agents[i].program.empty() || ours == nullptr || ours->spec.command != spec.command) continue;
    Question& help = helps[i];
    help.argv = help_command(spec.command);
    help.argv.front() = agents[i].program;
    questions.push_back(&help);
  }
  ask(patient.context, questions);
  Findings findings;
  for (const auto& [i, help] : helps) {
    const AgentSpec& spec = agents[i].entry->spec;
    const std::string asked = "`" + join(help_command(spec.command), " ") + "`";
    const std::vector<std::string> missing = missing_flags(spec.command, help.answer);
    Finding finding{"agent." + spec.name + ".flags", Grade::ok, asked + " has every flag that it is given", ""};
    if (!missing.empty()) {
      finding.grade = Grade::warn;
      finding.fact =
          trim(help.answer).empty() ? asked + " says nothing" : asked + " does not have " + join(missing, ", ");
      finding.fix = agents[i].entry->facts.install.empty() ? "change its command under agents: in bernstein.yaml"
                                                           : agents[i].entry->facts.install;
    }
    findings.push_back(std::move(finding));
  }
  return findings;
}

// Costs something: hence few are asked, one word of each.
Findings check_models(const Patient& patient, const std::vector<FoundAgent>& agents) {
  if (patient.config() == nullptr) return {};
  Findings findings;
  std::vector<const FoundAgent*> asked;
  for (const FoundAgent* agent : agents_in_use(agents, *patient.config())) {
    const AgentSpec& spec = agent->entry->spec;
    if (!spec.read_only.empty() && !spec.models.empty()) {
      asked.push_back(agent);
      patient.context.err << "asking " << spec.name << " for a word, with " << spec.models.front().name << '\n'
                          << std::flush;
      continue;
    }
    findings.push_back({"agent." + spec.name + ".model", Grade::ok,
                        spec.name + " has no read-only session, so it was not asked whether it reaches its model", ""});
  }
  for (const ModelAnswer& answer : ask_models(patient.context, asked)) findings.push_back(judge_answer(answer));
  return findings;
}

Findings check_agents(Patient& patient) {
  const std::vector<FoundAgent> agents =
      discover(patient.context, patient.entries, {.directory = patient.directory, .probe = patient.probe});
  Findings findings = judge_agents(agents, patient.config());
  if (patient.probe) {
    append(findings, check_flags(patient, agents));
    append(findings, check_models(patient, agents));
  }
  return findings;
}

Findings check_config(Patient& patient) {
  Findings findings;
  if (const auto* refusal = std::get_if<Refusal>(&patient.config_file)) {
    for (const std::string& reason : refusal->reasons)
      findings.push_back(finding_of("config", Grade::fail, reason, "correct bernstein.yaml there"));
    return findings;
  }
  const std::string path = (patient.place ? patient.place->worktree : patient.directory) + "/bernstein.yaml";
  for (const std::string& warning : patient.config()->warnings)
    findings.push_back(finding_of("config", Grade::warn, warning, "correct bernstein.yaml there"));
  if (findings.empty()) {
    findings.push_back({"config", Grade::ok,
                        is_there(path) ? "bernstein.yaml has no fault"
                                       : "there is no bernstein.yaml, so defaults hold; `bernstein init` writes one",
                        ""});
  }
  return findings;
}

Findings check_gates(Patient& patient) {
  const plan::Config* config = patient.config();
  if (!patient.place || config == nullptr) return {};
  if (config->gates.empty())
    return {{"gates", Grade::ok, "none: tasks without signals of their own land unverified", ""}};
  if (!patient.probe) {
    return {{"gates", Grade::ok,
             counted(static_cast<std::int64_t>(config->gates.size()), "gate") + " not run; --probe runs them", ""}};
  }
  std::vector<Proposal> gates;
  for (const CheckSpec& gate : config->gates) gates.push_back({gate.name, gate.command});
  const Status made = make_sdd(patient.place->sdd);
  if (!made) return {finding_of("gates", Grade::fail, made.error().message, "ls -ld " + patient.place->sdd)};
  const auto tried = try_gates(patient.context, *patient.place, gates, config->worktree_setup.symlink_dirs);
  if (!tried) {
    return {finding_of("gates", tried.error().code == ErrorCode::busy ? Grade::warn : Grade::fail,
                       "not run: " + tried.error().message, "bernstein doctor --probe, when it is done")};
  }
  // What a setup command or copied files would have brought is missing here, so red is no proof then.
  const bool is_bare = !config->worktree_setup.command.empty() || !config->worktree_setup.copy_files.empty();
  Findings findings;
  for (const TriedGate& gate : *tried) {
    const std::string id = "gate." + gate.gate.name;
    if (gate.green) {
      findings.push_back({id, Grade::ok, gate.gate.name + " is green on HEAD: " + gate.fact, ""});
      continue;
    }
    findings.push_back({id, is_bare ? Grade::warn : Grade::fail,
                        gate.gate.name + " is red on HEAD" + (is_bare ? " without worktree_setup" : "") + ": " +
                            gate.fact + ", so nothing could land",
                        "less " + gate.log});
  }
  return findings;
}

Findings check_home(Patient& patient) {
  return patient.home ? check_workspace(*patient.home) : Findings{};
}

std::optional<Micros> newest_event_us(const Patient& patient) {
  if (!patient.home) return std::nullopt;
  const auto table = patient.home->reader->query("SELECT wall_us FROM events ORDER BY seq DESC LIMIT 1");
  if (!table || table->rows.empty()) return std::nullopt;
  try {
    return std::stoll(table->rows.front().front().text);
  } catch (const std::exception&) {
    return std::nullopt;  // a damaged log: said above
  }
}

Findings check_clock(Patient& patient) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return {judge_clock(std::chrono::duration_cast<std::chrono::microseconds>(now).count(), newest_event_us(patient))};
}

Patient admit(Context& context, const DoctorOptions& options) {
  Patient patient{.context = context,
                  .probe = options.probe,
                  .place = find_place(context.directory),
                  .directory = context.directory,
                  .home = {},
                  .home_error = {},
                  .config_file = {},
                  .entries = {}};
  if (patient.place) patient.directory = patient.place->root;
  patient.config_file = read_config(patient.place ? patient.place->worktree : context.directory);
  patient.entries = patient.config() == nullptr ? plan::catalog() : all_agents(*patient.config());
  if (!patient.place || !is_there(patient.place->sdd + "/state.db")) return patient;
  Result<Home> home = open_workspace(context);
  if (home) {
    patient.home = std::move(home).value();
  } else {
    patient.home_error = home.error();
  }
  return patient;
}

Tint tint_of(Grade grade) {
  switch (grade) {
    case Grade::ok:
      return Tint::good;
    case Grade::warn:
      return Tint::warning;
    case Grade::fail:
    case Grade::count_:
      break;
  }
  return Tint::bad;
}

std::int64_t count(const Findings& findings, Grade grade) {
  return std::ranges::count_if(findings, [&](const Finding& finding) { return finding.grade == grade; });
}

Json to_json(const Findings& findings) {
  Json json;
  json["ok"] = count(findings, Grade::fail) == 0;
  Json& checks = json["checks"] = Json::array();
  for (const Finding& finding : findings) {
    checks.push_back(Json{{"id", finding.id},
                          {"status", to_word(finding.grade)},
                          {"fact", finding.fact},
                          {"fix", finding.fix.empty() ? Json(nullptr) : Json(finding.fix)}});
  }
  return json;
}

void print_findings(std::ostream& out, Screen screen, const Findings& findings) {
  screen.width = 0;  // a command that is cut short mends nothing
  TextTable table({{"STATUS"}, {"CHECK"}, {"FACT"}});
  for (const Finding& finding : findings) {
    table.add({{std::string(to_word(finding.grade)), tint_of(finding.grade)}, {finding.id}, {finding.fact}});
    if (!finding.fix.empty()) table.add({{""}, {""}, {"fix: " + finding.fix, Tint::strong}});
  }
  table.print(out, screen);
  const std::int64_t failed = count(findings, Grade::fail);
  const std::int64_t warned = count(findings, Grade::warn);
  out << '\n';
  if (failed == 0 && warned == 0) {
    out << "all is well\n";
  } else {
    out << counted(failed, "failure") << ", " << counted(warned, "warning") << '\n';
  }
}

}  // namespace

Findings examine(Context& context, const DoctorOptions& options) {
  Patient patient = admit(context, options);
  Findings findings;
  for (const auto check :
       {check_git, check_repository, check_supervisor, check_libraries, check_database, check_disk, check_limits,
        check_sandbox, check_agents, check_config, check_gates, check_home, check_clock}) {
    append(findings, check(patient));
  }
  return findings;
}

void tell_what_is_wrong(Context& context, std::ostream& out) {
  for (const Finding& finding : examine(context, {})) {
    if (finding.grade == Grade::ok) continue;
    out << "  " << to_word(finding.grade) << "   " << one_line(finding.fact) << ": " << one_line(finding.fix) << '\n';
  }
  out << "`bernstein doctor` tells all\n";
}

Result<Exit> doctor_command(Context& context, const DoctorOptions& options) {
  const Findings findings = examine(context, options);
  if (context.json) {
    context.out << to_json(findings).dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
  } else {
    print_findings(context.out, screen_of(context), findings);
  }
  return count(findings, Grade::fail) == 0 ? Exit::done : Exit::environment;
}

}  // namespace bernstein::cli
