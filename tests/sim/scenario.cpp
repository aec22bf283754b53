#include "scenario.hpp"

#include <algorithm>
#include <set>

#include "bernstein/base/sha256.hpp"
#include "bernstein/base/text.hpp"
#include "bernstein/plan/write.hpp"
#include "dice.hpp"
#include "support/builders.hpp"

namespace bernstein::sim {
namespace {

using namespace test;

// Patterns of owned files, many of which overlap, and for each two files that it covers.
struct Owned {
  std::string pattern;
  std::vector<std::string> files;
};
const std::vector<Owned> k_owned{{"a/", {"a/one.txt", "a/b/two.txt"}},
                                 {"a/b/", {"a/b/one.txt", "a/b/two.txt"}},
                                 {"a/b/c.txt", {"a/b/c.txt"}},
                                 {"b/*.x", {"b/1.x", "b/2.x"}},
                                 {"b/", {"b/1.x", "b/readme.txt"}},
                                 {"c.txt", {"c.txt"}},
                                 {"d/**/*.y", {"d/1.y", "d/q/2.y"}},
                                 {"e.txt", {"e.txt"}},
                                 {"*.z", {"1.z", "2.z"}},
                                 {"f/g/", {"f/g/1.txt", "f/g/h/2.txt"}}};
const std::vector<std::string> k_roles{"backend", "docs", "security"};
const std::vector<std::string> k_commands{"build", "tests", "lint"};

// What a file says that a check of this name does not let pass; "everything" is found by all of them.
std::string fault_text(const std::string& check) {
  return "FAULT " + check + "\n";
}

const std::vector<std::string>& files_of(const std::string& pattern) {
  const auto found =
      std::find_if(k_owned.begin(), k_owned.end(), [&](const Owned& owned) { return owned.pattern == pattern; });
  return found->files;
}

constexpr int k_exit_of_quota = 75;

RunConfig draw_config(Dice& dice) {
  ConfigBuilder builder = a_config().with_agents(1 + dice.below(6)).with_attempts(1 + dice.below(4));
  if (dice.one_in(2)) builder.with_arms({"one/cheap", "two/medium", "one/strong"});
  if (dice.one_in(4)) builder.with_budget(cents(50 + dice.below(600)));
  if (dice.one_in(4)) builder.with_role_slots("docs", 1);
  if (dice.one_in(4)) builder.with_max_parallel("one", 1 + dice.below(2));
  if (dice.one_in(4)) builder.with_role_policy("security", {.agent = "", .model = "strong"});
  for (const std::string& command : k_commands) {
    if (dice.one_in(3)) builder.with_gate(a_command(command));
  }
  RunConfig config = builder;
  for (AgentSpec& agent : config.agents) {
    if (dice.one_in(2)) agent.command.push_back("{prompt_file}");
    if (!dice.one_in(4)) agent.usage = {.cost_usd = "/cost", .format = "json"};
    agent.failures = {{.exit = k_exit_of_quota, .outcome = AgentOutcome::quota}};
  }
  for (CheckSpec& gate : config.gates) gate.timeout_us = dice.between(1, 10) * k_minute;
  if (dice.one_in(6)) config.worktree_setup.command = "make ready";
  config.landing.max_checks = 1 + dice.below(3);
  config.landing.skip_intermediate = dice.one_in(3);
  config.landing.batch = dice.below(5);
  config.limits.adopt_timeout_us = dice.pick(std::vector<Micros>{k_minute, 15 * k_minute, 15 * k_minute, k_hour});
  config.limits.planner_timeout_us = dice.between(5, 20) * k_minute;
  config.limits.agent_timeout_us = dice.between(5, 40) * k_minute;
  config.limits.quota_attempts = 1 + dice.below(6);
  config.limits.no_progress_us = dice.pick(std::vector<Micros>{0, 2 * k_minute, 5 * k_minute, 10 * k_minute});
  return config;
}

CheckSpec draw_signal(Dice& dice, const TaskSpec& task) {
  const std::string path = task.files.empty() ? "new/" + to_string(task.id) + ".txt" : files_of(task.files[0])[0];
  switch (dice.below(8)) {
    case 0:
      return {.name = "glob_exists " + path.substr(0, 1) + "*",
              .path = path.substr(0, 1) + "*",
              .type = CheckType::glob_exists};
    case 1:
      return {.contains = "work of", .name = "file_contains " + path, .path = path, .type = CheckType::file_contains};
    case 2:
      return dice.one_in(4) ? a_path_check("never/there") : a_path_check(path);  // a task that cannot be done
    case 3:
    case 4:
      return a_path_check(path);
    default: {
      CheckSpec check = a_command("own " + to_string(task.id));
      check.timeout_us = dice.between(1, 10) * k_minute;
      return check;
    }
  }
}

std::vector<TaskSpec> draw_plan(Dice& dice) {
  const std::uint32_t count = 1 + dice.below(7);
  const std::uint32_t stages = 1 + dice.below(3);
  std::vector<TaskSpec> plan;
  for (std::uint32_t i = 1; i <= count; ++i) {
    // Stages in order, each with at least one task, so that dependencies on earlier ones make no cycle.
    const std::uint32_t stage = std::min((i - 1) * stages / count, stages - 1);
    TaskBuilder task = a_task(i);
    task.in_stage(stage)
        .with_priority(1 + dice.below(5))
        .with_role(dice.pick(k_roles))
        .with_minutes(5 + dice.below(60));
    task.with_complexity(static_cast<Complexity>(dice.below(3))).with_scope(static_cast<Scope>(dice.below(3)));
    if (stage > 0 && dice.one_in(3)) task.after_stage(dice.below(stage));
    if (i > 1 && dice.one_in(4)) task.after(1 + dice.below(i - 1));
    std::vector<Owned> owned = k_owned;
    for (std::uint32_t left = dice.below(3); left > 0; --left) {
      const auto chosen = owned.begin() + dice.below(owned.size());
      task.owning(chosen->pattern);
      owned.erase(chosen);
    }
    TaskSpec spec = task;
    if (dice.one_in(2)) spec.signals.push_back(draw_signal(dice, spec));
    plan.push_back(std::move(spec));
  }
  return plan;
}

// Some of its tasks turn out to be too much, so that there is something to split.
void draw_planning(Dice& dice, Scenario& scenario) {
  scenario.goal = dice.one_in(3);
  if (!scenario.goal && !dice.one_in(3)) return;
  RunConfig& config = scenario.config;
  const AgentSpec& agent = dice.pick(config.agents);
  config.planner = PlannerSpec{agent.name, dice.pick(agent.models).name};
  config.approve_plan = scenario.goal && dice.one_in(4);
  scenario.no_good_plans = dice.one_in(12);
  if (dice.one_in(2)) config.limits.attempts = 1;
  for (AgentSpec& each : config.agents) {
    if (dice.one_in(2)) each.answer.at = "/answer";
  }
}

// As a planner would write it, without the commands that it may not name.
plan::Plan written_plan(std::vector<TaskSpec> tasks) {
  PlanAccepted drawn = a_plan(std::move(tasks));
  plan::Plan plan{.name = "Simulated",
                  .description = {},
                  .settings = {},
                  .stages = std::move(drawn.stages),
                  .tasks = std::move(drawn.tasks),
                  .warnings = {}};
  std::vector<std::set<std::uint32_t>> waits(plan.stages.size());
  for (TaskSpec& task : plan.tasks) {
    std::erase_if(task.signals, [](const CheckSpec& check) { return check.type == CheckType::command; });
    waits[task.stage].insert(task.depends_on_stages.begin(), task.depends_on_stages.end());
  }
  for (std::size_t i = 0; i < waits.size(); ++i) plan.stages[i].depends_on = {waits[i].begin(), waits[i].end()};
  for (TaskSpec& task : plan.tasks) task.depends_on_stages = plan.stages[task.stage].depends_on;
  return plan;
}

std::vector<TaskSpec> draw_parts(Dice& dice, const TaskSpec& whole) {
  std::vector<TaskSpec> parts;
  const std::uint32_t count = 2 + dice.below(3);
  for (std::uint32_t i = 1; i <= count; ++i) {
    TaskBuilder part = a_task(i).titled("Part " + std::to_string(i) + " of " + to_string(whole.id));
    part.with_role(dice.pick(k_roles)).with_priority(1 + dice.below(5));
    if (dice.one_in(2)) part.owning(dice.pick(k_owned).pattern);
    if (i > 1 && dice.one_in(3)) part.after(1 + dice.below(i - 1));
    parts.push_back(part);
  }
  return parts;
}

const std::string k_cycle =
    "name: Round\nstages:\n  - name: all\n    steps:\n"
    "      - {id: one, title: One, description: First., depends_on: [two]}\n"
    "      - {id: two, title: Two, description: Second., depends_on: [one]}\n";

// What an agent whose answer stands in JSON prints.
std::string in_json(const std::string& text, const std::string& cost) {
  std::string escaped = replace_all(replace_all(text, "\\", "\\\\"), "\"", "\\\"");
  escaped = replace_all(escaped, "\n", "\\n");
  return "{\"answer\":\"" + escaped + "\",\"cost\":" + cost + "}\n";
}

Dials draw_dials(Dice& dice) {
  Dials dials;
  const auto draw = [&](std::uint32_t& dial, Micros least, Micros most) {
    const std::uint32_t ppm = static_cast<std::uint32_t>(dice.between(least, most));
    if (dice.one_in(4)) dial = ppm;
  };
  for (std::uint32_t* crash : {&dials.crash_before_commit, &dials.crash_after_commit, &dials.crash_before_effect,
                               &dials.crash_mid_effect, &dials.crash_after_effect, &dials.crash_while_waiting}) {
    draw(*crash, 2'000, 60'000);
  }
  draw(dials.crash_in_recovery, 50'000, 300'000);
  draw(dials.append_fails, 2'000, 40'000);
  draw(dials.ownership_lost, 2'000, 40'000);
  draw(dials.blob_put_fails, 2'000, 40'000);
  draw(dials.workspace_fails, 1'000, 20'000);
  draw(dials.workspace_fails_late, 1'000, 20'000);
  draw(dials.start_fails, 2'000, 50'000);
  draw(dials.adopt_fails, 2'000, 50'000);
  for (std::uint32_t* of_a_life : {&dials.supervisor_killed, &dials.worktree_deleted, &dials.person_stops,
                                   &dials.person_pauses, &dials.person_commits, &dials.person_edits,
                                   &dials.person_leaves_branch, &dials.clock_jumps, &dials.long_absence}) {
    draw(*of_a_life, 200'000, 1'000'000);
  }
  return dials;
}

}  // namespace

Scenario draw_scenario(std::uint64_t seed) {
  Scenario scenario{.seed = seed, .config = {}, .tasks = {}, .repository = {}, .dials = {}};
  Dice config(seed, "config");
  scenario.config = draw_config(config);
  Dice plan(seed, "plan");
  scenario.tasks = draw_plan(plan);
  scenario.repository = {
      {"README.md", "hello\n"}, {"c.txt", "at first\n"}, {"a/b/c.txt", "at first\n"}, {"d/1.y", "at first\n"}};
  Dice dials(seed, "dials");
  scenario.dials = draw_dials(dials);
  scenario.slow_work = dials.one_in(2);
  scenario.stubborn_person = dials.one_in(25);
  Dice planning(seed, "planning");
  draw_planning(planning, scenario);
  return scenario;
}

Behaviour behaviour_of(const Scenario& scenario, const TaskSpec& task, AttemptId attempt) {
  const std::string name = to_string(attempt);
  Dice dice(scenario.seed, "agent of " + name);
  const std::string text = "work of " + name + "\n";

  Behaviour behaviour{.duration_us = dice.between(k_second, 4 * k_minute)};
  if (dice.one_in(4)) behaviour.duration_us = dice.between(k_second, 30 * k_minute);
  behaviour.commits = dice.one_in(2);
  behaviour.output = "{\"cost\":0." + std::to_string(100 + dice.below(900)) + "}\n";
  if (dice.one_in(20)) behaviour.output = "{\"cost\":" + std::to_string(1 + dice.below(9)) + "}\n";
  if (dice.one_in(10)) behaviour.output = "no word of its cost\n";

  FileMap files;
  for (const std::string& pattern : task.files) {
    for (const std::string& path : files_of(pattern)) files[path] = text;
  }
  if (files.empty()) files["new/" + to_string(attempt.task) + ".txt"] = text;
  switch (dice.below(20)) {
    case 0:
      files.clear();
      break;
    case 1:  // what somebody else may own
      files[dice.pick(dice.pick(k_owned).files)] = text;
      files[dice.pick(dice.pick(k_owned).files)] = text;
      break;
    case 2:  // another path than it was asked for, nobody's
      files = {{"elsewhere/" + name + ".txt", text}};
      break;
    case 3:
    case 4:
      files.begin()->second += fault_text(dice.one_in(2) ? "everything" : dice.pick(k_commands));
      break;
    case 5:
      behaviour.exit_code = dice.one_in(2) ? k_exit_of_quota : 1 + static_cast<int>(dice.below(3));
      break;
    case 6:
      behaviour.hangs = true;
      behaviour.ignores_term = dice.one_in(2);
      break;
    case 7:
      behaviour.forgets_history = true;
      break;
    default:
      break;
  }
  for (auto& [path, content] : files) (dice.one_in(3) ? behaviour.early : behaviour.late)[path] = content;
  if (dice.one_in(5)) {
    const Micros from_us = dice.between(0, behaviour.duration_us);
    behaviour.silence = {.from_us = from_us, .until_us = from_us + dice.between(k_minute, 8 * k_minute)};
    if (behaviour.hangs) behaviour.silence->until_us.reset();
  }
  return behaviour;
}

Behaviour behaviour_of_planner(const Scenario& scenario, const std::optional<TaskSpec>& whole, AttemptId session,
                               const AgentSpec& agent) {
  Dice dice(scenario.seed, "agent of " + to_string(session));
  Behaviour behaviour{.duration_us = dice.between(k_second, 4 * k_minute)};
  const std::vector<TaskSpec> tasks = whole ? draw_parts(dice, *whole) : scenario.tasks;
  std::string said = "This is the plan.\n```yaml\n" + plan::write_plan(written_plan(tasks)) + "```\nThat is all.\n";
  if (dice.one_in(3)) said = plan::write_plan(written_plan(tasks));
  const std::uint32_t fate = scenario.no_good_plans ? dice.below(3) : dice.below(14);
  switch (fate) {
    case 0:
      said = "First I would look at the code, and then I would write.\n";
      break;
    case 1:
      said = k_cycle;
      break;
    case 2:
      behaviour.exit_code = 1 + static_cast<int>(dice.below(3));
      break;
    case 3:
      behaviour.exit_code = k_exit_of_quota;
      break;
    case 4:
      behaviour.hangs = true;
      behaviour.ignores_term = dice.one_in(2);
      break;
    default:
      break;
  }
  behaviour.output = agent.answer.at.empty() ? said : in_json(said, "0." + std::to_string(100 + dice.below(900)));
  // It is to change nothing, and some do.
  if (dice.one_in(8)) behaviour.early[k_planners_file] = "notes of " + to_string(session) + "\n";
  behaviour.commits = dice.one_in(2);
  return behaviour;
}

CheckFate fate_of(const Scenario& scenario, const std::string& command, const FileMap& tree) {
  std::string all = command;
  bool faulty = false;
  for (const auto& [path, text] : tree) {
    all += path + '\0' + text;
    for (const std::string& of : {std::string("everything"), command.substr(command.rfind(' ') + 1)}) {
      faulty = faulty || text.find(fault_text(of)) != std::string::npos;
    }
  }
  // What fits together badly is as much a matter of the tree.
  Dice dice(scenario.seed, to_hex(sha256(all)));
  CheckFate fate{.verdict = faulty || dice.one_in(30) ? CheckVerdict::failed : CheckVerdict::passed,
                 .duration_us = dice.between(k_second, 50 * k_second)};
  if (dice.one_in(60)) fate.verdict = CheckVerdict::timed_out;
  return fate;
}

FileMap persons_change(std::uint64_t seed, std::uint64_t number) {
  Dice dice(seed, "the person's change " + std::to_string(number));
  const std::string text = "the person's " + std::to_string(number) + "\n";
  FileMap files{{"notes/" + std::to_string(number) + ".txt", text}};
  if (dice.one_in(2)) files[dice.pick(dice.pick(k_owned).files)] = text;
  return files;
}

}  // namespace bernstein::sim
