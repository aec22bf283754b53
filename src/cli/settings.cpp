#include "settings.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string_view>

#include "bernstein/agent/roles.hpp"
#include "bernstein/base/text.hpp"
#include "bernstein/state/run_state.hpp"

namespace bernstein::cli {
namespace {

using AgentsByName = std::map<std::string, AgentSpec>;

constexpr std::string_view k_no_agent =
    "no agent is installed or configured; `bernstein agents` says how to install one, bernstein.yaml may name others "
    "under agents: (see docs/config.md), and `bernstein demo` needs none";

std::vector<std::string> names_of(const AgentsByName& agents) {
  std::vector<std::string> names;
  for (const auto& [name, spec] : agents) names.push_back(name);
  return names;
}

const ModelSpec* model_called(const AgentSpec& agent, const std::string& wanted) {
  for (const ModelSpec& model : agent.models) {
    if (model.tier == wanted || model.name == wanted) return &model;
  }
  return nullptr;
}

// Collects the faults while it merges, so that a person sees all of them at once.
class Merge {
 public:
  Merge(const plan::Config& config, const plan::Plan& plan, const RunOptions& options, const KnownAgents& built_in)
      : config_(config), plan_(plan), options_(options), automatic_(built_in.automatic) {
    for (const AgentSpec& agent : built_in.specs) known_[agent.name] = agent;
    for (const AgentSpec& agent : config.agents) known_[agent.name] = agent;
  }

  MergeResult result() {
    take_plain_settings();
    take_budget();
    take_token_budget();
    take_roles();
    take_arms();
    take_planner();
    if (!refusal_.reasons.empty()) return refusal_;
    take_agents();
    return std::move(settings_);
  }

 private:
  void refuse(std::string reason) { refusal_.reasons.push_back(std::move(reason)); }

  bool known(const std::string& who, const std::string& agent) {
    if (known_.contains(agent)) return true;
    const std::string near = did_you_mean_clause(agent, names_of(known_));
    refuse(who + " names agent '" + agent + "', which is not configured" +
           (near.empty() ? "; add it under agents: in bernstein.yaml" : near));
    return false;
  }

  void take_plain_settings() {
    RunConfig& run = settings_.config;
    const plan::PlanSettings& top = plan_.settings;
    run.constraints = config_.constraints;
    run.constraints.insert(run.constraints.end(), top.constraints.begin(), top.constraints.end());
    run.context_files = config_.context_files;
    for (const std::string& file : top.context_files) {
      if (std::find(run.context_files.begin(), run.context_files.end(), file) == run.context_files.end()) {
        run.context_files.push_back(file);
      }
    }
    run.approve_merge = options_.approve_merge;
    run.approve_plan = options_.approve_plan;
    run.gates = config_.gates;
    run.landing = config_.landing;
    run.limits = config_.limits;
    run.sandbox = config_.sandbox;
    run.max_agents = options_.max_agents.value_or(top.max_agents.value_or(config_.max_agents));
    run.role_slots = config_.role_slots;
    run.routing = config_.routing.rules;
    run.worktree_setup = config_.worktree_setup;
  }

  void take_budget() {
    settings_.config.budget_micros = plan_.settings.budget ? plan_.settings.budget : config_.budget;
    if (options_.budget.empty()) return;
    const std::optional<UsdMicros> typed = parse_usd(options_.budget);
    if (!typed) {
      refuse("--budget: '" + options_.budget + "' is not an amount of US dollars; write it like 15 or $0.50");
    } else if (typed->value == 0) {
      settings_.config.budget_micros.reset();
      settings_.notes.emplace_back("--budget 0 sets no limit");
    } else {
      settings_.config.budget_micros = typed;
    }
  }

  void take_token_budget() {
    std::optional<std::int64_t>& budget = settings_.config.budget_tokens;
    budget = plan_.settings.budget_tokens ? plan_.settings.budget_tokens : config_.budget_tokens;
    if (options_.budget_tokens.empty()) return;
    const std::optional<std::int64_t> typed = parse_tokens(options_.budget_tokens);
    if (!typed) {
      refuse("--budget-tokens: '" + options_.budget_tokens +
             "' is not a number of tokens; write it like 5M, 150k or 2000000");
    } else if (*typed == 0) {
      budget.reset();
      settings_.notes.emplace_back("--budget-tokens 0 sets no limit");
    } else {
      budget = typed;
    }
  }

  // A flag overrides what bernstein.yaml says about a role; a step's own pin stays.
  void take_roles() {
    std::set<std::string> roles;
    for (const TaskSpec& task : plan_.tasks) roles.insert(task.role);
    if (may_plan()) {  // it may give any role
      for (std::string_view role : agent::built_in_roles()) roles.emplace(role);
      for (const auto& [role, text] : config_.roles) roles.insert(role);
      for (const auto& [role, policy] : config_.role_policy) roles.insert(role);
    }
    for (const std::string& role : roles) {
      const auto own = config_.roles.find(role);
      const std::string text(own == config_.roles.end() ? agent::built_in_role(role) : own->second);
      if (!text.empty()) settings_.config.roles[role] = text;
    }
    for (const auto& [role, policy] : config_.role_policy) {
      RolePolicy kept = policy;
      if (!options_.agent.empty()) kept = {};
      if (!options_.model.empty()) kept.model.clear();
      if (!kept.agent.empty() && !known("role_model_policy: role '" + role + "'", kept.agent)) continue;
      if (roles.contains(role) && kept != RolePolicy{}) settings_.config.role_policy[role] = kept;
    }
  }

  std::string wanted_agent() {
    if (!options_.agent.empty()) return known("--agent", options_.agent) ? options_.agent : "";
    if (!plan_.settings.agent.empty()) return plan_.settings.agent;
    if (const std::string agent = preferred_agent(config_); !agent.empty())
      return known("bernstein.yaml: cli:", agent) ? agent : "";
    if (!automatic_.empty()) {
      settings_.notes.push_back("cli: auto takes '" + automatic_.front() + "', the first by rank that is installed" +
                                (automatic_.size() > 1 ? " of " + join(automatic_, ", ") : ""));
      return automatic_.front();
    }
    const bool all_pinned = std::all_of(plan_.tasks.begin(), plan_.tasks.end(),
                                        [&](const TaskSpec& task) { return known_.contains(task.agent); });
    if (all_pinned && !plan_.tasks.empty()) return plan_.tasks.front().agent;
    if (refusal_.reasons.empty()) refusal_.exit = Exit::environment;
    refuse(std::string(k_no_agent));
    return "";
  }

  std::string wanted_model() const { return options_.model.empty() ? plan_.settings.model : options_.model; }

  std::vector<Arm> routed_arms() {
    std::vector<Arm> arms;
    for (const std::string& word : config_.routing.arms) {
      const std::size_t slash = word.find('/');
      const std::string name = word.substr(0, slash);
      const std::string tier = slash == std::string::npos ? "" : word.substr(slash + 1);
      if (!known("routing.arms: '" + word + "'", name)) continue;
      const AgentSpec& agent = known_.at(name);
      if (const ModelSpec* model = model_called(agent, tier)) {
        arms.push_back({name, model->name, model->tier});
        continue;
      }
      std::vector<std::string> tiers;
      for (const ModelSpec& model : agent.models) tiers.push_back(model.tier);
      const std::string near = did_you_mean_clause(tier, tiers);
      refuse("routing.arms: '" + word + "' names no model of agent '" + name + "'" +
             (near.empty() ? "; it has " + join(tiers, ", ") : near));
    }
    return arms;
  }

  // routing.arms where they are given, unless a flag or the plan asks for one agent; else the models of the chosen
  // agent.
  void take_arms() {
    std::vector<Arm> arms = routed_arms();
    if (!config_.routing.arms.empty() && arms.empty()) return;
    const bool one_agent = !options_.agent.empty() || !plan_.settings.agent.empty();
    if (arms.empty() || one_agent) {
      const std::string agent = wanted_agent();
      if (agent.empty()) return;
      std::erase_if(arms, [&](const Arm& arm) { return arm.agent != agent; });
      if (arms.empty()) {
        for (const ModelSpec& model : known_.at(agent).models) arms.push_back({agent, model.name, model.tier});
      }
    }
    if (const std::string model = wanted_model(); !model.empty()) {
      const std::string agent = arms.front().agent;
      std::erase_if(arms, [&](const Arm& arm) { return arm.model != model && arm.tier != model; });
      if (arms.empty()) arms.push_back(arm_with(agent, model));
    }
    settings_.config.arms = std::move(arms);
  }

  // A model that the agent does not list is passed on: agents know more models than a configuration does.
  Arm arm_with(const std::string& agent, const std::string& wanted) const {
    const ModelSpec* model = model_called(known_.at(agent), wanted);
    return model ? Arm{agent, model->name, model->tier} : Arm{agent, wanted, wanted};
  }

  // A goal needs a planner; with a plan there is one only where the person names it.
  bool may_plan() const { return !options_.goal.empty() || config_.role_policy.contains(std::string(k_planner_role)); }

  // The strongest arm there is, unless role_model_policy says who plans.
  void take_planner() {
    if (!may_plan() || settings_.config.arms.empty()) return;
    const Arm& strongest = settings_.config.arms.back();
    PlannerSpec planner{strongest.agent, strongest.model};
    const auto found = settings_.config.role_policy.find(std::string(k_planner_role));
    if (found != settings_.config.role_policy.end()) {
      const RolePolicy& policy = found->second;
      if (!policy.agent.empty()) planner = {policy.agent, known_.at(policy.agent).models.back().name};
      if (!policy.model.empty()) planner.model = arm_with(planner.agent, policy.model).model;
    }
    settings_.config.planner = planner;
  }

  void take_agents() {
    std::set<std::string> used;
    if (settings_.config.planner) used.insert(settings_.config.planner->agent);
    for (const Arm& arm : settings_.config.arms) used.insert(arm.agent);
    for (const TaskSpec& task : plan_.tasks) {
      if (!task.agent.empty()) used.insert(task.agent);
    }
    for (const auto& [role, policy] : settings_.config.role_policy) {
      if (!policy.agent.empty()) used.insert(policy.agent);
    }
    for (const std::string& name : used) settings_.config.agents.push_back(known_.at(name));
    take_prices();
  }

  void take_prices() {
    std::vector<std::string> models;
    for (AgentSpec& agent : settings_.config.agents) {
      for (ModelSpec& model : agent.models) {
        models.push_back(model.name);
        const auto price = config_.prices.find(model.name);
        if (price != config_.prices.end()) model.price = price->second;
      }
    }
    for (const auto& [model, price] : config_.prices) {
      if (std::ranges::find(models, model) != models.end()) continue;
      settings_.notes.push_back("prices: no agent of this run has a model '" + model + "'" +
                                did_you_mean_clause(model, models));
    }
  }

  const plan::Config& config_;
  const plan::Plan& plan_;
  const RunOptions& options_;
  const std::vector<std::string>& automatic_;
  AgentsByName known_;
  Settings settings_;
  Refusal refusal_;
};

}  // namespace

std::string preferred_agent(const plan::Config& config) {
  if (!config.agent.empty()) return config.agent;
  // What is said anew about one of the catalog is no wish for it.
  const auto own = std::ranges::find_if(
      config.agents, [](const AgentSpec& agent) { return plan::find_in_catalog(agent.name) == nullptr; });
  return own == config.agents.end() ? "" : own->name;
}

MergeResult merge_settings(const plan::Config& config, const plan::Plan& plan, const RunOptions& options,
                           const KnownAgents& built_in) {
  return Merge(config, plan, options, built_in).result();
}

}  // namespace bernstein::cli
