// agents: the catalog and what bernstein.yaml adds to it; which of them are on this machine, and logged in.

#include <nlohmann/json.hpp>
#include <ostream>

#include "bernstein/cli/commands.hpp"
#include "discovery.hpp"
#include "inputs.hpp"
#include "place.hpp"
#include "print.hpp"

namespace bernstein::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string proof_words(const plan::CatalogEntry& entry) {
  const plan::Proof& proof = entry.facts.proof;
  if (proof.date.empty()) return "yours";
  return std::string(to_word(proof.level)) + (proof.version.empty() ? "" : " " + proof.version);
}

Json to_json(const FoundAgent& agent) {
  const plan::AgentFacts& facts = agent.entry->facts;
  Json json;
  json["name"] = agent.entry->spec.name;
  json["title"] = facts.title;
  json["installed"] = !agent.program.empty();
  json["program"] = agent.program.empty() ? Json(nullptr) : Json(agent.program);
  json["version"] = agent.version.empty() ? Json(nullptr) : Json(agent.version);
  json["version_problem"] = agent.version_why.empty() ? Json(nullptr) : Json(agent.version_why);
  json["login"] = agent.program.empty() ? Json(nullptr) : Json(to_word(agent.login));
  json["login_fact"] = agent.login_fact;
  json["proof"] = Json{{"level", to_word(facts.proof.level)},
                       {"version", facts.proof.version},
                       {"date", facts.proof.date},
                       {"source", facts.proof.source}};
  json["models"] = Json::array();
  for (const ModelSpec& model : agent.entry->spec.models) {
    json["models"].push_back(Json{{"tier", model.tier}, {"name", model.name}});
  }
  json["command"] = agent.entry->spec.command;
  json["read_only"] = agent.entry->spec.read_only;
  json["schema"] = agent.entry->spec.schema;
  json["install"] = facts.install;
  return json;
}

void print_agents(std::ostream& out, const Screen& screen, const std::vector<FoundAgent>& agents) {
  TextTable table({{"AGENT"}, {"VERSION"}, {"LOGIN"}, {"MODELS"}, {"PROOF"}, {"NOTE"}});
  for (const FoundAgent& agent : agents) {
    if (agent.program.empty()) continue;
    std::string models;
    for (const ModelSpec& model : agent.entry->spec.models) models += (models.empty() ? "" : ", ") + model.name;
    const Tint tint = agent.login == Login::yes ? Tint::good : agent.login == Login::no ? Tint::bad : Tint::plain;
    std::string note = agent.login_fact;
    if (!agent.version_why.empty()) note = agent.version_why + "; " + note;
    if (agent.login == Login::no && !agent.entry->facts.login.fix.empty()) note += ": " + agent.entry->facts.login.fix;
    table.add({{agent.entry->spec.name},
               {agent.version.empty() ? "unknown" : agent.version},
               {std::string(to_word(agent.login)), tint},
               {models},
               {proof_words(*agent.entry)},
               {note}});
  }
  if (table.empty()) {
    out << "no agent is installed\n";
  } else {
    table.print(out, screen);
  }
  TextTable others({{"NOT INSTALLED"}, {"WHAT"}, {"INSTALL"}});
  for (const FoundAgent& agent : agents) {
    if (agent.program.empty())
      others.add({{agent.entry->spec.name}, {agent.entry->facts.title}, {agent.entry->facts.install}});
  }
  if (others.empty()) return;
  out << '\n';
  others.print(out, screen);
}

}  // namespace

Result<Exit> agents_command(Context& context, const AgentsOptions& options) {
  const Result<Place> place = find_place(context.directory);  // it also answers where there is no repository
  auto read = read_config(place ? place->worktree : context.directory);
  if (auto* refusal = std::get_if<Refusal>(&read)) {
    for (const std::string& reason : refusal->reasons) context.err << reason << '\n';
    return refusal->exit;
  }
  const std::vector<plan::CatalogEntry> entries = all_agents(std::get<plan::Config>(read));
  const std::vector<FoundAgent> agents =
      discover(context, entries, {.directory = place ? place->root : context.directory, .probe = options.probe});
  if (context.json) {
    Json json;
    json["agents"] = Json::array();
    for (const FoundAgent& agent : agents) json["agents"].push_back(to_json(agent));
    context.out << json.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
  } else {
    print_agents(context.out, screen_of(context), agents);
  }
  return Exit::done;
}

}  // namespace bernstein::cli
