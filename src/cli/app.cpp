#include "app.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>
#include <optional>
#include <ostream>
#include <string_view>

#include "bernstein/base/text.hpp"
#include "bernstein/cli/commands.hpp"
#include "bernstein/cli/scripted_agent.hpp"
#include "logging.hpp"

namespace bernstein::cli {
namespace {

constexpr std::uint32_t k_max_agents_max = 1000;
constexpr std::uint64_t k_seed_max = (std::uint64_t{1} << 53) - 1;

constexpr std::string_view k_exit_codes = R"(Exit codes:
  0   done: every task landed, or the query was answered
  1   the run ended with tasks failed, blocked or cancelled
  2   bad usage or invalid input; nothing was started or changed
  3   replay diverged, or audit found a fault
  4   budget exhausted before the end
  5   stopped before the end by a person or a signal; `bernstein resume` continues
  6   environment: not a git repository, no agent, disk, database
  75  another Bernstein owns this workspace)";

// Words that the documentation promises and this version does not have yet: better said than "unknown command".
constexpr std::array<std::string_view, 7> k_later{"live", "serve", "cancel", "answer", "whatif", "evolve", "--evolve"};

// What the words on the command line ask for.
struct Request {
  std::function<Result<Exit>(Context&)> action;  // nothing: no command was given
  std::string directory;                         // -C
  bool drives = false;                           // a run: its output is not what it is for
  bool json = false;
  bool verbose = false;
  std::string approve = "none";
  bool headless = false;

  RunOptions run;
  ResumeOptions resume;
  ActOptions act;
  StopOptions stop;
  DemoOptions demo;
  LookOptions look;
  CostOptions cost;
  std::string cost_by;
  Seq at = 0;
  ReplayOptions replay;
  AgentsOptions agents;
  DoctorOptions doctor;
  AuditOptions audit;
  SqlOptions sql;
  CleanOptions clean;
  std::uint32_t max_agents = 0;
  std::uint64_t seed = 0;
};

Error not_built(const std::string& what) {
  return {ErrorCode::invalid_input, what + " is not built yet in Bernstein " + version()};
}

void add_common_flags(CLI::App& app, Request& request) {
  app.add_flag("--json", request.json, "One JSON document on stdout, everything else on stderr");
  app.add_option("-C", request.directory, "Work in this directory instead of the current one")->type_name("DIR");
  app.add_flag("-v,--verbose", request.verbose, "Say more on stderr");
}

CLI::App& add_command(CLI::App& app, Request& request, const std::string& name, const std::string& what,
                      const std::string& example) {
  CLI::App* command = app.add_subcommand(name, what);
  command->footer("Example:\n  " + replace_all(example, "\n", "\n  "));
  add_common_flags(*command, request);
  return *command;
}

// "plan", "merge", "none", or several of the first two: "plan,merge".
Status read_approve(const std::string& typed, RunOptions& run) {
  static const std::vector<std::string> k_words{"none", "plan", "merge"};
  bool none = false;
  for (const std::string_view part : split(typed, ',')) {
    const std::string word(trim(part));
    none = none || word == "none";
    run.approve_plan = run.approve_plan || word == "plan";
    run.approve_merge = run.approve_merge || word == "merge";
    if (std::ranges::find(k_words, word) != k_words.end()) continue;
    const std::string near = did_you_mean_clause(word, k_words);
    return Error{ErrorCode::invalid_input, "--approve: '" + word + "' is no word of it" +
                                               (near.empty() ? "; write none, plan, merge, or plan,merge" : near)};
  }
  if (!none || !(run.approve_plan || run.approve_merge)) return Ok{};
  return Error{ErrorCode::invalid_input, "--approve: none stands alone; leave it out, or what stands with it"};
}

void add_run(CLI::App& app, Request& request) {
  CLI::App& run = add_command(app, request, "run", "Carry out a plan or a goal: schedule, verify and land its tasks",
                              "bernstein run plan.yaml --dry-run\nbernstein run plan.yaml --max-agents 4 --budget 5\n"
                              "bernstein run -g \"Limit the rate of the API\" --approve plan");
  run.add_option("PLAN", request.run.plan_file, "The plan's file; - reads standard input");
  run.add_option("-g,--goal", request.run.goal, "A goal instead of a plan: an agent makes one; - reads standard input")
      ->type_name("GOAL")
      ->take_last();
  run.add_flag("--dry-run", request.run.dry_run, "Show what would be done, with estimates; change nothing");
  run.add_option("--max-agents", request.max_agents, "At most so many agents at once")
      ->type_name("N")
      ->check(CLI::Range(std::uint32_t{1}, k_max_agents_max))
      ->take_last();
  run.add_option("--budget", request.run.budget, "Start nothing that could cost more than this in all")
      ->type_name("USD")
      ->take_last();
  run.add_option("--budget-tokens", request.run.budget_tokens,
                 "Likewise in tokens, read and written: 5M, 150k; for plans with a flat rate")
      ->type_name("N")
      ->take_last();
  run.add_option("--agent", request.run.agent, "The agent that works on tasks without a pin")
      ->type_name("NAME")
      ->take_last();
  run.add_option("--model", request.run.model, "The model, by name or tier, for tasks without a pin")
      ->type_name("NAME")
      ->take_last();
  run.add_option("--target", request.run.target, "The branch to land on; the one checked out unless given")
      ->type_name("BRANCH")
      ->take_last();
  run.add_option("--approve", request.approve,
                 "What waits for a person's `bernstein approve`: the plan, each merge, none, or plan,merge")
      ->type_name("WHAT")
      ->take_last();
  run.add_option("--seed", request.seed, "Seed of the run's random choices; recorded")
      ->type_name("N")
      ->check(CLI::Range(std::uint64_t{0}, k_seed_max))
      ->take_last();
  run.add_flag("--plain", request.run.plain, "Print lines instead of a display that changes in place");
  run.add_flag("--headless", request.headless, "For machines: the same as --plain");
  run.callback([&request, &run] {
    if (run.count("--max-agents") > 0) request.run.max_agents = request.max_agents;
    if (run.count("--seed") > 0) request.run.seed = request.seed;
    const bool has_goal = run.count("--goal") > 0;
    request.action = [&request, has_goal](Context& context) -> Result<Exit> {
      if (has_goal && !request.run.plan_file.empty()) {
        return Error{ErrorCode::invalid_input,
                     "run takes a plan or a goal, not both: leave out '" + request.run.plan_file + "' or -g"};
      }
      if (has_goal && trim(request.run.goal).empty()) {
        return Error{ErrorCode::invalid_input,
                     "the goal is empty; example: bernstein -g \"Limit the rate of the API\""};
      }
      if (!has_goal && request.run.plan_file.empty()) {
        return Error{ErrorCode::invalid_input, "run needs a plan or a goal; example: bernstein run plan.yaml"};
      }
      BERNSTEIN_TRY_VOID(read_approve(request.approve, request.run));
      request.run.plain = request.run.plain || request.headless;
      request.drives = !request.run.dry_run;
      return run_command(context, request.run);
    };
  });
}

using Act = Result<Exit> (*)(Context&, const ActOptions&);

CLI::App& add_act(CLI::App& app, Request& request, const std::string& name, Act act, const std::string& what,
                  const std::string& example) {
  CLI::App& command = add_command(app, request, name, what, example);
  command.add_flag("--plain,--headless", request.act.plain, "Print lines instead of a display that changes in place");
  command.callback([&request, act] {
    request.drives = true;
    request.action = [&request, act](Context& context) { return act(context, request.act); };
  });
  return command;
}

void add_steering(CLI::App& app, Request& request) {
  CLI::App& resume = add_command(app, request, "resume", "Go on with a run after a stop, a pause or a crash",
                                 "bernstein resume\nbernstein resume r3 --budget 20");
  resume.add_option("RUN", request.resume.run, "r3, 3 or latest (the default)");
  resume.add_option("--max-agents", request.max_agents, "At most so many agents at once from here on")
      ->type_name("N")
      ->check(CLI::Range(std::uint32_t{1}, k_max_agents_max))
      ->take_last();
  resume.add_option("--budget", request.resume.budget, "A new budget for the whole run")->type_name("USD")->take_last();
  resume.add_option("--budget-tokens", request.resume.budget_tokens, "Likewise in tokens")->type_name("N")->take_last();
  resume.add_flag("--plain,--headless", request.resume.plain, "Print lines instead of a display that changes in place");
  resume.callback([&request, &resume] {
    if (resume.count("--max-agents") > 0) request.resume.max_agents = request.max_agents;
    request.drives = true;
    request.action = [&request](Context& context) { return resume_command(context, request.resume); };
  });

  add_act(app, request, "approve", approve_command, "Let a plan start that waits for a look, or land what a task did",
          "bernstein approve\nbernstein approve r3/t4\nbernstein approve t4 t5")
      .add_option("ID", request.act.tasks, "A task: t4 or r3/t4, several at once; or the run whose plan may start");
  add_act(app, request, "retry", retry_command,
          "Try a task again that failed, or land what you made of the conflict that it left to you",
          "bernstein retry t4\nbernstein retry r3/t4")
      .add_option("TASK", request.act.tasks, "t4 in the latest run, or r3/t4")
      ->required()
      ->expected(1);
  add_act(app, request, "undo", undo_command, "Take back what a task has landed, through the same checks",
          "bernstein undo t4\nbernstein undo r3/t4")
      .add_option("TASK", request.act.tasks, "t4 in the latest run, or r3/t4")
      ->required()
      ->expected(1);

  CLI::App& stop = add_command(app, request, "stop", "Finish what is in flight and stop; start nothing new",
                               "bernstein stop\nbernstein stop --now");
  stop.add_flag("--now", request.stop.now, "Leave at once: agents go on by themselves until a resume takes them back");
  stop.callback(
      [&request] { request.action = [&request](Context& context) { return stop_command(context, request.stop); }; });

  CLI::App& pause = add_command(app, request, "pause", "Start nothing new until `bernstein resume`", "bernstein pause");
  pause.callback([&request] { request.action = pause_command; });
}

void add_starting(CLI::App& app, Request& request) {
  CLI::App& init = add_command(app, request, "init",
                               "Write a commented bernstein.yaml with gates that were tried on HEAD", "bernstein init");
  init.callback([&request] { request.action = init_command; });

  CLI::App& demo = add_command(app, request, "demo",
                               "The whole pipeline in a temporary repository with scripted agents; no key needed",
                               "bernstein demo\nbernstein demo --keep");
  demo.add_flag("--keep", request.demo.keep, "Keep the repository and say where it is");
  demo.callback(
      [&request] { request.action = [&request](Context& context) { return demo_command(context, request.demo); }; });
}

Result<CostBy> read_cost_by(const std::string& typed) {
  CostBy by = CostBy::model;
  if (typed.empty() || from_word(typed, by)) return by;
  const std::vector<std::string> words(Words<CostBy>::all.begin(), Words<CostBy>::all.end());
  const std::string near = did_you_mean_clause(typed, words);
  return Error{ErrorCode::invalid_input, "--by: '" + typed + "' is no word of it" +
                                             (near.empty() ? "; write one of " + join(words, ", ") : near)};
}

using Look = Result<Exit> (*)(Context&, const LookOptions&);

CLI::App& add_look(CLI::App& app, Request& request, const std::string& name, Look look, const std::string& what,
                   const std::string& example) {
  CLI::App& command = add_command(app, request, name, what, example);
  command.callback([&request, &command, look] {
    if (command.get_option_no_throw("--at") != nullptr && command.count("--at") > 0) request.look.at = request.at;
    request.action = [&request, look](Context& context) { return look(context, request.look); };
  });
  return command;
}

void add_cost(CLI::App& app, Request& request) {
  CLI::App& cost = add_command(app, request, "cost", "What runs cost: by model, role, agent, task, run or day",
                               "bernstein cost r3\nbernstein cost --by day\nbernstein cost --by model --all --json");
  cost.add_option("RUN", request.cost.run, "r3, 3 or latest (the default; all runs with --by run and --by day)");
  cost.add_option("--by", request.cost_by, "What a row is about: model (the default), role, agent, task, run or day")
      ->type_name("WORD");
  cost.add_flag("--all", request.cost.all, "All runs");
  cost.add_option("--at", request.at, "As things stood after this event")
      ->type_name("SEQ")
      ->check(CLI::Range(Seq{1}, Seq{1} << 53));
  cost.callback([&request, &cost] {
    if (cost.count("--at") > 0) request.cost.at = request.at;
    request.action = [&request](Context& context) -> Result<Exit> {
      BERNSTEIN_TRY(request.cost.by, read_cost_by(request.cost_by));
      return cost_command(context, request.cost);
    };
  });
}

void add_looking(CLI::App& app, Request& request) {
  auto at = [&](CLI::App& command) {
    command.add_option("--at", request.at, "As things stood after this event")
        ->type_name("SEQ")
        ->check(CLI::Range(Seq{1}, Seq{1} << 53));
  };
  auto run = [&](CLI::App& command) { command.add_option("RUN", request.look.run, "r3, 3 or latest (the default)"); };
  auto task = [&](CLI::App& command) {
    command.add_option("TASK", request.look.task, "t4 in the latest run, r3/t4, or an attempt: t4.2")->required();
  };

  CLI::App& status = add_look(app, request, "status", status_command, "Where a run and its tasks stand",
                              "bernstein status\nbernstein status r3 --json");
  run(status), at(status);
  CLI::App& events = add_look(app, request, "events", events_command, "The events of a run",
                              "bernstein events latest --json | tail -1");
  run(events), at(events);
  add_cost(app, request);
  CLI::App& why = add_look(app, request, "why", why_command, "Why a task stands where it stands",
                           "bernstein why t4\nbernstein why r3/t4 --at 120");
  task(why), at(why);
  CLI::App& diff = add_look(app, request, "diff", diff_command, "What a task's attempt changed",
                            "bernstein diff t4\nbernstein diff t4.1");
  task(diff), at(diff);
  CLI::App& logs = add_look(app, request, "logs", logs_command, "What a task's agent printed",
                            "bernstein logs t4\nbernstein logs r3/t4.2");
  task(logs);
}

void add_checking(CLI::App& app, Request& request) {
  CLI::App& replay = add_command(app, request, "replay", "Derive every decision of a run again and compare",
                                 "bernstein replay latest\nbernstein replay r3 --until 200 --json");
  replay.add_option("RUN", request.replay.run, "r3, 3 or latest (the default)");
  replay.add_option("--until", request.replay.until, "Stop after this event")
      ->type_name("SEQ")
      ->check(CLI::Range(Seq{1}, Seq{1} << 53));
  replay.callback([&request] {
    request.action = [&request](Context& context) { return replay_command(context, request.replay); };
  });

  CLI::App& agents = add_command(app, request, "agents", "List the agents: installed, version, login, models, proof",
                                 "bernstein agents\nbernstein agents --probe\nbernstein agents --json");
  agents.add_flag("--probe", request.agents.probe, "Ask each client whether somebody is logged in");
  agents.callback([&request] {
    request.action = [&request](Context& context) { return agents_command(context, request.agents); };
  });

  CLI::App& doctor = add_command(app, request, "doctor",
                                 "Check machine, repository, agents and settings: a fact each, and how to mend it",
                                 "bernstein doctor\nbernstein doctor --probe\nbernstein doctor --json");
  doctor.add_flag("--probe", request.doctor.probe,
                  "Also ask the clients about login and flags, the models in use for a word, and try the gates");
  doctor.callback([&request] {
    request.action = [&request](Context& context) { return doctor_command(context, request.doctor); };
  });

  CLI::App& audit = add_command(app, request, "audit", "Verify hashes, chain, anchors and invariants",
                                "bernstein audit\nbernstein audit r3 --json");
  audit.add_option("RUN", request.audit.run, "r3, 3 or latest; the whole log unless given");
  audit.callback(
      [&request] { request.action = [&request](Context& context) { return audit_command(context, request.audit); }; });

  CLI::App& sql = add_command(app, request, "sql", "A read-only query over the events and views",
                              "bernstein sql \"SELECT task, status, attempts FROM tasks\"");
  sql.add_option("QUERY", request.sql.query, "One SELECT")->required();
  sql.add_flag("--csv", request.sql.csv, "Comma-separated values");
  sql.callback(
      [&request] { request.action = [&request](Context& context) { return sql_command(context, request.sql); }; });

  CLI::App& clean =
      add_command(app, request, "clean", "Remove finished worktrees; salvage refs stay", "bernstein clean --dry-run");
  clean.add_flag("--dry-run", request.clean.dry_run, "Say what would go; remove nothing");
  clean.callback(
      [&request] { request.action = [&request](Context& context) { return clean_command(context, request.clean); }; });
}

// `bernstein -g GOAL` is short for `bernstein run -g GOAL`, also behind the options that all commands have.
std::vector<std::string> with_command(std::vector<std::string> words) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    const bool is_goal = word == "-g" || word == "--goal" || word.starts_with("--goal=") ||
                         (word.starts_with("-g") && !word.starts_with("--"));
    if (is_goal) {
      words.insert(words.begin(), "run");
      break;
    }
    const bool is_common = word == "--json" || word == "-v" || word == "--verbose" || word.starts_with("-C");
    if (!is_common) break;
    if (word == "-C") ++i;
  }
  return words;
}

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (!command->get_group().empty()) names.push_back(command->get_name());
  }
  return names;
}

std::vector<std::string> flag_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) names.push_back("-" + name);
  }
  return names;
}

// The sentence for the first word that nobody knows.
std::string unknown_word(const CLI::App& app, const std::string& typed) {
  const std::vector<CLI::App*> chosen = app.get_subcommands();
  const std::string word = typed.substr(0, typed.find('='));
  if (std::find(k_later.begin(), k_later.end(), word) != k_later.end() && chosen.empty()) {
    return not_built("'" + word + "'").message;
  }
  const CLI::App& command = chosen.empty() ? app : *chosen.front();
  const std::string help = "see `bernstein " + (chosen.empty() ? "" : command.get_name() + " ") + "--help`";
  if (word.starts_with("-")) {
    const std::string near = did_you_mean_clause(word, flag_names(command));
    return "unknown option '" + word + "'" + (near.empty() ? "; " + help : near);
  }
  if (chosen.empty() && word.find(' ') != std::string::npos) {
    return "'" + word + "' is no command; for a goal write bernstein -g \"...\"";
  }
  if (chosen.empty()) {
    const std::string near = did_you_mean_clause(word, command_names(app));
    return "unknown command '" + word + "'" + (near.empty() ? "; " + help : near);
  }
  return "unexpected argument '" + word + "'; " + help;
}

Result<Exit> carry_out(Request& request, Context& context) {
  context.json = request.json;
  context.verbose = request.verbose;
  set_up_logging(request.verbose);
  if (!request.directory.empty()) {
    const std::filesystem::path there = std::filesystem::path(context.directory) / request.directory;
    std::error_code problem;
    const std::filesystem::path found = std::filesystem::canonical(there, problem);
    if (problem || !std::filesystem::is_directory(found, problem)) {
      return Error{ErrorCode::not_found, "-C: there is no directory '" + request.directory + "'"};
    }
    context.directory = found.string();
  }
  return request.action(context);
}

}  // namespace

std::string variable(const Context& context, const std::string& name) {
  const auto found = context.environment.find(name);
  return found == context.environment.end() ? "" : found->second;
}

Exit exit_for(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_input:
    case ErrorCode::not_found:
      return Exit::bad_input;
    case ErrorCode::conflict:
    case ErrorCode::environment:
    case ErrorCode::corrupt:  // to replay and audit it is what they look for: they answer it themselves
      return Exit::environment;
    case ErrorCode::busy:
      return Exit::owned;
    case ErrorCode::cancelled:
      return Exit::stopped;
  }
  return Exit::environment;
}

std::string version() {
  return BERNSTEIN_VERSION;
}

void print_error(Context& context, const std::string& message) {
  for (std::string_view line : split(message, '\n')) context.err << "bernstein: " << line << '\n';
  context.err.flush();
}

Exit run_app(const std::vector<std::string>& words, Context& context) {
  if (!words.empty() && words.front() == k_scripted_agent_word) {
    return scripted_agent_command(context, std::vector<std::string>(words.begin() + 1, words.end()));
  }

  Request request;
  CLI::App app("Runs CLI coding agents side by side, believes nothing that it did not check, and lands what passes.",
               "bernstein");
  app.set_version_flag("--version", "bernstein " + version(), "Print the version and exit");
  app.footer(
      "Example:\n  bernstein demo\n  bernstein -g \"Limit the rate of the API\"\n  bernstein run plan.yaml "
      "--dry-run\n\n" +
      std::string(k_exit_codes));
  app.require_subcommand(0, 1);
  add_common_flags(app, request);
  app.add_option("-g,--goal", request.run.goal, "Short for: bernstein run -g GOAL, with all its options")
      ->type_name("GOAL");
  add_run(app, request);
  add_steering(app, request);
  add_starting(app, request);
  add_looking(app, request);
  add_checking(app, request);

  try {
    std::vector<std::string> typed = with_command(words);
    std::reverse(typed.begin(), typed.end());  // CLI11 takes them from the back
    app.parse(std::move(typed));
  } catch (const CLI::Success& wish) {
    app.exit(wish, context.out, context.err);
    return Exit::done;
  } catch (const CLI::ExtrasError&) {
    print_error(context, unknown_word(app, app.remaining(true).front()));
    return Exit::bad_input;
  } catch (const CLI::ParseError& problem) {
    const std::vector<CLI::App*> chosen = app.get_subcommands();
    print_error(context, std::string(problem.what()) + "; see `bernstein " +
                             (chosen.empty() ? "" : chosen.front()->get_name() + " ") + "--help`");
    return Exit::bad_input;
  }

  if (!request.action) {
    context.err << app.help();
    return Exit::bad_input;
  }
  const Result<Exit> exit = carry_out(request, context);
  // A run tells how it ended, whether or not anybody still listens.
  if (exit && !context.out.flush() && !request.drives) {
    print_error(context, "the output could not be written; is the disk full?");
    return Exit::environment;
  }
  if (exit) return *exit;
  print_error(context, exit.error().message);
  return exit_for(exit.error().code);
}

}  // namespace bernstein::cli
