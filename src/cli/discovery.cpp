#include "discovery.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "bernstein/base/text.hpp"
#include "inputs.hpp"
#include "program.hpp"
#include "questions.hpp"

namespace bernstein::cli {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

constexpr std::size_t k_file_bytes_max = 1 << 20;

std::string home_path(const Context& context, const std::string& path) {
  return path.starts_with("~/") ? variable(context, "HOME") + path.substr(1) : path;
}

Json parse(const std::string& text) {
  return Json::parse(text, nullptr, false);
}

// ---- What is remembered of versions ----

std::string cache_path(const Context& context) {
  std::string root = variable(context, "XDG_CACHE_HOME");
  if (!root.starts_with('/')) root = variable(context, "HOME").empty() ? "" : variable(context, "HOME") + "/.cache";
  return root.empty() ? "" : root + "/bernstein/versions.json";
}

// What a program is known by: it changes when the program does.
std::string identity_of(const std::string& program) {
  std::error_code problem;
  const fs::path real = fs::canonical(program, problem);
  struct stat file {};
  if (problem || ::stat(real.c_str(), &file) != 0) return "";
  return real.string() + " " + std::to_string(file.st_size) + " " + std::to_string(file.st_mtim.tv_sec) + "." +
         std::to_string(file.st_mtim.tv_nsec);
}

std::map<std::string, std::string> read_cache(const std::string& path) {
  std::map<std::string, std::string> known;
  const Result<std::string> text = path.empty() ? Error{} : read_text(path, k_file_bytes_max);
  const Json json = text ? parse(*text) : Json();
  if (!json.is_object()) return known;
  for (const auto& [program, version] : json.items()) {
    if (version.is_string()) known[program] = version.get<std::string>();
  }
  return known;
}

// Whoever comes second wins; what is lost is asked for again.
void write_cache(const std::string& path, const std::map<std::string, std::string>& known) {
  if (path.empty()) return;
  std::error_code problem;
  fs::create_directories(fs::path(path).parent_path(), problem);
  const std::string draft = path + "." + std::to_string(::getpid());
  std::ofstream(draft) << Json(known).dump(1, ' ', false, Json::error_handler_t::replace) << '\n';
  fs::rename(draft, path, problem);
}

// What a version is remembered by: the program, and what it was asked with. "" when it cannot be told.
std::string version_key(const FoundAgent& agent) {
  const std::string identity = identity_of(agent.program);
  return identity.empty() ? "" : identity + " " + join(agent.entry->facts.version.command, " ");
}

// The words of a question, with the program that was found where they name the agent's own.
std::vector<std::string> with_program(const FoundAgent& agent, std::vector<std::string> words) {
  const std::vector<std::string>& own = agent.entry->spec.command;
  if (!own.empty() && words.front() == own.front()) words.front() = agent.program;
  return words;
}

// ---- Logins ----

bool has_key(const std::string& text, const std::vector<std::string>& keys) {
  const Json json = parse(text);
  if (json.is_discarded()) return false;
  return std::ranges::any_of(keys, [&](const std::string& key) {
    try {
      const Json::json_pointer pointer(key);
      return json.contains(pointer) && !json.at(pointer).is_null() && json.at(pointer) != Json("");
    } catch (const Json::exception&) {
      return false;
    }
  });
}

void look_at_login(const Context& context, FoundAgent& agent) {
  const plan::LoginRule& rule = agent.entry->facts.login;
  const auto found = [&](Login login, std::string fact) {
    agent.login = login;
    agent.login_fact = std::move(fact);
  };
  if (rule.none) return found(Login::yes, "needs none");
  for (const std::string& name : rule.env) {
    if (!variable(context, name).empty()) return found(Login::yes, name + " is set");
  }
  if (!rule.file.empty()) {
    const Result<std::string> text = read_text(home_path(context, rule.file), k_file_bytes_max);
    if (text && has_key(*text, rule.keys)) return found(Login::yes, rule.file + " holds a login");
  }
  if (!rule.command.empty()) return found(Login::unknown, "not asked; --probe asks `" + join(rule.command, " ") + "`");
  if (rule.env.empty() && rule.file.empty()) return found(Login::unknown, "nothing tells it");
  std::string looked =
      rule.env.empty() ? "" : join(rule.env, ", ") + (rule.env.size() == 1 ? " is" : " are") + " not set";
  if (!rule.file.empty()) looked += (looked.empty() ? "" : ", ") + rule.file + " holds none";
  found(Login::no, looked);
}

}  // namespace

bool is_older(const std::string& version, const std::string& than) {
  const std::vector<std::string_view> a = split(version, '.');
  const std::vector<std::string_view> b = split(than, '.');
  for (std::size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
    const auto part = [i](const std::vector<std::string_view>& parts) {
      return i < parts.size() ? std::strtoull(std::string(parts[i]).c_str(), nullptr, 10) : 0ULL;
    };
    if (part(a) != part(b)) return part(a) < part(b);
  }
  return false;
}

std::string version_in(std::string_view text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (!is_digit(text[at])) continue;
    std::size_t end = at;
    bool dotted = false;
    while (end < text.size() &&
           (is_digit(text[end]) || (text[end] == '.' && end + 1 < text.size() && is_digit(text[end + 1])))) {
      dotted = dotted || text[end] == '.';
      ++end;
    }
    if (dotted) return std::string(text.substr(at, end - at));
    at = end;
  }
  return "";
}

std::vector<plan::CatalogEntry> all_agents(const plan::Config& config) {
  std::vector<plan::CatalogEntry> entries = plan::catalog();
  for (const AgentSpec& spec : config.agents) {
    std::erase_if(entries, [&](const plan::CatalogEntry& entry) { return entry.spec.name == spec.name; });
    entries.push_back({spec, config.agent_facts.at(spec.name)});
  }
  std::ranges::sort(entries, {}, [](const plan::CatalogEntry& entry) { return entry.spec.name; });
  return entries;
}

std::vector<FoundAgent> discover(const Context& context, const std::vector<plan::CatalogEntry>& entries,
                                 const DiscoverOptions& options) {
  const std::string cache = cache_path(context);
  std::map<std::string, std::string> known = read_cache(cache);
  std::vector<FoundAgent> agents;
  for (const plan::CatalogEntry& entry : entries) {
    FoundAgent& agent = agents.emplace_back();
    agent.entry = &entry;
    agent.program = program_of(entry.spec, context.environment, options.directory).value_or("");
    if (!agent.program.empty()) look_at_login(context, agent);
  }

  std::map<std::size_t, Question> versions;
  std::map<std::size_t, Question> logins;
  for (std::size_t i = 0; i < agents.size(); ++i) {
    FoundAgent& agent = agents[i];
    const plan::AgentFacts& facts = agent.entry->facts;
    if (agent.program.empty()) continue;
    const auto remembered = known.find(version_key(agent));
    if (remembered != known.end()) {
      agent.version = remembered->second;
    } else if (!facts.version.command.empty()) {
      versions[i].argv = with_program(agent, facts.version.command);
    }
    if (options.probe && agent.login != Login::yes && !facts.login.command.empty()) {
      logins[i].argv = with_program(agent, facts.login.command);
    }
  }
  std::vector<Question*> questions;
  for (auto& [i, question] : versions) questions.push_back(&question);
  for (auto& [i, question] : logins) questions.push_back(&question);
  ask(context, questions);

  for (auto& [i, question] : versions) {
    agents[i].version = version_in(question.answer);
    const std::string key = version_key(agents[i]);
    if (!agents[i].version.empty() && !key.empty()) known[key] = agents[i].version;
  }
  if (!versions.empty()) write_cache(cache, known);
  for (auto& [i, question] : logins) {
    if (question.exit_code < 0) continue;
    agents[i].login = question.exit_code == 0 ? Login::yes : Login::no;
    agents[i].login_fact =
        "`" + join(agents[i].entry->facts.login.command, " ") + "` exits with " + std::to_string(question.exit_code);
  }
  for (FoundAgent& agent : agents) {
    const plan::VersionRule& rule = agent.entry->facts.version;
    if (agent.program.empty() || agent.version.empty()) continue;
    if (!rule.at_least.empty() && is_older(agent.version, rule.at_least))
      agent.version_why = "older than " + rule.at_least;
    if (!rule.below.empty() && !is_older(agent.version, rule.below))
      agent.version_why = "not tried: " + rule.below + " or newer";
  }
  return agents;
}

}  // namespace bernstein::cli
