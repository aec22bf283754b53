#include "doctor_checks.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "bernstein/base/text.hpp"
#include "bernstein/state/run_state.hpp"
#include "print.hpp"
#include "settings.hpp"

namespace bernstein::cli {
namespace {

constexpr const char* k_git_at_least = "2.30";
constexpr std::uint64_t k_free_bytes_min = 200'000'000;       // less: a run would end in the middle
constexpr std::uint64_t k_free_bytes_enough = 2'000'000'000;  // worktrees and builds of some agents side by side
constexpr std::uint64_t k_limit_min = 1024;
constexpr Micros k_start_of_2024_us = Micros{1'704'067'200} * k_second;
constexpr Micros k_behind_us_max = 60 * k_minute;
constexpr const char* k_scripted = "scripted";

struct FileSystemKind {
  std::uint64_t magic;
  std::string_view name;
  bool doubtful = false;
};

// linux/magic.h and statfs(2).
constexpr std::array<FileSystemKind, 20> k_file_systems{{
    {0xEF53, "ext4"},
    {0x58465342, "xfs"},
    {0x9123683E, "btrfs"},
    {0x2FC12FC1, "zfs"},
    {0xF2F52010, "f2fs"},
    {0xCA451A4E, "bcachefs"},
    {0x794C7630, "overlay"},
    {0x01021994, "tmpfs, in memory: gone when the machine restarts"},
    {0x858458F6, "ramfs, in memory: gone when the machine restarts"},
    {0x6969, "NFS", true},
    {0x517B, "SMB", true},
    {0xFF534D42, "CIFS", true},
    {0xFE534D42, "SMB", true},
    {0x01021997, "9p", true},
    {0x65735546, "FUSE", true},
    {0x00C36400, "Ceph", true},
    {0x0BD00BD0, "Lustre", true},
    {0x47504653, "GPFS", true},
    {0x5346414F, "AFS", true},
    {0x4D44, "FAT", true},
}};

bool is_word_part(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
}

bool has_word(std::string_view text, std::string_view word) {
  for (std::size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if ((at == 0 || !is_word_part(text[at - 1])) && (end == text.size() || !is_word_part(text[end]))) return true;
  }
  return false;
}

// "--model", "-m"; not "-", "--" or "-1".
bool is_flag(std::string_view word) {
  const std::size_t letter = word.starts_with("--") ? 2 : 1;
  return word.starts_with('-') && word.size() > letter &&
         ((word[letter] >= 'a' && word[letter] <= 'z') || (word[letter] >= 'A' && word[letter] <= 'Z'));
}

std::string limit_words(std::uint64_t limit) {
  return limit == k_no_limit ? "no limit" : grouped(static_cast<std::int64_t>(limit));
}

bool is_named_by(const plan::Config& config, const std::string& agent) {
  return preferred_agent(config) == agent ||
         std::ranges::any_of(config.agents, [&](const AgentSpec& spec) { return spec.name == agent; }) ||
         std::ranges::any_of(config.role_policy, [&](const auto& policy) { return policy.second.agent == agent; });
}

// Its command begins with a placeholder: what it is, only a task tells.
bool is_open(const AgentSpec& spec) {
  return !spec.command.empty() && spec.command.front().find('{') != std::string::npos;
}

std::string correct_command(const std::string& agent) {
  return "correct the command of '" + agent + "' under agents: in bernstein.yaml";
}

void judge_installed(std::vector<Finding>& findings, const FoundAgent& agent) {
  const plan::AgentFacts& facts = agent.entry->facts;
  const std::string& name = agent.entry->spec.name;
  const std::string id = "agent." + name;
  const std::string where = name + " " + (agent.version.empty() ? "of unknown version" : agent.version);
  const std::string program = " (" + agent.program + ")";
  if (agent.version_why.empty()) {
    findings.push_back({id, Grade::ok, where + program, ""});
  } else {
    findings.push_back({id, Grade::warn, where + " is " + agent.version_why + program,
                        facts.install.empty() ? correct_command(name) : facts.install});
  }
  if (agent.login == Login::no) {
    findings.push_back({id + ".login", Grade::warn, name + ": nobody is logged in: " + agent.login_fact,
                        facts.login.fix.empty() ? "log in with " + name : facts.login.fix});
  } else {
    findings.push_back({id + ".login", Grade::ok,
                        name + (agent.login == Login::yes ? ": login: " : ": login unknown: ") + agent.login_fact, ""});
  }
}

void judge_missing(std::vector<Finding>& findings, const FoundAgent& agent, const plan::Config& config) {
  const AgentSpec& spec = agent.entry->spec;
  const std::string program = spec.command.empty() ? spec.name : spec.command.front();
  const auto planner = config.role_policy.find(std::string(k_planner_role));
  const bool plans = planner != config.role_policy.end() && planner->second.agent == spec.name;
  const bool is_needed = plans || preferred_agent(config) == spec.name;
  findings.push_back({"agent." + spec.name, is_needed ? Grade::fail : Grade::warn,
                      spec.name + ": the program '" + program + "' cannot be found" +
                          (program.find('/') == std::string::npos ? " in PATH" : ""),
                      agent.entry->facts.install.empty() ? correct_command(spec.name) : agent.entry->facts.install});
}

// The one that `cli: auto` likes best.
std::string install_one(const std::vector<FoundAgent>& agents) {
  const plan::CatalogEntry* best = nullptr;
  for (const FoundAgent& agent : agents) {
    const plan::AgentFacts& facts = agent.entry->facts;
    if (facts.rank > 0 && !facts.install.empty() && (best == nullptr || facts.rank < best->facts.rank))
      best = agent.entry;
  }
  return (best == nullptr ? "install one" : best->facts.install) +
         ", or another one that `bernstein agents` lists, or name yours under agents: in bernstein.yaml";
}

// "1,010 tokens in, 300 of a cache, 41 out, $0.0017": what a question has cost, as far as the agent tells.
std::string words_of(const Usage& usage) {
  if (!usage.input_tokens || !usage.output_tokens) return "it does not tell what that cost";
  std::string words = grouped(*usage.input_tokens + usage.cached_tokens.value_or(0)) + " tokens in";
  if (usage.cached_tokens.value_or(0) > 0) words += " (" + grouped(*usage.cached_tokens) + " from a cache)";
  words += ", " + grouped(*usage.output_tokens) + " out";
  return usage.cost_micros ? words + ", " + format_usd(*usage.cost_micros) : words;
}

// What mends an agent that does not answer.
std::string mend(const ModelAnswer& answer) {
  const std::string& name = answer.agent->entry->spec.name;
  const plan::AgentFacts& facts = answer.agent->entry->facts;
  switch (answer.ending.outcome) {
    case AgentOutcome::auth:
      return facts.login.fix.empty() ? "log in with " + name : facts.login.fix;
    case AgentOutcome::model:
      return "name models that it has under agents: " + name + ": models: in bernstein.yaml";
    case AgentOutcome::quota:
    case AgentOutcome::overload:
      return "bernstein doctor --probe, later";
    case AgentOutcome::done:
    case AgentOutcome::context:
    case AgentOutcome::refusal:
    case AgentOutcome::crash:
    case AgentOutcome::count_:
      break;
  }
  return "see what it says: " + join(answer.agent->entry->spec.read_only, " ");
}

}  // namespace

Finding finding_of(std::string id, Grade grade, const std::string& sentence, const std::string& otherwise) {
  const std::size_t at = sentence.rfind("; ");
  if (at == std::string::npos) return {std::move(id), grade, sentence, otherwise};
  return {std::move(id), grade, sentence.substr(0, at), sentence.substr(at + 2)};
}

Finding judge_git(const std::string& program, const std::string& version) {
  if (program.empty()) return {"git", Grade::fail, "git is not in PATH, and agents need it", "apt-get install git"};
  if (version.empty()) return {"git", Grade::warn, program + " does not tell its version", program + " --version"};
  if (is_older(version, k_git_at_least)) {
    return {"git", Grade::fail, "git " + version + " is older than " + k_git_at_least + " (" + program + ")",
            "apt-get install git"};
  }
  return {"git", Grade::ok, "git " + version + " (" + program + ")", ""};
}

std::vector<Finding> judge_repository(const Place& place) {
  std::vector<Finding> findings;
  constexpr std::string_view k_branches = "refs/heads/";
  if (place.branch.empty()) {
    findings.push_back({"repository", Grade::warn,
                        place.worktree + ": HEAD is detached, so there is no branch to land on",
                        "git switch BRANCH, or bernstein run --target BRANCH"});
  } else {
    const std::string branch =
        place.branch.starts_with(k_branches) ? place.branch.substr(k_branches.size()) : place.branch;
    findings.push_back({"repository", Grade::ok, place.worktree + " on branch " + branch, ""});
  }
  for (const std::string& note : place.notes) findings.push_back({"repository.note", Grade::ok, note, ""});
  return findings;
}

Finding judge_disk(const std::string& directory, std::uint64_t free_bytes, bool may_write) {
  const std::string fact = format_bytes(free_bytes) + " are free in " + directory;
  if (!may_write) return {"disk", Grade::fail, directory + " may not be written", "ls -ld " + directory};
  if (free_bytes >= k_free_bytes_enough) return {"disk", Grade::ok, fact, ""};
  return {"disk", free_bytes < k_free_bytes_min ? Grade::fail : Grade::warn,
          fact + ", which is less than " +
              format_bytes(free_bytes < k_free_bytes_min ? k_free_bytes_min : k_free_bytes_enough),
          "bernstein clean; du -xh " + directory + " | sort -h | tail"};
}

Finding judge_file_system(std::uint64_t kind) {
  const std::uint64_t magic = kind & 0xFFFFFFFFU;  // statfs has it signed on some machines
  const auto* found =
      std::ranges::find_if(k_file_systems, [&](const FileSystemKind& known) { return known.magic == magic; });
  if (found == k_file_systems.end()) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "0x%llx", static_cast<unsigned long long>(magic));
    return {"file_system", Grade::ok, std::string("a kind that it does not know: ") + text.data(), ""};
  }
  if (!found->doubtful) return {"file_system", Grade::ok, std::string(found->name), ""};
  return {"file_system", Grade::warn,
          std::string(found->name) + ": locks and fsync may not do there what the log needs",
          "git clone the repository to a local disk, and work there"};
}

Finding judge_limit(const ResourceLimit& limit) {
  const std::string fact = limit.what + ": " + limit_words(limit.soft);
  if (limit.soft >= k_limit_min) return {limit.id, Grade::ok, fact, ""};
  const std::string wanted = std::to_string(k_limit_min);
  return {limit.id, Grade::warn, fact + ", less than " + limit_words(k_limit_min),
          limit.hard >= k_limit_min
              ? "ulimit -S " + limit.flag + " " + wanted
              : "as root: prlimit --pid $$ " + std::string(limit.flag == "-n" ? "--nofile" : "--nproc") + "=" + wanted +
                    ", or for good in /etc/security/limits.conf"};
}

std::vector<Finding> judge_agents(const std::vector<FoundAgent>& agents, const plan::Config* config) {
  std::vector<Finding> findings;
  std::vector<std::string> names{k_scripted};
  bool any = false;
  for (const FoundAgent& agent : agents) {
    const std::string& name = agent.entry->spec.name;
    names.push_back(name);
    if (!agent.program.empty()) {
      judge_installed(findings, agent);
      any = true;
    } else if (config != nullptr && is_open(agent.entry->spec)) {
      findings.push_back({"agent." + name, Grade::ok, name + ": its program is known when it is started", ""});
      any = true;
    } else if (config != nullptr && is_named_by(*config, name)) {
      judge_missing(findings, agent, *config);
    }
  }
  const std::string wanted = config == nullptr ? "" : preferred_agent(*config);
  if (wanted == k_scripted) {
    findings.push_back({"agent.scripted", Grade::ok, "scripted: part of Bernstein", ""});
    any = true;
  }
  const auto look_up = [&](const std::string& where, const std::string& name) {
    if (name.empty() || std::ranges::find(names, name) != names.end()) return;
    findings.push_back(
        {"agents", Grade::fail,
         "bernstein.yaml: " + where + ": there is no agent '" + name + "'" + did_you_mean_clause(name, names),
         "bernstein agents"});
  };
  look_up("cli", wanted);
  if (config != nullptr) {
    for (const auto& [role, policy] : config->role_policy) look_up("role_model_policy: " + role, policy.agent);
  }
  if (any) return findings;
  findings.push_back({"agents", config == nullptr ? Grade::warn : Grade::fail,
                      config == nullptr ? "no agent of the catalog is installed, and bernstein.yaml cannot be read"
                                        : "no agent is installed",
                      install_one(agents)});
  return findings;
}

std::vector<std::string> help_command(const std::vector<std::string>& command) {
  std::vector<std::string> words;
  for (const std::string& word : command) {
    if (!words.empty() && (word.empty() || word.starts_with('-') || word.find('{') != std::string::npos)) break;
    words.push_back(word);
  }
  words.emplace_back("--help");
  return words;
}

std::vector<std::string> missing_flags(const std::vector<std::string>& command, std::string_view help) {
  std::vector<std::string> missing;
  for (const std::string& word : command) {
    const std::string flag = word.substr(0, word.find('='));
    if (!is_flag(flag) || has_word(help, flag) || std::ranges::find(missing, flag) != missing.end()) continue;
    missing.push_back(flag);
  }
  return missing;
}

std::vector<const FoundAgent*> agents_in_use(const std::vector<FoundAgent>& agents, const plan::Config& config) {
  std::vector<const FoundAgent*> found;
  const FoundAgent* automatic = nullptr;
  for (const FoundAgent& agent : agents) {
    const std::uint32_t rank = agent.entry->facts.rank;
    if (agent.program.empty() || is_open(agent.entry->spec)) continue;
    if (is_named_by(config, agent.entry->spec.name)) {
      found.push_back(&agent);
    } else if (rank > 0 && (automatic == nullptr || rank < automatic->entry->facts.rank)) {
      automatic = &agent;
    }
  }
  if (automatic != nullptr && preferred_agent(config).empty()) found.push_back(automatic);
  std::erase_if(found, [](const FoundAgent* agent) { return agent->login == Login::no; });
  return found;
}

Finding judge_answer(const ModelAnswer& answer) {
  const std::string& name = answer.agent->entry->spec.name;
  const std::string id = "agent." + name + ".model";
  const std::string asked = name + (answer.model.empty() ? "" : " with " + answer.model);
  const std::string time = format_duration(answer.duration_us);
  if (!answer.error.empty())
    return {id, Grade::warn, asked + " cannot be asked: " + answer.error, answer.agent->entry->facts.install};
  if (answer.timed_out)
    return {id, Grade::warn, asked + " has not answered in " + time, "bernstein doctor --probe, later"};
  if (answer.ending.outcome != AgentOutcome::done) {
    return {id, Grade::warn,
            asked + " does not reach its model: " + std::string(to_word(answer.ending.outcome)) +
                (answer.ending.message.empty() ? "" : ": " + answer.ending.message),
            mend(answer)};
  }
  if (answer.words.empty()) return {id, Grade::warn, asked + " has answered nothing in " + time, mend(answer)};
  constexpr std::size_t k_words_max = 40;
  const std::string words =
      answer.words.size() > k_words_max ? answer.words.substr(0, k_words_max) + "..." : answer.words;
  return {id, Grade::ok, asked + " answered '" + words + "' in " + time + ": " + words_of(answer.usage), ""};
}

Finding judge_clock(Micros now_us, std::optional<Micros> newest_event_us) {
  const std::string fix = "timedatectl set-ntp true";
  const std::string fact = "it is " + format_wall(now_us);
  if (now_us < k_start_of_2024_us) return {"clock", Grade::warn, fact + ", before Bernstein was written", fix};
  if (newest_event_us && *newest_event_us - now_us > k_behind_us_max) {
    return {"clock", Grade::warn, fact + ", and the newest event of the log is from " + format_wall(*newest_event_us),
            fix};
  }
  return {"clock", Grade::ok, fact, ""};
}

}  // namespace bernstein::cli
